//! `selvedge-devnet` as people use it: Ctrl-C, resume, a second run on the same folder, `--fresh`; and killed.

use crate::{env_path, state, NETWORKS};
use anyhow::Context;
use selvedge_devnet::{
    client::{self, rpc},
    edge,
    folder::Folder,
    plan::Plan,
    process::{wait_for, Process},
    programs::Programs,
};
use serde_json::{json, Value};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

/// How long any step of a run may take.
const LIMIT: Duration = Duration::from_secs(300);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_devnet_stops_resumes_and_starts_over() -> anyhow::Result<()> {
    let _turn = NETWORKS.acquire().await?;
    let temp = tempfile::tempdir()?;
    let site = temp.path().join("site");
    fs::create_dir(&site)?;
    fs::write(site.join("index.html"), "a page")?;
    let devnet = Devnet {
        folder: temp.path().join("network"),
        site,
        output: temp.path().join("output"),
    };
    let mut bystanders = Bystanders::start(&temp.path().join("other")).await?;

    let mut run = devnet.start(&[])?;
    let first = devnet.wait_final(&mut run, 3).await?;
    assert_eq!(devnet.daemons()?, 3, "a validator, a gateway and a cache");
    devnet.interrupt(&mut run).await.context("the first run")?;
    bystanders.ensure_alive().await?;

    let mut run = devnet.start(&[])?;
    let second = devnet.wait_final(&mut run, first.number + 1).await?;
    assert_eq!(second.genesis, first.genesis);
    assert!(second.knows(&first.hash).await?, "the chain goes on");
    for more in [&[][..], &["--fresh"]] {
        devnet.refused(more).await.context("a run beside another")?;
    }
    devnet.wait_final(&mut run, second.number + 1).await?;
    devnet.wait_started(&mut run).await?;
    devnet.interrupt(&mut run).await.context("the second run")?;
    bystanders.ensure_alive().await?;

    let mut run = devnet.start(&["--fresh"])?;
    let third = devnet.wait_final(&mut run, 1).await?;
    assert_ne!(third.genesis, first.genesis);
    assert!(!third.knows(&first.hash).await?, "the old chain is gone");
    assert_eq!(devnet.daemons()?, 3);
    devnet.kill(&mut run).await.context("the third run")?;
    bystanders.ensure_alive().await?;

    let mut run = devnet.start(&[])?;
    let fourth = devnet.wait_final(&mut run, third.number + 1).await?;
    assert_eq!(fourth.genesis, third.genesis, "a killed run resumes too");
    devnet.interrupt(&mut run).await.context("the fourth run")?;
    bystanders.ensure_alive().await
}

/// The smallest network, and what all its runs share.
struct Devnet {
    folder: PathBuf,
    site: PathBuf,
    output: PathBuf,
}

/// A finalised block of a running network.
struct Block {
    port: u16,
    genesis: Value,
    number: u64,
    hash: String,
}

impl Block {
    async fn newest(port: u16) -> anyhow::Result<Self> {
        let hash = state::finalised_head(port).await?;
        Ok(Self {
            port,
            genesis: rpc(port, "chain_getBlockHash", json!([0])).await?,
            number: client::finalised(port).await?,
            hash,
        })
    }

    /// Whether this block's node has a block of this hash.
    async fn knows(&self, hash: &str) -> anyhow::Result<bool> {
        let header = rpc(self.port, "chain_getHeader", json!([hash])).await?;
        Ok(!header.is_null())
    }
}

impl Devnet {
    fn command(&self, more: &[&str]) -> Command {
        let mut command = Command::new(env_path("SELVEDGE_BIN_DIR").join("selvedge-devnet"));
        command
            .arg("--dir")
            .arg(&self.folder)
            .arg("--site")
            .arg(&self.site)
            .arg("--runtime")
            .arg(env_path("SELVEDGE_RUNTIME_WASM"))
            .args(["--validators", "1", "--gateways", "1", "--caches", "1"])
            .args(more)
            .stdin(Stdio::null());
        command
    }

    fn start(&self, more: &[&str]) -> anyhow::Result<Run> {
        let output = File::create(&self.output)?;
        let child = self
            .command(more)
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()?;
        Ok(Run(child))
    }

    fn output(&self) -> String {
        fs::read_to_string(&self.output).unwrap_or_default()
    }

    /// Waits until this block is final.
    async fn wait_final(&self, run: &mut Run, number: u64) -> anyhow::Result<Block> {
        wait_for("a final block", LIMIT, || {
            let running = self.ensure_running(run);
            async move {
                if let Err(ended) = running {
                    return Ok(Some(Err(ended)));
                }
                // Read anew each time: a run that starts over replaces it.
                let plan = fs::read_to_string(self.folder.join("plan.json"))?;
                let plan: Plan = serde_json::from_str(&plan)?;
                let block = Block::newest(plan.validators[0].rpc_port).await?;
                Ok((block.number >= number).then_some(Ok(block)))
            }
        })
        .await
        .and_then(|block| block)
        .with_context(|| self.output())
    }

    /// Waits until all nodes are active and the job has begun.
    async fn wait_started(&self, run: &mut Run) -> anyhow::Result<()> {
        wait_for("the start of the job", LIMIT, || {
            let running = self.ensure_running(run);
            async move {
                match running {
                    Err(ended) => Ok(Some(Err(ended))),
                    Ok(()) => Ok(self.output().contains("nodes active").then_some(Ok(()))),
                }
            }
        })
        .await
        .and_then(|started| started)
        .with_context(|| self.output())
    }

    fn ensure_running(&self, run: &mut Run) -> anyhow::Result<()> {
        match run.0.try_wait()? {
            None => Ok(()),
            Some(status) => anyhow::bail!("the run ended with {status}"),
        }
    }

    /// Presses Ctrl-C, and waits until the run and every process of its network have ended.
    async fn interrupt(&self, run: &mut Run) -> anyhow::Result<()> {
        run.signal("INT")?;
        let status = wait_for("the end of the run", LIMIT, || {
            let status = run.0.try_wait();
            async move { Ok(status?) }
        })
        .await
        .with_context(|| self.output())?;
        anyhow::ensure!(status.success(), "{status}: {}", self.output());
        self.wait_ended().await
    }

    /// Kills the run, which can stop nothing then, and waits until every process of its network has ended.
    async fn kill(&self, run: &mut Run) -> anyhow::Result<()> {
        run.0.kill()?;
        run.0.wait()?;
        self.wait_ended().await
    }

    async fn wait_ended(&self) -> anyhow::Result<()> {
        wait_for("the end of its processes", LIMIT, || async {
            Ok((processes(&self.folder)?.is_empty()).then_some(()))
        })
        .await
    }

    /// How many nodes of this network run, of the chain and of the edge.
    fn daemons(&self) -> anyhow::Result<usize> {
        let of_program = |words: &&Vec<String>| {
            let program = Path::new(&words[0]).file_name().unwrap_or_default();
            program == "selvedge-node" || program == "selvedge-edge"
        };
        Ok(processes(&self.folder)?.iter().filter(of_program).count())
    }

    /// Another run on the folder of a running network fails and says why.
    async fn refused(&self, more: &[&str]) -> anyhow::Result<()> {
        let output = tokio::process::Command::from(self.command(more))
            .kill_on_drop(true)
            .output()
            .await?;
        let error = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(!output.status.success(), "it was not refused");
        anyhow::ensure!(error.contains("another run has the network in"), "{error}");
        Ok(())
    }
}

/// A running `selvedge-devnet`. When a test fails it is asked to end, so that its network stops in order.
struct Run(Child);

impl Run {
    fn signal(&self, name: &str) -> anyhow::Result<ExitStatus> {
        let id = self.0.id().to_string();
        Ok(Command::new("kill").args(["-s", name, &id]).status()?)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) && self.signal("TERM").is_ok() {
            self.0.wait().ok();
        }
    }
}

/// Processes that a network has no business with.
struct Bystanders {
    sleep: Process,
    /// A daemon of another network, so of a program that this one runs too.
    edge: Process,
    plan: Plan,
}

impl Bystanders {
    async fn start(path: &Path) -> anyhow::Result<Self> {
        let folder = Folder::open(path)?;
        let plan = Plan::new(1, 1, 1)?;
        let daemon = &plan.daemons[0];
        edge::configure(&folder, daemon, None)?;
        let programs = Programs::in_folder(&env_path("SELVEDGE_BIN_DIR"))?;
        let mut sleep = tokio::process::Command::new("sleep");
        sleep.arg("3600");
        let mut bystanders = Self {
            sleep: Process::start("sleep", sleep, folder.log("sleep"))?,
            edge: edge::start(&programs, &folder, daemon)?,
            plan,
        };
        bystanders.ensure_alive().await?;
        Ok(bystanders)
    }

    async fn ensure_alive(&mut self) -> anyhow::Result<()> {
        self.sleep.ensure_running()?;
        edge::wait_alive(&self.plan.daemons[0], &mut self.edge).await
    }
}

/// The command lines of all processes that were started with something in this folder, but for the runs themselves.
fn processes(folder: &Path) -> anyhow::Result<Vec<Vec<String>>> {
    let folder = folder.canonicalize()?;
    let folder = folder.to_str().context("the folder's name is text")?;
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        // A process may end while it is looked at; one that ended has no command line.
        let Ok(line) = fs::read(entry?.path().join("cmdline")) else {
            continue;
        };
        let words: Vec<String> = String::from_utf8_lossy(&line)
            .split_terminator('\0')
            .map(String::from)
            .collect();
        let is_run = words
            .first()
            .is_some_and(|program| program.ends_with("selvedge-devnet"));
        if !is_run && words.iter().any(|word| word.contains(folder)) {
            found.push(words);
        }
    }
    Ok(found)
}
