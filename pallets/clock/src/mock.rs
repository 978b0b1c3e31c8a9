//! A runtime of the system, the timestamp and the clock.

// The runtime macro makes the runtime public, and with it every type that a config names.
#![allow(unreachable_pub)]

use crate as pallet_edge_clock;
use core::cell::{Cell, RefCell};
use frame_support::{
    derive_impl,
    traits::{ConstU64, Get, OnFinalize},
};
use pallet_edge_traits::OnEpoch;
use selvedge_primitives_types::Epoch;
use sp_runtime::{traits::Dispatchable, BuildStorage, Weight};

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(RuntimeCall, RuntimeEvent, RuntimeError, RuntimeOrigin, RuntimeTask)]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    #[runtime::pallet_index(1)]
    pub type Timestamp = pallet_timestamp;
    #[runtime::pallet_index(2)]
    pub type UsageClock = pallet_edge_clock;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
}

impl pallet_timestamp::Config for Test {
    type Moment = u64;
    // A tuple, as beside BABE in a network's runtime.
    type OnTimestampSet = (Other, UsageClock);
    type MinimumPeriod = ConstU64<1>;
    type WeightInfo = ();
}

/// Stands in BABE's place.
pub struct Other;

impl frame_support::traits::OnTimestampSet<u64> for Other {
    fn on_timestamp_set(_: u64) {}
}

thread_local! {
    static TOLD: RefCell<Vec<(u64, u64)>> = const { RefCell::new(Vec::new()) };
    static BRAKED: Cell<bool> = const { Cell::new(false) };
}

/// What one epoch's end costs in the mock.
pub(crate) const EPOCH_WEIGHT: Weight = Weight::from_parts(777, 7);

/// Remembers what it was told.
pub struct Listener;

impl OnEpoch for Listener {
    fn on_epoch(ended: Epoch, began: Epoch) -> Weight {
        TOLD.with_borrow_mut(|told| told.push((ended.0, began.0)));
        EPOCH_WEIGHT
    }
}

/// What the test set it to.
pub struct Brake;

impl Get<bool> for Brake {
    fn get() -> bool {
        BRAKED.get()
    }
}

/// Enters the safe mode, or leaves it, for the blocks to come.
pub(crate) fn brake(is_entered: bool) {
    BRAKED.set(is_entered);
}

/// The most that counts between two blocks.
pub(crate) const STEP: u64 = 60_000;
/// Epochs whose begin is remembered.
pub(crate) const KEPT: u64 = 3;

impl crate::Config for Test {
    type Time = Timestamp;
    type OnEpoch = Listener;
    type Braked = Brake;
    type MaxStep = ConstU64<STEP>;
    type StartsKept = ConstU64<KEPT>;
    type WeightInfo = crate::weights::SubstrateWeight<Test>;
}

/// Runs a block with this timestamp.
pub(crate) fn block_at(now: u64) {
    System::set_block_number(System::block_number() + 1);
    RuntimeCall::Timestamp(pallet_timestamp::Call::set { now })
        .dispatch(RuntimeOrigin::none())
        .unwrap();
    Timestamp::on_finalize(System::block_number());
    UsageClock::check_invariants().unwrap();
}

/// Takes what the listener was told: (ended, began).
pub(crate) fn told() -> Vec<(u64, u64)> {
    TOLD.take()
}

pub(crate) fn build(epoch_length_ms: u64, epochs_per_era: u64) -> sp_io::TestExternalities {
    TOLD.take();
    brake(false);
    let usage_clock = crate::GenesisConfig {
        epoch_length_ms,
        epochs_per_era,
        _config: Default::default(),
    };
    RuntimeGenesisConfig {
        usage_clock,
        ..Default::default()
    }
    .build_storage()
    .unwrap()
    .into()
}
