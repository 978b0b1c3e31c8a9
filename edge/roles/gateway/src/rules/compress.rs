//! Answers that leave compressed, and what was compressed before.
//!
//! An answer is compressed whole, once for each coding, and found again by the hash of its bytes:
//! whatever address it has, and however often its origin is asked.

use std::io::{self, Write};

use bytes::Bytes;
use http::{header, HeaderMap, HeaderName, HeaderValue};
use http_body::Body as _;
use http_body_util::BodyExt;
use selvedge_edge_core_rules::{Coding, Compression};
use selvedge_edge_drivers_http::full;
use selvedge_edge_drivers_store::{Memory, Weigh};
use selvedge_primitives_types::ServiceId;
use tokio::sync::Semaphore;

use crate::failure::{Failure, Reason};
use crate::gateway::Shared;
use crate::served::Served;

/// What is longer leaves as it is.
const LONGEST: u64 = 8 << 20;
/// Answers that are compressed at a time; beyond it they leave as they are.
const AT_ONCE: usize = 16;
/// Parts of the memory that are locked apart.
const SHARDS: usize = 4;
/// Sums over bytes that are no longer sent.
const SUMS: [HeaderName; 3] = [
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("repr-digest"),
];

/// Answers that were compressed before.
pub(crate) struct Coded {
    memory: Memory<Bundle>,
    places: Semaphore,
}

impl Coded {
    /// Keeps so many bytes.
    pub fn new(bytes: u64) -> Self {
        Self {
            memory: Memory::new(bytes, SHARDS),
            places: Semaphore::new(AT_ONCE),
        }
    }
}

/// One answer in one coding.
#[derive(Debug)]
struct Bundle(Bytes);

impl Weigh for Bundle {
    fn bytes(&self) -> u64 {
        (size_of::<Self>() + self.0.len()) as u64
    }
}

impl Shared {
    /// Compresses an answer, where its rule and its visitor want that.
    ///
    /// Errors: a body that breaks off.
    pub(super) async fn compress(
        &self,
        compression: &Compression,
        request: &HeaderMap,
        is_head: bool,
        mut served: Served,
    ) -> Result<Served, Failure> {
        if served.status == http::StatusCode::NOT_MODIFIED {
            compression.mark(&mut served.headers);
            return Ok(served);
        }
        let stated = served.headers.get(header::CONTENT_LENGTH);
        let stated = stated.and_then(|value| value.to_str().ok()?.parse().ok());
        let length = if is_head {
            stated
        } else {
            served.body.size_hint().exact()
        };
        let length = length.filter(|length| {
            *length <= LONGEST && compression.is_about(served.status, &served.headers, *length)
        });
        if length.is_none() {
            return Ok(served);
        }
        compression.mark(&mut served.headers);
        let Some(coding) = compression.choose(request) else {
            return Ok(served);
        };
        let Ok(_place) = self.coded.places.try_acquire() else {
            return Ok(served);
        };
        if is_head {
            // Nobody knows how long it would be.
            name(&mut served.headers, coding);
            served.headers.remove(header::CONTENT_LENGTH);
            return Ok(served);
        }
        let whole = served.body.collect().await;
        let whole = whole.map_err(|error| Failure::because(Reason::OriginDown, error))?;
        let whole = whole.to_bytes();
        let coded = self.coded_of(whole.clone(), coding).await;
        let body = match coded {
            Some(coded) => {
                name(&mut served.headers, coding);
                coded
            }
            None => whole,
        };
        let length = HeaderValue::from(body.len() as u64);
        served.headers.insert(header::CONTENT_LENGTH, length);
        served.body = full(body);
        Ok(served)
    }

    /// The same bytes in a coding; `None` when that makes them no shorter.
    async fn coded_of(&self, bytes: Bytes, coding: Coding) -> Option<Bytes> {
        let mut key = blake3::hash(&bytes).as_bytes().to_vec();
        key.extend_from_slice(coding.name().as_bytes());
        let memory = &self.coded.memory;
        // Equal bytes are equal whosever they are.
        if let Some(bundle) = memory.find(ServiceId(0), &key, |_| true) {
            return Some(bundle.0.clone()).filter(|coded| !coded.is_empty());
        }
        let length = bytes.len();
        let work = tokio::task::spawn_blocking(move || encode(&bytes, coding));
        let coded = work.await.ok()?.ok()?;
        let coded = if coded.len() < length {
            Bytes::from(coded)
        } else {
            // So that it is not tried again.
            Bytes::new()
        };
        let bundle = memory.insert(ServiceId(0), &key, &[], Bundle(coded));
        Some(bundle.0.clone()).filter(|coded| !coded.is_empty())
    }
}

fn name(headers: &mut HeaderMap, coding: Coding) {
    headers.insert(
        header::CONTENT_ENCODING,
        HeaderValue::from_static(coding.name()),
    );
    headers.remove(header::ACCEPT_RANGES);
    for name in &SUMS {
        headers.remove(name);
    }
}

/// The levels are those at which a core does tens of megabytes in a second.
fn encode(bytes: &[u8], coding: Coding) -> io::Result<Vec<u8>> {
    match coding {
        Coding::Zstd => zstd::bulk::compress(bytes, 3),
        Coding::Br => {
            let mut coded = Vec::new();
            let mut writer = brotli::CompressorWriter::new(&mut coded, 64 * 1024, 5, 22);
            writer.write_all(bytes)?;
            drop(writer);
            Ok(coded)
        }
        Coding::Gzip => {
            let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
            writer.write_all(bytes)?;
            writer.finish()
        }
    }
}
