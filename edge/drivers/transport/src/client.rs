//! The gateway's end: one connection per cache, opened when needed, left alone for a while after it
//! failed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use codec::{DecodeAll, Encode};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use parking_lot::Mutex;
use rustls::pki_types::ServerName;
use selvedge_edge_core_purge::{OrderPurge, PurgeNews, PurgeSync};
use selvedge_edge_core_verify::LeaseId;
use selvedge_edge_drivers_http::{channel, collect, full, Body, BodySender, Closed};
use selvedge_primitives_types::{
    DeviceId, LeafBody, ProbeAnswerPayload, PurgeAnswer, PurgeRefusal, Signature64,
    SignedPurgeOrder, SignedVoucher,
};
use tokio::net::TcpStream;
use tokio::sync::Mutex as AsyncMutex;
use tokio_rustls::TlsConnector;

use crate::error::TransportError;
use crate::framing::FrameReader;
use crate::identity::Identity;
use crate::message::{
    HoldRequest, InvalidateRequest, LookupRequest, Reply, SeedAnswer, SeedMessage,
};
use crate::tls::client_config;

/// Bytes a cache may send on one stream, and on all of a connection, before they are read.
const STREAM_WINDOW: u32 = 1024 * 1024;
const CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;
/// Frames of a seed that may wait for the connection.
pub(crate) const SEED_FRAMES: usize = 16;
/// The longest answer that is not a stream.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// How long a gateway waits for caches.
#[derive(Clone, Debug)]
pub struct PeersOptions {
    /// Resolving, connecting and TLS together.
    pub connect_timeout: Duration,
    /// A short message, or the head of a stream.
    pub answer_timeout: Duration,
    /// After a connection failed, it is not tried again for this long, doubled each time up to
    /// [`Self::max_backoff`].
    pub min_backoff: Duration,
    /// The longest pause between two tries.
    pub max_backoff: Duration,
}

impl Default for PeersOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(3),
            answer_timeout: Duration::from_secs(5),
            min_backoff: Duration::from_millis(200),
            max_backoff: Duration::from_secs(10),
        }
    }
}

/// A cache and where it listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PeerAddress {
    /// The device that must answer there.
    pub device: DeviceId,
    /// `host:port`.
    pub endpoint: String,
}

/// Connections to caches.
pub struct Peers {
    identity: Arc<Identity>,
    pub(crate) options: PeersOptions,
    lines: Mutex<HashMap<PeerAddress, Arc<AsyncMutex<Line>>>>,
}

#[derive(Default)]
struct Line {
    sender: Option<SendRequest<Body>>,
    failures: u32,
    resting_until: Option<Instant>,
}

impl Peers {
    /// No connections yet.
    pub fn new(identity: Arc<Identity>, options: PeersOptions) -> Self {
        Self {
            identity,
            options,
            lines: Mutex::default(),
        }
    }

    /// Forgets connections to peers that are not among these.
    pub fn retain(&self, is_known: impl Fn(&PeerAddress) -> bool) {
        self.lines.lock().retain(|peer, _| is_known(peer));
    }

    /// Asks a cache for a response.
    ///
    /// Errors: when it cannot be reached or gives no stream in time.
    pub async fn lookup(
        &self,
        peer: &PeerAddress,
        request: &LookupRequest,
    ) -> Result<ReplyStream, TransportError> {
        let body = full(request.encode());
        let response = self.post(peer, "/v1/lookup", body).await?;
        Ok(ReplyStream(FrameReader::new(response.into_body())))
    }

    /// Starts to seed a cache. The stream is fed by the caller; [`SeedStream::finish`] gives the
    /// cache's answer.
    ///
    /// Errors: when the cache cannot be reached.
    pub async fn seed(
        &self,
        peer: &PeerAddress,
        lease: LeaseId,
    ) -> Result<SeedStream, TransportError> {
        let mut sender = self.connect(peer).await?;
        let (body_sender, body) = channel(SEED_FRAMES, None);
        let request = post_request(peer, &format!("/v1/seed/{}", lease.0), body);
        let answer = tokio::spawn(async move { sender.send_request(request).await });
        Ok(SeedStream {
            sender: body_sender,
            answer,
            timeout: self.options.answer_timeout,
        })
    }

    /// Tells a cache what an unsafe request made invalid. Says whether it had the response, or
    /// somebody may have it from it.
    pub async fn invalidate(
        &self,
        peer: &PeerAddress,
        request: &InvalidateRequest,
    ) -> Result<bool, TransportError> {
        let body = full(request.encode());
        let response = self.post(peer, "/v1/invalidate", body).await?;
        read(response, self.options.answer_timeout).await
    }

    /// Tells a cache which of its keys are answered from memory.
    pub async fn hold(
        &self,
        peer: &PeerAddress,
        request: &HoldRequest,
    ) -> Result<(), TransportError> {
        let body = full(request.encode());
        self.post(peer, "/v1/hold", body).await.map(drop)
    }

    /// Asks a cache, as the owner of the service, for a purge's place in its order.
    pub async fn order_purge(
        &self,
        peer: &PeerAddress,
        request: &OrderPurge,
    ) -> Result<Result<SignedPurgeOrder, PurgeRefusal>, TransportError> {
        let response = self
            .post(peer, "/v1/purge/order", full(request.encode()))
            .await?;
        read(response, self.options.answer_timeout).await
    }

    /// Hands a cache a purge to keep and obey.
    pub async fn take_purge(
        &self,
        peer: &PeerAddress,
        order: &SignedPurgeOrder,
    ) -> Result<PurgeAnswer, TransportError> {
        let body = full(order.encode());
        let response = self.post(peer, "/v1/purge/take", body).await?;
        read(response, self.options.answer_timeout).await
    }

    /// Compares purges with a cache.
    pub async fn sync_purges(
        &self,
        peer: &PeerAddress,
        sync: &PurgeSync,
    ) -> Result<PurgeNews, TransportError> {
        let body = full(sync.encode());
        let response = self.post(peer, "/v1/purge/sync", body).await?;
        read(response, self.options.answer_timeout).await
    }

    /// Hands a voucher to a cache.
    pub async fn voucher(
        &self,
        peer: &PeerAddress,
        voucher: &SignedVoucher,
    ) -> Result<(), TransportError> {
        let body = full(voucher.encode());
        self.post(peer, "/v1/voucher", body).await.map(drop)
    }

    /// Asks a cache to sign leaves. The answer has one place per leaf.
    pub async fn leaves(
        &self,
        peer: &PeerAddress,
        leaves: &[LeafBody],
    ) -> Result<Vec<Option<Signature64>>, TransportError> {
        let response = self.post(peer, "/v1/leaves", full(leaves.encode())).await?;
        let signatures: Vec<Option<Signature64>> =
            read(response, self.options.answer_timeout).await?;
        if signatures.len() != leaves.len() {
            return Err(TransportError::Malformed("another number of signatures"));
        }
        Ok(signatures)
    }

    /// Asks a cache to sign the nonce of a probe; `None` when it does not want to.
    pub async fn probe(
        &self,
        peer: &PeerAddress,
        asked: &ProbeAnswerPayload,
    ) -> Result<Option<Signature64>, TransportError> {
        let response = self.post(peer, "/v1/probe", full(asked.encode())).await?;
        read(response, self.options.answer_timeout).await
    }

    pub(crate) async fn post(
        &self,
        peer: &PeerAddress,
        path: &str,
        body: Body,
    ) -> Result<Response<Incoming>, TransportError> {
        let mut sender = self.connect(peer).await?;
        let request = post_request(peer, path, body);
        let answer =
            tokio::time::timeout(self.options.answer_timeout, sender.send_request(request))
                .await
                .map_err(|_| TransportError::TooSlow {
                    what: "the answer of a cache",
                })?
                .map_err(|error| TransportError::Broken(error.to_string()))?;
        succeed(answer)
    }

    pub(crate) async fn connect(
        &self,
        peer: &PeerAddress,
    ) -> Result<SendRequest<Body>, TransportError> {
        let line = self.lines.lock().entry(peer.clone()).or_default().clone();
        // Whoever comes first dials; the others wait for the same connection.
        let mut line = line.lock().await;
        if let Some(sender) = line.sender.as_ref().filter(|sender| !sender.is_closed()) {
            return Ok(sender.clone());
        }
        line.sender = None;
        if line
            .resting_until
            .is_some_and(|until| Instant::now() < until)
        {
            return Err(TransportError::BackingOff { peer: peer.device });
        }
        match self.dial(peer).await {
            Ok(sender) => {
                *line = Line {
                    sender: Some(sender.clone()),
                    ..Line::default()
                };
                Ok(sender)
            }
            Err(error) => {
                let pause = self
                    .options
                    .min_backoff
                    .saturating_mul(1 << line.failures.min(16))
                    .min(self.options.max_backoff);
                line.failures += 1;
                line.resting_until = Some(Instant::now() + pause);
                Err(error)
            }
        }
    }

    async fn dial(&self, peer: &PeerAddress) -> Result<SendRequest<Body>, TransportError> {
        let fail = |reason: &dyn std::fmt::Display| TransportError::Connect {
            peer: peer.device,
            reason: format!("{}: {reason}", peer.endpoint),
        };
        let tls = TlsConnector::from(client_config(&self.identity, peer.device)?);
        let dialling = async {
            let stream = TcpStream::connect(&peer.endpoint)
                .await
                .map_err(|error| fail(&error))?;
            stream.set_nodelay(true).map_err(|error| fail(&error))?;
            let name = ServerName::try_from("selvedge.invalid").map_err(|error| fail(&error))?;
            let stream = tls
                .connect(name, stream)
                .await
                .map_err(|error| fail(&error))?;
            hyper::client::conn::http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .initial_stream_window_size(STREAM_WINDOW)
                .initial_connection_window_size(CONNECTION_WINDOW)
                .keep_alive_interval(Duration::from_secs(10))
                .keep_alive_timeout(Duration::from_secs(10))
                .handshake(TokioIo::new(stream))
                .await
                .map_err(|error| fail(&error))
        };
        let (sender, connection) = tokio::time::timeout(self.options.connect_timeout, dialling)
            .await
            .map_err(|_| fail(&"timed out"))??;
        let device = peer.device;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%device, %error, "a connection to a cache ended");
            }
        });
        Ok(sender)
    }
}

pub(crate) fn post_request(peer: &PeerAddress, path: &str, body: Body) -> Request<Body> {
    // The authority only has to be one: who the peer is was settled by TLS.
    let uri = http::Uri::builder()
        .scheme("https")
        .authority(peer.endpoint.as_str())
        .path_and_query(path)
        .build()
        .unwrap_or_else(|_| http::Uri::from_static("https://selvedge.invalid/"));
    let mut request = Request::new(body);
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() = uri;
    request
}

pub(crate) fn succeed(answer: Response<Incoming>) -> Result<Response<Incoming>, TransportError> {
    match answer.status() {
        StatusCode::OK | StatusCode::NO_CONTENT => Ok(answer),
        status => Err(TransportError::Status(status.as_u16())),
    }
}

pub(crate) async fn read<T: codec::Decode>(
    response: Response<Incoming>,
    timeout: Duration,
) -> Result<T, TransportError> {
    let body = collect(response.into_body(), MAX_ANSWER, timeout)
        .await
        .map_err(|error| TransportError::Broken(error.to_string()))?;
    T::decode_all(&mut &body[..]).map_err(|_| TransportError::Malformed("an answer that is none"))
}

/// A cache's replies to a lookup.
pub struct ReplyStream(FrameReader);

impl ReplyStream {
    /// The next reply, which must arrive within this time; `None` at the end of the stream.
    ///
    /// Errors: [`TransportError::Malformed`], [`TransportError::Broken`],
    /// [`TransportError::TooSlow`].
    pub async fn next(&mut self, within: Duration) -> Result<Option<Reply>, TransportError> {
        match self.0.next(within).await? {
            Some(frame) => Reply::from_frame(frame).map(Some),
            None => Ok(None),
        }
    }
}

/// Feeds a cache under a lease.
pub struct SeedStream {
    sender: BodySender,
    answer: tokio::task::JoinHandle<hyper::Result<Response<Incoming>>>,
    timeout: Duration,
}

impl SeedStream {
    /// Sends a message when there is room. Errors when the cache takes no more.
    pub async fn send(&self, message: &SeedMessage) -> Result<(), Closed> {
        self.sender.send(message.to_frame()).await
    }

    /// The last message was sent; waits for what the cache says.
    pub async fn finish(self) -> Result<SeedAnswer, TransportError> {
        // A cache that answered early takes no end, but its answer is there.
        let _ = self.sender.finish().await;
        let response = tokio::time::timeout(self.timeout, self.answer)
            .await
            .map_err(|_| TransportError::TooSlow {
                what: "the answer to a seed",
            })?
            .map_err(|error| TransportError::Broken(error.to_string()))?
            .map_err(|error| TransportError::Broken(error.to_string()))?;
        read(succeed(response)?, self.timeout).await
    }
}
