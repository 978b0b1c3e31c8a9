//! Several parts of a body as one message: `multipart/byteranges` (RFC 9110 §14.6).

use core::ops::Range;

use http::HeaderValue;

use crate::range;

/// What stands between the parts.
///
/// Who writes a body must not know it beforehand: a body with the delimiter in it could show parts
/// that are none. So it is drawn anew for each answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Boundary([u8; 16]);

impl Boundary {
    /// From sixteen octets that nobody can guess.
    pub fn new(random: [u8; 16]) -> Self {
        Self(random)
    }

    fn text(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The body of a 206 with several parts: heads, the ranges that follow them, and an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    parts: Vec<(Vec<u8>, Range<u64>)>,
    end: Vec<u8>,
    boundary: Boundary,
}

impl Parts {
    /// These ranges, none of them empty, of a body of `length` bytes with this `Content-Type`.
    pub(crate) fn new(
        ranges: Vec<Range<u64>>,
        length: u64,
        content_type: Option<&HeaderValue>,
        boundary: Boundary,
    ) -> Self {
        let delimiter = boundary.text();
        let mut break_before = "";
        let parts = ranges.into_iter().map(|range| {
            let mut head = format!("{break_before}--{delimiter}\r\n").into_bytes();
            break_before = "\r\n";
            // Each part says what the whole would have said (RFC 9110 §15.3.7.2).
            let place = range::content_range(range.start, range.end, length);
            for (name, value) in [
                ("content-type", content_type),
                ("content-range", place.as_ref()),
            ] {
                if let Some(value) = value {
                    for text in [name.as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                        head.extend_from_slice(text);
                    }
                }
            }
            head.extend_from_slice(b"\r\n");
            (head, range)
        });
        Self {
            parts: parts.collect(),
            end: format!("\r\n--{delimiter}--\r\n").into_bytes(),
            boundary,
        }
    }

    /// What goes before each part, and the part, in the order they are sent.
    pub fn parts(&self) -> &[(Vec<u8>, Range<u64>)] {
        &self.parts
    }

    /// What goes behind the last part.
    pub fn end(&self) -> &[u8] {
        &self.end
    }

    /// Octets of the whole message.
    pub fn length(&self) -> u64 {
        let parts = self.parts.iter();
        let parts: u64 = parts
            .map(|(head, range)| head.len() as u64 + (range.end - range.start))
            .sum();
        parts + self.end.len() as u64
    }

    /// Whether each part lies behind the one before, so that they can be taken from a body as it
    /// passes.
    pub fn are_ascending(&self) -> bool {
        self.parts
            .windows(2)
            .all(|two| matches!(two, [(_, one), (_, next)] if one.end <= next.start))
    }

    /// `Content-Type` of the message.
    pub fn content_type(&self) -> Option<HeaderValue> {
        let text = format!("multipart/byteranges; boundary={}", self.boundary.text());
        HeaderValue::from_str(&text).ok()
    }
}
