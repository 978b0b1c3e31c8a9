//! Directories that were read, so that a path costs no fetch for each of its names.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use parking_lot::Mutex;
use selvedge_edge_core_content::Directory;
use selvedge_primitives_types::Hash;

/// Bytes of their encodings. In memory they take a few times as much.
const MAX_BYTES: usize = 32 << 20;

/// The directories that were asked for last.
#[derive(Debug, Default)]
pub(super) struct Directories(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    by_root: HashMap<Hash, (u64, usize, Arc<Directory>)>,
    /// Roots by when they were asked for.
    by_use: BTreeMap<u64, Hash>,
    uses: u64,
    bytes: usize,
}

impl Directories {
    pub(super) fn get(&self, root: &Hash) -> Option<Arc<Directory>> {
        let kept = &mut *self.0.lock();
        kept.uses += 1;
        let (used, _, directory) = kept.by_root.get_mut(root)?;
        kept.by_use.remove(used);
        *used = kept.uses;
        kept.by_use.insert(kept.uses, *root);
        Some(directory.clone())
    }

    /// Keeps a directory of so many bytes, in place of those that were asked for the longest ago.
    pub(super) fn keep(&self, root: Hash, bytes: usize, directory: Arc<Directory>) {
        let kept = &mut *self.0.lock();
        if kept.by_root.contains_key(&root) || bytes > MAX_BYTES / 2 {
            return;
        }
        while kept.bytes + bytes > MAX_BYTES {
            let Some((_, oldest)) = kept.by_use.pop_first() else {
                break;
            };
            if let Some((_, bytes, _)) = kept.by_root.remove(&oldest) {
                kept.bytes -= bytes;
            }
        }
        kept.uses += 1;
        kept.bytes += bytes;
        kept.by_use.insert(kept.uses, root);
        kept.by_root.insert(root, (kept.uses, bytes, directory));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_asked_for_goes_first() {
        let directories = Directories::default();
        let third = MAX_BYTES / 3;
        for root in 0..3 {
            directories.keep([root; 32], third, Arc::default());
        }
        assert!(directories.get(&[0; 32]).is_some());
        directories.keep([3; 32], third, Arc::default());
        let there = [0, 1, 2, 3].map(|root| directories.get(&[root; 32]).is_some());
        assert_eq!(there, [true, false, true, true]);
        directories.keep([4; 32], MAX_BYTES, Arc::default());
        assert!(directories.get(&[4; 32]).is_none());
        let kept = directories.0.lock();
        assert_eq!(kept.by_root.len(), kept.by_use.len());
        assert_eq!(kept.bytes, 3 * third);
    }
}
