//! Bodies whose root and length are known, taken in slice by slice.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use selvedge_edge_core_verify::{shape, Error as Wrong, SliceProof};
use selvedge_primitives_types::{Hash, ServiceId};

use crate::body;
use crate::entry::{BodyHead, Extent, Head};
use crate::name::{Blob, BlobKey};
use crate::store::{Inner, Store};
use crate::Error;

/// A body that is taken in. Handles of one body share what is there of it; a later process finds it
/// again.
#[derive(Clone, Debug)]
pub struct Assembly {
    inner: Arc<Inner>,
    key: BlobKey,
    root: Hash,
    length: u64,
    service: ServiceId,
}

impl Store {
    /// Begins to take in a body, or goes on. It is kept as by [`Store::keep`]; [`Store::pin`] it
    /// before, and its room is promised.
    ///
    /// Errors: [`Error::TooLong`], [`Error::Busy`], [`Error::DiskFull`], [`Error::Io`].
    pub fn assembly(&self, blob: &Blob, service: ServiceId) -> Result<Assembly, Error> {
        let limits = &self.inner.limits;
        if !limits.takes_slices(blob.length) {
            return Err(Error::TooLong {
                limit: limits.longest,
            });
        }
        let assembly = Assembly {
            inner: self.inner.clone(),
            key: blob.key(),
            root: blob.root,
            length: blob.length,
            service,
        };
        self.inner.hold_loosely(&assembly.key, service)?;
        // A kill may have come between the last slice and the end.
        assembly.complete()?;
        Ok(assembly)
    }
}

impl Assembly {
    /// Its length in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Whether all of it is here; then [`Store::content`] gives it.
    pub fn is_whole(&self) -> bool {
        self.inner.index.lock().whole(&self.key).is_some()
    }

    /// Whether a slice is here.
    pub fn has(&self, slice: u64) -> bool {
        slice < shape::slices(self.length) && (self.is_whole() || self.extent(slice).is_some())
    }

    /// The slices that are missing, in order.
    pub fn missing(&self) -> Vec<Range<u64>> {
        let index = self.inner.index.lock();
        let all = shape::slices(self.length);
        if index.whole(&self.key).is_some() {
            return Vec::new();
        }
        let mut missing = Vec::new();
        let mut next = 0;
        let partial = index.partial(&self.key);
        let here = partial
            .into_iter()
            .flat_map(|partial| partial.slices.keys());
        for slice in here.map(|slice| u64::from(*slice)).chain([all]) {
            if slice > next {
                missing.push(next..slice);
            }
            next = slice + 1;
        }
        missing
    }

    /// Takes a slice in, in any order. Says whether the body is whole now. One that is there already
    /// is left as it is.
    ///
    /// Errors: [`Error::Mismatch`] when the slice is not of this body; [`Error::Busy`],
    /// [`Error::DiskFull`], [`Error::Io`].
    pub fn put(&self, slice: u64, proof: &SliceProof, bytes: &[u8]) -> Result<bool, Error> {
        self.verify(slice, proof, bytes).map_err(Error::Mismatch)?;
        if self.has(slice) {
            return Ok(self.is_whole());
        }
        let inner = &self.inner;
        // It may have left meanwhile for want of room, with what was here of it.
        inner.hold_loosely(&self.key, self.service)?;
        let proof = proof.to_bytes();
        let head = Head::Slice {
            name: self.key.name,
            number: inner.number(),
            length: self.length,
            slice: slice as u32,
            proof: proof.len() as u32,
        };
        let size = (bytes.len() + proof.len()) as u64 + 128;
        let is_promised = {
            let index = inner.index.lock();
            let content = index.content(&self.key);
            content.is_some_and(|content| content.is_pinned)
        };
        let promised = if is_promised { 0 } else { size };
        inner.promise(promised)?;
        let appended = inner.append_durably(&head, &[&proof, bytes]);
        let mut index = inner.index.lock();
        index.release(promised);
        let appended = appended?;
        let extent = appended.extent(proof.len() as u32);
        if !index.insert_slice(&self.key, slice as u32, extent) {
            inner.log.marks.add(&[appended.place]);
        }
        drop(index);
        self.complete()
    }

    /// A slice that is here, with its proof, verified anew. `None` when it is missing.
    ///
    /// Errors: [`Error::Decayed`], and then the slice is missing; [`Error::Io`].
    pub fn slice(&self, slice: u64) -> Result<Option<(SliceProof, Bytes)>, Error> {
        let whole = self.inner.reader(self.key.name, &self.root)?;
        if let Some(body) = whole.filter(|body| body.length() == self.length) {
            let outside = Wrong::ProofShape { slice };
            let proof = body.outboard().slice_proof(slice);
            let proof = proof.ok_or(Error::Range(outside))?;
            let bytes = body.read(shape::slice_bytes(self.length, slice))?;
            return Ok(Some((proof, bytes)));
        }
        loop {
            let Some(extent) = self.extent(slice) else {
                return Ok(None);
            };
            let read = self.read(slice, &extent)?;
            let wrong = match read {
                Some((proof, bytes)) => match self.verify(slice, &proof, &bytes) {
                    Ok(()) => return Ok(Some((proof, bytes))),
                    Err(wrong) => wrong,
                },
                None => Wrong::ProofShape { slice },
            };
            if self.extent(slice) == Some(extent) {
                self.drop_slice(slice);
                return Err(Error::Decayed(wrong));
            }
            // It was moved meanwhile.
        }
    }

    fn extent(&self, slice: u64) -> Option<Extent> {
        let index = self.inner.index.lock();
        let slice = u32::try_from(slice).ok()?;
        index.partial(&self.key)?.slices.get(&slice).copied()
    }

    fn drop_slice(&self, slice: u64) {
        tracing::warn!(slice, "dropped a slice that has decayed");
        let mut index = self.inner.index.lock();
        let gone = index.remove_slice(&self.key, slice as u32);
        self.inner.apply(&gone);
    }

    fn verify(&self, slice: u64, proof: &SliceProof, bytes: &[u8]) -> Result<(), Wrong> {
        let place = shape::slice_bytes(self.length, slice);
        let verified = proof.clone().verify(&self.root, self.length, slice)?;
        if bytes.len() as u64 != place.end - place.start {
            return Err(Wrong::GroupLength {
                index: shape::slice_groups(self.length, slice).start,
                expected: (place.end - place.start) as usize,
                actual: bytes.len(),
            });
        }
        // An empty body has one empty group, which `chunks` does not give.
        let chunks = bytes.chunks(shape::GROUP as usize);
        let groups = chunks.chain(bytes.is_empty().then_some(bytes));
        for (index, group) in shape::slice_groups(self.length, slice).zip(groups) {
            verified.check_group(index, group)?;
        }
        Ok(())
    }

    /// Proof and bytes of a slice, unverified. `None` when they cannot be read as such.
    fn read(&self, slice: u64, extent: &Extent) -> Result<Option<(SliceProof, Bytes)>, Error> {
        let entry = self.inner.log.entry(&extent.place());
        let entry = entry.map_err(|e| Error::io("read", self.inner.log.folder(), e))?;
        let Some((Head::Slice { proof, .. }, payload)) = entry else {
            return Ok(None);
        };
        let Some((proof, _)) = payload.split_at_checked(proof as usize) else {
            return Ok(None);
        };
        let skip = proof.len();
        let proof = SliceProof::from_bytes(self.length, slice, proof).ok();
        Ok(proof.map(|proof| (proof, Bytes::from(payload).slice(skip..))))
    }

    /// Ends the body once every slice is here.
    fn complete(&self) -> Result<bool, Error> {
        let inner = &self.inner;
        let extents: Vec<_> = {
            let index = inner.index.lock();
            if index.whole(&self.key).is_some() {
                return Ok(true);
            }
            let all = shape::slices(self.length) as usize;
            match index.partial(&self.key) {
                Some(partial) if partial.slices.len() == all => {
                    partial.slices.values().copied().collect()
                }
                _ => return Ok(false),
            }
        };
        let mut values = Vec::new();
        for (slice, extent) in extents.iter().enumerate() {
            match self.proof(slice as u64, extent)? {
                Some(proof) => values.extend(proof.groups.concat()),
                // Moved or decayed.
                None => return self.settle(),
            }
        }
        if body::outboard(&self.root, self.length, &values).is_none() {
            return self.settle();
        }
        let head = BodyHead {
            name: self.key.name,
            number: inner.number(),
            length: self.length,
            values: values.len() as u32,
            group: None,
            extents: extents.clone(),
        };
        let (body, appended) = inner.append_body(head, &values, &[])?;
        if inner.limits.sync {
            inner.log.sync(&appended.held.0)?;
        }
        let mut index = inner.index.lock();
        if index.whole(&self.key).is_some() {
            return Ok(true);
        }
        let is_same = |partial: &crate::index::Partial| partial.slices.values().eq(&extents);
        if !index.partial(&self.key).is_some_and(is_same) {
            inner.log.marks.add(&[appended.place]);
            drop(index);
            return self.settle();
        }
        extents.iter().for_each(|extent| index.count(extent));
        index.insert_body(self.key.name, body);
        Ok(true)
    }

    /// Looks through what is here after something did not fit, and tries once more at the next call.
    fn settle(&self) -> Result<bool, Error> {
        for slice in 0..shape::slices(self.length) {
            match self.slice(slice) {
                Ok(_) | Err(Error::Decayed(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.is_whole())
    }

    /// The proof of a slice, verified without its bytes.
    fn proof(&self, slice: u64, extent: &Extent) -> Result<Option<SliceProof>, Error> {
        let Some((values, path)) = SliceProof::shape(self.length, slice) else {
            return Ok(None);
        };
        let length = 32 * (values + path);
        let Some(at) = u64::from(extent.at).checked_sub(length as u64) else {
            return Ok(None);
        };
        let bytes = self.inner.log.bytes(extent.segment, at, length);
        let bytes = bytes.map_err(|e| Error::io("read", self.inner.log.folder(), e))?;
        let proof = bytes.and_then(|bytes| {
            let proof = SliceProof::from_bytes(self.length, slice, &bytes).ok()?;
            proof.clone().verify(&self.root, self.length, slice).ok()?;
            Some(proof)
        });
        Ok(proof)
    }
}
