//! The answers of clock, billing and staking, from thread-local state.

use pallet_edge_traits::{EpochClock, PrepaidInspect, StakeInspect};
use selvedge_primitives_types::{DeviceId, Epoch, Millis, Planck, Role, StakeId};
use sp_core::{crypto::AccountId32, ed25519, Pair};
use sp_runtime::{DispatchError, DispatchResult};
use std::cell::{Cell, RefCell};

thread_local! {
    static EPOCH: Cell<u64> = const { Cell::new(10) };
    static COVERED: Cell<Planck> = const { Cell::new(Planck::MAX) };
    static GATEWAYS: RefCell<Vec<DeviceId>> = const { RefCell::new(Vec::new()) };
}

/// The prepaid balance covers less than the caps.
pub const NOT_COVERED: DispatchError = DispatchError::Other("not covered");

pub struct Clock;
impl EpochClock for Clock {
    fn current() -> Epoch {
        Epoch(EPOCH.get())
    }
    fn now() -> Millis {
        Self::start_of(Self::current())
    }
    fn start_of(epoch: Epoch) -> Millis {
        Millis(epoch.0 * 60_000)
    }
    fn length() -> Millis {
        Millis(60_000)
    }
    fn epochs_per_era() -> u64 {
        4
    }
}

pub struct Prepaid;
impl PrepaidInspect<AccountId32> for Prepaid {
    fn is_funded_at(_: &AccountId32, _: Epoch) -> bool {
        true
    }
    fn ensure_covers(_: &AccountId32, caps: Planck) -> DispatchResult {
        frame_support::ensure!(caps <= COVERED.get(), NOT_COVERED);
        Ok(())
    }
}

pub struct Stakes;
impl StakeInspect<AccountId32> for Stakes {
    fn is_active(device: &DeviceId, role: Role, _: Epoch) -> bool {
        role == Role::Gateway && GATEWAYS.with_borrow(|all| all.contains(device))
    }
    fn owner_at(_: &DeviceId, _: Epoch) -> Option<AccountId32> {
        None
    }
    fn stake_of(_: &DeviceId) -> Option<(StakeId, Planck)> {
        None
    }
    fn stake_at(_: &DeviceId, _: Epoch) -> Option<StakeId> {
        None
    }
    fn amount_of(_: StakeId) -> Planck {
        0
    }
    fn active_count(role: Role, _: Epoch) -> u32 {
        Self::active_devices(role, u32::MAX).len() as u32
    }
    fn active_devices(role: Role, limit: u32) -> Vec<DeviceId> {
        if role != Role::Gateway {
            return Vec::new();
        }
        GATEWAYS.with_borrow(|all| all.iter().take(limit as usize).copied().collect())
    }
    fn assigned_since(_: &DeviceId) -> Option<Millis> {
        None
    }
    fn boost_of(_: StakeId) -> u32 {
        1_000_000
    }
}

/// Epoch 10, everything covered, no gateways.
pub(super) fn reset() {
    EPOCH.set(10);
    COVERED.set(Planck::MAX);
    GATEWAYS.take();
}

/// Sets the current epoch; returns the one before.
pub(super) fn set_epoch(epoch: u64) -> Epoch {
    Epoch(EPOCH.replace(epoch))
}

/// The most that the prepaid balance covers per epoch.
pub fn set_covered(caps: Planck) {
    COVERED.set(caps);
}

/// The key of the n-th gateway.
pub fn gateway(n: u8) -> ed25519::Pair {
    ed25519::Pair::from_seed(&[n; 32])
}

pub fn device(pair: &ed25519::Pair) -> DeviceId {
    DeviceId(pair.public().0)
}

/// Activates gateways 1 to `count`, from the next epoch on.
pub fn activate_gateways(count: u8) {
    let mut all: Vec<_> = (1..=count).map(|n| device(&gateway(n))).collect();
    all.sort();
    GATEWAYS.set(all);
}
