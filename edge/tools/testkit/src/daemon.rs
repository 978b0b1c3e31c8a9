//! A running `selvedge-edge`.

use crate::{
    client::{Ask, Client},
    control::ControlClient,
    device_key, device_of,
    wait::{wait_for, DEADLINE},
};
use ed25519_dalek::SigningKey;
use selvedge_primitives_types::{DeviceId, Role};
use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
};
use tokio::process::{Child, Command};
use toml::{Table, Value};

/// The token between a daemon and its chain node.
pub const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// What of a configuration differs from the defaults.
#[derive(Clone, Debug, Default)]
pub struct Settings(Table);

impl Settings {
    /// With a value under a dotted name, such as `gateway.memory_mib`.
    #[must_use]
    pub fn set(mut self, name: &str, value: impl Into<Value>) -> Self {
        let mut parts: Vec<_> = name.split('.').collect();
        let last = parts.pop().unwrap_or_default();
        let mut table = &mut self.0;
        for part in parts {
            let inner = table.entry(part).or_insert_with(|| Table::new().into());
            table = inner.as_table_mut().expect("a section");
        }
        table.insert(last.to_owned(), value.into());
        self
    }
}

/// A daemon with its folder. Killed when dropped; its log is printed when a test fails.
pub struct Daemon {
    name: String,
    role: Role,
    key: SigningKey,
    program: PathBuf,
    folder: PathBuf,
    settings: Settings,
    child: Option<Child>,
    addresses: BTreeMap<String, Vec<SocketAddr>>,
}

impl Daemon {
    /// Makes a folder with key, token and configuration. Nothing runs yet.
    pub fn new(
        program: &Path,
        parent: &Path,
        name: &str,
        role: Role,
        seed: u8,
        extra: &Settings,
    ) -> Self {
        let folder = parent.join(name);
        fs::create_dir_all(&folder).expect("a temporary folder");
        let key = device_key(seed);
        secret(&folder.join("device.key"), &hex::encode(key.to_bytes()));
        secret(&folder.join("control.token"), TOKEN);
        let free = "127.0.0.1:0";
        let mut settings = Settings::default()
            .set("role", role.name())
            .set("ports_file", "ports.json")
            .set("control.listen", free)
            .set("admin.listen", free)
            .set("audit.listen", free)
            .set("cache.listen", free)
            .set("gateway.http", vec![Value::from(free)])
            .set(
                "gateway.access_log",
                folder.join("access.log").display().to_string(),
            )
            .set("gateway.allow_private_origins", true)
            // Tests of other things may stop caches for as long as they like.
            .set("gateway.purge_silence_seconds", 3_600)
            .set("gateway.drain_seconds", 0);
        merge(&mut settings.0, &extra.0);
        let mut daemon = Self {
            name: name.to_owned(),
            role,
            key,
            program: program.to_owned(),
            folder,
            settings,
            child: None,
            addresses: BTreeMap::new(),
        };
        daemon.write_config();
        daemon
    }

    fn write_config(&mut self) {
        let text = toml::to_string(&self.settings.0).expect("a configuration");
        fs::write(self.folder.join("edge.toml"), text).expect("a temporary folder");
    }

    /// Changes a setting for the next start.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.settings = std::mem::take(&mut self.settings).set(name, value);
        self.write_config();
    }

    /// Starts it and waits until it listens.
    ///
    /// Panics when it ends instead, or is not listening at the deadline.
    pub async fn start(&mut self) {
        let _ = fs::remove_file(self.folder.join("ports.json"));
        self.spawn();
        let addresses = wait_for(format!("the start of {}", self.name), || {
            self.ensure_running();
            let read = self.read_addresses();
            async move { read }
        });
        self.addresses = addresses.await;
    }

    /// Starts it again where it listened before.
    pub async fn start_again(&mut self) {
        let first = |name: &str| self.addresses.get(name).map(|all| all[0].to_string());
        let places = ["control", "admin", "audit", "transport"].map(|name| (name, first(name)));
        for (name, address) in places {
            let section = if name == "transport" { "cache" } else { name };
            if let Some(address) = address {
                self.set(&format!("{section}.listen"), address);
            }
        }
        for name in ["http", "https"] {
            let all = self.addresses.get(name).cloned().unwrap_or_default();
            let all: Vec<_> = all
                .iter()
                .map(|address| Value::from(address.to_string()))
                .collect();
            self.set(&format!("gateway.{name}"), all);
        }
        self.start().await;
    }

    fn spawn(&mut self) {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log_file());
        let log = log.expect("a temporary folder");
        let child = self
            .command()
            .stdout(log.try_clone().expect("a file"))
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", self.program.display()));
        self.child = Some(child);
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(["run", "--config"])
            .arg(self.folder.join("edge.toml"))
            .stdin(Stdio::null());
        // What the developer's shell says about other daemons is none of its business.
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SELVEDGE_EDGE_")) {
            command.env_remove(name);
        }
        command
    }

    fn read_addresses(&self) -> Option<BTreeMap<String, Vec<SocketAddr>>> {
        let text = fs::read_to_string(self.folder.join("ports.json")).ok()?;
        Some(serde_json::from_str(&text).expect("a ports file appears whole"))
    }

    fn ensure_running(&mut self) {
        if let Some(status) = self
            .child
            .as_mut()
            .and_then(|child| child.try_wait().ok().flatten())
        {
            panic!("{} ended with {status}", self.name);
        }
    }

    /// Starts it although it should not start; gives its exit and everything it said.
    ///
    /// Panics when it still runs at the deadline.
    pub async fn refuse(&self) -> (ExitStatus, String) {
        let mut command = self.command();
        let output = tokio::time::timeout(DEADLINE, command.kill_on_drop(true).output()).await;
        let output = output.expect("it ends").expect("it starts");
        let said = [output.stdout, output.stderr].concat();
        (output.status, String::from_utf8_lossy(&said).into_owned())
    }

    /// Kills it as `kill -9` does.
    pub async fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().await.expect("it can be killed");
    }

    /// Sends it a signal, such as `TERM` or `HUP`.
    pub async fn signal(&self, name: &str) {
        let id = self.child.as_ref().and_then(Child::id).expect("it runs");
        let status = Command::new("kill")
            .arg(format!("-{name}"))
            .arg(id.to_string())
            .status()
            .await;
        assert!(
            status.expect("kill is installed").success(),
            "{} took no signal",
            self.name
        );
    }

    /// Stops it where it is, until it is sent `CONT`.
    ///
    /// Panics when a thread of it still runs at the deadline.
    pub async fn stand_still(&self) {
        self.signal("STOP").await;
        let threads = format!("/proc/{}/task", self.id().expect("it runs"));
        // The signal is sent before every thread has taken it.
        let stands = || {
            let threads = fs::read_dir(&threads).into_iter().flatten().flatten();
            let mut status = threads.map(|thread| fs::read_to_string(thread.path().join("status")));
            status.all(|status| status.is_ok_and(|status| status.contains("State:\tT")))
        };
        wait_for(format!("{} standing still", self.name), || async {
            stands().then_some(())
        })
        .await;
    }

    /// Waits until it has ended by itself.
    ///
    /// Panics when it still runs at the deadline.
    pub async fn ended(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("it runs");
        let ended = tokio::time::timeout(DEADLINE, child.wait()).await;
        ended.expect("it ends").expect("it can be waited for")
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its process id, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its role.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Its key.
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// Its device.
    pub fn device(&self) -> DeviceId {
        device_of(&self.key)
    }

    /// Where it listens for a purpose: `http`, `https`, `transport`, `control`, `audit` or `admin`.
    pub fn address(&self, purpose: &str) -> SocketAddr {
        let all = self.addresses.get(purpose);
        all.and_then(|all| all.first()).copied().unwrap_or_else(|| {
            panic!("{} listens nowhere for {purpose}", self.name);
        })
    }

    /// A visitor of a host.
    pub fn visitor(&self, host: &str) -> Client {
        Client::new(self.address("http"), host)
    }

    /// The chain node's end.
    pub fn control(&self) -> ControlClient {
        ControlClient::new(self.address("control"), TOKEN)
    }

    /// The operator's end.
    pub fn admin(&self) -> Client {
        Client::new(self.address("admin"), "localhost")
    }

    /// Its metrics now.
    pub async fn metrics(&self) -> Metrics {
        Metrics(self.admin().get("/metrics").await.text())
    }

    /// Purges a service, as its operator.
    pub async fn purge(&self, service: u64) {
        let answer = self
            .admin()
            .ask(Ask::post(format!("/purge/{service}"), ""))
            .await;
        assert_eq!(answer.expect("an answer").status, 204);
    }

    /// The lines of its access log so far.
    pub fn access_log(&self) -> Vec<serde_json::Value> {
        let text = fs::read_to_string(self.folder.join("access.log")).unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole
            .lines()
            .map(|line| serde_json::from_str(line).expect("a line is JSON"))
            .collect()
    }

    /// Everything it logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn log_file(&self) -> PathBuf {
        self.folder.join("edge.log")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("---- {} ----\n{}", self.name, self.log());
        }
    }
}

fn secret(path: &Path, text: &str) {
    fs::write(path, text).expect("a temporary folder");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("an own file");
}

fn merge(into: &mut Table, from: &Table) {
    for (name, value) in from {
        match (into.get_mut(name), value) {
            (Some(Value::Table(inner)), Value::Table(value)) => merge(inner, value),
            _ => drop(into.insert(name.clone(), value.clone())),
        }
    }
}

/// A daemon's metrics at one moment.
#[derive(Clone, Debug)]
pub struct Metrics(String);

impl Metrics {
    /// The sum of a metric's samples that have all of these labels; 0 when there are none yet.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.samples(name, labels).sum()
    }

    /// The value of a metric without labels.
    ///
    /// Panics when there is no such metric.
    pub fn gauge(&self, name: &str) -> f64 {
        self.samples(name, &[])
            .next()
            .unwrap_or_else(|| panic!("no {name} in\n{}", self.0))
    }

    /// Everything as it was sent.
    pub fn text(&self) -> &str {
        &self.0
    }

    fn samples<'a>(
        &'a self,
        name: &'a str,
        labels: &'a [(&str, &str)],
    ) -> impl Iterator<Item = f64> + 'a {
        let lines = self.0.lines().filter(|line| !line.starts_with('#'));
        lines.filter_map(move |line| {
            let (series, value) = line.rsplit_once(' ')?;
            let (found, rest) = series.split_once('{').unwrap_or((series, ""));
            let has =
                |(label, value): &(&str, &str)| rest.contains(&format!("{label}=\"{value}\""));
            let is_asked_for = found == name && labels.iter().all(has);
            is_asked_for.then(|| value.parse().expect("a sample is a number"))
        })
    }
}
