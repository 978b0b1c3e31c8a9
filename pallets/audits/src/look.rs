//! Has more leaves of disputed lines looked at: by auditors who are drawn for it when the next window closes.
//!
//! ```text
//! dispute ─▶ first window to close after it: seed and panel ─▶ vote | reveal in the epoch after ─▶ outcome
//! ```
//!
//! What they find is proven as ever, and the commitment is void then. That they find nothing changes nothing, nor does it
//! when they do not look: the outcome is told, and the money waits for it.

use crate::{
    types::{Line, Look, MAX_LINES},
    Config, Error, Event, Looks, Pallet, Windows,
};
use alloc::vec::Vec;
use frame_support::ensure;
use pallet_edge_traits::{CommitmentVoid, EpochClock, HostKeccak, SampleMore, StakeInspect};
use selvedge_primitives_math::draw::{entry_draws, Draw, DISPUTED, DRAWS};
use selvedge_primitives_types::{DeviceId, Epoch, Hash};
use sp_runtime::DispatchResult;

impl<T: Config> SampleMore for Pallet<T> {
    fn sample_more(gateway: &DeviceId, epoch: Epoch, entry: u32, times: u32) -> DispatchResult {
        let commitment = Self::commitment(gateway, epoch)?;
        ensure!(entry < commitment.customers.entries, Error::<T>::NoSuchLeaf);
        ensure!(
            T::Commitments::is_at_stake(gateway, epoch),
            Error::<T>::NotChallengeable
        );
        let window = Self::next_to_close();
        let mut look = Looks::<T>::get((epoch, gateway), window).unwrap_or_else(|| Look {
            operator: T::Stakes::owner_at(gateway, epoch),
            lines: Default::default(),
            passed: Default::default(),
        });
        let line = Line {
            entry,
            draws: DRAWS.saturating_mul(times).min(MAX_LINE_DRAWS),
        };
        look.lines
            .try_push(line)
            .map_err(|_| Error::<T>::TooManyLines)?;
        Looks::<T>::insert((epoch, gateway), window, look);
        let until = window.next();
        Self::queue(until, gateway, epoch);
        Self::deposit_event(Event::LineSampled {
            gateway: *gateway,
            epoch,
            entry,
            draws: line.draws,
            until,
        });
        Ok(())
    }
}

/// Draws of one line at most, so that an auditor can keep what it looked at: `MAX_LINES` × 176 leaves of 3 KiB are 2 MiB.
const MAX_LINE_DRAWS: u32 = 4 * DRAWS;
const _: () = assert!(MAX_LINES * MAX_LINE_DRAWS <= 1_024);

impl Look {
    /// The leaves to look at.
    pub(crate) fn draws(&self, seed: &Hash, gateway: &DeviceId, epoch: Epoch) -> Vec<Draw> {
        let lines = self.lines.iter();
        let drawn =
            |line: &Line| entry_draws::<HostKeccak>(seed, gateway, epoch, line.entry, line.draws);
        lines.flat_map(drawn).collect()
    }
}

impl<T: Config> Pallet<T> {
    /// The first window that has not closed.
    fn next_to_close() -> Epoch {
        let current = T::Clock::current();
        match T::Clock::is_closed(current) {
            true => current.next(),
            false => current,
        }
    }

    /// Whether disputed lines of a commitment have still to be looked at.
    pub(crate) fn is_looked_at(gateway: &DeviceId, epoch: Epoch) -> bool {
        Looks::<T>::iter_key_prefix((epoch, gateway))
            .next()
            .is_some()
    }

    /// Ends the looks at a commitment whose time for votes is over, and tells what came of them.
    pub(crate) fn end_looks(ended: Epoch, gateway: &DeviceId, epoch: Epoch) {
        let over: Vec<_> = Looks::<T>::iter_key_prefix((epoch, gateway))
            .filter(|window| window.next() <= ended)
            .collect();
        for window in over {
            let Some(look) = Looks::<T>::take((epoch, gateway), window) else {
                continue;
            };
            let drawn = Windows::<T>::get(window);
            let auditors = drawn.and_then(|drawn| drawn.auditors(look.operator.as_ref(), DISPUTED));
            Self::deposit_event(Event::LinesLookedAt {
                gateway: *gateway,
                epoch,
                lines: look.lines.len() as u32,
                auditors: auditors.unwrap_or(0),
                passed: look.passed.len() as u32,
            });
        }
    }
}
