//! Lies about a gateway to its chain node and to the public: stands where the chain believes the gateway's agent to be.
//!
//! ```text
//! selvedge-edge-liar inflate --control 127.0.0.1:9801 --public 127.0.0.1:9802 \
//!     --real-control 127.0.0.1:9811 --real-public 127.0.0.1:9812
//! ```
//!
//! Lies: none, inflate, fat, foreign-cache, hide, vanish, slander, garbage, slow, flood. Ends when it is interrupted.

use anyhow::Context;
use selvedge_edge_tools_testkit::lying_agent::{AgentLie, Ends, LyingAgent};
use std::{collections::HashMap, net::SocketAddr};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut words = std::env::args().skip(1);
    let lie: AgentLie = words.next().context("which lie?")?.parse()?;
    let mut ends = HashMap::new();
    while let Some(name) = words.next() {
        let address: SocketAddr = words.next().context("an option has a value")?.parse()?;
        ends.insert(name, address);
    }
    let mut end = |name: &str| {
        ends.remove(name)
            .with_context(|| format!("{name} is missing"))
    };
    let listen = Ends {
        control: end("--control")?,
        public: end("--public")?,
    };
    let real = Ends {
        control: end("--real-control")?,
        public: end("--real-public")?,
    };
    anyhow::ensure!(ends.is_empty(), "unknown options: {:?}", ends.keys());
    let _agent = LyingAgent::start(listen, real, lie).await?;
    Ok(tokio::signal::ctrl_c().await?)
}
