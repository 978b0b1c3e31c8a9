#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

extern crate alloc;

mod account;
pub mod agent;
#[cfg(feature = "runtime-benchmarks")]
pub mod benchmarking;
mod claim;
mod commitment;
mod fraud;
mod free;
mod history;
mod invariants;
mod invoice;
mod jobs;
mod maturity;
mod payout;
mod referral;
mod settlement;
pub mod types;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use pallet::*;
pub use weights::WeightInfo;

#[frame_support::pallet]
pub mod pallet {
    use super::{types::*, WeightInfo};
    use alloc::boxed::Box;
    use frame_support::{
        pallet_prelude::*,
        traits::{fungible, EnsureOrigin},
        weights::WeightMeter,
        PalletId,
    };
    use frame_system::pallet_prelude::*;
    use pallet_edge_traits::{
        CommitmentAudit, DeviceInspect, Disputed, EpochClock, OnMatured, ScoreInspect,
        ServiceInspect, StakeInspect,
    };
    use selvedge_primitives_math::{yields::YieldTerms, RangeProof};
    use selvedge_primitives_types::{
        DeviceId, EntryKey, Epoch, Millis, Planck, Ppm, Role, Score, ServiceId, Signature64, Usage,
        UsageCommitment,
    };
    use sp_runtime::{traits::Convert, AccountId32};

    #[pallet::config]
    pub trait Config:
        frame_system::Config<AccountId = AccountId32, RuntimeEvent: From<Event<Self>>>
    {
        /// The token.
        type Currency: fungible::Inspect<Self::AccountId, Balance = Planck>
            + fungible::Mutate<Self::AccountId>
            + fungible::MutateHold<Self::AccountId, Reason = Self::RuntimeHoldReason>;
        /// The runtime's hold reasons.
        type RuntimeHoldReason: From<HoldReason>;
        /// The usage clock.
        type Clock: EpochClock;
        /// Registered devices, for their agent keys.
        type Devices: DeviceInspect<Self::AccountId>;
        /// Stakes: who was active, and who owns what.
        type Stakes: StakeInspect<Self::AccountId>;
        /// Services: who pays, at most how much, at which price.
        type Services: ServiceInspect<Self::AccountId>;
        /// Scores of nodes.
        type Scores: ScoreInspect;
        /// Knows what customers want burnt.
        type Disputes: Disputed;
        /// Is told what matured through which device.
        type OnMatured: OnMatured;
        /// The rates of a role, by which activity may return a part of what matures.
        type YieldTerms: Convert<Role, YieldTerms>;
        /// Decides which commitments are charged.
        type Audits: CommitmentAudit<Self::AccountId>;
        /// May declare a commitment void.
        type VoidOrigin: EnsureOrigin<Self::RuntimeOrigin>;
        /// Names the pot that escrow and unclaimed payouts lie in.
        #[pallet::constant]
        type PalletId: Get<PalletId>;
        /// The treasury's account.
        type Treasury: Get<Self::AccountId>;
        /// Commitments that a gateway may have open at once; more are refused. Has to exceed the
        /// hold-back and the unsettled epochs together, or a busy gateway forfeits.
        #[pallet::constant]
        type MaxOpen: Get<u32>;
        /// The least that may be deposited at once.
        type MinDeposit: Get<Planck>;
        /// Epochs that may be unsettled at once, counted from the one in use: a commitment that is
        /// not settled when as many have begun since its own is void. At least three more than
        /// `MaxLate`, at most [`MAX_UNSETTLED`].
        type UnsettledEpochs: Get<u64>;
        /// A warning is given while the money lasts less than this many epochs.
        type WarnEpochs: Get<u64>;
        /// Epochs between full settlement and payment.
        type HoldBackEpochs: Get<u64>;
        /// What a customer may use in a month without being charged, while a minimum deposit is held.
        type FreeBuffer: Get<Usage>;
        /// How long after its stake was assigned a new node's earnings are kept back, in
        /// milliseconds; twice as long while its score is not fair.
        type FirstHoldBack: Get<u64>;
        /// The least quality of a node that is fair.
        type FairScore: Get<Score>;
        /// Epochs for which finished commitments and invoice lines are kept.
        type HistoryEpochs: Get<u64>;
        /// Epochs that a commitment may be late by, at most 20.
        type MaxLate: Get<u8>;
        /// Part of the gateway's share that goes to the treasury for each epoch a commitment is
        /// late.
        type LatePenalty: Get<Ppm>;
        /// The network's part of a charge.
        type Take: Get<Ppm>;
        /// The stargates' part of the rest.
        type StargateShare: Get<Ppm>;
        /// The caches' part of the rest.
        type CacheShare: Get<Ppm>;
        /// The auditors' part of a charge, out of the take.
        type AuditFee: Get<Ppm>;
        /// The referrer's part of a charge, out of the take.
        type Referral: Get<Ppm>;
        /// What is burnt of a charge, out of the take.
        type Burn: Get<Ppm>;
        /// Weights of the calls.
        type WeightInfo: WeightInfo;
        /// Sets up what other pallets answer.
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper: crate::benchmarking::BenchmarkHelper;
    }

    /// Why this pallet holds tokens.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// Prepaid for the customer's services.
        #[codec(index = 0)]
        Prepaid,
    }

    #[pallet::pallet]
    pub struct Pallet<T>(_);

    /// Ledgers of prepaid accounts.
    ///
    /// Key: the customer. Written by deposits, withdrawals, settlement, refunds and evaluation. One
    /// per customer who ever deposited at least `MinDeposit`; a closed one stays as a record of
    /// what was charged.
    #[pallet::storage]
    pub type Accounts<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, Account, OptionQuery>;

    /// Commitments with how far they have come.
    ///
    /// Keys: the epoch served in, the gateway. Written when committed and at each step. One per
    /// active gateway and epoch; goes `HistoryEpochs` after its epoch, when it is final.
    #[pallet::storage]
    pub type Commitments<T: Config> = StorageDoubleMap<
        _,
        Twox64Concat,
        Epoch,
        Blake2_128Concat,
        DeviceId,
        CommitmentRecord,
        OptionQuery,
    >;

    /// What was charged, one line per service and gateway.
    ///
    /// Keys: epoch, customer, (service, gateway). Written when settled, marked when refunded. Goes
    /// `HistoryEpochs` after its epoch, together with the commitments.
    #[pallet::storage]
    pub type InvoiceLines<T: Config> = StorageNMap<
        _,
        (
            NMapKey<Twox64Concat, Epoch>,
            NMapKey<Blake2_128Concat, T::AccountId>,
            NMapKey<Blake2_128Concat, (ServiceId, DeviceId)>,
        ),
        InvoiceLine,
        OptionQuery,
    >;

    /// Epochs for which a gateway has a commitment that is not final yet, oldest first.
    ///
    /// Key: the gateway. Written when committed and when final; at most `MaxOpen`; goes when empty.
    #[pallet::storage]
    pub type Open<T: Config> =
        StorageMap<_, Blake2_128Concat, DeviceId, BoundedVec<Epoch, T::MaxOpen>, ValueQuery>;

    /// Books of an epoch.
    ///
    /// Key: the epoch served in. Written with every movement; goes with the epoch's last
    /// commitment.
    #[pallet::storage]
    pub type EpochBooks<T: Config> = StorageMap<_, Twox64Concat, Epoch, EpochBook, OptionQuery>;

    /// Where the next clearing of old epochs begins: nothing before it can be cleared now.
    #[pallet::storage]
    pub type ClearFrom<T: Config> = StorageValue<_, Epoch, ValueQuery>;

    /// What an account earned and claimed.
    ///
    /// Key: the account. Written when credited and when claimed. One per owner of a node that ever
    /// earned; stays, because both numbers are cumulative.
    #[pallet::storage]
    pub type Payouts<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, Payout, ValueQuery>;

    /// Who referred a customer.
    ///
    /// Key: the customer. Written with the deposit that opens the account; never changes and never
    /// goes.
    #[pallet::storage]
    pub type Referrers<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, T::AccountId, OptionQuery>;

    /// What a commitment charged to the customers of a referrer who is not paid for it yet.
    ///
    /// Keys: epoch, gateway, referrer. Written when settled; goes when the referrer is paid, or with
    /// the commitment. At most one per line of the invoice.
    #[pallet::storage]
    pub type Referred<T: Config> = StorageNMap<
        _,
        (
            NMapKey<Twox64Concat, Epoch>,
            NMapKey<Blake2_128Concat, DeviceId>,
            NMapKey<Blake2_128Concat, T::AccountId>,
        ),
        Planck,
        ValueQuery,
    >;

    /// How much of a gateway's escrow has matured lately.
    ///
    /// Key: the gateway. Written when a page is paid. One per gateway that was ever paid.
    #[pallet::storage]
    pub type Maturing<T: Config> = StorageMap<_, Blake2_128Concat, DeviceId, Pace, ValueQuery>;

    /// What new nodes earned and their owners may not have yet.
    ///
    /// Keys: the node, the owner of its stake. Written when credited; goes when it is released.
    #[pallet::storage]
    pub type FirstEarnings<T: Config> = StorageDoubleMap<
        _,
        Blake2_128Concat,
        DeviceId,
        Blake2_128Concat,
        T::AccountId,
        Kept,
        OptionQuery,
    >;

    /// The month's free buffer by the first epoch it was in force in, oldest first.
    ///
    /// Written when an epoch begins after it was changed; goes when no epoch that can be settled
    /// knows it. At most one element per epoch that may be unsettled, and some.
    #[pallet::storage]
    pub type FreeBuffers<T: Config> =
        StorageValue<_, BoundedVec<(Epoch, Usage), ConstU32<64>>, ValueQuery>;

    /// The first epoch whose charges were still reserved for when a reserve was last reckoned. Never
    /// falls.
    #[pallet::storage]
    pub type Reserved<T: Config> = StorageValue<_, Epoch, ValueQuery>;

    /// Totals since genesis. Written with every movement.
    #[pallet::storage]
    pub type RunningTotals<T: Config> = StorageValue<_, Totals, ValueQuery>;

    /// Endows the pot with the existential deposit, so that the smallest charge can enter it.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        #[serde(skip)]
        _marker: core::marker::PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            use fungible::{Inspect, Mutate};
            let (pot, floor) = (Pallet::<T>::pot(), T::Currency::minimum_balance());
            let missing = floor.saturating_sub(T::Currency::balance(&pot));
            if missing > 0 {
                T::Currency::mint_into(&pot, missing).expect("genesis issuance leaves room");
            }
            Pallet::<T>::set_free_buffer(Epoch(0));
        }
    }

    /// What happened to the money.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// Tokens were put on deposit.
        #[codec(index = 0)]
        Deposited {
            /// Whose account.
            account: T::AccountId,
            /// How much was added, in planck.
            amount: Planck,
            /// The balance after it.
            balance: Planck,
        },
        /// Tokens were taken from deposit.
        #[codec(index = 1)]
        Withdrawn {
            /// Whose account.
            account: T::AccountId,
            /// How much was taken, in planck.
            amount: Planck,
            /// The balance after it.
            balance: Planck,
        },
        /// The account is in good standing.
        #[codec(index = 2)]
        AccountActivated {
            /// Whose account.
            account: T::AccountId,
            /// The first epoch its services may be served in.
            from: Epoch,
        },
        /// The money will not last much longer.
        #[codec(index = 3)]
        AccountWarned {
            /// Whose account.
            account: T::AccountId,
            /// How long it lasts when all services are used to the full.
            lasts: Millis,
        },
        /// The account's services will not be served.
        #[codec(index = 4)]
        AccountSuspended {
            /// Whose account.
            account: T::AccountId,
            /// Why.
            reason: SuspensionReason,
            /// The first epoch its services are not served in.
            from: Epoch,
        },
        /// The account was closed by its owner.
        #[codec(index = 5)]
        AccountClosed {
            /// Whose account.
            account: T::AccountId,
            /// What was released.
            released: Planck,
        },
        /// A gateway committed to the use of an epoch.
        #[codec(index = 6)]
        UsageCommitted {
            /// The gateway.
            gateway: DeviceId,
            /// The epoch served in.
            epoch: Epoch,
            /// The charge it claims, in planck.
            amount: Planck,
            /// Customer entries that have to be settled.
            entries: u32,
            /// Epochs it came late by.
            late: u8,
        },
        /// A page of customer entries was charged into escrow.
        #[codec(index = 7)]
        Settled {
            /// The gateway.
            gateway: DeviceId,
            /// The epoch served in.
            epoch: Epoch,
            /// Charged with this page, in planck.
            charged: Planck,
            /// Index of the next customer entry.
            cursor: u32,
        },
        /// A commitment is charged in full.
        #[codec(index = 8)]
        SettlementCompleted {
            /// The gateway.
            gateway: DeviceId,
            /// The epoch served in.
            epoch: Epoch,
            /// Charged in all, in planck.
            charged: Planck,
            /// The first epoch it may be paid in.
            matures: Epoch,
        },
        /// A page of cache entries was shown and found good.
        #[codec(index = 9)]
        CachesChecked {
            /// The gateway.
            gateway: DeviceId,
            /// The epoch served in.
            epoch: Epoch,
            /// Index of the next cache entry to show.
            cursor: u32,
        },
        /// A page of cache entries was paid out of escrow.
        #[codec(index = 10)]
        Credited {
            /// The gateway.
            gateway: DeviceId,
            /// The epoch served in.
            epoch: Epoch,
            /// Where this page's money went.
            shares: Shares,
            /// Index of the next cache entry.
            cursor: u32,
        },
        /// A commitment is paid in full; its lines are final.
        #[codec(index = 11)]
        CreditCompleted {
            /// The gateway.
            gateway: DeviceId,
            /// The epoch served in.
            epoch: Epoch,
            /// Where its money went.
            shares: Shares,
        },
        /// A commitment is void: nothing of it is paid, and what it charged goes back.
        #[codec(index = 12)]
        CommitmentVoided {
            /// The gateway.
            gateway: DeviceId,
            /// The epoch served in.
            epoch: Epoch,
            /// Why.
            reason: VoidReason,
        },
        /// A page of customer entries of a void commitment was given back.
        #[codec(index = 13)]
        Refunded {
            /// The gateway.
            gateway: DeviceId,
            /// The epoch served in.
            epoch: Epoch,
            /// Given back with this page, in planck.
            amount: Planck,
            /// Index of the next customer entry.
            cursor: u32,
        },
        /// All that a void commitment charged was given back.
        #[codec(index = 14)]
        RefundCompleted {
            /// The gateway.
            gateway: DeviceId,
            /// The epoch served in.
            epoch: Epoch,
            /// Given back in all, in planck.
            amount: Planck,
        },
        /// Earnings were paid out.
        #[codec(index = 15)]
        Claimed {
            /// To whom.
            account: T::AccountId,
            /// How much, in planck.
            amount: Planck,
        },
        /// A customer named a referrer when the account was opened.
        #[codec(index = 16)]
        ReferrerNamed {
            /// The customer.
            account: T::AccountId,
            /// Who referred the customer.
            referrer: T::AccountId,
        },
        /// A referrer's part of a commitment can be claimed.
        #[codec(index = 17)]
        ReferralPaid {
            /// The gateway.
            gateway: DeviceId,
            /// The epoch served in.
            epoch: Epoch,
            /// The referrer.
            referrer: T::AccountId,
            /// How much, in planck.
            amount: Planck,
        },
        /// What a new node earned can be claimed.
        #[codec(index = 18)]
        FirstEarningsReleased {
            /// The node.
            device: DeviceId,
            /// The owner of its stake.
            account: T::AccountId,
            /// How much, in planck.
            amount: Planck,
        },
        /// Earnings that were not claimed yet paid a debt.
        #[codec(index = 19)]
        Garnished {
            /// Whose earnings.
            from: T::AccountId,
            /// To whom.
            to: T::AccountId,
            /// How much, in planck.
            amount: Planck,
        },
    }

    /// Why a call was refused. Nothing changed then.
    #[pallet::error]
    pub enum Error<T> {
        /// The account never deposited anything.
        NoAccount,
        /// The account is closed.
        AccountClosed,
        /// An amount of zero moves nothing.
        AmountZero,
        /// The deposit is below the least allowed.
        DepositTooSmall,
        /// The amount is above what is not reserved for unsettled epochs.
        AboveWithdrawable,
        /// A service is active, or an epoch it was active in is unsettled.
        StillReserved,
        /// The balance does not cover the allowances of all epochs that may be unsettled at once.
        AllowanceNotCovered,
        /// The epoch has not ended.
        EpochNotEnded,
        /// The epoch ended too long ago: its usage is forfeited.
        CommitmentTooLate,
        /// The gateway has committed for this epoch. A commitment never changes.
        AlreadyCommitted,
        /// The device carried no active gateway stake for the whole of the epoch.
        GatewayNotActive,
        /// The gateway has too many commitments open.
        TooManyOpen,
        /// The commitment contradicts itself: totals of both trees, counts or key ranges.
        MalformedCommitment,
        /// There is no such commitment.
        UnknownCommitment,
        /// Its audit has not been decided, or the time for commitments of this epoch is not over.
        NotAccepted,
        /// The commitment is not one to be charged now.
        NotSettling,
        /// The commitment is not one to be paid now.
        NotCreditable,
        /// The commitment is not one to be refunded now.
        NotRefunding,
        /// The commitment is void, or payment has begun: it cannot become void.
        NotVoidable,
        /// The hold-back is not over.
        StillHeldBack,
        /// The page does not begin where the last one ended.
        PageOutOfOrder,
        /// The proof does not show that the entries are the committed ones.
        ProofInvalid,
        /// A service pins a price list that was never published.
        UnknownPriceList,
        /// The customer's balance is below a charge that was reserved for.
        BalanceExhausted,
        /// The governed shares sum to more than one.
        SharesInvalid,
        /// The books would not balance.
        BooksUnbalanced,
        /// Everything that was earned is paid out.
        NothingToClaim,
        /// Fraud is proven, never ruled.
        NotProven,
        /// Nothing is left of the stake that stood behind the usage.
        NothingAtStake,
        /// More of the gateway's escrow would mature than its stake covers. It can in a later epoch.
        AboveStakePace,
        /// A referrer is named with the deposit that opens the account, and never again.
        AlreadyOpened,
        /// Nobody refers oneself.
        OwnReferrer,
        /// The commitment is not paid in full.
        NotCredited,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_idle(_now: BlockNumberFor<T>, remaining: Weight) -> Weight {
            let mut meter = WeightMeter::with_limit(remaining);
            Self::clear_history(&mut meter);
            meter.consumed()
        }

        fn integrity_test() {
            assert!(
                u64::from(T::MaxOpen::get()) > MAX_UNSETTLED,
                "a gateway that works every epoch needs room for all its commitments"
            );
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_now: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::check_invariants().map_err(Into::into)
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Puts `amount` of the caller's own tokens on deposit, as a hold in the caller's account.
        ///
        /// Opens the prepaid account at the first deposit. A new account is funded at once, a
        /// suspended or closed one from the next epoch on, when the balance covers the allowances.
        ///
        /// Emits `Deposited`, and the change of state if there is one. Fails with
        /// `DepositTooSmall`, or when the caller has fewer tokens free.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::deposit())]
        pub fn deposit(origin: OriginFor<T>, amount: Planck) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_deposit(&who, amount, None)
        }

        /// Releases `amount` from the caller's deposit.
        ///
        /// Only what is not reserved can be withdrawn: the highest allowances of the caller's
        /// services in the window of unsettled epochs, for each of these epochs.
        ///
        /// Emits `Withdrawn`, and the change of state if there is one. Fails with `NoAccount`,
        /// `AccountClosed`, `AmountZero`, `AboveWithdrawable`.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::withdraw())]
        pub fn withdraw(origin: OriginFor<T>, amount: Planck) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_withdraw(&who, amount)
        }

        /// Closes the caller's prepaid account and releases all that is on deposit.
        ///
        /// Emits `AccountClosed`. Fails with `NoAccount`, `AccountClosed`, and with `StillReserved`
        /// while a service is active or an epoch it was active in is unsettled.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::close())]
        pub fn close(origin: OriginFor<T>) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_close(&who)
        }

        /// Evaluates the state of a prepaid account again. Anyone may call it; moves nothing.
        ///
        /// Emits `AccountActivated`, `AccountWarned` or `AccountSuspended` when the state changed.
        /// Fails with `NoAccount`, `AccountClosed`.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::poke())]
        pub fn poke(origin: OriginFor<T>, account: T::AccountId) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_poke(&account)
        }

        /// Commits a gateway to the use of an epoch that ended: both roots with their totals. Moves
        /// and pays nothing.
        ///
        /// An unsigned general transaction with the signature of the gateway's agent key over
        /// [`agent::commit_payload`](crate::agent::commit_payload). On time in the first quarter of
        /// the next epoch; later it costs part of the gateway's share, and after `MaxLate` epochs
        /// the usage is forfeited.
        ///
        /// Emits `UsageCommitted`. Fails with `EpochNotEnded`, `CommitmentTooLate`,
        /// `AlreadyCommitted`, `GatewayNotActive`, `TooManyOpen`, `MalformedCommitment`.
        #[pallet::call_index(4)]
        #[pallet::weight((T::WeightInfo::commit_usage(), DispatchClass::Operational))]
        #[pallet::authorize(|source, commitment, signature| {
            Self::authorize_commit_usage(source, commitment, signature)
        })]
        #[pallet::weight_of_authorize(T::WeightInfo::authorize_commit_usage())]
        pub fn commit_usage(
            origin: OriginFor<T>,
            commitment: Box<UsageCommitment>,
            _agent_signature: Signature64,
        ) -> DispatchResult {
            ensure_authorized(origin)?;
            Self::do_commit(*commitment)
        }

        /// Charges the next customer entries of an accepted commitment, from the customers'
        /// deposits into escrow.
        ///
        /// Anyone may call it, signed; or the gateway's agent, unsigned, with its signature over
        /// [`agent::page_payload`](crate::agent::page_payload). An entry that breaks a rule makes
        /// the whole commitment void, and so does a page that comes too late; nothing of that page
        /// is charged then.
        ///
        /// Emits `Settled`, after the last page `SettlementCompleted`, or `CommitmentVoided`. Fails
        /// with `UnknownCommitment`, `NotSettling`, `NotAccepted`, `PageOutOfOrder`,
        /// `ProofInvalid`, `BalanceExhausted`.
        #[pallet::call_index(5)]
        #[pallet::weight(Pallet::<T>::proven(T::WeightInfo::settle(entries.len() as u32), proof))]
        #[pallet::authorize(Self::authorize_settle)]
        #[pallet::weight_of_authorize(Pallet::<T>::proven(T::WeightInfo::authorize_page(entries.len() as u32), proof))]
        pub fn settle(
            origin: OriginFor<T>,
            gateway: DeviceId,
            epoch: Epoch,
            entries: Page,
            proof: RangeProof<EntryKey>,
            _agent_signature: Option<Signature64>,
        ) -> DispatchResult {
            Self::ensure_signed_or_authorized(origin)?;
            Self::do_settle(gateway, epoch, &entries, &proof)
        }

        /// Shows the next cache entries of a settled commitment, or pays them once the hold-back is
        /// over.
        ///
        /// The entries are walked twice: first all are shown and checked, so that no entry can turn
        /// out bad when others are paid; then the escrow is divided among treasury, caches and
        /// gateway. When all fit into one page and the hold-back is over, one call does both.
        ///
        /// Anyone may call it, signed; or the gateway's agent, unsigned. Emits `CachesChecked`,
        /// `Credited`, after the last page `CreditCompleted`, or `CommitmentVoided`. Fails with
        /// `UnknownCommitment`, `NotCreditable`, `StillHeldBack`, `PageOutOfOrder`, `ProofInvalid`,
        /// `SharesInvalid`.
        #[pallet::call_index(6)]
        #[pallet::weight(Pallet::<T>::proven(T::WeightInfo::credit(entries.len() as u32), proof)
            .saturating_add(Pallet::<T>::auditors_paid()))]
        #[pallet::authorize(Self::authorize_credit)]
        #[pallet::weight_of_authorize(Pallet::<T>::proven(T::WeightInfo::authorize_page(entries.len() as u32), proof))]
        pub fn credit(
            origin: OriginFor<T>,
            gateway: DeviceId,
            epoch: Epoch,
            entries: Page,
            proof: RangeProof<EntryKey>,
            _agent_signature: Option<Signature64>,
        ) -> DispatchResult {
            Self::ensure_signed_or_authorized(origin)?;
            Self::do_credit(gateway, epoch, &entries, &proof)
        }

        /// Gives back what the next customer entries of a void commitment were charged, from escrow
        /// to deposit.
        ///
        /// The entries are the ones that were settled; a page may run beyond them. Who closed the
        /// account meanwhile can claim the refund instead.
        ///
        /// Anyone may call it, signed; or the gateway's agent, unsigned. Emits `Refunded`, after
        /// the last page `RefundCompleted`. Fails with `UnknownCommitment`, `NotRefunding`,
        /// `PageOutOfOrder`, `ProofInvalid`.
        #[pallet::call_index(7)]
        #[pallet::weight(Pallet::<T>::proven(T::WeightInfo::refund(entries.len() as u32), proof))]
        #[pallet::authorize(Self::authorize_refund)]
        #[pallet::weight_of_authorize(Pallet::<T>::proven(T::WeightInfo::authorize_page(entries.len() as u32), proof))]
        pub fn refund(
            origin: OriginFor<T>,
            gateway: DeviceId,
            epoch: Epoch,
            entries: Page,
            proof: RangeProof<EntryKey>,
            _agent_signature: Option<Signature64>,
        ) -> DispatchResult {
            Self::ensure_signed_or_authorized(origin)?;
            Self::do_refund(gateway, epoch, &entries, &proof)
        }

        /// Pays the caller all that was credited and not claimed yet, from the pot.
        ///
        /// Emits `Claimed`. Fails with `NothingToClaim`, or when the amount is too small to open an
        /// account.
        #[pallet::call_index(8)]
        #[pallet::weight(T::WeightInfo::claim())]
        pub fn claim(origin: OriginFor<T>) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_claim(&who)
        }

        /// Pays an account all that was credited to it and not claimed yet. Anyone may call it.
        ///
        /// Emits `Claimed`. Fails with `NothingToClaim`, or when the amount is too small to open an
        /// account.
        #[pallet::call_index(9)]
        #[pallet::weight(T::WeightInfo::claim())]
        pub fn claim_for(origin: OriginFor<T>, account: T::AccountId) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_claim(&account)
        }

        /// Declares a commitment void before any of it is paid. What it charged can be refunded
        /// from then on.
        ///
        /// Only the void origin, which rules and proves nothing: a reason of `Fraud` or `LeavesWithheld` is refused.
        /// Emits `CommitmentVoided`. Fails with `UnknownCommitment`, `NotVoidable`, `NotProven`.
        #[pallet::call_index(10)]
        #[pallet::weight(T::WeightInfo::void())]
        pub fn void(
            origin: OriginFor<T>,
            gateway: DeviceId,
            epoch: Epoch,
            reason: VoidReason,
        ) -> DispatchResult {
            T::VoidOrigin::ensure_origin(origin)?;
            ensure!(
                !matches!(reason, VoidReason::Fraud(_) | VoidReason::LeavesWithheld),
                Error::<T>::NotProven
            );
            Self::do_void(gateway, epoch, reason)
        }

        /// Opens the caller's prepaid account with a deposit, and names who referred the caller, for
        /// good.
        ///
        /// As `deposit`. The referrer has a part of the network's take of all that the account is
        /// charged. Emits `ReferrerNamed`, `Deposited` and `AccountActivated`. Fails with
        /// `DepositTooSmall`, `AlreadyOpened`, `OwnReferrer`, or when the caller has fewer tokens
        /// free.
        #[pallet::call_index(11)]
        #[pallet::weight(T::WeightInfo::deposit_referred())]
        pub fn deposit_referred(
            origin: OriginFor<T>,
            amount: Planck,
            referrer: T::AccountId,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_deposit(&who, amount, Some(referrer))
        }

        /// Credits the next referrers, at most a page of them, with their parts of a commitment that is paid in full;
        /// they may claim them. Anyone may call it, and it happens by itself before the commitment is
        /// forgotten.
        ///
        /// Emits `ReferralPaid` for each. Fails with `UnknownCommitment`, `NotCredited`,
        /// `NothingToClaim`.
        #[pallet::call_index(12)]
        #[pallet::weight(T::WeightInfo::pay_referrals(MAX_PAGE))]
        pub fn pay_referrals(
            origin: OriginFor<T>,
            gateway: DeviceId,
            epoch: Epoch,
        ) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_pay_referrals(gateway, epoch)
        }

        /// Credits the owner of a node that was new with what the node earned then. Anyone may call it,
        /// and it happens by itself with the next that the node earns.
        ///
        /// Emits `FirstEarningsReleased`. Fails with `NothingToClaim`, `StillHeldBack`.
        #[pallet::call_index(13)]
        #[pallet::weight(T::WeightInfo::release_first())]
        pub fn release_first(
            origin: OriginFor<T>,
            device: DeviceId,
            owner: T::AccountId,
        ) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_release_first(device, owner)
        }
    }

    impl<T: Config> Pallet<T> {
        /// The weight of a call with that of climbing its proof.
        fn proven(call: Weight, proof: &RangeProof<EntryKey>) -> Weight {
            call.saturating_add(T::WeightInfo::siblings(proof.siblings.len() as u32))
        }

        /// The weight of paying as many auditors as a commitment can have; no benchmark has any.
        fn auditors_paid() -> Weight {
            let each = Weight::from_parts(5_000_000, 3_000)
                .saturating_add(T::DbWeight::get().reads_writes(1, 1));
            each.saturating_mul(MAX_PAYEES)
        }
    }
}
