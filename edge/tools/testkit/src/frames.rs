//! HTTP/2 frame by frame (RFC 9113 §4), for what no library would send.

use crate::wait::DEADLINE;
use std::{io, net::SocketAddr};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// `DATA`.
pub const DATA: u8 = 0;
/// `HEADERS`.
pub const HEADERS: u8 = 1;
/// `RST_STREAM`.
pub const RST_STREAM: u8 = 3;
/// `SETTINGS`.
pub const SETTINGS: u8 = 4;
/// `PUSH_PROMISE`.
pub const PUSH_PROMISE: u8 = 5;
/// `PING`.
pub const PING: u8 = 6;
/// `GOAWAY`.
pub const GOAWAY: u8 = 7;
/// `WINDOW_UPDATE`.
pub const WINDOW_UPDATE: u8 = 8;
/// `CONTINUATION`.
pub const CONTINUATION: u8 = 9;

/// `END_STREAM`, and `ACK` of `SETTINGS` and `PING`.
pub const END_STREAM: u8 = 1;
/// `END_HEADERS`.
pub const END_HEADERS: u8 = 4;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Type.
    pub kind: u8,
    /// Flags.
    pub flags: u8,
    /// Stream; 0 for the connection.
    pub stream: u32,
    /// Payload.
    pub payload: Vec<u8>,
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A whole answer with this status and body.
    Answered(u16, Vec<u8>),
    /// The stream was reset, with this error code.
    Reset(u32),
    /// The connection was ended, with this error code.
    GoneAway(u32),
    /// The connection closed without a word.
    Closed,
}

/// An HTTP/2 connection in the clear.
pub struct Frames {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Frames {
    /// Connects and sends the preface with these settings.
    pub async fn open(address: SocketAddr, settings: &[(u16, u32)]) -> Self {
        let mut stream = TcpStream::connect(address)
            .await
            .expect("the listener is there");
        stream.set_nodelay(true).expect("it is open");
        let _ = stream.write_all(PREFACE).await;
        let mut frames = Self {
            stream,
            unread: Vec::new(),
        };
        // Without a table, every field of an answer stands for itself.
        let mut payload = setting(1, 0);
        for (name, value) in settings {
            payload.extend(setting(*name, *value));
        }
        let _ = frames.send(SETTINGS, 0, 0, &payload).await;
        frames
    }

    /// Sends a frame.
    pub async fn send(
        &mut self,
        kind: u8,
        flags: u8,
        stream: u32,
        payload: &[u8],
    ) -> io::Result<()> {
        self.octets(&frame(kind, flags, stream, payload)).await
    }

    /// Sends octets as they are.
    pub async fn octets(&mut self, octets: &[u8]) -> io::Result<()> {
        self.stream.write_all(octets).await
    }

    /// Sends a request's head in one frame.
    pub async fn head(
        &mut self,
        stream: u32,
        fields: &[(&[u8], &[u8])],
        is_end: bool,
    ) -> io::Result<()> {
        let flags = END_HEADERS | if is_end { END_STREAM } else { 0 };
        self.send(HEADERS, flags, stream, &block(fields)).await
    }

    /// The next frame; `None` when the peer has closed. Settings and pings are acknowledged. Panics
    /// at the end of patience.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = self.take() {
                let wants_word = matches!(frame.kind, SETTINGS | PING) && frame.flags & 1 == 0;
                if wants_word {
                    let word = if frame.kind == PING {
                        &frame.payload[..]
                    } else {
                        &[]
                    };
                    let _ = self.send(frame.kind, 1, 0, word).await;
                }
                return Some(frame);
            }
            let read = self.stream.read_buf(&mut self.unread);
            match tokio::time::timeout(DEADLINE, read).await {
                Ok(Ok(1..)) => {}
                Ok(_) => return None,
                Err(_) => panic!("the peer said nothing within {DEADLINE:?}"),
            }
        }
    }

    fn take(&mut self) -> Option<Frame> {
        let head = self.unread.get(..9)?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let (kind, flags) = (head[3], head[4]);
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        let payload = self.unread.get(9..9 + length)?.to_vec();
        self.unread.drain(..9 + length);
        Some(Frame {
            kind,
            flags,
            stream,
            payload,
        })
    }

    /// Reads on until a request has ended.
    pub async fn outcome(&mut self, stream: u32) -> Outcome {
        let mut status = 0;
        let mut body = Vec::new();
        let mut gone = None;
        while let Some(frame) = self.next().await {
            let code = |at: usize| {
                let octets = frame.payload.get(at..at + 4);
                octets.map_or(0, |octets| {
                    u32::from_be_bytes([octets[0], octets[1], octets[2], octets[3]])
                })
            };
            match frame.kind {
                // Without an error, running requests may still be answered.
                GOAWAY if code(4) != 0 => return Outcome::GoneAway(code(4)),
                GOAWAY => gone = Some(0),
                RST_STREAM if frame.stream == stream => return Outcome::Reset(code(0)),
                HEADERS if frame.stream == stream && status == 0 => {
                    status = self::status(&frame.payload).unwrap_or_default();
                }
                DATA if frame.stream == stream => body.extend(&frame.payload),
                _ => {}
            }
            let is_end = matches!(frame.kind, DATA | HEADERS) && frame.flags & END_STREAM != 0;
            if frame.stream == stream && is_end {
                return Outcome::Answered(status, body);
            }
        }
        gone.map_or(Outcome::Closed, Outcome::GoneAway)
    }

    /// Reads on until the connection has ended, and gives its error code, if one was said.
    pub async fn ending(&mut self) -> Option<u32> {
        let mut said = None;
        while let Some(frame) = self.next().await {
            if let (GOAWAY, Some(code)) = (frame.kind, frame.payload.get(4..8)) {
                said = Some(u32::from_be_bytes([code[0], code[1], code[2], code[3]]));
            }
        }
        said
    }
}

/// A frame as it is sent.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    let mut octets = vec![length[1], length[2], length[3], kind, flags];
    octets.extend(stream.to_be_bytes());
    octets.extend(payload);
    octets
}

/// One setting as it stands in `SETTINGS`.
pub fn setting(name: u16, value: u32) -> Vec<u8> {
    [&name.to_be_bytes()[..], &value.to_be_bytes()[..]].concat()
}

/// Fields as literals that enter no table (RFC 7541 §6.2.3), whatever their octets are.
pub fn block(fields: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut octets = Vec::new();
    for (name, value) in fields {
        octets.push(0x10);
        for text in [name, value] {
            length(&mut octets, text.len());
            octets.extend(*text);
        }
    }
    octets
}

/// RFC 7541 §5.1, with a prefix of seven bits.
fn length(octets: &mut Vec<u8>, length: usize) {
    if length < 127 {
        octets.push(length as u8);
        return;
    }
    octets.push(127);
    let mut rest = length - 127;
    while rest >= 128 {
        octets.push(rest as u8 | 128);
        rest >>= 7;
    }
    octets.push(rest as u8);
}

/// The status, which is the first field of an answer.
fn status(block: &[u8]) -> Option<u16> {
    // A change of the table's size may come before it.
    let start = block.iter().position(|octet| octet & 0xe0 != 0x20)?;
    let (first, rest) = block[start..].split_first()?;
    if first & 0x80 != 0 {
        let known = [200, 204, 206, 304, 400, 404, 500];
        return known
            .get(usize::from(first & 0x7f).checked_sub(8)?)
            .copied();
    }
    let (length, value) = rest.split_first()?;
    let value = value.get(..usize::from(length & 0x7f))?;
    if length & 0x80 == 0 {
        return std::str::from_utf8(value).ok()?.parse().ok();
    }
    digits(value)
}

/// Three digits in the code of RFC 7541, appendix B: five bits for 0 to 2, six for the others.
fn digits(value: &[u8]) -> Option<u16> {
    let bits: String = value.iter().map(|octet| format!("{octet:08b}")).collect();
    let (mut at, mut number) = (0, 0);
    for _ in 0..3 {
        let short = u16::from_str_radix(bits.get(at..at + 5)?, 2).ok()?;
        let digit = if short < 3 {
            at += 5;
            short
        } else {
            at += 6;
            u16::from_str_radix(bits.get(at - 6..at)?, 2)
                .ok()?
                .checked_sub(0b01_1001)?
                + 3
        };
        number = number * 10 + digit;
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_in_every_form() {
        for (block, expected) in [
            (vec![0x88], 200),
            (vec![0x20, 0x8c], 400),
            (vec![0x08, 3, b'5', b'0', b'2'], 502),
            // RFC 7541, C.4 to C.6: 302 and 307.
            (vec![0x48, 0x82, 0x64, 0x02], 302),
            (vec![0x48, 0x83, 0x64, 0x0e, 0xff], 307),
        ] {
            assert_eq!(status(&block), Some(expected), "{block:?}");
        }
    }
}
