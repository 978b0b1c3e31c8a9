//! Writing a body of unknown length.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use bytes::Bytes;
use selvedge_edge_core_verify::{Builder, Outboard};

use crate::files::{body_tail, disk_bytes, remove};
use crate::store::Inner;
use crate::Error;

/// Room is asked for in steps of this many bytes.
const STEP: u64 = 64 * 1024;

/// A body under way. Dropping it takes its file away: whoever is cancelled leaves nothing behind.
#[derive(Debug)]
pub struct BodyWriter {
    under_way: UnderWay,
    file: Arc<File>,
    written: Arc<AtomicU64>,
    builder: Builder,
    failed: bool,
}

impl BodyWriter {
    pub(crate) fn new(inner: Arc<Inner>) -> Result<Self, Error> {
        let path = inner.temporary();
        let file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)
            .map_err(|e| Error::io("create", &path, e))?;
        Ok(Self {
            under_way: UnderWay {
                inner,
                path,
                promised: 0,
                is_named: false,
            },
            file: Arc::new(file),
            written: Arc::default(),
            builder: Builder::new(),
            failed: false,
        })
    }

    /// Bytes written so far.
    pub fn length(&self) -> u64 {
        self.builder.length()
    }

    /// Appends bytes.
    ///
    /// Errors: [`Error::TooLong`], [`Error::Busy`], [`Error::DiskFull`]. The writer is of no use
    /// after one.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.append(bytes).inspect_err(|_| self.failed = true)
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let length = self.length() + bytes.len() as u64;
        let limit = self.under_way.inner.longest_body();
        if length > limit || self.failed {
            return Err(Error::TooLong { limit });
        }
        self.under_way
            .promise_at_least(disk_bytes(length).div_ceil(STEP) * STEP)?;
        (&*self.file)
            .write_all(bytes)
            .map_err(|e| Error::io("write", &self.under_way.path, e))?;
        self.builder.push(bytes);
        self.written.store(length, Ordering::Release);
        Ok(())
    }

    /// A view of what is written so far, for those who wait for the same body.
    pub fn partial(&self) -> PartialBody {
        PartialBody {
            file: self.file.clone(),
            written: self.written.clone(),
        }
    }

    /// The body has ended. It has no name yet: [`crate::Store::put`] gives it one, with its record.
    ///
    /// Errors: as [`BodyWriter::write`].
    pub fn finish(mut self) -> Result<FinishedBody, Error> {
        if self.failed {
            return Err(Error::TooLong {
                limit: self.under_way.inner.longest_body(),
            });
        }
        let outboard = self.builder.finish();
        let tail = body_tail(&outboard);
        let bytes = disk_bytes(outboard.length() + tail.len() as u64);
        self.under_way.promise_at_least(bytes)?;
        self.under_way.give_back_down_to(bytes);
        let path = &self.under_way.path;
        (&*self.file)
            .write_all(&tail)
            .map_err(|e| Error::io("write", path, e))?;
        if self.under_way.inner.config.sync {
            self.file
                .sync_data()
                .map_err(|e| Error::io("sync", path, e))?;
        }
        Ok(FinishedBody {
            under_way: self.under_way,
            outboard,
        })
    }
}

/// A whole body without a name. Dropping it takes its file away.
#[derive(Debug)]
pub struct FinishedBody {
    pub(crate) under_way: UnderWay,
    outboard: Outboard,
}

impl FinishedBody {
    /// Root and length, for the record.
    pub fn outboard(&self) -> &Outboard {
        &self.outboard
    }
}

/// What is written of a body under way. It lives on after the writer has finished or given up.
#[derive(Clone, Debug)]
pub struct PartialBody {
    file: Arc<File>,
    written: Arc<AtomicU64>,
}

impl PartialBody {
    /// Bytes that can be read.
    pub fn length(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }

    /// Up to `limit` bytes from `offset`; none where nothing is written yet.
    ///
    /// They are checked against nothing, because nobody knows the root yet: send them in the frames
    /// they came in, whose receiver checks them.
    pub fn read(&self, offset: u64, limit: usize) -> std::io::Result<Bytes> {
        let length = self.length().saturating_sub(offset).min(limit as u64) as usize;
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, offset)?;
        Ok(bytes.into())
    }
}

/// A file in `tmp` with its promised bytes.
#[derive(Debug)]
pub(crate) struct UnderWay {
    pub(crate) inner: Arc<Inner>,
    pub(crate) path: PathBuf,
    pub(crate) promised: u64,
    /// Whether the file has moved on.
    pub(crate) is_named: bool,
}

impl UnderWay {
    fn promise_at_least(&mut self, bytes: u64) -> Result<(), Error> {
        let more = bytes.saturating_sub(self.promised);
        if more > 0 {
            self.inner.promise(more)?;
            self.promised += more;
        }
        Ok(())
    }

    fn give_back_down_to(&mut self, bytes: u64) {
        let less = self.promised.saturating_sub(bytes);
        self.inner.index.lock().release(less);
        self.promised -= less;
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if !self.is_named {
            remove(&self.path);
        }
        self.inner.index.lock().release(self.promised);
    }
}
