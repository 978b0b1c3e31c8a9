#![doc = include_str!("../README.md")]
#![allow(
    clippy::result_large_err,
    reason = "the SDK's service error is large, and every signature of the service carries it"
)]

mod babe_grandpa;
mod kind;
mod seam;

pub use babe_grandpa::{pruning_filters, LightSyncStateExtension};
pub use kind::{prepare, revert, EngineApis, EngineKind};
pub use seam::{
    Backend, Client, Engine, Foundation, Launch, NotificationProtocol, Pool, Prepared, RpcBuilder,
};
