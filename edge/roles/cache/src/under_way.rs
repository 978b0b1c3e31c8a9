//! A fetch under way: what its holder has sent so far, and those who wait for more.
//!
//! Frames are kept without their bytes; the bytes are in the store's partial file, and a follower reads them from there.
//! So a body of any length costs memory only per frame.

use bytes::Bytes;
use parking_lot::Mutex;
use selvedge_edge_core_verify::{LeaseId, RecordHead, SignedFrame};
use selvedge_edge_drivers_store::PartialBody;
use selvedge_primitives_types::{DeviceId, Millis, SignedRecord};
use tokio::sync::watch;

/// How a fetch ended.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// Whole; the record was verified. `stored` says whether the store kept it.
    Whole(Box<SignedRecord>),
    /// A stale response was renewed, or somebody else may try: ask again.
    Again,
    /// Not for sharing, for this long.
    Pass(Millis),
    /// Broken off after it had begun.
    Broken,
}

/// What is known of a fetch.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    /// Its head is there, and vouched for.
    pub(crate) has_head: bool,
    /// Frames that can be read.
    pub(crate) frames: usize,
    /// How it ended.
    pub(crate) outcome: Option<Outcome>,
}

/// A fetch under way.
pub(crate) struct UnderWay {
    pub(crate) lease: LeaseId,
    pub(crate) holder: DeviceId,
    progress: watch::Sender<Progress>,
    content: Mutex<Content>,
}

#[derive(Default)]
struct Content {
    head: Option<RecordHead>,
    frames: Vec<SignedFrame>,
    body: Option<PartialBody>,
}

impl UnderWay {
    pub(crate) fn new(lease: LeaseId, holder: DeviceId) -> Self {
        Self {
            lease,
            holder,
            progress: watch::Sender::default(),
            content: Mutex::default(),
        }
    }

    /// The holder's head is vouched for by its first frame; the body goes to this file.
    pub(crate) fn begin(&self, head: RecordHead, body: PartialBody) {
        let mut content = self.content.lock();
        (content.head, content.body) = (Some(head), Some(body));
        drop(content);
        self.progress
            .send_modify(|progress| progress.has_head = true);
    }

    /// A verified frame, whose bytes are in the file.
    pub(crate) fn push(&self, frame: SignedFrame) {
        let mut content = self.content.lock();
        content.frames.push(frame);
        let frames = content.frames.len();
        drop(content);
        self.progress
            .send_modify(|progress| progress.frames = frames);
    }

    /// It ended. Only the first end counts.
    pub(crate) fn end(&self, outcome: Outcome) {
        self.progress.send_if_modified(|progress| {
            let is_first = progress.outcome.is_none();
            progress.outcome.get_or_insert(outcome);
            is_first
        });
    }

    pub(crate) fn head(&self) -> Option<RecordHead> {
        self.content.lock().head.clone()
    }

    /// A frame with its bytes.
    pub(crate) fn frame(&self, index: usize) -> std::io::Result<Option<(SignedFrame, Bytes)>> {
        let content = self.content.lock();
        let (Some(frame), Some(body)) = (content.frames.get(index).cloned(), content.body.clone())
        else {
            return Ok(None);
        };
        drop(content);
        let bytes = body.read(frame.offset, frame.length as usize)?;
        Ok(Some((frame, bytes)))
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }
}
