//! One file per call, and one each for what lies between them.

mod agent;
mod audits;
mod claim;
mod close;
mod commit_usage;
mod credit;
mod debts;
mod deposit;
mod fraud;
mod free;
mod history;
mod invariants;
mod invoice;
mod jobs;
mod maturity;
mod poke;
mod referral;
mod refund;
mod settle;
mod void;
mod walks;
mod withdraw;

use crate::{agent::*, mock::*, types::*, Call, Commitments, Error, Event};
use codec::Encode;
use frame_support::{assert_noop, assert_ok, dispatch::RawOrigin, traits::Authorize};
use pallet_edge_traits::{genesis_hash, HostKeccak, ServiceTerms};
use selvedge_primitives_math::{price::charge, RangeProof, TreeKind, UsageTrees};
use selvedge_primitives_types::{
    Account as AccountBytes, DeviceId, Domain, Entry, EntryKey, Epoch, Leaf, LeafBody, Planck,
    Prices, Role, ServiceId, Signature64, Slice, Usage, UsageClass, UsageCommitment,
};
use sp_core::Pair;
use sp_runtime::{
    traits::Dispatchable,
    transaction_validity::{InvalidTransaction, TransactionSource, TransactionValidityError},
    DispatchError,
};

/// Gateways, their owners' accounts are 11 and 12.
const GATEWAY: DeviceId = DeviceId([101; 32]);
const RIVAL: DeviceId = DeviceId([102; 32]);
/// Caches; their owners' accounts are 21 and 22.
const CACHE: DeviceId = DeviceId([121; 32]);
const OTHER_CACHE: DeviceId = DeviceId([122; 32]);
const NO_CACHE: DeviceId = DeviceId([0; 32]);

/// Allowance of a service per epoch in the mock network; each of the two gateways leases half of
/// it.
const CAP: Planck = 1_000;
/// What each customer of the mock network deposits.
const DEPOSIT: Planck = 20_000;

/// A planck per request, half a planck per byte.
const PRICES: Prices = Prices([1 << 32, 1 << 31, 0, 0, 0, 0]);

fn at(epoch: u64, quarters: u64) {
    world(|world| (world.epoch, world.quarters) = (epoch, quarters));
}

fn serve(service: u64, owner: u8, cap: Planck) {
    let terms = ServiceTerms {
        owner: account(owner),
        cap,
        price_version: 1,
        active: true,
    };
    world(|world| world.services.insert(ServiceId(service), terms));
}

/// Two gateways, two caches, and customers 1 and 2 with a service each (0 and 1).
fn network() {
    world(|world| {
        world.active = [
            ((Role::Gateway, GATEWAY), account(11)),
            ((Role::Gateway, RIVAL), account(12)),
            ((Role::Cache, CACHE), account(21)),
            ((Role::Cache, OTHER_CACHE), account(22)),
        ]
        .into();
        world.agents = [GATEWAY, RIVAL]
            .map(|device| (device, agent(&device).public().0))
            .into();
        world.prices.insert(1, PRICES);
    });
    for customer in [1, 2] {
        assert_ok!(send(customer, deposit(DEPOSIT)));
    }
    serve(0, 1, CAP);
    serve(1, 2, CAP);
}

/// Use of a service through a cache, in requests, each of which also moves one byte.
struct Used(u8, u64, DeviceId, u64);

fn leaf(gateway: DeviceId, epoch: u64, slice: u16, used: &Used) -> Leaf {
    let Used(customer, service, cache, requests) = *used;
    let paid = Usage::ZERO
        .with(UsageClass::Requests, requests)
        .with(UsageClass::EgressBytes, requests);
    let body = LeafBody {
        gateway,
        epoch: Epoch(epoch),
        customer: AccountBytes([customer; 32]),
        service: ServiceId(service),
        cache,
        slice: Slice(slice),
        price_version: 1,
        paid,
        amount: charge(&paid, &PRICES).unwrap(),
        ..Default::default()
    };
    Leaf {
        body,
        ..Default::default()
    }
}

fn trees(gateway: DeviceId, epoch: u64, used: &[Used]) -> UsageTrees {
    let leaves = used
        .iter()
        .enumerate()
        .map(|(slice, used)| leaf(gateway, epoch, slice as u16 % 60, used))
        .collect();
    UsageTrees::build::<HostKeccak>(leaves).unwrap()
}

/// What both customers used through both caches and none: 300 requests and 449 planck in all.
fn usual(gateway: DeviceId, epoch: u64) -> UsageTrees {
    let used = [
        Used(1, 0, CACHE, 100),
        Used(1, 0, OTHER_CACHE, 60),
        Used(2, 1, CACHE, 101),
        Used(2, 1, NO_CACHE, 39),
    ];
    trees(gateway, epoch, &used)
}

fn deposit(amount: Planck) -> Call<Test> {
    Call::deposit { amount }
}

fn of_gateway(trees: &UsageTrees) -> (DeviceId, Epoch) {
    let body = &trees.leaves()[0].body;
    (body.gateway, body.epoch)
}

fn commitment(trees: &UsageTrees) -> UsageCommitment {
    let (gateway, epoch) = of_gateway(trees);
    trees.commitment(gateway, epoch)
}

fn page(trees: &UsageTrees, kind: TreeKind, start: u32, len: u32) -> (Page, RangeProof<EntryKey>) {
    let entries: Vec<Entry> = trees
        .entries(kind)
        .iter()
        .skip(start as usize)
        .take(len as usize)
        .copied()
        .collect();
    (
        entries.try_into().unwrap(),
        trees.prove_entries::<HostKeccak>(kind, start, len),
    )
}

/// The call of a walk with the page at `start`, without an agent's signature.
fn walk(walk: Walk, trees: &UsageTrees, start: u32, len: u32) -> Call<Test> {
    let (gateway, epoch) = of_gateway(trees);
    let kind = match walk {
        Walk::Settle | Walk::Refund => TreeKind::Customers,
        Walk::Credit => TreeKind::Caches,
    };
    let (entries, proof) = page(trees, kind, start, len);
    let agent_signature = None;
    match walk {
        Walk::Settle => Call::settle {
            gateway,
            epoch,
            entries,
            proof,
            agent_signature,
        },
        Walk::Credit => Call::credit {
            gateway,
            epoch,
            entries,
            proof,
            agent_signature,
        },
        Walk::Refund => Call::refund {
            gateway,
            epoch,
            entries,
            proof,
            agent_signature,
        },
    }
}

fn settle(trees: &UsageTrees, start: u32, len: u32) -> Call<Test> {
    walk(Walk::Settle, trees, start, len)
}

fn credit(trees: &UsageTrees, start: u32, len: u32) -> Call<Test> {
    walk(Walk::Credit, trees, start, len)
}

fn refund(trees: &UsageTrees, start: u32, len: u32) -> Call<Test> {
    walk(Walk::Refund, trees, start, len)
}

/// Dispatches a call of an account, as a block would: all or nothing.
fn send(who: u8, call: Call<Test>) -> Result<(), DispatchError> {
    dispatch(RuntimeOrigin::signed(account(who)), call)
}

fn dispatch(origin: RuntimeOrigin, call: Call<Test>) -> Result<(), DispatchError> {
    RuntimeCall::from(call)
        .dispatch(origin)
        .map(drop)
        .map_err(|error| error.error)
}

fn authorize(call: &Call<Test>) -> Result<(), TransactionValidityError> {
    call.authorize(TransactionSource::External)
        .expect("an authorized call")
        .map(drop)
}

fn sign(gateway: DeviceId, payload: &impl Encode) -> Signature64 {
    let message = Domain::Agent.message(&genesis_hash::<Test>(), payload);
    Signature64(agent(&gateway).sign(&message).0)
}

fn commit_call(commitment: UsageCommitment) -> Call<Test> {
    let agent_signature = sign(commitment.gateway, &commit_payload(&commitment));
    Call::commit_usage {
        commitment: commitment.into(),
        agent_signature,
    }
}

/// Commits as an agent would: authorized first, then dispatched.
fn commit(trees: &UsageTrees) -> UsageCommitment {
    let commitment = commitment(trees);
    let call = commit_call(commitment);
    assert_ok!(authorize(&call));
    assert_ok!(dispatch(RawOrigin::Authorized.into(), call));
    commitment
}

/// The usual use of `GATEWAY` in epoch 10, committed in time; the clock stands where settling may
/// begin.
fn committed() -> UsageTrees {
    network();
    let trees = usual(GATEWAY, 10);
    at(11, 1);
    commit(&trees);
    at(11, 2);
    trees
}

/// As [`committed`], and settled.
fn settled() -> UsageTrees {
    let trees = committed();
    assert_ok!(send(5, settle(&trees, 0, 64)));
    trees
}

/// As [`settled`], and credited.
fn credited() -> UsageTrees {
    let trees = settled();
    at(13, 0);
    assert_ok!(send(5, credit(&trees, 0, 64)));
    trees
}

fn status(trees: &UsageTrees) -> Status {
    let (gateway, epoch) = of_gateway(trees);
    Billing::commitment(&gateway, epoch).unwrap().status
}

fn books(trees: &UsageTrees) -> Books {
    let (gateway, epoch) = of_gateway(trees);
    Billing::commitment(&gateway, epoch).unwrap().books
}

fn void_reason(trees: &UsageTrees) -> Option<VoidReason> {
    let (gateway, epoch) = of_gateway(trees);
    Billing::commitment(&gateway, epoch).unwrap().void_reason
}

fn balance(who: u8) -> Planck {
    crate::Accounts::<Test>::get(account(who)).unwrap().balance
}

fn state(who: u8) -> AccountState {
    crate::Accounts::<Test>::get(account(who)).unwrap().state
}

fn events() -> Vec<Event<Test>> {
    System::events()
        .into_iter()
        .filter_map(|record| match record.event {
            RuntimeEvent::Billing(event) => Some(event),
            _ => None,
        })
        .collect()
}

fn last_event() -> Event<Test> {
    events().pop().unwrap()
}

fn none() -> RuntimeOrigin {
    RuntimeOrigin::none()
}

fn root() -> RuntimeOrigin {
    RuntimeOrigin::root()
}
