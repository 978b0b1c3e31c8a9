//! A body whose bytes are at hand, handed to the connection in pieces.
//!
//! In one piece the whole body would count as handed over at once, and a visitor who leaves early
//! would be charged for it.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use selvedge_edge_drivers_http::{Body, BodyError};

/// Bytes in a piece.
pub const PIECE: usize = 64 * 1024;

/// A body of these bytes.
pub fn slices(bytes: Bytes) -> Body {
    Slices(bytes).boxed_unsync()
}

struct Slices(Bytes);

impl http_body::Body for Slices {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let bytes = &mut self.get_mut().0;
        if bytes.is_empty() {
            return Poll::Ready(None);
        }
        let piece = bytes.split_to(bytes.len().min(PIECE));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.len() as u64)
    }
}
