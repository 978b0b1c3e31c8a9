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
/// Bytes in a piece for a connection where only what has arrived counts.
pub const LARGE_PIECE: usize = 512 * 1024;

/// A body of these bytes.
pub fn slices(bytes: Bytes) -> Body {
    all_of(vec![bytes])
}

/// The same in pieces of [`LARGE_PIECE`].
pub fn large_slices(bytes: Bytes) -> Body {
    in_pieces(vec![bytes], LARGE_PIECE)
}

/// A body of these bytes, one after the other.
pub fn all_of(bytes: Vec<Bytes>) -> Body {
    in_pieces(bytes, PIECE)
}

fn in_pieces(mut bytes: Vec<Bytes>, piece: usize) -> Body {
    bytes.retain(|bytes| !bytes.is_empty());
    bytes.reverse();
    let left = bytes.iter().map(|bytes| bytes.len() as u64).sum();
    Slices { bytes, left, piece }.boxed_unsync()
}

struct Slices {
    /// The next ones last; none of them is empty.
    bytes: Vec<Bytes>,
    left: u64,
    piece: usize,
}

impl http_body::Body for Slices {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let Some(bytes) = this.bytes.last_mut() else {
            return Poll::Ready(None);
        };
        let piece = bytes.split_to(bytes.len().min(this.piece));
        if bytes.is_empty() {
            this.bytes.pop();
        }
        this.left -= piece.len() as u64;
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
