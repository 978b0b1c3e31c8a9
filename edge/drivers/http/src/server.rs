//! Accepts connections and hands their requests to a handler.
//!
//! ```text
//! accept -> total and per-address count -+-> TLS ------------------+-> HTTP/1.1 or HTTP/2 -> Handler
//!                                        +-> what is at hand (hit) +
//! ```
//!
//! Shutting down has two steps: [`ServerHandle::drain`] answers on as before but asks those who
//! ask to reconnect elsewhere (`Connection: close`, `GOAWAY`); [`ServerHandle::shutdown`] takes no new connection, lets running
//! requests end, and closes.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::{ready, Future, Ready};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures::FutureExt;
use http::{header, HeaderValue, Request, Response, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use parking_lot::Mutex;
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::{watch, Notify};
use tokio_rustls::TlsAcceptor;

use crate::at_once::AtOnce;
use crate::body::Body;
use crate::hit::{self, End, HitBody, HitHead, PlainRequest, Rewind};
use crate::limits::Limits;
use crate::place::Place;
use crate::socket::{Progress, Socket};
use crate::stall::Watch;
use crate::workers::Workers;

/// How long a peer is waited for to take the end of a connection.
const GOODBYE: Duration = Duration::from_secs(1);

/// What is known of the connection a request came over.
#[derive(Clone, Debug)]
pub struct ConnInfo {
    /// Who sent it.
    pub peer: SocketAddr,
    /// Where it arrived.
    pub local: SocketAddr,
    /// Whether it came over TLS.
    pub is_tls: bool,
    /// The certificate the peer showed, where the TLS set-up asks for one.
    pub certificate: Option<CertificateDer<'static>>,
    /// How far the peer is with what was written.
    pub progress: Arc<Progress>,
}

/// Answers requests. An answer is always given: what goes wrong is an answer too.
pub trait Handler: Send + Sync + 'static {
    /// Whether [`Self::hit`] ever answers.
    const HAS_HITS: bool = false;

    /// Answers a plain request with 200, if everything for it is at hand: writes the whole head and
    /// gives the body. `None`, with nothing done, leaves this request to [`Self::handle`], and with
    /// it all that follow on a connection of HTTP/1.1.
    fn hit(
        &self,
        request: &PlainRequest<'_>,
        connection: &ConnInfo,
        head: HitHead<'_>,
    ) -> Option<HitBody> {
        let _ = (request, connection, head);
        None
    }

    /// Answers one request.
    fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
        connection: ConnInfo,
    ) -> impl Future<Output = Response<Body>> + Send;
}

/// What a server counted since it began.
#[derive(Debug, Default)]
pub struct ServerStats {
    /// Connections open now.
    pub open: AtomicUsize,
    /// Connections accepted.
    pub accepted: AtomicU64,
    /// Connections closed at once because one of the limits was reached.
    pub refused: AtomicU64,
    /// TLS handshakes that failed.
    pub handshakes_failed: AtomicU64,
}

/// A bound address.
pub struct Server {
    listeners: Vec<(Handle, TcpListener)>,
    local: SocketAddr,
    limits: Limits,
    tls: Option<Arc<rustls::ServerConfig>>,
}

impl Server {
    /// Binds an address for the current runtime; port 0 takes a free one.
    pub async fn bind(address: SocketAddr, limits: Limits) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Self::on(vec![(Handle::current(), listener)], limits)
    }

    /// Binds an address for these threads; port 0 takes a free one.
    pub fn bind_each(workers: &Workers, address: SocketAddr, limits: Limits) -> io::Result<Self> {
        Self::on(workers.listeners(address)?, limits)
    }

    fn on(listeners: Vec<(Handle, TcpListener)>, limits: Limits) -> io::Result<Self> {
        let (_, first) = listeners.first().ok_or(io::ErrorKind::InvalidInput)?;
        Ok(Self {
            local: first.local_addr()?,
            listeners,
            limits,
            tls: None,
        })
    }

    /// Speaks TLS with this set-up.
    #[must_use]
    pub fn with_tls(mut self, tls: Arc<rustls::ServerConfig>) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Starts serving.
    pub fn serve<H: Handler>(self, handler: Arc<H>) -> ServerHandle {
        let local = self.local;
        let (stop, stopped) = watch::channel(false);
        let shared = Arc::new(Shared {
            handler,
            limits: self.limits,
            tls: self.tls.map(TlsAcceptor::from),
            per_ip: Mutex::default(),
            stats: Arc::default(),
            is_draining: Arc::default(),
            local,
        });
        let accepting = self.listeners.into_iter().map(|(runtime, listener)| {
            runtime.spawn(accept(listener, shared.clone(), stopped.clone()))
        });
        ServerHandle {
            local,
            stop,
            stats: shared.stats.clone(),
            is_draining: shared.is_draining.clone(),
            accepting: accepting.collect(),
        }
    }
}

/// A running server.
pub struct ServerHandle {
    local: SocketAddr,
    stop: watch::Sender<bool>,
    stats: Arc<ServerStats>,
    is_draining: Arc<AtomicBool>,
    accepting: Vec<tokio::task::JoinHandle<()>>,
}

impl ServerHandle {
    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// What it counted.
    pub fn stats(&self) -> &Arc<ServerStats> {
        &self.stats
    }

    /// Asks clients to go elsewhere with what follows their next request.
    pub fn drain(&self) {
        self.is_draining.store(true, Ordering::Release);
    }

    /// Takes no new connection, lets running requests end, and closes what is left at the deadline.
    /// Says whether all ended in time.
    pub async fn shutdown(self, deadline: Duration) -> bool {
        self.drain();
        let _ = self.stop.send(true);
        futures::future::join_all(self.accepting).await;
        // Every connection task holds a receiver.
        tokio::time::timeout(deadline, self.stop.closed())
            .await
            .is_ok()
    }
}

pub(crate) struct Shared<H> {
    pub(crate) handler: Arc<H>,
    pub(crate) limits: Limits,
    tls: Option<TlsAcceptor>,
    pub(crate) per_ip: Mutex<HashMap<IpAddr, usize>>,
    pub(crate) stats: Arc<ServerStats>,
    pub(crate) is_draining: Arc<AtomicBool>,
    local: SocketAddr,
}

async fn accept<H: Handler>(
    listener: TcpListener,
    shared: Arc<Shared<H>>,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut stop) => {
                // Who has connected believes to be let in already.
                while let Some(Ok((stream, peer))) = listener.accept().now_or_never() {
                    admit(stream, peer, &shared, &stop);
                }
                return;
            }
        };
        match accepted {
            Ok((stream, peer)) => admit(stream, peer, &shared, &stop),
            Err(error) => {
                // Mostly "too many open files": the next moment may be better, a busy loop would
                // not be.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

fn admit<H: Handler>(
    stream: TcpStream,
    peer: SocketAddr,
    shared: &Arc<Shared<H>>,
    stop: &watch::Receiver<bool>,
) {
    match Place::take(shared, peer.ip()) {
        Some(place) => {
            tokio::spawn(connection(stream, peer, place, stop.clone()));
        }
        None => {
            shared.stats.refused.fetch_add(1, Ordering::Relaxed);
        }
    }
}

pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A server that is gone is a stopped one.
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn connection<H: Handler>(
    stream: TcpStream,
    peer: SocketAddr,
    place: Place<H>,
    stop: watch::Receiver<bool>,
) {
    let shared = place.shared.clone();
    let limits = &shared.limits;
    let _ = stream.set_nodelay(true);
    // A connection counts, and is waited for, until nothing is left of it.
    let held = (place, stop.clone());
    let socket = Socket::new(stream, limits.header_timeout, limits.write_timeout, held);
    let mut info = ConnInfo {
        peer,
        local: shared.local,
        is_tls: shared.tls.is_some(),
        certificate: None,
        progress: socket.progress(),
    };
    match &shared.tls {
        None => begin(socket, info, &shared, stop).await,
        Some(acceptor) => {
            let handshake = tokio::time::timeout(limits.handshake_timeout, acceptor.accept(socket));
            match handshake.await {
                Ok(Ok(stream)) => {
                    let (_, session) = stream.get_ref();
                    let shown = session.peer_certificates().and_then(<[_]>::first);
                    info.certificate = shown.map(|shown| shown.clone().into_owned());
                    begin(stream, info, &shared, stop).await;
                }
                failed => {
                    shared
                        .stats
                        .handshakes_failed
                        .fetch_add(1, Ordering::Relaxed);
                    if let Ok(Err(error)) = failed {
                        tracing::debug!(%peer, %error, "TLS handshake failed");
                    }
                }
            }
        }
    }
}

/// Serves a connection that has said nothing yet: what is at hand first.
async fn begin<H, I>(
    mut io: I,
    info: ConnInfo,
    shared: &Arc<Shared<H>>,
    stop: watch::Receiver<bool>,
) where
    H: Handler,
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    if !H::HAS_HITS {
        return http(TokioIo::new(io), info, shared, stop, false).await;
    }
    match hit::run(&mut io, &info, shared, &stop).await {
        End::HandOver { unread, is_begun } => {
            let io = TokioIo::new(Rewind::new(unread, io));
            http(io, info, shared, stop, is_begun).await;
        }
        End::Closed => {
            // TLS has an end of its own, which a peer that is gone does not wait for.
            let _ = tokio::time::timeout(GOODBYE, io.shutdown()).await;
        }
    }
}

/// An answer, now or later.
enum Answering {
    AtHand(Ready<Response<Body>>),
    Waiting(Pin<Box<dyn Future<Output = Response<Body>> + Send>>),
}

impl Future for Answering {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::AtHand(answer) => Pin::new(answer).poll(cx).map(Ok),
            Self::Waiting(answer) => answer.as_mut().poll(cx).map(Ok),
        }
    }
}

/// Serves a connection; `is_begun` says that it has spoken HTTP/1.1 already.
async fn http<H, I>(
    io: I,
    info: ConnInfo,
    shared: &Arc<Shared<H>>,
    mut stop: watch::Receiver<bool>,
    is_begun: bool,
) where
    H: Handler,
    I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let limits = &shared.limits;
    let mut builder = auto::Builder::new(AtOnce);
    if is_begun {
        builder = builder.http1_only();
    }
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(limits.header_bytes.max(8 * 1024))
        .max_headers(limits.header_count);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        .initial_stream_window_size(limits.stream_window)
        .initial_connection_window_size(limits.stream_window.saturating_mul(8))
        .max_header_list_size(limits.header_bytes as u32)
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(20));
    let peer = info.peer;
    let shared = shared.clone();
    let watch = Arc::new(Watch::default());
    let watching = watch.clone();
    let leave = Arc::new(Notify::new());
    let leaving = leave.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let is_http2 = request.version() >= Version::HTTP_2;
        if is_http2 && shared.is_draining.load(Ordering::Acquire) {
            leaving.notify_one();
        }
        let watch = (is_http2 && shared.limits.stall_timeout.is_some()).then(|| watching.clone());
        let watched = move |response: Response<Body>| match watch {
            Some(watch) => response.map(|body| watch.body(body)),
            None => response,
        };
        if H::HAS_HITS && is_http2 {
            if let Some(response) = hit::of_read(&request, &info, &*shared.handler) {
                return Answering::AtHand(ready(watched(response)));
            }
        }
        let (shared, info) = (shared.clone(), info.clone());
        // In a place of its own, or each answer at hand would move as much memory.
        Answering::Waiting(Box::pin(async move {
            let mut response = shared.handler.clone().handle(request, info).await;
            if !is_http2 && shared.is_draining.load(Ordering::Acquire) {
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(header::CONNECTION, close);
            }
            watched(response)
        }))
    });
    let mut connection = std::pin::pin!(builder.serve_connection(io, service));
    // Where nothing is watched, nothing waits.
    let patience = limits.stall_timeout.unwrap_or(limits.write_timeout);
    let patience = patience.max(Duration::from_millis(4));
    let mut looks = tokio::time::interval(patience / 4);
    let mut is_leaving = false;
    let ended = loop {
        tokio::select! {
            // First, so that what has arrived is read before it is asked to end.
            biased;
            ended = connection.as_mut() => break ended,
            () = stopped(&mut stop), if !is_leaving => {
                is_leaving = true;
                connection.as_mut().graceful_shutdown();
            }
            // RFC 9113 §6.8: what has been asked for is answered, and what follows goes elsewhere.
            () = leave.notified(), if !is_leaving => {
                is_leaving = true;
                connection.as_mut().graceful_shutdown();
            }
            _ = looks.tick() => {
                let longest = watch.longest(Instant::now());
                if longest >= patience * 2 {
                    tracing::debug!(%peer, "the peer takes nothing of a response");
                    return;
                }
                // First only new requests are sent elsewhere: the other responses may still end.
                if longest >= patience && !is_leaving {
                    is_leaving = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "a connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::full;
    use hyper_util::rt::TokioExecutor;
    use tokio::io::AsyncReadExt;

    /// Answers at once, or after `release` for `/slow`.
    #[derive(Default)]
    struct Echo {
        entered: Notify,
        release: Notify,
    }

    impl Handler for Echo {
        async fn handle(
            self: Arc<Self>,
            request: Request<Incoming>,
            _: ConnInfo,
        ) -> Response<Body> {
            if request.uri().path() == "/slow" {
                self.entered.notify_one();
                self.release.notified().await;
            }
            Response::new(full(request.uri().path().to_owned()))
        }
    }

    async fn start(limits: Limits) -> (ServerHandle, Arc<Echo>) {
        let server = Server::bind("127.0.0.1:0".parse().unwrap(), limits).await;
        let handler = Arc::new(Echo::default());
        (server.unwrap().serve(handler.clone()), handler)
    }

    async fn exchange(stream: &mut TcpStream, request: &str) -> String {
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    async fn connect(server: &ServerHandle) -> TcpStream {
        TcpStream::connect(server.local_addr()).await.unwrap()
    }

    #[tokio::test]
    async fn heads_are_bounded_in_count_and_time() {
        let limits = Limits {
            header_count: 8,
            header_timeout: Duration::from_millis(100),
            ..Limits::default()
        };
        let (server, _) = start(limits).await;
        let fields = "a: b\r\n".repeat(9);
        let request = format!("GET / HTTP/1.1\r\nhost: x\r\n{fields}\r\n");
        let answer = exchange(&mut connect(&server).await, &request).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
        // A head that never ends, one that ends after the first request, and no head at all.
        for partial in [
            "GET / HTTP/1.1\r\nhost: x\r\na-field: begun",
            "GET /x HTTP/1.1\r\nhost: x\r\n\r\nGET",
            "",
        ] {
            let answer = exchange(&mut connect(&server).await, partial).await;
            assert!(
                !answer.contains("200 OK") || answer.contains("/x"),
                "{answer}"
            );
        }
    }

    #[tokio::test]
    async fn a_response_that_nobody_takes_ends_its_connection_and_no_other() {
        use hyper::client::conn::http2::Builder;
        let limits = Limits {
            stall_timeout: Some(Duration::from_millis(100)),
            ..Limits::default()
        };
        let (server, _) = start(limits).await;
        let io = TokioIo::new(connect(&server).await);
        let mut builder = Builder::new(TokioExecutor::new());
        let builder = builder.initial_stream_window_size(0);
        let (mut sender, connection) = builder.handshake::<_, Body>(io).await.unwrap();
        let connection = tokio::spawn(connection);
        let request = Request::new(crate::body::empty());
        let response = sender.send_request(request).await.unwrap();
        assert_eq!(response.status(), 200);
        // Its end is the server's doing: the request is still held here.
        let _ = connection.await.unwrap();
        drop(response);
        let request = "GET /b HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        let answer = exchange(&mut connect(&server).await, request).await;
        assert!(answer.ends_with("/b"), "{answer}");
        while server.stats().open.load(Ordering::Relaxed) > 0 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn connections_per_address_are_bounded() {
        let limits = Limits {
            connections_per_ip: 2,
            ..Limits::default()
        };
        let (server, _) = start(limits).await;
        let request = "GET /a HTTP/1.1\r\nhost: x\r\n\r\n";
        let mut kept = Vec::new();
        for _ in 0..2 {
            let mut stream = connect(&server).await;
            stream.write_all(request.as_bytes()).await.unwrap();
            assert!(stream.read(&mut [0; 512]).await.unwrap() > 0);
            kept.push(stream);
        }
        let mut third = connect(&server).await;
        assert_eq!(third.read(&mut [0; 8]).await.unwrap_or(0), 0);
        assert_eq!(server.stats().refused.load(Ordering::Relaxed), 1);
        drop(kept.pop());
        while server.stats().open.load(Ordering::Relaxed) > 1 {
            tokio::task::yield_now().await;
        }
        let request = "GET /b HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        let answer = exchange(&mut connect(&server).await, request).await;
        assert!(answer.ends_with("/b"), "{answer}");
    }

    #[tokio::test]
    async fn a_running_request_ends_before_the_server_does() {
        let (server, handler) = start(Limits::default()).await;
        let mut stream = connect(&server).await;
        let running = tokio::spawn(async move {
            exchange(&mut stream, "GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await
        });
        handler.entered.notified().await;
        let address = server.local_addr();
        let ending = tokio::spawn(server.shutdown(Duration::from_secs(60)));
        // The listener is gone before the request is released.
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
        handler.release.notify_one();
        let answer = running.await.unwrap();
        assert!(answer.ends_with("/slow"), "{answer}");
        assert!(answer.to_ascii_lowercase().contains("connection: close"));
        assert!(ending.await.unwrap());
    }
}
