//! Writing a body of unknown length.

use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use selvedge_edge_core_verify::{Builder, Outboard};

use crate::body::{self, Body, Stretch};
use crate::entry::{BodyHead, Extent, Head, Owner, Place};
use crate::index::Index;
use crate::log::Appended;
use crate::name::{BodyName, Space};
use crate::segment::Segment;
use crate::store::Inner;
use crate::Error;

/// Room is asked for in steps of this many bytes.
const STEP: u64 = 64 * 1024;
/// What pieces and the end of a body take besides its bytes, hash tree and extents.
const OVERHEAD: u64 = 512;
/// What a piece takes, with its place in the end of the body.
const PIECE_OVERHEAD: u64 = 128;
/// The least that is written as a piece.
const SMALLEST_PIECE: u64 = 16 * 1024;
/// Memory that all bodies under way may take before their pieces become smaller.
const BUFFERS: u64 = 64 * 1024 * 1024;

/// A body under way. Dropping it makes its bytes garbage: whoever is cancelled leaves nothing that
/// counts.
#[derive(Debug)]
pub struct BodyWriter {
    under_way: UnderWay,
    builder: Builder,
    failed: bool,
}

impl BodyWriter {
    pub(crate) fn new(inner: Arc<Inner>) -> Self {
        let group = inner.number();
        let written = Arc::new(Written::default());
        inner.index.lock().begin(group, written.clone());
        Self {
            under_way: UnderWay {
                inner,
                group,
                written,
                promised: 0,
                buffered: 0,
                is_named: false,
            },
            builder: Builder::new(),
            failed: false,
        }
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
        let limit = self.under_way.inner.limits.longest;
        if length > limit || self.failed {
            return Err(Error::TooLong { limit });
        }
        let cost = cost(length, self.under_way.inner.limits.piece);
        self.under_way
            .promise_at_least(cost.div_ceil(STEP) * STEP)?;
        self.under_way.take(bytes)?;
        self.builder.push(bytes);
        Ok(())
    }

    /// A view of what is written so far, for those who wait for the same body.
    pub fn partial(&self) -> PartialBody {
        PartialBody {
            inner: self.under_way.inner.clone(),
            written: self.under_way.written.clone(),
        }
    }

    /// The body has ended. It has no name yet: [`crate::Store::put`] gives it one with its record,
    /// [`crate::Store::keep`] without one.
    ///
    /// Errors: as [`BodyWriter::write`].
    pub fn finish(mut self) -> Result<FinishedBody, Error> {
        if self.failed {
            return Err(Error::TooLong {
                limit: self.under_way.inner.limits.longest,
            });
        }
        let outboard = self.builder.finish();
        let piece = self.under_way.inner.limits.piece;
        self.under_way
            .promise_at_least(cost(outboard.length(), piece))?;
        Ok(FinishedBody {
            under_way: self.under_way,
            outboard,
        })
    }
}

/// Bytes on disk of a body that comes in pieces.
fn cost(length: u64, piece: u64) -> u64 {
    let tree = length / 512;
    let pieces = length / piece.min(SMALLEST_PIECE) + 1;
    length + tree + OVERHEAD + pieces * PIECE_OVERHEAD
}

/// A whole body without a name. Dropping it makes its bytes garbage.
#[derive(Debug)]
pub struct FinishedBody {
    under_way: UnderWay,
    outboard: Outboard,
}

impl FinishedBody {
    /// Root and length, for the record.
    pub fn outboard(&self) -> &Outboard {
        &self.outboard
    }

    /// Ends the body on disk, under its name. It counts from [`NamedBody::insert`] on.
    pub(crate) fn name(self, space: &Space) -> Result<NamedBody, Error> {
        let Self {
            mut under_way,
            outboard,
        } = self;
        let inner = under_way.inner.clone();
        let name = space.name(outboard.root());
        let values = body::values(&outboard);
        let (extents, rest) = under_way.written.close();
        let head = BodyHead {
            name,
            number: inner.number(),
            length: outboard.length(),
            values: values.len() as u32,
            group: (!extents.is_empty()).then_some(under_way.group),
            extents,
        };
        let (body, appended) = inner.append_body(head, &values, &rest)?;
        let segments = under_way.written.end(&body, &appended);
        under_way.flushed(rest.len());
        if inner.limits.sync {
            for segment in segments {
                inner.log.sync(&segment)?;
            }
        }
        Ok(NamedBody {
            under_way,
            name,
            body: Some(body),
            _appended: appended,
        })
    }
}

/// A body on disk that the index does not know yet.
#[derive(Debug)]
pub(crate) struct NamedBody {
    under_way: UnderWay,
    pub(crate) name: BodyName,
    body: Option<Body>,
    _appended: Appended,
}

impl Drop for NamedBody {
    fn drop(&mut self) {
        if let Some(body) = &self.body {
            // Its bytes go, so a start must not find it in place of another one of its name.
            self.under_way.inner.log.marks.add(&[body.place]);
        }
    }
}

impl NamedBody {
    /// Puts it into the index.
    pub(crate) fn insert(&mut self, index: &mut Index) {
        if let Some(body) = self.body.take() {
            index.release(core::mem::take(&mut self.under_way.promised));
            index.end(self.under_way.group);
            index.insert_body(self.name, body);
            self.under_way.is_named = true;
            self.under_way.written.state.lock().is_named = true;
        }
    }
}

/// What is written of a body under way. It lives on after the writer has finished or given up.
#[derive(Clone, Debug)]
pub struct PartialBody {
    inner: Arc<Inner>,
    written: Arc<Written>,
}

impl PartialBody {
    /// Bytes that can be read.
    pub fn length(&self) -> u64 {
        self.written.length.load(Ordering::Acquire)
    }

    /// Up to `limit` bytes from `offset`; none where nothing is written yet.
    ///
    /// They are checked against nothing, because nobody knows the root yet: send them in the frames
    /// they came in, whose receiver checks them.
    pub fn read(&self, offset: u64, limit: usize) -> std::io::Result<Bytes> {
        let end = self.length().min(offset.saturating_add(limit as u64));
        let mut bytes = vec![0; end.saturating_sub(offset) as usize];
        let mut at = offset;
        while at < end {
            let into = &mut bytes[(at - offset) as usize..];
            at += match self.written.find(at, into) {
                Found::Copied(length) => length as u64,
                Found::OnDisk(stretch) => {
                    let skip = at - stretch.start;
                    let length = (u64::from(stretch.length) - skip).min(into.len() as u64);
                    let file = self.inner.log.file(&stretch.segment)?;
                    let place = u64::from(stretch.at) + skip;
                    file.read_exact_at(&mut into[..length as usize], place)?;
                    length
                }
                Found::Nothing => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            };
        }
        Ok(bytes.into())
    }
}

/// The bytes of a body under way: in segments, and the last ones in memory.
#[derive(Debug, Default)]
pub(crate) struct Written {
    length: AtomicU64,
    state: Mutex<WrittenState>,
}

#[derive(Debug, Default)]
struct WrittenState {
    parts: Vec<(Stretch, Extent)>,
    /// Bytes behind the parts that are on their way to the disk.
    leaving: Bytes,
    /// Bytes behind those.
    buffer: Vec<u8>,
    /// Where the bytes in memory start.
    start: u64,
    /// Whether its parts must stay where they are.
    is_closed: bool,
    is_named: bool,
}

enum Found {
    Copied(usize),
    OnDisk(Stretch),
    Nothing,
}

impl Written {
    fn find(&self, at: u64, into: &mut [u8]) -> Found {
        let state = self.state.lock();
        if let Some(skip) = at.checked_sub(state.start) {
            let skip = skip as usize;
            let leaving = state.leaving.len();
            let held = match skip.checked_sub(leaving) {
                None => &state.leaving[skip..],
                Some(skip) => state.buffer.get(skip..).unwrap_or_default(),
            };
            let length = held.len().min(into.len());
            into[..length].copy_from_slice(&held[..length]);
            return if length > 0 {
                Found::Copied(length)
            } else {
                Found::Nothing
            };
        }
        let place = state.parts.partition_point(|part| part.0.start <= at);
        match place
            .checked_sub(1)
            .and_then(|place| state.parts.get(place))
        {
            Some((stretch, _)) => Found::OnDisk(stretch.clone()),
            None => Found::Nothing,
        }
    }

    /// Lets no part be moved any more. Returns them, and the bytes in memory.
    fn close(&self) -> (Vec<Extent>, Bytes) {
        let mut state = self.state.lock();
        state.is_closed = true;
        state.leaving = core::mem::take(&mut state.buffer).into();
        let extents = state.parts.iter().map(|part| part.1).collect();
        (extents, state.leaving.clone())
    }

    /// The bytes that were in memory are on disk. Returns every segment that has some.
    fn end(&self, body: &Body, appended: &Appended) -> Vec<Arc<Segment>> {
        let mut state = self.state.lock();
        let (at, length) = body.rest;
        let segment = appended.held.0.clone();
        let mut segments: Vec<_> = state
            .parts
            .iter()
            .map(|part| part.0.segment.clone())
            .collect();
        segments.push(segment.clone());
        segments.sort_by_key(|segment| segment.number);
        segments.dedup_by_key(|segment| segment.number);
        if length > 0 {
            let start = state.start;
            let stretch = Stretch {
                start,
                segment,
                at,
                length,
            };
            // Not a piece: its entry is the body's own.
            let none = Extent {
                segment: body.place.segment,
                at,
                length,
                size: 0,
            };
            state.parts.push((stretch, none));
        }
        state.start += u64::from(length);
        state.leaving = Bytes::new();
        segments
    }

    /// Puts a part where cleaning has copied it, with the index locked.
    pub(crate) fn replace(&self, from: Place, to: Extent, segment: &Arc<Segment>) -> bool {
        let mut state = self.state.lock();
        if state.is_closed {
            return false;
        }
        let mut parts = state.parts.iter_mut();
        let Some(part) = parts.find(|part| part.1.place() == from) else {
            return false;
        };
        part.0.segment = segment.clone();
        part.0.at = to.at;
        part.1 = to;
        true
    }

    /// Whether it has a part there that may be moved.
    pub(crate) fn has(&self, place: Place) -> bool {
        let state = self.state.lock();
        !state.is_closed && state.parts.iter().any(|part| part.1.place() == place)
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        let state = self.state.get_mut();
        if state.is_named {
            return;
        }
        // The disk has them back at once, and not only when their segments are cleaned: it may be
        // full, and then there is no room to clean.
        for (stretch, _) in &state.parts {
            stretch.segment.punch(stretch.at, stretch.length);
        }
    }
}

/// What a body under way has promised, and where it is.
#[derive(Debug)]
struct UnderWay {
    inner: Arc<Inner>,
    group: u64,
    written: Arc<Written>,
    promised: u64,
    /// Bytes in memory.
    buffered: u64,
    /// Whether it has a name.
    is_named: bool,
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

    /// Gathers bytes, and writes them when there are enough.
    fn take(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty() {
            let is_tight = self.inner.buffered.load(Ordering::Relaxed) > BUFFERS;
            let piece = if is_tight {
                SMALLEST_PIECE
            } else {
                self.inner.limits.piece
            };
            let is_full = {
                let mut state = self.written.state.lock();
                let room = (piece as usize).saturating_sub(state.buffer.len());
                let (now, later) = bytes.split_at(room.min(bytes.len()));
                bytes = later;
                state.buffer.extend_from_slice(now);
                self.buffered += now.len() as u64;
                let added = now.len() as u64;
                self.inner.buffered.fetch_add(added, Ordering::Relaxed);
                self.written.length.fetch_add(added, Ordering::Release);
                state.buffer.len() as u64 >= piece
            };
            if is_full {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Error> {
        let piece = {
            let mut state = self.written.state.lock();
            state.leaving = core::mem::take(&mut state.buffer).into();
            state.leaving.clone()
        };
        let owner = Owner::Group(self.group);
        let appended = self.inner.append(&Head::Piece { owner }, &[&piece])?;
        let extent = appended.extent(0);
        let mut index = self.inner.index.lock();
        index.count(&extent);
        let mut state = self.written.state.lock();
        let stretch = Stretch {
            start: state.start,
            segment: appended.held.0.clone(),
            at: extent.at,
            length: extent.length,
        };
        state.parts.push((stretch, extent));
        state.start += piece.len() as u64;
        state.leaving = Bytes::new();
        drop(state);
        drop(index);
        self.flushed(piece.len());
        Ok(())
    }

    fn flushed(&mut self, bytes: usize) {
        self.buffered -= bytes as u64;
        let buffered = &self.inner.buffered;
        buffered.fetch_sub(bytes as u64, Ordering::Relaxed);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.flushed(self.buffered as usize);
        let mut index = self.inner.index.lock();
        index.release(self.promised);
        if !self.is_named {
            let (extents, _) = self.written.close();
            index.abandon(self.group, &extents);
        }
    }
}
