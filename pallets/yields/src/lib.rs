#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod close;
mod invariants;
#[cfg(test)]
mod mock;
mod pool;
#[cfg(test)]
mod tests;
pub mod types;
pub mod weights;

use frame_support::{
    pallet_prelude::*,
    traits::fungible::{Inspect, Mutate},
    weights::WeightMeter,
    PalletId,
};
use frame_system::pallet_prelude::*;
use pallet_edge_traits::{EpochClock, ScoreInspect, StakeInspect};
use selvedge_primitives_math::yields::YieldTerms;
use selvedge_primitives_types::{Epoch, Era, Planck, Ppm, Role, StakeId};
use sp_core::crypto::AccountId32;
use sp_runtime::traits::Convert;

pub use pallet::*;
pub use types::{Basis, Bound, Brought, Claim, Closing, EraBooks, EraEarning, Payout, Pools, Step};
pub use weights::WeightInfo;

#[frame_support::pallet]
pub mod pallet {
    use super::*;

    #[pallet::pallet]
    pub struct Pallet<T>(_);

    /// What the runtime gives yields.
    #[pallet::config]
    pub trait Config:
        frame_system::Config<AccountId = AccountId32, RuntimeEvent: From<Event<Self>>>
    {
        /// The token.
        type Currency: Inspect<AccountId32, Balance = Planck> + Mutate<AccountId32>;
        /// The usage clock.
        type Clock: EpochClock;
        /// Stakes and assignments.
        type Stakes: StakeInspect<AccountId32>;
        /// Scores.
        type Scores: ScoreInspect;
        /// The rates of a role.
        type Terms: Convert<Role, YieldTerms>;
        /// Part of what remains in the pool that is emitted per year.
        type EmissionRate: Get<Ppm>;
        /// The validators' part of an emission.
        type PoolValidators: Get<Ppm>;
        /// The base yields' part of an emission.
        type PoolBase: Get<Ppm>;
        /// The activity yields' part of an emission; the three are at most one.
        type PoolActivity: Get<Ppm>;
        /// The pool's account is derived from it.
        #[pallet::constant]
        type PalletId: Get<PalletId>;
        /// Most nodes that a block looks at while an era closes.
        #[pallet::constant]
        type NodesPerBlock: Get<u32>;
        /// Weights of the call and of the steps of a close.
        type WeightInfo: WeightInfo;
        /// Adds nodes.
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper: pallet_edge_traits::BenchmarkNodes<AccountId32>;
    }

    /// Number of the period that is counted now. Written when an era ends.
    #[pallet::storage]
    pub type Period<T> = StorageValue<_, u64, ValueQuery>;

    /// First epoch of the current period. Written when an era ends.
    #[pallet::storage]
    pub type PeriodStart<T> = StorageValue<_, Epoch, ValueQuery>;

    /// Charges that matured in a period on leaves that name a device, for the stake that it carried in their epoch. Keys:
    /// period, stake. Goes when its era is closed.
    #[pallet::storage]
    pub type Matured<T> =
        StorageDoubleMap<_, Twox64Concat, u64, Twox64Concat, StakeId, Brought, ValueQuery>;

    /// The era that is being closed. Goes when the close is done.
    #[pallet::storage]
    pub type Close<T> = StorageValue<_, Closing, OptionQuery>;

    /// Claims of the era that is being closed. Key: the stake. Each goes when it is granted.
    #[pallet::storage]
    pub type Claims<T> = StorageMap<_, Twox64Concat, StakeId, Claim, OptionQuery>;

    /// The books of the last closed era. Written when a close is done.
    #[pallet::storage]
    pub type LastEra<T> = StorageValue<_, EraBooks, OptionQuery>;

    /// What an account was granted and claimed. Key: the owner of a stake. It never goes, so that both stay monotone.
    #[pallet::storage]
    pub type Payouts<T> = StorageMap<_, Blake2_128Concat, AccountId32, Payout, ValueQuery>;

    /// The sums of all payouts. Written with them.
    #[pallet::storage]
    pub type Totals<T> = StorageValue<_, Payout, ValueQuery>;

    /// What a stake earned in an era, and what it is made of. Keys: the stake, the era's number modulo 84. Written when a
    /// claim is granted, in the place of what was earned 84 eras before.
    #[pallet::storage]
    pub type History<T> =
        StorageDoubleMap<_, Twox64Concat, StakeId, Twox64Concat, u32, EraEarning, OptionQuery>;

    /// What the pallet tells.
    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// All nodes were granted their yields of an era.
        #[codec(index = 0)]
        EraPaid {
            /// The era.
            era: Era,
            /// What the schedule allowed, in planck.
            emission: Planck,
            /// What was granted, in planck.
            granted: Planck,
            /// To how many nodes.
            nodes: u32,
        },
        /// An account took out its yields.
        #[codec(index = 1)]
        Claimed {
            /// The account.
            account: AccountId32,
            /// How much, in planck.
            amount: Planck,
        },
    }

    /// Why a call was refused.
    #[pallet::error]
    pub enum Error<T> {
        /// Nothing was granted since the last claim.
        NothingToClaim,
    }

    /// The emission pool of a network.
    #[pallet::genesis_config]
    pub struct GenesisConfig<T: Config> {
        /// What the pool begins with, in planck; it is minted.
        pub pool: Planck,
        /// Nothing.
        #[serde(skip)]
        pub _config: core::marker::PhantomData<T>,
    }

    impl<T: Config> Default for GenesisConfig<T> {
        fn default() -> Self {
            Self {
                pool: 0,
                _config: Default::default(),
            }
        }
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            if self.pool > 0 {
                T::Currency::mint_into(&Pallet::<T>::pool_account(), self.pool)
                    .expect("the pool is above the existential deposit");
            }
        }
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

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Takes out all yields granted to the caller and not yet claimed.
        ///
        /// By any signed account. Moves the amount from the emission pool to the caller's free balance. Emits `Claimed`.
        ///
        /// Errors: `NothingToClaim`, or that the amount is too small to open the caller's account.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::claim())]
        pub fn claim(origin: OriginFor<T>) -> DispatchResult {
            let account = ensure_signed(origin)?;
            Self::do_claim(account)
        }
    }
}
