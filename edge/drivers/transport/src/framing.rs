//! Frames in a streaming body: length (`u32`, little endian), then that many bytes.

use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::error::TransportError;

/// The most bytes in one frame, without its length.
pub const MAX_FRAME: usize = 128 * 1024;

/// Writes a frame whose content `fill` appends.
pub(crate) fn frame(size: usize, fill: impl FnOnce(&mut BytesMut)) -> Bytes {
    let mut bytes = BytesMut::with_capacity(4 + size);
    bytes.put_u32_le(0);
    fill(&mut bytes);
    let length = (bytes.len() - 4) as u32;
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    bytes.freeze()
}

/// Reads frames from a body.
pub(crate) struct FrameReader {
    body: Incoming,
    buffer: BytesMut,
}

impl FrameReader {
    pub(crate) fn new(body: Incoming) -> Self {
        Self {
            body,
            buffer: BytesMut::new(),
        }
    }

    /// The next frame, which must arrive within this time; `None` at the end of the stream.
    pub(crate) async fn next(&mut self, within: Duration) -> Result<Option<Bytes>, TransportError> {
        match tokio::time::timeout(within, self.read()).await {
            Ok(result) => result,
            Err(_) => Err(TransportError::TooSlow {
                what: "the next frame",
            }),
        }
    }

    async fn read(&mut self) -> Result<Option<Bytes>, TransportError> {
        loop {
            if let Some(frame) = take(&mut self.buffer)? {
                return Ok(Some(frame));
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.buffer.extend_from_slice(&data);
                    }
                }
                Some(Err(error)) => return Err(TransportError::Broken(error.to_string())),
                None if self.buffer.is_empty() => return Ok(None),
                None => return Err(TransportError::Malformed("half a frame")),
            }
        }
    }
}

fn take(buffer: &mut BytesMut) -> Result<Option<Bytes>, TransportError> {
    let Some(length) = buffer.first_chunk::<4>() else {
        return Ok(None);
    };
    let length = u32::from_le_bytes(*length) as usize;
    if length > MAX_FRAME {
        return Err(TransportError::Malformed("a frame that is too long"));
    }
    if buffer.len() < 4 + length {
        buffer.reserve(4 + length - buffer.len());
        return Ok(None);
    }
    buffer.advance(4);
    Ok(Some(buffer.split_to(length).freeze()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_as_they_went_in() {
        let mut buffer = BytesMut::new();
        for content in [&b"one"[..], b"", b"three"] {
            buffer.extend_from_slice(&frame(content.len(), |bytes| bytes.put_slice(content)));
        }
        assert_eq!(take(&mut buffer).unwrap().unwrap(), &b"one"[..]);
        assert_eq!(take(&mut buffer).unwrap().unwrap(), &b""[..]);
        let last = buffer.split_off(buffer.len() - 1);
        assert!(take(&mut buffer).unwrap().is_none());
        buffer.unsplit(last);
        assert_eq!(take(&mut buffer).unwrap().unwrap(), &b"three"[..]);
        assert!(take(&mut buffer).unwrap().is_none());
    }

    #[test]
    fn a_length_beyond_the_limit_is_refused_before_it_is_read() {
        let mut buffer = BytesMut::new();
        buffer.put_u32_le(MAX_FRAME as u32 + 1);
        assert!(take(&mut buffer).is_err());
    }
}
