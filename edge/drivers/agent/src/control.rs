//! The control server: a chain node drives its daemon.
//!
//! It listens on loopback, wants the token before anything else, and bounds every body and wait.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use codec::{DecodeAll, Encode};
use http::{header, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use selvedge_edge_drivers_http::{
    collect, Body, CollectError, ConnInfo, Handler, Limits, Server, ServerHandle,
};
use selvedge_primitives_math::draw::Draw;
use selvedge_primitives_math::fraud::OpenedLeaf;
use selvedge_primitives_math::proof::RangeProof;
use selvedge_primitives_types::agent::{
    AgentStatus, ConfigDelta, HostCheckAnswer, HostCheckRequest, ProbeOrder, ProbeResults,
    MAX_MESSAGE,
};
use selvedge_primitives_types::{Entry, EntryKey, Epoch, UsageCommitment};

use crate::reply::{problem, scale};
use crate::token::Token;

/// How long a message may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// A page of a usage tree: entries and their proof.
pub type Page = (Vec<Entry>, RangeProof<EntryKey>);

/// What a daemon tells its chain node. An `Err` is a text for the operator's log.
pub trait Control: Send + Sync + 'static {
    /// What it is and holds.
    fn status(&self) -> AgentStatus;

    /// Takes what changed on the chain.
    fn configure(
        &self,
        delta: ConfigDelta,
    ) -> impl Future<Output = Result<AgentStatus, String>> + Send;

    /// The commitment of a closed epoch; `None` while it is open or empty.
    fn commitment(&self, epoch: Epoch) -> Option<UsageCommitment>;

    /// Entries of the tree by customer from a cursor.
    fn settle_page(&self, epoch: Epoch, cursor: u32) -> Option<Page>;

    /// Entries of the tree by cache from a cursor.
    fn credit_page(&self, epoch: Epoch, cursor: u32) -> Option<Page>;

    /// A leaf of a closed epoch that the chain wants to see.
    fn open_leaf(&self, epoch: Epoch, draw: &Draw) -> Option<OpenedLeaf>;

    /// Looks for a host's ownership record.
    fn check_host(
        &self,
        request: HostCheckRequest,
    ) -> impl Future<Output = Result<HostCheckAnswer, String>> + Send;

    /// Begins to probe nodes, unless it has begun already; says what was seen so far.
    fn probe(self: Arc<Self>, order: ProbeOrder) -> Result<ProbeResults, String>;
}

/// The control server.
pub struct ControlServer;

impl ControlServer {
    /// Starts it.
    ///
    /// Errors: when the address is not on loopback or cannot be bound.
    pub async fn start<C: Control>(
        address: SocketAddr,
        token: Token,
        control: Arc<C>,
    ) -> io::Result<ServerHandle> {
        if !address.ip().is_loopback() {
            let text = format!("the control server must listen on loopback, not on {address}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let limits = Limits {
            connections: 64,
            connections_per_ip: 64,
            header_bytes: 8 * 1024,
            ..Limits::default()
        };
        let server = Server::bind(address, limits).await?;
        Ok(server.serve(Arc::new(Endpoint { control, token })))
    }
}

struct Endpoint<C> {
    control: Arc<C>,
    token: Token,
}

impl<C: Control> Handler for Endpoint<C> {
    async fn handle(self: Arc<Self>, request: Request<Incoming>, _: ConnInfo) -> Response<Body> {
        let shown = request.headers().get(header::AUTHORIZATION);
        if !self.token.is_in(shown.map(|value| value.as_bytes())) {
            let mut refused = problem(StatusCode::UNAUTHORIZED, "the token is missing or wrong");
            let challenge = header::HeaderValue::from_static("Bearer");
            refused
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, challenge);
            return refused;
        }
        self.dispatch(request).await
    }
}

impl<C: Control> Endpoint<C> {
    async fn dispatch(&self, request: Request<Incoming>) -> Response<Body> {
        let path = request.uri().path().to_owned();
        let Some(path) = path.strip_prefix("/control/v1/") else {
            return not_found();
        };
        let parts: Vec<&str> = path.split('/').collect();
        let control = &self.control;
        match (request.method().clone(), parts.as_slice()) {
            (Method::GET, ["status"]) => scale(control.status().encode()),
            (Method::POST, ["config"]) => match read(request).await {
                Ok(delta) => said(control.configure(delta).await),
                Err(refused) => refused,
            },
            (Method::POST, ["host-check"]) => match read(request).await {
                Ok(asked) => said(control.check_host(asked).await),
                Err(refused) => refused,
            },
            (Method::POST, ["probes"]) => match read(request).await {
                Ok(order) => said(control.clone().probe(order)),
                Err(refused) => refused,
            },
            (Method::POST, ["open", epoch]) => match (epoch.parse(), read(request).await) {
                (Ok(epoch), Ok(draw)) => found(control.open_leaf(Epoch(epoch), &draw)),
                (Ok(_), Err(refused)) => refused,
                (Err(_), _) => not_found(),
            },
            (Method::GET, ["commitment", epoch]) => match epoch.parse() {
                Ok(epoch) => found(control.commitment(Epoch(epoch))),
                Err(_) => not_found(),
            },
            (Method::GET, ["settle", epoch, cursor]) => match (epoch.parse(), cursor.parse()) {
                (Ok(epoch), Ok(cursor)) => found(control.settle_page(Epoch(epoch), cursor)),
                _ => not_found(),
            },
            (Method::GET, ["credit", epoch, cursor]) => match (epoch.parse(), cursor.parse()) {
                (Ok(epoch), Ok(cursor)) => found(control.credit_page(Epoch(epoch), cursor)),
                _ => not_found(),
            },
            _ => not_found(),
        }
    }
}

async fn read<T: codec::Decode>(request: Request<Incoming>) -> Result<T, Response<Body>> {
    let body = collect(request.into_body(), MAX_MESSAGE, BODY_TIMEOUT)
        .await
        .map_err(|error| {
            let status = match error {
                CollectError::TooLong { .. } => StatusCode::PAYLOAD_TOO_LARGE,
                CollectError::TooSlow => StatusCode::REQUEST_TIMEOUT,
                CollectError::Broken(_) => StatusCode::BAD_REQUEST,
            };
            problem(status, &error.to_string())
        })?;
    T::decode_all(&mut &body[..])
        .map_err(|_| problem(StatusCode::BAD_REQUEST, "the body is not the message"))
}

fn said<T: Encode>(answer: Result<T, String>) -> Response<Body> {
    match answer {
        Ok(answer) => scale(answer.encode()),
        Err(text) => problem(StatusCode::CONFLICT, &text),
    }
}

fn found<T: Encode>(answer: Option<T>) -> Response<Body> {
    answer.map_or_else(not_found, |answer| scale(answer.encode()))
}

fn not_found() -> Response<Body> {
    problem(StatusCode::NOT_FOUND, "there is nothing here")
}
