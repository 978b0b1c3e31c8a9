//! Where a body is, and reading it.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use codec::{DecodeAll, Encode};
use selvedge_edge_core_verify::{shape, Error as Wrong, Outboard, Part, RangePlan};
use selvedge_primitives_types::Hash;

use crate::entry::{Extent, Place};
use crate::log::is_missing;
use crate::name::BodyName;
use crate::segment::Segment;
use crate::store::Inner;
use crate::Error;

/// Where a whole body is.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    /// The entry that ends it.
    pub(crate) place: Place,
    pub(crate) number: u64,
    pub(crate) length: u64,
    /// Where in its file the values of its groups start, and how many bytes they are.
    pub(crate) values: (u32, u32),
    pub(crate) group: Option<u64>,
    /// Its bytes in other entries, in order.
    pub(crate) extents: Vec<Extent>,
    /// Its last bytes, in the same entry.
    pub(crate) rest: (u32, u32),
}

impl Body {
    /// Bytes of the entries that only its extents are in.
    pub(crate) fn extent_bytes(&self) -> u64 {
        let sizes = self.extents.iter().map(|extent| u64::from(extent.size));
        sizes.sum()
    }

    /// Bytes of all its entries.
    pub(crate) fn bytes(&self) -> u64 {
        u64::from(self.place.size) + self.extent_bytes()
    }

    /// All its bytes, in order.
    pub(crate) fn parts(&self) -> impl Iterator<Item = Extent> + '_ {
        let (at, length) = self.rest;
        let rest = Extent {
            segment: self.place.segment,
            at,
            length,
            size: 0,
        };
        self.extents
            .iter()
            .copied()
            .chain((length > 0).then_some(rest))
    }
}

/// A stretch of a body in a segment that stays readable.
#[derive(Clone, Debug)]
pub(crate) struct Stretch {
    /// Its first byte in the body.
    pub(crate) start: u64,
    pub(crate) segment: Arc<Segment>,
    pub(crate) at: u32,
    pub(crate) length: u32,
}

/// A stretch of a body in a file, for `sendfile` or `splice`.
#[derive(Clone, Debug)]
pub struct FileExtent {
    /// The file. What lies behind and before the stretch is not of the body.
    pub file: Arc<File>,
    /// First byte.
    pub offset: u64,
    /// Bytes.
    pub length: u64,
}

/// A stored body. It can be read to its end even when it leaves the store meanwhile.
#[derive(Clone, Debug)]
pub struct BodyReader {
    pub(crate) inner: Arc<Inner>,
    pub(crate) name: BodyName,
    pub(crate) stretches: Arc<Vec<Stretch>>,
    pub(crate) outboard: Arc<Outboard>,
}

impl BodyReader {
    /// Its root.
    pub fn root(&self) -> &Hash {
        self.outboard.root()
    }

    /// Its length in bytes.
    pub fn length(&self) -> u64 {
        self.outboard.length()
    }

    /// Its hash tree.
    pub fn outboard(&self) -> &Outboard {
        &self.outboard
    }

    /// A range of it, verified. The whole of an empty body is `0..0`.
    ///
    /// Errors: [`Error::Range`]; [`Error::Decayed`] when a group no longer matches, and then the
    /// body and its records have left the store.
    pub fn read(&self, range: Range<u64>) -> Result<Bytes, Error> {
        let plan = RangePlan::new(self.length(), range.clone()).map_err(Error::Range)?;
        let groups = shape::range_groups(&plan.range());
        let start = shape::group_bytes(self.length(), groups.start).start;
        let end = shape::group_bytes(self.length(), groups.end - 1).end;
        let mut bytes = vec![0; (end - start) as usize];
        self.read_at(&mut bytes, start)?;
        self.check(groups, &bytes)?;
        let within = (range.start - start) as usize..(range.end - start) as usize;
        Ok(Bytes::from(bytes).slice(within))
    }

    /// Where a range of it lies in files, after every group of it was read and verified.
    ///
    /// Whoever sends it with `sendfile` sends the pages that were just verified, as long as the
    /// system keeps them in memory: a disk that decays between the two is not noticed here, but by
    /// the receiver, who verifies as well. Visitors, who do not, are better served by
    /// [`BodyReader::read`].
    ///
    /// Errors: as [`BodyReader::read`].
    pub fn extents(&self, range: Range<u64>) -> Result<Vec<FileExtent>, Error> {
        let plan = RangePlan::new(self.length(), range.clone()).map_err(Error::Range)?;
        let mut bytes = Vec::new();
        for group in shape::range_groups(&plan.range()) {
            let place = shape::group_bytes(self.length(), group);
            bytes.resize((place.end - place.start) as usize, 0);
            self.read_at(&mut bytes, place.start)?;
            self.check(group..group + 1, &bytes)?;
        }
        let mut extents = Vec::new();
        self.each(range, |stretch, skip, length| {
            let file = self.inner.log.file(&stretch.segment);
            let file = file.map_err(|e| Error::io("open", &stretch.segment.path, e))?;
            extents.push(FileExtent {
                file,
                offset: u64::from(stretch.at) + skip,
                length,
            });
            Ok(())
        })?;
        Ok(extents)
    }

    /// A part of an encoded range ([`RangePlan::parts`]), verified.
    ///
    /// Errors: as [`BodyReader::read`].
    pub fn part(&self, part: &Part) -> Result<Bytes, Error> {
        match part {
            Part::Proof { slice, .. } => {
                let proof = self.outboard.slice_proof(*slice).ok_or_else(|| {
                    let place = shape::slice_bytes(self.length(), *slice);
                    let (start, end) = (place.start, place.end);
                    Error::Range(Wrong::OutOfBody {
                        start,
                        end,
                        length: self.length(),
                    })
                })?;
                Ok(proof.to_bytes().into())
            }
            Part::Group { bytes, .. } => self.read(bytes.clone()),
        }
    }

    fn check(&self, groups: Range<u64>, bytes: &[u8]) -> Result<(), Error> {
        // An empty body has one empty group, which `chunks` does not give.
        let chunks = bytes.chunks(shape::GROUP as usize);
        for (index, group) in groups.zip(chunks.chain(bytes.is_empty().then_some(bytes))) {
            let checked = self.outboard.check_group(index, group);
            checked.map_err(|wrong| self.decayed(wrong))?;
        }
        Ok(())
    }

    fn read_at(&self, mut bytes: &mut [u8], offset: u64) -> Result<(), Error> {
        let range = offset..offset + bytes.len() as u64;
        self.each(range, |stretch, skip, length| {
            let (now, later) = core::mem::take(&mut bytes).split_at_mut(length as usize);
            bytes = later;
            let place = u64::from(stretch.at) + skip;
            let read = self
                .inner
                .log
                .file(&stretch.segment)
                .and_then(|file| file.read_exact_at(now, place));
            read.map_err(|error| {
                if is_missing(&error) {
                    let missing = now.len() as u64;
                    self.decayed(Wrong::Truncated { missing })
                } else {
                    Error::io("read", &stretch.segment.path, error)
                }
            })
        })
    }

    /// Visits the stretches of a range: each with the bytes before the range, and those of it.
    fn each(
        &self,
        range: Range<u64>,
        mut visit: impl FnMut(&Stretch, u64, u64) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let ends = |stretch: &Stretch| stretch.start + u64::from(stretch.length) <= range.start;
        let first = self.stretches.partition_point(ends);
        let mut at = range.start;
        for stretch in &self.stretches[first..] {
            if at >= range.end {
                break;
            }
            let skip = at - stretch.start;
            let length = (u64::from(stretch.length) - skip).min(range.end - at);
            visit(stretch, skip, length)?;
            at += length;
        }
        Ok(())
    }

    fn decayed(&self, wrong: Wrong) -> Error {
        self.inner.drop_decayed(&self.name);
        Error::Decayed(wrong)
    }
}

/// The hash tree of a body, of the values of its groups. `None` when they are not of this root.
pub(crate) fn outboard(root: &Hash, length: u64, values: &[u8]) -> Option<Outboard> {
    let (values, rest) = values.as_chunks::<32>();
    let encoded = (root, length, values).encode();
    let outboard = Outboard::decode_all(&mut encoded.as_slice()).ok();
    outboard.filter(|_| rest.is_empty())
}

/// The values of a hash tree's groups, one after the other.
pub(crate) fn values(outboard: &Outboard) -> Vec<u8> {
    let groups = shape::groups(outboard.length());
    let count = if groups == 1 { 0 } else { groups as usize };
    // In SCALE they are what stands last.
    let mut encoded = outboard.encode();
    encoded.split_off(encoded.len().saturating_sub(32 * count))
}
