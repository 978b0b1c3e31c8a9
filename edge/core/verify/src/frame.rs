//! Frames of a body under way, whose root nobody knows yet.
//!
//! The gateway that fetches an origin cuts the body into frames, at most one every few
//! milliseconds, and signs each with the digest of the response's head, its place, the hash of its
//! bytes and the digest of the frame before it. A waiting gateway may thus forward at once: it
//! trusts the fetching gateway, never the cache between them. The last frame says so, and the
//! signed record follows it.
//!
//! ```text
//! head --digest--> frame 0 --digest--> frame 1 --digest--> ... last frame     then the signed record
//! ```

use codec::{Decode, Encode};
use ed25519_dalek::{Signature, SigningKey, VerifyingKey};
use selvedge_primitives_types::{
    DeviceId, Domain, GenesisHash, Hash, Millis, Record, ServiceId, Signature64,
};

use crate::sign::{device, sign};
use crate::{Builder, Error, Outboard};

/// The most bytes in one frame.
pub const MAX_FRAME: u64 = 1024 * 1024;

/// A lease of one origin fetch, numbered by the cache that granted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub struct LeaseId(pub u64);

/// Everything of a record that is known before the body has ended, and the lease it is fetched
/// under.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct RecordHead {
    /// The lease.
    pub lease: LeaseId,
    /// The cache that granted it.
    pub cache: DeviceId,
    /// [`Record::service`].
    pub service: ServiceId,
    /// [`Record::key`].
    pub key: Vec<u8>,
    /// [`Record::variant`].
    pub variant: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    /// [`Record::status`].
    pub status: u16,
    /// [`Record::fields`].
    pub fields: Vec<(Vec<u8>, Vec<u8>)>,
    /// [`Record::generation`].
    pub generation: u64,
    /// [`Record::requested`].
    pub requested: Millis,
    /// [`Record::received`].
    pub received: Millis,
    /// [`Record::gateway`].
    pub gateway: DeviceId,
    /// [`Record::length`], where the origin stated it; then the body has that length or breaks off.
    pub stated_length: Option<u64>,
}

impl RecordHead {
    /// BLAKE3 of the head in SCALE: where the chain of frames starts.
    pub fn digest(&self) -> Hash {
        *blake3::hash(&self.encode()).as_bytes()
    }

    /// The record of the finished body.
    pub fn into_record(self, root: Hash, length: u64) -> Record {
        Record {
            service: self.service,
            key: self.key,
            variant: self.variant,
            status: self.status,
            fields: self.fields,
            root,
            length,
            generation: self.generation,
            requested: self.requested,
            received: self.received,
            gateway: self.gateway,
        }
    }
}

/// What a frame's signature covers: [`Domain::Frame`].
#[derive(Clone, Debug, PartialEq, Eq, Encode)]
struct FramePayload {
    head: Hash,
    previous: Hash,
    offset: u64,
    length: u32,
    bytes: Hash,
    is_last: bool,
}

/// A frame without its bytes, which travel behind it. A frame may be empty: the first one then
/// vouches for the head, and the last one for the end.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SignedFrame {
    /// Where its bytes start in the body.
    pub offset: u64,
    /// How many they are, at most [`MAX_FRAME`].
    pub length: u32,
    /// BLAKE3 of them.
    pub bytes: Hash,
    /// Whether the body ends with them.
    pub is_last: bool,
    /// The fetching gateway's signature over these, the head's digest and the digest of the frame
    /// before.
    pub signature: Signature64,
}

impl SignedFrame {
    /// Length in SCALE, which is the same for every frame.
    pub const ENCODED: usize = 8 + 4 + 32 + 1 + 64;

    fn payload(&self, head: Hash, previous: Hash) -> FramePayload {
        FramePayload {
            head,
            previous,
            offset: self.offset,
            length: self.length,
            bytes: self.bytes,
            is_last: self.is_last,
        }
    }
}

fn digest(payload: &FramePayload) -> Hash {
    *blake3::hash(&payload.encode()).as_bytes()
}

/// Signs the frames of one body, and hashes the body on the way.
pub struct FrameWriter {
    key: SigningKey,
    genesis: GenesisHash,
    head: Hash,
    previous: Hash,
    builder: Builder,
    is_ended: bool,
}

impl FrameWriter {
    /// Starts the chain at a head.
    ///
    /// Errors: [`Error::WrongDevice`] when the head names another gateway than the key's.
    pub fn new(key: SigningKey, genesis: GenesisHash, head: &RecordHead) -> Result<Self, Error> {
        let own = device(&key);
        if head.gateway != own {
            return Err(Error::WrongDevice {
                expected: own,
                found: head.gateway,
            });
        }
        let head = head.digest();
        Ok(Self {
            key,
            genesis,
            head,
            previous: head,
            builder: Builder::new(),
            is_ended: false,
        })
    }

    /// Bytes framed so far.
    pub fn length(&self) -> u64 {
        self.builder.length()
    }

    /// Signs the next bytes.
    ///
    /// Errors: [`Error::TooLong`] above [`MAX_FRAME`] bytes, [`Error::FrameAfterEnd`] after the
    /// last frame.
    pub fn frame(&mut self, bytes: &[u8], is_last: bool) -> Result<SignedFrame, Error> {
        if self.is_ended {
            return Err(Error::FrameAfterEnd);
        }
        if bytes.len() as u64 > MAX_FRAME {
            return Err(Error::TooLong {
                what: "a frame",
                limit: MAX_FRAME,
            });
        }
        let mut frame = SignedFrame {
            offset: self.builder.length(),
            length: bytes.len() as u32,
            bytes: *blake3::hash(bytes).as_bytes(),
            is_last,
            signature: Signature64::default(),
        };
        let payload = frame.payload(self.head, self.previous);
        frame.signature = sign(&self.key, Domain::Frame, &self.genesis, &payload);
        self.previous = digest(&payload);
        self.is_ended = is_last;
        self.builder.push(bytes);
        Ok(frame)
    }

    /// The outboard of all framed bytes: its root and length go into the record.
    pub fn finish(self) -> Outboard {
        self.builder.finish()
    }
}

/// Checks the frames of one body, and hashes the body on the way.
///
/// After an error it accepts nothing more: the chain is broken.
pub struct FrameVerifier {
    key: VerifyingKey,
    gateway: DeviceId,
    genesis: GenesisHash,
    head: Hash,
    stated_length: Option<u64>,
    previous: Hash,
    builder: Builder,
    state: State,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Open,
    Ended,
    Broken(Error),
}

impl FrameVerifier {
    /// Expects frames of `head`, signed by `expected`, which the chain's config names as a gateway.
    ///
    /// The head counts for nothing until the first frame, which may be empty, was accepted.
    /// Errors: [`Error::WrongDevice`], [`Error::NotAKey`].
    pub fn new(
        genesis: GenesisHash,
        expected: &DeviceId,
        head: &RecordHead,
    ) -> Result<Self, Error> {
        if head.gateway != *expected {
            return Err(Error::WrongDevice {
                expected: *expected,
                found: head.gateway,
            });
        }
        let key = VerifyingKey::from_bytes(&expected.0).map_err(|_| Error::NotAKey(*expected))?;
        let (stated_length, head) = (head.stated_length, head.digest());
        Ok(Self {
            key,
            gateway: *expected,
            genesis,
            head,
            stated_length,
            previous: head,
            builder: Builder::new(),
            state: State::Open,
        })
    }

    /// Bytes accepted so far.
    pub fn length(&self) -> u64 {
        self.builder.length()
    }

    /// Whether the last frame was accepted.
    pub fn is_ended(&self) -> bool {
        self.state == State::Ended
    }

    /// Checks a frame and its bytes. Only then may the bytes leave.
    ///
    /// Errors: [`Error::FrameOrder`], [`Error::FrameMismatch`], [`Error::FrameAfterEnd`],
    /// [`Error::BadSignature`], [`Error::TooLong`], [`Error::StatedLength`]; the same one again
    /// afterwards.
    pub fn accept(&mut self, frame: &SignedFrame, bytes: &[u8]) -> Result<(), Error> {
        if let State::Broken(error) = &self.state {
            return Err(error.clone());
        }
        self.check(frame, bytes)
            .inspect_err(|error| self.state = State::Broken(error.clone()))
    }

    fn check(&mut self, frame: &SignedFrame, bytes: &[u8]) -> Result<(), Error> {
        if self.is_ended() {
            return Err(Error::FrameAfterEnd);
        }
        if u64::from(frame.length) > MAX_FRAME {
            return Err(Error::TooLong {
                what: "a frame",
                limit: MAX_FRAME,
            });
        }
        let expected = self.builder.length();
        if frame.offset != expected {
            return Err(Error::FrameOrder {
                expected,
                found: frame.offset,
            });
        }
        if frame.length as usize != bytes.len() || blake3::hash(bytes) != frame.bytes {
            return Err(Error::FrameMismatch {
                offset: frame.offset,
            });
        }
        let payload = frame.payload(self.head, self.previous);
        let message = Domain::Frame.message(&self.genesis, &payload);
        self.key
            .verify_strict(&message, &Signature::from_bytes(&frame.signature.0))
            .map_err(|_| Error::BadSignature(self.gateway))?;
        let found = expected + u64::from(frame.length);
        let fits = |stated| found <= stated && (found == stated || !frame.is_last);
        if let Some(stated) = self.stated_length.filter(|stated| !fits(*stated)) {
            return Err(Error::StatedLength { stated, found });
        }
        self.previous = digest(&payload);
        self.builder.push(bytes);
        if frame.is_last {
            self.state = State::Ended;
        }
        Ok(())
    }

    /// The outboard of the whole body.
    ///
    /// Errors: [`Error::Truncated`] when the last frame has not come, or the error that broke the
    /// chain.
    pub fn finish(self) -> Result<Outboard, Error> {
        match self.state {
            State::Ended => Ok(self.builder.finish()),
            State::Open => Err(Error::Truncated { missing: 1 }),
            State::Broken(error) => Err(error),
        }
    }

    /// As [`FrameVerifier::finish`], and checks that a record, whose signature was verified, names
    /// this very body.
    ///
    /// Errors: also [`Error::RecordMismatch`].
    pub fn finish_with(self, record: &Record) -> Result<Outboard, Error> {
        let outboard = self.finish()?;
        if *outboard.root() != record.root || outboard.length() != record.length {
            return Err(Error::RecordMismatch {
                record: record.root,
                body: *outboard.root(),
            });
        }
        Ok(outboard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> SigningKey {
        SigningKey::from_bytes(&[3; 32])
    }

    fn head() -> RecordHead {
        RecordHead {
            lease: LeaseId(1),
            cache: DeviceId([8; 32]),
            service: ServiceId(2),
            key: b"https://example.org/".to_vec(),
            variant: Vec::new(),
            status: 200,
            fields: vec![(b"etag".to_vec(), b"\"a\"".to_vec())],
            generation: 1,
            requested: Millis(1),
            received: Millis(2),
            gateway: device(&key()),
            stated_length: None,
        }
    }

    fn written(pieces: &[Vec<u8>]) -> (Vec<(SignedFrame, Vec<u8>)>, Outboard) {
        let mut writer = FrameWriter::new(key(), [1; 32], &head()).unwrap();
        let last = pieces.len() - 1;
        let frames = pieces
            .iter()
            .enumerate()
            .map(|(i, piece)| (writer.frame(piece, i == last).unwrap(), piece.clone()))
            .collect();
        (frames, writer.finish())
    }

    fn verifier() -> FrameVerifier {
        FrameVerifier::new([1; 32], &device(&key()), &head()).unwrap()
    }

    #[test]
    fn a_body_in_frames_is_the_body() {
        let pieces = [Vec::new(), vec![1; 20_000], vec![2; 5], Vec::new()];
        let (frames, outboard) = written(&pieces);
        let mut verifier = verifier();
        for (frame, bytes) in &frames {
            assert_eq!(frame.encode().len(), SignedFrame::ENCODED);
            assert!(!verifier.is_ended());
            verifier.accept(frame, bytes).unwrap();
        }
        assert!(verifier.is_ended());
        let record = head().into_record(*outboard.root(), outboard.length());
        assert_eq!(record.root, *blake3::hash(&pieces.concat()).as_bytes());
        assert_eq!(verifier.finish_with(&record), Ok(outboard));
    }

    #[test]
    fn a_frame_has_one_place_in_one_chain() {
        let (frames, _) = written(&[vec![1; 8], vec![2; 8], vec![3; 8]]);
        let mut skipped = verifier();
        skipped.accept(&frames[0].0, &frames[0].1).unwrap();
        assert_eq!(
            skipped.accept(&frames[2].0, &frames[2].1),
            Err(Error::FrameOrder {
                expected: 8,
                found: 16
            })
        );
        // The chain stays broken, so that nothing after the gap can be passed off as its
        // continuation.
        assert!(skipped.accept(&frames[1].0, &frames[1].1).is_err());

        let mut other = FrameWriter::new(key(), [1; 32], &head()).unwrap();
        other.frame(&[9; 8], false).unwrap();
        let spliced = other.frame(&[2; 8], false).unwrap();
        let mut verifier = verifier();
        verifier.accept(&frames[0].0, &frames[0].1).unwrap();
        assert!(matches!(
            verifier.accept(&spliced, &[2; 8]),
            Err(Error::BadSignature(_))
        ));
    }

    #[test]
    fn a_frame_belongs_to_one_head_and_network() {
        let (frames, _) = written(&[vec![1; 8]]);
        let gateway = device(&key());
        let mut changed = head();
        changed.fields.push((b"x-evil".to_vec(), b"1".to_vec()));
        let mut verifier = FrameVerifier::new([1; 32], &gateway, &changed).unwrap();
        assert_eq!(
            verifier.accept(&frames[0].0, &frames[0].1),
            Err(Error::BadSignature(gateway))
        );
        let mut verifier = FrameVerifier::new([2; 32], &gateway, &head()).unwrap();
        assert_eq!(
            verifier.accept(&frames[0].0, &frames[0].1),
            Err(Error::BadSignature(gateway))
        );
    }

    #[test]
    fn a_cut_body_does_not_pass_for_a_whole_one() {
        let (frames, _) = written(&[vec![1; 8], vec![2; 8]]);
        let mut verifier = verifier();
        verifier.accept(&frames[0].0, &frames[0].1).unwrap();
        assert_eq!(verifier.finish(), Err(Error::Truncated { missing: 1 }));
        let mut verifier = self::verifier();
        for (frame, bytes) in &frames {
            verifier.accept(frame, bytes).unwrap();
        }
        assert_eq!(
            verifier.accept(&frames[1].0, &frames[1].1),
            Err(Error::FrameAfterEnd)
        );
    }

    #[test]
    fn a_body_has_the_length_that_was_stated() {
        let pieces = [vec![1; 8], vec![2; 8]];
        let accepted = |stated| {
            let head = RecordHead {
                stated_length: Some(stated),
                ..head()
            };
            let mut writer = FrameWriter::new(key(), [1; 32], &head).unwrap();
            let mut verifier = FrameVerifier::new([1; 32], &device(&key()), &head).unwrap();
            pieces.iter().enumerate().try_for_each(|(i, piece)| {
                let frame = writer.frame(piece, i == 1).unwrap();
                verifier.accept(&frame, piece)
            })
        };
        assert_eq!(accepted(16), Ok(()));
        for (stated, found) in [(7, 8), (15, 16), (17, 16)] {
            assert_eq!(accepted(stated), Err(Error::StatedLength { stated, found }));
        }
    }

    #[test]
    fn a_record_must_name_the_framed_body() {
        let (frames, outboard) = written(&[vec![1; 8]]);
        let mut verifier = verifier();
        verifier.accept(&frames[0].0, &frames[0].1).unwrap();
        let record = head().into_record([7; 32], outboard.length());
        assert!(matches!(
            verifier.finish_with(&record),
            Err(Error::RecordMismatch { .. })
        ));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_flipped_bit_of_a_frame_is_found(
            bytes in prop::collection::vec(any::<u8>(), 0..2_000),
            at in any::<prop::sample::Index>(),
            bit in 0u8..8,
        ) {
            let (frames, _) = written(std::slice::from_ref(&bytes));
            let mut wire = frames[0].0.encode();
            wire.extend_from_slice(&bytes);
            let at = at.index(wire.len());
            wire[at] ^= 1 << bit;
            let mut rest = wire.as_slice();
            if let Ok(frame) = SignedFrame::decode(&mut rest) {
                prop_assert!(verifier().accept(&frame, rest).is_err());
            }
        }
    }
}
