//! Who asks for content, or puts it.

use std::ops::Range;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use codec::Encode;
use http::Response;
use hyper::body::Incoming;
use selvedge_edge_core_verify::{shape, RangePlan, SliceProof, StreamDecoder};
use selvedge_edge_drivers_http::{channel, full, BodySender, Closed};
use selvedge_primitives_types::{ContentRef, Hash, ServiceId};

use super::message::{GetFrame, PutFrame};
use super::{
    ContentError, CopyAnswer, CopyContent, GetContent, HaveContent, PutAnswer, PutContent,
};
use crate::client::{post_request, read, succeed, PeerAddress, Peers, SEED_FRAMES};
use crate::error::TransportError;
use crate::framing::FrameReader;

/// Bytes of a slice in one frame.
const PIECE: usize = 96 * 1024;

impl Peers {
    /// Asks a cache for a range of a blob. The whole of an empty blob is `0..0`.
    ///
    /// Errors: [`ContentError::Range`], or when the cache cannot be reached or gives no stream in time.
    pub async fn get_content(
        &self,
        peer: &PeerAddress,
        service: ServiceId,
        content: ContentRef,
        range: Range<u64>,
    ) -> Result<ContentStream, ContentError> {
        let request = GetContent {
            service,
            content,
            start: range.start,
            end: range.end,
        };
        let plan = request.plan().map_err(ContentError::Range)?;
        let body = full(request.encode());
        let response = self.post(peer, "/v1/content/get", body).await?;
        Ok(ContentStream {
            frames: FrameReader::new(response.into_body()),
            decoder: Some(StreamDecoder::new(content.root, plan.clone())),
            plan,
            given: 0,
        })
    }

    /// Fetches a whole slice with its proof, of the shape that its place demands, within this time. Neither is
    /// verified: that is for whoever keeps them.
    pub async fn get_slice(
        &self,
        peer: &PeerAddress,
        service: ServiceId,
        content: ContentRef,
        slice: u64,
        within: Duration,
    ) -> Result<(SliceProof, Bytes), ContentError> {
        let range = shape::slice_bytes(content.length, slice);
        let stream = self
            .get_content(peer, service, content, range.clone())
            .await?;
        let encoded = match tokio::time::timeout(within, stream.encoded()).await {
            Ok(encoded) => encoded?,
            Err(_) => return Err(TransportError::TooSlow { what: "a slice" }.into()),
        };
        let length = (range.end - range.start) as usize;
        let bytes = encoded.slice(encoded.len() - length..);
        let proof = &encoded[..encoded.len() - length];
        let proof = SliceProof::from_bytes(content.length, slice, proof);
        Ok((proof.map_err(ContentError::Unverified)?, bytes))
    }

    /// Starts to put slices of a blob. [`PutStream::finish`] gives the answer: without a slice sent,
    /// what is missing.
    ///
    /// Errors: when the cache cannot be reached.
    pub async fn put_content(
        &self,
        peer: &PeerAddress,
        put: &PutContent,
    ) -> Result<PutStream, ContentError> {
        let mut sender = self.connect(peer).await?;
        let (body_sender, body) = channel(SEED_FRAMES, None);
        let request = post_request(peer, "/v1/content/put", body);
        let answer = tokio::spawn(async move { sender.send_request(request).await });
        // One that is gone says so when it is asked for its answer.
        let _ = body_sender
            .send(PutFrame::Head(put.clone()).to_frame())
            .await;
        Ok(PutStream {
            sender: body_sender,
            answer,
            timeout: self.options.answer_timeout,
        })
    }

    /// Asks a cache which blobs it has, whole. The answer has one place per root.
    pub async fn have_content(
        &self,
        peer: &PeerAddress,
        roots: &[Hash],
    ) -> Result<Vec<bool>, ContentError> {
        let request = HaveContent {
            roots: roots.to_vec(),
        };
        let body = full(request.encode());
        let response = self.post(peer, "/v1/content/have", body).await?;
        let have: Vec<bool> = read(response, self.options.answer_timeout).await?;
        if have.len() != roots.len() {
            return Err(TransportError::Malformed("an answer of another length").into());
        }
        Ok(have)
    }

    /// Orders a cache to fetch a blob and to keep it, or asks how it goes.
    pub async fn copy_content(
        &self,
        peer: &PeerAddress,
        order: &CopyContent,
    ) -> Result<CopyAnswer, ContentError> {
        let body = full(order.encode());
        let response = self.post(peer, "/v1/content/copy", body).await?;
        Ok(read(response, self.options.answer_timeout).await?)
    }
}

/// A range of a blob as it comes, verified.
pub struct ContentStream {
    frames: FrameReader,
    /// Gone once the stream has ended or failed.
    decoder: Option<StreamDecoder>,
    plan: RangePlan,
    given: u64,
}

impl ContentStream {
    /// The next verified bytes, never empty, which must be here within this time; `None` once all of
    /// the range was given. After an error it gives nothing more.
    ///
    /// Errors: [`ContentError`].
    pub async fn next(&mut self, within: Duration) -> Result<Option<Bytes>, ContentError> {
        // A peer that sends a byte now and then is as slow as one that sends none.
        let next = match tokio::time::timeout(within, self.verified()).await {
            Ok(next) => next,
            Err(_) => Err(ContentError::Transport(TransportError::TooSlow {
                what: "the next group of a blob",
            })),
        };
        match &next {
            Ok(Some(bytes)) => self.given += bytes.len() as u64,
            _ => self.decoder = None,
        }
        next
    }

    /// What of the range was not given out yet: where to go on with another cache.
    pub fn rest(&self) -> Range<u64> {
        let range = self.plan.range();
        range.start + self.given..range.end
    }

    /// All of the encoded range, as long as it must be, unverified.
    async fn encoded(mut self) -> Result<Bytes, ContentError> {
        let length = self.plan.encoded_length() as usize;
        let mut encoded = BytesMut::with_capacity(length);
        loop {
            match self.frame().await? {
                Some(bytes) if encoded.len() + bytes.len() <= length => {
                    encoded.extend_from_slice(&bytes);
                }
                None if encoded.len() == length => return Ok(encoded.freeze()),
                Some(_) => return Err(TransportError::Malformed("more than was asked for").into()),
                None => return Err(TransportError::Malformed("an end before all").into()),
            }
        }
    }

    /// The next bytes of the encoded range; `None` at its end.
    async fn frame(&mut self) -> Result<Option<Bytes>, ContentError> {
        let frame = self.frames.next(Duration::MAX).await?;
        let frame = frame.ok_or_else(|| TransportError::Broken("no end came".to_owned()))?;
        match GetFrame::from_frame(frame)? {
            GetFrame::Data(bytes) => Ok(Some(bytes)),
            GetFrame::End => Ok(None),
            GetFrame::Abort => Err(ContentError::Aborted),
            GetFrame::Refused(refusal) => Err(ContentError::Refused(refusal)),
        }
    }

    async fn verified(&mut self) -> Result<Option<Bytes>, ContentError> {
        loop {
            let Some(decoder) = &mut self.decoder else {
                return Ok(None);
            };
            if let Some(bytes) = decoder.next().map_err(ContentError::Unverified)? {
                return Ok(Some(bytes));
            }
            let is_done = decoder.is_done();
            match (self.frame().await?, &mut self.decoder) {
                (Some(bytes), Some(decoder)) => decoder.push(&bytes),
                (None, _) if !is_done => {
                    return Err(TransportError::Malformed("an end before all").into());
                }
                _ => return Ok(None),
            }
        }
    }
}

/// Puts slices of a blob.
pub struct PutStream {
    sender: BodySender,
    answer: tokio::task::JoinHandle<hyper::Result<Response<Incoming>>>,
    timeout: Duration,
}

impl PutStream {
    /// Sends a slice when there is room. Errors when the cache takes no more; then
    /// [`PutStream::finish`] says why.
    pub async fn send(&self, slice: u64, proof: &SliceProof, bytes: Bytes) -> Result<(), Closed> {
        let head = PutFrame::Slice {
            slice,
            proof: proof.to_bytes().into(),
        };
        self.sender.send(head.to_frame()).await?;
        let mut rest = bytes;
        while !rest.is_empty() {
            let piece = rest.split_to(PIECE.min(rest.len()));
            self.sender.send(PutFrame::Data(piece).to_frame()).await?;
        }
        Ok(())
    }

    /// The last slice was sent; waits for what the cache says.
    pub async fn finish(self) -> Result<PutAnswer, ContentError> {
        // A cache that answered early takes no end, but its answer is there.
        let _ = self.sender.finish().await;
        let broken = |error: &dyn std::fmt::Display| TransportError::Broken(error.to_string());
        let response = tokio::time::timeout(self.timeout, self.answer)
            .await
            .map_err(|_| TransportError::TooSlow {
                what: "the answer to a put",
            })?
            .map_err(|error| broken(&error))?
            .map_err(|error| broken(&error))?;
        Ok(read(succeed(response)?, self.timeout).await?)
    }
}
