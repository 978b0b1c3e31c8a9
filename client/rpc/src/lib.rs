#![doc = include_str!("../README.md")]

mod agents;
mod full;
mod v1;
pub mod views;

pub use agents::{AgentDirectory, AgentEntry, AgentFault, AgentInfo, AgentsApiServer, AgentsRpc};
pub use full::{create_full, FullApis, FullDeps, Nonce};
pub use v1::{V1ApiServer, V1Rpc};
