//! Fetches what stands behind a commitment from the gateway's public audit endpoint: the proof of a line of a bill, or every leaf.

use crate::{error::Failure, http};
use ::http::{Request, StatusCode};
use bytes::Bytes;
use codec::{Decode, DecodeAll};
use http_body_util::Full;
use selvedge_primitives_math::bill::{Evidence, LeafPage};
use selvedge_primitives_runtime_api::InvoiceLine;
use selvedge_primitives_types::{Account, Entry, Epoch, Leaf};
use serde::Deserialize;
use std::{fmt, time::Duration};

/// The longest answer that is read, in bytes: 16,384 leaves of about half a kilobyte, in hex.
const MAX_ANSWER: usize = 32 * 1024 * 1024;

/// The most leaves of a line that are read. An entry has at most 60 per cache, so this is enough for 17,000 caches.
const MAX_LEAVES: u64 = 1 << 20;

/// How long a gateway may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often a page is asked for again when the gateway says that it was asked too much, a second apart.
const RETRIES: u32 = 20;

/// What the endpoint answers: SCALE in hex.
#[derive(Deserialize)]
struct Answer {
    entry: String,
    entry_proof: String,
    leaves: Vec<String>,
    leaves_proof: String,
}

/// Fetches what is behind a line. It is as the gateway gives it: nothing is checked.
pub async fn fetch(
    line: &InvoiceLine,
    customer: Account,
    epoch: Epoch,
) -> Result<Evidence, Failure> {
    let base = String::from_utf8_lossy(&line.proof_url);
    let url = format!(
        "{}/audit/v1/{epoch}/customer/{}/{}",
        base.trim_end_matches('/'),
        hex::encode(customer.0),
        line.service
    );
    evidence(&url)
        .await
        .map_err(|error| error.unavailable(&url))
}

async fn evidence(url: &str) -> Result<Evidence, PageError> {
    let first: Answer = page(url, 0).await?;
    let entry: Entry = scale(&first.entry)?;
    let entry_proof = scale(&first.entry_proof)?;
    let count = entry.sum.leaves;
    if count > MAX_LEAVES {
        return Err(PageError::answer(format!("it claims {count} leaves")));
    }
    let mut pages = vec![read_leaves(&first)?];
    let mut known = pages[0].leaves.len() as u64;
    while known < count {
        let next: Answer = page(url, known).await?;
        let next = read_leaves(&next)?;
        if next.leaves.is_empty() {
            return Err(PageError::answer(format!(
                "it gave {known} of {count} leaves"
            )));
        }
        known += next.leaves.len() as u64;
        pages.push(next);
    }
    Ok(Evidence {
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
    all_leaves(&url, count)
        .await
        .map_err(|error| error.unavailable(&url))
}

async fn all_leaves(url: &str, count: u64) -> Result<Vec<Leaf>, PageError> {
    if count > MAX_LEAVES {
        return Err(PageError::answer(format!("it commits to {count} leaves")));
    }
    let mut leaves: Vec<Leaf> = Vec::new();
    while (leaves.len() as u64) < count {
        let answer: Leaves = page(url, leaves.len() as u64).await?;
        if answer.leaves.is_empty() {
            let known = leaves.len();
            return Err(PageError::answer(format!(
                "it gave {known} of {count} leaves"
            )));
        }
        for leaf in &answer.leaves {
            leaves.push(scale(leaf)?);
        }
    }
    Ok(leaves)
}

/// Why there is no page.
struct PageError {
    /// Whether nothing answers at all, so that it is of no use to ask for more.
    silent: bool,
    cause: String,
}

impl PageError {
    fn answer(cause: impl fmt::Display) -> Self {
        Self {
            silent: false,
            cause: cause.to_string(),
        }
    }

    fn silence(cause: impl fmt::Display) -> Self {
        Self {
            silent: true,
            cause: cause.to_string(),
        }
    }

    fn unavailable(self, url: &str) -> Failure {
        Failure::ProofUnavailable {
            url: url.into(),
            cause: self.cause,
            silent: self.silent,
        }
    }
}

async fn page<T: for<'a> Deserialize<'a>>(url: &str, start: u64) -> Result<T, PageError> {
    let url = format!("{url}?start={start}");
    for _ in 0..RETRIES {
        let answer = tokio::time::timeout(PATIENCE, get(&url)).await;
        let answer = answer.map_err(|_| {
            PageError::silence(format!("no answer within {} s", PATIENCE.as_secs()))
        })??;
        match answer {
            Some(body) => {
                return serde_json::from_slice(&body).map_err(|error| {
                    PageError::answer(format!("the answer cannot be read: {error}"))
                })
            }
            // It counts how often each address asks, and lets more in every second.
            None => tokio::time::sleep(Duration::from_secs(1)).await,
        }
    }
    Err(PageError::answer("it is asked too often"))
}

fn read_leaves(answer: &Answer) -> Result<LeafPage, PageError> {
    let leaves = answer.leaves.iter().map(|leaf| scale(leaf));
    Ok(LeafPage {
        leaves: leaves.collect::<Result<_, _>>()?,
        proof: scale(&answer.leaves_proof)?,
    })
}

/// The body of an answer; `None` when the gateway was asked too often.
async fn get(url: &str) -> Result<Option<Bytes>, PageError> {
    let request = Request::get(url).body(Full::default());
    let request = request.map_err(|_| PageError::silence("its public URL is none"))?;
    let response = http::send(request)
        .await
        .map_err(|error| PageError::silence(format!("{error:#}")))?;
    let status = response.status();
    let body = http::whole(response, MAX_ANSWER)
        .await
        .map_err(PageError::answer)?;
    if status == StatusCode::TOO_MANY_REQUESTS {
        return Ok(None);
    }
    if !status.is_success() {
        let text = String::from_utf8_lossy(&body[..body.len().min(300)]).into_owned();
        return Err(PageError::answer(format!("{status}: {}", text.trim())));
    }
    Ok(Some(body))
}

fn scale<T: Decode>(digits: &str) -> Result<T, PageError> {
    let unreadable =
        |error: &dyn fmt::Display| PageError::answer(format!("the answer cannot be read: {error}"));
    let bytes = hex::decode(digits.trim_start_matches("0x")).map_err(|error| unreadable(&error))?;
    T::decode_all(&mut bytes.as_slice()).map_err(|error| unreadable(&error))
}
