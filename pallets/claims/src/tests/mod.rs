//! One file per call, one for what is forgotten, one for the invariants.

mod close_dispute;
mod dispute_line;
mod invariants;
mod redeem_voucher;
mod sweep;

use crate::{mock::*, types::*, Call, Debts, Disputes, Error, Event, Redemptions, ToBurn};
use frame_support::{assert_noop, assert_ok, traits::fungible::Inspect};
use pallet_edge_traits::{Fate, HeldLine, HostKeccak, StakeInspect};
use selvedge_primitives_math::{TreeKind, UsageTrees};
use selvedge_primitives_types::{
    Account, DeviceId, Domain, Epoch, Leaf, LeafBody, Planck, Ppm, ServiceId, Signature64,
    SignedVoucher, Slice, Voucher,
};
use sp_core::Pair;
use sp_runtime::{traits::Dispatchable, DispatchError};

const SERVICE: ServiceId = ServiceId(5);

/// What gateway 1 owes a cache by its voucher of this number.
fn voucher(cache: u8, seq: u64, amount: Planck) -> SignedVoucher {
    sign(Voucher {
        epoch: EPOCH,
        gateway: device(1),
        cache: device(cache),
        seq,
        amount,
        ..Default::default()
    })
}

fn sign(voucher: Voucher) -> SignedVoucher {
    let message = Domain::Voucher.message(&[7; 32], &voucher);
    SignedVoucher {
        voucher,
        signature: Signature64(pair(1).sign(&message).0),
    }
}

fn redeem(voucher: SignedVoucher, shown: Option<Shown>) -> Result<(), DispatchError> {
    let call = Call::redeem_voucher {
        voucher: voucher.into(),
        shown: shown.map(Into::into),
    };
    send(9, call)
}

/// The trees of a commitment that says how much each cache supplied.
fn trees(caches: &[(DeviceId, Planck)]) -> UsageTrees {
    let leaf = |(slice, (cache, amount)): (usize, &(DeviceId, Planck))| Leaf {
        body: LeafBody {
            gateway: device(1),
            epoch: EPOCH,
            customer: Account([4; 32]),
            service: SERVICE,
            cache: *cache,
            slice: Slice(slice as u16),
            amount: *amount,
            ..Default::default()
        },
        ..Default::default()
    };
    let leaves = caches.iter().enumerate().map(leaf).collect();
    UsageTrees::build::<HostKeccak>(leaves).unwrap()
}

/// The commitment was paid; the gateway earned so much with it, and has as much to claim.
fn paid(trees: &UsageTrees, gateway_share: Planck) {
    let fate = Fate::Paid {
        commitment: trees.commitment(device(1), EPOCH),
        gateway_share,
    };
    set_fate(device(1), EPOCH, fate);
    world(|world| world.earned.insert(account(11), gateway_share));
}

/// Entries of the tree by cache with their proof.
fn show(trees: &UsageTrees, start: usize, len: usize) -> Shown {
    let entries = trees.entries(TreeKind::Caches)[start..][..len].to_vec();
    Shown {
        entries: entries.try_into().unwrap(),
        proof: trees.prove_entries::<HostKeccak>(TreeKind::Caches, start as u32, len as u32),
    }
}

/// A line of account 4 in hold-back until epoch 20.
fn line(amount: Planck) {
    let key = (EPOCH, device(1), account(4), SERVICE);
    let line = HeldLine {
        amount,
        entry: 3,
        matures: Epoch(20),
    };
    world(|world| world.lines.insert(key, line));
}

fn dispute(who: u8, burn: Planck) -> Result<(), DispatchError> {
    let call = Call::dispute_line {
        gateway: device(1),
        epoch: EPOCH,
        service: SERVICE,
        burn,
    };
    send(who, call)
}

fn close() -> Result<(), DispatchError> {
    let call = Call::close_dispute {
        gateway: device(1),
        epoch: EPOCH,
        customer: account(4),
        service: SERVICE,
    };
    send(9, call)
}

fn send(who: u8, call: Call<Test>) -> Result<(), DispatchError> {
    dispatch(RuntimeOrigin::signed(account(who)), call)
}

fn dispatch(origin: RuntimeOrigin, call: Call<Test>) -> Result<(), DispatchError> {
    RuntimeCall::from(call)
        .dispatch(origin)
        .map(drop)
        .map_err(|error| error.error)
}

fn balance(who: u8) -> Planck {
    Balances::balance(&account(who))
}

fn held(who: u8) -> Planck {
    Balances::total_balance(&account(who)) - balance(who)
}

fn stake() -> Planck {
    pallet_edge_mocks::Network::stake_of(&device(1)).unwrap().1
}

fn last_event() -> Event<Test> {
    let events = System::events().into_iter();
    let mut ours = events.filter_map(|record| match record.event {
        RuntimeEvent::Claims(event) => Some(event),
        _ => None,
    });
    ours.next_back().unwrap()
}
