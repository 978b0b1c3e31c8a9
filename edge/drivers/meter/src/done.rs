//! Since when the chain is done with closed epochs: their leaves are kept for a time from then on.

use crate::{folder::Folder, MeterError};
use codec::{DecodeAll, Encode};
use selvedge_primitives_types::Epoch;
use std::{collections::BTreeMap, fs, io::ErrorKind};

const NAME: &str = "done";
const MAGIC: &[u8; 8] = b"SLVGDON1";

/// For each epoch that is credited or void, the one in which that was heard first.
#[derive(Default)]
pub(crate) struct Done(BTreeMap<Epoch, Epoch>);

impl Done {
    /// Errors when the file is damaged or the disk fails.
    pub(crate) fn read(folder: &Folder) -> Result<Self, MeterError> {
        let path = folder.path(NAME);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(MeterError::io("read", &path)(error)),
        };
        bytes
            .strip_prefix(MAGIC)
            .and_then(|mut rest| BTreeMap::decode_all(&mut rest).ok())
            .map(Self)
            .ok_or(MeterError::Damaged(path))
    }

    pub(crate) fn since(&self, epoch: Epoch) -> Option<Epoch> {
        self.0.get(&epoch).copied()
    }

    /// Takes in what is heard `now` of the closed epochs, and forgets all others. Errors without
    /// effect when the disk fails.
    pub(crate) fn hear<'a>(
        &mut self,
        folder: &Folder,
        closed: impl IntoIterator<Item = &'a Epoch>,
        done_through: Option<Epoch>,
        now: Epoch,
    ) -> Result<(), MeterError> {
        let done = |epoch: &&Epoch| done_through.is_some_and(|through| **epoch <= through);
        let next: BTreeMap<_, _> = closed
            .into_iter()
            .filter(done)
            .map(|epoch| (*epoch, self.since(*epoch).unwrap_or(now)))
            .collect();
        if next != self.0 {
            let bytes = [&MAGIC[..], &next.encode()].concat();
            folder.write_whole(NAME, &bytes)?;
            self.0 = next;
        }
        Ok(())
    }
}
