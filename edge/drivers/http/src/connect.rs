//! Opens connections to origins: resolve, check every address, connect, TLS.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_rustls::TlsConnector;
use tower_service::Service;

use crate::guard::{AddressGuard, ForbiddenAddress};

/// Addresses of one name that are tried.
const MAX_ADDRESSES: usize = 6;

/// Why no connection to an origin came about.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The URL is not one of an origin.
    #[error("not the URL of an origin: {0}")]
    BadUrl(&'static str),
    /// The name does not resolve.
    #[error("the origin's name does not resolve")]
    NoSuchName(#[source] io::Error),
    /// Every address of the name is one that the operator does not allow.
    #[error(transparent)]
    Forbidden(#[from] ForbiddenAddress),
    /// No address took the connection.
    #[error("the origin takes no connection")]
    Refused(#[source] io::Error),
    /// TLS failed: mostly a certificate that does not verify.
    #[error("TLS with the origin failed")]
    Tls(#[source] io::Error),
    /// It took too long.
    #[error("connecting to the origin took too long")]
    TooSlow,
}

/// Makes connections for a pooled client.
#[derive(Clone)]
pub(crate) struct Connector {
    pub(crate) guard: AddressGuard,
    pub(crate) tls: TlsConnector,
    pub(crate) timeout: Duration,
}

impl Connector {
    async fn open(self, uri: Uri) -> Result<OriginStream, ConnectError> {
        let default = if uri.scheme_str() == Some("https") {
            443
        } else {
            80
        };
        let port = uri.port_u16().unwrap_or(default);
        let host = uri.host().ok_or(ConnectError::BadUrl("no host"))?;
        self.open_at(host, port, &uri).await
    }

    /// Connects to a server by its own name, for a URL whose host it answers to.
    pub(crate) async fn open_at(
        &self,
        server: &str,
        port: u16,
        uri: &Uri,
    ) -> Result<OriginStream, ConnectError> {
        let plain = |host: &str| host.trim_matches(['[', ']']).to_owned();
        let host = plain(uri.host().ok_or(ConnectError::BadUrl("no host"))?);
        let is_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(ConnectError::BadUrl("neither http nor https")),
        };
        let stream = self.connect(&plain(server), port).await?;
        // Both ends have small heads to send: waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        if !is_tls {
            return Ok(OriginStream::Plain(TokioIo::new(stream)));
        }
        let name =
            ServerName::try_from(host).map_err(|_| ConnectError::BadUrl("the host is no name"))?;
        let stream = self
            .tls
            .connect(name, stream)
            .await
            .map_err(ConnectError::Tls)?;
        Ok(OriginStream::Tls(Box::new(TokioIo::new(stream))))
    }

    async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, ConnectError> {
        let resolved: Vec<SocketAddr> = match host.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, port)],
            Err(_) => tokio::net::lookup_host((host, port))
                .await
                .map_err(ConnectError::NoSuchName)?
                .collect(),
        };
        let mut forbidden = None;
        let mut allowed = Vec::new();
        for address in resolved {
            match self.guard.check(address.ip()) {
                Ok(()) => allowed.push(address),
                Err(error) => forbidden = Some(error),
            }
        }
        if allowed.is_empty() {
            return Err(match forbidden {
                Some(error) => error.into(),
                None => ConnectError::NoSuchName(io::ErrorKind::NotFound.into()),
            });
        }
        allowed.truncate(MAX_ADDRESSES);
        let each = self.timeout / allowed.len() as u32;
        let mut last = io::Error::from(io::ErrorKind::TimedOut);
        for address in allowed {
            match tokio::time::timeout(each, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = error,
                Err(_) => {}
            }
        }
        Err(match last.kind() {
            io::ErrorKind::TimedOut => ConnectError::TooSlow,
            _ => ConnectError::Refused(last),
        })
    }
}

impl Service<Uri> for Connector {
    type Response = OriginStream;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<OriginStream, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let this = self.clone();
        let timeout = self.timeout;
        Box::pin(async move {
            match tokio::time::timeout(timeout, this.open(uri)).await {
                Ok(result) => result,
                Err(_) => Err(ConnectError::TooSlow),
            }
        })
    }
}

/// A connection to an origin.
pub(crate) enum OriginStream {
    Plain(TokioIo<TcpStream>),
    Tls(Box<TokioIo<TlsStream<TcpStream>>>),
}

impl Connection for OriginStream {
    fn connected(&self) -> Connected {
        match self {
            Self::Plain(_) => Connected::new(),
            Self::Tls(stream) => {
                let (_, session) = stream.inner().get_ref();
                match session.alpn_protocol() {
                    Some(b"h2") => Connected::new().negotiated_h2(),
                    _ => Connected::new(),
                }
            }
        }
    }
}

impl Read for OriginStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl Write for OriginStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

/// The roots an origin's certificate is checked against.
pub(crate) fn client_config(
    extra_roots: &[rustls::pki_types::CertificateDer<'static>],
) -> Result<Arc<rustls::ClientConfig>, rustls::Error> {
    let mut roots = rustls::RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    for error in &native.errors {
        tracing::warn!(%error, "a system root certificate could not be read");
    }
    roots.add_parsable_certificates(native.certs);
    for root in extra_roots {
        roots.add(root.clone())?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
