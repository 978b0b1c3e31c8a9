#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
pub mod benchmarking;
#[cfg(any(test, feature = "runtime-benchmarks"))]
mod deep;
mod dispute;
mod invariants;
#[cfg(test)]
mod mock;
mod sweep;
#[cfg(test)]
mod tests;
pub mod types;
mod voucher;
pub mod weights;

pub use pallet::*;
pub use weights::WeightInfo;

#[frame_support::pallet]
pub mod pallet {
    use super::{types::*, WeightInfo};
    use alloc::boxed::Box;
    use frame_support::{pallet_prelude::*, traits::fungible};
    use frame_system::pallet_prelude::*;
    use pallet_edge_traits::{CommitmentFate, EpochClock, SampleMore, StakeInspect, StakeRedeem};
    use selvedge_primitives_types::{DeviceId, Epoch, Planck, Ppm, ServiceId, SignedVoucher};
    use sp_runtime::AccountId32;

    #[pallet::config]
    pub trait Config:
        frame_system::Config<AccountId = AccountId32, RuntimeEvent: From<Event<Self>>>
    {
        /// The token.
        type Currency: fungible::Inspect<Self::AccountId, Balance = Planck>
            + fungible::MutateHold<Self::AccountId, Reason = Self::RuntimeHoldReason>;
        /// The runtime's hold reasons.
        type RuntimeHoldReason: From<HoldReason>;
        /// The usage clock.
        type Clock: EpochClock;
        /// What commitments came to, and what gateways earned.
        type Commitments: CommitmentFate<Self::AccountId>;
        /// Who was active when.
        type Stakes: StakeInspect<Self::AccountId>;
        /// Stakes that answer.
        type Redeem: StakeRedeem<Self::AccountId>;
        /// Draws more leaves of a disputed line.
        type Samples: SampleMore;
        /// Epochs after its own in which a voucher counts. The stakes answer at least as long.
        type RedeemUntil: Get<u64>;
        /// What the early release of a stake costs.
        type ExpressFee: Get<Ppm>;
        /// What a dispute puts at stake.
        type DisputeBond: Get<Planck>;
        /// Epochs before it may be paid in which a line cannot be disputed any more; at least one.
        type DisputeEpochs: Get<u64>;
        /// Weights of the calls.
        type WeightInfo: WeightInfo;
        /// Sets up what other pallets answer.
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper: crate::benchmarking::BenchmarkHelper;
    }

    /// Why this pallet holds tokens.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// Bonds of disputes.
        #[codec(index = 0)]
        Dispute,
    }

    #[pallet::pallet]
    pub struct Pallet<T>(_);

    /// What caches had of their vouchers.
    ///
    /// Keys: the epoch served in, the gateway, the cache. Written when a voucher is redeemed. At most
    /// one per pair of nodes and epoch; goes when vouchers of the epoch count no longer.
    #[pallet::storage]
    pub type Redemptions<T: Config> = StorageNMap<
        _,
        (
            NMapKey<Twox64Concat, Epoch>,
            NMapKey<Blake2_128Concat, DeviceId>,
            NMapKey<Blake2_128Concat, DeviceId>,
        ),
        Redemption,
        ValueQuery,
    >;

    /// What gateways paid for vouchers.
    ///
    /// Keys: the epoch served in, the gateway. Written when a voucher is redeemed; goes after the
    /// redemptions.
    #[pallet::storage]
    pub type Debts<T: Config> =
        StorageDoubleMap<_, Twox64Concat, Epoch, Blake2_128Concat, DeviceId, Debt, OptionQuery>;

    /// Disputes of lines.
    ///
    /// Keys: the epoch served in, the gateway, the customer, the service. Written by disputes; one per
    /// line and bond. Goes when it is closed, by itself when vouchers of the epoch count no longer.
    #[pallet::storage]
    pub type Disputes<T: Config> = StorageNMap<
        _,
        (
            NMapKey<Twox64Concat, Epoch>,
            NMapKey<Blake2_128Concat, DeviceId>,
            NMapKey<Blake2_128Concat, T::AccountId>,
            NMapKey<Twox64Concat, ServiceId>,
        ),
        Dispute,
        OptionQuery,
    >;

    /// What of a commitment is burnt before it is divided.
    ///
    /// Keys: the epoch served in, the gateway. The sum of its disputes; goes with the last of them.
    #[pallet::storage]
    pub type ToBurn<T: Config> =
        StorageDoubleMap<_, Twox64Concat, Epoch, Blake2_128Concat, DeviceId, Planck, ValueQuery>;

    /// The oldest epoch of which something may be kept. Written when an epoch begins.
    #[pallet::storage]
    pub type ClearFrom<T: Config> = StorageValue<_, Epoch, ValueQuery>;

    /// What was claimed.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A cache had a voucher paid.
        #[codec(index = 0)]
        VoucherRedeemed {
            /// The epoch served in.
            epoch: Epoch,
            /// The gateway that owed.
            gateway: DeviceId,
            /// The cache that was owed.
            cache: DeviceId,
            /// Number of the voucher.
            seq: u64,
            /// The cache's owner.
            to: T::AccountId,
            /// Paid out of what the gateway earned, in planck.
            from_share: Planck,
            /// Paid out of the gateway's stake, in planck.
            from_stake: Planck,
            /// Burnt of the gateway's stake, in planck.
            burnt: Planck,
        },
        /// A gateway whose stake had to pay its vouchers leaves at the end of the epoch.
        #[codec(index = 1)]
        GatewayRetired {
            /// The gateway.
            gateway: DeviceId,
            /// The epoch that it owed for.
            epoch: Epoch,
        },
        /// A customer disputes a line.
        #[codec(index = 2)]
        LineDisputed {
            /// The gateway.
            gateway: DeviceId,
            /// The epoch served in.
            epoch: Epoch,
            /// The customer.
            customer: T::AccountId,
            /// The service.
            service: ServiceId,
            /// Index of the entry in the tree by customer.
            entry: u32,
            /// What of it is burnt unless the commitment becomes void, in planck.
            burn: Planck,
            /// What is on hold, in planck.
            bond: Planck,
        },
        /// A dispute is over.
        #[codec(index = 3)]
        DisputeClosed {
            /// The gateway.
            gateway: DeviceId,
            /// The epoch served in.
            epoch: Epoch,
            /// The customer.
            customer: T::AccountId,
            /// The service.
            service: ServiceId,
            /// What was on hold, in planck.
            bond: Planck,
            /// Whether the commitment is void, and the bond went back; else it was burnt.
            upheld: bool,
        },
    }

    /// Why a claim was refused. Nothing changed then but the fee.
    #[pallet::error]
    pub enum Error<T> {
        /// Vouchers of the epoch count no longer, or there is no time left to look at the line.
        #[codec(index = 0)]
        TooLate,
        /// A voucher with this number or a higher one was redeemed.
        #[codec(index = 1)]
        Superseded,
        /// The gateway or the cache was not active as such in the epoch.
        #[codec(index = 2)]
        NotActive,
        /// What the commitment comes to is not decided yet.
        #[codec(index = 3)]
        NotDecided,
        /// The gateway did not sign this voucher for this network.
        #[codec(index = 4)]
        SignatureInvalid,
        /// The commitment was paid: what it says of the cache has to be shown.
        #[codec(index = 5)]
        EntryNotShown,
        /// What is shown is not what was committed.
        #[codec(index = 6)]
        ProofInvalid,
        /// The cache had all that the voucher is worth.
        #[codec(index = 7)]
        NothingDue,
        /// The gateway paid as much as it answers for, or has nothing left.
        #[codec(index = 8)]
        NothingLeft,
        /// The caller has no such line in a commitment in hold-back.
        #[codec(index = 9)]
        NoHeldLine,
        /// The line charged nothing.
        #[codec(index = 10)]
        NothingCharged,
        /// At most half of a line is burnt.
        #[codec(index = 11)]
        AboveHalf,
        /// The line is disputed already.
        #[codec(index = 12)]
        AlreadyDisputed,
        /// There is no such dispute.
        #[codec(index = 13)]
        UnknownDispute,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        #[cfg(feature = "try-runtime")]
        fn try_state(_now: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::check_invariants().map_err(Into::into)
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Pays a cache what its last voucher says beyond what its gateway committed to.
        ///
        /// When the commitment was paid, `shown` shows the cache's entry, or where it would stand; the cache's part of what
        /// is missing comes out of what the gateway earned with it and then out of its stake, and as much is burnt of the
        /// stake. When it is void or was never made, the voucher is redeemed out of the stake at 1 less the express fee, at
        /// most at 75 %, the rest of its value is burnt, and the gateway is retired. A stake pays at most what may mature of
        /// its escrow in an epoch. A voucher with a higher number adds what it is worth more.
        ///
        /// Anyone may call it; the cache's owner is paid. Emits `VoucherRedeemed`, and `GatewayRetired` the first time. Fails
        /// with `TooLate`, `Superseded`, `NotActive`, `NotDecided`, `SignatureInvalid`, `EntryNotShown`, `ProofInvalid`,
        /// `NothingDue`, `NothingLeft`.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::redeem_paid().max(T::WeightInfo::redeem_missing()))]
        pub fn redeem_voucher(
            origin: OriginFor<T>,
            voucher: Box<SignedVoucher>,
            shown: Option<Box<Shown>>,
        ) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_redeem(&voucher, shown.as_deref())
        }

        /// Disputes a line of the caller's before its commitment is paid.
        ///
        /// Four times as many leaves of it are looked at as usual, and anybody who finds a defect may report it: the
        /// commitment is void then and the bond goes back. Without a defect `burn` planck, at most half of the line, are
        /// burnt of what the commitment pays, of all its entries alike; nobody gains, and the bond is burnt too.
        ///
        /// Holds the bond. Emits `LineDisputed`. Fails with `NoHeldLine`, `NothingCharged`, `AboveHalf`, `TooLate`,
        /// `AlreadyDisputed`, or when the caller has less than the bond.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::dispute_line())]
        pub fn dispute_line(
            origin: OriginFor<T>,
            gateway: DeviceId,
            epoch: Epoch,
            service: ServiceId,
            burn: Planck,
        ) -> DispatchResult {
            let customer = ensure_signed(origin)?;
            Self::do_dispute(customer, gateway, epoch, service, burn)
        }

        /// Ends a dispute whose commitment is paid or void. Anyone may call it, and it happens by itself when vouchers of
        /// the epoch count no longer.
        ///
        /// Releases or burns the bond. Emits `DisputeClosed`. Fails with `UnknownDispute`, `NotDecided`.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::close_dispute())]
        pub fn close_dispute(
            origin: OriginFor<T>,
            gateway: DeviceId,
            epoch: Epoch,
            customer: T::AccountId,
            service: ServiceId,
        ) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_close(gateway, epoch, customer, service)
        }
    }
}
