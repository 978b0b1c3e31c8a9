//! What an operator writes down about a daemon, checked at the door.

use std::{
    collections::BTreeSet,
    fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
};

use selvedge_client_rpc::AgentEntry;
use selvedge_primitives_types::DeviceId;
use serde::Deserialize;
use sp_core::{sr25519, Pair};
use url::{Host, Url};

/// The most daemons one node drives: the off-chain worker visits each of them within half a slot.
pub(crate) const MAX_AGENTS: usize = 64;

/// Shortest accepted token, in bytes of text: 128 bits in hex.
const MIN_TOKEN: usize = 32;
/// Longest accepted token, in bytes of text.
const MAX_TOKEN: usize = 256;
/// Longest accepted URL, in bytes.
const MAX_URL: usize = 256;

/// Why a list of daemons was not taken. `index` counts entries from zero. No message repeats a
/// secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AgentsError {
    #[error("cannot read the agents file {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("the agents file {path} is not what it should be: {reason}")]
    Parse { path: PathBuf, reason: String },
    #[error("{count} agents are more than the {MAX_AGENTS} that one node drives")]
    TooMany { count: usize },
    #[error("agent {index}: `device` must be a device id, 32 bytes in hex and not all zero")]
    Device { index: usize },
    #[error("agent {index}: the device {device} is there twice")]
    DuplicateDevice { index: usize, device: DeviceId },
    #[error("agent {index}: `url` {reason}")]
    Url { index: usize, reason: &'static str },
    #[error("agent {index}: `token` must be {MIN_TOKEN} to {MAX_TOKEN} hex digits")]
    Token { index: usize },
    #[error("agent {index}: `edge_key` is not a secret URI")]
    EdgeKey { index: usize },
    #[error("the keystore cannot hold the key of the device {device}")]
    Keystore { device: DeviceId },
    #[error("the off-chain storage holds something that is no list of agents")]
    Storage,
}

/// A daemon whose description was checked.
pub(crate) struct Agent {
    pub(crate) device: DeviceId,
    /// Base URL without a slash at the end.
    pub(crate) url: String,
    pub(crate) token: String,
    /// The secret URI of its key and the public key, when the operator chose one.
    pub(crate) chosen_key: Option<(String, sr25519::Public)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AgentsFile {
    #[serde(default, rename = "agent")]
    agents: Vec<AgentEntry>,
}

/// Reads the agents file.
///
/// # Errors
///
/// [`AgentsError::Read`] or [`AgentsError::Parse`]; the entries themselves are checked by
/// [`check`].
pub(crate) fn read_file(path: &Path) -> Result<Vec<AgentEntry>, AgentsError> {
    let text = fs::read_to_string(path).map_err(|source| AgentsError::Read {
        path: path.into(),
        source,
    })?;
    // The parser's own `Display` quotes the line, which may hold a token.
    let file: AgentsFile = toml::from_str(&text).map_err(|error| AgentsError::Parse {
        path: path.into(),
        reason: describe(&error, &text),
    })?;
    Ok(file.agents)
}

fn describe(error: &toml::de::Error, text: &str) -> String {
    match error.span() {
        Some(span) => {
            let line = 1 + text
                .bytes()
                .take(span.start)
                .filter(|byte| *byte == b'\n')
                .count();
            format!("line {line}: {}", error.message())
        }
        None => error.message().to_owned(),
    }
}

/// Checks every entry, and that no device is there twice.
///
/// # Errors
///
/// The first fault found, with the index of its entry.
pub(crate) fn check(entries: Vec<AgentEntry>) -> Result<Vec<Agent>, AgentsError> {
    if entries.len() > MAX_AGENTS {
        return Err(AgentsError::TooMany {
            count: entries.len(),
        });
    }
    let mut seen = BTreeSet::new();
    let mut agents = Vec::with_capacity(entries.len());
    for (index, entry) in entries.into_iter().enumerate() {
        let agent = check_one(index, entry)?;
        if !seen.insert(agent.device) {
            return Err(AgentsError::DuplicateDevice {
                index,
                device: agent.device,
            });
        }
        agents.push(agent);
    }
    Ok(agents)
}

fn check_one(index: usize, entry: AgentEntry) -> Result<Agent, AgentsError> {
    let device = parse_device(&entry.device).ok_or(AgentsError::Device { index })?;
    let url = parse_url(&entry.url).map_err(|reason| AgentsError::Url { index, reason })?;
    let token = entry.token;
    let is_token = (MIN_TOKEN..=MAX_TOKEN).contains(&token.len())
        && token.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_token {
        return Err(AgentsError::Token { index });
    }
    let chosen_key = entry
        .edge_key
        .map(|suri| match sr25519::Pair::from_string(&suri, None) {
            Ok(pair) => Ok((suri, pair.public())),
            Err(_) => Err(AgentsError::EdgeKey { index }),
        })
        .transpose()?;
    Ok(Agent {
        device,
        url,
        token,
        chosen_key,
    })
}

fn parse_device(text: &str) -> Option<DeviceId> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), &mut bytes).ok()?;
    let device = DeviceId(bytes);
    (!device.is_none()).then_some(device)
}

/// The token travels in clear text, so it may not leave the machine.
fn parse_url(text: &str) -> Result<String, &'static str> {
    if text.len() > MAX_URL {
        return Err("is too long");
    }
    let url = Url::parse(text).map_err(|_| "is not a URL")?;
    if url.scheme() != "http" {
        return Err("must begin with http://");
    }
    let is_loopback = match url.host() {
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if !is_loopback {
        return Err("must name a loopback address, such as 127.0.0.1");
    }
    if url.port().is_none() {
        return Err("must name a port");
    }
    let is_bare = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if !is_bare {
        return Err("must be nothing but scheme, host and port");
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "00112233445566778899aabbccddeeff";

    fn entry(device: u8, url: &str, token: &str, edge_key: Option<&str>) -> AgentEntry {
        AgentEntry {
            device: format!("0x{}", hex::encode([device; 32])),
            url: url.into(),
            token: token.into(),
            edge_key: edge_key.map(Into::into),
        }
    }

    fn file(text: &str) -> Result<Vec<AgentEntry>, AgentsError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agents.toml");
        fs::write(&path, text).unwrap();
        read_file(&path)
    }

    #[test]
    fn a_good_file_is_read_whole() {
        let device = hex::encode([7; 32]);
        let text = format!(
            "[[agent]]\ndevice = \"0x{device}\"\nurl = \"http://127.0.0.1:9801\"\ntoken = \"{TOKEN}\"\n\
             [[agent]]\ndevice = \"{}\"\nurl = \"http://[::1]:9802/\"\ntoken = \"{TOKEN}\"\nedge_key = \"//Gateway\"\n",
            hex::encode([8; 32])
        );
        let agents = check(file(&text).unwrap()).unwrap();
        assert_eq!(agents.len(), 2);
        assert_eq!(agents[0].device, DeviceId([7; 32]));
        assert_eq!(agents[0].url, "http://127.0.0.1:9801");
        assert!(agents[0].chosen_key.is_none());
        assert_eq!(agents[1].url, "http://[::1]:9802");
        let expected = sr25519::Pair::from_string("//Gateway", None)
            .unwrap()
            .public();
        assert_eq!(agents[1].chosen_key.as_ref().unwrap().1, expected);
    }

    #[test]
    fn an_empty_file_means_no_agents() {
        assert!(file("").unwrap().is_empty());
    }

    #[test]
    fn a_missing_file_and_a_bad_one_are_told_apart() {
        assert!(matches!(
            read_file(Path::new("/nowhere/agents.toml")),
            Err(AgentsError::Read { .. })
        ));
        for bad in [
            "agent = 3",
            "[[agent]]\nurl = \"x\"",
            "[[agents]]\n",
            "[[agent]",
        ] {
            assert!(
                matches!(file(bad), Err(AgentsError::Parse { .. })),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn a_parse_error_names_the_line_and_never_quotes_it() {
        let error = file(&format!("\n[[agent]]\ntoken = \"{TOKEN}\" oops\n"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("line 3"), "{error}");
        assert!(!error.contains(TOKEN), "{error}");
    }

    #[test]
    fn each_bad_field_has_its_own_error() {
        let url = "http://127.0.0.1:9801";
        let bad_device = AgentEntry {
            device: "0x1234".into(),
            ..entry(1, url, TOKEN, None)
        };
        assert!(matches!(
            check(vec![bad_device]),
            Err(AgentsError::Device { index: 0 })
        ));
        let nobody = entry(0, url, TOKEN, None);
        assert!(matches!(
            check(vec![nobody]),
            Err(AgentsError::Device { index: 0 })
        ));
        let twice = vec![entry(1, url, TOKEN, None), entry(1, url, TOKEN, None)];
        assert!(matches!(
            check(twice),
            Err(AgentsError::DuplicateDevice { index: 1, .. })
        ));
        for token in ["", "abc", &"zz".repeat(16), &"a".repeat(257)] {
            let bad = vec![entry(1, url, token, None)];
            assert!(
                matches!(check(bad), Err(AgentsError::Token { index: 0 })),
                "{token}"
            );
        }
        let bad_key = vec![entry(1, url, TOKEN, Some("not a secret"))];
        assert!(matches!(
            check(bad_key),
            Err(AgentsError::EdgeKey { index: 0 })
        ));
        let many = (0..65).map(|i| entry(i + 1, url, TOKEN, None)).collect();
        assert!(matches!(
            check(many),
            Err(AgentsError::TooMany { count: 65 })
        ));
    }

    #[test]
    fn only_a_bare_loopback_url_with_a_port_is_taken() {
        for bad in [
            "127.0.0.1:9801",
            "https://127.0.0.1:9801",
            "http://10.0.0.1:9801",
            "http://example.org:9801",
            "http://127.0.0.1",
            "http://127.0.0.1:9801/control",
            "http://127.0.0.1:9801?x=1",
            "http://user:pass@127.0.0.1:9801",
            "http://0.0.0.0:9801",
        ] {
            let entries = vec![entry(1, bad, TOKEN, None)];
            assert!(
                matches!(check(entries), Err(AgentsError::Url { index: 0, .. })),
                "{bad}"
            );
        }
        assert!(check(vec![entry(1, "http://localhost:9801", TOKEN, None)]).is_ok());
    }
}
