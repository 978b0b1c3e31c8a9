use super::*;
use crate::{deep, types::Fraud};
use codec::Encode;
use frame_support::{
    assert_noop,
    dispatch::{GetDispatchInfo, Pays, PostDispatchInfo},
};
use pallet_edge_mocks::Network;
use pallet_edge_traits::Forfeit;
use selvedge_primitives_math::fraud::{find, Context, Defect, DefectClass};
use sp_runtime::{traits::Dispatchable, DispatchErrorWithPostInfo, DispatchResultWithInfo};

type Outcome = DispatchResultWithInfo<PostDispatchInfo>;

fn send(proof: FraudProof) -> Outcome {
    RuntimeCall::from(call(proof)).dispatch(RuntimeOrigin::signed(account(5)))
}

/// The error of a refusal, which costs its fee.
fn refusal(outcome: Outcome) -> sp_runtime::DispatchError {
    let DispatchErrorWithPostInfo { post_info, error } = outcome.expect_err("it is refused");
    assert_eq!(post_info.pays_fee, Pays::Yes);
    error
}

fn refused(proof: FraudProof, with: Error<Test>) {
    let before = (stake(), money(GATEWAY, EPOCH));
    assert_eq!(refusal(send(proof)), with.into());
    assert_eq!((stake(), money(GATEWAY, EPOCH)), before);
}

/// Proves a defect, which costs no fee.
fn proven(proof: FraudProof) -> Fraud<sp_runtime::AccountId32> {
    let info = send(proof).expect("it is proven");
    assert_eq!(info.pays_fee, Pays::No);
    Frauds::<Test>::get(EPOCH, GATEWAY).expect("it is kept")
}

#[test]
fn voids_the_commitment_slashes_the_stake_and_rewards_the_reporter() {
    run(|| {
        let trees = commit_to(inflated());
        let fraud = proven(proof_of_inflation(&trees));
        let expected = Fraud {
            defect: Defect::WrongPrice,
            forfeit: Forfeit::Voided,
            reporter: account(5),
            taken: 5_000,
            reward: 500,
        };
        assert_eq!(fraud, expected);
        assert_eq!(
            (stake(), money(GATEWAY, EPOCH)),
            (20_000, Some(Money::Void))
        );
        System::assert_last_event(
            Event::<Test>::FraudProven {
                gateway: GATEWAY,
                epoch: EPOCH,
                defect: Defect::WrongPrice,
                forfeit: Forfeit::Voided,
                reporter: account(5),
                taken: 5_000,
                reward: 500,
            }
            .into(),
        );
    });
}

#[test]
fn refuses_other_origins() {
    run(|| {
        let trees = commit_to(inflated());
        for origin in [RuntimeOrigin::none(), RuntimeOrigin::root()] {
            let call = RuntimeCall::from(call(proof_of_inflation(&trees)));
            assert_noop!(
                call.dispatch(origin).map_err(|refused| refused.error),
                sp_runtime::DispatchError::BadOrigin
            );
        }
    });
}

#[test]
fn refuses_an_unknown_commitment_without_a_look_at_the_proof() {
    run(|| {
        let trees = UsageTrees::build::<HostKeccak>(inflated()).unwrap();
        refused(proof_of_inflation(&trees), Error::UnknownCommitment);
    });
}

#[test]
fn is_too_late_when_the_terms_of_the_epoch_are_forgotten() {
    run(|| {
        let trees = commit_to(inflated());
        begin(EPOCH.0 + HISTORY);
        refused(proof_of_inflation(&trees), Error::TooOld);
    });
    run(|| {
        let trees = commit_to(inflated());
        begin(EPOCH.0 + HISTORY - 1);
        proven(proof_of_inflation(&trees));
    });
}

#[test]
fn proves_a_class_of_defects_only_once() {
    run(|| {
        let trees = commit_to(inflated());
        proven(proof_of_inflation(&trees));
        refused(proof_of_inflation(&trees), Error::AlreadyReported);
        assert_eq!(stake(), 20_000);
    });
}

#[test]
fn a_small_thing_reported_of_oneself_averts_no_large_slash() {
    run(|| {
        let mut leaves = inflated();
        leaves[5].cache_signature.0[9] ^= 1;
        let trees = commit_to(leaves);
        let forged = |leaf: &Leaf| leaf.body.cache == id_of(&cache(2));
        proven(proof_of_inflation(&trees));
        let fraud = proven(opening(&trees, |leaf| {
            forged(leaf) && leaf.body.slice.0 == 1
        }));
        assert_eq!(
            (fraud.defect, fraud.forfeit, fraud.taken, fraud.reward),
            (Defect::BadSignature, Forfeit::Voided, 25_000, 2_500)
        );
        assert_eq!(stake(), 0);
        // Nothing is graver: the proof is not looked at any more.
        refused(proof_of_inflation(&trees), Error::AlreadyReported);
    });
}

#[test]
fn takes_the_stake_alone_once_payment_has_begun() {
    run(|| {
        let trees = commit_to(inflated());
        world(|world| world.commitments.get_mut(&(EPOCH, GATEWAY)).unwrap().1 = Money::Paid);
        let fraud = proven(proof_of_inflation(&trees));
        assert_eq!((fraud.forfeit, fraud.taken), (Forfeit::AlreadyPaid, 5_000));
        assert_eq!(money(GATEWAY, EPOCH), Some(Money::Paid));
    });
}

#[test]
fn a_commitment_that_is_void_already_costs_its_gateway_the_stake_too() {
    run(|| {
        let trees = commit_to(inflated());
        world(|world| world.commitments.get_mut(&(EPOCH, GATEWAY)).unwrap().1 = Money::Void);
        let fraud = proven(proof_of_inflation(&trees));
        assert_eq!((fraud.forfeit, fraud.taken), (Forfeit::AlreadyVoid, 5_000));
    });
}

#[test]
fn a_gateway_without_a_stake_any_more_loses_its_claim_alone() {
    run(|| {
        let trees = commit_to(inflated());
        Network::change(GATEWAY, |node| node.until = Some(EPOCH));
        let fraud = proven(proof_of_inflation(&trees));
        assert_eq!((fraud.taken, fraud.reward), (0, 0));
        assert_eq!(money(GATEWAY, EPOCH), Some(Money::Void));
    });
}

#[test]
fn what_is_true_of_an_honest_commitment_proves_nothing_and_costs_its_fee() {
    run(|| {
        let trees = commit_to(honest());
        for wanted in honest() {
            refused(opening(&trees, |leaf| *leaf == wanted), Error::NothingWrong);
        }
        for tree in TreeKind::ALL {
            for index in 0..trees.entries(tree).len() {
                let entry = entry(&trees, tree, index);
                refused(FraudProof::Entry { tree, entry }, Error::NothingWrong);
            }
        }
    });
}

#[test]
fn a_path_that_leads_elsewhere_proves_nothing() {
    run(|| {
        commit_to(honest());
        // True of other trees.
        let others = UsageTrees::build::<HostKeccak>(inflated()).unwrap();
        refused(proof_of_inflation(&others), Error::ProofInvalid);
        // True of these, but spoilt.
        let trees = commit_to(inflated());
        let FraudProof::Leaf { tree, leaf } = proof_of_inflation(&trees) else {
            panic!("it is a leaf");
        };
        let mut short = leaf.clone();
        short.proof.siblings.pop();
        let mut moved = leaf.clone();
        moved.proof.start += 1;
        let mut richer = leaf.clone();
        richer.leaf.body.amount += 1;
        let mut other = leaf.clone();
        other.entry.entry.sum.amount += 1;
        for leaf in [short, moved, richer, other] {
            refused(FraudProof::Leaf { tree, leaf }, Error::ProofInvalid);
        }
        proven(FraudProof::Leaf { tree, leaf });
    });
}

#[test]
fn paths_as_long_as_paths_can_be_are_climbed() {
    run(|| {
        let (commitment, proof) = deep::disagreement(GATEWAY, EPOCH);
        let FraudProof::Disagreement { leaf, .. } = &proof else {
            panic!("the trees disagree");
        };
        assert_eq!(leaf.proof.siblings.len(), 32);
        assert_eq!(leaf.entry.proof.siblings.len(), 32);
        commit(commitment);
        assert_eq!(proven(proof.clone()).defect, Defect::TreesDisagree);
        // A block has room for many.
        assert!(proof.encoded_size() < 64 * 1_024);
    });
}

#[test]
fn a_call_costs_the_same_whatever_its_proof() {
    run(|| {
        let trees = commit_to(inflated());
        let (_, deepest) = deep::disagreement(GATEWAY, EPOCH);
        let weight = |proof| call(proof).get_dispatch_info().call_weight;
        assert_eq!(weight(proof_of_inflation(&trees)), weight(deepest));
    });
}

#[test]
fn a_cache_that_was_not_active_is_a_defect_by_what_stakes_say() {
    run(|| {
        let trees = commit_to(honest());
        let tree = TreeKind::Caches;
        let of = id_of(&cache(2));
        let index = trees
            .entries(tree)
            .iter()
            .position(|entry| entry.key.as_cache().is_some_and(|key| key.0 == of))
            .unwrap();
        let proof = FraudProof::Entry {
            tree,
            entry: entry(&trees, tree, index),
        };
        refused(proof.clone(), Error::NothingWrong);
        Network::change(of, |node| node.until = Some(EPOCH));
        let fraud = proven(proof);
        assert_eq!(
            (fraud.defect, fraud.taken),
            (Defect::UnassignedCache, 1_250)
        );
    });
}

#[test]
fn a_charge_above_the_lease_is_a_defect_by_what_services_say() {
    let lease_of_entry = |change: &dyn Fn(), expected: Option<Defect>| {
        run(|| {
            let trees = commit_to(honest());
            let tree = TreeKind::Customers;
            let proof = FraudProof::Entry {
                tree,
                entry: entry(&trees, tree, 0),
            };
            change();
            match expected {
                Some(defect) => assert_eq!(proven(proof).defect, defect),
                None => refused(proof, Error::NothingWrong),
            }
        });
    };
    let charged: u128 = honest()[..6].iter().map(|leaf| leaf.body.amount).sum();
    let set = |change: &dyn Fn(&mut pallet_edge_traits::ServiceTerms<sp_runtime::AccountId32>)| {
        world(|world| change(world.services.get_mut(&ServiceId(0)).unwrap()));
    };
    lease_of_entry(&|| set(&|terms| terms.cap = charged), None);
    lease_of_entry(
        &|| set(&|terms| terms.cap = charged - 1),
        Some(Defect::AboveLease),
    );
    // A second gateway halves the lease.
    lease_of_entry(
        &|| {
            set(&|terms| terms.cap = charged);
            let rival = pallet_edge_mocks::Node::new(
                account(12),
                selvedge_primitives_types::Role::Gateway,
                STAKE,
            );
            Network::set(DeviceId([102; 32]), rival);
        },
        Some(Defect::AboveLease),
    );
    lease_of_entry(
        &|| set(&|terms| terms.active = false),
        Some(Defect::AboveLease),
    );
    lease_of_entry(
        &|| set(&|terms| terms.owner = account(9)),
        Some(Defect::WrongCustomer),
    );
    lease_of_entry(
        &|| {
            world(|world| {
                world.services.remove(&ServiceId(0));
            })
        },
        Some(Defect::UnknownService),
    );
}

#[test]
fn storage_above_what_pins_came_to_is_a_defect() {
    let stored = |kept: u64, expected: Option<Defect>| {
        run(|| {
            let mut leaves = honest();
            let body = &mut leaves[0].body;
            body.paid = body.paid.with(UsageClass::StorageByteHours, 10);
            leaves[0].cache_signature = Default::default();
            let trees = commit_to(leaves);
            world(|world| world.kept = kept);
            let tree = TreeKind::Customers;
            let proof = FraudProof::Entry {
                tree,
                entry: entry(&trees, tree, 0),
            };
            match expected {
                Some(defect) => assert_eq!(proven(proof).defect, defect),
                None => refused(proof, Error::NothingWrong),
            }
        });
    };
    // An epoch of the mock network is an hour, so ten bytes make ten byte-hours.
    stored(10, None);
    stored(9, Some(Defect::AboveStorage));
    stored(0, Some(Defect::AboveStorage));
}

#[test]
fn what_an_auditor_finds_the_chain_takes() {
    run(|| {
        let mut leaves = honest();
        leaves[8].cache_signature.0[0] ^= 1;
        let trees = commit_to(leaves);
        let commitment = trees.commitment(GATEWAY, EPOCH);
        let known = Audits::known(EPOCH).unwrap();
        let found = find::<HostKeccak>(&trees, &commitment, &known).expect("all is shown");
        let fraud = proven(*found.expect("a signature is forged"));
        assert_eq!(fraud.defect, Defect::BadSignature);
        assert_eq!(fraud.defect.class(), DefectClass::Forgery);
        assert!(known.is_signed(&honest()[8]));
    });
}
