//! Chain nodes that join a network late: by the newest proof of finality, or by all of its history.

use crate::state::{self, State};
use selvedge_devnet::{client, process::wait_for, Network};
use std::time::Duration;

/// How long a node may take to reach the finalised head.
const LIMIT: Duration = Duration::from_secs(300);

/// A block, and the state after it as a validator told it while the block was new.
pub struct Remembered {
    block: String,
    state: State,
}

impl Remembered {
    /// Remembers the newest finalised block.
    pub async fn newest(network: &Network) -> anyhow::Result<Self> {
        let block = state::finalised_head(network.rpc_port()).await?;
        let state = state::all(network.rpc_port(), &block).await?;
        Ok(Self { block, state })
    }
}

/// A node that warps reaches the finalised head and has its state, but no state from before it came.
pub async fn warp(network: &Network, old: &Remembered) -> anyhow::Result<()> {
    let mut node = network
        .start_beside("warp", &[], &["--sync", "warp"])
        .await?;
    reach(network, node.rpc_port).await?;
    let head = state::finalised_head(node.rpc_port).await?;
    let own = state::all(node.rpc_port, &head).await?;
    assert!(
        own == state::all(network.rpc_port(), &head).await?,
        "{head}"
    );
    let error = state::all(node.rpc_port, &old.block).await;
    assert!(error.is_err(), "it executed the blocks of before");
    node.process.stop().await?;
    Ok(())
}

/// An archive node answers for the state of any block; one that prunes forgets it.
pub async fn archive(network: &Network, old: &Remembered) -> anyhow::Result<()> {
    let keeps_all = ["--state-pruning", "archive", "--blocks-pruning", "archive"];
    let mut archive = network.start_beside("archive", &[], &keeps_all).await?;
    let mut pruned = network
        .start_beside("pruned", &[], &["--state-pruning", "16"])
        .await?;
    reach(network, archive.rpc_port).await?;
    reach(network, pruned.rpc_port).await?;
    assert!(
        state::all(archive.rpc_port, &old.block).await? == old.state,
        "the archive tells another state of {}",
        old.block
    );
    let error = state::all(pruned.rpc_port, &old.block).await;
    assert!(error.is_err(), "the pruned node forgot nothing");
    archive.process.stop().await?;
    pruned.process.stop().await?;
    Ok(())
}

/// Waits until a node has finalised what the network has finalised by now.
async fn reach(network: &Network, port: u16) -> anyhow::Result<()> {
    let goal = client::finalised(network.rpc_port()).await?;
    wait_for("the finalised head", LIMIT, || async move {
        Ok((client::finalised(port).await? >= goal).then_some(()))
    })
    .await
}
