#![doc = include_str!("../README.md")]

mod agents;
mod full;

pub use agents::{AgentDirectory, AgentEntry, AgentFault, AgentInfo, AgentsApiServer, AgentsRpc};
pub use full::{create_full, FullApis, FullDeps, Nonce};
