//! Vouchers on disk: appended, synced once per interval, and written anew when most are outdated.

use crate::{folder::Folder, MeterError};
use codec::{DecodeAll, Encode};
use selvedge_primitives_types::SignedVoucher;
use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::FileExt,
    path::PathBuf,
    sync::Arc,
};

const MAGIC: &[u8; 8] = b"SLVGVCH1";
/// Length and checksum before a payload.
const PREFIX: usize = 12;
/// Below this length a journal is not worth writing anew.
const SMALL: u64 = 1 << 20;

#[derive(Debug)]
pub(crate) struct Journal {
    folder: Arc<Folder>,
    path: PathBuf,
    file: File,
    /// Bytes that are records; what is beyond was not written whole.
    length: u64,
    is_dirty: bool,
    /// A failed write could not be taken back: its bytes may look like records.
    is_broken: bool,
}

/// What was in a journal.
#[derive(Debug, Default)]
pub(crate) struct Recovered {
    pub(crate) vouchers: Vec<SignedVoucher>,
    /// Whether something at the end was not a record, and was cut off.
    pub(crate) was_cut: bool,
}

impl Journal {
    /// Opens the journal, made if it is missing, and cuts off a torn end.
    pub(crate) fn open(folder: Arc<Folder>) -> Result<(Self, Recovered), MeterError> {
        let path = folder.journal();
        if !path.exists() {
            folder.write_with(&path, |file| file.write_all(MAGIC))?;
        }
        let bytes = std::fs::read(&path).map_err(MeterError::io("read", &path))?;
        let Some(records) = bytes.strip_prefix(MAGIC) else {
            return Err(MeterError::Foreign(path));
        };
        let (vouchers, used) = read_records(records);
        let was_cut = used < records.len();
        let length = (MAGIC.len() + used) as u64;
        let file = OpenOptions::new()
            .write(true)
            .open(&path)
            .map_err(MeterError::io("open", &path))?;
        if was_cut {
            tracing::warn!(
                path = %path.display(),
                bytes = records.len() - used,
                "cut off the torn end of a journal"
            );
            let cut = file.set_len(length).and_then(|()| file.sync_data());
            cut.map_err(MeterError::io("cut", &path))?;
        }
        let journal = Self {
            folder,
            path,
            file,
            length,
            is_dirty: false,
            is_broken: false,
        };
        Ok((journal, Recovered { vouchers, was_cut }))
    }

    /// Appends vouchers; [`Self::sync`] makes them last. Errors without effect.
    pub(crate) fn append(&mut self, vouchers: &[SignedVoucher]) -> Result<(), MeterError> {
        if vouchers.is_empty() {
            return Ok(());
        }
        let bytes = records(vouchers);
        self.write(|file, length| file.write_all_at(&bytes, length))?;
        self.length += bytes.len() as u64;
        self.is_dirty = true;
        Ok(())
    }

    /// Appends vouchers and waits for the disk to have them. Errors without effect.
    pub(crate) fn append_synced(&mut self, vouchers: &[SignedVoucher]) -> Result<(), MeterError> {
        if vouchers.is_empty() {
            return Ok(());
        }
        let bytes = records(vouchers);
        self.write(|file, length| {
            file.write_all_at(&bytes, length)?;
            file.sync_data()
        })?;
        self.length += bytes.len() as u64;
        self.is_dirty = false;
        Ok(())
    }

    /// Waits for the disk to have everything that was appended.
    pub(crate) fn sync(&mut self) -> Result<(), MeterError> {
        if self.is_dirty {
            self.file
                .sync_data()
                .map_err(MeterError::io("sync", &self.path))?;
            self.is_dirty = false;
        }
        Ok(())
    }

    /// Writes the journal anew with the vouchers that still matter, when that is worth it.
    pub(crate) fn compact(&mut self, live: &[SignedVoucher]) -> Result<(), MeterError> {
        let bytes = [&MAGIC[..], &records(live)].concat();
        if self.length < SMALL || (bytes.len() as u64) > self.length / 2 {
            return Ok(());
        }
        self.folder
            .write_with(&self.path, |file| file.write_all(&bytes))?;
        self.file = OpenOptions::new()
            .write(true)
            .open(&self.path)
            .map_err(MeterError::io("open", &self.path))?;
        self.length = bytes.len() as u64;
        self.is_dirty = false;
        self.is_broken = false;
        Ok(())
    }

    fn write(
        &mut self,
        write: impl FnOnce(&File, u64) -> io::Result<()>,
    ) -> Result<(), MeterError> {
        if self.is_broken {
            self.file
                .set_len(self.length)
                .map_err(MeterError::io("cut", &self.path))?;
            self.is_broken = false;
        }
        write(&self.file, self.length).map_err(|error| {
            // Records of a failed write must not be found behind those of the next one.
            self.is_broken = self.file.set_len(self.length).is_err();
            MeterError::io("write", &self.path)(error)
        })
    }
}

fn records(vouchers: &[SignedVoucher]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for voucher in vouchers {
        let payload = voucher.encode();
        bytes.extend_from_slice(&(payload.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&checksum(&payload));
        bytes.extend_from_slice(&payload);
    }
    bytes
}

fn checksum(payload: &[u8]) -> [u8; 8] {
    let mut first = [0; 8];
    first.copy_from_slice(&blake3::hash(payload).as_bytes()[..8]);
    first
}

/// Reads whole records and says how many bytes they are.
fn read_records(bytes: &[u8]) -> (Vec<SignedVoucher>, usize) {
    let mut vouchers = Vec::new();
    let mut used = 0;
    while let Some((voucher, length)) = read_record(&bytes[used..]) {
        vouchers.push(voucher);
        used += length;
    }
    (vouchers, used)
}

fn read_record(bytes: &[u8]) -> Option<(SignedVoucher, usize)> {
    let (prefix, rest) = bytes.split_at_checked(PREFIX)?;
    let (length, sum) = prefix.split_at_checked(4)?;
    let length = u32::from_le_bytes(length.try_into().ok()?) as usize;
    let payload = rest.get(..length)?;
    if checksum(payload) != *sum {
        return None;
    }
    let voucher = SignedVoucher::decode_all(&mut &payload[..]).ok()?;
    Some((voucher, PREFIX + length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use selvedge_primitives_types::{DeviceId, Voucher};
    use std::fs;

    fn voucher(seq: u64) -> SignedVoucher {
        let voucher = Voucher {
            seq,
            amount: seq.into(),
            ..Voucher::default()
        };
        SignedVoucher {
            voucher,
            ..SignedVoucher::default()
        }
    }

    fn open(path: &std::path::Path) -> (Journal, Recovered) {
        Journal::open(Arc::new(Folder::open(path, DeviceId([1; 32])).unwrap())).unwrap()
    }

    #[test]
    fn a_torn_end_is_cut_at_every_byte() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vouchers.journal");
        let (mut journal, _) = open(dir.path());
        journal.append_synced(&[voucher(1), voucher(2)]).unwrap();
        drop(journal);
        let whole = fs::read(&path).unwrap();
        let record = (whole.len() - MAGIC.len()) / 2;
        for length in MAGIC.len()..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            let (mut journal, recovered) = open(dir.path());
            let kept = (length - MAGIC.len()) / record;
            assert_eq!(recovered.vouchers.len(), kept, "{length} bytes");
            assert_eq!(
                recovered.was_cut,
                !(length - MAGIC.len()).is_multiple_of(record)
            );
            journal.append_synced(&[voucher(9)]).unwrap();
            drop(journal);
            let (_, recovered) = open(dir.path());
            assert_eq!(recovered.vouchers.last(), Some(&voucher(9)));
            assert!(!recovered.was_cut);
        }
    }

    #[test]
    fn a_flipped_bit_ends_the_journal() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vouchers.journal");
        let (mut journal, _) = open(dir.path());
        journal
            .append(&[voucher(1), voucher(2), voucher(3)])
            .unwrap();
        journal.sync().unwrap();
        drop(journal);
        let whole = fs::read(&path).unwrap();
        let record = (whole.len() - MAGIC.len()) / 3;
        for at in MAGIC.len() + record..MAGIC.len() + 2 * record {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            fs::write(&path, bytes).unwrap();
            let (_, recovered) = open(dir.path());
            assert_eq!(recovered.vouchers, [voucher(1)], "byte {at}");
            assert!(recovered.was_cut);
        }
    }

    #[test]
    fn a_journal_of_something_else_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("vouchers.journal"), b"hello").unwrap();
        let folder = Arc::new(Folder::open(dir.path(), DeviceId([1; 32])).unwrap());
        assert!(matches!(Journal::open(folder), Err(MeterError::Foreign(_))));
    }

    #[test]
    fn a_long_journal_is_written_anew() {
        let dir = tempfile::tempdir().unwrap();
        let (mut journal, _) = open(dir.path());
        let many: Vec<_> = (1..=6_000).map(voucher).collect();
        journal.append_synced(&many).unwrap();
        journal.compact(&many[5_999..]).unwrap();
        journal.append_synced(&[voucher(6_001)]).unwrap();
        drop(journal);
        assert!(
            fs::metadata(dir.path().join("vouchers.journal"))
                .unwrap()
                .len()
                < 1_000
        );
        let (_, recovered) = open(dir.path());
        assert_eq!(recovered.vouchers, [voucher(6_000), voucher(6_001)]);
    }
}
