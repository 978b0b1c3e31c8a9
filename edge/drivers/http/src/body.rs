//! The one body type of requests and responses.

use std::pin::Pin;
use std::task::{ready, Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Frame, SizeHint};
use http_body_util::{combinators::UnsyncBoxBody, BodyExt, Empty, Full};
use tokio::sync::mpsc;

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

/// A body that is written while it is sent. It breaks off when the sender is dropped without
/// [`BodySender::finish`], so that half a body is never taken for a whole one. `length` is its
/// exact length, where that is known.
pub fn channel(capacity: usize, length: Option<u64>) -> (BodySender, Body) {
    let (sender, receiver) = mpsc::channel(capacity);
    let body = ChannelBody {
        receiver,
        length,
        is_ended: false,
    };
    (BodySender(sender), body.boxed_unsync())
}

enum Piece {
    Data(Bytes),
    Failed(BodyError),
    End,
}

/// Writes a [`channel`] body.
pub struct BodySender(mpsc::Sender<Piece>);

/// The reader of a body is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nobody reads the body any more")]
pub struct Closed;

impl BodySender {
    /// Hands over the next bytes, when there is room.
    pub async fn send(&self, bytes: Bytes) -> Result<(), Closed> {
        self.0.send(Piece::Data(bytes)).await.map_err(|_| Closed)
    }

    /// The body is complete.
    pub async fn finish(self) -> Result<(), Closed> {
        self.0.send(Piece::End).await.map_err(|_| Closed)
    }

    /// The body breaks off here.
    pub async fn fail(self, error: impl Into<BodyError>) {
        // A reader that is gone needs no error.
        let _ = self.0.send(Piece::Failed(error.into())).await;
    }

    /// Waits until nobody reads any more.
    pub async fn closed(&self) {
        self.0.closed().await;
    }

    /// Whether nobody reads any more.
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
}

struct ChannelBody {
    receiver: mpsc::Receiver<Piece>,
    length: Option<u64>,
    is_ended: bool,
}

impl http_body::Body for ChannelBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        if this.is_ended {
            return Poll::Ready(None);
        }
        let piece = ready!(this.receiver.poll_recv(cx));
        this.is_ended = !matches!(piece, Some(Piece::Data(_)));
        Poll::Ready(match piece {
            Some(Piece::Data(bytes)) => Some(Ok(Frame::data(bytes))),
            Some(Piece::End) => None,
            Some(Piece::Failed(error)) => Some(Err(error)),
            None => Some(Err("the body was given up".into())),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.is_ended
    }

    fn size_hint(&self) -> SizeHint {
        self.length
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
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
