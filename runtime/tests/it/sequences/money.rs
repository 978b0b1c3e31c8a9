//! Tokens, prepaid accounts and earnings.

use super::{
    acts::{signs, Kind},
    cast::{Signer, CUSTOMERS},
    plan::Dice,
    world::World,
};
use pallet_edge_billing::Call as Billing;
use selvedge_primitives_types::Planck;
use selvedge_runtime::{
    constants::currency::{EXISTENTIAL_DEPOSIT, SEL},
    AccountId, Balances, NodeYields, Runtime, RuntimeCall, Treasury,
};
use sp_runtime::MultiAddress;

pub const ACTS: &[Kind] = &[
    signs("deposit", 8, deposit),
    signs("withdraw", 8, withdraw),
    signs("close an account", 1, close),
    signs("poke an account", 2, poke),
    signs("claim usage", 4, claim),
    signs("claim usage for another", 4, claim_for),
    signs("claim yields", 6, claim_yields),
    signs("transfer", 5, transfer),
    signs("transfer all", 1, transfer_all),
    signs("burn", 1, burn),
];

/// An amount: the extremes, what is usual, and the neighbourhood of where a rule turns.
pub fn amount(dice: &mut Dice, turns: Planck) -> Planck {
    match dice.below(12) {
        0 => 0,
        1 => 1,
        2 => EXISTENTIAL_DEPOSIT,
        3 => Planck::MAX,
        4 => turns.saturating_add(1),
        5 => turns.saturating_sub(1),
        6 | 7 => turns,
        8 => turns / Planck::from(1 + dice.below(20)),
        9 => SEL * Planck::from(dice.below(20)),
        _ => SEL * Planck::from(dice.below(400)),
    }
}

/// A customer, or now and then somebody else.
pub fn customer(dice: &mut Dice) -> Signer {
    if dice.one_in(4) {
        anybody(dice)
    } else {
        *dice.of_all(&CUSTOMERS)
    }
}

/// Anybody.
pub fn anybody(dice: &mut Dice) -> Signer {
    let all: Vec<_> = Signer::all().collect();
    *dice.of_all(&all)
}

/// An account: anybody's, or one that nobody has the key of.
pub fn account(dice: &mut Dice) -> AccountId {
    let keyless = [
        pallet_edge_billing::Pallet::<Runtime>::pot(),
        NodeYields::pool_account(),
        Treasury::account_id(),
        AccountId::new([0x77; 32]),
    ];
    if dice.one_in(5) {
        dice.of_all(&keyless).clone()
    } else {
        anybody(dice).account()
    }
}

fn deposit(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let who = customer(dice);
    let amount = match dice.below(3) {
        0 => amount(dice, Balances::free_balance(who.account())),
        _ => SEL * Planck::from(1 + dice.below(200)),
    };
    (who, Billing::deposit { amount }.into())
}

fn withdraw(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let who = customer(dice);
    let summary = pallet_edge_billing::Pallet::<Runtime>::account_summary(&who.account());
    let free = summary.map_or(0, |account| {
        account.balance.saturating_sub(account.reserved)
    });
    let amount = amount(dice, free);
    (who, Billing::withdraw { amount }.into())
}

fn close(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    (customer(dice), Billing::close {}.into())
}

fn poke(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let account = customer(dice).account();
    (anybody(dice), Billing::poke { account }.into())
}

fn claim(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    (anybody(dice), Billing::claim {}.into())
}

fn claim_for(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let account = account(dice);
    (anybody(dice), Billing::claim_for { account }.into())
}

fn claim_yields(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    (anybody(dice), pallet_edge_yields::Call::claim {}.into())
}

fn transfer(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let who = anybody(dice);
    let dest = MultiAddress::Id(account(dice));
    let value = amount(dice, Balances::free_balance(who.account()));
    let call = if dice.one_in(2) {
        pallet_balances::Call::transfer_allow_death { dest, value }
    } else {
        pallet_balances::Call::transfer_keep_alive { dest, value }
    };
    (who, call.into())
}

fn transfer_all(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let dest = MultiAddress::Id(account(dice));
    let keep_alive = dice.one_in(2);
    let call = pallet_balances::Call::transfer_all { dest, keep_alive };
    (anybody(dice), call.into())
}

fn burn(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let who = anybody(dice);
    let value = amount(dice, Balances::free_balance(who.account()));
    let keep_alive = dice.one_in(2);
    (
        who,
        pallet_balances::Call::burn { value, keep_alive }.into(),
    )
}
