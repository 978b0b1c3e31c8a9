//! Fetches from a server by its address, whatever host the URL names: as a visitor does once the DNS has told it where.

use http::{header, uri::Authority, HeaderValue, Request, Response, Uri};
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::Connection;
use hyper_util::rt::TokioExecutor;

use crate::body::Body;
use crate::connect::ConnectError;
use crate::origin::OriginClient;

/// Why a server gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum ThroughError {
    /// The server or the URL cannot be connected to.
    #[error("no connection to the server: {0}")]
    Connect(#[from] ConnectError),
    /// It gave no answer that is HTTP.
    #[error("the server broke off: {0}")]
    Broken(#[from] hyper::Error),
}

impl OriginClient {
    /// Sends a request with an absolute URL to the server at `host:port`, over a connection of its own that ends with the
    /// answer. Over TLS the server must show a certificate for the URL's host.
    ///
    /// It waits for the head without a limit of its own. Errors: [`ThroughError`].
    pub async fn send_through(
        &self,
        server: &str,
        mut request: Request<Body>,
    ) -> Result<Response<Incoming>, ThroughError> {
        let server: Authority = server
            .parse()
            .map_err(|_| ConnectError::BadUrl("the server is no host and port"))?;
        let port = server
            .port_u16()
            .ok_or(ConnectError::BadUrl("the server has no port"))?;
        let opening = self.connector.open_at(server.host(), port, request.uri());
        let stream = match tokio::time::timeout(self.connector.timeout, opening).await {
            Ok(stream) => stream?,
            Err(_) => return Err(ConnectError::TooSlow.into()),
        };
        if stream.connected().is_negotiated_h2() {
            let builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
            let (mut sender, connection) = builder.handshake(stream).await?;
            tokio::spawn(connection);
            return Ok(sender.send_request(request).await?);
        }
        to_origin_form(&mut request)?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await?;
        tokio::spawn(connection);
        Ok(sender.send_request(request).await?)
    }
}

/// RFC 9112 §3.2.1: the path alone, and the host in a field.
fn to_origin_form(request: &mut Request<Body>) -> Result<(), ConnectError> {
    let uri = request.uri().clone();
    let authority = uri.authority().ok_or(ConnectError::BadUrl("no host"))?;
    let host = HeaderValue::from_str(authority.as_str())
        .map_err(|_| ConnectError::BadUrl("the host is no field value"))?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    *request.uri_mut() = path
        .parse::<Uri>()
        .map_err(|_| ConnectError::BadUrl("the path is none"))?;
    request.headers_mut().insert(header::HOST, host);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::{collect, empty};
    use crate::guard::AddressGuard;
    use crate::origin::OriginOptions;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    fn client() -> OriginClient {
        let options = OriginOptions {
            guard: AddressGuard {
                allow_private: true,
            },
            ..OriginOptions::default()
        };
        OriginClient::new(&options).unwrap()
    }

    fn get(url: &str) -> Request<Body> {
        let mut request = Request::new(empty());
        *request.uri_mut() = url.parse().unwrap();
        request
    }

    #[tokio::test]
    async fn the_server_is_asked_for_the_host_of_the_url() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = listener.local_addr().unwrap().to_string();
        let serving = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody";
            stream.write_all(answer).await.unwrap();
            String::from_utf8(head).unwrap()
        });
        let response = client()
            .send_through(&server, get("http://site.test/a?b"))
            .await
            .unwrap();
        let body = collect(response.into_body(), 4, Duration::from_secs(5))
            .await
            .unwrap();
        assert_eq!(body, "body");
        let head = serving.await.unwrap();
        assert!(head.starts_with("GET /a?b HTTP/1.1\r\n"), "{head}");
        assert!(head.contains("host: site.test\r\n"), "{head}");
    }

    #[tokio::test]
    async fn what_is_no_server_is_an_error() {
        for server in ["", "127.0.0.1", "a b:1", "127.0.0.1:99999"] {
            let sent = client()
                .send_through(server, get("http://site.test/"))
                .await;
            assert!(matches!(sent, Err(ThroughError::Connect(_))), "{server:?}");
        }
    }
}
