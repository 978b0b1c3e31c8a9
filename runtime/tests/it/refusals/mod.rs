//! Bad input to every call of the house's own pallets: refused with an error that says why, the fee
//! paid, and nothing else of the state changed.
//!
//! The list of calls is the metadata's. Of each the tables say, for every fault there is, how it is refused or why
//! it cannot be at fault so; a call that they do not know fails the test.

mod auditors;
mod audits;
mod billing;
mod canaries;
mod claims;
mod content;
mod nodes;
mod others;
mod reputation;
mod scene;
mod services;

use crate::{
    chain::{apply, genesis_of, run_from},
    metadata::{metadata, own_calls},
    sequences::cast,
};
use frame_support::{storage::StoragePrefixedMap, traits::GetCallMetadata};
use pallet_edge_governance::Origin;
use scene::{brought, signed, Scene};
use selvedge_runtime::{
    AccountId, Authorship, Runtime, RuntimeCall, RuntimeEvent, RuntimeOrigin, System, Treasury,
};
use sp_keyring::Sr25519Keyring;
use sp_runtime::{
    traits::{BadOrigin, Dispatchable},
    transaction_validity::{InvalidTransaction, TransactionValidityError},
    DispatchError,
};
use std::collections::{BTreeMap, BTreeSet};
use Fault::*;

/// What can be wrong with a call that comes from whom it should come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    /// Of somebody who may make such calls, but not about this.
    NotTheirs,
    /// Zero, or empty.
    Zero,
    /// As much as there can be.
    Maximum,
    /// About something that there is not.
    UnknownId,
    /// Again.
    Repeated,
    /// Before or after something that it has to follow or to precede.
    OutOfOrder,
    /// Before its time.
    TooEarly,
    /// After its time.
    TooLate,
}

const FAULTS: [Fault; 8] = [
    NotTheirs, Zero, Maximum, UnknownId, Repeated, OutOfOrder, TooEarly, TooLate,
];

/// How a call is sent.
enum Attempt {
    /// Signed by an account, which pays.
    Signed(Sr25519Keyring, RuntimeCall),
    /// Brought by an agent, for free.
    Brought(RuntimeCall),
    /// Decided by a referendum of this origin.
    Decided(Origin, RuntimeCall),
}

impl Attempt {
    fn call(&self) -> &RuntimeCall {
        match self {
            Self::Signed(_, call) | Self::Brought(call) | Self::Decided(_, call) => call,
        }
    }
}

fn by(signer: Sr25519Keyring, call: impl Into<RuntimeCall>) -> Attempt {
    Attempt::Signed(signer, call.into())
}

/// What a refusal says.
#[derive(Debug, PartialEq)]
enum Refusal {
    /// The call's error, in the block.
    Error(DispatchError),
    /// Kept out of the block.
    Invalid(InvalidTransaction),
}

impl<E: Into<DispatchError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// One bad call, with how it is refused.
struct Row {
    call: &'static str,
    fault: Fault,
    refusal: Refusal,
    attempt: fn(&mut Scene<'_>) -> Attempt,
}

fn row(
    call: &'static str,
    fault: Fault,
    refusal: impl Into<Refusal>,
    attempt: fn(&mut Scene<'_>) -> Attempt,
) -> Row {
    Row {
        call,
        fault,
        refusal: refusal.into(),
        attempt,
    }
}

/// Faults that a call cannot have, and why.
type Never = (&'static str, &'static [Fault], &'static str);

/// The rows of a pallet.
struct Table {
    pallet: &'static str,
    rows: Vec<Row>,
    never: Vec<Never>,
}

fn tables() -> [Table; 9] {
    [
        nodes::registry(),
        nodes::staking(),
        services::table(),
        billing::table(),
        audits::table(),
        reputation::table(),
        claims::table(),
        others::yields(),
        others::governance(),
    ]
}

type State = BTreeMap<Vec<u8>, Vec<u8>>;

fn state() -> State {
    let mut state = State::new();
    let mut key = Vec::new();
    while let Some(next) = sp_io::storage::next_key(&key) {
        if let Some(value) = sp_io::storage::get(&next) {
            state.insert(next.clone(), value.to_vec());
        }
        key = next;
    }
    state
}

/// Keys whose values differ, apart from what every transaction leaves in its block.
fn changed(before: &State, after: &State) -> BTreeSet<Vec<u8>> {
    let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let accounts = frame_system::Account::<Runtime>::final_prefix();
    let is_of_the_block = |key: &[u8]| {
        key == sp_core::storage::well_known_keys::EXTRINSIC_INDEX
            || key.starts_with(&accounts[..16]) && !key.starts_with(&accounts)
    };
    keys.into_iter()
        .filter(|key| before.get(*key) != after.get(*key) && !is_of_the_block(key))
        .cloned()
        .collect()
}

fn account_key(account: &AccountId) -> Vec<u8> {
    frame_system::Account::<Runtime>::hashed_key_for(account)
}

fn fee_of(payer: &AccountId) -> u128 {
    let fees = System::read_events_no_consensus().filter_map(|record| match record.event {
        RuntimeEvent::TransactionPayment(
            pallet_transaction_payment::Event::TransactionFeePaid {
                who, actual_fee, ..
            },
        ) if who == *payer => Some(actual_fee),
        _ => None,
    });
    fees.last().expect("a fee was paid")
}

/// Sends a signed call, which must be refused with this error: the fee goes from its signer to the
/// treasury and the author, and nothing else changes.
fn refuse_signed(signer: Sr25519Keyring, call: RuntimeCall) -> DispatchError {
    let payer = signer.to_account_id();
    let (treasury, author) = (Treasury::account_id(), Authorship::author());
    let author = author.expect("every block has one");
    let free = |account: &AccountId| frame_system::Account::<Runtime>::get(account).data.free;
    let earned = || free(&treasury) + free(&author);
    let (before, account, earned_before) = (
        state(),
        frame_system::Account::<Runtime>::get(&payer),
        earned(),
    );
    let outcome = apply(signed(signer, call.clone())).expect("a wallet's transaction is valid");
    let error = outcome.expect_err(&format!("{call:?} did its work"));
    let fee = fee_of(&payer);
    assert!(fee > 0, "it was for free");
    let mut paid = account;
    paid.nonce += 1;
    paid.data.free -= fee;
    assert_eq!(frame_system::Account::<Runtime>::get(&payer), paid);
    assert_eq!(earned() - earned_before, fee, "the fee went elsewhere");
    let expected = BTreeSet::from([&payer, &treasury, &author].map(account_key));
    let changed = changed(&before, &state());
    assert!(changed.is_subset(&expected), "{call:?} changed the state");
    error
}

/// Sends a call without an account, which must be kept out.
fn refuse_brought(call: RuntimeCall) -> TransactionValidityError {
    let before = state();
    let refused = apply(brought(call.clone())).expect_err(&format!("{call:?} was let in"));
    assert_eq!(changed(&before, &state()), BTreeSet::new(), "{call:?}");
    refused
}

/// Dispatches a call, which must be refused.
fn refuse_origin(origin: RuntimeOrigin, call: RuntimeCall) -> DispatchError {
    let before = state();
    let outcome = call.clone().dispatch(origin);
    let error = outcome.expect_err(&format!("{call:?} did its work"));
    assert_eq!(changed(&before, &state()), BTreeSet::new(), "{call:?}");
    error.error
}

fn refuse(attempt: Attempt) -> Refusal {
    match attempt {
        Attempt::Signed(signer, call) => refuse_signed(signer, call).into(),
        Attempt::Brought(call) => match refuse_brought(call) {
            TransactionValidityError::Invalid(reason) => Refusal::Invalid(reason),
            other => panic!("{other:?} says nothing about the call"),
        },
        Attempt::Decided(origin, call) => refuse_origin(origin.into(), call).into(),
    }
}

/// Sets the scene of a row, and looks at its call inside of the next block.
fn look<R>(row: &Row, with: impl FnOnce(Attempt) -> R) -> R {
    run_from(genesis_of(cast::genesis()), |chain| {
        let mut scene = Scene::new(chain);
        let attempt = (row.attempt)(&mut scene);
        chain.begin_with_room();
        // A block's first transaction sets off what the pallets do between inherents and transactions.
        let remark = frame_system::Call::remark { remark: vec![] };
        let first = apply(signed(Sr25519Keyring::Dave, remark.into()));
        assert_eq!(first, Ok(Ok(())));
        let seen = with(attempt);
        chain.end();
        selvedge_runtime::check_invariants().expect("every invariant holds at the end");
        seen
    })
}

fn check(table: Table) {
    for row in &table.rows {
        let refusal = look(row, |attempt| {
            let name = attempt.call().get_call_metadata();
            assert_eq!(
                (name.pallet_name, name.function_name),
                (table.pallet, row.call)
            );
            refuse(attempt)
        });
        let Row { call, fault, .. } = row;
        assert_eq!(refusal, row.refusal, "{call}, {fault:?}");
    }
}

#[test]
fn the_registry_refuses_bad_input() {
    check(nodes::registry());
}

#[test]
fn staking_refuses_bad_input() {
    check(nodes::staking());
}

#[test]
fn services_refuse_bad_input() {
    check(services::table());
}

#[test]
fn billing_refuses_bad_input() {
    check(billing::table());
}

#[test]
fn proofs_of_fraud_are_refused_when_they_prove_nothing() {
    check(audits::table());
}

#[test]
fn reputation_refuses_bad_input() {
    check(reputation::table());
}

#[test]
fn claims_refuse_bad_input() {
    check(claims::table());
}

#[test]
fn yields_and_governance_refuse_bad_input() {
    check(others::yields());
    check(others::governance());
}

/// Every call of the metadata has a row, or a reason for none, for every fault; and no row is of a
/// call that there is not.
#[test]
fn every_fault_of_every_call_is_accounted_for() {
    let mut known = BTreeMap::new();
    for Table {
        pallet,
        rows,
        never,
    } in tables()
    {
        for row in &rows {
            known.insert((pallet.into(), row.call.into(), row.fault), "a row");
        }
        for (call, faults, reason) in never {
            for fault in faults {
                let twice = known.insert((pallet.into(), call.into(), *fault), reason);
                assert_eq!(twice, None, "{pallet}::{call}: {fault:?}");
            }
        }
    }
    let wanted: BTreeSet<(String, String, Fault)> = own_calls(&metadata())
        .into_iter()
        .flat_map(|(pallet, call)| FAULTS.map(|fault| (pallet.clone(), call.clone(), fault)))
        .collect();
    let known: BTreeSet<_> = known.into_keys().collect();
    let missing: Vec<_> = wanted.difference(&known).collect();
    assert!(missing.is_empty(), "not accounted for: {missing:?}");
    let unknown: Vec<_> = known.difference(&wanted).collect();
    assert!(unknown.is_empty(), "there are no such calls: {unknown:?}");
}

/// Whoever signs is no referendum, a referendum is no account, and nobody is neither. Without an
/// account and without an agent's signature that counts, a transaction is in no block.
#[test]
fn a_wrong_origin_is_refused() {
    for table in tables() {
        let mut calls = BTreeSet::new();
        for row in table.rows.iter().filter(|row| calls.insert(row.call)) {
            look(row, |attempt| {
                let call = attempt.call().clone();
                refuse_brought(call.clone());
                let bad = DispatchError::from(BadOrigin);
                let none = RuntimeOrigin::none();
                assert_eq!(refuse_origin(none, call.clone()), bad, "{call:?}");
                match attempt {
                    Attempt::Signed(..) => {
                        for origin in [RuntimeOrigin::root(), Origin::Brake.into()] {
                            assert_eq!(refuse_origin(origin, call.clone()), bad, "{call:?}");
                        }
                    }
                    Attempt::Brought(_) | Attempt::Decided(..) => {
                        assert_eq!(refuse_signed(Sr25519Keyring::Alice, call), bad);
                    }
                }
            });
        }
        assert!(!calls.is_empty(), "{} has no rows", table.pallet);
    }
}
