//! The one body type of requests and responses.

use bytes::{Bytes, BytesMut};
use http_body_util::{combinators::UnsyncBoxBody, BodyExt, Empty, Full};
use std::time::Duration;

/// Why a body broke off.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// A body of any kind.
pub type Body = UnsyncBoxBody<Bytes, BodyError>;

/// A body without bytes.
pub fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// A body whose bytes are at hand.
pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// Why [`collect`] gave up.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The body is longer than allowed.
    #[error("the body is longer than {limit} bytes")]
    TooLong {
        /// The most that is read.
        limit: usize,
    },
    /// It did not arrive in time.
    #[error("the body did not arrive in time")]
    TooSlow,
    /// It broke off.
    #[error("the body broke off")]
    Broken(#[source] BodyError),
}

/// Reads a whole body of at most `limit` bytes within `timeout`.
pub async fn collect<B>(body: B, limit: usize, timeout: Duration) -> Result<Bytes, CollectError>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BodyError>,
{
    if body.size_hint().lower() > limit as u64 {
        return Err(CollectError::TooLong { limit });
    }
    let read = async {
        let mut body = std::pin::pin!(body);
        let mut all = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| CollectError::Broken(error.into()))?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            if all.len() + data.len() > limit {
                return Err(CollectError::TooLong { limit });
            }
            all.extend_from_slice(&data);
        }
        Ok(all.freeze())
    };
    tokio::time::timeout(timeout, read)
        .await
        .map_err(|_| CollectError::TooSlow)?
}
