//! Auditors on the real runtime: what their off-chain workers find is voted, revealed and decides,
//! and what they prove costs the gateway.

use crate::{
    chain::{genesis, run_from, Chain},
    economy::{status, Network},
};
use codec::Encode;
use frame_support::traits::Hooks;
use pallet_edge_audits::Event;
use parking_lot::RwLock;
use selvedge_primitives_math::UsageTrees;
use selvedge_primitives_runtime_api::CommitmentStatus;
use selvedge_primitives_types::{agent::AGENT_KEY_TYPE, Epoch, Planck};
use selvedge_runtime::{AccountId, EdgeDriver, RuntimeEvent, System};
use sp_core::{
    crypto::KeyTypeId,
    offchain::{
        testing::{OffchainState, PendingRequest, TestOffchainExt},
        OffchainDbExt, OffchainWorkerExt,
    },
};
use sp_keyring::Sr25519Keyring;
use std::sync::Arc;

const AUDITORS: [Sr25519Keyring; 4] = [
    Sr25519Keyring::Alice,
    Sr25519Keyring::Bob,
    Sr25519Keyring::Charlie,
    Sr25519Keyring::Dave,
];

/// A network that has committed its use of epoch 1 to these trees, one node of which holds the agent
/// keys of all validators; at the begin of the epoch in which they vote.
fn audited(
    trees: impl Fn(&Network) -> UsageTrees,
    test: impl FnOnce(&mut Chain, &Network, &UsageTrees, &Arc<RwLock<OffchainState>>),
) {
    let mut ext = genesis("local_testnet");
    let (offchain, state) = TestOffchainExt::new();
    ext.register_extension(OffchainWorkerExt::new(offchain.clone()));
    ext.register_extension(OffchainDbExt::new(offchain));
    run_from(ext, |chain| {
        for auditor in AUDITORS {
            let secret = auditor.to_seed().into_bytes();
            let key = sp_io::crypto::sr25519_generate(KeyTypeId(AGENT_KEY_TYPE), Some(secret));
            assert_eq!(key.0, auditor.to_raw_public());
        }
        let network = Network::start(chain);
        let trees = trees(&network);
        chain.run_to(2, 0);
        network.commit(chain, &trees);
        chain.run_to(3, 0);
        test(chain, &network, &trees, &state);
        selvedge_runtime::check_invariants().expect("every invariant holds at the end");
    });
}

/// Has every auditor ask the gateway for its leaves, which shows these.
fn expect(trees: &UsageTrees, state: &RwLock<OffchainState>) {
    for _ in AUDITORS {
        let count = trees.leaves().len();
        state.write().expect_request(PendingRequest {
            method: "GET".into(),
            uri: format!("http://127.0.0.1:9001/audit/v1/1/leaves?limit={count}"),
            headers: vec![("accept".into(), "application/octet-stream".into())],
            sent: true,
            response: Some(trees.leaves().encode()),
            ..Default::default()
        });
    }
}

fn work() {
    EdgeDriver::offchain_worker(System::block_number());
}

/// What audits told in the last block.
fn told() -> Vec<Event<selvedge_runtime::Runtime>> {
    System::read_events_no_consensus()
        .filter_map(|record| match record.event {
            RuntimeEvent::Audits(event) => Some(event),
            _ => None,
        })
        .collect()
}

#[test]
fn workers_pass_an_honest_commitment_and_it_is_charged() {
    let honest = |network: &Network| network.trees(1, 1_000);
    audited(honest, |chain, network, trees, state| {
        expect(trees, state);
        work();
        chain.apply_submitted();
        let votes = told();
        assert_eq!(votes.len(), 4, "{votes:?}");
        assert!(votes.iter().all(|one| matches!(one, Event::Voted { .. })));
        // Nothing is said twice, and nothing asked again.
        work();
        assert_eq!(chain.submitted(), []);

        chain.run_to(3, 2);
        work();
        chain.apply_submitted();
        let passed = |one: &Event<_>| matches!(one, Event::Revealed { passed: 1, .. });
        let reveals = told();
        assert_eq!(
            reveals.iter().filter(|one| passed(one)).count(),
            4,
            "{reveals:?}"
        );
        chain.run_to(4, 0);
        chain.blocks(2);
        network.settle(chain, trees);
        network.credit(chain, trees);
        assert_eq!(status(network, 1), Some(CommitmentStatus::HeldBack));
    });
}

#[test]
fn a_worker_proves_a_lie_and_its_operator_is_rewarded() {
    let inflated = |network: &Network| {
        network.trees_with(1, 1_000, |body| {
            body.amount += Planck::from(body.slice.0 == 3);
        })
    };
    audited(inflated, |chain, network, trees, state| {
        expect(trees, state);
        work();
        chain.apply_submitted();
        chain.run_to(3, 2);
        work();
        let said = chain.submitted();
        assert_eq!(said.len(), 8, "a proof and a reveal of each");
        assert_eq!(chain.block([said[0].clone()]), [Ok(Ok(()))]);
        assert!(matches!(&told()[..], [Event::DefectShown { .. }]));
        // It turned out to be no canary.
        chain.run_to(5, 0);
        let mut told = told();
        while told.is_empty() {
            chain.block([]);
            told = self::told();
        }
        let [Event::FraudProven {
            gateway,
            epoch,
            reporter,
            reward,
            ..
        }] = &told[..]
        else {
            panic!("{told:?}");
        };
        assert_eq!((*gateway, *epoch), (network.gateway.id(), Epoch(1)));
        let operators = AUDITORS.map(|auditor| auditor.to_account_id());
        assert!(operators.contains(reporter as &AccountId) && *reward > 0);
        let status = status(network, 1);
        assert!(matches!(
            status,
            Some(CommitmentStatus::Refunding(_) | CommitmentStatus::Void)
        ));
    });
}
