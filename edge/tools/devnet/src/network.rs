//! A running network.

use crate::{
    client::{self, Cli},
    edge,
    figures::Figures,
    folder::Folder,
    node,
    plan::{Daemon, Plan},
    process::{wait_for, Process},
    programs::Programs,
    progress::Step,
};
use futures::future::try_join_all;
use serde_json::Value;
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// What to start.
#[derive(Clone)]
pub struct Options {
    /// The folder that holds the state.
    pub folder: PathBuf,
    /// Whether to delete what is there first.
    pub fresh: bool,
    /// The runtime blob the chain begins with.
    pub runtime: PathBuf,
    /// Chain nodes, each a validator.
    pub validators: usize,
    /// Gateways.
    pub gateways: usize,
    /// Caches.
    pub caches: usize,
    /// The name server that gateways ask for the ownership records of host names; the system's if
    /// none.
    pub resolver: Option<SocketAddr>,
}

/// A running network; its processes are killed when it is dropped, and stopped in order by [`Network::stop`].
pub struct Network {
    /// Keys, names, ports.
    pub plan: Plan,
    /// Where the state is.
    pub folder: Folder,
    pub(crate) programs: Programs,
    validators: Vec<Process>,
    daemons: Vec<Process>,
}

impl Network {
    /// Starts or resumes a network and waits until it finalises blocks and every daemon is staked and ready.
    pub async fn start(
        options: &Options,
        programs: Programs,
        figures: &mut Figures,
    ) -> anyhow::Result<Self> {
        Self::start_with(options, programs, figures, &Value::Null).await
    }

    /// The same with `more` over the genesis of a new network, such as [`genesis::epochs_of`](crate::genesis::epochs_of).
    pub async fn start_with(
        options: &Options,
        programs: Programs,
        figures: &mut Figures,
        more: &Value,
    ) -> anyhow::Result<Self> {
        let folder = match options.fresh {
            true => Folder::open_fresh(&options.folder)?,
            false => Folder::open(&options.folder)?,
        };
        let plan = match folder.load_plan()? {
            Some(plan) => plan,
            None => {
                let step = Step::begin("keys and chain spec");
                let plan = Plan::new(options.validators, options.gateways, options.caches)?;
                node::make_chain_spec(&programs, &folder, &options.runtime, &plan, more).await?;
                for (index, validator) in plan.validators.iter().enumerate() {
                    node::make_keys(&programs, &folder, validator).await?;
                    node::write_agents(&folder, &plan, index)?;
                }
                for daemon in &plan.daemons {
                    edge::configure(&folder, daemon, options.resolver)?;
                }
                // Last, so that a folder with a plan is a folder with everything the plan needs.
                folder.save_plan(&plan)?;
                step.done(format!(
                    "{} validators, {} daemons",
                    plan.validators.len(),
                    plan.daemons.len()
                ));
                plan
            }
        };
        let mut network = Self {
            plan,
            folder,
            programs,
            validators: Vec::new(),
            daemons: Vec::new(),
        };
        network.start_daemons().await?;
        network.start_validators().await?;
        figures.reached("first finalised block");
        network.join_daemons().await?;
        figures.reached("all nodes active");
        Ok(network)
    }

    async fn start_validators(&mut self) -> anyhow::Result<()> {
        let step = Step::begin("chain");
        // One after the other: each compiles the runtime at its start.
        for index in 0..self.plan.validators.len() {
            step.note(format!("starting {}", self.plan.validators[index].name));
            let mut process = node::start(&self.programs, &self.folder, &self.plan, index).await?;
            node::wait_answering(&mut process, self.plan.validators[index].rpc_port).await?;
            self.validators.push(process);
        }
        step.note("waiting for the first finalised block");
        let before = client::finalised(self.rpc_port()).await.unwrap_or(0);
        let block = self
            .wait_finalised(before + 1, Duration::from_secs(180))
            .await?;
        step.done(format!("block {block} is final"));
        Ok(())
    }

    async fn start_daemons(&mut self) -> anyhow::Result<()> {
        let step = Step::begin("edge daemons");
        for index in 0..self.plan.daemons.len() {
            let process = edge::start(&self.programs, &self.folder, &self.plan.daemons[index])?;
            self.daemons.push(process);
        }
        for (daemon, process) in self.plan.daemons.iter().zip(&mut self.daemons) {
            edge::wait_alive(daemon, process).await?;
        }
        step.done(self.daemons.len());
        Ok(())
    }

    /// Registers, stakes and assigns every daemon that is not yet, each by its own operator.
    async fn join_daemons(&self) -> anyhow::Result<()> {
        let step = Step::begin("operators register devices and stake");
        try_join_all(self.plan.daemons.iter().map(|daemon| {
            // A run that was stopped here may have left transactions in blocks that are not final yet, which makes the
            // next ones outdated until they are.
            wait_for(&daemon.name, Duration::from_secs(180), move || async move {
                self.join(daemon).await.map(Some)
            })
        }))
        .await?;
        step.note("stakes become active at the next epoch");
        try_join_all(
            self.plan
                .daemons
                .iter()
                .map(|daemon| self.wait_active(daemon)),
        )
        .await?;
        step.note("configuration reaches the daemons");
        for daemon in &self.plan.daemons {
            edge::wait_ready(daemon).await?;
        }
        step.done(format!("{} nodes active", self.plan.daemons.len()));
        Ok(())
    }

    async fn join(&self, daemon: &Daemon) -> anyhow::Result<()> {
        let cli = self.cli();
        let suri = daemon.operator.suri();
        let device = daemon.device.device_id();
        let key = edge::device_key_file(&self.folder, daemon)?;
        let key = key.to_string_lossy();
        let status = cli.run(None, &["node", "status", &device]).await;
        if status.is_err() {
            // Visitors reach a gateway at its endpoint, gateways a cache.
            let port = match daemon.role.as_str() {
                "gateway" => daemon.http_port,
                _ => daemon.transport_port,
            };
            let endpoint = format!("127.0.0.1:{port}");
            let audit = format!("http://127.0.0.1:{}", daemon.audit_port);
            let agent = format!("0x{}", hex::encode(daemon.agent.sr25519()));
            let words = [
                "node",
                "register",
                "--role",
                &daemon.role,
                "--region",
                &daemon.region,
                "--endpoint",
                &endpoint,
            ];
            let more = [
                "--public-url",
                &audit,
                "--agent-key",
                &agent,
                "--device-key",
                &key,
            ];
            cli.run(Some(&suri), &[&words[..], &more[..]].concat())
                .await?;
        }
        if status.is_ok_and(|status| !status["stake"].is_null()) {
            return Ok(());
        }
        let stake = cli
            .run(Some(&suri), &["node", "stake", &daemon.role])
            .await?["stake"]
            .to_string();
        cli.run(
            Some(&suri),
            &["node", "assign", &stake, "--device-key", &key],
        )
        .await?;
        Ok(())
    }

    async fn wait_active(&self, daemon: &Daemon) -> anyhow::Result<()> {
        let device = daemon.device.device_id();
        let cli = self.cli();
        wait_for(
            &format!("an active stake of {}", daemon.name),
            Duration::from_secs(300),
            || {
                let (cli, device) = (cli.clone(), device.clone());
                async move {
                    let status = cli.run(None, &["node", "status", &device]).await?;
                    Ok((status["active"] == true).then_some(()))
                }
            },
        )
        .await
    }

    /// Waits until a block of at least this number is final.
    pub async fn wait_finalised(&self, number: u64, limit: Duration) -> anyhow::Result<u64> {
        let port = self.rpc_port();
        wait_for(
            &format!("finality of block {number}"),
            limit,
            || async move {
                let now = client::finalised(port).await?;
                Ok((now >= number).then_some(now))
            },
        )
        .await
    }

    /// JSON-RPC port of the first chain node.
    pub fn rpc_port(&self) -> u16 {
        self.plan.validators[0].rpc_port
    }

    /// The command line, talking to the first chain node.
    pub fn cli(&self) -> Cli {
        Cli {
            program: self.programs.cli.clone(),
            url: format!("ws://127.0.0.1:{}", self.rpc_port()),
        }
    }

    /// Kills a process at once, as a power cut would.
    pub async fn kill(&mut self, name: &str) -> anyhow::Result<()> {
        self.process(name)?.kill().await
    }

    /// Starts a killed process again.
    pub async fn restart(&mut self, name: &str) -> anyhow::Result<()> {
        if let Some(index) = self
            .plan
            .validators
            .iter()
            .position(|validator| validator.name == name)
        {
            self.validators[index] =
                node::start(&self.programs, &self.folder, &self.plan, index).await?;
            return Ok(());
        }
        let index = self
            .plan
            .daemons
            .iter()
            .position(|daemon| daemon.name == name);
        let index = index.ok_or_else(|| anyhow::anyhow!("no process is called {name}"))?;
        self.daemons[index] = edge::start(&self.programs, &self.folder, &self.plan.daemons[index])?;
        edge::wait_alive(&self.plan.daemons[index], &mut self.daemons[index]).await
    }

    fn process(&mut self, name: &str) -> anyhow::Result<&mut Process> {
        let mut all = self.validators.iter_mut().chain(&mut self.daemons);
        all.find(|process| process.name == name)
            .ok_or_else(|| anyhow::anyhow!("no process is called {name}"))
    }

    /// Fails when a process has ended.
    pub fn ensure_running(&mut self) -> anyhow::Result<()> {
        self.validators
            .iter_mut()
            .chain(&mut self.daemons)
            .try_for_each(Process::ensure_running)
    }

    /// Names and process ids.
    pub fn processes(&self) -> impl Iterator<Item = (&str, Option<u32>)> {
        self.validators
            .iter()
            .chain(&self.daemons)
            .map(|process| (process.name.as_str(), process.id()))
    }

    /// Stops everything it started: daemons first, so that what they counted reaches the disk and the chain.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        for process in self.daemons.iter_mut().chain(&mut self.validators) {
            process.stop().await?;
        }
        Ok(())
    }
}
