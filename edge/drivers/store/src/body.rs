//! Reading a stored body.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use selvedge_edge_core_verify::{shape, Error as Wrong, Outboard, Part, RangePlan};
use selvedge_primitives_types::Hash;

use crate::store::Inner;
use crate::Error;

/// A stored body. It can be read to its end even when it leaves the store meanwhile.
#[derive(Clone, Debug)]
pub struct BodyReader {
    pub(crate) inner: Arc<Inner>,
    pub(crate) file: Arc<File>,
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
        for (index, group) in groups.zip(bytes.chunks(shape::GROUP as usize)) {
            self.outboard
                .check_group(index, group)
                .map_err(|wrong| self.decayed(wrong))?;
        }
        let within = (range.start - start) as usize..(range.end - start) as usize;
        Ok(Bytes::from(bytes).slice(within))
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

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> Result<(), Error> {
        self.file
            .read_exact_at(bytes, offset)
            .map_err(|error| match error.kind() {
                std::io::ErrorKind::UnexpectedEof => {
                    let missing = bytes.len() as u64;
                    self.decayed(Wrong::Truncated { missing })
                }
                _ => Error::io("read", &self.inner.folder.body(self.root()), error),
            })
    }

    fn decayed(&self, wrong: Wrong) -> Error {
        self.inner.drop_body(self.root());
        Error::Decayed(wrong)
    }
}
