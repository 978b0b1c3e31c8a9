//! The configuration file, and what takes precedence over it.

use crate::{cli::ConfigArgs, key};
use anyhow::Context;
use selvedge_edge_drivers_agent::Token;
use selvedge_edge_drivers_p2p::Options as P2pOptions;
use serde::{Deserialize, Serialize};
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};
use tracing_subscriber::EnvFilter;

/// What the daemon is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Serves visitors.
    Gateway,
    /// Serves gateways.
    Cache,
}

/// What is kept of origins' answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// What the origin says is fresh, and nothing that could be meant for one visitor.
    #[default]
    Default,
    /// Everything that RFC 9111 allows.
    Rfc9111,
}

/// Which answers have a `Server-Timing`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ServerTiming {
    /// None.
    Off,
    /// All but hits in memory.
    #[default]
    Misses,
    /// All.
    All,
}

/// A daemon's configuration. Relative paths are relative to the file's folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What it is.
    pub role: Role,
    /// File with the device's key.
    #[serde(default = "default_key")]
    pub device_key_file: PathBuf,
    /// Folder of everything that must survive a restart.
    #[serde(default = "default_state")]
    pub state_dir: PathBuf,
    /// File that the addresses in use are written to, as JSON, once all listeners are up.
    pub ports_file: Option<PathBuf>,
    /// What is kept of origins' answers; the same on a gateway and its caches.
    #[serde(default)]
    pub profile: Profile,
    /// For the chain node.
    #[serde(default)]
    pub control: Control,
    /// For auditors and customers; a gateway's.
    #[serde(default)]
    pub audit: Audit,
    /// For the operator.
    #[serde(default)]
    pub admin: Admin,
    /// A gateway's.
    #[serde(default)]
    pub gateway: Gateway,
    /// A cache's.
    #[serde(default)]
    pub cache: Cache,
    /// Telling other nodes what is kept, and finding it.
    #[serde(default)]
    pub p2p: P2p,
    /// Bounds on whoever connects.
    #[serde(default)]
    pub limits: Limits,
    /// Messages for the operator.
    #[serde(default)]
    pub log: Log,
}

macro_rules! section {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty = $default:expr,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }
    };
}

section! {
    /// The control endpoint.
    Control {
        /// On loopback.
        listen: SocketAddr = loopback(9801),
        /// File with the token that the chain node shows.
        token_file: PathBuf = "control.token".into(),
    }
}

section! {
    /// The public audit endpoint.
    Audit {
        /// Where it listens.
        listen: SocketAddr = loopback(9802),
    }
}

section! {
    /// Health and metrics.
    Admin {
        /// Where they are.
        listen: SocketAddr = loopback(9803),
    }
}

section! {
    /// A gateway.
    Gateway {
        /// Where it listens for HTTP.
        http: Vec<SocketAddr> = vec![loopback(8080)],
        /// Where it listens for HTTPS.
        https: Vec<SocketAddr> = Vec::new(),
        /// Threads that serve visitors; 0 for one per core.
        workers: usize = 0,
        /// Folder of certificates in PEM, each a pair of NAME.crt and NAME.key or one NAME.pem;
        /// read again when they change.
        certs_dir: Option<PathBuf> = None,
        /// Whether plain HTTP is answered with a redirect to HTTPS.
        redirect_https: bool = false,
        /// The access log: `off`, `stderr` or a file.
        access_log: String = "stderr".into(),
        /// Which answers have a `Server-Timing`: `off`, `misses` or `all`.
        server_timing: ServerTiming = ServerTiming::Misses,
        /// MiB of the memory cache.
        memory_mib: u64 = 256,
        /// MiB of the largest body that is shared or kept.
        max_object_mib: u64 = 1024,
        /// MiB of the largest request body.
        max_request_mib: u64 = 64,
        /// Requests at a time.
        max_requests: usize = 10_000,
        /// Whether origins on private addresses are fetched from: for a network on one machine
        /// only.
        allow_private_origins: bool = false,
        /// Seconds to resolve an origin's name, connect and agree on TLS.
        origin_connect_seconds: u64 = 10,
        /// Seconds that an origin may take to begin its answer, at most 60: a cache waits a little
        /// longer for it.
        origin_head_seconds: u64 = 60,
        /// Percent of an origin's requests that are sent again when their connection broke before
        /// an answer; 0 turns it off.
        origin_retry_percent: u32 = 20,
        /// Seconds from a request to the beginning of its answer, whoever has to be waited for.
        answer_seconds: u64 = 90,
        /// Percent of the lookups that ask the next cache too when the first is late; 0 turns it
        /// off.
        hedge_percent: u32 = 5,
        /// A PEM file of roots to trust for origins beside the system's.
        extra_origin_roots: Option<PathBuf> = None,
        /// Resolver for host names' ownership records; the system's if left out.
        resolver: Option<SocketAddr> = None,
        /// Seconds after which a service is validated none of whose purges' owners answers: 1 to 3600.
        purge_silence_seconds: u64 = 10,
        /// Seconds that it serves on when asked to end, telling visitors to reconnect elsewhere.
        drain_seconds: u64 = 1,
        /// Seconds that running requests may then take.
        shutdown_seconds: u64 = 30,
    }
}

section! {
    /// A cache.
    Cache {
        /// Where gateways reach it.
        listen: SocketAddr = loopback(9804),
        /// MiB on disk.
        quota_mib: u64 = 10_240,
        /// MiB of pinned content, beside the other. The disk holds up to a quarter more, and 64 MiB.
        content_mib: u64 = 10_240,
        /// MiB that a service may have uploaded and not pinned yet.
        staging_mib: u64 = 1_024,
        /// MiB a second of content that is copied from other caches, and as many that they get.
        copy_mib: u64 = 32,
        /// Whether a stored object waits for the disk.
        sync: bool = false,
    }
}

section! {
    /// Discovery of who keeps what, by libp2p.
    P2p {
        /// Where it listens, as a multiaddress; none for no discovery.
        listen: Option<String> = None,
        /// Where others reach it, if not where it listens.
        announce: Vec<String> = vec![],
        /// Nodes to begin with, each ending with `/p2p/` and its peer id.
        known: Vec<String> = vec![],
    }
}

impl P2p {
    /// What is chosen, if anything.
    pub fn options(&self) -> anyhow::Result<Option<P2pOptions>> {
        let read = |listen: &String| P2pOptions::read(listen, &self.announce, &self.known);
        self.listen.as_ref().map(read).transpose().context("p2p")
    }
}

section! {
    /// Bounds on whoever connects.
    Limits {
        /// Connections at a time.
        connections: usize = 10_000,
        /// Connections at a time from one address.
        connections_per_ip: usize = 512,
        /// Bytes of a request's head.
        header_bytes: usize = 32 * 1024,
        /// Seconds for a request's head to arrive.
        header_seconds: u64 = 15,
        /// Seconds that a body may stand still.
        body_seconds: u64 = 30,
    }
}

section! {
    /// Messages for the operator.
    Log {
        /// Which are logged.
        filter: String = "info".into(),
        /// As JSON, for programs.
        json: bool = false,
    }
}

/// Seconds that an origin may take at most: caches count on it.
pub const LONGEST_ORIGIN: u64 = 60;

/// Seconds until an answer begins at most.
pub const LONGEST_ANSWER: u64 = 600;

fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

fn default_key() -> PathBuf {
    "device.key".into()
}

fn default_state() -> PathBuf {
    "state".into()
}

/// Reads the file and lays the environment and the flags over it.
pub fn load(args: &ConfigArgs) -> anyhow::Result<Config> {
    let path = &args.config;
    let text = fs::read_to_string(path).with_context(|| {
        format!(
            "cannot read {}: name a configuration with --config",
            path.display()
        )
    })?;
    let mut config = parse(&text).with_context(|| path.display().to_string())?;
    config.resolve(path.parent().unwrap_or(Path::new(".")));
    config.lay_over(args);
    Ok(config)
}

fn parse(text: &str) -> anyhow::Result<Config> {
    Ok(toml::from_str(text)?)
}

impl Config {
    /// Makes relative paths relative to the file's folder.
    fn resolve(&mut self, folder: &Path) {
        let files = [
            &mut self.device_key_file,
            &mut self.state_dir,
            &mut self.control.token_file,
        ];
        let maybe = [
            &mut self.ports_file,
            &mut self.gateway.certs_dir,
            &mut self.gateway.extra_origin_roots,
        ];
        for path in files.into_iter().chain(maybe.into_iter().flatten()) {
            *path = folder.join(&*path);
        }
    }

    fn lay_over(&mut self, args: &ConfigArgs) {
        fn over<T: Clone>(place: &mut T, value: &Option<T>) {
            if let Some(value) = value {
                *place = value.clone();
            }
        }
        over(&mut self.state_dir, &args.state_dir);
        over(&mut self.device_key_file, &args.device_key_file);
        over(&mut self.control.listen, &args.control_listen);
        over(&mut self.admin.listen, &args.admin_listen);
        over(&mut self.gateway.http, &args.http);
        over(&mut self.log.filter, &args.log);
    }

    /// The token that the chain node shows.
    pub fn token(&self) -> anyhow::Result<Token> {
        let path = &self.control.token_file;
        let text = fs::read_to_string(path)
            .with_context(|| format!("the token file {}", path.display()))?;
        Token::parse(text.trim()).with_context(|| format!("the token file {}", path.display()))
    }

    /// Says whether the daemon would start with this.
    pub fn check(&self) -> anyhow::Result<()> {
        key::read(&self.device_key_file)?;
        self.token()?;
        self.p2p.options()?;
        let loopback = self.control.listen.ip().is_loopback();
        anyhow::ensure!(
            loopback,
            "control.listen must be on loopback, not {}",
            self.control.listen
        );
        if self.role == Role::Gateway {
            let gateway = &self.gateway;
            anyhow::ensure!(
                !gateway.http.is_empty() || !gateway.https.is_empty(),
                "a gateway listens somewhere: set gateway.http or gateway.https"
            );
            anyhow::ensure!(
                gateway.https.is_empty() || gateway.certs_dir.is_some(),
                "gateway.https needs gateway.certs_dir"
            );
            anyhow::ensure!(
                !gateway.redirect_https || !gateway.https.is_empty(),
                "gateway.redirect_https needs gateway.https: visitors would be sent where nobody listens"
            );
            let silence = gateway.purge_silence_seconds;
            anyhow::ensure!(
                (1..=3_600).contains(&silence),
                "gateway.purge_silence_seconds must be 1 to 3600, not {silence}"
            );
            for (name, seconds) in [
                ("origin_connect_seconds", gateway.origin_connect_seconds),
                ("origin_head_seconds", gateway.origin_head_seconds),
            ] {
                let is_possible = (1..=LONGEST_ORIGIN).contains(&seconds);
                anyhow::ensure!(
                    is_possible,
                    "gateway.{name} must be 1 to {LONGEST_ORIGIN}, not {seconds}"
                );
            }
            let seconds = gateway.answer_seconds;
            anyhow::ensure!(
                (1..=LONGEST_ANSWER).contains(&seconds),
                "gateway.answer_seconds must be 1 to {LONGEST_ANSWER}, not {seconds}"
            );
            for (name, percent) in [
                ("origin_retry_percent", gateway.origin_retry_percent),
                ("hedge_percent", gateway.hedge_percent),
            ] {
                anyhow::ensure!(
                    percent <= 100,
                    "gateway.{name} must be 0 to 100, not {percent}"
                );
            }
        } else {
            let cache = &self.cache;
            for (name, value) in [
                ("quota_mib", cache.quota_mib),
                ("content_mib", cache.content_mib),
                ("copy_mib", cache.copy_mib),
            ] {
                anyhow::ensure!(value > 0, "cache.{name} must be at least 1");
            }
        }
        EnvFilter::try_new(&self.log.filter)
            .with_context(|| format!("log.filter {:?}", self.log.filter))?;
        Ok(())
    }

    /// Says on standard output that the configuration is in order, or why not.
    pub fn report(&self) -> anyhow::Result<()> {
        self.check()?;
        println!("the configuration is in order");
        Ok(())
    }

    /// Prints what is in force. It holds no secret: keys and tokens are in files of their own.
    pub fn print(&self) -> anyhow::Result<()> {
        print!("{}", toml::to_string_pretty(self)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_samples_are_configurations() {
        let example = parse(include_str!("../config.example.toml")).unwrap();
        let defaults = parse("role = \"gateway\"").unwrap();
        assert_eq!(example, defaults, "the example states every default");
        assert_eq!(
            parse(include_str!("../config.dev.toml")).unwrap().role,
            Role::Cache
        );
    }

    #[test]
    fn the_operators_guide_shows_a_configuration() {
        let guide = include_str!("../../../docs/operate/edge-daemon.md");
        let mut blocks = guide.split("```toml\n").skip(1);
        let block = blocks.find(|block| block.starts_with("role")).unwrap();
        let config = parse(block.split("```").next().unwrap()).unwrap();
        assert_eq!(config.role, Role::Gateway);
        let defaults = parse("role = \"cache\"").unwrap();
        for listen in [
            defaults.gateway.http[0],
            defaults.cache.listen,
            defaults.audit.listen,
            defaults.control.listen,
            defaults.admin.listen,
        ] {
            assert!(guide.contains(&format!("| {listen}")), "{listen}");
        }
    }

    #[test]
    fn a_misspelt_name_is_an_error_that_names_it() {
        for text in [
            "role = \"gateway\"\nstat_dir = \"x\"",
            "role = \"gateway\"\n[gateway]\nhtpp = []",
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(
                error.contains("stat_dir") || error.contains("htpp"),
                "{error}"
            );
        }
        assert!(parse("role = \"toaster\"").is_err());
        assert!(parse("").is_err(), "the role has no default");
    }

    #[test]
    fn flags_win_over_the_file() {
        let mut config =
            parse("role = \"cache\"\nstate_dir = \"a\"\n[log]\nfilter = \"warn\"").unwrap();
        config.resolve(Path::new("/etc/selvedge"));
        assert_eq!(config.state_dir, Path::new("/etc/selvedge/a"));
        let args = ConfigArgs {
            state_dir: Some("/b".into()),
            ..ConfigArgs::default()
        };
        config.lay_over(&args);
        assert_eq!(config.state_dir, Path::new("/b"));
        assert_eq!(config.log.filter, "warn");
    }

    #[test]
    fn what_is_printed_reads_back() {
        let config = parse("role = \"cache\"").unwrap();
        let printed = toml::to_string_pretty(&config).unwrap();
        assert_eq!(parse(&printed).unwrap(), config);
    }
}
