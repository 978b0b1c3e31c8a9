//! Bodies that are kept under their own names: pinned ones, and others as long as there is room.

use selvedge_edge_core_verify::shape;
use selvedge_primitives_types::{Hash, ServiceId};

use crate::body::BodyReader;
use crate::entry::Head;
use crate::index::Content;
use crate::name::{BodyName, Space};
use crate::store::{Inner, Store};
use crate::writer::FinishedBody;
use crate::Error;

/// What the word that a body is kept takes, and the end of a body without its values.
const OVERHEAD: u64 = 1024;
/// What a slice takes besides its bytes: its proof and its place.
const SLICE_OVERHEAD: u64 = 3 * 1024;

/// A body that is kept without a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What it is called: its root, unless it is private.
    pub name: BodyName,
    /// Its length in bytes.
    pub length: u64,
    /// Whether it stays until it is unpinned.
    pub is_pinned: bool,
    /// Whether all of it is here.
    pub is_whole: bool,
}

impl Store {
    /// Keeps a body without a record, as long as there is room.
    ///
    /// Errors: as [`Store::put`].
    pub fn keep(&self, space: &Space, body: FinishedBody) -> Result<(), Error> {
        let length = body.outboard().length();
        let root = *body.outboard().root();
        self.inner.hold_loosely(&space.name(&root), length)?;
        let mut named = body.name(space)?;
        let mut index = self.inner.index.lock();
        named.insert(&mut index);
        let mut gone = crate::index::Gone::default();
        // It may have left again while its bytes were written.
        index.let_go(&named.name, &mut gone);
        self.inner.apply(&gone);
        drop(index);
        Ok(())
    }

    /// Promises that a body stays until it is unpinned, and room for what is missing of it. It need
    /// not be here yet: [`Store::assembly`] takes it in. Again without effect.
    ///
    /// Errors: [`Error::PinsFull`]; [`Error::Busy`] when too much is under way; [`Error::OtherBody`]
    /// when the body that is here has another length; [`Error::TooLong`], [`Error::DiskFull`],
    /// [`Error::Io`].
    pub fn pin(&self, space: &Space, root: &Hash, length: u64) -> Result<(), Error> {
        let inner = &self.inner;
        if !inner.limits.takes_slices(length) {
            let limit = inner.limits.longest;
            return Err(Error::TooLong { limit });
        }
        let name = space.name(root);
        let cost = cost(length);
        let promised = {
            let mut index = inner.index.lock();
            match index.content(&name) {
                Some(content) if content.length != length => return Err(Error::OtherBody),
                Some(content) if content.is_pinned => return Ok(()),
                _ => {}
            }
            if index.body(&name).is_some_and(|body| body.length != length) {
                return Err(Error::OtherBody);
            }
            if !index.may_pin(cost, inner.limits.pinned) {
                return Err(Error::PinsFull {
                    quota: inner.limits.pinned,
                });
            }
            // What waits to be evicted must not be what is pinned here.
            index.shield(&name);
            let missing = cost.saturating_sub(index.bytes_of(&name)).max(OVERHEAD);
            let (is_there, gone) = index.promise(missing);
            inner.apply(&gone);
            if !is_there {
                index.unshield(&name);
                return Err(inner.busy());
            }
            missing
        };
        inner.hold(&name, length, Some(promised))
    }

    /// Takes a promise back: the body stays as long as there is room. `false` when it was not pinned.
    ///
    /// Errors: [`Error::Busy`], [`Error::DiskFull`], [`Error::Io`]; then it is still pinned.
    pub fn unpin(&self, space: &Space, root: &Hash) -> Result<bool, Error> {
        let name = space.name(root);
        let pinned = {
            let index = self.inner.index.lock();
            let content = index.content(&name).filter(|content| content.is_pinned);
            content.map(|content| content.length)
        };
        match pinned {
            None => Ok(false),
            Some(length) => self.inner.hold(&name, length, None).map(|()| true),
        }
    }

    /// Forgets a body that was kept or pinned; records that name it keep it. `false` when there was
    /// none.
    pub fn drop_content(&self, space: &Space, root: &Hash) -> bool {
        self.drop_kept(&space.name(root))
    }

    /// As [`Store::drop_content`], by the name that [`Store::kept`] tells.
    pub fn drop_kept(&self, name: &BodyName) -> bool {
        let mut index = self.inner.index.lock();
        let was_there = index.content(name).is_some();
        let gone = index.remove_content(name);
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
    pub fn kept(&self) -> Vec<Kept> {
        let index = self.inner.index.lock();
        let kept = index.contents().map(|(name, content)| Kept {
            name: *name,
            length: content.length,
            is_pinned: content.is_pinned,
            is_whole: index.body(name).is_some(),
        });
        kept.collect()
    }
}

impl Inner {
    /// Sees that a body is kept, pinned or not.
    pub(crate) fn hold_loosely(&self, name: &BodyName, length: u64) -> Result<(), Error> {
        let known = self
            .index
            .lock()
            .content(name)
            .map(|content| content.length);
        match known {
            Some(known) if known == length => Ok(()),
            Some(_) => Err(Error::OtherBody),
            None => {
                self.promise(OVERHEAD)?;
                let held = self.hold(name, length, None);
                self.index.lock().release(OVERHEAD);
                held
            }
        }
    }

    /// Writes that a body is kept; with promised bytes, that it is pinned.
    fn hold(&self, name: &BodyName, length: u64, promised: Option<u64>) -> Result<(), Error> {
        let number = self.number();
        let is_pinned = promised.is_some();
        let head = Head::Hold {
            name: *name,
            number,
            length,
            is_pinned,
        };
        let appended = self.append(&head, &[]);
        let synced = appended.and_then(|appended| {
            if self.limits.sync {
                self.log.sync(&appended.held.0)?;
            }
            Ok(appended)
        });
        let promised = promised.unwrap_or_default();
        let mut index = self.index.lock();
        let appended = synced.inspect_err(|_| {
            index.release(promised);
            index.unshield(name);
        })?;
        let is_older = |content: &Content| content.number > number;
        if index.content(name).is_some_and(is_older) {
            index.release(promised);
            self.log.marks.add(&[appended.place]);
            return Ok(());
        }
        let content = Content {
            length,
            is_pinned,
            number,
            place: appended.place,
            promised,
            cost: if is_pinned { cost(length) } else { 0 },
        };
        let gone = index.hold(*name, content);
        self.apply(&gone);
        self.outboards.remove(ServiceId(0), &name.0);
        Ok(())
    }
}

/// Bytes that a body takes which comes in slices, with everything.
pub(crate) fn cost(length: u64) -> u64 {
    let tree = if shape::groups(length) == 1 {
        0
    } else {
        32 * shape::groups(length)
    };
    length + tree + OVERHEAD + shape::slices(length) * SLICE_OVERHEAD
}
