//! What all caches say they have.

use std::collections::BTreeMap;

use selvedge_primitives_types::DeviceId;

use crate::filter::{Delta, Filter, FilterError};

/// Octets of all filters together.
pub const MOST_OCTETS: usize = 64 << 20;

/// The last filter of each cache.
#[derive(Clone, Debug, Default)]
pub struct Holdings {
    filters: BTreeMap<DeviceId, Filter>,
}

impl Holdings {
    /// A cache sent a whole filter. An older one than is here is taken as well: the cache may have
    /// begun anew.
    pub fn replace(&mut self, cache: DeviceId, filter: Filter) -> Result<(), FilterError> {
        let filter = filter.checked()?;
        let others = self.filters.iter().filter(|(other, _)| **other != cache);
        let size: usize = others.map(|(_, filter)| filter.size()).sum();
        if size + filter.size() > MOST_OCTETS {
            return Err(FilterError::NoRoom);
        }
        self.filters.insert(cache, filter);
        Ok(())
    }

    /// A cache sent what changed. When it does not fit, the whole has to be asked for.
    pub fn change(&mut self, cache: DeviceId, delta: &Delta) -> Result<(), FilterError> {
        match self.filters.get_mut(&cache) {
            Some(filter) => filter.apply(delta),
            None => Err(FilterError::OtherVersion {
                from: delta.from,
                here: 0,
            }),
        }
    }

    /// The version that is here of a cache's filter.
    pub fn version(&self, cache: &DeviceId) -> Option<u64> {
        Some(self.filters.get(cache)?.version)
    }

    /// Forgets a cache's filter.
    pub fn forget(&mut self, cache: &DeviceId) {
        self.filters.remove(cache);
    }

    /// Forgets all but some caches: those that are registered.
    pub fn retain(&mut self, is_kept: impl Fn(&DeviceId) -> bool) {
        self.filters.retain(|cache, _| is_kept(cache));
    }

    /// The caches that may have a blob.
    pub fn of<'a>(&'a self, root: &'a [u8; 32]) -> impl Iterator<Item = DeviceId> + 'a {
        let filters = self.filters.iter();
        filters
            .filter(|(_, filter)| filter.may_have(root))
            .map(|(cache, _)| *cache)
    }
}
