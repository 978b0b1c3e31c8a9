//! Visitors: HTTP/1.1 and HTTP/2, plain and over TLS, that count every octet of a body.

use crate::http2;
use anyhow::Context;
use bytes::Bytes;
use http::{
    header::{HeaderName, HeaderValue},
    HeaderMap, Method, Request, StatusCode, Version,
};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use std::{net::SocketAddr, sync::Arc};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};
use tokio_rustls::TlsConnector;

/// A request to send.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Method.
    pub method: Method,
    /// Path and query.
    pub target: String,
    /// Fields besides `Host`.
    pub fields: HeaderMap,
    /// Body.
    pub body: Bytes,
}

impl Ask {
    /// `GET` of a target.
    pub fn get(target: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            target: target.into(),
            fields: HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    /// `HEAD` of a target.
    pub fn head(target: impl Into<String>) -> Self {
        Self {
            method: Method::HEAD,
            ..Self::get(target)
        }
    }

    /// `POST` of a body to a target.
    pub fn post(target: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self {
            method: Method::POST,
            body: body.into(),
            ..Self::get(target)
        }
    }

    /// With one more field.
    #[must_use]
    pub fn field(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a field name");
        self.fields
            .append(name, HeaderValue::from_str(value).expect("a field value"));
        self
    }
}

/// A visitor of one host at one address.
#[derive(Clone)]
pub struct Client {
    address: SocketAddr,
    host: String,
    tls: Option<Arc<rustls::ClientConfig>>,
    is_http2: bool,
    receive_buffer: Option<u32>,
}

impl Client {
    /// Speaks HTTP/1.1 in the clear.
    pub fn new(address: SocketAddr, host: impl Into<String>) -> Self {
        Self {
            address,
            host: host.into(),
            tls: None,
            is_http2: false,
            receive_buffer: None,
        }
    }

    /// Speaks HTTP/2; in the clear it simply begins with it.
    #[must_use]
    pub fn http2(mut self) -> Self {
        self.is_http2 = true;
        self
    }

    /// Speaks TLS and trusts these roots only.
    #[must_use]
    pub fn tls(mut self, roots: rustls::RootCertStore) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the ring provider has TLS 1.2 and 1.3")
            .with_root_certificates(roots)
            .with_no_client_auth();
        self.tls = Some(Arc::new(config));
        self
    }

    /// Lets the system, and a window of HTTP/2, hold about this many octets that were not read yet.
    #[must_use]
    pub fn receive_buffer(mut self, octets: u32) -> Self {
        self.receive_buffer = Some(octets);
        self
    }

    /// Opens a connection.
    pub async fn connect(&self) -> anyhow::Result<Line> {
        let socket = TcpSocket::new_v4()?;
        if let Some(octets) = self.receive_buffer {
            socket.set_recv_buffer_size(octets)?;
        }
        let stream = socket.connect(self.address).await?;
        stream.set_nodelay(true)?;
        let Some(config) = &self.tls else {
            return self.shake_hands(stream).await;
        };
        let mut config = (**config).clone();
        let protocol: &[u8] = if self.is_http2 { b"h2" } else { b"http/1.1" };
        config.alpn_protocols = vec![protocol.to_vec()];
        let name = ServerName::try_from(self.host.clone())?;
        let stream = TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await?;
        anyhow::ensure!(
            stream.get_ref().1.alpn_protocol() == Some(protocol),
            "another protocol"
        );
        self.shake_hands(stream).await
    }

    async fn shake_hands<S>(&self, stream: S) -> anyhow::Result<Line>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let sender = if self.is_http2 {
            Sender::Http2(http2::Sender::open(stream, self.receive_buffer).await?)
        } else {
            // A field as long as a test wants must fit.
            let mut builder = http1::Builder::new();
            builder.max_buf_size(1 << 20);
            let (sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            Sender::Http1(sender)
        };
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        Ok(Line {
            sender,
            host: self.host.clone(),
            scheme,
        })
    }

    /// Sends a request over a connection of its own and reads the whole answer.
    pub async fn ask(&self, ask: Ask) -> anyhow::Result<Answer> {
        self.connect().await.context("connecting")?.ask(ask).await
    }

    /// `GET`s a target over a connection of its own.
    ///
    /// Panics when there is no whole answer.
    pub async fn get(&self, target: &str) -> Answer {
        let answer = self.ask(Ask::get(target)).await;
        answer.unwrap_or_else(|error| panic!("GET {target}: {error:#}"))
    }
}

enum Sender {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::Sender),
}

/// An open connection, closed when dropped.
pub struct Line {
    sender: Sender,
    host: String,
    scheme: &'static str,
}

impl Line {
    /// Another user of the same connection, where the protocol has requests side by side.
    ///
    /// Panics over HTTP/1.1.
    pub fn beside(&self) -> Self {
        let Sender::Http2(sender) = &self.sender else {
            panic!("HTTP/1.1 has one request at a time");
        };
        Self {
            sender: Sender::Http2(sender.clone()),
            host: self.host.clone(),
            scheme: self.scheme,
        }
    }

    /// Sends a request and waits for the head of the answer.
    pub async fn begin(&mut self, ask: Ask) -> anyhow::Result<Download> {
        let mut request = Request::new(ask.body);
        *request.method_mut() = ask.method;
        *request.headers_mut() = ask.fields;
        let response = match &mut self.sender {
            Sender::Http1(sender) => {
                *request.uri_mut() = ask.target.parse()?;
                request
                    .headers_mut()
                    .insert(http::header::HOST, self.host.parse()?);
                sender.ready().await?;
                let response = sender.send_request(request.map(Full::new)).await?;
                response.map(Body::Http1)
            }
            Sender::Http2(sender) => {
                let url = format!("{}://{}{}", self.scheme, self.host, ask.target);
                *request.uri_mut() = url.parse()?;
                sender.send(request).await?.map(Body::Http2)
            }
        };
        let (parts, body) = response.into_parts();
        Ok(Download {
            status: parts.status,
            fields: parts.headers,
            version: parts.version,
            body,
            received: 0,
        })
    }

    /// Sends a request and reads the whole answer.
    pub async fn ask(&mut self, ask: Ask) -> anyhow::Result<Answer> {
        self.begin(ask).await?.whole().await
    }
}

/// An answer whose body is being read.
#[derive(Debug)]
pub struct Download {
    /// Status.
    pub status: StatusCode,
    /// Fields.
    pub fields: HeaderMap,
    /// Version of the answer.
    pub version: Version,
    body: Body,
    /// Octets of the body read so far.
    pub received: u64,
}

#[derive(Debug)]
enum Body {
    Http1(Incoming),
    Http2(h2::RecvStream),
}

impl Download {
    /// The next octets; `None` at the end of a whole body.
    pub async fn next(&mut self) -> anyhow::Result<Option<Bytes>> {
        let data = match &mut self.body {
            Body::Http1(body) => loop {
                match body
                    .frame()
                    .await
                    .transpose()?
                    .map(|frame| frame.into_data())
                {
                    // Trailers.
                    Some(Err(_)) => {}
                    Some(Ok(data)) => break Some(data),
                    None => break None,
                }
            },
            Body::Http2(body) => http2::next(body).await?,
        };
        self.received += data.as_ref().map_or(0, |data| data.len() as u64);
        Ok(data)
    }

    /// Reads at least this many octets more.
    pub async fn at_least(&mut self, octets: usize) -> anyhow::Result<Vec<u8>> {
        let mut read = Vec::new();
        while read.len() < octets {
            let data = self.next().await?.context("the body is shorter")?;
            read.extend_from_slice(&data);
        }
        Ok(read)
    }

    /// Reads to the end. Errors when the body breaks off.
    pub async fn whole(mut self) -> anyhow::Result<Answer> {
        let mut body = Vec::new();
        while let Some(data) = self.next().await? {
            body.extend_from_slice(&data);
        }
        let Self {
            status,
            fields,
            version,
            ..
        } = self;
        Ok(Answer {
            status,
            fields,
            version,
            body: body.into(),
        })
    }
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Fields.
    pub fields: HeaderMap,
    /// Version.
    pub version: Version,
    /// Body.
    pub body: Bytes,
}

impl Answer {
    /// All values of a field, joined; empty when it is not there.
    pub fn field(&self, name: &str) -> String {
        let values = self.fields.get_all(name).iter();
        let texts: Vec<_> = values
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect();
        texts.join(", ")
    }

    /// The gateway's reason, where it answered itself.
    pub fn reason(&self) -> String {
        self.field("x-selvedge-reason")
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Sends octets as they are, ends the sending side, and reads until the peer closes.
///
/// A peer that closes with a reset counts as one that closes.
pub async fn raw(address: SocketAddr, octets: &[u8]) -> String {
    let mut stream = TcpStream::connect(address)
        .await
        .expect("the listener is there");
    // A peer that refuses early may not take everything.
    let _ = stream.write_all(octets).await;
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut piece).await {
        answer.extend_from_slice(&piece[..count]);
    }
    String::from_utf8_lossy(&answer).into_owned()
}
