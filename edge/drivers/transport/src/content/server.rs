//! Who gives content, or takes it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use selvedge_edge_core_verify::SliceProof;
use selvedge_edge_drivers_http::{channel, collect, Body, BodySender, Closed};
use selvedge_primitives_types::{ContentRef, DeviceId, Hash};

use super::message::{slice_of, GetFrame, PutFrame, MAX_ROOTS, MAX_SOURCES};
use super::{
    ContentRefusal, CopyAnswer, CopyContent, GetContent, HaveContent, Held, HeldSince, PutAnswer,
    PutContent,
};
use crate::error::TransportError;
use crate::framing::FrameReader;
use crate::server::{answer_with, read, status, MESSAGE_TIMEOUT, REPLY_FRAMES};

/// The longest message about content that is not a stream.
const MAX_MESSAGE: usize = 64 * 1024;

/// What a cache does with messages about content. `peer` is the device that the connection proved.
pub trait ContentService: Send + Sync + 'static {
    /// Sends the encoded range of a blob. The request's range is one of the blob.
    fn get_content(
        self: Arc<Self>,
        peer: DeviceId,
        request: GetContent,
        replies: ContentSender,
    ) -> impl Future<Output = ()> + Send;

    /// Takes slices of a blob.
    fn put_content(
        self: Arc<Self>,
        peer: DeviceId,
        put: PutContent,
        slices: PutReceiver,
    ) -> impl Future<Output = PutAnswer> + Send;

    /// Says which blobs are here, whole. There are at most [`MAX_ROOTS`].
    fn have_content(
        self: Arc<Self>,
        peer: DeviceId,
        roots: Vec<Hash>,
    ) -> impl Future<Output = Vec<bool>> + Send;

    /// Fetches a blob from another cache to keep it, or says how that goes. There are at most
    /// [`MAX_SOURCES`].
    fn copy_content(
        self: Arc<Self>,
        peer: DeviceId,
        order: CopyContent,
    ) -> impl Future<Output = CopyAnswer> + Send;

    /// Says what is here, whole, to who knows the version `since` of that.
    fn held_content(
        self: Arc<Self>,
        peer: DeviceId,
        since: Option<u64>,
    ) -> impl Future<Output = Held> + Send;
}

/// Sends a range of a blob.
pub struct ContentSender(BodySender);

impl ContentSender {
    /// Sends bytes of the encoded range when there is room: not none, and less than a frame. Errors
    /// when the peer is gone.
    pub async fn send(&self, bytes: Bytes) -> Result<(), Closed> {
        self.0.send(GetFrame::Data(bytes).to_frame()).await
    }

    /// All was sent.
    pub async fn end(self) {
        self.last(GetFrame::End).await;
    }

    /// It breaks off here.
    pub async fn abort(self) {
        self.last(GetFrame::Abort).await;
    }

    /// Nothing is sent.
    pub async fn refuse(self, refusal: ContentRefusal) {
        self.last(GetFrame::Refused(refusal)).await;
    }

    /// Waits until the peer is gone.
    pub async fn closed(&self) {
        self.0.closed().await;
    }

    async fn last(self, frame: GetFrame) {
        // A peer that is gone needs no end.
        if self.0.send(frame.to_frame()).await.is_ok() {
            let _ = self.0.finish().await;
        }
    }
}

/// A slice that was put. Its proof has the shape that its place demands and its bytes the length;
/// neither is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutSlice {
    /// Number of the slice.
    pub slice: u64,
    /// Its proof.
    pub proof: SliceProof,
    /// Its bytes.
    pub bytes: Bytes,
}

/// Receives slices.
pub struct PutReceiver {
    frames: FrameReader,
    content: ContentRef,
}

impl PutReceiver {
    /// The next slice, all of which must be here within this time; `None` at the end.
    ///
    /// Errors: [`TransportError::Malformed`], [`TransportError::Broken`],
    /// [`TransportError::TooSlow`].
    pub async fn next(&mut self, within: Duration) -> Result<Option<PutSlice>, TransportError> {
        match tokio::time::timeout(within, self.whole()).await {
            Ok(slice) => slice,
            Err(_) => Err(TransportError::TooSlow {
                what: "the next slice of a blob",
            }),
        }
    }

    async fn whole(&mut self) -> Result<Option<PutSlice>, TransportError> {
        let Some(frame) = self.frames.next(Duration::MAX).await? else {
            return Ok(None);
        };
        let PutFrame::Slice { slice, proof } = PutFrame::from_frame(frame)? else {
            return Err(TransportError::Malformed("bytes of no slice"));
        };
        let (proof, length) = slice_of(&self.content, slice, &proof)?;
        let mut bytes = BytesMut::with_capacity(length);
        while bytes.len() < length {
            let frame = self.frames.next(Duration::MAX).await?;
            match frame.map(PutFrame::from_frame).transpose()? {
                Some(PutFrame::Data(piece)) if bytes.len() + piece.len() <= length => {
                    bytes.extend_from_slice(&piece);
                }
                Some(_) => return Err(TransportError::Malformed("a slice of another length")),
                None => return Err(TransportError::Broken("half a slice".to_owned())),
            }
        }
        Ok(Some(PutSlice {
            slice,
            proof,
            bytes: bytes.freeze(),
        }))
    }
}

/// Answers a message about content; `what` is its path below `/v1/content/`.
pub(crate) async fn dispatch<S: ContentService>(
    service: Arc<S>,
    peer: DeviceId,
    what: &str,
    request: Request<Incoming>,
) -> Response<Body> {
    if what == "put" {
        return put(service, peer, request.into_body()).await;
    }
    let body = match collect(request.into_body(), MAX_MESSAGE, MESSAGE_TIMEOUT).await {
        Ok(body) => body,
        Err(error) => {
            tracing::debug!(%peer, %error, "a message could not be read");
            return status(StatusCode::BAD_REQUEST);
        }
    };
    match what {
        "get" => match read::<GetContent>(&body).filter(|request| request.plan().is_ok()) {
            Some(request) => {
                let (sender, body) = channel(REPLY_FRAMES, None);
                tokio::spawn(service.get_content(peer, request, ContentSender(sender)));
                Response::new(body)
            }
            None => status(StatusCode::BAD_REQUEST),
        },
        "have" => match read::<HaveContent>(&body) {
            Some(request) if request.roots.len() <= MAX_ROOTS => {
                answer_with(&service.have_content(peer, request.roots).await)
            }
            _ => status(StatusCode::BAD_REQUEST),
        },
        "copy" => match read::<CopyContent>(&body) {
            Some(order) if order.from.len() <= MAX_SOURCES => {
                answer_with(&service.copy_content(peer, order).await)
            }
            _ => status(StatusCode::BAD_REQUEST),
        },
        "held" => match read::<HeldSince>(&body) {
            Some(since) => answer_with(&service.held_content(peer, since.version).await),
            None => status(StatusCode::BAD_REQUEST),
        },
        _ => status(StatusCode::NOT_FOUND),
    }
}

async fn put<S: ContentService>(service: Arc<S>, peer: DeviceId, body: Incoming) -> Response<Body> {
    let mut frames = FrameReader::new(body);
    let head = match frames.next(MESSAGE_TIMEOUT).await {
        Ok(Some(frame)) => PutFrame::from_frame(frame),
        Ok(None) => Err(TransportError::Malformed("no head")),
        Err(error) => Err(error),
    };
    match head {
        Ok(PutFrame::Head(put)) => {
            let content = put.content;
            let slices = PutReceiver { frames, content };
            answer_with(&service.put_content(peer, put, slices).await)
        }
        Ok(_) => status(StatusCode::BAD_REQUEST),
        Err(error) => {
            tracing::debug!(%peer, %error, "a put could not be read");
            status(StatusCode::BAD_REQUEST)
        }
    }
}
