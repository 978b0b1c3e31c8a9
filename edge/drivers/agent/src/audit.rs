//! The public audit server: the leaves behind a bill.
//!
//! | Request | Answer |
//! |---|---|
//! | `GET /audit/v1/{epoch}/commitment` | `{epoch, commitment}` |
//! | `GET /audit/v1/{epoch}/leaves` | `{start, total, leaves}`: all of the epoch, in an order that stays |
//! | `GET /audit/v1/{epoch}/customer/{account}/{service}` | `{index, entry, entry_proof, start, leaves, leaves_proof}` |
//!
//! Drawn leaves are opened here too: see `open`; purges are taken: see `purge`; nonces answered: see `probe`; and content is taken and given: see `content`.
//!
//! Whoever accepts `application/octet-stream` gets leaves as `Vec<Leaf>` in SCALE. The account is 32 bytes in hex; `?start=` and `&limit=` choose a page of leaves, which ends
//! early at 16,384. On the same port is what [`crate::insight`] tells customers. Whatever is not a number is SCALE in hex with `0x` before it. Leaves name no
//! address and no URL, so anyone may read them; each address may ask a few times a second.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use codec::Encode;
use http::{header, HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use selvedge_edge_drivers_http::{Body, ConnInfo, Handler, Limits, Server, ServerHandle};
use selvedge_primitives_math::draw::Draw;
use selvedge_primitives_math::fraud::Openings;
use selvedge_primitives_math::proof::RangeProof;
use selvedge_primitives_types::{
    Account, Entry, EntryKey, Epoch, Leaf, LeafKey, ServiceId, UsageCommitment,
};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::content::{self, ContentDesk};
use crate::insight::{self, Insight};
use crate::open;
use crate::probe::{self, ProbeDesk};
use crate::purge::{self, PurgeDesk};
use crate::rate::Buckets;
use crate::reply;

/// The most leaves in one answer.
const MAX_LEAVES: usize = 16_384;

/// Requests of one address at once, and how many more it may send each second.
const BURST: u32 = 40;
const PER_SECOND: u32 = 10;
/// The same for purges, of customers and of gateways that spread them.
const PURGE_BURST: u32 = 500;
const PURGES_PER_SECOND: u32 = 100;
/// The same for slices of content, each at most 1 MiB: small files are a slice each.
const CONTENT_BURST: u32 = 2_000;
const CONTENT_PER_SECOND: u32 = 400;

/// An entry of the tree by customer with a page of its leaves.
#[derive(Clone, Debug)]
pub struct Invoice {
    /// Place of the entry in the tree.
    pub index: u32,
    /// The entry.
    pub entry: Entry,
    /// That it stands in the committed tree.
    pub entry_proof: RangeProof<EntryKey>,
    /// The leaves of the page.
    pub leaves: Vec<Leaf>,
    /// That they are the entry's.
    pub leaves_proof: RangeProof<LeafKey>,
}

/// What a daemon tells the public.
pub trait Audit: Send + Sync + 'static {
    /// The commitment of a closed epoch.
    fn commitment(&self, epoch: Epoch) -> Option<UsageCommitment>;

    /// At most `limit` leaves of a closed epoch from `start`, and how many there are.
    fn leaves(&self, epoch: Epoch, start: usize, limit: usize) -> Option<(Vec<Leaf>, usize)>;

    /// A customer's entry with at most `limit` leaves from `start`.
    fn invoice(
        &self,
        epoch: Epoch,
        customer: Account,
        service: ServiceId,
        start: usize,
        limit: usize,
    ) -> Option<Invoice>;

    /// What shows drawn leaves of a closed epoch to be what was committed. Takes its time.
    fn open(&self, epoch: Epoch, draws: &[Draw]) -> Option<Openings>;
}

/// The audit server.
pub struct AuditServer;

impl AuditServer {
    /// Starts it.
    ///
    /// Errors: when the address cannot be bound.
    pub async fn start<A: Audit + ContentDesk + Insight + ProbeDesk + PurgeDesk>(
        address: SocketAddr,
        audit: Arc<A>,
    ) -> io::Result<ServerHandle> {
        let limits = Limits {
            connections: 1_024,
            connections_per_ip: 32,
            header_bytes: 8 * 1024,
            ..Limits::default()
        };
        let server = Server::bind(address, limits).await?;
        Ok(server.serve(Arc::new(Endpoint {
            audit,
            buckets: Buckets::new(BURST, PER_SECOND),
            purges: Buckets::new(PURGE_BURST, PURGES_PER_SECOND),
            content: Buckets::new(CONTENT_BURST, CONTENT_PER_SECOND),
            turns: Semaphore::new(open::AT_ONCE),
            uploads: content::Turns::default(),
        })))
    }
}

struct Endpoint<A> {
    audit: Arc<A>,
    buckets: Buckets,
    purges: Buckets,
    content: Buckets,
    turns: Semaphore,
    uploads: content::Turns,
}

impl<A: Audit + ContentDesk + Insight + ProbeDesk + PurgeDesk> Handler for Endpoint<A> {
    async fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
        connection: ConnInfo,
    ) -> Response<Body> {
        let path = request.uri().path().to_owned();
        let purge = path.strip_prefix("/purge/v1");
        let content = path.strip_prefix("/content/v1");
        let buckets = match (purge, content) {
            (Some(_), _) => &self.purges,
            (_, Some(_)) => &self.content,
            _ => &self.buckets,
        };
        let mut response = if buckets.admit(connection.peer.ip(), Instant::now()) {
            match (purge, content) {
                (Some(rest), _) => purge::answer(&self.audit, rest, request).await,
                (_, Some(rest)) => content::answer(&self.audit, rest, request, &self.uploads).await,
                _ if path == "/probe/v1" => probe::answer(&self.audit, request).await,
                _ if insight::is_insight(&path) => insight::answer(&self.audit, request).await,
                _ => match open::epoch_of(&path) {
                    Some(epoch) => open::answer(&self.audit, epoch, request, &self.turns).await,
                    None => self.answer(&request),
                },
            }
        } else {
            let mut refused = reply::problem(StatusCode::TOO_MANY_REQUESTS, "too many requests");
            let pause = HeaderValue::from_static("1");
            refused.headers_mut().insert(header::RETRY_AFTER, pause);
            refused
        };
        let anyone = HeaderValue::from_static("*");
        response
            .headers_mut()
            .insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, anyone);
        response
    }
}

impl<A: Audit> Endpoint<A> {
    fn answer(&self, request: &Request<Incoming>) -> Response<Body> {
        let nothing = || reply::problem(StatusCode::NOT_FOUND, "there is nothing here");
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return reply::problem(StatusCode::METHOD_NOT_ALLOWED, "use GET");
        }
        let Some(path) = request.uri().path().strip_prefix("/audit/v1/") else {
            return nothing();
        };
        let query = request.uri().query().unwrap_or_default();
        let parts: Vec<&str> = path.split('/').collect();
        if let ([epoch, "leaves"], true) = (parts.as_slice(), wants_scale(request)) {
            let leaves = self.page_of_leaves(epoch, query);
            return leaves.map_or_else(nothing, |(_, leaves, _)| reply::scale(leaves.encode()));
        }
        let answer = match parts.as_slice() {
            [epoch, "commitment"] => self.commitment(epoch),
            [epoch, "leaves"] => self.leaves(epoch, query),
            [epoch, "customer", customer, service] => self.invoice(epoch, customer, service, query),
            _ => None,
        };
        answer.map_or_else(nothing, |value| reply::json(&value))
    }

    fn commitment(&self, epoch: &str) -> Option<serde_json::Value> {
        let epoch = Epoch(epoch.parse().ok()?);
        let commitment = self.audit.commitment(epoch)?;
        Some(json!({ "epoch": epoch.0, "commitment": scale_hex(&commitment) }))
    }

    fn leaves(&self, epoch: &str, query: &str) -> Option<serde_json::Value> {
        let (start, leaves, total) = self.page_of_leaves(epoch, query)?;
        let leaves: Vec<String> = leaves.iter().map(scale_hex).collect();
        Some(json!({ "start": start, "total": total, "leaves": leaves }))
    }

    fn page_of_leaves(&self, epoch: &str, query: &str) -> Option<(usize, Vec<Leaf>, usize)> {
        let (start, limit) = page(query);
        let epoch = Epoch(epoch.parse().ok()?);
        let (leaves, total) = self.audit.leaves(epoch, start, limit)?;
        Some((start, leaves, total))
    }

    fn invoice(
        &self,
        epoch: &str,
        customer: &str,
        service: &str,
        query: &str,
    ) -> Option<serde_json::Value> {
        let mut account = [0; 32];
        hex::decode_to_slice(customer.trim_start_matches("0x"), &mut account).ok()?;
        let (epoch, service) = (Epoch(epoch.parse().ok()?), ServiceId(service.parse().ok()?));
        let (start, limit) = page(query);
        let invoice = self
            .audit
            .invoice(epoch, Account(account), service, start, limit)?;
        let leaves: Vec<String> = invoice.leaves.iter().map(scale_hex).collect();
        Some(json!({
            "index": invoice.index,
            "entry": scale_hex(&invoice.entry),
            "entry_proof": scale_hex(&invoice.entry_proof),
            "start": invoice.leaves_proof.start,
            "leaves": leaves,
            "leaves_proof": scale_hex(&invoice.leaves_proof),
        }))
    }
}

fn wants_scale<B>(request: &Request<B>) -> bool {
    let accepted = request.headers().get(header::ACCEPT);
    accepted.is_some_and(|kind| kind == "application/octet-stream")
}

fn scale_hex(value: &impl Encode) -> String {
    format!("0x{}", hex::encode(value.encode()))
}

/// Which leaves are asked for: the first, and at most how many.
fn page(query: &str) -> (usize, usize) {
    let limit = parameter(query, "limit").unwrap_or(MAX_LEAVES);
    (
        parameter(query, "start").unwrap_or(0),
        limit.min(MAX_LEAVES),
    )
}

fn parameter(query: &str, name: &str) -> Option<usize> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name)
        .and_then(|(_, value)| value.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_bounded_whatever_is_asked() {
        assert_eq!(page(""), (0, MAX_LEAVES));
        assert_eq!(page("start=7&limit=3"), (7, 3));
        assert_eq!(page("limit=99999999"), (0, MAX_LEAVES));
        assert_eq!(page("start=-1&limit=x"), (0, MAX_LEAVES));
    }

    #[test]
    fn parameters_are_read_by_name() {
        assert_eq!(parameter("a=1&start=7", "start"), Some(7));
        assert_eq!(parameter("start=x", "start"), None);
        assert_eq!(parameter("", "start"), None);
    }
}
