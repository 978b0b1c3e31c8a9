//! The judges can fail: each finds what no chain would do.

use super::{
    acts::word_of,
    plan::{Plan, Word},
    play_with, STEPS,
};
use frame_support::{
    dispatch::DispatchClass,
    storage::unhashed,
    traits::{
        fungible::{Mutate, MutateHold, Unbalanced},
        tokens::Precision,
    },
    weights::Weight,
};
use pallet_edge_billing::{
    types::{Books, CommitmentRecord, EpochBook, Status, VoidReason},
    Accounts, Commitments, EpochBooks, RunningTotals,
};
use pallet_edge_staking::{HoldReason, Stakes};
use selvedge_primitives_types::{
    DeviceId, EntryKey, Epoch, Planck, StakeId, Sum, TreeCommitment, UsageCommitment,
};
use selvedge_runtime::{
    configs::system::RuntimeBlockWeights, constants::currency::SEL, AccountId, Balances, Runtime,
    RuntimeHoldReason, System,
};
use sp_keyring::Sr25519Keyring;

fn alice() -> AccountId {
    Sr25519Keyring::Alice.to_account_id()
}

/// Tokens on hold for a stake that there is not.
fn hold_for_nothing(_: usize) {
    let reason = RuntimeHoldReason::NodeStaking(HoldReason::Stake);
    let ferdie = Sr25519Keyring::Ferdie.to_account_id();
    Balances::hold(&reason, &ferdie, SEL).expect("it has as much");
}

fn cook_the_books(_: usize) {
    RunningTotals::<Runtime>::mutate(|totals| totals.prepaid += 1);
}

fn add_to_a_balance(_: usize) {
    Balances::increase_balance(&alice(), 1, Precision::Exact).expect("there is room");
}

fn mint(_: usize) {
    Balances::mint_into(&alice(), 1).expect("there is room");
}

fn forge_issuance(_: usize) {
    Balances::set_total_issuance(Balances::total_issuance() + 1);
}

fn turn_the_clock(_: usize) {
    pallet_edge_clock::Current::<Runtime>::mutate(|epoch| *epoch = epoch.next());
}

fn garble_a_stake(_: usize) {
    unhashed::put_raw(&Stakes::<Runtime>::hashed_key_for(StakeId(0)), &[1, 2, 3]);
}

/// What `defensive!` does where assertions are off.
fn complain(_: usize) {
    log::error!(target: "runtime::defensive", "a defensive failure");
}

fn panic(_: usize) {
    panic!("a panic of the runtime");
}

fn overfill_the_block(_: usize) {
    let weight = Weight::from_parts(2 * RuntimeBlockWeights::get().max_block.ref_time(), 0);
    System::register_extra_weight_unchecked(weight, DispatchClass::Mandatory);
}

/// Yields are granted, and taken back as if they never were.
fn take_a_grant_back(step: usize) {
    let payable: Planck = if step == 0 { 5 } else { 4 };
    pallet_edge_yields::Payouts::<Runtime>::mutate(alice(), |payout| payout.payable = payable);
    pallet_edge_yields::Totals::<Runtime>::mutate(|totals| totals.payable = payable);
}

/// A commitment is void, and later it was another one.
fn change_what_ended(step: usize) {
    let (epoch, gateway) = (Epoch(0), DeviceId([1; 32]));
    let tree = TreeCommitment {
        root: [0; 32],
        entries: 1,
        min: EntryKey([0; 40]),
        max: EntryKey([0; 40]),
        sum: Sum::default(),
    };
    let record = CommitmentRecord {
        commitment: UsageCommitment {
            gateway,
            epoch,
            customers: tree,
            caches: tree,
        },
        status: Status::Void,
        late: step as u8,
        settled: 0,
        void_reason: Some(VoidReason::Ruled),
        books: Books::default(),
        stake: 0,
        referral: Default::default(),
    };
    Commitments::<Runtime>::insert(epoch, gateway, record);
    let book = EpochBook {
        commitments: 1,
        ..Default::default()
    };
    EpochBooks::<Runtime>::insert(epoch, book);
}

fn lose_an_account(_: usize) {
    let key = Accounts::<Runtime>::iter_keys().next();
    Accounts::<Runtime>::remove(key.expect("customers have accounts"));
}

/// Breaks something behind the pallets' backs.
type Meddle = fn(usize);

/// Each is done inside of two blocks; one of them, at the latest, is found to be broken.
#[test]
fn what_no_chain_would_do_is_found() {
    let cases: [(Meddle, &str); 13] = [
        (hold_for_nothing, "holds of stakes"),
        (cook_the_books, "broken: 2: the prepaid total is wrong"),
        (lose_an_account, "broken: 2: the prepaid total is wrong"),
        (add_to_a_balance, "the accounts' balances"),
        (mint, "tokens came or went"),
        (forge_issuance, "issuance"),
        (turn_the_clock, "broken: invariant 2: the current epoch"),
        (garble_a_stake, "broken: invariant 3"),
        (complain, "complaints"),
        (panic, "a panic of the runtime"),
        (overfill_the_block, "the block weighs"),
        (take_a_grant_back, "the payouts of"),
        (change_what_ended, "a commitment changed after its end"),
    ];
    let names = [
        "poke an account",
        "make a block",
        "poke an account",
        "make a block",
    ];
    let plan = Plan::of(names.map(word_of).to_vec());
    for (meddle, wrong) in cases {
        let end = play_with(&plan, &|step, _| {
            if step % 2 == 0 {
                meddle(step);
            }
        });
        let found = end.state.expect_err(wrong);
        assert!(found.contains(wrong), "{found:?} is not about {wrong:?}");
    }
    assert!(play_with(&plan, &|_, _| {}).state.is_ok());
}

/// What goes wrong whenever somebody is poked is shown by poking somebody.
#[test]
fn a_failing_plan_shrinks_to_what_matters() {
    let word = word_of("poke an account");
    let mut plan = Plan::from_seed(3, STEPS / 2);
    plan.words.insert(STEPS / 4, word);
    let meddle = |_: usize, taken: Word| assert_ne!(taken, word, "poked");
    let fails = |plan: &Plan| play_with(plan, &meddle).state.is_err();
    assert_eq!(plan.shrink(fails), Plan::of(vec![word]));
}
