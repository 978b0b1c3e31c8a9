//! The bytes of one entry in a segment.
//!
//! ```text
//! "SLVE" ‖ state, u8 ‖ 3 zeros ‖ length of the head, u32 LE ‖ length of the payload, u32 LE ‖ check, 16 bytes
//! head in SCALE ‖ payload
//! ```
//!
//! The check is half a BLAKE3 hash of the segment's number, the entry's place, both lengths and the
//! head: an entry counts only where it was written. The payload is checked by what the head says of
//! it, or by the hash tree of its body.

use codec::{Decode, DecodeAll, Encode};
use selvedge_primitives_types::ServiceId;

use crate::name::{short, BodyName, RecordId};

/// Bytes before the head.
pub(crate) const PREFIX: usize = 32;
/// Where the state stands in an entry.
pub(crate) const STATE_AT: u64 = 4;
/// The state of an entry whose payload is whole. All others are entries under way.
pub(crate) const WRITTEN: u8 = 1;
const MAGIC: &[u8; 4] = b"SLVE";

/// Bytes of a body in a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Extent {
    pub(crate) segment: u32,
    /// Where its bytes start.
    pub(crate) at: u32,
    pub(crate) length: u32,
    /// Bytes of the whole entry, which ends with it.
    pub(crate) size: u32,
}

impl Extent {
    /// The entry that it ends.
    pub(crate) fn place(&self) -> Place {
        let end = u64::from(self.at) + u64::from(self.length);
        Place {
            segment: self.segment,
            offset: end.saturating_sub(u64::from(self.size)) as u32,
            size: self.size,
        }
    }
}

/// An entry in a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) segment: u32,
    pub(crate) offset: u32,
    pub(crate) size: u32,
}

/// What a record entry says besides the record.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct RecordHead {
    pub(crate) id: RecordId,
    pub(crate) number: u64,
    pub(crate) service: ServiceId,
    pub(crate) key: [u8; 16],
    pub(crate) body: BodyName,
    pub(crate) length: u64,
    pub(crate) generation: u64,
    /// Half a BLAKE3 hash of the payload.
    pub(crate) check: [u8; 16],
}

/// What a body entry says. Its payload: the values of the groups, then the bytes that no extent has.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct BodyHead {
    pub(crate) name: BodyName,
    pub(crate) number: u64,
    pub(crate) length: u64,
    /// Bytes of the values.
    pub(crate) values: u32,
    /// The pieces that were written before anybody knew the name.
    pub(crate) group: Option<u64>,
    pub(crate) extents: Vec<Extent>,
}

/// Whose bytes a piece holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) enum Owner {
    #[codec(index = 0)]
    Group(u64),
    #[codec(index = 1)]
    Body(BodyName),
}

/// What an entry is. Of entries with the same name the one with the highest number counts.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) enum Head {
    /// A signed record, in SCALE.
    #[codec(index = 0)]
    Record(RecordHead),
    /// Bytes of a body.
    #[codec(index = 1)]
    Piece { owner: Owner },
    /// The end of a body: from here on it is there.
    #[codec(index = 2)]
    Body(BodyHead),
    /// A slice of a body that is not whole yet: `proof` bytes of its proof, then its own.
    #[codec(index = 3)]
    Slice {
        name: BodyName,
        number: u64,
        length: u64,
        slice: u32,
        proof: u32,
    },
    /// A body is kept without a record.
    #[codec(index = 4)]
    Hold {
        name: BodyName,
        number: u64,
        length: u64,
        service: ServiceId,
        is_pinned: bool,
    },
}

impl Head {
    /// The highest number in it.
    pub(crate) fn number(&self) -> u64 {
        match self {
            Self::Record(head) => head.number,
            Self::Body(head) => head.number.max(head.group.unwrap_or_default()),
            Self::Slice { number, .. } | Self::Hold { number, .. } => *number,
            Self::Piece {
                owner: Owner::Group(number),
            } => *number,
            Self::Piece { .. } => 0,
        }
    }
}

/// An entry, as the end of a sealed segment lists it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Fact {
    pub(crate) offset: u32,
    pub(crate) size: u32,
    pub(crate) head: Head,
}

/// The first bytes of an entry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prefix {
    pub(crate) is_written: bool,
    pub(crate) head: u32,
    pub(crate) payload: u32,
    check: [u8; 16],
}

impl Prefix {
    pub(crate) fn decode(bytes: &[u8; PREFIX]) -> Option<Self> {
        let number = |at: usize| {
            let mut number = [0; 4];
            number.copy_from_slice(&bytes[at..at + 4]);
            u32::from_le_bytes(number)
        };
        let mut check = [0; 16];
        check.copy_from_slice(&bytes[16..]);
        (bytes[..4] == *MAGIC).then_some(Self {
            is_written: bytes[STATE_AT as usize] == WRITTEN,
            head: number(8),
            payload: number(12),
            check,
        })
    }

    /// Bytes of the whole entry.
    pub(crate) fn size(&self) -> u64 {
        PREFIX as u64 + u64::from(self.head) + u64::from(self.payload)
    }

    /// The head that belongs to it, if these are its bytes.
    pub(crate) fn head(&self, segment: u32, offset: u32, head: &[u8]) -> Option<Head> {
        let is_right = head.len() as u64 == u64::from(self.head)
            && check(segment, offset, head, self.payload) == self.check;
        is_right.then(|| Head::decode_all(&mut &head[..]).ok())?
    }
}

/// Prefix and head of an entry.
pub(crate) fn encode(
    segment: u32,
    offset: u32,
    head: &[u8],
    payload: u32,
    is_written: bool,
) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(PREFIX + head.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&[if is_written { WRITTEN } else { 0 }, 0, 0, 0]);
    bytes.extend_from_slice(&(head.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&payload.to_le_bytes());
    bytes.extend_from_slice(&check(segment, offset, head, payload));
    bytes.extend_from_slice(head);
    bytes
}

fn check(segment: u32, offset: u32, head: &[u8], payload: u32) -> [u8; 16] {
    let digest = blake3::Hasher::new()
        .update(&segment.to_le_bytes())
        .update(&offset.to_le_bytes())
        .update(&(head.len() as u32).to_le_bytes())
        .update(&payload.to_le_bytes())
        .update(head)
        .finalize();
    short(&digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_counts_only_whole_and_where_it_was_written() {
        let head = Head::Hold {
            name: BodyName([3; 32]),
            number: 9,
            length: 77,
            service: ServiceId(4),
            is_pinned: true,
        };
        let entry = encode(5, 160, &head.encode(), 0, true);
        let read = |bytes: &[u8], segment, offset| {
            let (prefix, head) = bytes.split_at(PREFIX);
            Prefix::decode(prefix.try_into().unwrap())?.head(segment, offset, head)
        };
        assert_eq!(read(&entry, 5, 160), Some(head.clone()));
        assert_eq!(read(&entry, 6, 160), None);
        assert_eq!(read(&entry, 5, 161), None);
        for byte in 0..entry.len() {
            let mut bad = entry.clone();
            bad[byte] ^= 0x10;
            // State and padding are not part of what is said.
            if !(4..8).contains(&byte) {
                assert_eq!(read(&bad, 5, 160), None, "{byte}");
            }
        }
    }
}
