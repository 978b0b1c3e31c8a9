//! Fraud on the real runtime: whoever commits it is found, proven and loses; nobody else does.

use crate::{
    chain::{account, hold_back, run, Chain},
    economy::{page, prepaid, status, Network, ACCEPTED, CUSTOMER, GATEWAY_OWNER},
};
use frame_support::{assert_ok, traits::fungible::InspectHold};
use pallet_edge_audits::{Call, Error, Event};
use pallet_edge_billing::{
    types::{Status, VoidReason},
    Call as BillingCall,
};
use pallet_edge_staking::HoldReason;
use pallet_edge_traits::{EpochClock, Forfeit, HostKeccak, StakeInspect};
use selvedge_primitives_math::{
    fraud::{find, Defect, FraudProof, OpenedEntry, OpenedLeaf},
    TreeKind, UsageTrees,
};
use selvedge_primitives_runtime_api::CommitmentStatus;
use selvedge_primitives_types::{DeviceId, Epoch, LeafBody, Planck, Ppm, Role, ServiceId};
use selvedge_runtime::{
    configs::params::{dynamic_params::audits, RuntimeParameters},
    constants::currency::SEL,
    presets::PRICES,
    views, AccountId, Audits, Balances, Billing, EdgeGovernance, NodeStaking, Runtime,
    RuntimeEvent, System, UsageClock,
};
use sp_keyring::Sr25519Keyring;
use sp_runtime::DispatchError;

const REPORTER: Sr25519Keyring = Sr25519Keyring::Dave;
const EPOCH: Epoch = Epoch(1);
const STAKE: Planck = 25_000 * SEL;

/// Every leaf costs a planck more than it should in slice 3, and says so to its cache.
fn inflated(network: &Network) -> UsageTrees {
    network.trees_with(1, 1_000, |body: &mut LeafBody| {
        body.amount += Planck::from(body.slice.0 == 3);
    })
}

fn found(network: &Network, trees: &UsageTrees) -> Option<Box<FraudProof>> {
    let commitment = trees.commitment(network.gateway.id(), EPOCH);
    let known = Audits::known(EPOCH).expect("it is recent");
    find::<HostKeccak>(trees, &commitment, &known).expect("all is shown")
}

fn report(network: &Network, proof: Box<FraudProof>) -> Call<Runtime> {
    Call::report_fraud {
        gateway: network.gateway.id(),
        epoch: EPOCH,
        proof,
    }
}

fn staked() -> Planck {
    Balances::balance_on_hold(&HoldReason::Stake.into(), &GATEWAY_OWNER.to_account_id())
}

fn free(key: Sr25519Keyring) -> Planck {
    Balances::free_balance(key.to_account_id())
}

/// What was proven in the block before, if anything was.
fn proven() -> Option<Event<Runtime>> {
    System::read_events_no_consensus().find_map(|record| match record.event {
        RuntimeEvent::Audits(event) => Some(event),
        _ => None,
    })
}

/// A gateway that served in epoch 1 and committed to these trees in 2, which auditors passed without
/// looking, and the clock where settling may begin.
fn committed(chain: &mut Chain, trees: impl Fn(&Network) -> UsageTrees) -> (Network, UsageTrees) {
    let network = Network::start(chain);
    let trees = trees(&network);
    chain.run_to(2, 0);
    network.commit(chain, &trees);
    network.pass(chain);
    (network, trees)
}

#[test]
fn an_inflated_leaf_costs_the_claim_and_a_quarter_of_the_stake() {
    run("local_testnet", |chain| {
        let (network, trees) = committed(chain, inflated);
        let before = prepaid();
        network.settle(chain, &trees);
        network.credit(chain, &trees);
        assert_eq!(status(&network, 1), Some(CommitmentStatus::HeldBack));
        assert!(prepaid() < before);

        // A planck too much in twelve leaves is within what an entry may be off by rounding: settling
        // could not see it.
        let proof = found(&network, &trees).expect("a leaf is inflated");
        let (held, mine) = (staked(), free(REPORTER));
        assert_eq!(held, STAKE);
        assert_ok!(chain.send(REPORTER, report(&network, proof.clone())));
        let taken = STAKE / 4;
        // A twentieth of 6,250 SEL, which is below the cap of 500.
        let reward = taken / 20;
        let expected = Event::FraudProven {
            gateway: network.gateway.id(),
            epoch: EPOCH,
            defect: Defect::WrongPrice,
            forfeit: Forfeit::Voided,
            reporter: AccountId::from(account(REPORTER).0),
            taken,
            reward,
        };
        assert_eq!(proven(), Some(expected));
        assert_eq!(staked(), held - taken);
        assert_eq!(
            free(REPORTER),
            mine + reward,
            "who proves a defect pays no fee"
        );
        let record = Billing::commitment(&network.gateway.id(), EPOCH).expect("it is kept");
        assert_eq!(record.status, Status::Refunding(0));
        assert_eq!(
            record.void_reason,
            Some(VoidReason::Fraud(Defect::WrongPrice))
        );
        // What is left is below a gateway's stake.
        assert_eq!(
            NodeStaking::active_count(Role::Gateway, UsageClock::current().next()),
            0
        );

        // The customer gets all of it back, at the gateway's own or anybody's hand.
        let (entries, proof_of_page) = page(&trees, TreeKind::Customers);
        let refund = BillingCall::refund {
            gateway: network.gateway.id(),
            epoch: EPOCH,
            entries: entries.try_into().expect("they fit one page"),
            proof: proof_of_page,
            agent_signature: None,
        };
        assert_ok!(chain.send(REPORTER, refund));
        assert_eq!(prepaid(), before);
        assert_eq!(status(&network, 1), Some(CommitmentStatus::Void));

        // Once is enough.
        let again = chain.send(REPORTER, report(&network, proof));
        assert_eq!(again, Err(Error::<Runtime>::AlreadyReported.into()));
        assert_eq!(staked(), held - taken);
    });
}

#[test]
fn a_forged_signature_costs_the_whole_stake() {
    run("local_testnet", |chain| {
        let forged = |network: &Network| {
            let mut leaves = network.trees(1, 1_000).leaves().to_vec();
            leaves[4].cache_signature.0[7] ^= 1;
            UsageTrees::build::<HostKeccak>(leaves).expect("distinct leaves")
        };
        let (network, trees) = committed(chain, forged);
        let proof = found(&network, &trees).expect("a signature is forged");
        assert_ok!(chain.send(REPORTER, report(&network, proof)));
        assert_eq!(staked(), 0);
        // Nothing was charged, so nothing has to go back.
        assert_eq!(status(&network, 1), Some(CommitmentStatus::Void));
    });
}

#[test]
fn what_was_paid_stays_paid_and_the_stake_answers() {
    run("local_testnet", |chain| {
        let (network, trees) = committed(chain, inflated);
        network.settle(chain, &trees);
        network.credit(chain, &trees);
        chain.run_to(ACCEPTED + hold_back(), 0);
        network.credit(chain, &trees);
        assert_eq!(status(&network, 1), Some(CommitmentStatus::Credited));
        let paid = prepaid();
        let proof = found(&network, &trees).expect("a leaf is inflated");
        assert_ok!(chain.send(REPORTER, report(&network, proof)));
        assert!(matches!(
            proven(),
            Some(Event::FraudProven { forfeit: Forfeit::AlreadyPaid, taken, .. }) if taken == STAKE / 4
        ));
        assert_eq!(status(&network, 1), Some(CommitmentStatus::Credited));
        assert_eq!(prepaid(), paid);
    });
}

#[test]
fn an_honest_gateway_cannot_be_reported() {
    run("local_testnet", |chain| {
        let (network, trees) = committed(chain, |network| network.trees(1, 1_000));
        assert_eq!(found(&network, &trees), None);
        // The truth about it is no fraud, and what is true of other leaves is not committed.
        let (mut refused, lies) = (0, inflated(&network));
        for (shown, error) in [
            (&trees, DispatchError::from(Error::<Runtime>::NothingWrong)),
            (&lies, DispatchError::from(Error::<Runtime>::ProofInvalid)),
        ] {
            for proof in openings(shown) {
                let before = free(REPORTER);
                let outcome = chain.send(REPORTER, report(&network, proof.into()));
                assert_eq!(outcome, Err(error));
                assert!(free(REPORTER) < before, "it costs its fee");
                refused += 1;
            }
        }
        assert_eq!(refused, 2 * (12 + 1));
        assert_eq!((staked(), proven()), (STAKE, None));
        network.settle(chain, &trees);
        assert_eq!(status(&network, 1), Some(CommitmentStatus::HeldBack));
    });
}

/// Every leaf of the tree by customer, and its only entry.
fn openings(trees: &UsageTrees) -> Vec<FraudProof> {
    let tree = TreeKind::Customers;
    let entry = OpenedEntry {
        entry: trees.entries(tree)[0],
        proof: trees.prove_entries::<HostKeccak>(tree, 0, 1),
    };
    let leaves = trees.leaves_of(tree, 0);
    let leaf = |index: usize| FraudProof::Leaf {
        tree,
        leaf: OpenedLeaf {
            entry: entry.clone(),
            leaf: leaves[index],
            proof: trees.prove_leaves::<HostKeccak>(tree, 0, index as u32, 1),
        },
    };
    let mut all: Vec<_> = (0..leaves.len()).map(leaf).collect();
    all.push(FraudProof::Entry { tree, entry });
    all
}

#[test]
fn a_referendum_sets_what_a_class_costs_within_its_range() {
    run("local_testnet", |chain| {
        let set = |name: audits::Parameters| {
            let origin = pallet_edge_governance::Origin::Parameters;
            EdgeGovernance::set_parameter(origin.into(), RuntimeParameters::Audits(name))
        };
        let leaf =
            |percent| audits::Parameters::LeafSlash(audits::LeafSlash, Some(Ppm::percent(percent)));
        let forgery = |percent| {
            audits::Parameters::ForgerySlash(audits::ForgerySlash, Some(Ppm::percent(percent)))
        };
        assert!(set(leaf(4)).is_err(), "below its range");
        assert!(set(leaf(101)).is_err(), "above its range");
        assert!(
            set(forgery(20)).is_err(),
            "below what a lighter class costs"
        );
        assert_ok!(set(leaf(40)));
        let (network, trees) = committed(chain, inflated);
        let proof = found(&network, &trees).expect("a leaf is inflated");
        assert_ok!(chain.send(REPORTER, report(&network, proof)));
        assert_eq!(staked(), STAKE - STAKE / 10 * 4);
    });
}

#[test]
fn an_auditor_reads_the_terms_and_what_was_proven() {
    run("local_testnet", |chain| {
        let (network, trees) = committed(chain, inflated);
        let gateway = network.gateway.id();
        let cache = trees.leaves()[0].body.cache;
        let services = vec![ServiceId(0), ServiceId(9)];
        let caches = vec![cache, gateway, DeviceId([9; 32])];
        let known = views::audit_terms(EPOCH, services, caches).expect("it is recent");
        assert_eq!(known.caches, [true, false, false]);
        let terms = known.services[0].expect("it is the customer's");
        assert_eq!((terms.owner, terms.lease), (account(CUSTOMER), 10 * SEL));
        assert_eq!((terms.price_version, terms.prices), (1, Some(PRICES)));
        assert_eq!(known.services[1], None);

        assert_eq!(views::fraud(gateway, EPOCH), None);
        let proof = found(&network, &trees).expect("a leaf is inflated");
        assert_ok!(chain.send(REPORTER, report(&network, proof)));
        let fraud = views::fraud(gateway, EPOCH).expect("it was proven");
        assert_eq!((fraud.defect, fraud.taken), (Defect::WrongPrice, STAKE / 4));
        assert_eq!(fraud.reporter, account(REPORTER));
    });
}
