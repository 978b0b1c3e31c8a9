//! The usage clock, services, the money of usage and proofs against it.

use frame_support::{
    parameter_types,
    traits::{tokens::imbalance::ResolveTo, ConstU32, ConstU64, Get, Randomness},
    PalletId,
};
use pallet_babe::RandomnessFromOneEpochAgo;
use pallet_edge_chain_params::LocalNames;
use pallet_edge_traits::AuditSeed;
use selvedge_primitives_types::{Hash, Score, Usage, UsageClass};

use super::{
    governance::TreasuryAccount,
    nodes::{HistoryDepth, Terms},
    params::{
        dynamic_params::{audits, billing, services, shares, stakes},
        FraudSlash, LeastAudited, StakeLiability,
    },
};
use crate::{
    governance::origins::{RootOrBrake, RootOrPrices, RootOrRoles},
    Audits, Balances, Billing, Claims, NodeRegistry, NodeStaking, NodeYields, Reputation, Runtime,
    RuntimeHoldReason, SafeMode, Services, Timestamp, UsageClock,
};

impl pallet_edge_chain_params::Config for Runtime {}

/// Whether the safe mode is entered, in which deadlines could not be met.
pub struct Braked;

impl Get<bool> for Braked {
    fn get() -> bool {
        SafeMode::is_entered()
    }
}

impl pallet_edge_clock::Config for Runtime {
    type Braked = Braked;
    /// A minute: 20 slots of three seconds. Fewer may stay empty without anything being amiss.
    type MaxStep = ConstU64<60_000>;
    /// Staking first: the others ask it who is active in the epoch that began. Scores before
    /// yields, which depend on them.
    type OnEpoch = (
        NodeStaking,
        Services,
        Reputation,
        NodeYields,
        Claims,
        Billing,
    );
    /// As long as invoices can be asked for.
    type StartsKept = HistoryEpochs;
    type Time = Timestamp;
    type WeightInfo = pallet_edge_clock::weights::SubstrateWeight<Runtime>;
}

parameter_types! {
    pub const HistoryEpochs: u64 = HistoryDepth::get() as u64;
    pub const BillingPalletId: PalletId = PalletId(*b"sel/bill");
}

/// What the draws of host checks depend on: BABE's randomness of a whole epoch ago, which nobody
/// could foresee when a host name of the epoch before was claimed.
pub struct HostCheckSeed;

impl Get<Hash> for HostCheckSeed {
    fn get() -> Hash {
        let (seed, _known_since) = RandomnessFromOneEpochAgo::<Runtime>::random(b"selvedge/hosts");
        seed.0
    }
}

impl pallet_edge_services::Config for Runtime {
    type AllowLocalNames = LocalNames<Runtime>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = super::benchmarks::Helper;
    type Clock = UsageClock;
    type Currency = Balances;
    type HistoryDepth = HistoryEpochs;
    type HostDeposit = services::HostDeposit;
    type MaxCheckers = ConstU32<1_024>;
    /// 50 bytes each in what every node is told of the services, so 0.8 of 4 MiB: with them it holds 10,000
    /// services of 300 bytes.
    type MaxPins = ConstU32<16_384>;
    type PinDeposit = services::PinDeposit;
    type Prepaid = Billing;
    type PriceNotice = services::PriceNotice;
    type PriceOrigin = RootOrPrices;
    type ProofPeriod = services::ProofPeriod;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Seed = HostCheckSeed;
    type ServiceDeposit = services::ServiceDeposit;
    type Stakes = NodeStaking;
    type WeightInfo = pallet_edge_services::weights::SubstrateWeight<Runtime>;
}

/// What a customer may use in a month without being charged.
pub struct FreeBuffer;

impl Get<Usage> for FreeBuffer {
    fn get() -> Usage {
        Usage::ZERO
            .with(UsageClass::Requests, billing::FreeRequests::get())
            .with(UsageClass::EgressBytes, billing::FreeEgress::get())
    }
}

/// The least score of a new node that is fair.
pub struct FairScore;

impl Get<Score> for FairScore {
    fn get() -> Score {
        Score(billing::FairScore::get().0)
    }
}

impl pallet_edge_billing::Config for Runtime {
    type AuditFee = shares::AuditFee;
    type Audits = Audits;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = super::benchmarks::Helper;
    type Burn = shares::Burn;
    type CacheShare = shares::CacheShare;
    type Clock = UsageClock;
    type Currency = Balances;
    type Devices = NodeRegistry;
    type Disputes = Claims;
    type FairScore = FairScore;
    type FirstHoldBack = billing::FirstHoldBack;
    type FreeBuffer = FreeBuffer;
    type HistoryEpochs = billing::HistoryEpochs;
    type HoldBackEpochs = billing::HoldBackEpochs;
    type LatePenalty = billing::LatePenalty;
    type MaxLate = billing::MaxLate;
    /// Two hold-backs and the unsettled epochs are together at most 60 + 96 = 156.
    type MaxOpen = ConstU32<168>;
    type MinDeposit = billing::MinDeposit;
    type OnMatured = (Reputation, NodeYields);
    type PalletId = BillingPalletId;
    type Referral = shares::Referral;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Scores = Reputation;
    type Services = Services;
    type StargateShare = shares::StargateShare;
    type Stakes = NodeStaking;
    type Take = shares::Take;
    type Treasury = TreasuryAccount;
    type UnsettledEpochs = billing::UnsettledEpochs;
    type VoidOrigin = RootOrBrake;
    type WarnEpochs = billing::WarnEpochs;
    type WeightInfo = pallet_edge_billing::weights::SubstrateWeight<Runtime>;
    type YieldTerms = Terms;
}

/// What the draws of audits depend on: BABE's randomness of one epoch ago, which is fixed from the
/// first block of BABE's current epoch on.
pub struct BabeSeed;

impl AuditSeed for BabeSeed {
    fn seed() -> Option<(Hash, u64)> {
        let (seed, since) = RandomnessFromOneEpochAgo::<Runtime>::random(b"selvedge/audits");
        Some((seed.0, since.into()))
    }
}

impl pallet_edge_audits::Config for Runtime {
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = super::benchmarks::Helper;
    type BondDestination = ResolveTo<TreasuryAccount, Balances>;
    type CanaryOrigin = RootOrRoles;
    type CanaryShare = audits::CanaryShare;
    type ChallengeBond = audits::ChallengeBond;
    type Clock = UsageClock;
    type Commitments = Billing;
    type Currency = Balances;
    type Devices = NodeRegistry;
    /// As long as services and stakes keep theirs.
    type HistoryDepth = HistoryEpochs;
    type LeastAmount = LeastAudited;
    /// Each has a validator's stake or more. A panel is 8 KiB, which every vote and reveal reads.
    type MaxPanel = ConstU32<128>;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Seed = BabeSeed;
    type Services = Services;
    type Slash = NodeStaking;
    type SlashOf = FraudSlash;
    type Stakes = NodeStaking;
    type Take = Billing;
    type WithheldSlash = audits::WithheldSlash;
    type WeightInfo = pallet_edge_audits::weights::SubstrateWeight<Runtime>;
    /// As long as what it earns first is held back.
    type YoungFor = billing::FirstHoldBack;
}

impl pallet_edge_claims::Config for Runtime {
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = super::benchmarks::Helper;
    type Clock = UsageClock;
    type Commitments = Billing;
    type Currency = Balances;
    type DisputeBond = billing::DisputeBond;
    type DisputeEpochs = billing::DisputeEpochs;
    type ExpressFee = stakes::ExpressFee;
    type Redeem = NodeStaking;
    type RedeemUntil = StakeLiability;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Samples = Audits;
    type Stakes = NodeStaking;
    type WeightInfo = pallet_edge_claims::weights::SubstrateWeight<Runtime>;
}
