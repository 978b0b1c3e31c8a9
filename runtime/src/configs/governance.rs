//! Referenda, what they may do, and the emergency brake.

use frame_support::{
    parameter_types,
    traits::{
        fungible::HoldConsideration,
        tokens::{currency::ActiveIssuanceOf, PayFromAccount, UnityAssetBalanceConversion},
        ConstU32, Contains, LinearStoragePrice,
    },
    weights::Weight,
    PalletId,
};
use frame_system::{EnsureRoot, EnsureSigned};
use pallet_edge_governance::EnsureRangeChecked;
use sp_runtime::{traits::IdentityLookup, Perbill};

use super::{
    params::RuntimeParameters,
    ranges::{Ranges, Store},
    system::RuntimeBlockWeights,
};
use crate::{
    constants::{
        currency::{deposit, SEL},
        time::DAYS,
    },
    governance::{
        origins::{
            BrakeDuration, EnsureTrackOfParameter, RootOrBrake, RootOrBrakeForAWhile,
            RootOrTreasury,
        },
        tracks::Days,
        Tracks,
    },
    AccountId, Balance, Balances, BlockNumber, OriginCaller, Preimage, Referenda, Runtime,
    RuntimeCall, RuntimeEvent, RuntimeHoldReason, RuntimeOrigin, Scheduler, System, Treasury,
};

parameter_types! {
    /// A scheduled call may use four fifths of a block.
    pub MaximumSchedulerWeight: Weight =
        Perbill::from_percent(80) * RuntimeBlockWeights::get().max_block;
    /// Two items and the 64 bytes of the request's status.
    pub const PreimageBaseDeposit: Balance = deposit(2, 64);
    pub const PreimageByteDeposit: Balance = deposit(0, 1);
    pub const PreimageHoldReason: RuntimeHoldReason =
        RuntimeHoldReason::Preimage(pallet_preimage::HoldReason::Preimage);

    /// Placing a proposal; the decision deposit of its track comes on top.
    pub const SubmissionDeposit: Balance = 10 * SEL;

    pub const TreasuryPalletId: PalletId = PalletId(*b"py/trsry");
    pub TreasuryAccount: AccountId = Treasury::account_id();
    pub const TreasuryPeriod: BlockNumber = DAYS;
    pub const PayoutPeriod: BlockNumber = 30 * DAYS;
}

/// Votes bind for at least as long as the longest delay before enactment.
pub type VoteLockingPeriod = Days<7>;
/// A referendum that never gets its decision deposit ends after this.
pub type UndecidingTimeout = Days<14>;

impl pallet_preimage::Config for Runtime {
    type Consideration = HoldConsideration<
        AccountId,
        Balances,
        PreimageHoldReason,
        LinearStoragePrice<PreimageBaseDeposit, PreimageByteDeposit, Balance>,
    >;
    type Currency = Balances;
    type ManagerOrigin = EnsureRoot<AccountId>;
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = pallet_preimage::weights::SubstrateWeight<Runtime>;
}

impl pallet_scheduler::Config for Runtime {
    type BlockNumberProvider = System;
    type MaxScheduledPerBlock = ConstU32<50>;
    type MaximumWeight = MaximumSchedulerWeight;
    type OriginPrivilegeCmp = frame_support::traits::EqualPrivilegeOnly;
    type PalletsOrigin = OriginCaller;
    type Preimages = Preimage;
    type RuntimeCall = RuntimeCall;
    type RuntimeEvent = RuntimeEvent;
    type RuntimeOrigin = RuntimeOrigin;
    type ScheduleOrigin = EnsureRoot<AccountId>;
    type WeightInfo = pallet_scheduler::weights::SubstrateWeight<Runtime>;
}

impl pallet_conviction_voting::Config for Runtime {
    type BlockNumberProvider = System;
    type Currency = Balances;
    type MaxTurnout = ActiveIssuanceOf<Balances, AccountId>;
    type MaxVotes = ConstU32<512>;
    type Polls = Referenda;
    type RuntimeEvent = RuntimeEvent;
    type VoteLockingPeriod = VoteLockingPeriod;
    type VotingHooks = ();
    type WeightInfo = pallet_conviction_voting::weights::SubstrateWeight<Runtime>;
}

impl pallet_referenda::Config for Runtime {
    type AlarmInterval = ConstU32<1>;
    type BlockNumberProvider = System;
    type CancelOrigin = RootOrBrake;
    type Currency = Balances;
    type KillOrigin = EnsureRoot<AccountId>;
    type MaxQueued = ConstU32<100>;
    type Preimages = Preimage;
    type RuntimeCall = RuntimeCall;
    type RuntimeEvent = RuntimeEvent;
    type Scheduler = Scheduler;
    type Slash = Treasury;
    type SubmissionDeposit = SubmissionDeposit;
    type SubmitOrigin = EnsureSigned<AccountId>;
    type Tally = pallet_conviction_voting::TallyOf<Runtime>;
    type Tracks = Tracks;
    type UndecidingTimeout = UndecidingTimeout;
    type Votes = pallet_conviction_voting::VotesOf<Runtime>;
    type WeightInfo = pallet_referenda::weights::SubstrateWeight<Runtime>;
}

impl pallet_treasury::Config for Runtime {
    type AssetKind = ();
    type BalanceConverter = UnityAssetBalanceConversion;
    type Beneficiary = AccountId;
    type BeneficiaryLookup = IdentityLookup<AccountId>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = ();
    type BlockNumberProvider = System;
    type Burn = ();
    type BurnDestination = ();
    type Currency = Balances;
    type MaxApprovals = ConstU32<100>;
    type PalletId = TreasuryPalletId;
    type Paymaster = PayFromAccount<Balances, TreasuryAccount>;
    type PayoutPeriod = PayoutPeriod;
    type RejectOrigin = RootOrTreasury;
    type RuntimeEvent = RuntimeEvent;
    type SpendFunds = ();
    type SpendOrigin = RootOrTreasury;
    type SpendPeriod = TreasuryPeriod;
    type WeightInfo = pallet_treasury::weights::SubstrateWeight<Runtime>;
}

/// Calls that the brake never stops: consensus, whatever is needed to release it, and commitments,
/// which move nothing. Deadlines stand still while it holds.
pub struct NeverStopped;

impl Contains<RuntimeCall> for NeverStopped {
    fn contains(call: &RuntimeCall) -> bool {
        matches!(
            call,
            RuntimeCall::System(_)
                | RuntimeCall::Babe(_)
                | RuntimeCall::Timestamp(_)
                | RuntimeCall::Session(_)
                | RuntimeCall::Grandpa(_)
                | RuntimeCall::EdgeGovernance(_)
                | RuntimeCall::Preimage(_)
                | RuntimeCall::Scheduler(_)
                | RuntimeCall::ConvictionVoting(_)
                | RuntimeCall::Referenda(_)
                | RuntimeCall::TxPause(_)
                | RuntimeCall::Billing(pallet_edge_billing::Call::commit_usage { .. })
                | RuntimeCall::Sudo(_)
        )
    }
}

impl Contains<pallet_tx_pause::RuntimeCallNameOf<Runtime>> for NeverStopped {
    fn contains(name: &pallet_tx_pause::RuntimeCallNameOf<Runtime>) -> bool {
        let pallets: [&[u8]; 12] = [
            b"System",
            b"Babe",
            b"Timestamp",
            b"Session",
            b"Grandpa",
            b"EdgeGovernance",
            b"Preimage",
            b"Scheduler",
            b"ConvictionVoting",
            b"Referenda",
            b"SafeMode",
            b"Sudo",
        ];
        pallets.contains(&name.0.as_slice())
    }
}

impl pallet_safe_mode::Config for Runtime {
    type Currency = Balances;
    type EnterDepositAmount = ();
    type EnterDuration = BrakeDuration;
    type ExtendDepositAmount = ();
    type ExtendDuration = BrakeDuration;
    type ForceDepositOrigin = EnsureRoot<AccountId>;
    type ForceEnterOrigin = RootOrBrakeForAWhile;
    type ForceExitOrigin = RootOrBrake;
    type ForceExtendOrigin = RootOrBrakeForAWhile;
    type Notify = ();
    type ReleaseDelay = ();
    type RuntimeEvent = RuntimeEvent;
    type RuntimeHoldReason = RuntimeHoldReason;
    type WeightInfo = pallet_safe_mode::weights::SubstrateWeight<Runtime>;
    type WhitelistedCalls = NeverStopped;
}

impl pallet_tx_pause::Config for Runtime {
    type MaxNameLen = ConstU32<64>;
    type PauseOrigin = RootOrBrake;
    type RuntimeCall = RuntimeCall;
    type RuntimeEvent = RuntimeEvent;
    type UnpauseOrigin = RootOrBrake;
    type WeightInfo = pallet_tx_pause::weights::SubstrateWeight<Runtime>;
    type WhitelistedCalls = NeverStopped;
}

impl pallet_edge_governance::Config for Runtime {
    type ParameterOrigin = EnsureTrackOfParameter;
    type Ranges = Ranges;
    type RuntimeParameters = RuntimeParameters;
    type Store = Store;
    type WeightInfo = pallet_edge_governance::weights::SubstrateWeight<Runtime>;
}

impl pallet_parameters::Config for Runtime {
    /// Nobody but `EdgeGovernance`, which checks ranges first. Not even Root.
    type AdminOrigin = EnsureRangeChecked;
    type RuntimeEvent = RuntimeEvent;
    type RuntimeParameters = RuntimeParameters;
    type WeightInfo = ();
}
