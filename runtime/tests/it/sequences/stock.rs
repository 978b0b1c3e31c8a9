//! What strangers can do with the SDK's pallets: batches, proxies, multisig accounts, identities,
//! preimages, referenda, votes.

use super::{
    acts::{choose_signed, signs, Kind},
    cast::Signer,
    money::{account, amount, anybody},
    plan::Dice,
    world::World,
};
use codec::Encode;
use frame_support::{
    dispatch::GetDispatchInfo,
    traits::{schedule::DispatchTime, Bounded},
};
use pallet_conviction_voting::{AccountVote, Conviction, Vote};
use pallet_edge_governance::Origin;
use selvedge_runtime::{
    configs::utility::ProxyType, AccountId, OriginCaller, Runtime, RuntimeCall,
};
use sp_runtime::MultiAddress;

/// Acts that carry other calls.
pub const WRAPPERS: [&str; 4] = [
    "batch",
    "act as a derivative",
    "act by proxy",
    "act together",
];

pub const ACTS: &[Kind] = &[
    signs(WRAPPERS[0], 4, batch),
    signs(WRAPPERS[1], 1, as_derivative),
    signs(WRAPPERS[2], 3, proxy),
    signs(WRAPPERS[3], 2, multisig),
    signs("add a proxy", 2, add_proxy),
    signs("remove proxies", 1, remove_proxies),
    signs("set an identity", 1, set_identity),
    signs("clear an identity", 1, clear_identity),
    signs("note a preimage", 1, note_preimage),
    signs("unnote a preimage", 1, unnote_preimage),
    signs("submit a referendum", 1, submit),
    signs("place a decision deposit", 1, place_deposit),
    signs("refund a deposit", 1, refund_deposit),
    signs("vote", 3, vote),
    signs("remove a vote", 1, remove_vote),
    signs("unlock votes", 1, unlock),
    signs("have the treasury pay", 2, payout),
    signs("enter the safe mode", 1, enter_safe_mode),
    signs("be sudo", 1, sudo),
];

fn id(account: AccountId) -> MultiAddress<AccountId, ()> {
    MultiAddress::Id(account)
}

/// Up to three calls, each of whoever would sign it: most of them are not the signer's.
fn batch(world: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let mut calls = Vec::new();
    let mut signer = anybody(dice);
    for _ in 0..1 + dice.below(3) {
        let (who, call) = choose_signed(dice, world.areas)(world, dice);
        calls.push(call);
        signer = who;
    }
    let call = match dice.below(3) {
        0 => pallet_utility::Call::batch { calls },
        1 => pallet_utility::Call::batch_all { calls },
        _ => pallet_utility::Call::force_batch { calls },
    };
    (signer, call.into())
}

fn as_derivative(world: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let (signer, call) = choose_signed(dice, world.areas)(world, dice);
    let call = pallet_utility::Call::as_derivative {
        index: 1,
        call: Box::new(call),
    };
    (signer, call.into())
}

/// A proxy does what its principal would do, if it has one.
fn proxy(world: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let (principal, call) = choose_signed(dice, world.areas)(world, dice);
    let (proxies, _) = pallet_proxy::Proxies::<Runtime>::get(principal.account());
    let known = proxies.iter().find_map(|proxy| Signer::of(&proxy.delegate));
    let call = pallet_proxy::Call::proxy {
        real: id(principal.account()),
        force_proxy_type: None,
        call: Box::new(call),
    };
    (known.unwrap_or_else(|| anybody(dice)), call.into())
}

fn multisig(world: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let (signer, call) = choose_signed(dice, world.areas)(world, dice);
    let call = Box::new(call);
    let mut other_signatories = vec![account(dice), account(dice)];
    other_signatories.sort();
    let call = if dice.one_in(2) {
        pallet_multisig::Call::as_multi_threshold_1 {
            other_signatories,
            call,
        }
    } else {
        let max_weight = call.get_dispatch_info().total_weight();
        pallet_multisig::Call::as_multi {
            threshold: 2,
            other_signatories,
            maybe_timepoint: None,
            call,
            max_weight,
        }
    };
    (signer, call.into())
}

fn add_proxy(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let kinds = [
        ProxyType::Any,
        ProxyType::NonTransfer,
        ProxyType::Governance,
        ProxyType::Nodes,
        ProxyType::Customer,
    ];
    let call = pallet_proxy::Call::add_proxy {
        delegate: id(anybody(dice).account()),
        proxy_type: *dice.of_all(&kinds),
        delay: 0,
    };
    (anybody(dice), call.into())
}

fn remove_proxies(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    (anybody(dice), pallet_proxy::Call::remove_proxies {}.into())
}

fn set_identity(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let info = Box::default();
    (
        anybody(dice),
        pallet_identity::Call::set_identity { info }.into(),
    )
}

fn clear_identity(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    (
        anybody(dice),
        pallet_identity::Call::clear_identity {}.into(),
    )
}

fn preimage(dice: &mut Dice) -> Vec<u8> {
    vec![dice.below(3) as u8; 40]
}

fn note_preimage(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let bytes = preimage(dice);
    let call = pallet_preimage::Call::note_preimage { bytes };
    (anybody(dice), call.into())
}

fn unnote_preimage(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let hash = sp_io::hashing::blake2_256(&preimage(dice)).into();
    let call = pallet_preimage::Call::unnote_preimage { hash };
    (anybody(dice), call.into())
}

fn submit(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let origins = [
        OriginCaller::system(frame_system::RawOrigin::Root),
        Origin::Parameters.into(),
        Origin::Brake.into(),
        Origin::RangeChecked.into(),
    ];
    let remark = RuntimeCall::from(frame_system::Call::remark { remark: vec![] });
    let call = pallet_referenda::Call::submit {
        proposal_origin: Box::new(dice.of_all(&origins).clone()),
        proposal: Bounded::Inline(remark.encode().try_into().expect("it is short")),
        enactment_moment: DispatchTime::After(1),
    };
    (anybody(dice), call.into())
}

fn place_deposit(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let index = dice.below(3) as u32;
    let call = pallet_referenda::Call::place_decision_deposit { index };
    (anybody(dice), call.into())
}

fn refund_deposit(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let index = dice.below(3) as u32;
    let call = if dice.one_in(2) {
        pallet_referenda::Call::refund_decision_deposit { index }
    } else {
        pallet_referenda::Call::refund_submission_deposit { index }
    };
    (anybody(dice), call.into())
}

/// Staked and prepaid tokens vote too, so that a vote's lock spans what is on hold.
fn vote(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let signer = anybody(dice);
    let data = frame_system::Account::<Runtime>::get(signer.account()).data;
    let balance = amount(dice, data.free + data.reserved);
    let vote = Vote {
        aye: dice.one_in(2),
        conviction: *dice.of_all(&[Conviction::None, Conviction::Locked1x, Conviction::Locked6x]),
    };
    let call = pallet_conviction_voting::Call::vote {
        poll_index: dice.below(3) as u32,
        vote: AccountVote::Standard { vote, balance },
    };
    (signer, call.into())
}

fn remove_vote(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let call = pallet_conviction_voting::Call::remove_vote {
        class: None,
        index: dice.below(3) as u32,
    };
    (anybody(dice), call.into())
}

fn unlock(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let call = pallet_conviction_voting::Call::unlock {
        class: dice.below(6) as u16,
        target: id(anybody(dice).account()),
    };
    (anybody(dice), call.into())
}

fn payout(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let index = dice.below(3) as u32;
    let call = pallet_treasury::Call::payout { index };
    (anybody(dice), call.into())
}

fn enter_safe_mode(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    (anybody(dice), pallet_safe_mode::Call::enter {}.into())
}

fn sudo(world: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let (signer, call) = choose_signed(dice, world.areas)(world, dice);
    let call = Box::new(call);
    (signer, pallet_sudo::Call::sudo { call }.into())
}
