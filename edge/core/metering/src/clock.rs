use selvedge_primitives_types::{Epoch, GenesisHash, Millis, Slice};

/// The epoch that use is counted in, as the chain states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochClock {
    /// The chain.
    pub genesis: GenesisHash,
    /// The epoch.
    pub epoch: Epoch,
    /// When it began.
    pub start: Millis,
    /// How long it lasts.
    pub length: Millis,
}

impl EpochClock {
    /// The slice that a moment lies in. Before the epoch it is the first; from its end on, while
    /// the chain has not begun the next one, the last.
    pub fn slice(&self, now: Millis) -> Slice {
        let passed = u128::from(now.0.saturating_sub(self.start.0));
        let slice = passed * u128::from(Slice::PER_EPOCH) / u128::from(self.length.0.max(1));
        Slice(slice.min(u128::from(Slice::PER_EPOCH - 1)) as u16)
    }
}

/// Whether the leaves of an epoch need not be kept any more: it was heard in the epoch
/// `done_since` that it is credited or void, and `keep_epochs` more have passed since.
pub fn may_forget(done_since: Option<Epoch>, current: Epoch, keep_epochs: u64) -> bool {
    done_since.is_some_and(|since| current.since(since) > keep_epochs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_is_a_sixtieth() {
        let clock = EpochClock {
            genesis: [0; 32],
            epoch: Epoch(3),
            start: Millis(1_000),
            length: Millis(60_000),
        };
        for (now, slice) in [
            (0, 0),
            (1_000, 0),
            (1_999, 0),
            (2_000, 1),
            (60_999, 59),
            (999_999, 59),
        ] {
            assert_eq!(clock.slice(Millis(now)), Slice(slice), "at {now}");
        }
        let odd = EpochClock {
            length: Millis(0),
            ..clock
        };
        assert_eq!(odd.slice(Millis(u64::MAX)), Slice(59));
    }

    #[test]
    fn leaves_are_kept_until_the_chain_is_done_and_longer() {
        assert!(!may_forget(None, Epoch(99), 24));
        assert!(!may_forget(Some(Epoch(30)), Epoch(54), 24));
        assert!(may_forget(Some(Epoch(30)), Epoch(55), 24));
    }
}
