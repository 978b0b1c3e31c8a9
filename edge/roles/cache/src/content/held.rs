//! The filter of what is held, made anew when it is asked for and some seconds old.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use selvedge_edge_core_choice::Filter;
use selvedge_edge_drivers_agent::clock;
use selvedge_edge_drivers_store::Shelf;
use selvedge_edge_drivers_transport::Held;
use selvedge_primitives_types::Hash;

/// A filter is not made more often than this.
const AGE: Duration = Duration::from_secs(5);
/// Versions that changes are told from; whoever knows an older one gets the whole.
const VERSIONS: usize = 4;
/// A filter has room for at least so many blobs, and doubles, so that versions are of one size.
const LEAST_ROOM: usize = 1_024;

/// The last versions.
#[derive(Default)]
pub(super) struct Filters {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// The latest last.
    versions: VecDeque<Arc<Filter>>,
    made: Option<Instant>,
}

impl Filters {
    /// Answers who knows a version. Blocks while a filter is made.
    pub(super) fn answer(&self, shelf: &Shelf, version: Option<u64>) -> Held {
        let mut known = self.known.lock();
        if known.made.is_none_or(|made| made.elapsed() >= AGE) {
            let blobs = shelf.blobs().into_iter();
            let roots: Vec<_> = blobs
                .filter(|blob| blob.is_whole)
                .map(|blob| blob.root)
                .collect();
            known.renew(&roots, clock::now().0);
            known.made = Some(Instant::now());
        }
        known.answer(version)
    }
}

impl Known {
    /// Holds these. `now` is the version where it is later than the last: a cache that begins anew
    /// does not use one again.
    fn renew(&mut self, roots: &[Hash], now: u64) {
        let latest = self.versions.back();
        let version = latest.map_or(now, |latest| now.max(latest.version.saturating_add(1)));
        let room = roots.len().max(LEAST_ROOM).next_power_of_two();
        let mut filter = Filter::new(version, room);
        roots.iter().for_each(|root| filter.insert(root));
        if latest.is_some_and(|latest| latest.has_same(&filter)) {
            return;
        }
        if self.versions.len() == VERSIONS {
            self.versions.pop_front();
        }
        self.versions.push_back(Arc::new(filter));
    }

    fn answer(&self, version: Option<u64>) -> Held {
        let Some(latest) = self.versions.back() else {
            return Held::Same;
        };
        if version == Some(latest.version) {
            return Held::Same;
        }
        let older = self
            .versions
            .iter()
            .find(|old| Some(old.version) == version);
        match older.and_then(|older| latest.since(older)) {
            Some(delta) => Held::Changed(delta),
            None => Held::Whole(latest.as_ref().clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roots(count: u8) -> Vec<Hash> {
        (0..count)
            .map(|number| *blake3::hash(&[number]).as_bytes())
            .collect()
    }

    #[test]
    fn who_knows_a_version_is_told_what_changed() {
        let mut known = Known::default();
        known.renew(&roots(1), 7);
        let Held::Whole(mut filter) = known.answer(None) else {
            panic!("the first answer is whole");
        };
        assert_eq!((known.answer(Some(7)), filter.version), (Held::Same, 7));
        // The clock went back, and a blob came.
        known.renew(&roots(2), 3);
        let Held::Changed(delta) = known.answer(Some(7)) else {
            panic!("a blob more is a small change");
        };
        filter.apply(&delta).unwrap();
        assert_eq!(filter.version, 8);
        assert!(roots(2).iter().all(|root| filter.may_have(root)));
    }

    #[test]
    fn nothing_new_is_no_new_version() {
        let mut known = Known::default();
        for now in 0..10 {
            known.renew(&roots(3), now);
        }
        assert_eq!(
            (known.versions.len(), known.answer(Some(0))),
            (1, Held::Same)
        );
    }

    #[test]
    fn who_knows_too_old_a_version_or_none_is_told_the_whole() {
        let mut known = Known::default();
        for now in 0..10u8 {
            known.renew(&roots(now), u64::from(now));
        }
        assert!(known.versions.len() <= VERSIONS);
        for version in [None, Some(0), Some(1 << 40)] {
            assert!(
                matches!(known.answer(version), Held::Whole(_)),
                "{version:?}"
            );
        }
    }
}
