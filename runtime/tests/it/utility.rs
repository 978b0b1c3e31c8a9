//! What proxies may do.

use frame_support::traits::InstanceFilter;
use selvedge_primitives_types::{Role, StakeId};
use selvedge_runtime::{
    configs::utility::ProxyType, constants::currency::SEL, Runtime, RuntimeCall,
};
use sp_keyring::Sr25519Keyring;

const KINDS: [ProxyType; 7] = [
    ProxyType::Any,
    ProxyType::NonTransfer,
    ProxyType::Governance,
    ProxyType::IdentityJudgement,
    ProxyType::CancelProxy,
    ProxyType::Nodes,
    ProxyType::Customer,
];

/// One call of each sort that a proxy type could tell apart.
fn calls() -> Vec<RuntimeCall> {
    let dest = Sr25519Keyring::Bob.to_account_id();
    let transfer = pallet_balances::Call::transfer_keep_alive {
        dest: dest.clone().into(),
        value: SEL,
    };
    let express = pallet_edge_staking::Call::release_express { stake: StakeId(0) };
    let stake = pallet_edge_staking::Call::create_stake { role: Role::Cache };
    let unassign = pallet_edge_staking::Call::unassign { stake: StakeId(0) };
    let judgement = pallet_identity::Call::<Runtime>::cancel_request { reg_index: 0 };
    let spend = pallet_treasury::Call::check_status { index: 0 };
    vec![
        transfer.into(),
        express.into(),
        stake.into(),
        unassign.into(),
        judgement.into(),
        spend.into(),
        pallet_edge_reputation::Call::rejoin {
            device: Default::default(),
        }
        .into(),
        pallet_edge_billing::Call::deposit { amount: SEL }.into(),
        pallet_edge_billing::Call::claim {}.into(),
        pallet_edge_services::Call::pause {
            service: Default::default(),
        }
        .into(),
        pallet_conviction_voting::Call::remove_vote {
            class: None,
            index: 0,
        }
        .into(),
        pallet_utility::Call::batch { calls: vec![] }.into(),
        pallet_session::Call::purge_keys {}.into(),
    ]
}

#[test]
fn a_wider_proxy_may_do_all_that_a_narrower_one_may() {
    for wide in KINDS {
        for narrow in KINDS.into_iter().filter(|narrow| wide.is_superset(narrow)) {
            for call in calls().iter().filter(|call| narrow.filter(call)) {
                assert!(
                    wide.filter(call),
                    "{wide:?} covers {narrow:?}, but not {call:?}"
                );
            }
        }
    }
}

#[test]
fn only_the_widest_proxy_moves_tokens_to_others() {
    let moving = &calls()[..2];
    for kind in KINDS.into_iter().filter(|kind| *kind != ProxyType::Any) {
        for call in moving {
            assert!(!kind.filter(call), "{kind:?} allows {call:?}");
        }
    }
    assert!(moving.iter().all(|call| ProxyType::Any.filter(call)));
}

#[test]
fn operators_and_customers_have_proxies_of_their_own() {
    let may = |kind: ProxyType, call: RuntimeCall| kind.filter(&call);
    let unassign = || pallet_edge_staking::Call::unassign { stake: StakeId(0) };
    let deposit = || pallet_edge_billing::Call::deposit { amount: SEL };
    let rejoin = || pallet_edge_reputation::Call::rejoin {
        device: Default::default(),
    };
    assert!(may(ProxyType::Nodes, unassign().into()));
    assert!(may(ProxyType::Nodes, rejoin().into()));
    assert!(!may(ProxyType::Customer, rejoin().into()));
    assert!(!may(ProxyType::Nodes, deposit().into()));
    assert!(may(ProxyType::Customer, deposit().into()));
    assert!(!may(ProxyType::Customer, unassign().into()));
}
