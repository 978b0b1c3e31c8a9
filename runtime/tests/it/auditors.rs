//! Validators audit a gateway in real blocks: they pass it, fall short, or prove what is wrong, and what is due on chain
//! comes or costs the stake.

use crate::{
    chain::{account, chain_hash, hold_back, run, Chain, Device},
    economy::{status, Network, ACCEPTED, GATEWAY_OWNER},
};
use codec::Encode;
use frame_support::{assert_ok, traits::fungible::InspectHold};
use frame_system::offchain::CreateAuthorizedTransaction;
use pallet_edge_audits::{
    agent::{answer_payload, prove_payload, reveal_payload, seal, vote_payload},
    types::Stage,
    Call, HoldReason,
};
use pallet_edge_billing::types::{Status, VoidReason};
use pallet_edge_traits::{AuditDuties, EpochClock, HostKeccak, StakeInspect};
use selvedge_primitives_math::{
    draw::{find, Draw, Place, Sample},
    duty::{AuditDuty, AuditPhase},
    fraud::{find as find_fraud, OpenedEntry, OpenedLeaf},
    TreeKind, UsageTrees,
};
use selvedge_primitives_runtime_api::CommitmentStatus;
use selvedge_primitives_types::{
    AuditVerdict, DeviceId, Domain, Epoch, Hash, LeafBody, Planck, Role, Signature64, Verdict,
};
use selvedge_runtime::{
    constants::currency::SEL, Audits, Balances, Billing, NodeStaking, Runtime, RuntimeCall,
    UncheckedExtrinsic, UsageClock,
};
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};

/// Operators of the preset's validators.
pub const ALL: [Sr25519Keyring; 4] = [
    Sr25519Keyring::Alice,
    Sr25519Keyring::Bob,
    Sr25519Keyring::Charlie,
    Sr25519Keyring::Dave,
];
const CHALLENGER: Sr25519Keyring = Sr25519Keyring::Ferdie;
const EPOCH: Epoch = Epoch(1);
const SALT: Hash = [5; 32];
const STAKE: Planck = 25_000 * SEL;

/// The device that a validator's operator audits through.
pub fn device(key: Sr25519Keyring) -> DeviceId {
    let device = match key {
        Sr25519Keyring::Alice => Ed25519Keyring::Alice,
        Sr25519Keyring::Bob => Ed25519Keyring::Bob,
        Sr25519Keyring::Charlie => Ed25519Keyring::Charlie,
        _ => Ed25519Keyring::Dave,
    };
    DeviceId(device.to_raw_public())
}

/// The signature of a validator's agent, whose key is its operator's in the presets.
pub fn sign(key: Sr25519Keyring, payload: &impl Encode) -> Signature64 {
    Signature64(key.sign(&Domain::Agent.message(&chain_hash(), payload)).0)
}

fn general(call: Call<Runtime>) -> UncheckedExtrinsic {
    <Runtime as CreateAuthorizedTransaction<RuntimeCall>>::create_authorized_transaction(
        call.into(),
    )
}

/// A block takes an agent's call.
fn bring(chain: &mut Chain, call: Call<Runtime>) {
    let outcome = chain.block([general(call)]).remove(0);
    assert_ok!(outcome.expect("it is let in"));
}

fn duties(key: Sr25519Keyring) -> Vec<AuditDuty> {
    Audits::audits(&device(key))
}

/// Votes, and in the second half of the epoch reveals, that these auditors pass what the gateway committed.
pub fn pass(chain: &mut Chain, gateway: &Device, auditors: &[Sr25519Keyring]) {
    let mut voting = UsageClock::current();
    while !duties(auditors[0])
        .iter()
        .any(|duty| duty.phase == AuditPhase::Vote)
    {
        chain.block([]);
        voting = UsageClock::current();
        assert!(voting < Epoch(8), "nobody is asked to vote");
    }
    let verdicts = vec![AuditVerdict {
        gateway: gateway.id(),
        epoch: EPOCH,
        verdict: Verdict::Ok { held: [3; 32] },
    }];
    for key in auditors {
        let [duty] = &duties(*key)[..] else {
            panic!("one commitment is audited");
        };
        assert_eq!((duty.gateway, duty.phase), (gateway.id(), AuditPhase::Vote));
        let (auditor, seal) = (device(*key), seal(&verdicts, &SALT));
        let (window, round) = (duty.window, duty.round);
        let vote = Call::vote {
            auditor,
            window,
            round,
            seal,
            agent_signature: sign(*key, &vote_payload(auditor, window, round, seal)),
        };
        bring(chain, vote);
    }
    chain.run_to(voting.0, 2);
    for key in auditors {
        let duty = duties(*key).remove(0);
        assert_eq!(duty.phase, AuditPhase::Reveal);
        let (auditor, seal) = (device(*key), seal(&verdicts, &SALT));
        let (window, round) = (duty.window, duty.round);
        let reveal = Call::reveal {
            auditor,
            window,
            round,
            verdicts: verdicts.clone().try_into().expect("it is one"),
            salt: SALT,
            agent_signature: sign(*key, &reveal_payload(auditor, window, round, seal)),
        };
        bring(chain, reveal);
    }
}

fn committed(chain: &mut Chain, trees: impl Fn(&Network) -> UsageTrees) -> (Network, UsageTrees) {
    let network = Network::start(chain);
    let trees = trees(&network);
    chain.run_to(2, 0);
    network.commit(chain, &trees);
    (network, trees)
}

fn stage(network: &Network) -> Stage {
    let audit = pallet_edge_audits::Audits::<Runtime>::get(EPOCH, network.gateway.id());
    audit.expect("it is kept").stage
}

fn staked() -> Planck {
    let reason = pallet_edge_staking::HoldReason::Stake.into();
    Balances::balance_on_hold(&reason, &GATEWAY_OWNER.to_account_id())
}

/// The leaf that a draw means, opened.
pub fn opened(trees: &UsageTrees, draw: Draw) -> OpenedLeaf {
    let (entry, leaf) = find(trees, &draw).expect("the draw is of these trees");
    let tree = draw.tree;
    OpenedLeaf {
        entry: OpenedEntry {
            entry: trees.entries(tree)[entry],
            proof: trees.prove_entries::<HostKeccak>(tree, entry as u32, 1),
        },
        leaf: trees.leaves_of(tree, entry)[leaf],
        proof: trees.prove_leaves::<HostKeccak>(tree, entry, leaf as u32, 1),
    }
}

/// The gateway's agent shows a leaf.
fn show(chain: &mut Chain, network: &Network, trees: &UsageTrees, draw: Draw) {
    let (gateway, leaf) = (network.gateway.id(), opened(trees, draw));
    let payload = answer_payload(gateway, EPOCH, draw, &leaf);
    let message = Domain::Agent.message(&chain_hash(), &payload);
    let key = sp_core::sr25519::Public::from_raw(network.gateway.agent_key);
    let signature = sp_io::crypto::sr25519_sign(
        sp_core::crypto::KeyTypeId(selvedge_primitives_types::agent::AGENT_KEY_TYPE),
        &key,
        &message,
    );
    let answer = Call::answer {
        gateway,
        epoch: EPOCH,
        draw,
        leaf: leaf.into(),
        agent_signature: Signature64(signature.expect("its key is in the keystore").0),
    };
    bring(chain, answer);
}

#[test]
fn auditors_are_drawn_in_time_and_told_what_to_look_at() {
    run("local_testnet", |chain| {
        let (network, trees) = committed(chain, |network| network.trees(1, 1_000));
        // By the third quarter of the window's epoch at the latest.
        chain.run_to(2, 3);
        chain.blocks(2);
        for key in ALL {
            let [duty] = &duties(key)[..] else {
                panic!("all four are drawn");
            };
            assert_eq!(
                duty.commitment,
                trees.commitment(network.gateway.id(), EPOCH)
            );
            assert_eq!(duty.public_url, b"http://127.0.0.1:9001");
            assert_eq!(
                (duty.sample.clone(), duty.phase),
                (Sample::Whole, AuditPhase::Look)
            );
        }
        assert_eq!(Audits::audits(&network.gateway.id()), []);
    });
}

#[test]
fn three_of_four_auditors_accept_a_commitment() {
    run("local_testnet", |chain| {
        let (network, trees) = committed(chain, |network| network.trees(1, 1_000));
        pass(chain, &network.gateway, &ALL[..3]);
        chain.run_to(ACCEPTED, 0);
        chain.blocks(2);
        assert_eq!(stage(&network), Stage::Accepted { hold_backs: 1 });
        network.settle(chain, &trees);
        assert_eq!(status(&network, 1), Some(CommitmentStatus::HeldBack));
    });
}

#[test]
fn silent_auditors_cost_time_and_leaves_but_void_nothing() {
    run("local_testnet", |chain| {
        let (network, trees) = committed(chain, |network| network.trees(1, 1_000));
        chain.run_to(4, 0);
        chain.blocks(2);
        assert_eq!(stage(&network), Stage::Voting(1));
        pass(chain, &network.gateway, &ALL[..2]);
        chain.run_to(5, 0);
        chain.blocks(2);
        assert!(matches!(stage(&network), Stage::LeavesDue { .. }));
        while let Some(due) = Audits::leaves_due(&network.gateway.id()).first() {
            show(chain, &network, &trees, due.draw);
        }
        assert_eq!(
            UsageClock::current(),
            Epoch(5),
            "its leaves were shown within the epoch"
        );
        assert_eq!(stage(&network), Stage::Accepted { hold_backs: 2 });
        network.settle(chain, &trees);
        let record = Billing::commitment(&network.gateway.id(), EPOCH).expect("it is kept");
        let matures = Epoch(5 + 2 * hold_back());
        assert_eq!(
            record.status,
            Status::HeldBack {
                matures,
                checked: 0
            }
        );
        assert_eq!(staked(), STAKE);
    });
}

#[test]
fn leaves_that_are_withheld_cost_a_twentieth_and_the_place() {
    run("local_testnet", |chain| {
        let (network, _) = committed(chain, |network| network.trees(1, 1_000));
        chain.run_to(6, 0);
        chain.blocks(2);
        assert_eq!(stage(&network), Stage::Void);
        let record = Billing::commitment(&network.gateway.id(), EPOCH).expect("it is kept");
        assert_eq!(record.void_reason, Some(VoidReason::LeavesWithheld));
        assert_eq!(staked(), STAKE - STAKE / 20);
        let next = UsageClock::current().next();
        assert!(!NodeStaking::is_active(
            &network.gateway.id(),
            Role::Gateway,
            next
        ));
    });
}

#[test]
fn an_auditor_proves_a_defect_for_nothing() {
    run("local_testnet", |chain| {
        let inflated = |network: &Network| {
            network.trees_with(1, 1_000, |body: &mut LeafBody| {
                body.amount += Planck::from(body.slice.0 == 3);
            })
        };
        let (network, trees) = committed(chain, inflated);
        chain.run_to(3, 0);
        let (gateway, key) = (network.gateway.id(), ALL[0]);
        let commitment = trees.commitment(gateway, EPOCH);
        let known = Audits::known(EPOCH).expect("it is recent");
        let proof = find_fraud::<HostKeccak>(&trees, &commitment, &known).expect("all is shown");
        let proof = proof.expect("a leaf is inflated");
        let before = Balances::free_balance(key.to_account_id());
        let prove = Call::prove {
            auditor: device(key),
            gateway,
            epoch: EPOCH,
            agent_signature: sign(key, &prove_payload(device(key), gateway, EPOCH, &proof)),
            proof,
        };
        // Once votes are sealed, and for good when it turned out to be no canary.
        chain.run_to(3, 2);
        bring(chain, prove);
        assert_eq!(staked(), STAKE);
        chain.run_to(5, 0);
        chain.blocks(2);
        assert_eq!(status(&network, 1), Some(CommitmentStatus::Void));
        assert_eq!(staked(), STAKE - STAKE / 4);
        let reward = Balances::free_balance(key.to_account_id()) - before;
        assert_eq!(reward, STAKE / 4 / 20);
    });
}

#[test]
fn a_challenge_is_paid_by_whoever_was_wrong() {
    run("local_testnet", |chain| {
        let (network, trees) = committed(chain, |network| network.trees(1, 1_000));
        let draw = Draw {
            tree: TreeKind::Customers,
            at: Place::Index(4),
        };
        let challenge = || Call::challenge_leaf {
            gateway: network.gateway.id(),
            epoch: EPOCH,
            tree: draw.tree,
            at: draw.at,
        };
        let held = || {
            let who = CHALLENGER.to_account_id();
            Balances::balance_on_hold(&HoldReason::LeafChallenge.into(), &who)
        };
        assert_ok!(chain.send(CHALLENGER, challenge()));
        assert_eq!(held(), 5 * SEL);
        let operator = || Balances::free_balance(GATEWAY_OWNER.to_account_id());
        let before = operator();
        show(chain, &network, &trees, draw);
        assert_eq!((held(), operator() - before), (0, 5 * SEL));

        // The same again, and nobody answers.
        assert_ok!(chain.send(CHALLENGER, challenge()));
        let mine = Balances::free_balance(CHALLENGER.to_account_id());
        chain.run_to(4, 0);
        chain.blocks(2);
        assert_eq!(stage(&network), Stage::Void);
        let taken = STAKE / 20;
        assert_eq!(staked(), STAKE - taken);
        let got = Balances::free_balance(CHALLENGER.to_account_id()) - mine;
        assert_eq!((held(), got), (0, 5 * SEL + taken / 20));
    });
}

#[test]
fn the_fee_goes_to_those_who_passed_it() {
    run("local_testnet", |chain| {
        let (network, trees) = committed(chain, |network| network.trees(1, 1_000));
        pass(chain, &network.gateway, &[ALL[0], ALL[3], ALL[1]]);
        chain.run_to(ACCEPTED, 0);
        chain.blocks(2);
        network.settle(chain, &trees);
        network.credit(chain, &trees);
        chain.run_to(ACCEPTED + hold_back(), 0);
        network.credit(chain, &trees);
        let books = pallet_edge_billing::RunningTotals::<Runtime>::get().books;
        let earned = |key| selvedge_runtime::views::earnings(account(key)).usage_payable;
        // Alice and Dave run nothing else.
        assert_eq!(earned(ALL[0]), books.shares.auditors / 3);
        assert_eq!(earned(ALL[0]), earned(ALL[3]));
        assert_eq!(books.shares.total(), Some(books.charged));
    });
}
