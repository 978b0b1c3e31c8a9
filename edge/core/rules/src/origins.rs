//! Where a service's content comes from when it has several sources.

use http::Uri;
use selvedge_primitives_types::address::not_global;
use serde::Deserialize;

use crate::request::plain_path;
use crate::words::{List, Time, Word};

/// A source: several servers, of which the first that is well is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Its name in the document.
    pub name: String,
    /// Base addresses, the one that is preferred first.
    pub servers: Vec<Uri>,
    /// Statuses after which the next server is asked.
    pub next_after: Vec<u16>,
    /// How long a server may take until its answer begins, in seconds; `None` for as long as the
    /// gateway waits.
    pub patience: Option<u32>,
    /// How servers are looked at, if they are.
    pub health: Option<Health>,
}

/// How it is seen that a server is well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The path that is asked for.
    pub path: String,
    /// Seconds between two looks.
    pub interval: u32,
    /// The status that it answers when it is well.
    pub status: u16,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OriginText {
    pub name: String,
    servers: List<Server>,
    next_after: Option<Vec<u16>>,
    patience: Option<Word<Time>>,
    health: Option<HealthText>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HealthText {
    path: String,
    interval: Word<Time>,
    status: Option<u16>,
}

#[derive(Clone, Debug)]
struct Server(Uri);

impl core::str::FromStr for Server {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || "not a base address: write `https://host` or `https://host/path`".to_owned();
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        let scheme = uri.scheme_str();
        uri.host()
            .filter(|host| !host.is_empty())
            .ok_or_else(wrong)?;
        let is_plain = uri.query().is_none()
            && uri
                .authority()
                .is_some_and(|own| !own.as_str().contains('@'));
        if !matches!(scheme, Some("http" | "https")) || !is_plain || text.len() > 512 {
            return Err(wrong());
        }
        Ok(Self(uri))
    }
}

impl OriginText {
    /// The source, or what is wrong with it.
    pub fn read(self, may_be_private: bool) -> Result<Origin, String> {
        let name = self.name;
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if name.is_empty() || name.len() > 32 || !name.bytes().all(is_name) {
            return Err("an origin's name has 1 to 32 letters, digits, `-` and `_`".to_owned());
        }
        if self.servers.is_empty() || self.servers.len() > 8 {
            return Err("an origin has 1 to 8 servers".to_owned());
        }
        // A name may lead there too: whoever connects looks at every address again.
        for server in self.servers.iter().filter(|_| !may_be_private) {
            let host = server.0.host().unwrap_or_default();
            let address = host.trim_start_matches('[').trim_end_matches(']').parse();
            if let Some(kind) = address.ok().and_then(not_global) {
                return Err(format!(
                    "{host} is {kind}: an origin has an address that everybody can reach"
                ));
            }
        }
        let next_after = self.next_after.unwrap_or_else(|| vec![502, 503, 504]);
        if next_after.len() > 32 || next_after.iter().any(|status| !(400..600).contains(status)) {
            return Err("`next_after` names statuses from 400 to 599".to_owned());
        }
        let health = match self.health {
            Some(text) => {
                let is_path = text.path.starts_with('/')
                    && text.path.len() <= 256
                    && text
                        .path
                        .bytes()
                        .all(|byte| byte > b' ' && byte < 0x7f && byte != b'#')
                    && plain_path(text.path.as_bytes()).starts_with(b"/");
                if !is_path {
                    return Err(
                        "`health.path` is a path of at most 256 octets, such as \"/healthz\""
                            .to_owned(),
                    );
                }
                let interval = text.interval.0 .0;
                if !(5..=3_600).contains(&interval) {
                    return Err("`health.interval` is \"5s\" to \"1h\"".to_owned());
                }
                let status = text.status.unwrap_or(200);
                if !(200..400).contains(&status) {
                    return Err("`health.status` is one from 200 to 399".to_owned());
                }
                Some(Health {
                    path: text.path,
                    interval,
                    status,
                })
            }
            None => None,
        };
        let patience = self.patience.map(|time| time.0 .0);
        if patience.is_some_and(|seconds| !(1..=60).contains(&seconds)) {
            return Err("`patience` is \"1s\" to \"60s\"".to_owned());
        }
        Ok(Origin {
            name,
            servers: self.servers.0.into_iter().map(|server| server.0).collect(),
            next_after,
            patience,
            health,
        })
    }
}
