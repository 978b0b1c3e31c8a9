//! Child processes: started with a log, stopped by the process id that started them, also when this program fails, and killed
//! by the system when this program is.

use anyhow::Context;
use rustix::process::{getpid, getppid, set_parent_process_death_signal, Signal};
use std::{
    fs::OpenOptions,
    io::{self, Read, Seek, SeekFrom},
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::{mpsc, LazyLock},
    time::Duration,
};
use tokio::{
    process::{Child, Command},
    runtime::Handle,
};

/// How long a process may take to end when asked politely.
const PATIENCE: Duration = Duration::from_secs(15);

/// A running program.
pub struct Process {
    /// Its name.
    pub name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a program; its output is appended to the log.
    pub fn start(name: &str, mut command: Command, log: PathBuf) -> anyhow::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(&log)?;
        command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .kill_on_drop(true)
            // In a group of its own, so that Ctrl-C reaches only this program, which then stops the others in order.
            .process_group(0);
        die_with_this(&mut command);
        let program = command.as_std().get_program().to_owned();
        let child = spawn(command).with_context(|| format!("cannot start {name}: {program:?}"))?;
        Ok(Self {
            name: name.into(),
            child,
            log,
        })
    }

    /// Its process id, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Fails, with the end of the log, when the process has ended.
    pub fn ensure_running(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => {
                anyhow::bail!("{} ended with {status}:\n{}", self.name, self.log_tail())
            }
        }
    }

    /// Kills it at once, as a power cut would.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Asks it to end, and insists after a while.
    pub async fn stop(&mut self) -> anyhow::Result<ExitStatus> {
        if let Some(id) = self.child.id() {
            let status = Command::new("kill")
                .args(["-TERM", &id.to_string()])
                .status()
                .await?;
            if status.success() {
                if let Ok(ended) = tokio::time::timeout(PATIENCE, self.child.wait()).await {
                    return Ok(ended?);
                }
            }
            self.child.kill().await?;
        }
        Ok(self.child.wait().await?)
    }

    /// The end of its log.
    pub fn log_tail(&self) -> String {
        const TAIL: u64 = 4_000;
        let read = || -> std::io::Result<String> {
            let mut file = std::fs::File::open(&self.log)?;
            let length = file.metadata()?.len();
            file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
            let mut bytes = Vec::new();
            file.take(TAIL).read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        read().unwrap_or_default()
    }
}

/// Has the system kill the program that is started when this one ends in whatever way, also one that it cannot notice.
fn die_with_this(command: &mut Command) {
    let parent = getpid();
    // SAFETY: between fork and exec only system calls are made, and nothing is allocated or locked.
    unsafe {
        command.pre_exec(move || {
            set_parent_process_death_signal(Some(Signal::KILL))?;
            // The signal is sent for a death from here on.
            match getppid() == Some(parent) {
                true => Ok(()),
                false => Err(io::ErrorKind::BrokenPipe.into()),
            }
        });
    }
}

/// Starts a program from a thread that lives as long as this program: the system takes the end of the *thread* that started a
/// program for the parent's death (prctl(2), `PR_SET_PDEATHSIG`).
fn spawn(command: Command) -> anyhow::Result<Child> {
    type Job = (Command, Handle, mpsc::Sender<io::Result<Child>>);
    static STARTER: LazyLock<mpsc::Sender<Job>> = LazyLock::new(|| {
        let (sender, jobs) = mpsc::channel::<Job>();
        std::thread::spawn(move || {
            for (mut command, runtime, answer) in jobs {
                let _inside = runtime.enter();
                // Nobody waits for it any more: the child is killed as it is dropped.
                answer.send(command.spawn()).ok();
            }
        });
        sender
    });
    let (answer, answered) = mpsc::channel();
    STARTER
        .send((command, Handle::try_current()?, answer))
        .map_err(|_| anyhow::anyhow!("the thread that starts programs has ended"))?;
    Ok(answered.recv()??)
}

/// Asks again and again until `ready` gives a value, `process` ends, or the time is over.
pub async fn wait_for<T, F, Fut>(what: &str, limit: Duration, mut ready: F) -> anyhow::Result<T>
where
    F: FnMut() -> Fut,
    Fut: std::future::Future<Output = anyhow::Result<Option<T>>>,
{
    let start = std::time::Instant::now();
    loop {
        let last = match ready().await {
            Ok(Some(value)) => return Ok(value),
            Ok(None) => "not yet".into(),
            Err(error) => format!("{error:#}"),
        };
        if start.elapsed() > limit {
            anyhow::bail!("{what} did not happen within {} s: {last}", limit.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}
