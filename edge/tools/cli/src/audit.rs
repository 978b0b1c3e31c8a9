//! Fetches what stands behind a commitment from the gateway's public audit endpoint: the proof of a line of a bill, or every leaf.

use crate::{error::Failure, http};
use ::http::Request;
use bytes::Bytes;
use codec::{Decode, DecodeAll};
use http_body_util::Full;
use selvedge_primitives_math::proof::RangeProof;
use selvedge_primitives_runtime_api::InvoiceLine;
use selvedge_primitives_types::{Account, Entry, EntryKey, Epoch, Leaf, LeafKey};
use serde::Deserialize;
use std::time::Duration;

/// The longest answer that is read, in bytes: 16,384 leaves of about half a kilobyte, in hex.
const MAX_ANSWER: usize = 32 * 1024 * 1024;

/// The most leaves of a line that are read. An entry has at most 60 per cache, so this is enough for 17,000 caches.
const MAX_LEAVES: u64 = 1 << 20;

/// How long a gateway may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// An entry of a gateway's tree by customer with all its leaves, and their proofs.
pub struct Proof {
    /// The entry.
    pub entry: Entry,
    /// That it stands in the committed tree.
    pub entry_proof: RangeProof<EntryKey>,
    /// Its leaves in pages, each with the proof that they are the entry's.
    pub pages: Vec<(Vec<Leaf>, RangeProof<LeafKey>)>,
}

impl Proof {
    /// All leaves, in the order they were given.
    pub fn leaves(&self) -> impl Iterator<Item = &Leaf> {
        self.pages.iter().flat_map(|(leaves, _)| leaves)
    }
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
    let unavailable = |cause: String| Failure::ProofUnavailable {
        url: url.clone(),
        cause,
    };
    let unreadable =
        |error: anyhow::Error| unavailable(format!("the answer cannot be read: {error:#}"));

    let first: Answer = page(&url, 0)
        .await
        .map_err(|error| unavailable(format!("{error:#}")))?;
    let entry: Entry = scale(&first.entry).map_err(unreadable)?;
    let entry_proof = scale(&first.entry_proof).map_err(unreadable)?;
    if entry.sum.leaves > MAX_LEAVES {
        return Err(unavailable(format!(
            "it claims {} leaves",
            entry.sum.leaves
        )));
    }
    let mut pages = vec![read_leaves(&first).map_err(unreadable)?];
    let mut known = pages[0].0.len() as u64;
    while known < entry.sum.leaves {
        let next: Answer = page(&url, known)
            .await
            .map_err(|error| unavailable(format!("{error:#}")))?;
        let next = read_leaves(&next).map_err(unreadable)?;
        if next.0.is_empty() {
            return Err(unavailable(format!(
                "it gave {known} of {} leaves",
                entry.sum.leaves
            )));
        }
        known += next.0.len() as u64;
        pages.push(next);
    }
    Ok(Proof {
        entry,
        entry_proof,
        pages,
    })
}

/// What the endpoint answers to whoever wants all leaves.
#[derive(Deserialize)]
struct Leaves {
    leaves: Vec<String>,
}

/// Fetches all leaves of an epoch, of which there are `count` by the commitment. They are as the gateway gives them: nothing
/// is checked.
pub async fn leaves(base: &[u8], epoch: Epoch, count: u64) -> Result<Vec<Leaf>, Failure> {
    let base = String::from_utf8_lossy(base);
    let url = format!("{}/audit/v1/{epoch}/leaves", base.trim_end_matches('/'));
    let unavailable = |cause: String| Failure::ProofUnavailable {
        url: url.clone(),
        cause,
    };
    if count > MAX_LEAVES {
        return Err(unavailable(format!("it commits to {count} leaves")));
    }
    let mut leaves: Vec<Leaf> = Vec::new();
    while (leaves.len() as u64) < count {
        let answer: Leaves = page(&url, leaves.len() as u64)
            .await
            .map_err(|error| unavailable(format!("{error:#}")))?;
        if answer.leaves.is_empty() {
            return Err(unavailable(format!(
                "it gave {} of {count} leaves",
                leaves.len()
            )));
        }
        let new = answer.leaves.iter().map(|leaf| scale(leaf));
        let new: anyhow::Result<Vec<Leaf>> = new.collect();
        leaves.extend(
            new.map_err(|error| unavailable(format!("the answer cannot be read: {error:#}")))?,
        );
    }
    Ok(leaves)
}

async fn page<T: for<'a> Deserialize<'a>>(url: &str, start: u64) -> anyhow::Result<T> {
    let answer = tokio::time::timeout(PATIENCE, get(&format!("{url}?start={start}"))).await;
    let answer =
        answer.map_err(|_| anyhow::anyhow!("no answer within {} s", PATIENCE.as_secs()))??;
    Ok(serde_json::from_slice(&answer)?)
}

fn read_leaves(answer: &Answer) -> anyhow::Result<(Vec<Leaf>, RangeProof<LeafKey>)> {
    let leaves = answer
        .leaves
        .iter()
        .map(|leaf| scale(leaf))
        .collect::<anyhow::Result<_>>()?;
    Ok((leaves, scale(&answer.leaves_proof)?))
}

async fn get(url: &str) -> anyhow::Result<Bytes> {
    let response = http::send(Request::get(url).body(Full::default())?).await?;
    let status = response.status();
    let body = http::whole(response, MAX_ANSWER).await?;
    anyhow::ensure!(
        status.is_success(),
        "{status}: {}",
        String::from_utf8_lossy(&body[..body.len().min(300)])
    );
    Ok(body)
}

fn scale<T: Decode>(digits: &str) -> anyhow::Result<T> {
    Ok(T::decode_all(
        &mut hex::decode(digits.trim_start_matches("0x"))?.as_slice(),
    )?)
}
