//! Fetches the proof behind a line of a bill from the gateway's public audit endpoint.

use crate::error::Failure;
use codec::{Decode, DecodeAll};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use selvedge_primitives_math::proof::RangeProof;
use selvedge_primitives_runtime_api::InvoiceLine;
use selvedge_primitives_types::{Account, Entry, EntryKey, Epoch, Leaf, LeafKey};
use serde::Deserialize;
use std::time::Duration;

/// The longest answer that is read, in bytes: an entry has at most 60 leaves per cache.
const MAX_ANSWER: usize = 32 * 1024 * 1024;

/// How long a gateway may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// An entry of a gateway's tree by customer with all its leaves, and their proofs.
pub struct Proof {
    /// The entry.
    pub entry: Entry,
    /// That it stands in the committed tree.
    pub entry_proof: RangeProof<EntryKey>,
    /// Its leaves.
    pub leaves: Vec<Leaf>,
    /// That they are the entry's.
    pub leaves_proof: RangeProof<LeafKey>,
}

/// What the endpoint answers: SCALE in hex.
#[derive(Deserialize)]
struct Answer {
    entry: String,
    entry_proof: String,
    leaves: Vec<String>,
    leaves_proof: String,
}

/// Fetches the proof of a line.
pub async fn fetch(line: &InvoiceLine, customer: Account, epoch: Epoch) -> Result<Proof, Failure> {
    let base = String::from_utf8_lossy(&line.proof_url);
    let url = format!(
        "{}/audit/v1/{epoch}/customer/{}/{}",
        base.trim_end_matches('/'),
        hex::encode(customer.0),
        line.service
    );
    let unavailable = |cause: String| Failure::ProofUnavailable { url: url.clone(), cause };
    let answer = tokio::time::timeout(PATIENCE, get(&url))
        .await
        .map_err(|_| unavailable(format!("no answer within {} s", PATIENCE.as_secs())))?
        .map_err(|error| unavailable(format!("{error:#}")))?;
    parse(&answer).map_err(|error| unavailable(format!("the answer cannot be read: {error:#}")))
}

async fn get(url: &str) -> anyhow::Result<Vec<u8>> {
    let client: Client<_, Empty<bytes::Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let response = client.get(url.parse()?).await?;
    let status = response.status();
    let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await;
    let body = body.map_err(|error| anyhow::anyhow!("{error}"))?.to_bytes();
    anyhow::ensure!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&body[..body.len().min(300)]));
    Ok(body.into())
}

fn parse(bytes: &[u8]) -> anyhow::Result<Proof> {
    let answer: Answer = serde_json::from_slice(bytes)?;
    Ok(Proof {
        entry: scale(&answer.entry)?,
        entry_proof: scale(&answer.entry_proof)?,
        leaves: answer.leaves.iter().map(|leaf| scale(leaf)).collect::<Result<_, _>>()?,
        leaves_proof: scale(&answer.leaves_proof)?,
    })
}

fn scale<T: Decode>(digits: &str) -> anyhow::Result<T> {
    Ok(T::decode_all(&mut hex::decode(digits.trim_start_matches("0x"))?.as_slice())?)
}
