//! The token and transaction fees.

use frame_support::{
    parameter_types,
    traits::{
        fungible::{Balanced, Credit},
        tokens::imbalance::ResolveTo,
        ConstU32, ConstU8, Imbalance, OnUnbalanced, VariantCountOf,
    },
    weights::{ConstantMultiplier, IdentityFee},
};
use pallet_transaction_payment::{FungibleAdapter, Multiplier, TargetedFeeAdjustment};
use sp_runtime::{traits::Bounded, FixedPointNumber, Perquintill};

use crate::{
    configs::governance::TreasuryAccount,
    constants::currency::{EXISTENTIAL_DEPOSIT, MICRO},
    AccountId, Authorship, Balance, Balances, Runtime, RuntimeEvent, RuntimeFreezeReason,
    RuntimeHoldReason, System,
};

parameter_types! {
    pub const ExistentialDeposit: Balance = EXISTENTIAL_DEPOSIT;

    /// A byte of a transaction: 0.000001 SEL. A transfer of 145 bytes pays 0.000145 SEL for its
    /// length, and as much again for its weight (below).
    pub const TransactionByteFee: Balance = MICRO;

    /// Fees fall while normal transactions fill less than a quarter of their part of a block, and
    /// rise when they fill more.
    pub const TargetBlockFullness: Perquintill = Perquintill::from_percent(25);
    /// How fast: at full blocks about 75 millionths of the distance a block, doubling within a day.
    pub AdjustmentVariable: Multiplier = Multiplier::saturating_from_rational(75, 1_000_000);
    /// The floor keeps an attack on an idle chain from being nearly free: a tenth.
    pub MinimumMultiplier: Multiplier = Multiplier::saturating_from_rational(1, 10);
    pub MaximumMultiplier: Multiplier = Bounded::max_value();
}

impl pallet_balances::Config for Runtime {
    type AccountStore = System;
    type Balance = Balance;
    type DoneSlashHandler = ();
    type DustRemoval = ResolveTo<TreasuryAccount, Balances>;
    type ExistentialDeposit = ExistentialDeposit;
    type FreezeIdentifier = RuntimeFreezeReason;
    type MaxFreezes = VariantCountOf<RuntimeFreezeReason>;
    type MaxLocks = ConstU32<50>;
    type MaxReserves = ConstU32<50>;
    type ReserveIdentifier = [u8; 8];
    type RuntimeEvent = RuntimeEvent;
    type RuntimeFreezeReason = RuntimeFreezeReason;
    type RuntimeHoldReason = RuntimeHoldReason;
    type WeightInfo = pallet_balances::weights::SubstrateWeight<Runtime>;
}

/// Sends four fifths of a fee to the treasury and the rest, with the whole tip, to the block's
/// author. What an author may not receive (no account, nothing but dust) goes to the treasury too.
pub struct SplitFees;

impl OnUnbalanced<Credit<AccountId, Balances>> for SplitFees {
    fn on_unbalanceds(mut parts: impl Iterator<Item = Credit<AccountId, Balances>>) {
        let Some(fee) = parts.next() else { return };
        let (treasury, mut author) = fee.ration(80, 20);
        if let Some(tip) = parts.next() {
            author.subsume(tip);
        }
        ResolveTo::<TreasuryAccount, Balances>::on_unbalanced(treasury);
        match Authorship::author() {
            Some(account) => {
                if let Err(left) = Balances::resolve(&account, author) {
                    ResolveTo::<TreasuryAccount, Balances>::on_unbalanced(left);
                }
            }
            None => ResolveTo::<TreasuryAccount, Balances>::on_unbalanced(author),
        }
    }
}

impl pallet_transaction_payment::Config for Runtime {
    type FeeMultiplierUpdate = TargetedFeeAdjustment<
        Self,
        TargetBlockFullness,
        AdjustmentVariable,
        MinimumMultiplier,
        MaximumMultiplier,
    >;
    type LengthToFee = ConstantMultiplier<Balance, TransactionByteFee>;
    type OnChargeTransaction = FungibleAdapter<Balances, SplitFees>;
    type OperationalFeeMultiplier = ConstU8<5>;
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = pallet_transaction_payment::weights::SubstrateWeight<Runtime>;
    /// A picosecond costs a planck: a full block of one second, 10^12 ps, costs one SEL.
    type WeightToFee = IdentityFee<Balance>;
}
