#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
pub mod benchmarking;
mod close;
mod count;
mod invariants;
#[cfg(test)]
mod mock;
mod report;
mod standing;
#[cfg(test)]
mod tests;
mod turn;
pub mod types;
pub mod weights;

use frame_support::{
    pallet_prelude::*,
    traits::{
        fungible::{hold, Balanced, Credit, Inspect, InspectHold, MutateHold},
        OnUnbalanced, ValidatorSet,
    },
    weights::WeightMeter,
};
use frame_system::{ensure_authorized, pallet_prelude::*};
use pallet_edge_traits::{DeviceInspect, EpochClock, StakeInspect};
use selvedge_primitives_math::probe::Place;
use selvedge_primitives_types::{
    DeviceId, Epoch, Era, Hash, Planck, Ppm, Prober, Region, Role, Signature64, StakeId,
};
use sp_core::crypto::AccountId32;
use sp_runtime::{traits::Convert, transaction_validity::TransactionValidityWithRefund};

pub use pallet::*;
pub use types::{Closing, Explanation, Reason, Sample, ScoreRecord, Step};
pub use weights::WeightInfo;

/// What is taken of a bond.
pub type CreditOf<T> = Credit<AccountId32, <T as Config>::Currency>;

#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use crate::types::{
        Dispute, Exclusion, Group, Observation, ProbeRecord, ProbeRound, Probes, Sightings, Turn,
    };

    #[pallet::pallet]
    pub struct Pallet<T>(_);

    /// What the runtime gives reputation. Needs `frame_system::AuthorizeCall` among the transaction extensions, for the
    /// reports of probers.
    #[pallet::config]
    pub trait Config:
        frame_system::Config<AccountId = AccountId32, RuntimeEvent: From<Event<Self>>>
    {
        /// The runtime's reason of a hold.
        type RuntimeHoldReason: From<HoldReason>;
        /// The token.
        type Currency: Inspect<AccountId32, Balance = Planck>
            + InspectHold<AccountId32, Reason = Self::RuntimeHoldReason>
            + MutateHold<AccountId32>
            + Balanced<AccountId32>
            + hold::Balanced<AccountId32>;
        /// The usage clock.
        type Clock: EpochClock;
        /// The register of devices.
        type Devices: DeviceInspect<AccountId32>;
        /// Stakes and assignments.
        type Stakes: StakeInspect<AccountId32>;
        /// The validators of the current session.
        type Validators: ValidatorSet<AccountId32, ValidatorId = AccountId32>;
        /// What the draws of probers depend on; nobody may know it before the epoch begins.
        type ProbeSeed: Get<Hash>;
        /// Availability that is expected of a role.
        type Expected: Convert<Role, Ppm>;
        /// What is on hold for a dispute, in planck.
        type DisputeBond: Get<Planck>;
        /// Where the bond of a dispute goes whose region is plausible.
        type BondDestination: OnUnbalanced<CreditOf<Self>>;
        /// The most gateways among whom probers are drawn in an epoch: 80 bytes of storage each. With more, the seed
        /// chooses where in the storage's order they begin.
        #[pallet::constant]
        type MaxProbers: Get<u32>;
        /// Most nodes that a block looks at while an epoch turns or an era closes.
        #[pallet::constant]
        type NodesPerBlock: Get<u32>;
        /// Weights of the calls, and of the steps of a turn and a close.
        type WeightInfo: WeightInfo;
        /// Adds nodes and sets the clock.
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper: benchmarking::BenchmarkHelper;
    }

    /// Why the pallet holds tokens.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// The bond of a dispute about a node's region.
        #[codec(index = 0)]
        RegionDispute,
    }

    /// Scores of a stake, on whatever device it is. Written when an era closes; bound: stakes that were on a device then. It
    /// never goes: a stake that leaves and returns finds its score again.
    #[pallet::storage]
    pub type Scores<T> = StorageMap<_, Twox64Concat, StakeId, ScoreRecord, OptionQuery>;

    /// Number of the period that is counted now. Written when an era ends.
    #[pallet::storage]
    pub type Period<T> = StorageValue<_, u64, ValueQuery>;

    /// First epoch of the current period. Written when an era ends.
    #[pallet::storage]
    pub type PeriodStart<T> = StorageValue<_, Epoch, ValueQuery>;

    /// Charges in planck that matured in a period on leaves that name a device, for the stake that it carried in their epoch.
    /// Keys: period, stake. Goes when its era is closed.
    #[pallet::storage]
    pub type Matured<T> =
        StorageDoubleMap<_, Twox64Concat, u64, Twox64Concat, StakeId, Planck, ValueQuery>;

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

    /// Samples of a group of nodes. Go when their median is taken.
    #[pallet::storage]
    pub type Samples<T> = StorageMap<
        _,
        Blake2_128Concat,
        Group,
        BoundedVec<Sample, ConstU32<{ types::MAX_SAMPLES }>>,
        ValueQuery,
    >;

    /// The median of a group of nodes in the era that is being closed. Goes when the close is done.
    #[pallet::storage]
    pub type Medians<T> = StorageMap<_, Blake2_128Concat, Group, u128, ValueQuery>;

    /// What is to be done before the probes of the current epoch. Goes when the round opens.
    #[pallet::storage]
    pub type TurnOf<T> = StorageValue<_, Turn, OptionQuery>;

    /// Who may be drawn to probe in the current epoch. Goes when the epoch ends.
    #[pallet::storage]
    pub type Round<T: Config> = StorageValue<_, ProbeRound<T::MaxProbers>, OptionQuery>;

    /// The panel of the round that is to open, as far as it is enrolled. Goes when it opens.
    #[pallet::storage]
    pub type Enrolled<T: Config> = StorageValue<_, BoundedVec<Prober, T::MaxProbers>, ValueQuery>;

    /// What probers saw of a node in the current epoch, or in the one that is being gathered. Key: the node. Goes when it
    /// is gathered.
    #[pallet::storage]
    pub type Seen<T> = StorageMap<_, Blake2_128Concat, DeviceId, Sightings, ValueQuery>;

    /// Probers whose report of the epoch was taken. Goes when the epoch turns.
    #[pallet::storage]
    pub type Reported<T> = StorageMap<_, Blake2_128Concat, DeviceId, (), OptionQuery>;

    /// What was found of a stake's devices in a period. Keys: period, stake. Goes when its era is closed.
    #[pallet::storage]
    pub type Observations<T> =
        StorageDoubleMap<_, Twox64Concat, u64, Twox64Concat, StakeId, Observation, ValueQuery>;

    /// What the probes of the last era that a stake was scored for gave. Written with its score; stays as long.
    #[pallet::storage]
    pub type ProbeRecords<T> = StorageMap<_, Twox64Concat, StakeId, ProbeRecord, OptionQuery>;

    /// Stakes whose nodes are out, on whatever device. Written when an era closes; goes when the operator rejoins.
    #[pallet::storage]
    pub type Out<T> = StorageMap<_, Twox64Concat, StakeId, Exclusion, OptionQuery>;

    /// Disputes about the regions of nodes. Key: the node; one bond each. Goes when an era decides it, or withdrawn.
    #[pallet::storage]
    pub type Disputes<T> =
        StorageMap<_, Blake2_128Concat, DeviceId, Dispute<AccountId32>, OptionQuery>;

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
        /// A prober reported what it saw.
        #[codec(index = 1)]
        Probed {
            /// The prober.
            prober: DeviceId,
            /// The epoch.
            epoch: Epoch,
            /// How many nodes it reported about.
            nodes: u32,
        },
        /// A node is out until it rejoins: it has no score, and nobody gives it new work.
        #[codec(index = 2)]
        NodeOut {
            /// The node.
            device: DeviceId,
            /// Why.
            reason: Reason,
        },
        /// A node counts again, with the score that it had.
        #[codec(index = 3)]
        NodeRejoined {
            /// The node.
            device: DeviceId,
        },
        /// Somebody disputes that a node is where it says.
        #[codec(index = 4)]
        RegionDisputed {
            /// The node.
            device: DeviceId,
            /// The region it claims.
            region: Region,
            /// Who disputes it.
            by: AccountId32,
        },
        /// A dispute is over. The bond is lost if the region is plausible, and released otherwise.
        #[codec(index = 5)]
        DisputeDecided {
            /// The node.
            device: DeviceId,
            /// What its round trips say.
            place: Place,
        },
    }

    /// Why a call was refused.
    #[pallet::error]
    pub enum Error<T> {
        /// The report is about an epoch that is over.
        #[codec(index = 0)]
        TooLate,
        /// Reports of an epoch are taken in its second half.
        #[codec(index = 1)]
        TooEarly,
        /// The epoch's probers are not enrolled yet.
        #[codec(index = 2)]
        NotOpen,
        /// The prober has reported in this epoch.
        #[codec(index = 3)]
        AlreadyReported,
        /// The prober was not drawn for one of the nodes, or may not be drawn at all.
        #[codec(index = 4)]
        NotDrawn,
        /// The report is empty, or its nodes are not strictly in their order.
        #[codec(index = 5)]
        Malformed,
        /// The device is not registered.
        #[codec(index = 6)]
        UnknownDevice,
        /// The caller does not operate the device.
        #[codec(index = 7)]
        NotOperator,
        /// The node is not out.
        #[codec(index = 8)]
        NotOut,
        /// A node can rejoin from the epoch on after the one in which it was put out.
        #[codec(index = 9)]
        TooSoon,
        /// The node still claims the region that was disproved: retire it and register it where it is, or move the stake.
        #[codec(index = 10)]
        RegionIsDisproved,
        /// The device is no active node that is probed, or it is out.
        #[codec(index = 11)]
        NotProbed,
        /// The node's region is disputed already.
        #[codec(index = 12)]
        AlreadyDisputed,
        /// The node's region is not disputed.
        #[codec(index = 13)]
        NotDisputed,
        /// Somebody else opened the dispute.
        #[codec(index = 14)]
        NotDisputant,
        /// An era may still decide the dispute.
        #[codec(index = 15)]
        StillOpen,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_poll(_: BlockNumberFor<T>, meter: &mut WeightMeter) {
            let left = Self::turn_some(meter);
            Self::close_some(meter, left);
        }

        fn integrity_test() {
            assert!(T::NodesPerBlock::get() > 0);
            assert!(T::MaxProbers::get() > 0);
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::check_invariants().map_err(Into::into)
        }
    }
    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Brings what a drawn prober saw of nodes in the current epoch, in its second half.
        ///
        /// Unsigned, and free; the signature is the prober's agent key's over the `ProbeReport`, and each answer in it is
        /// signed by the probed device. Once per prober and epoch. Moves nothing. Emits `Probed`.
        ///
        /// Errors: `TooLate`, `TooEarly`, `NotOpen`, `AlreadyReported`, `NotDrawn`, `Malformed`; a transaction with a
        /// wrong signature enters no block.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::report_probes(probes.len() as u32))]
        #[pallet::weight_of_authorize(T::WeightInfo::authorize_report_probes(probes.len() as u32))]
        #[pallet::authorize(Self::authorize_report_probes)]
        pub fn report_probes(
            origin: OriginFor<T>,
            prober: DeviceId,
            epoch: Epoch,
            probes: Probes,
            _signature: Signature64,
        ) -> DispatchResult {
            ensure_authorized(origin)?;
            // The state may have changed since it was authorised, in this very block; the signatures have not.
            let own = Self::check_report(&prober, epoch, &probes)?;
            Self::count_report(own, epoch, &probes);
            Ok(())
        }

        /// Lets a node that is out count again.
        ///
        /// By its operator, from the epoch on after the one in which it was put out. Moves nothing. Emits `NodeRejoined`.
        ///
        /// Errors: `UnknownDevice`, `NotOperator`, `NotOut`, `TooSoon`, `RegionIsDisproved`.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::rejoin())]
        pub fn rejoin(origin: OriginFor<T>, device: DeviceId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_rejoin(&who, device)
        }

        /// Disputes that a node is in the region it claims.
        ///
        /// By anyone. Holds the bond. The round trips of the next whole era decide: where they disprove the region, the node
        /// is out and the bond is released; where they fit it, the bond is lost; where too few probers were drawn to say,
        /// the bond is released. Emits `RegionDisputed`, and later `DisputeDecided`.
        ///
        /// Errors: `UnknownDevice`, `NotProbed`, `AlreadyDisputed`, or that the bond is not there.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::dispute_region())]
        pub fn dispute_region(origin: OriginFor<T>, device: DeviceId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_dispute(who, device)
        }

        /// Takes back a dispute that no era decided for more than two eras, since the node left or its stake moved.
        ///
        /// By whoever opened it. Releases the bond. Emits `DisputeDecided`.
        ///
        /// Errors: `NotDisputed`, `NotDisputant`, `StillOpen`.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::withdraw_dispute())]
        pub fn withdraw_dispute(origin: OriginFor<T>, device: DeviceId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_withdraw(&who, device)
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// Every component of a device's score with its inputs.
        pub fn explain_score(device: DeviceId) -> Option<Explanation> {
            Self::explain(&device)
        }
    }

    impl<T: Config> Pallet<T> {
        fn authorize_report_probes(
            _source: TransactionSource,
            prober: &DeviceId,
            epoch: &Epoch,
            probes: &Probes,
            signature: &Signature64,
        ) -> TransactionValidityWithRefund {
            Self::authorize_report(prober, *epoch, probes, signature)
        }
    }
}
