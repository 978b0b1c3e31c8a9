//! Fetches from origins. Redirects are handed to the caller, never followed.
//!
//! A request that was broken off before its answer began is sent again over a connection of its
//! own, if sending it twice does what sending it once does (RFC 9110 §9.2.2), if it has no body,
//! and within a [`Budget`] for each origin.

use std::collections::HashMap;
use std::error::Error as _;
use std::future::Future;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::uri::{Authority, Scheme};
use http::{header, HeaderValue, Method, Request, Response};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::CertificateDer;
use selvedge_edge_core_budget::{Budget, Share};
use tokio_rustls::TlsConnector;

use crate::body::{empty, Body};
use crate::connect::{client_config, ConnectError, Connector};
use crate::guard::AddressGuard;

/// Times a request is sent at most.
const TRIES: usize = 3;
/// Origins whose budgets are remembered; beyond it all begin anew.
const BUDGETS: usize = 16_384;

/// How origins are fetched from.
#[derive(Clone, Debug)]
pub struct OriginOptions {
    /// Whether private addresses are allowed.
    pub guard: AddressGuard,
    /// A PEM file of roots to trust beside the system's.
    pub extra_roots: Option<PathBuf>,
    /// Resolving, connecting and TLS together.
    pub connect_timeout: Duration,
    /// From sending a request to the head of its answer.
    pub head_timeout: Duration,
    /// Bytes of an answer's head.
    pub header_bytes: usize,
    /// Idle connections kept per origin.
    pub idle_connections: usize,
    /// How many of an origin's requests are sent again.
    pub retries: Share,
}

impl Default for OriginOptions {
    fn default() -> Self {
        Self {
            guard: AddressGuard {
                allow_private: false,
            },
            extra_roots: None,
            connect_timeout: Duration::from_secs(10),
            head_timeout: Duration::from_secs(60),
            header_bytes: 64 * 1024,
            idle_connections: 32,
            retries: Share {
                percent: 20,
                burst: 50,
            },
        }
    }
}

/// What a fetch waited for when it took too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The connection.
    Connect,
    /// The head of the answer.
    Head,
}

/// Why an origin gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OriginError {
    /// The extra roots could not be read, or TLS could not be set up.
    #[error("the roots for origins cannot be used: {0}")]
    Roots(String),
    /// The connection failed.
    #[error("no connection to the origin: {0}")]
    Connect(#[source] ConnectError),
    /// It took too long.
    #[error("the origin took too long ({0:?})")]
    TooSlow(Phase),
    /// Its answer is not valid HTTP, or can be read in two ways.
    #[error("the origin's answer is malformed: {0}")]
    Malformed(String),
    /// It closed the connection before it had answered.
    #[error("the origin broke off: {0}")]
    Broken(#[source] hyper_util::client::legacy::Error),
}

/// How long an answer is waited for.
#[derive(Clone, Debug, Default)]
pub struct Patience {
    /// The latest moment for the head of the answer, whatever else is allowed.
    pub deadline: Option<Instant>,
    /// Grows while the request's body is on its way: the time for the head begins when it no longer
    /// does.
    pub progress: Option<Arc<AtomicU64>>,
}

/// An origin, as a URL names it.
type Place = (Option<Scheme>, Option<Authority>);

/// A pool of connections to origins.
pub struct OriginClient {
    client: Client<Connector, Body>,
    /// Keeps no connection, so that what is sent again does not meet another one that has died.
    fresh: Client<Connector, Body>,
    pub(crate) connector: Connector,
    head_timeout: Duration,
    retries: Share,
    budgets: parking_lot::Mutex<HashMap<Place, Budget>>,
    retried: AtomicU64,
}

impl OriginClient {
    /// Reads the roots and makes an empty pool.
    ///
    /// Errors: [`OriginError::Roots`].
    pub fn new(options: &OriginOptions) -> Result<Self, OriginError> {
        let mut extra = Vec::new();
        if let Some(path) = &options.extra_roots {
            let describe = |error: &dyn std::fmt::Display| {
                OriginError::Roots(format!("{}: {error}", path.display()))
            };
            for root in CertificateDer::pem_file_iter(path).map_err(|error| describe(&error))? {
                extra.push(root.map_err(|error| describe(&error))?);
            }
            if extra.is_empty() {
                return Err(describe(&"it holds no certificate"));
            }
        }
        let tls = client_config(&extra).map_err(|error| OriginError::Roots(error.to_string()))?;
        let connector = Connector {
            guard: options.guard,
            tls: TlsConnector::from(tls),
            timeout: options.connect_timeout,
        };
        let build = |idle| {
            Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .timer(TokioTimer::new())
                .pool_idle_timeout(Duration::from_secs(60))
                .pool_max_idle_per_host(idle)
                .http1_max_buf_size(options.header_bytes.max(16 * 1024))
                .http2_max_header_list_size(options.header_bytes as u32)
                .http2_keep_alive_interval(Duration::from_secs(20))
                .http2_adaptive_window(true)
                .build(connector.clone())
        };
        Ok(Self {
            client: build(options.idle_connections),
            fresh: build(0),
            connector,
            head_timeout: options.head_timeout,
            retries: options.retries,
            budgets: parking_lot::Mutex::default(),
            retried: AtomicU64::new(0),
        })
    }

    /// Requests that were sent again so far.
    pub fn retried(&self) -> u64 {
        self.retried.load(Ordering::Relaxed)
    }

    /// Sends a request with an absolute URL and waits for the head of the answer.
    ///
    /// Errors: as [`OriginError`] says; a redirect is no error.
    pub async fn send(
        &self,
        request: Request<Body>,
        patience: &Patience,
    ) -> Result<Response<Incoming>, OriginError> {
        let mut again = repeatable(&request);
        self.budget(&request, Budget::came);
        let mut tried = self.once(&self.client, request, patience).await;
        for _ in 1..TRIES {
            let is_broken_off = tried.as_ref().is_err_and(OriginError::is_broken_off);
            let Some(request) = again.take().filter(|_| is_broken_off) else {
                break;
            };
            if !self.budget(&request, Budget::take) {
                break;
            }
            again = repeatable(&request);
            self.retried.fetch_add(1, Ordering::Relaxed);
            tried = self.once(&self.fresh, request, patience).await;
        }
        tried
    }

    fn budget<T>(&self, request: &Request<Body>, use_it: impl FnOnce(&mut Budget) -> T) -> T {
        let uri = request.uri();
        let place = (uri.scheme().cloned(), uri.authority().cloned());
        let mut budgets = self.budgets.lock();
        if budgets.len() >= BUDGETS && !budgets.contains_key(&place) {
            budgets.clear();
        }
        let budget = budgets.entry(place);
        use_it(budget.or_insert_with(|| Budget::new(self.retries)))
    }

    async fn once(
        &self,
        client: &Client<Connector, Body>,
        request: Request<Body>,
        patience: &Patience,
    ) -> Result<Response<Incoming>, OriginError> {
        let answer = self.wait(client.request(request), patience);
        let mut response = answer.await?.map_err(classify)?;
        check(&mut response).map_err(|fault| OriginError::Malformed(fault.to_owned()))?;
        Ok(response)
    }

    async fn wait<F: Future>(
        &self,
        answer: F,
        patience: &Patience,
    ) -> Result<F::Output, OriginError> {
        let mut answer = std::pin::pin!(answer);
        let progress = patience.progress.as_ref();
        let progressed = || progress.map(|octets| octets.load(Ordering::Relaxed));
        let mut before = progressed();
        loop {
            let now = Instant::now();
            let left = patience
                .deadline
                .map(|end| end.saturating_duration_since(now));
            if left.is_some_and(|left| left.is_zero()) {
                return Err(OriginError::TooSlow(Phase::Head));
            }
            let time = left.map_or(self.head_timeout, |left| left.min(self.head_timeout));
            let reached = tokio::time::timeout(time, answer.as_mut()).await;
            if let Ok(answer) = reached {
                return Ok(answer);
            }
            let is_over = left.is_some_and(|left| left <= self.head_timeout);
            let after = progressed();
            if is_over || after == before {
                return Err(OriginError::TooSlow(Phase::Head));
            }
            before = after;
        }
    }
}

impl OriginError {
    /// Whether the connection failed before anything of an answer had come.
    fn is_broken_off(&self) -> bool {
        matches!(
            self,
            Self::Broken(_) | Self::Connect(ConnectError::Refused(_))
        )
    }
}

/// The same request, if it may be sent twice.
fn repeatable(request: &Request<Body>) -> Option<Request<Body>> {
    let is_idempotent = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE
    );
    if !is_idempotent || !request.body().is_end_stream() {
        return None;
    }
    let mut same = Request::new(empty());
    *same.method_mut() = request.method().clone();
    *same.uri_mut() = request.uri().clone();
    *same.headers_mut() = request.headers().clone();
    Some(same)
}

/// Refuses what an answer's next recipient could read in another way (RFC 9112 §6), and states its
/// length once.
fn check(response: &mut Response<Incoming>) -> Result<(), &'static str> {
    if response.status().is_informational() {
        // Nobody asked to switch protocols, and nothing else of this kind ends an exchange.
        return Err("an informational status instead of an answer");
    }
    let headers = response.headers();
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let has_coding = match (codings.next(), codings.next()) {
        (None, _) => false,
        (Some(coding), None) if coding.as_bytes().eq_ignore_ascii_case(b"chunked") => true,
        _ => return Err("a transfer coding other than chunked"),
    };
    let mut stated = headers
        .get_all(header::CONTENT_LENGTH)
        .iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .map(|length| number(length.trim_ascii()));
    let Some(length) = stated.next() else {
        return Ok(());
    };
    if has_coding {
        return Err("both a length and a transfer coding");
    }
    match length {
        Some(length) if stated.all(|other| other == Some(length)) => {
            let length = HeaderValue::from(length);
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_LENGTH, length);
            Ok(())
        }
        _ => Err("lengths that differ, or are no numbers"),
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(digits).ok().filter(|_| is_number)?;
    text.parse().ok()
}

fn classify(error: hyper_util::client::legacy::Error) -> OriginError {
    if !error.is_connect() {
        let hyper = error.source().and_then(|source| source.downcast_ref());
        return match hyper {
            Some(hyper) if hyper::Error::is_parse(hyper) => {
                OriginError::Malformed(hyper.to_string())
            }
            _ => OriginError::Broken(error),
        };
    }
    // The pool wraps what the connector said; the reason is what the operator and the visitor need.
    let cause = error
        .source()
        .and_then(|source| source.downcast_ref::<ConnectError>());
    match cause {
        Some(ConnectError::TooSlow) => OriginError::TooSlow(Phase::Connect),
        Some(ConnectError::Forbidden(forbidden)) => {
            OriginError::Connect(ConnectError::Forbidden(*forbidden))
        }
        Some(ConnectError::NoSuchName(io)) => {
            OriginError::Connect(ConnectError::NoSuchName(copy(io)))
        }
        Some(ConnectError::Refused(io)) => OriginError::Connect(ConnectError::Refused(copy(io))),
        Some(ConnectError::Tls(io)) => OriginError::Connect(ConnectError::Tls(copy(io))),
        Some(ConnectError::BadUrl(why)) => OriginError::Connect(ConnectError::BadUrl(why)),
        _ => OriginError::Broken(error),
    }
}

fn copy(error: &std::io::Error) -> std::io::Error {
    std::io::Error::new(error.kind(), error.to_string())
}
