//! What caches have been given.

use std::collections::BTreeMap;

use selvedge_primitives_types::DeviceId;

/// A cache takes no more than so many percent of its fair part (Mirrokni, Thorup and Zadimoghaddam,
/// Consistent Hashing with Bounded Loads).
const PERCENT_OF_FAIR: u128 = 125;

/// How much each cache has been given, in any one unit: targets, or bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loads {
    of: BTreeMap<DeviceId, u64>,
    total: u64,
}

impl Loads {
    /// Nothing was given to anybody.
    pub fn new() -> Self {
        Self::default()
    }

    /// A cache was given so much more.
    pub fn add(&mut self, cache: DeviceId, amount: u64) {
        let load = self.of.entry(cache).or_default();
        *load = load.saturating_add(amount);
        self.total = self.total.saturating_add(amount);
    }

    /// What a cache was given.
    pub fn of(&self, cache: &DeviceId) -> u64 {
        self.of.get(cache).copied().unwrap_or(0)
    }

    /// Whether a cache has what 1.25 of its part of all would be, were one more given. `weight` is
    /// its own, `weights` that of all.
    pub(crate) fn is_full(&self, cache: &DeviceId, weight: u64, weights: u128) -> bool {
        let most = PERCENT_OF_FAIR
            .saturating_mul(u128::from(self.total) + 1)
            .saturating_mul(u128::from(weight))
            .div_ceil(weights.max(1).saturating_mul(100));
        u128::from(self.of(cache)) >= most
    }
}
