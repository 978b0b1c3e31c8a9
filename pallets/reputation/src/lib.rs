#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod close;
mod count;
mod invariants;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;
pub mod types;
pub mod weights;

use frame_support::{pallet_prelude::*, traits::ValidatorSet, weights::WeightMeter};
use frame_system::pallet_prelude::*;
use pallet_edge_traits::{DeviceInspect, EpochClock, StakeInspect};
use selvedge_primitives_types::{DeviceId, Epoch, Era, Planck, Region, Role};
use sp_core::crypto::AccountId32;

pub use pallet::*;
pub use types::{Closing, Sample, ScoreRecord, Step};
pub use weights::WeightInfo;

#[frame_support::pallet]
pub mod pallet {
    use super::*;

    #[pallet::pallet]
    pub struct Pallet<T>(_);

    /// What the runtime gives reputation.
    #[pallet::config]
    pub trait Config:
        frame_system::Config<AccountId = AccountId32, RuntimeEvent: From<Event<Self>>>
    {
        /// The usage clock.
        type Clock: EpochClock;
        /// The register of devices.
        type Devices: DeviceInspect<AccountId32>;
        /// Stakes and assignments.
        type Stakes: StakeInspect<AccountId32>;
        /// The validators of the current session.
        type Validators: ValidatorSet<AccountId32, ValidatorId = AccountId32>;
        /// Most nodes that a block looks at while an era closes.
        #[pallet::constant]
        type NodesPerBlock: Get<u32>;
        /// Weights of the steps of a close.
        type WeightInfo: WeightInfo;
        /// Adds nodes.
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper: pallet_edge_traits::BenchmarkNodes<AccountId32>;
    }

    /// Scores of a device. Written when an era closes; bound: devices that were active for a whole era. It never goes: a
    /// device that returns finds its score again.
    #[pallet::storage]
    pub type Scores<T> = StorageMap<_, Blake2_128Concat, DeviceId, ScoreRecord, OptionQuery>;

    /// Number of the period that is counted now. Written when an era ends.
    #[pallet::storage]
    pub type Period<T> = StorageValue<_, u64, ValueQuery>;

    /// First epoch of the current period. Written when an era ends.
    #[pallet::storage]
    pub type PeriodStart<T> = StorageValue<_, Epoch, ValueQuery>;

    /// Charges in planck that matured in a period on leaves that name a device. Keys: period, device. Goes when its era
    /// is closed.
    #[pallet::storage]
    pub type Matured<T> =
        StorageDoubleMap<_, Twox64Concat, u64, Blake2_128Concat, DeviceId, Planck, ValueQuery>;

    /// Blocks that a device authored in a period. Keys: period, device. Goes when its era is closed.
    #[pallet::storage]
    pub type Authored<T> =
        StorageDoubleMap<_, Twox64Concat, u64, Blake2_128Concat, DeviceId, u32, ValueQuery>;

    /// Blocks of a period. Key: period. Goes when its era is closed.
    #[pallet::storage]
    pub type Blocks<T> = StorageMap<_, Twox64Concat, u64, u32, ValueQuery>;

    /// The era that is being closed. Goes when the close is done.
    #[pallet::storage]
    pub type Close<T> = StorageValue<_, Closing, OptionQuery>;

    /// Samples of a role and region. Go when their median is taken.
    #[pallet::storage]
    pub type Samples<T> = StorageMap<
        _,
        Blake2_128Concat,
        (Role, Region),
        BoundedVec<Sample, ConstU32<{ types::MAX_SAMPLES }>>,
        ValueQuery,
    >;

    /// The median of a role and region in the era that is being closed. Goes when the close is done.
    #[pallet::storage]
    pub type Medians<T> = StorageMap<_, Blake2_128Concat, (Role, Region), Planck, OptionQuery>;

    /// What the pallet tells.
    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// All nodes were scored for an era.
        #[codec(index = 0)]
        EraScored {
            /// The era.
            era: Era,
            /// How many nodes got a new score.
            nodes: u32,
        },
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_poll(_: BlockNumberFor<T>, meter: &mut WeightMeter) {
            Self::close_some(meter);
        }

        fn integrity_test() {
            assert!(T::NodesPerBlock::get() > 0);
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::check_invariants().map_err(Into::into)
        }
    }
}
