//! Chain nodes beside those of the plan: full nodes, archive nodes, or with keys that somebody gave them.

use crate::{
    folder::write_secret, identity::Seed, network::Network, node, plan::free_port, process::Process,
};
use tokio::process::Command;

/// A chain node that is not in the plan; it is killed when this is dropped.
pub struct Beside {
    /// Its process.
    pub process: Process,
    /// Port of its JSON-RPC.
    pub rpc_port: u16,
}

/// A session key for such a node: key type, scheme, seed.
pub type SessionKey<'a> = (&'a str, &'a str, &'a Seed);

impl Network {
    /// Starts a chain node in a folder of its own, with all validators as boot nodes, and waits until it answers.
    ///
    /// # Errors
    ///
    /// Fails when the node cannot be set up or ends at once.
    pub async fn start_beside(
        &self,
        name: &str,
        keys: &[SessionKey<'_>],
        flags: &[&str],
    ) -> anyhow::Result<Beside> {
        let base = self.folder.of(name)?;
        let node_key = base.join("node.key");
        write_secret(&node_key, Seed::new().hex())?;
        for (key_type, scheme, seed) in keys {
            let kind = [*key_type, *scheme];
            node::insert_key(&self.programs, &self.folder, &base, kind, seed).await?;
        }
        let rpc_port = free_port()?;
        let mut command = Command::new(&self.programs.node);
        command
            .arg("--chain")
            .arg(self.folder.chain_spec())
            .arg("--base-path")
            .arg(&base)
            .arg("--node-key-file")
            .arg(&node_key)
            .args(["--name", name, "--rpc-port", &rpc_port.to_string()])
            .args(["--listen-addr", "/ip4/127.0.0.1/tcp/0"])
            .args(["--no-telemetry", "--no-prometheus", "--no-mdns"])
            .arg("--allow-private-ip")
            .args(flags);
        for validator in &self.plan.validators {
            let address = node::address(&self.programs, &self.folder, validator).await?;
            command.args(["--bootnodes", &address]);
        }
        let mut process = Process::start(name, command, self.folder.log(name))?;
        node::wait_answering(&mut process, rpc_port).await?;
        Ok(Beside { process, rpc_port })
    }
}
