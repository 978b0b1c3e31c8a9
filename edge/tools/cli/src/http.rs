//! Asks gateways over HTTP.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};

/// Sends a request. The answer's body is still to come.
pub async fn send(request: Request<Full<Bytes>>) -> anyhow::Result<Response<Incoming>> {
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    Ok(client.request(request).await?)
}

/// The whole body of an answer.
///
/// Errors: when it breaks off, or is longer than `limit` bytes.
pub async fn whole(response: Response<Incoming>, limit: usize) -> anyhow::Result<Bytes> {
    let body = Limited::new(response.into_body(), limit).collect().await;
    let body = body.map_err(|error| anyhow::anyhow!("{error}"))?;
    Ok(body.to_bytes())
}
