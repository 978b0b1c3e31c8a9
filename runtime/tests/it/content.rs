//! What a service keeps: as its owner reads it, and as every node is told of it.

use crate::chain::{account, run, Chain};
use codec::Encode;
use frame_support::{assert_ok, traits::Get};
use pallet_edge_billing::Call as BillingCall;
use pallet_edge_driver::ConfigView;
use pallet_edge_services::{Call, Config};
use selvedge_primitives_runtime_api::MoveView;
use selvedge_primitives_types::{
    agent::MAX_MESSAGE, Account, ContentConfig, ContentKind, ContentRef, DeviceId, Epoch, Hash,
    Pin, ServiceId,
};
use selvedge_runtime::{
    configs::driver::EdgeConfig, constants::currency::SEL, views, Runtime, System,
};
use sp_keyring::Sr25519Keyring;

const CUSTOMER: Sr25519Keyring = Sr25519Keyring::Ferdie;
const SERVICE: ServiceId = ServiceId(0);

fn content(n: u8, kind: ContentKind) -> ContentRef {
    ContentRef {
        root: [n; 32],
        length: 800,
        kind,
    }
}

fn pin(content: ContentRef) -> Pin {
    Pin {
        content,
        bytes: 1_000,
        factor: 3,
    }
}

fn send(chain: &mut Chain, call: Call<Runtime>) {
    assert_ok!(chain.send(CUSTOMER, call));
}

/// A service with two versions of a site and rules, pinned in epoch 0.
fn pinned(chain: &mut Chain) -> [ContentRef; 3] {
    assert_ok!(chain.send(CUSTOMER, BillingCall::deposit { amount: 50 * SEL }));
    let create = Call::create_service {
        hosts: vec![b"one.localhost".to_vec()],
        origin_url: b"http://127.0.0.1:8000".to_vec(),
        cap: SEL,
        price_version: 1,
    };
    send(chain, create);
    let all = [
        content(1, ContentKind::Directory),
        content(2, ContentKind::Directory),
        content(3, ContentKind::File),
    ];
    for content in all {
        let pin = pin(content);
        let service = SERVICE;
        send(chain, Call::pin { service, pin });
    }
    all
}

fn site(root: Option<Hash>) -> Call<Runtime> {
    let service = SERVICE;
    Call::set_site { service, root }
}

#[test]
fn every_node_is_told_at_once_what_is_pinned_and_in_use() {
    run("development", |chain| {
        let [old, new, rules] = pinned(chain);
        let told = || {
            EdgeConfig::services(&DeviceId::default(), Epoch(0))[0]
                .content
                .clone()
        };
        let mut expected = ContentConfig {
            pins: [old, new, rules].map(pin).to_vec(),
            ..Default::default()
        };
        assert_eq!(told(), expected);
        let root = Some(rules.root);
        let service = SERVICE;
        send(chain, site(Some(new.root)));
        send(chain, Call::set_rules { service, root });
        (expected.site, expected.rules) = (Some(new), Some(rules));
        assert_eq!(told(), expected);
        // Back to the version before, in one call.
        send(chain, site(Some(old.root)));
        assert_eq!(told().site, Some(old));
    });
}

#[test]
fn an_owner_reads_what_was_in_use_when_and_what_can_be_gone_back_to() {
    run("development", |chain| {
        let [old, new, _] = pinned(chain);
        send(chain, site(Some(old.root)));
        chain.run_to(1, 0);
        send(chain, site(Some(new.root)));
        let block = System::block_number();
        let root = old.root;
        let service = SERVICE;
        send(chain, Call::unpin { service, root });

        let view = views::content(SERVICE).expect("the service exists");
        assert_eq!(view.owner, account(CUSTOMER));
        assert_eq!((view.site, view.rules), (Some(new), None));
        assert_eq!((view.pins.len(), view.kept), (2, 6_000));
        assert_eq!((view.pins[0].pin, view.pins[0].deposit), (pin(new), SEL));
        assert_eq!(view.pins[0].epoch, Epoch(0));
        let moved = |version, root, epoch, pinned, block| MoveView {
            version,
            root: Some(root),
            epoch: Epoch(epoch),
            block,
            pinned,
        };
        assert_eq!(view.site_moves[0], moved(2, new.root, 1, true, block));
        let first = view.site_moves[1].block;
        assert!(first < block);
        assert_eq!(view.site_moves[1], moved(1, old.root, 0, false, first));
        assert!(view.rules_moves.is_empty());
        assert!(views::content(ServiceId(1)).is_none());
    });
}

#[test]
fn deposits_come_back_and_nothing_else_of_the_account_moves() {
    run("development", |chain| {
        let [old, ..] = pinned(chain);
        let held = || {
            use frame_support::traits::fungible::InspectHold;
            let Account(owner) = account(CUSTOMER);
            let reason = pallet_edge_services::HoldReason::Deposit.into();
            selvedge_runtime::Balances::balance_on_hold(&reason, &owner.into())
        };
        let before = held();
        let (service, root) = (SERVICE, old.root);
        send(chain, Call::unpin { service, root });
        assert_eq!(before - held(), SEL);
    });
}

/// The arithmetic of `MaxPins`.
#[test]
fn what_every_node_is_told_holds_all_pins_beside_ten_thousand_services() {
    let pins = <<Runtime as Config>::MaxPins as Get<u32>>::get() as usize;
    let one = pin(content(1, ContentKind::File)).encoded_size();
    assert_eq!(one, 50);
    let services = 10_000 * 300;
    assert!(pins * one + services < MAX_MESSAGE);
}
