//! The chain node's end of the control endpoint.

use crate::client::{Answer, Ask, Client};
use codec::{Decode, DecodeAll, Encode};
use selvedge_primitives_math::RangeProof;
use selvedge_primitives_types::{
    agent::{AgentStatus, ConfigDelta, ProbeOrder, ProbeResults},
    Entry, EntryKey, Epoch, UsageCommitment,
};
use std::net::SocketAddr;

/// Entries with their proof.
pub type Page = (Vec<Entry>, RangeProof<EntryKey>);

/// Drives one daemon.
#[derive(Clone)]
pub struct ControlClient {
    client: Client,
    token: String,
}

impl ControlClient {
    /// Shows this token at this address.
    pub fn new(address: SocketAddr, token: &str) -> Self {
        Self {
            client: Client::new(address, "localhost"),
            token: token.to_owned(),
        }
    }

    /// Sends a request with the token.
    pub async fn ask(&self, ask: Ask) -> anyhow::Result<Answer> {
        let bearer = format!("Bearer {}", self.token);
        self.client.ask(ask.field("authorization", &bearer)).await
    }

    async fn read<T: Decode>(&self, target: String) -> Option<T> {
        let answer = self.ask(Ask::get(&target)).await;
        let answer = answer.unwrap_or_else(|error| panic!("{target}: {error:#}"));
        match answer.status.as_u16() {
            200 => Some(decode(&answer)),
            404 => None,
            status => panic!("{target}: {status}: {}", answer.text()),
        }
    }

    /// What the daemon is and holds.
    pub async fn status(&self) -> AgentStatus {
        self.read("/control/v1/status".to_owned())
            .await
            .expect("a status is always there")
    }

    /// Pushes what changed; `Err` is the daemon's text.
    pub async fn configure(&self, delta: &ConfigDelta) -> Result<AgentStatus, String> {
        let answer = self
            .ask(Ask::post("/control/v1/config", delta.encode()))
            .await;
        let answer = answer.unwrap_or_else(|error| panic!("a config: {error:#}"));
        match answer.status.as_u16() {
            200 => Ok(decode(&answer)),
            _ => Err(answer.text()),
        }
    }

    /// Orders probes, or asks how they went; `Err` is the daemon's text.
    pub async fn probe(&self, order: &ProbeOrder) -> Result<ProbeResults, String> {
        let answer = self
            .ask(Ask::post("/control/v1/probes", order.encode()))
            .await;
        let answer = answer.unwrap_or_else(|error| panic!("an order of probes: {error:#}"));
        match answer.status.as_u16() {
            200 => Ok(decode(&answer)),
            _ => Err(answer.text()),
        }
    }

    /// The commitment of a closed epoch.
    pub async fn commitment(&self, epoch: Epoch) -> Option<UsageCommitment> {
        self.read(format!("/control/v1/commitment/{epoch}")).await
    }

    /// Entries of the tree by customer.
    pub async fn settle(&self, epoch: Epoch, cursor: u32) -> Option<Page> {
        self.read(format!("/control/v1/settle/{epoch}/{cursor}"))
            .await
    }

    /// Entries of the tree by cache.
    pub async fn credit(&self, epoch: Epoch, cursor: u32) -> Option<Page> {
        self.read(format!("/control/v1/credit/{epoch}/{cursor}"))
            .await
    }
}

fn decode<T: Decode>(answer: &Answer) -> T {
    T::decode_all(&mut &answer.body[..]).expect("an answer in SCALE")
}
