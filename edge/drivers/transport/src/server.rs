//! The cache's end: hands each message to a [`CacheService`] with the device that sent it.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use codec::{DecodeAll, Encode};
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use selvedge_edge_core_purge::{OrderPurge, PurgeNews, PurgeSync};
use selvedge_edge_core_verify::LeaseId;
use selvedge_edge_drivers_http::{
    channel, collect, empty, full, Body, BodySender, Closed, ConnInfo, Handler, Limits, Server,
};
use selvedge_primitives_types::{
    DeviceId, LeafBody, ProbeAnswerPayload, PurgeAnswer, PurgeRefusal, Signature64,
    SignedPurgeOrder, SignedVoucher,
};

use crate::content::{self, ContentService};
use crate::error::TransportError;
use crate::framing::FrameReader;
use crate::identity::{device_of, Identity};
use crate::message::{
    HoldRequest, InvalidateRequest, LookupRequest, Refusal, Reply, SeedAnswer, SeedMessage,
};
use crate::tls::{server_config, PeerList};

/// The longest body of a message that is not a stream: the leaves of an epoch.
const MAX_MESSAGE: usize = 4 * 1024 * 1024;
/// Streams at a time of one gateway: each visitor who waits for a fetch holds one.
const STREAMS: u32 = 8_192;
/// How long such a body may take.
pub(crate) const MESSAGE_TIMEOUT: Duration = Duration::from_secs(10);
/// Frames of a reply that may wait for the connection.
pub(crate) const REPLY_FRAMES: usize = 4;

/// Where messages about content begin.
const CONTENT: &str = "/v1/content/";

/// What a cache does with messages. `peer` is the device that the connection proved.
pub trait CacheService: ContentService {
    /// Answers a lookup by sending replies until one that ends it.
    fn lookup(
        self: Arc<Self>,
        peer: DeviceId,
        request: LookupRequest,
        replies: ReplySender,
    ) -> impl Future<Output = ()> + Send;

    /// Takes what the holder of a lease fetched.
    fn seed(
        self: Arc<Self>,
        peer: DeviceId,
        lease: LeaseId,
        messages: SeedReceiver,
    ) -> impl Future<Output = SeedAnswer> + Send;

    /// Forgets what an unsafe request made invalid. Says whether it had it, or somebody may have it
    /// from it.
    fn invalidate(
        self: Arc<Self>,
        peer: DeviceId,
        request: InvalidateRequest,
    ) -> impl Future<Output = bool> + Send;

    /// Notes that a gateway goes on answering from memory.
    fn hold(
        self: Arc<Self>,
        peer: DeviceId,
        request: HoldRequest,
    ) -> impl Future<Output = ()> + Send;

    /// Gives a purge its place in the order of its service.
    fn order_purge(
        self: Arc<Self>,
        peer: DeviceId,
        request: OrderPurge,
    ) -> impl Future<Output = Result<SignedPurgeOrder, PurgeRefusal>> + Send;

    /// Keeps a purge and obeys it.
    fn take_purge(
        self: Arc<Self>,
        peer: DeviceId,
        order: SignedPurgeOrder,
    ) -> impl Future<Output = PurgeAnswer> + Send;

    /// Compares purges.
    fn sync_purges(
        self: Arc<Self>,
        peer: DeviceId,
        sync: PurgeSync,
    ) -> impl Future<Output = PurgeNews> + Send;

    /// Takes a voucher; `Err` says why not.
    fn voucher(
        self: Arc<Self>,
        peer: DeviceId,
        voucher: SignedVoucher,
    ) -> impl Future<Output = Result<(), String>> + Send;

    /// Signs the leaves it agrees to.
    fn leaves(
        self: Arc<Self>,
        peer: DeviceId,
        leaves: Vec<LeafBody>,
    ) -> impl Future<Output = Vec<Option<Signature64>>> + Send;

    /// Signs the nonce of a probe, if it is for this cache and the gateway may ask.
    fn answer_probe(&self, peer: DeviceId, asked: &ProbeAnswerPayload) -> Option<Signature64>;
}

/// Sends the replies to one lookup.
pub struct ReplySender(BodySender);

impl ReplySender {
    /// Sends a reply when there is room. Errors when the gateway is gone.
    pub async fn send(&self, reply: &Reply) -> Result<(), Closed> {
        self.0.send(reply.to_frame()).await
    }

    /// The last reply was sent.
    pub async fn finish(self) -> Result<(), Closed> {
        self.0.finish().await
    }

    /// Waits until the gateway is gone.
    pub async fn closed(&self) {
        self.0.closed().await;
    }
}

/// Receives what the holder of a lease sends.
pub struct SeedReceiver(FrameReader);

impl SeedReceiver {
    /// The next message, which must arrive within this time; `None` when the holder hung up.
    pub async fn next(&mut self, within: Duration) -> Result<Option<SeedMessage>, TransportError> {
        match self.0.next(within).await? {
            Some(frame) => SeedMessage::from_frame(frame).map(Some),
            None => Ok(None),
        }
    }
}

/// A server for a cache, ready to [`Server::serve`] the handler that comes with it.
///
/// Errors: [`TransportError::Identity`], or [`TransportError::Broken`] when the address cannot be
/// bound.
pub async fn bind<S: CacheService>(
    address: SocketAddr,
    identity: &Identity,
    peers: Arc<dyn PeerList>,
    limits: Limits,
    service: Arc<S>,
) -> Result<(Server, Arc<impl Handler>), TransportError> {
    let tls = server_config(identity, peers.clone())?;
    let limits = Limits {
        streams: limits.streams.max(STREAMS),
        // A gateway takes no more of a response than its slowest visitor does, and shares the
        // connection among all of them.
        stall_timeout: None,
        ..limits
    };
    let server = Server::bind(address, limits)
        .await
        .map_err(|error| TransportError::Broken(format!("{address}: {error}")))?
        .with_tls(tls);
    Ok((server, Arc::new(Endpoint { service, peers })))
}

struct Endpoint<S> {
    service: Arc<S>,
    peers: Arc<dyn PeerList>,
}

impl<S: CacheService> Handler for Endpoint<S> {
    async fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
        connection: ConnInfo,
    ) -> Response<Body> {
        let peer = connection.certificate.as_ref().and_then(device_of);
        let Some(peer) = peer else {
            return status(StatusCode::FORBIDDEN);
        };
        let is_welcome = match request.uri().path().starts_with(CONTENT) {
            true => self.peers.shares_content(&peer),
            false => self.peers.is_listed(&peer),
        };
        match is_welcome {
            true => self.dispatch(peer, request).await,
            false => status(StatusCode::FORBIDDEN),
        }
    }
}

impl<S: CacheService> Endpoint<S> {
    async fn dispatch(&self, peer: DeviceId, request: Request<Incoming>) -> Response<Body> {
        if request.method() != Method::POST {
            return status(StatusCode::METHOD_NOT_ALLOWED);
        }
        let service = self.service.clone();
        let path = request.uri().path().to_owned();
        if let Some(what) = path.strip_prefix(CONTENT) {
            return content::dispatch(service, peer, what, request).await;
        }
        if let Some(lease) = path.strip_prefix("/v1/seed/") {
            let Ok(lease) = lease.parse() else {
                return status(StatusCode::NOT_FOUND);
            };
            let messages = SeedReceiver(FrameReader::new(request.into_body()));
            let answer = service.seed(peer, LeaseId(lease), messages).await;
            return answer_with(&answer);
        }
        let body = match collect(request.into_body(), MAX_MESSAGE, MESSAGE_TIMEOUT).await {
            Ok(body) => body,
            Err(error) => {
                tracing::debug!(%peer, %error, "a message could not be read");
                return status(StatusCode::BAD_REQUEST);
            }
        };
        match path.as_str() {
            "/v1/lookup" => match read::<LookupRequest>(&body) {
                Some(request) => {
                    let (sender, body) = channel(REPLY_FRAMES, None);
                    tokio::spawn(service.lookup(peer, request, ReplySender(sender)));
                    Response::new(body)
                }
                None => status(StatusCode::BAD_REQUEST),
            },
            "/v1/invalidate" => match read(&body) {
                Some(request) => answer_with(&service.invalidate(peer, request).await),
                None => status(StatusCode::BAD_REQUEST),
            },
            "/v1/hold" => match read(&body) {
                Some(request) => {
                    service.hold(peer, request).await;
                    status(StatusCode::NO_CONTENT)
                }
                None => status(StatusCode::BAD_REQUEST),
            },
            "/v1/purge/order" => match read(&body) {
                Some(request) => answer_with(&service.order_purge(peer, request).await),
                None => status(StatusCode::BAD_REQUEST),
            },
            "/v1/purge/take" => match read(&body) {
                Some(order) => answer_with(&service.take_purge(peer, order).await),
                None => status(StatusCode::BAD_REQUEST),
            },
            "/v1/purge/sync" => match read(&body) {
                Some(sync) => answer_with(&service.sync_purges(peer, sync).await),
                None => status(StatusCode::BAD_REQUEST),
            },
            "/v1/voucher" => match read(&body) {
                Some(voucher) => match service.voucher(peer, voucher).await {
                    Ok(()) => status(StatusCode::NO_CONTENT),
                    Err(reason) => {
                        tracing::warn!(%peer, reason, "a voucher was refused");
                        status(StatusCode::CONFLICT)
                    }
                },
                None => status(StatusCode::BAD_REQUEST),
            },
            "/v1/leaves" => match read(&body) {
                Some(leaves) => answer_with(&service.leaves(peer, leaves).await),
                None => status(StatusCode::BAD_REQUEST),
            },
            "/v1/probe" => match read(&body) {
                Some(asked) => answer_with(&service.answer_probe(peer, &asked)),
                None => status(StatusCode::BAD_REQUEST),
            },
            _ => status(StatusCode::NOT_FOUND),
        }
    }
}

pub(crate) fn read<T: codec::Decode>(body: &Bytes) -> Option<T> {
    T::decode_all(&mut &body[..]).ok()
}

pub(crate) fn answer_with(answer: &impl Encode) -> Response<Body> {
    Response::new(full(answer.encode()))
}

pub(crate) fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(empty());
    *response.status_mut() = status;
    response
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
