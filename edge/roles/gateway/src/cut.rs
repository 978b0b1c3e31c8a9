//! What of a body a visitor gets: all of it, a part, or several with their heads between them.

use std::collections::VecDeque;
use std::ops::Range;

use bytes::Bytes;
use selvedge_edge_core_http_cache::Body;

/// The parts of a body in the order they are sent, and what is written round them.
#[derive(Clone, Debug, Default)]
pub struct Cut {
    /// Each part, behind its head.
    pub parts: VecDeque<(Bytes, Range<u64>)>,
    /// Behind the last.
    pub end: Bytes,
    /// Where in the body its next bytes are.
    at: u64,
}

impl Cut {
    /// What an answer has of a body.
    pub fn new(body: &Body) -> Self {
        match body {
            Body::None => Self::default(),
            Body::Bytes(range) => Self {
                parts: [(Bytes::new(), range.clone())].into(),
                ..Self::default()
            },
            Body::Parts(parts) => {
                let head_and_range =
                    |(head, range): &(Vec<u8>, _)| (Bytes::from(head.clone()), Range::clone(range));
                Self {
                    parts: parts.parts().iter().map(head_and_range).collect(),
                    end: Bytes::copy_from_slice(parts.end()),
                    at: 0,
                }
            }
        }
    }

    /// Octets of all that is sent.
    pub fn length(&self) -> u64 {
        let parts = self.parts.iter();
        let parts: u64 = parts
            .map(|(head, range)| head.len() as u64 + (range.end - range.start))
            .sum();
        parts + self.end.len() as u64
    }

    /// All that is sent of a body that is at hand, whatever the order of the parts.
    pub fn of(self, body: &Bytes) -> Vec<Bytes> {
        let parts = self.parts.into_iter();
        let mut pieces: Vec<_> = parts
            .flat_map(|(head, range)| [head, body.slice(range.start as usize..range.end as usize)])
            .collect();
        pieces.push(self.end);
        pieces
    }

    /// What is sent of the next bytes of a body, where the parts ascend.
    pub fn next(&mut self, bytes: &Bytes) -> Vec<Bytes> {
        let start = self.at;
        self.at += bytes.len() as u64;
        let end = self.at;
        let mut pieces = Vec::new();
        while let Some((head, range)) = self.parts.front_mut() {
            if range.start >= end {
                break;
            }
            let within = |place: u64| (place.clamp(start, end) - start) as usize;
            pieces.push(std::mem::take(head));
            pieces.push(bytes.slice(within(range.start)..within(range.end)));
            if range.end > end {
                break;
            }
            self.parts.pop_front();
            if self.parts.is_empty() {
                pieces.push(std::mem::take(&mut self.end));
            }
        }
        pieces.retain(|piece| !piece.is_empty());
        pieces
    }

    /// Whether all that is sent has been given.
    pub fn is_served(&self) -> bool {
        self.parts.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bytes_that_pass_give_what_bytes_at_hand_give(
            gaps in prop::collection::vec((1usize..9, 1usize..9), 1..5),
            cuts in prop::collection::vec(1usize..12, 1..20),
        ) {
            let body: Bytes = (0..100u8).collect::<Vec<_>>().into();
            let mut at = 0;
            let parts = gaps.iter().map(|(gap, length)| {
                let start = at + gap;
                at = start + length;
                (Bytes::from_static(b"head"), start as u64..at as u64)
            });
            let mut cut = Cut { parts: parts.collect(), end: Bytes::from_static(b"end"), at: 0 };
            let whole = cut.clone().of(&body).concat();
            prop_assert_eq!(whole.len() as u64, cut.length());
            let mut passed = Vec::new();
            let mut rest = body;
            for length in cuts.into_iter().chain([100]) {
                let piece = rest.split_to(length.min(rest.len()));
                passed.extend(cut.next(&piece).concat());
            }
            prop_assert!(cut.is_served());
            prop_assert_eq!(passed, whole);
        }
    }
}
