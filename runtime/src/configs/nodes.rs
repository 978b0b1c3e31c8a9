//! Devices and stakes.

use frame_support::{parameter_types, traits::tokens::imbalance::ResolveTo};

use super::{
    consensus::SessionsKept,
    governance::TreasuryAccount,
    params::{dynamic_params::stakes, RoleAmount, StakeLiability},
};
use crate::{Balances, NodeRegistry, NodeStaking, Runtime, RuntimeHoldReason, Session, UsageClock};

parameter_types! {
    /// Epochs of which past assignments, counts and terms are kept: a week of hours. A claim about
    /// an epoch comes at most `UnsettledEpochs + HoldBackEpochs` later, which the ranges keep to
    /// 60 + 72 = 132.
    pub const HistoryDepth: u32 = 168;
    /// Active devices of a role. Every gateway's config lists them all: 4,096 entries of at most
    /// 700 bytes fit its four mebibytes.
    pub const MaxNodesPerRole: u32 = 4_096;
}

impl pallet_edge_registry::Config for Runtime {
    type Currency = Balances;
    type DeviceDeposit = stakes::DeviceDeposit;
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
