#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
pub mod benchmarking;
#[cfg(any(test, feature = "runtime-benchmarks"))]
mod deep;
mod invariants;
#[cfg(test)]
mod mock;
mod report;
#[cfg(test)]
mod tests;
pub mod types;
pub mod weights;

pub use pallet::*;
pub use report::Known;
pub use weights::WeightInfo;

#[frame_support::pallet]
pub mod pallet {
    use super::{types::*, WeightInfo};
    use alloc::boxed::Box;
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;
    use pallet_edge_traits::{
        CommitmentVoid, EpochClock, Forfeit, ServiceInspect, StakeInspect, StakeSlash,
    };
    use selvedge_primitives_math::fraud::{Defect, DefectClass, FraudProof};
    use selvedge_primitives_types::{DeviceId, Epoch, Planck, Ppm};
    use sp_runtime::{traits::Convert, AccountId32};

    #[pallet::config]
    pub trait Config:
        frame_system::Config<AccountId = AccountId32, RuntimeEvent: From<Event<Self>>>
    {
        /// The usage clock.
        type Clock: EpochClock;
        /// Commitments, and their end.
        type Commitments: CommitmentVoid;
        /// Terms of services.
        type Services: ServiceInspect<Self::AccountId>;
        /// Who was active when.
        type Stakes: StakeInspect<Self::AccountId>;
        /// Takes of stakes.
        type Slash: StakeSlash<Self::AccountId>;
        /// The part of a stake that a defect of a class costs.
        type SlashOf: Convert<DefectClass, Ppm>;
        /// Epochs for which services and stakes are known: no commitment of an older one is judged.
        #[pallet::constant]
        type HistoryDepth: Get<u64>;
        /// Weights of the calls.
        type WeightInfo: WeightInfo;
        /// Sets up what other pallets answer.
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper: crate::benchmarking::BenchmarkHelper;
    }

    #[pallet::pallet]
    pub struct Pallet<T>(_);

    /// Defects that were proven.
    ///
    /// Keys: the epoch served in, the gateway. Written by reports. One per commitment at most; goes
    /// when `HistoryDepth` epochs have passed.
    #[pallet::storage]
    pub type Frauds<T: Config> = StorageDoubleMap<
        _,
        Twox64Concat,
        Epoch,
        Blake2_128Concat,
        DeviceId,
        Fraud<T::AccountId>,
        OptionQuery,
    >;

    /// The oldest epoch of which proofs may be kept. Written when an epoch begins.
    #[pallet::storage]
    pub type ClearFrom<T: Config> = StorageValue<_, Epoch, ValueQuery>;

    /// What was proven.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A commitment was proven defective.
        #[codec(index = 0)]
        FraudProven {
            /// The gateway that committed.
            gateway: DeviceId,
            /// The epoch served in.
            epoch: Epoch,
            /// What is wrong.
            defect: Defect,
            /// What became of the commitment's money.
            forfeit: Forfeit,
            /// Who proved it.
            reporter: T::AccountId,
            /// Taken from the gateway's stake, in planck.
            taken: Planck,
            /// The reporter's part of it, in planck.
            reward: Planck,
        },
    }

    /// Why a report was refused. Nothing changed then but the fee.
    #[pallet::error]
    pub enum Error<T> {
        /// There is no such commitment.
        #[codec(index = 0)]
        UnknownCommitment,
        /// The terms of the epoch are not known any more.
        #[codec(index = 1)]
        TooOld,
        /// A defect at least as grave was proven of this commitment.
        #[codec(index = 2)]
        AlreadyReported,
        /// What the proof shows is not what was committed.
        #[codec(index = 3)]
        ProofInvalid,
        /// Nothing is wrong with what the proof shows.
        #[codec(index = 4)]
        NothingWrong,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(
                T::HistoryDepth::get() > 0,
                "a commitment is younger than that when it is made"
            );
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_now: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::check_invariants().map_err(Into::into)
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Proves that a gateway's commitment for an epoch is defective.
        ///
        /// Anyone may call it. The commitment becomes void unless payment has begun, and what it
        /// charged can be refunded; a part of the gateway's stake goes to where slashes go, a capped
        /// share of it to the caller, who pays no fee. A proof that proves nothing costs its fee.
        ///
        /// Emits `FraudProven`. Fails with `UnknownCommitment`, `TooOld`, `AlreadyReported`,
        /// `ProofInvalid`, `NothingWrong`.
        #[pallet::call_index(0)]
        #[pallet::weight(Pallet::<T>::worst())]
        pub fn report_fraud(
            origin: OriginFor<T>,
            gateway: DeviceId,
            epoch: Epoch,
            proof: Box<FraudProof>,
        ) -> DispatchResultWithPostInfo {
            let reporter = ensure_signed(origin)?;
            Self::do_report(reporter, gateway, epoch, &proof)?;
            Ok(Pays::No.into())
        }
    }

    impl<T: Config> Pallet<T> {
        /// The weight of the proof that costs most to check, whatever the one at hand costs: two
        /// leaves against each other, or one with its signature and its price.
        pub(crate) fn worst() -> Weight {
            T::WeightInfo::report_disagreement()
                .max(T::WeightInfo::report_leaf().saturating_add(T::WeightInfo::verify_signature()))
        }
    }
}
