//! Bodies that are kept under their own names: pinned ones, and others as long as there is room.

use selvedge_edge_core_verify::shape;
use selvedge_primitives_types::{Hash, ServiceId};

use crate::body::BodyReader;
use crate::entry::Head;
use crate::index::{Content, Gone};
use crate::name::{Blob, BlobKey, BodyName, Space};
use crate::store::{Inner, Store};
use crate::writer::FinishedBody;
use crate::Error;

/// What the word that a body is kept takes, and the end of a body without its values.
const OVERHEAD: u64 = 1024;
/// What a slice takes besides its bytes and its proof.
const SLICE_OVERHEAD: u64 = 192;

/// A body that is kept without a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// What it is called: its root, unless it is private.
    pub name: BodyName,
    /// Its length in bytes.
    pub length: u64,
    /// The service that it was last kept or pinned for.
    pub service: ServiceId,
    /// Whether it stays until it is unpinned.
    pub is_pinned: bool,
    /// Whether all of it is here.
    pub is_whole: bool,
}

impl Store {
    /// Keeps a body without a record, as long as there is room.
    ///
    /// Errors: as [`Store::put`].
    pub fn keep(&self, space: &Space, service: ServiceId, body: FinishedBody) -> Result<(), Error> {
        let blob = Blob {
            space: *space,
            root: *body.outboard().root(),
            length: body.outboard().length(),
        };
        self.inner.hold_loosely(&blob.key(), service)?;
        let mut named = body.name(space)?;
        let mut index = self.inner.index.lock();
        named.insert(&mut index);
        // It may have left again while its bytes were written.
        let mut gone = Gone::default();
        index.let_go(&named.name, &mut gone);
        self.inner.apply(&gone);
        // Dropping what is left of the writer locks the index.
        drop(index);
        Ok(())
    }

    /// Promises that a body stays until it is unpinned, and room for what is missing of it. It need
    /// not be here yet: [`Store::assembly`] takes it in. Again without effect.
    ///
    /// Errors: [`Error::PinsFull`]; [`Error::Busy`] when too much is under way; [`Error::TooLong`],
    /// [`Error::DiskFull`], [`Error::Io`].
    pub fn pin(&self, blob: &Blob, service: ServiceId) -> Result<(), Error> {
        let inner = &self.inner;
        if !inner.limits.takes_slices(blob.length) {
            let limit = inner.limits.longest;
            return Err(Error::TooLong { limit });
        }
        let key = blob.key();
        let cost = cost(blob.length);
        // Two at once must not both find the last room.
        let _turn = inner.pinning.lock();
        let promised = {
            let mut index = inner.index.lock();
            if index.content(&key).is_some_and(|content| content.is_pinned) {
                return Ok(());
            }
            if index.pinned().saturating_add(cost) > inner.limits.pinned {
                return Err(Error::PinsFull {
                    quota: inner.limits.pinned,
                });
            }
            // What waits to be evicted must not be what is pinned here.
            index.shield(&key);
            let missing = cost.saturating_sub(index.bytes_of(&key)).max(OVERHEAD);
            let (is_there, gone) = index.promise(missing);
            inner.apply(&gone);
            if !is_there {
                index.unshield(&key);
                return Err(inner.busy());
            }
            missing
        };
        inner.hold(&key, service, Some(promised))
    }

    /// Takes a promise back: the body stays as long as there is room. `false` when it was not pinned.
    ///
    /// Errors: [`Error::Busy`], [`Error::DiskFull`], [`Error::Io`]; then it is still pinned.
    pub fn unpin(&self, blob: &Blob) -> Result<bool, Error> {
        let key = blob.key();
        let pinned = {
            let index = self.inner.index.lock();
            let content = index.content(&key).filter(|content| content.is_pinned);
            content.map(|content| content.service)
        };
        match pinned {
            None => Ok(false),
            Some(service) => self.inner.hold(&key, service, None).map(|()| true),
        }
    }

    /// Forgets a body that was kept or pinned; records that name it keep it. `false` when there was
    /// none.
    pub fn drop_content(&self, blob: &Blob) -> bool {
        self.drop_key(&blob.key())
    }

    /// As [`Store::drop_content`], for what [`Store::kept`] tells.
    pub fn drop_kept(&self, kept: &Holding) -> bool {
        self.drop_key(&BlobKey {
            name: kept.name,
            length: kept.length,
        })
    }

    fn drop_key(&self, key: &BlobKey) -> bool {
        let mut index = self.inner.index.lock();
        let was_there = index.content(key).is_some();
        let gone = index.remove_content(key);
        self.inner.apply(&gone);
        was_there
    }

    /// A whole body, kept or of a record, by its root. Counts as a hit.
    ///
    /// Errors: as [`Store::body`].
    pub fn content(&self, space: &Space, root: &Hash) -> Result<Option<BodyReader>, Error> {
        self.inner.reader(space.name(root), root)
    }

    /// Whether all of a body is here. Counts as no hit, and reads nothing.
    pub fn has(&self, space: &Space, root: &Hash) -> bool {
        let name = space.name(root);
        self.inner.index.lock().body(&name).is_some()
    }

    /// Every body that is kept or pinned, in no order.
    pub fn kept(&self) -> Vec<Holding> {
        let index = self.inner.index.lock();
        let kept = index.contents().map(|(key, content)| Holding {
            name: key.name,
            length: key.length,
            service: content.service,
            is_pinned: content.is_pinned,
            is_whole: index.whole(key).is_some(),
        });
        kept.collect()
    }
}

impl Inner {
    /// Sees that a body is kept, pinned or not.
    pub(crate) fn hold_loosely(&self, key: &BlobKey, service: ServiceId) -> Result<(), Error> {
        if self.index.lock().content(key).is_some() {
            return Ok(());
        }
        self.promise(OVERHEAD)?;
        let held = self.hold(key, service, None);
        self.index.lock().release(OVERHEAD);
        held
    }

    /// Writes that a body is kept; with promised bytes, that it is pinned.
    fn hold(&self, key: &BlobKey, service: ServiceId, promised: Option<u64>) -> Result<(), Error> {
        let number = self.number();
        let is_pinned = promised.is_some();
        let promised = promised.unwrap_or_default();
        let head = Head::Hold {
            name: key.name,
            number,
            length: key.length,
            service,
            is_pinned,
        };
        let appended = self.append_durably(&head, &[]);
        let mut index = self.index.lock();
        let appended = appended.inspect_err(|_| {
            index.release(promised);
            index.unshield(key);
        })?;
        let is_later = |content: &Content| content.number > number;
        if index.content(key).is_some_and(is_later) {
            index.release(promised);
            self.log.marks.add(&[appended.place]);
            return Ok(());
        }
        let content = Content {
            service,
            is_pinned,
            number,
            place: appended.place,
            promised,
            cost: if is_pinned { cost(key.length) } else { 0 },
        };
        let gone = index.hold(*key, content);
        self.apply(&gone);
        Ok(())
    }
}

/// Bytes that a body takes which comes in slices, with everything: the values of its groups stand in
/// the proofs and once more at its end.
pub(crate) fn cost(length: u64) -> u64 {
    let (groups, slices) = (shape::groups(length), shape::slices(length));
    // No path is longer, for the longest body there is.
    let path = if slices > 1 { 32 * 16 } else { 0 };
    length + 64 * groups + slices * (SLICE_OVERHEAD + path) + OVERHEAD
}
