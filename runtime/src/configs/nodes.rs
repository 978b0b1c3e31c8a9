//! Devices, stakes, scores and yields.

use frame_support::{
    parameter_types,
    traits::{tokens::imbalance::ResolveTo, Get, Randomness},
    PalletId,
};
use pallet_babe::RandomnessFromOneEpochAgo;
use selvedge_primitives_math::yields::YieldTerms;
use selvedge_primitives_types::{Hash, Ppm, Role};
use sp_runtime::traits::Convert;

use super::{
    consensus::SessionsKept,
    governance::TreasuryAccount,
    params::{
        dynamic_params::{shares, stakes, yields},
        RoleAmount, StakeLiability,
    },
};
use crate::{
    constants::currency::SEL, Balance, Balances, NodeRegistry, NodeStaking, Reputation, Runtime,
    RuntimeHoldReason, Session, UsageClock,
};

parameter_types! {
    /// Epochs of which past assignments, counts and terms are kept: a week of hours. A claim about
    /// an epoch comes at most `UnsettledEpochs + 2 × HoldBackEpochs` later, which the ranges keep to
    /// 60 + 96 = 156.
    pub const HistoryDepth: u32 = 168;
    /// Active devices of a role. Every gateway's config lists them all: 4,096 entries of at most
    /// 700 bytes fit its four mebibytes.
    pub const MaxNodesPerRole: u32 = 4_096;
    /// Nodes that a block looks at while an era closes, in each of two pallets: with the reads of
    /// ParityDB about 20 ms of a block's second.
    pub const NodesPerBlock: u32 = 128;
    /// Gateways among whom probers are drawn: 1,024 × 80 bytes make 80 KiB, which every report reads.
    pub const MaxProbers: u32 = 1_024;
    /// What a dispute about a region puts at stake: as much as a cache stakes.
    pub const DisputeBond: Balance = 100 * SEL;
    pub const EmissionPalletId: PalletId = PalletId(*b"sel/pool");
}

impl pallet_edge_registry::Config for Runtime {
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = super::benchmarks::Helper;
    type Clock = UsageClock;
    type Currency = Balances;
    type DeviceDeposit = stakes::DeviceDeposit;
    type DrainEpochs = stakes::DrainEpochs;
    type DrainRest = stakes::DrainRest;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Stakes = NodeStaking;
    type WeightInfo = pallet_edge_registry::weights::SubstrateWeight<Runtime>;
}

impl pallet_edge_staking::Config for Runtime {
    type Clock = UsageClock;
    type Currency = Balances;
    type Devices = NodeRegistry;
    type ExpressFee = stakes::ExpressFee;
    type FeeDestination = ResolveTo<TreasuryAccount, Balances>;
    type HistoryDepth = HistoryDepth;
    type HoldBackEpochs = StakeLiability;
    type MaxNodesPerRole = MaxNodesPerRole;
    type MaxValidators = stakes::MaxValidators;
    type OffenceWindow = stakes::OffenceWindow;
    type OnAbsence = Reputation;
    type ReporterMax = stakes::ReporterMax;
    type ReporterShare = stakes::ReporterShare;
    type RoleAmount = RoleAmount;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Sessions = Session;
    type SessionsKept = SessionsKept;
    type SlashDestination = ResolveTo<TreasuryAccount, Balances>;
    type UnlockPeriod = stakes::UnlockPeriod;
    type WeightInfo = pallet_edge_staking::weights::SubstrateWeight<Runtime>;
}

/// What the draws of probers depend on: BABE's randomness of a whole epoch ago, which no gateway could foresee when it
/// chose its key and region.
pub struct ProbeSeed;

impl Get<Hash> for ProbeSeed {
    fn get() -> Hash {
        let (seed, _known_since) = RandomnessFromOneEpochAgo::<Runtime>::random(b"selvedge/probes");
        seed.0
    }
}

/// Availability that is expected of a role.
pub struct Expected;

impl Convert<Role, Ppm> for Expected {
    fn convert(role: Role) -> Ppm {
        match role {
            Role::Validator => Ppm(999_000),
            Role::Stargate => Ppm(999_900),
            Role::Gateway => Ppm::percent(99),
            Role::Cache => Ppm::percent(20),
        }
    }
}

impl pallet_edge_reputation::Config for Runtime {
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = super::benchmarks::Helper;
    type BondDestination = ResolveTo<TreasuryAccount, Balances>;
    type Clock = UsageClock;
    type Currency = Balances;
    type Devices = NodeRegistry;
    type DisputeBond = DisputeBond;
    type Expected = Expected;
    type MaxProbers = MaxProbers;
    type NodesPerBlock = NodesPerBlock;
    type ProbeSeed = ProbeSeed;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Stakes = NodeStaking;
    type Validators = Session;
    type WeightInfo = pallet_edge_reputation::weights::SubstrateWeight<Runtime>;
}

/// The rates of a role, as governed.
pub struct Terms;

impl Convert<Role, YieldTerms> for Terms {
    fn convert(role: Role) -> YieldTerms {
        // A validator carries no leaves: its part of what activity may return is nothing.
        let (apr, lambda) = match role {
            Role::Validator => (yields::AprValidator::get(), Ppm(0)),
            Role::Stargate => (yields::AprStargate::get(), yields::LambdaStargate::get()),
            Role::Gateway => (yields::AprGateway::get(), yields::LambdaGateway::get()),
            Role::Cache => (yields::AprCache::get(), yields::LambdaCache::get()),
        };
        YieldTerms {
            beta: yields::Beta::get(),
            kappa: yields::Kappa::get(),
            apr,
            lambda,
            take: shares::Take::get(),
            referral: shares::Referral::get(),
            audit: shares::AuditFee::get(),
        }
    }
}

impl pallet_edge_yields::Config for Runtime {
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = super::benchmarks::Helper;
    type Clock = UsageClock;
    type Currency = Balances;
    type EmissionRate = yields::EmissionRate;
    type NodesPerBlock = NodesPerBlock;
    type PalletId = EmissionPalletId;
    type PoolActivity = yields::PoolActivity;
    type PoolBase = yields::PoolBase;
    type PoolValidators = yields::PoolValidators;
    type Scores = Reputation;
    type Stakes = NodeStaking;
    type Terms = Terms;
    type WeightInfo = pallet_edge_yields::weights::SubstrateWeight<Runtime>;
}
