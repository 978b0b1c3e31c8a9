#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

extern crate alloc;

mod assignment;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod history;
mod invariants;
#[cfg(test)]
mod mock;
mod redeem;
mod slash;
mod stake;
#[cfg(test)]
mod tests;
pub mod types;
mod validators;
pub mod weights;

use frame_support::{
    pallet_prelude::*,
    traits::{
        fungible::{hold, Balanced, Credit, Inspect, InspectHold, MutateHold},
        OnUnbalanced,
    },
};
use frame_system::pallet_prelude::*;
use pallet_edge_traits::{DeviceInspect, EpochClock, OnAbsence};
use selvedge_primitives_types::{DeviceId, Epoch, Millis, Planck, Ppm, Role, Signature64, StakeId};
use sp_core::crypto::AccountId32;
use sp_runtime::traits::Convert;

pub use pallet::*;
pub use types::{Chunk, Count, Exposure, GenesisStake, Listed, Span, Stake, ValidatorSet};
pub use validators::{ExposureOf, ValidatorSessions};
pub use weights::WeightInfo;

/// An amount taken out of accounts and not yet put anywhere.
pub type CreditOf<T> = Credit<AccountId32, <T as Config>::Currency>;

#[frame_support::pallet]
pub mod pallet {
    use super::*;

    #[pallet::pallet]
    pub struct Pallet<T>(_);

    /// What the runtime gives staking.
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
        /// Is told of epochs in which a stake was on no device.
        type OnAbsence: OnAbsence;
        /// Session keys, disabling and historical roots.
        type Sessions: ValidatorSessions;
        /// What a stake of a role takes, in planck.
        type RoleAmount: Convert<Role, Planck>;
        /// Most validators of a session; never above [`types::MAX_ELECTED`].
        type MaxValidators: Get<u32>;
        /// How long a chunk takes to unlock, in milliseconds.
        type UnlockPeriod: Get<u64>;
        /// The fee of an express release.
        type ExpressFee: Get<Ppm>;
        /// Epochs after its last active one in which a stake answers for usage.
        type HoldBackEpochs: Get<u64>;
        /// How long after its last active epoch a stake answers for offences, in milliseconds.
        type OffenceWindow: Get<u64>;
        /// Epochs for which spans and counts of the past are kept.
        #[pallet::constant]
        type HistoryDepth: Get<u32>;
        /// Most active devices of a role.
        #[pallet::constant]
        type MaxNodesPerRole: Get<u32>;
        /// Sessions whose roots are kept, so that offences in them can be proven.
        #[pallet::constant]
        type SessionsKept: Get<u32>;
        /// The reporter's share of a slash.
        type ReporterShare: Get<Ppm>;
        /// The most a reporter gets of a slash, in planck.
        type ReporterMax: Get<Planck>;
        /// Where the fees of express releases go.
        type FeeDestination: OnUnbalanced<CreditOf<Self>>;
        /// Where slashes go.
        type SlashDestination: OnUnbalanced<CreditOf<Self>>;
        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// Why the pallet holds tokens.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// A stake and its unlock chunks.
        #[codec(index = 0)]
        Stake,
    }

    /// Id of the next stake. Written by `create_stake`.
    #[pallet::storage]
    pub type NextStake<T> = StorageValue<_, StakeId, ValueQuery>;

    /// Stakes. Key: the id, counted up by the pallet. Bound: one hold each; goes when nothing is on hold for it.
    #[pallet::storage]
    pub type Stakes<T> = StorageMap<_, Twox64Concat, StakeId, Stake, OptionQuery>;

    /// The stakes of an owner. Keys: owner, id. Goes with the stake.
    #[pallet::storage]
    pub type StakesOf<T> =
        StorageDoubleMap<_, Blake2_128Concat, AccountId32, Twox64Concat, StakeId, (), OptionQuery>;

    /// The spans of a device, oldest first. Written by assignments. Spans that ended more than `HistoryDepth` epochs
    /// ago go with the next assignment, or when the sweep of an epoch's begin comes by.
    #[pallet::storage]
    pub type Assignments<T> = StorageMap<
        _,
        Blake2_128Concat,
        DeviceId,
        BoundedVec<Span, ConstU32<{ types::MAX_SPANS }>>,
        ValueQuery,
    >;

    /// Devices of a role that are active, will be in the next epoch, or just were. Keys: role, device. Goes when the
    /// epoch begins in which the device is active no longer.
    #[pallet::storage]
    pub type ActiveByRole<T> =
        StorageDoubleMap<_, Twox64Concat, Role, Blake2_128Concat, DeviceId, Listed, OptionQuery>;

    /// Active devices of a role: one element per change, oldest first; the last may be of the next epoch. Elements older
    /// than `HistoryDepth` epochs go with the next change.
    #[pallet::storage]
    pub type Counts<T> = StorageMap<
        _,
        Twox64Concat,
        Role,
        BoundedVec<Count, ConstU32<{ types::MAX_COUNTS }>>,
        ValueQuery,
    >;

    /// Devices whose last active epoch is the current one. Goes when the next begins.
    #[pallet::storage]
    pub type Leaving<T> =
        StorageValue<_, BoundedVec<(Role, DeviceId), ConstU32<{ types::MAX_LEAVING }>>, ValueQuery>;

    /// The last device whose spans the sweep looked at; it goes on after it, and starts over at the end.
    #[pallet::storage]
    pub type Swept<T> = StorageValue<_, DeviceId, OptionQuery>;

    /// Validators of the current session. Written when a session starts.
    #[pallet::storage]
    pub type Elected<T> = StorageValue<_, ValidatorSet, ValueQuery>;

    /// Validators of the next session. Written when a session is planned.
    #[pallet::storage]
    pub type Planned<T> = StorageValue<_, ValidatorSet, ValueQuery>;

    /// Digest of `Planned` and of the session keys it was planned with.
    #[pallet::storage]
    pub type PlannedDigest<T> = StorageValue<_, [u8; 32], ValueQuery>;

    /// What happened to a stake.
    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A stake was created and its amount put on hold.
        #[codec(index = 0)]
        StakeCreated {
            /// The stake.
            stake: StakeId,
            /// Its owner.
            owner: AccountId32,
            /// Its role.
            role: Role,
            /// Its amount, in planck.
            amount: Planck,
        },
        /// A stake was assigned to a device.
        #[codec(index = 1)]
        StakeAssigned {
            /// The stake.
            stake: StakeId,
            /// The device.
            device: DeviceId,
            /// First epoch in which it is active.
            from: Epoch,
        },
        /// A stake was taken off its device.
        #[codec(index = 2)]
        StakeUnassigned {
            /// The stake.
            stake: StakeId,
            /// The device.
            device: DeviceId,
            /// First epoch in which it is active no longer.
            from: Epoch,
        },
        /// A part of a stake began to unlock.
        #[codec(index = 3)]
        UnlockRequested {
            /// The stake.
            stake: StakeId,
            /// The chunk's number.
            chunk: u32,
            /// How much, in planck.
            amount: Planck,
            /// From when it can be withdrawn.
            due: Millis,
        },
        /// A chunk was released to its owner.
        #[codec(index = 4)]
        Withdrawn {
            /// The stake.
            stake: StakeId,
            /// The chunk's number.
            chunk: u32,
            /// How much, in planck.
            amount: Planck,
        },
        /// A stake was released at once, for a fee.
        #[codec(index = 5)]
        ReleasedExpress {
            /// The stake.
            stake: StakeId,
            /// What the owner got, in planck.
            released: Planck,
            /// The fee, in planck.
            fee: Planck,
        },
        /// A stake was locked for a higher activity yield.
        #[codec(index = 6)]
        LockCommitted {
            /// The stake.
            stake: StakeId,
            /// When the lock ends.
            until: Millis,
        },
        /// A stake was slashed.
        #[codec(index = 7)]
        Slashed {
            /// The stake.
            stake: StakeId,
            /// Its owner.
            owner: AccountId32,
            /// What was taken, in planck.
            amount: Planck,
            /// Thereof paid to the reporter, in planck.
            reward: Planck,
        },
        /// A validator committed an offence and is out until its stake is assigned anew.
        #[codec(index = 8)]
        ValidatorChilled {
            /// The validator.
            validator: AccountId32,
            /// The stake behind it.
            stake: StakeId,
            /// The session of the offence.
            session: u32,
        },
        /// A stake answered for what its device owed.
        #[codec(index = 9)]
        Redeemed {
            /// The stake.
            stake: StakeId,
            /// Its owner.
            owner: AccountId32,
            /// To whom.
            to: AccountId32,
            /// How much was paid, in planck.
            paid: Planck,
            /// How much was burnt, in planck.
            burnt: Planck,
        },
    }

    /// Why a call was refused.
    #[pallet::error]
    pub enum Error<T> {
        /// No stake has this id.
        UnknownStake,
        /// The stake belongs to another account.
        NotOwner,
        /// The stake is assigned to a device already.
        AlreadyAssigned,
        /// The stake is not assigned to a device.
        NotAssigned,
        /// The device is not registered.
        UnknownDevice,
        /// The device is operated by another account than the stake's owner.
        NotOperator,
        /// The device is registered for another role.
        WrongRole,
        /// Another stake is assigned to the device.
        DeviceTaken,
        /// The stake is below what its role takes.
        BelowRoleAmount,
        /// The device did not sign this assignment for this network.
        InvalidSignature,
        /// The role has as many devices as the network can take.
        RoleFull,
        /// The device changed stakes too often; try again when its oldest assignment is forgotten.
        TooManyAssignments,
        /// Too many devices leave in this epoch; try again in the next.
        TooManyLeaving,
        /// The amount is zero.
        ZeroAmount,
        /// The stake is smaller than the amount.
        AmountTooHigh,
        /// The stake is assigned and would fall below what its role takes; unassign it first.
        StillAssigned,
        /// A commitment lock is running.
        Locked,
        /// The stake has as many chunks as it can have; withdraw one first.
        TooManyChunks,
        /// The stake has no chunk with this number.
        UnknownChunk,
        /// The chunk is not due yet.
        NotDue,
        /// The stake still answers for usage or offences of its last epoch.
        StillLiable,
        /// The lock would last for more than 1,460 days.
        LockTooLong,
    }

    /// Stakes that are assigned and active in epoch 0.
    #[pallet::genesis_config]
    pub struct GenesisConfig<T: Config> {
        /// The stakes.
        pub stakes: alloc::vec::Vec<GenesisStake>,
        /// Nothing.
        #[serde(skip)]
        pub _config: core::marker::PhantomData<T>,
    }

    impl<T: Config> Default for GenesisConfig<T> {
        fn default() -> Self {
            Self {
                stakes: Default::default(),
                _config: Default::default(),
            }
        }
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            for stake in &self.stakes {
                Pallet::<T>::create_at_genesis(stake)
                    .expect("a genesis stake has funds and a device of its owner and role");
            }
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            // One change per epoch of history, one before it and one of the next epoch.
            assert!(T::HistoryDepth::get() + 3 <= types::MAX_COUNTS);
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::check_invariants().map_err(Into::into)
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Creates a stake for a role.
        ///
        /// Holds the role's amount in the caller's account. Emits `StakeCreated`.
        ///
        /// Errors: that the amount is not there.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::create_stake())]
        pub fn create_stake(origin: OriginFor<T>, role: Role) -> DispatchResult {
            let owner = ensure_signed(origin)?;
            Self::do_create(owner, role, T::RoleAmount::convert(role)).map(|_| ())
        }

        /// Assigns a stake to a device of the same operator and role, active from the next epoch on.
        ///
        /// By the owner; `signature` is the device's ed25519 signature over the `AssignStakePayload` of stake, owner,
        /// device and the number of the stake's earlier assignments. Moves nothing. Emits `StakeAssigned`.
        ///
        /// Errors: `UnknownStake`, `NotOwner`, `AlreadyAssigned`, `UnknownDevice`, `NotOperator`, `WrongRole`,
        /// `DeviceTaken`, `BelowRoleAmount`, `InvalidSignature`, `RoleFull`, `TooManyAssignments`.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::assign())]
        pub fn assign(
            origin: OriginFor<T>,
            stake: StakeId,
            device: DeviceId,
            signature: Signature64,
        ) -> DispatchResult {
            let owner = ensure_signed(origin)?;
            Self::with_stake(&owner, stake, |entry| {
                Self::do_assign(stake, entry, device, &signature)
            })
        }

        /// Takes a stake off its device; it stays active until the epoch ends.
        ///
        /// By the owner. Moves nothing. Emits `StakeUnassigned`.
        ///
        /// Errors: `UnknownStake`, `NotOwner`, `NotAssigned`, `TooManyLeaving`.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::unassign())]
        pub fn unassign(origin: OriginFor<T>, stake: StakeId) -> DispatchResult {
            let owner = ensure_signed(origin)?;
            Self::with_stake(&owner, stake, |entry| Self::do_unassign(stake, entry))
        }

        /// Begins to unlock a part of a stake, as a chunk of its own.
        ///
        /// By the owner. The chunk stays on hold, and can be slashed, until it is withdrawn. An assigned stake keeps at
        /// least its role's amount. Emits `UnlockRequested`.
        ///
        /// Errors: `UnknownStake`, `NotOwner`, `ZeroAmount`, `AmountTooHigh`, `Locked`, `StillAssigned`,
        /// `TooManyChunks`.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::request_unlock())]
        pub fn request_unlock(
            origin: OriginFor<T>,
            stake: StakeId,
            amount: Planck,
        ) -> DispatchResult {
            let owner = ensure_signed(origin)?;
            Self::with_stake(&owner, stake, |entry| {
                Self::do_request_unlock(stake, entry, amount)
            })
        }

        /// Releases a chunk that is due.
        ///
        /// By the owner. Releases the chunk's hold. Emits `Withdrawn`.
        ///
        /// Errors: `UnknownStake`, `NotOwner`, `UnknownChunk`, `NotDue`.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::withdraw_unlocked())]
        pub fn withdraw_unlocked(
            origin: OriginFor<T>,
            stake: StakeId,
            chunk: u32,
        ) -> DispatchResult {
            let owner = ensure_signed(origin)?;
            Self::with_stake(&owner, stake, |entry| {
                Self::do_withdraw(stake, entry, chunk)
            })
        }

        /// Releases a whole stake at once, for a fee.
        ///
        /// By the owner, once the stake answers for nothing any more and no commitment lock runs. Releases the hold less
        /// the fee, which is not taken of chunks that are due. Emits `ReleasedExpress`.
        ///
        /// Errors: `UnknownStake`, `NotOwner`, `StillAssigned`, `Locked`, `StillLiable`.
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::release_express())]
        pub fn release_express(origin: OriginFor<T>, stake: StakeId) -> DispatchResult {
            let owner = ensure_signed(origin)?;
            Self::with_stake(&owner, stake, |entry| {
                Self::do_release_express(stake, entry)
            })
        }

        /// Locks a stake for days, on top of a lock that runs, for a higher activity yield.
        ///
        /// By the owner. Moves nothing. Emits `LockCommitted`.
        ///
        /// Errors: `UnknownStake`, `NotOwner`, `ZeroAmount`, `LockTooLong`.
        #[pallet::call_index(6)]
        #[pallet::weight(T::WeightInfo::commit_lock())]
        pub fn commit_lock(origin: OriginFor<T>, stake: StakeId, days: u32) -> DispatchResult {
            let owner = ensure_signed(origin)?;
            Self::with_stake(&owner, stake, |entry| {
                Self::do_commit_lock(stake, entry, days)
            })
        }
    }
}
