//! What things are called in a store.

use core::fmt;

use codec::{Decode, Encode};
use selvedge_primitives_types::{Hash, ServiceId, SignedRecord};

/// Name of a record: BLAKE3 of its service, key and variant.
pub(crate) type RecordId = [u8; 32];

/// Who shares stored bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Space {
    /// Equal bytes are stored once, whoever brought them.
    Shared,
    /// Bytes of one customer, under a salt that only it and its nodes know: equal bytes under
    /// another salt are stored apart, so that nobody learns from a store whether it has them.
    Private([u8; 32]),
}

impl Space {
    /// What a body with this root is called: the root itself, or BLAKE3 of it keyed with the salt.
    pub fn name(&self, root: &Hash) -> BodyName {
        match self {
            Self::Shared => BodyName(*root),
            Self::Private(salt) => BodyName(*blake3::keyed_hash(salt, root).as_bytes()),
        }
    }
}

impl fmt::Debug for Space {
    /// Leaves the salt out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shared => "Shared",
            Self::Private(_) => "Private",
        })
    }
}

/// What a body is called on disk. See [`Space::name`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct BodyName(pub [u8; 32]);

/// A body that is kept by its root. A root stands for one length, but whoever names one may lie: what is kept
/// for another length never gets whole, and is in nobody's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blob {
    /// Who shares it.
    pub space: Space,
    /// Its BLAKE3 root.
    pub root: Hash,
    /// Its length in bytes.
    pub length: u64,
}

impl Blob {
    /// One that is stored once for all.
    pub fn shared(root: Hash, length: u64) -> Self {
        Self {
            space: Space::Shared,
            root,
            length,
        }
    }

    pub(crate) fn key(&self) -> BlobKey {
        BlobKey {
            name: self.space.name(&self.root),
            length: self.length,
        }
    }
}

/// What a blob is known by here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct BlobKey {
    pub(crate) name: BodyName,
    pub(crate) length: u64,
}

/// The name that the record of a service, key and variant has.
pub(crate) fn record_id(record: &SignedRecord) -> RecordId {
    let record = &record.record;
    *blake3::hash(&(record.service, &record.key, &record.variant).encode()).as_bytes()
}

/// What the records of all variants of a key have in common.
pub(crate) fn key_digest(service: ServiceId, key: &[u8]) -> [u8; 16] {
    let digest = blake3::Hasher::new()
        .update(&service.0.to_le_bytes())
        .update(key)
        .finalize();
    short(&digest)
}

/// Half a BLAKE3 hash.
pub(crate) fn short(digest: &blake3::Hash) -> [u8; 16] {
    let mut short = [0; 16];
    short.copy_from_slice(&digest.as_bytes()[..16]);
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_name_is_neither_the_root_nor_that_of_another_salt() {
        let root = [7; 32];
        let one = Space::Private([1; 32]);
        assert_eq!(Space::Shared.name(&root), BodyName(root));
        assert_ne!(one.name(&root), BodyName(root));
        assert_ne!(one.name(&root), Space::Private([2; 32]).name(&root));
        assert_eq!(one.name(&root), one.name(&root));
        assert_eq!(format!("{one:?}"), "Private");
    }
}
