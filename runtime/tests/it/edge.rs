//! What the off-chain worker tells the daemons of its node.

use crate::chain::{genesis, run};
use codec::Encode;
use frame_support::assert_ok;
use pallet_edge_billing::Call as BillingCall;
use pallet_edge_driver::ConfigView;
use pallet_edge_services::Call as ServicesCall;
use pallet_edge_traits::StakeInspect;
use selvedge_primitives_types::{
    agent::ServiceState, DeviceId, Epoch, Millis, Role, Score, ServiceId,
};
use selvedge_runtime::{
    configs::driver::EdgeConfig, constants::currency::SEL, presets::PRICES, views, NodeStaking,
};
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};

const CUSTOMER: Sr25519Keyring = Sr25519Keyring::Ferdie;

fn create(host: &str) -> ServicesCall<selvedge_runtime::Runtime> {
    ServicesCall::create_service {
        hosts: vec![host.as_bytes().to_vec()],
        origin_url: b"http://127.0.0.1:8000".to_vec(),
        cap: SEL,
        price_version: 1,
    }
}

#[test]
fn nodes_are_those_with_an_active_stake() {
    genesis("local_testnet").execute_with(|| {
        let nodes = EdgeConfig::nodes();
        assert_eq!(nodes.len(), 4);
        for node in &nodes {
            assert_eq!((node.role, node.quality), (Role::Validator, Score::ONE));
            assert!(node.capacity >= 1 && !node.draining);
        }
        let ids: Vec<_> = nodes.iter().map(|node| node.device).collect();
        assert!(ids.is_sorted(), "equal state gives an equal answer");
        assert_eq!(nodes.encode(), EdgeConfig::nodes().encode());
    });
}

#[test]
fn the_clock_is_the_chains() {
    run("development", |chain| {
        chain.run_to(2, 1);
        let clock = EdgeConfig::clock();
        assert_eq!(clock.genesis, crate::chain::chain_hash());
        assert_eq!(
            (clock.epoch, clock.epoch_length),
            (Epoch(2), Millis(60_000))
        );
        assert!(clock.now >= clock.epoch_start);
        let view = views::clock();
        assert_eq!(
            (view.epoch, view.epoch_start),
            (clock.epoch, clock.epoch_start)
        );
    });
}

#[test]
fn a_service_follows_its_owners_account() {
    run("development", |chain| {
        // Without money there is no service.
        let refused = chain.send(CUSTOMER, create("one.localhost"));
        assert!(refused.is_err());
        assert_ok!(chain.send(CUSTOMER, BillingCall::deposit { amount: 50 * SEL }));
        assert_ok!(chain.send(CUSTOMER, create("one.localhost")));
        let device = DeviceId(Ed25519Keyring::Alice.to_raw_public());
        let services = EdgeConfig::services(&device, Epoch(0));
        assert_eq!(services.len(), 1);
        assert_eq!(services[0].hosts, [b"one.localhost".to_vec()]);
        assert_eq!(services[0].state, ServiceState::Active);
        assert_eq!(services[0].lease, 0, "a validator leases nothing");
        assert_eq!(NodeStaking::active_count(Role::Gateway, Epoch(0)), 0);

        assert_ok!(chain.send(
            CUSTOMER,
            ServicesCall::pause {
                service: ServiceId(0)
            }
        ));
        chain.run_to(1, 0);
        assert_eq!(
            EdgeConfig::services(&device, Epoch(1))[0].state,
            ServiceState::Paused
        );
        let view = views::services(crate::chain::account(CUSTOMER));
        assert!(view[0].paused && view[0].hosts[0].proven);
    });
}

#[test]
fn a_public_name_waits_for_its_proof() {
    run("development", |chain| {
        assert_ok!(chain.send(CUSTOMER, BillingCall::deposit { amount: 50 * SEL }));
        assert_ok!(chain.send(CUSTOMER, create("www.example.org")));
        let services = EdgeConfig::services(&DeviceId::default(), Epoch(0));
        assert_eq!(services[0].hosts, Vec::<Vec<u8>>::new());
    });
}

#[test]
fn prices_are_those_that_may_be_pinned() {
    genesis("development").execute_with(|| {
        let prices = EdgeConfig::prices();
        assert_eq!(prices.len(), 1);
        assert_eq!((prices[0].version, prices[0].prices), (1, PRICES));
    });
}

#[test]
fn devices_are_paged_in_order() {
    genesis("local_testnet").execute_with(|| {
        let all = views::devices(None, u32::MAX);
        assert_eq!(all.len(), 4);
        assert_eq!(views::devices(Some(all[1]), 1), [all[2]]);
        assert!(views::devices(Some(all[3]), 10).is_empty());
        assert!(views::node(DeviceId([9; 32])).is_none());
        assert!(views::account(crate::chain::account(CUSTOMER)).is_none());
    });
}
