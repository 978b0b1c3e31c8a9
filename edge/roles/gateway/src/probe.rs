//! One probe: a nonce that the node signs, and a timed fetch of what it may have.
//!
//! ```text
//! gateway: nonce over its public URL · GET of a URL at its endpoint, as a visitor's · octets against those held here
//! cache:   nonce over the transport  · lookup of a key, as a visitor's miss · octets against the record they came under
//! ```
//!
//! The object is one that this gateway holds: whole, fresh for a while yet, the same for everybody, and kept by a cache.
//! It is charged like any other request.
//!
//! What is not the node's doing says nothing: an origin that fails, an allowance that is used up, an object that has
//! changed since. No answer costs more than [`NONCE_TIME`] twice and [`FETCH_TIME`], nor more octets than the object has.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use codec::{DecodeAll, Encode};
use http::{header, HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use rand::{Rng, RngCore};
use selvedge_edge_core_verify::sign::verify;
use selvedge_edge_core_verify::{verify_record, RangePlan, StreamDecoder};
use selvedge_edge_drivers_agent::clock;
use selvedge_edge_drivers_http::{collect, empty, full, CollectError, Patience};
use selvedge_edge_drivers_purge::Verdict;
use selvedge_edge_drivers_transport::{
    LookupRequest, PeerAddress, Reply, ReplyStream, TransportError, Want,
};
use selvedge_primitives_types::agent::NodeConfig;
use selvedge_primitives_types::{
    DeviceId, Domain, Epoch, FetchVerdict, Millis, Probe, ProbeAnswer, ProbeAnswerPayload,
    ProbeFetch, Role, Signature64, SignedRecord,
};

use crate::entry::Entry;
use crate::failure::{Reason, REASON};
use crate::gateway::Shared;
use crate::world::World;

/// How long a nonce may take.
const NONCE_TIME: Duration = Duration::from_secs(3);
/// How long a fetch may take.
const FETCH_TIME: Duration = Duration::from_secs(10);
/// The longest object that is fetched.
const MAX_OBJECT: u64 = 256 * 1024;
/// How long an object must stay fresh yet, in milliseconds.
const FRESH: i64 = 30_000;
/// Objects that are looked at in each part of the memory.
const LOOKED_AT: usize = 256;
/// Bytes of a signature in SCALE.
const SIGNATURE: usize = 64;
/// What visitors' browsers call themselves.
const BROWSERS: [&str; 3] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:143.0) Gecko/20100101 Firefox/143.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 \
     Mobile/15E148 Safari/604.1",
];

/// What a fetch gave.
enum Fetched {
    /// Octets, which are right or wrong.
    Came(Bytes, bool),
    /// Nothing, by the node's doing.
    Failed,
    /// Nothing that says anything about the node.
    Nothing,
}

impl Shared {
    /// Probes a node; `None` for one that this gateway knows no way to.
    pub(crate) async fn probe_node(
        self: &Arc<Self>,
        epoch: Epoch,
        device: &DeviceId,
    ) -> Option<Probe> {
        let world = self.world()?;
        let node = world.node(device)?;
        if !matches!(node.role, Role::Gateway | Role::Cache) {
            return None;
        }
        // The first opens the connection; a packet that is lost is no outage.
        let first = self.ask_nonce(&world, node, epoch).await;
        let second = self.ask_nonce(&world, node, epoch).await;
        let answers = [first, second].into_iter().flatten();
        let answer = answers.min_by_key(|answer| answer.round_trip);
        let fetch = match answer {
            Some(_) => self.fetch_from(&world, node).await,
            None => None,
        };
        Some(Probe {
            probed: *device,
            answer,
            fetch,
        })
    }

    async fn ask_nonce(
        &self,
        world: &World,
        node: &NodeConfig,
        epoch: Epoch,
    ) -> Option<ProbeAnswer> {
        let mut nonce = [0; 16];
        rand::thread_rng().fill_bytes(&mut nonce);
        let asked = ProbeAnswerPayload {
            prober: self.identity.device(),
            probed: node.device,
            epoch,
            nonce,
        };
        let began = Instant::now();
        let asking = async {
            match world.cache(&node.device) {
                Some(cache) => self.peers.probe(&cache, &asked).await.ok().flatten(),
                None => self.ask_gateway(world, &asked).await,
            }
        };
        let signature = tokio::time::timeout(NONCE_TIME, asking).await.ok()??;
        let round_trip = micros(began);
        let (domain, genesis) = (Domain::ProbeAnswer, world.genesis());
        verify(&node.device, domain, genesis, &asked, &signature).ok()?;
        Some(ProbeAnswer {
            nonce,
            signature,
            round_trip,
        })
    }

    async fn ask_gateway(&self, world: &World, asked: &ProbeAnswerPayload) -> Option<Signature64> {
        let base = world.public_url(&asked.probed)?;
        let mut request = Request::new(full(asked.encode()));
        *request.method_mut() = Method::POST;
        let url = format!("{}/probe/v1", base.trim_end_matches('/'));
        *request.uri_mut() = url.parse().ok()?;
        let response = self.origin.send(request, &Patience::default()).await.ok()?;
        if response.status() != StatusCode::OK {
            return None;
        }
        let body = collect(response.into_body(), SIGNATURE, NONCE_TIME).await;
        Signature64::decode_all(&mut &body.ok()?[..]).ok()
    }

    async fn fetch_from(&self, world: &World, node: &NodeConfig) -> Option<ProbeFetch> {
        let cache = world.cache(&node.device);
        let entry = match &cache {
            Some(cache) => self.pick(world, |entry| entry.cache == cache.device)?,
            None => {
                let scheme = visitors_scheme(node);
                self.pick(world, |entry| entry.signed.record.key.starts_with(scheme))?
            }
        };
        let began = Instant::now();
        let fetching = async {
            match cache {
                Some(cache) => self.fetch_from_cache(world, &cache, &entry).await,
                None => self.fetch_from_gateway(node, &entry).await,
            }
        };
        let fetched = tokio::time::timeout(FETCH_TIME, fetching).await;
        let time = micros(began);
        match fetched.unwrap_or(Fetched::Failed) {
            Fetched::Came(bytes, is_right) => Some(ProbeFetch {
                object: *blake3::hash(&bytes).as_bytes(),
                bytes: bytes.len() as u32,
                time,
                verdict: match is_right {
                    true => FetchVerdict::Right,
                    false => FetchVerdict::Wrong,
                },
            }),
            Fetched::Failed => Some(ProbeFetch {
                object: [0; 32],
                bytes: 0,
                time,
                verdict: FetchVerdict::Failed,
            }),
            Fetched::Nothing => None,
        }
    }

    /// An object that a node may be asked for.
    fn pick(&self, world: &World, is_its: impl Fn(&Entry) -> bool) -> Option<Arc<Entry>> {
        let now = clock::now();
        let start = rand::thread_rng().gen();
        self.memory.pick(start, LOOKED_AT, |entry| {
            let (record, stored) = (&entry.signed.record, &entry.stored);
            let is_plain = entry.parts.is_none()
                && record.status == StatusCode::OK
                && (1..=MAX_OBJECT).contains(&record.length)
                && stored.variant().as_slice().is_empty()
                && !stored.headers().contains_key(header::CONTENT_ENCODING);
            is_plain
                && !entry.cache.is_none()
                && stored.time_to_live(now) > FRESH
                && is_its(entry)
                && world.service_of(record.service).is_some()
                && self.verdict(record.service, entry) == Verdict::Current
        })
    }

    async fn fetch_from_gateway(&self, node: &NodeConfig, entry: &Entry) -> Fetched {
        let url = std::str::from_utf8(&entry.signed.record.key);
        let (Some(url), Ok(endpoint)) = (
            url.ok().and_then(|url| url.parse().ok()),
            std::str::from_utf8(&node.endpoint),
        ) else {
            return Fetched::Nothing;
        };
        let mut request = Request::new(empty());
        *request.uri_mut() = url;
        let browser = BROWSERS[rand::thread_rng().gen_range(0..BROWSERS.len())];
        let fields = request.headers_mut();
        fields.insert(header::USER_AGENT, HeaderValue::from_static(browser));
        fields.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
        match self.origin.send_through(endpoint, request).await {
            Ok(response) => judge(response, entry).await,
            Err(_) => Fetched::Failed,
        }
    }

    async fn fetch_from_cache(&self, world: &World, cache: &PeerAddress, entry: &Entry) -> Fetched {
        let record = &entry.signed.record;
        let floors = self.purges.floors(record.service, &record.key);
        let request = LookupRequest {
            service: record.service,
            key: record.key.clone(),
            is_head: false,
            fields: Vec::new(),
            generation: floors.hard,
            fresh_from: floors.soft,
            have: None,
            want: Want::Stored,
            patience: Millis(FETCH_TIME.as_millis() as u64),
            waited: Millis(0),
        };
        let Ok(mut replies) = self.peers.lookup(cache, &request).await else {
            return Fetched::Failed;
        };
        match replies.next(FETCH_TIME).await {
            Ok(Some(Reply::Hit(signed))) => supplied(world, entry, &signed, replies).await,
            // It has forgotten the object, or serves as much as it may.
            Ok(Some(_)) => Fetched::Nothing,
            Ok(None) | Err(_) => Fetched::Failed,
        }
    }
}

/// What a gateway answered, against what is held here.
async fn judge(response: Response<Incoming>, entry: &Entry) -> Fetched {
    let answered = response.headers().get(REASON);
    let is_excused = [Reason::OutOfLease, Reason::Paused, Reason::Suspended]
        .iter()
        .any(|reason| answered.is_some_and(|name| name == reason.name()));
    match response.status() {
        StatusCode::OK => {}
        StatusCode::INTERNAL_SERVER_ERROR | StatusCode::SERVICE_UNAVAILABLE if !is_excused => {
            return Fetched::Failed;
        }
        // The origin's doing, or the site has changed.
        _ => return Fetched::Nothing,
    }
    // Only the same strong validator promises the same octets (RFC 9110 §8.8.1).
    let tag = response.headers().get(header::ETAG);
    let is_same = tag.is_some_and(|tag| !tag.as_bytes().starts_with(b"W/"))
        && tag == entry.stored.headers().get(header::ETAG);
    let differs = |bytes| match is_same {
        true => Fetched::Came(bytes, false),
        false => Fetched::Nothing,
    };
    match collect(response.into_body(), entry.body.len(), FETCH_TIME).await {
        Ok(bytes) if blake3::hash(&bytes).as_bytes() == &entry.root() => Fetched::Came(bytes, true),
        Ok(bytes) => differs(bytes),
        Err(CollectError::TooLong { .. }) => differs(Bytes::new()),
        Err(CollectError::TooSlow | CollectError::Broken(_)) => Fetched::Failed,
    }
}

/// What a cache supplies of a record, which must be a gateway's and of this key.
async fn supplied(
    world: &World,
    entry: &Entry,
    signed: &SignedRecord,
    mut replies: ReplyStream,
) -> Fetched {
    let (wanted, record) = (&entry.signed.record, &signed.record);
    let wrong = || Fetched::Came(Bytes::new(), false);
    let is_its = (record.service, &record.key) == (wanted.service, &wanted.key);
    let is_signed = world.is_gateway(&record.gateway)
        && verify_record(signed, world.genesis(), &record.gateway).is_ok();
    if !is_its || !is_signed {
        return wrong();
    }
    if record.length > MAX_OBJECT {
        return Fetched::Nothing;
    }
    let Ok(plan) = RangePlan::whole(record.length) else {
        return wrong();
    };
    let mut decoder = StreamDecoder::new(record.root, plan);
    let mut whole = Vec::with_capacity(record.length as usize);
    while !decoder.is_done() {
        match decoder.next() {
            Ok(Some(bytes)) => {
                whole.extend_from_slice(&bytes);
                continue;
            }
            Ok(None) if decoder.is_done() => break,
            Ok(None) => {}
            Err(_) => return wrong(),
        }
        match replies.next(FETCH_TIME).await {
            Ok(Some(Reply::Data(bytes))) => decoder.push(&bytes),
            Ok(Some(Reply::Abort | Reply::Refused(_))) => return Fetched::Nothing,
            Ok(Some(_)) | Err(TransportError::Malformed(_)) => return wrong(),
            Ok(None) | Err(_) => return Fetched::Failed,
        }
    }
    Fetched::Came(whole.into(), true)
}

/// How the URLs begin that visitors ask a gateway for at its endpoint: the port tells where it is one of the two, and the
/// public URL where it is neither.
fn visitors_scheme(node: &NodeConfig) -> &'static [u8] {
    let is_tls = match node.endpoint.rsplit(|byte| *byte == b':').next() {
        Some(b"443") => true,
        Some(b"80") => false,
        _ => node.public_url.starts_with(b"https:"),
    };
    match is_tls {
        true => b"https://",
        false => b"http://",
    }
}

fn micros(began: Instant) -> u32 {
    began.elapsed().as_micros().try_into().unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use selvedge_primitives_types::{Account, Region, Score};

    #[test]
    fn the_endpoint_tells_what_visitors_speak_there() {
        let scheme = |endpoint: &str, public_url: &str| {
            visitors_scheme(&NodeConfig {
                device: DeviceId([1; 32]),
                operator: Account([1; 32]),
                role: Role::Gateway,
                region: Region::default(),
                endpoint: endpoint.as_bytes().to_vec(),
                public_url: public_url.as_bytes().to_vec(),
                capacity: 1,
                quality: Score::ONE,
                draining: false,
            })
        };
        assert_eq!(scheme("gw.example:443", "http://gw.example"), b"https://");
        assert_eq!(scheme("gw.example:80", "https://gw.example"), b"http://");
        assert_eq!(scheme("127.0.0.1:8080", "http://127.0.0.1"), b"http://");
        assert_eq!(scheme("[::1]:8443", "https://gw.example"), b"https://");
    }
}
