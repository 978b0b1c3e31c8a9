//! A site's own HTTP server, which does what the request's query says ([`crate::script`]).

use crate::script::Script;
use bytes::Bytes;
use http::{header, HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{combinators::UnsyncBoxBody, BodyExt, StreamBody};
use hyper::{
    body::{Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use std::{
    collections::HashSet,
    io,
    net::SocketAddr,
    sync::{
        atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering},
        Arc,
    },
};
use tokio::{
    net::TcpListener,
    sync::{mpsc, Notify},
    task::{JoinHandle, JoinSet},
};
use tokio_rustls::TlsAcceptor;

/// Octets in a piece of a body.
const PIECE: usize = 32 * 1024;

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Method.
    pub method: Method,
    /// Path and query.
    pub target: String,
    /// Fields.
    pub fields: HeaderMap,
    /// Octets of the body.
    pub body: u64,
}

/// What an origin does to requests that come while it lasts. Answers that have begun go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Hangs up on them.
    HangUp,
    /// Says 503.
    Unavailable,
}

#[derive(Default)]
struct State {
    trouble: Mutex<Option<Trouble>>,
    hang_ups: AtomicUsize,
    hung_up_on: Mutex<HashSet<Vec<u8>>>,
    seen: Mutex<Vec<Seen>>,
    sent: AtomicU64,
    version: AtomicU32,
    cookies: AtomicU32,
    open: Mutex<HashSet<String>>,
    opened: Notify,
}

/// A running origin; it stops, with all its connections, when dropped.
pub struct Origin {
    address: SocketAddr,
    scheme: &'static str,
    state: Arc<State>,
    task: JoinHandle<()>,
}

impl Origin {
    /// Starts on a free port.
    pub async fn start() -> Self {
        Self::serve(None).await
    }

    /// Starts on a free port, with TLS.
    pub async fn start_tls(config: Arc<rustls::ServerConfig>) -> Self {
        Self::serve(Some(TlsAcceptor::from(config))).await
    }

    async fn serve(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let scheme = if tls.is_some() { "https" } else { "http" };
        let state = Arc::new(State {
            version: 1.into(),
            ..State::default()
        });
        let task = tokio::spawn(accept(listener, tls, state.clone()));
        Self {
            address,
            scheme,
            state,
            task,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// Everything that was asked for so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().clone()
    }

    /// How often a target was asked for.
    pub fn count(&self, target: &str) -> usize {
        self.state
            .seen
            .lock()
            .iter()
            .filter(|seen| seen.target == target)
            .count()
    }

    /// Octets of bodies handed to connections so far.
    pub fn sent(&self) -> u64 {
        self.state.sent.load(Ordering::Acquire)
    }

    /// Changes the whole site: other bodies, other entity tags.
    pub fn publish(&self, version: u32) {
        self.state.version.store(version, Ordering::Release);
    }

    /// Forgets what was asked for so far.
    pub fn forget(&self) {
        self.state.seen.lock().clear();
    }

    /// Is in trouble from now on.
    pub fn trouble(&self, trouble: Trouble) {
        *self.state.trouble.lock() = Some(trouble);
    }

    /// Hangs up on the next so many requests, on each of them once.
    pub fn hang_up_on(&self, requests: usize) {
        self.state.hang_ups.store(requests, Ordering::Release);
    }

    /// Whether it answers the next request.
    pub fn is_well(&self) -> bool {
        self.state.hang_ups.load(Ordering::Acquire) == 0 && self.state.trouble.lock().is_none()
    }

    /// Is as it was before all trouble.
    pub fn recover(&self) {
        *self.state.trouble.lock() = None;
        self.hang_up_on(0);
    }

    /// Lets requests through that wait, and will wait, at a gate.
    pub fn open(&self, gate: &str) {
        self.state.open.lock().insert(gate.to_owned());
        self.state.opened.notify_waiters();
    }

    /// Lets nobody through a gate any more.
    pub fn close(&self, gate: &str) {
        self.state.open.lock().remove(gate);
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, state: Arc<State>) {
    // Dropped with this task, so that an origin that is gone is gone at once.
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let (tls, state) = (tls.clone(), state.clone());
        connections.spawn(async move {
            let _ = stream.set_nodelay(true);
            let service = service_fn(move |request| answer(state.clone(), request));
            // A peer that breaks off is the peer's affair.
            match tls {
                None => drop(http1_connection(TokioIo::new(stream), service).await),
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        let _ = http1_connection(TokioIo::new(stream), service).await;
                    }
                }
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn http1_connection<I, S>(io: I, service: S) -> hyper::Result<()>
where
    I: hyper::rt::Read + hyper::rt::Write + Unpin + Send,
    S: hyper::service::Service<Request<Incoming>, Response = Response<Body>, Error = io::Error>,
{
    http1::Builder::new()
        .max_buf_size(1 << 20)
        .serve_connection(io, service)
        .await
}

impl State {
    /// Whether this request is one of those to hang up on, and comes for the first time.
    fn hangs_up(&self, fields: &HeaderMap) -> bool {
        if self.hang_ups.load(Ordering::Acquire) == 0 {
            return false;
        }
        let id = fields.get("x-request-id").map(|id| id.as_bytes().to_vec());
        let is_first = id.is_none_or(|id| self.hung_up_on.lock().insert(id));
        let less = |left: usize| left.checked_sub(1);
        let hang_ups = &self.hang_ups;
        is_first
            && hang_ups
                .fetch_update(Ordering::AcqRel, Ordering::Acquire, less)
                .is_ok()
    }

    async fn pass(&self, gate: &str) {
        loop {
            let opened = self.opened.notified();
            if self.open.lock().contains(gate) {
                return;
            }
            opened.await;
        }
    }
}

async fn answer(
    state: Arc<State>,
    request: Request<Incoming>,
) -> Result<Response<Body>, io::Error> {
    let (parts, incoming) = request.into_parts();
    let target = parts
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str())
        .to_owned();
    let body = incoming
        .collect()
        .await
        .map_err(io::Error::other)?
        .to_bytes()
        .len() as u64;
    let (method, fields) = (parts.method, parts.headers);
    let seen = Seen {
        method: method.clone(),
        target: target.clone(),
        fields: fields.clone(),
        body,
    };
    state.seen.lock().push(seen);

    let script = Script::of(&target);
    let trouble = *state.trouble.lock();
    if trouble == Some(Trouble::HangUp) || state.hangs_up(&fields) {
        return Err(io::Error::other("in trouble"));
    }
    if trouble == Some(Trouble::Unavailable) {
        let body = send(state, Script::default(), Bytes::from_static(b"later"));
        let response = Response::builder().status(503);
        return response.body(body).map_err(io::Error::other);
    }
    let version = state.version.load(Ordering::Acquire);
    if let Some(gate) = script.text("hold") {
        state.pass(gate).await;
    }
    let mut response = Response::builder();
    for (name, value) in [
        ("cc", "cache-control"),
        ("cdn", "cdn-cache-control"),
        ("vary", "vary"),
        ("tag", "cache-tag"),
        ("to", "location"),
    ] {
        if let Some(text) = script.text(name) {
            response = response.header(value, text);
        }
    }
    if let Some(keys) = script.text("keys") {
        response = response.header("surrogate-key", keys.replace('+', " "));
    }
    if let Some(names) = script.text("withhold") {
        response = response.header(header::CACHE_CONTROL, format!("private=\"{names}\""));
    }
    if script.text("cookie").is_some() {
        let number = state.cookies.fetch_add(1, Ordering::AcqRel);
        response = response.header(header::SET_COOKIE, format!("visitor={number}"));
    }
    if let Some(octets) = script.number("wide") {
        response = response.header("x-wide", "w".repeat(octets));
    }
    let mut status = script.number("status").unwrap_or(200) as u16;
    if script.text("to").is_some() {
        status = 302;
    }
    if let Some(etag) = script.etag(version) {
        if fields
            .get(header::IF_NONE_MATCH)
            .is_some_and(|has| has.as_bytes() == etag.as_bytes())
        {
            status = 304;
        }
        response = response.header(header::ETAG, etag);
    }
    let mut octets = script.body(&target, &fields, version);
    if script.text("digest").is_some() {
        response = response.header("repr-digest", repr_digest(&octets)?);
    }
    let flip = script.number("flip").filter(|_| version == 1);
    if let Some(octet) = flip.and_then(|at| octets.get_mut(at)) {
        *octet ^= 1;
    }
    if let Some(part) = script
        .part(&fields, version, octets.len())
        .filter(|_| status == 200)
    {
        let (first, last, length) = (part.start, part.end - 1, octets.len());
        let place = format!("bytes {first}-{last}/{length}");
        response = response.header(header::CONTENT_RANGE, place);
        octets = octets[part].to_vec();
        status = 206;
    }
    let is_bodiless = Script::is_bodiless(&method, status);
    if script.text("chunked").is_none() && status != 304 && status != 204 {
        response = response.header(header::CONTENT_LENGTH, octets.len());
    }
    let status = StatusCode::from_u16(status).map_err(io::Error::other)?;
    let octets = if is_bodiless { Vec::new() } else { octets };
    let body = send(state, script, octets.into());
    response.status(status).body(body).map_err(io::Error::other)
}

/// The field that states a body's digest (RFC 9530 §3).
fn repr_digest(body: &[u8]) -> io::Result<String> {
    let mut members = sfv::DictSerializer::new();
    let name = sfv::KeyRef::from_str("sha-256").map_err(io::Error::other)?;
    members.bare_item(name, sfv::RefBareItem::ByteSequence(&Sha256::digest(body)));
    let text = members.finish();
    text.ok_or_else(|| io::Error::other("an empty dictionary"))
}

/// A body in pieces, with what the script says happens on the way.
fn send(state: Arc<State>, script: Script, mut octets: Bytes) -> Body {
    let (pieces, mut waiting) = mpsc::channel::<io::Result<Frame<Bytes>>>(1);
    tokio::spawn(async move {
        let pause = script.text("pause").zip(script.number("at"));
        let cut = script.number("break");
        let mut sent = 0;
        loop {
            if cut == Some(sent) {
                let _ = pieces
                    .send(Err(io::Error::other("as the script says")))
                    .await;
                return;
            }
            if let Some((gate, _)) = pause.filter(|(_, at)| *at == sent) {
                state.pass(gate).await;
            }
            if octets.is_empty() {
                return;
            }
            let marks = [cut, pause.map(|(_, at)| at)].into_iter().flatten();
            let next = marks
                .filter(|mark| *mark > sent)
                .map(|mark| mark - sent)
                .min();
            let piece = octets.split_to(PIECE.min(octets.len()).min(next.unwrap_or(PIECE)));
            sent += piece.len();
            let count = piece.len() as u64;
            if pieces.send(Ok(Frame::data(piece))).await.is_err() {
                return;
            }
            state.sent.fetch_add(count, Ordering::AcqRel);
        }
    });
    let stream = futures::stream::poll_fn(move |cx| waiting.poll_recv(cx));
    StreamBody::new(stream).boxed_unsync()
}
