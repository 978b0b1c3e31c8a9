//! One test per preset, and what every preset must keep.

use crate::chain::{config, genesis, run};
use frame_support::traits::{fungible::InspectHold, Get, IntegrityTest};
use pallet_edge_staking::HoldReason;
use pallet_edge_traits::{DeviceInspect, EpochClock, ServiceInspect, StakeInspect};
use selvedge_primitives_types::{DeviceId, Epoch, Millis, Role};
use selvedge_runtime::{
    configs::params::LeastAudited,
    constants::currency::{MICRO, SEL},
    presets, AccountId, AllPalletsWithSystem, Balances, Historical, NodeRegistry, NodeStaking,
    Runtime, Services, Session, UsageClock,
};
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};

/// What both presets promise, for these validators.
fn check(validators: &[(Sr25519Keyring, Ed25519Keyring)]) {
    let ids: Vec<AccountId> = validators
        .iter()
        .map(|(_, device)| device.to_account_id())
        .collect();
    let sorted = |mut ids: Vec<AccountId>| {
        ids.sort();
        ids
    };
    assert_eq!(sorted(Session::validators()), sorted(ids));
    assert_eq!(
        pallet_session::QueuedKeys::<Runtime>::get().len(),
        validators.len()
    );
    assert_eq!(
        pallet_babe::Authorities::<Runtime>::get().len(),
        validators.len()
    );
    assert_eq!(
        pallet_grandpa::Pallet::<Runtime>::grandpa_authorities().len(),
        validators.len()
    );
    for session in [0, 1] {
        let (_, count) = Historical::historical_root(session).expect("the root is known");
        assert_eq!(count as usize, validators.len());
    }
    let count = validators.len() as u32;
    assert_eq!(NodeStaking::active_count(Role::Validator, Epoch(0)), count);
    for (operator, device) in validators {
        let device = DeviceId(device.to_raw_public());
        let operator = operator.to_account_id();
        let info = NodeRegistry::device(&device).expect("it is registered");
        assert_eq!(
            (info.operator, info.role),
            (operator.clone(), Role::Validator)
        );
        assert_eq!(
            NodeStaking::owner_at(&device, Epoch(0)),
            Some(operator.clone())
        );
        let held = Balances::balance_on_hold(&HoldReason::Stake.into(), &operator);
        assert_eq!(held, 50_000 * SEL);
    }
    assert_eq!(UsageClock::length(), Millis(60_000));
    assert_eq!(UsageClock::epochs_per_era(), 4);
    assert_eq!(Services::prices(1), Some(presets::PRICES));
    assert!(pallet_edge_chain_params::AllowLocalNames::<Runtime>::get());
    // Half of what a request costs is worth a look.
    assert_eq!(2 * LeastAudited::get(), MICRO);
    assert_eq!(
        pallet_edge_yields::Pallet::<Runtime>::remaining(),
        10_000_000 * SEL
    );
    selvedge_runtime::check_invariants().expect("every invariant holds at genesis");
}

#[test]
fn development_is_one_validator_with_a_development_key() {
    genesis("development").execute_with(|| {
        check(&[(Sr25519Keyring::Alice, Ed25519Keyring::Alice)]);
        let key = pallet_sudo::Key::<Runtime>::get();
        assert_eq!(key, Some(Sr25519Keyring::Alice.to_account_id()));
    });
}

#[test]
fn local_testnet_is_four_validators_without_such_a_key() {
    genesis("local_testnet").execute_with(|| {
        check(&[
            (Sr25519Keyring::Alice, Ed25519Keyring::Alice),
            (Sr25519Keyring::Bob, Ed25519Keyring::Bob),
            (Sr25519Keyring::Charlie, Ed25519Keyring::Charlie),
            (Sr25519Keyring::Dave, Ed25519Keyring::Dave),
        ]);
        assert_eq!(pallet_sudo::Key::<Runtime>::get(), None);
    });
}

#[test]
fn only_the_development_preset_has_a_sudo_key() {
    for name in presets::names() {
        let name: &str = name.as_ref();
        let key = config(name)["sudo"]["key"].clone();
        assert_eq!(key.is_null(), name != "development", "{name}: {key}");
    }
}

#[test]
fn the_well_known_accounts_can_pay() {
    for name in presets::names() {
        genesis(name.as_ref()).execute_with(|| {
            for key in [Sr25519Keyring::Alice, Sr25519Keyring::Ferdie] {
                let free = Balances::free_balance(key.to_account_id());
                assert!(free >= 900_000 * SEL, "{key}: {free}");
            }
        });
    }
}

/// Four BABE epochs: the set neither changes nor begins anew, since nothing of it changed.
#[test]
fn validators_stay_over_sessions_without_a_new_finality_set() {
    run("local_testnet", |chain| {
        let validators = Session::validators();
        let set = pallet_grandpa::CurrentSetId::<Runtime>::get();
        chain.blocks(80);
        assert!(
            Session::current_index() >= 3,
            "{}",
            Session::current_index()
        );
        assert_eq!(Session::validators(), validators);
        assert_eq!(pallet_grandpa::CurrentSetId::<Runtime>::get(), set);
        let session = Session::current_index();
        assert!(
            Historical::historical_root(session).is_some(),
            "offences can be proven"
        );
    });
}

#[test]
fn the_relations_between_constants_hold() {
    genesis("development").execute_with(AllPalletsWithSystem::integrity_test);
}
