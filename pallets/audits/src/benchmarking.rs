//! Measures reports whose paths are as long as paths can be, of a commitment that has not been
//! charged yet: it ends at once, which costs most.

use crate::{agent::*, deep, types::*, *};
use alloc::{boxed::Box, vec, vec::Vec};
use codec::Encode;
use frame_benchmarking::v2::*;
use frame_support::{
    assert_ok,
    pallet_prelude::Authorize,
    traits::{fungible::Balanced, EnsureOrigin, Get},
    weights::WeightMeter,
    BoundedVec,
};
use frame_system::RawOrigin;
use pallet_edge_traits::BenchmarkNodes;
use selvedge_primitives_math::{
    draw::{draws_for, Draw, Place, DRAWS},
    fraud::{Context, Defect, FraudProof, OpenedLeaf},
    TreeKind,
};
use selvedge_primitives_types::{
    AuditVerdict, DeviceId, Domain, Epoch, Hash, Leaf, Planck, Role, ServiceId, Signature64,
    UsageCommitment, Verdict,
};
use sp_core::{crypto::KeyTypeId, sr25519};
use sp_runtime::{transaction_validity::TransactionSource, AccountId32};

/// Sets up what other pallets answer in a benchmark.
pub trait BenchmarkHelper: BenchmarkNodes<AccountId32> {
    /// Keeps a commitment as if it had just been made, whatever it says.
    fn commit(commitment: UsageCommitment);
    /// Adds an active service that pins price list 1, in force from epoch 0 on.
    fn add_service(owner: &AccountId32, cap: Planck) -> ServiceId;
    /// Moves the usage clock to so many quarters of an epoch.
    fn set_clock(epoch: Epoch, quarters: u64);
    /// Has the network have taken so much of charges.
    fn set_take(take: Planck);
}

const AGENT: KeyTypeId = KeyTypeId(selvedge_primitives_types::agent::AGENT_KEY_TYPE);
const AUDITOR: DeviceId = DeviceId([9; 32]);
const WINDOW: Epoch = Epoch(1);
/// The epoch in which a redraw votes: it has the most auditors.
const AGAIN: Epoch = Epoch(3);
const SALT: Hash = [5; 32];
const GATEWAY: DeviceId = DeviceId([7; 32]);
const EPOCH: Epoch = Epoch(0);

fn account(number: u8) -> AccountId32 {
    AccountId32::new([number; 32])
}

/// Keeps the commitment of an active gateway, and returns the proof against it.
fn committed<T: Config>((commitment, proof): (UsageCommitment, FraudProof)) -> Box<FraudProof> {
    T::BenchmarkHelper::add_node(GATEWAY, Role::Gateway, &account(8), [0; 32]);
    T::BenchmarkHelper::commit(commitment);
    proof.into()
}

/// A gateway of which so many commitments may be made up.
fn gateway(number: u32) -> DeviceId {
    let mut id = GATEWAY;
    id.0[..4].copy_from_slice(&number.to_be_bytes());
    id
}

fn audit(stage: Stage) -> Audit {
    Audit {
        window: WINDOW,
        operator: None,
        stage,
        until: AGAIN,
        passed: Default::default(),
        draws: DRAWS,
        block: 1,
    }
}

/// A panel that a redraw takes all of, with the auditor and its agent's key.
fn panel<T: Config>() -> sr25519::Public {
    let key = sp_io::crypto::sr25519_generate(AGENT, None);
    T::BenchmarkHelper::add_node(AUDITOR, Role::Validator, &account(90), key.0);
    let owner = |number: u8| Auditor {
        owner: account(79 + number),
        device: DeviceId([79 + number; 32]),
    };
    let mut panel: Vec<_> = (1..MAX_AUDITORS as u8).map(owner).collect();
    panel.push(Auditor {
        owner: account(90),
        device: AUDITOR,
    });
    let drawn = Window {
        seed: [1; 32],
        panel: panel.try_into().expect("a panel has room for a redraw"),
    };
    Windows::<T>::insert(WINDOW, drawn);
    key
}

/// Commitments that the auditor is drawn for, and what it says of them.
fn verdicts<T: Config>(n: u32) -> Verdicts {
    let verdict = |number| {
        let gateway = gateway(number);
        let mut audit = audit(Stage::Voting(1));
        for index in 1..MAX_AUDITORS as u8 {
            let auditor = Auditor {
                owner: account(79 + index),
                device: DeviceId([79 + index; 32]),
            };
            let _ = audit.passed.try_push(Passed {
                auditor,
                is_paid: false,
                has_posted: false,
            });
        }
        Audits::<T>::insert(EPOCH, gateway, audit);
        AuditVerdict {
            gateway,
            epoch: EPOCH,
            verdict: Verdict::Ok { held: [3; 32] },
        }
    };
    (0..n)
        .map(verdict)
        .collect::<Vec<_>>()
        .try_into()
        .expect("as many as a vote has")
}

fn sign<T: Config>(key: &sr25519::Public, payload: &impl Encode) -> Signature64 {
    let message = Domain::Agent.message(&pallet_edge_traits::genesis_hash::<T>(), payload);
    let signature = sp_io::crypto::sr25519_sign(AGENT, key, &message);
    Signature64(signature.expect("the key was generated here").0)
}

fn vote_call<T: Config>() -> Call<T> {
    let key = panel::<T>();
    T::BenchmarkHelper::set_clock(AGAIN, 1);
    let seal = seal(&[], &SALT);
    Call::vote {
        auditor: AUDITOR,
        window: WINDOW,
        round: 1,
        seal,
        agent_signature: sign::<T>(&key, &vote_payload(AUDITOR, WINDOW, 1, seal)),
    }
}

fn reveal_call<T: Config>(n: u32) -> Call<T> {
    let key = panel::<T>();
    let verdicts = verdicts::<T>(n);
    let seal = seal(&verdicts, &SALT);
    Votes::<T>::insert(AGAIN, (WINDOW, 1, AUDITOR), seal);
    T::BenchmarkHelper::set_clock(AGAIN, 2);
    Call::reveal {
        auditor: AUDITOR,
        window: WINDOW,
        round: 1,
        verdicts,
        salt: SALT,
        agent_signature: sign::<T>(&key, &reveal_payload(AUDITOR, WINDOW, 1, seal)),
    }
}

/// A sound leaf in trees as deep as trees can be, and where it stands.
fn sound_leaf<T: Config>() -> (UsageCommitment, Box<OpenedLeaf>, Draw) {
    let service = T::BenchmarkHelper::add_service(&AccountId32::new(deep::CUSTOMER), 1_000);
    let (commitment, proof) = deep::one_leaf(GATEWAY, EPOCH, |leaf| {
        leaf.body.service = service;
        leaf.body.price_version = 1;
    });
    let FraudProof::Leaf { tree, leaf } = proof else {
        unreachable!("it is the proof of a leaf");
    };
    let at = Place::Index(2 * u64::from(deep::MIDDLE));
    (commitment, leaf.into(), Draw { tree, at })
}

/// Challenges a leaf by an account of its own.
fn challenge<T: Config>(number: u8, draw: Draw) {
    let challenger = account(number);
    fund::<T>(&challenger);
    assert_ok!(Pallet::<T>::do_challenge(challenger, GATEWAY, EPOCH, draw));
}

fn fund<T: Config>(who: &AccountId32) {
    let enough = 2 * T::ChallengeBond::get() + 1_000_000_000_000;
    let _ = T::Currency::resolve(who, T::Currency::issue(enough));
}

fn answer_call<T: Config>() -> Call<T> {
    let key = sp_io::crypto::sr25519_generate(AGENT, None);
    T::BenchmarkHelper::add_node(GATEWAY, Role::Gateway, &account(8), key.0);
    fund::<T>(&account(8));
    let (commitment, leaf, draw) = sound_leaf::<T>();
    T::BenchmarkHelper::commit(commitment);
    T::BenchmarkHelper::set_clock(AGAIN, 1);
    let due = Stage::LeavesDue {
        seed: [2; 32],
        shown: 0,
    };
    Audits::<T>::insert(EPOCH, GATEWAY, audit(due));
    challenge::<T>(20, draw);
    let payload = answer_payload(GATEWAY, EPOCH, draw, &leaf);
    Call::answer {
        gateway: GATEWAY,
        epoch: EPOCH,
        draw,
        leaf,
        agent_signature: sign::<T>(&key, &payload),
    }
}

/// The opening of a canary whose leaf charges a planck for nothing.
fn canary_opening<T: Config>() -> Box<Opening> {
    T::BenchmarkHelper::add_node(GATEWAY, Role::Gateway, &account(8), [0; 32]);
    let customer = AccountId32::new(deep::CUSTOMER);
    let service = T::BenchmarkHelper::add_service(&customer, 1_000);
    let (commitment, proof) = deep::one_leaf(GATEWAY, EPOCH, |leaf| {
        leaf.body.service = service;
        leaf.body.price_version = 1;
        leaf.body.amount = 1;
    });
    let FraudProof::Leaf { tree, leaf: shown } = proof else {
        unreachable!("it is the proof of a leaf");
    };
    T::BenchmarkHelper::commit(commitment);
    T::BenchmarkHelper::set_take(1_000);
    T::BenchmarkHelper::set_clock(AGAIN, 1);
    panel::<T>();
    verdicts::<T>(1);
    let name = CanaryName {
        gateway: GATEWAY,
        customers: BoundedVec::truncate_from(vec![shown.leaf.body.customer]),
        salt: SALT,
    };
    let pledged = Pledged {
        gateway: GATEWAY,
        epoch: EPOCH,
        leaves: BoundedVec::truncate_from(vec![shown.leaf]),
        salt: SALT,
    };
    let seal = canary::name_seal(&name);
    assert_ok!(Pallet::<T>::do_name_canary(seal, account(20)));
    assert_ok!(Pallet::<T>::do_pledge(
        account(20),
        seal,
        canary::pledge_seal(&pledged)
    ));
    let proven = Audit {
        block: u64::MAX,
        draws: draws_for(true, true),
        ..audit(Stage::Proven(1))
    };
    Audits::<T>::insert(EPOCH, GATEWAY, proven);
    let suspicion = Suspicion {
        defect: Defect::WrongPrice,
        reporter: account(90),
        auditor: Some(Auditor {
            owner: account(90),
            device: AUDITOR,
        }),
        is_rewarded: true,
        leaf: Some(canary::leaf_name(&shown.leaf)),
        is_sampled: true,
    };
    Suspicions::<T>::insert(EPOCH, GATEWAY, suspicion);
    Box::new(Opening {
        name,
        pledged,
        tree,
        shown,
    })
}

/// What a block does with a call that was let in.
fn dispatch<T: Config>(call: Call<T>) -> frame_support::dispatch::DispatchResultWithPostInfo {
    use frame_support::traits::UnfilteredDispatchable;
    call.dispatch_bypass_filter(RawOrigin::Authorized.into())
}

fn authorize<T: Config>(call: &Call<T>) {
    let outcome = call.authorize(TransactionSource::InBlock);
    assert!(
        outcome.is_some_and(|outcome| outcome.is_ok()),
        "it is let in"
    );
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn report_disagreement() {
        let proof = committed::<T>(deep::disagreement(GATEWAY, EPOCH));
        #[extrinsic_call]
        report_fraud(RawOrigin::Signed(account(9)), GATEWAY, EPOCH, proof);
        let fraud = Frauds::<T>::get(EPOCH, GATEWAY).expect("it was proven");
        assert_eq!(fraud.defect, Defect::TreesDisagree);
        assert!(fraud.taken > 0);
    }

    #[benchmark]
    fn report_leaf() {
        let service = T::BenchmarkHelper::add_service(&account(10), 1_000);
        let proof = committed::<T>(deep::one_leaf(GATEWAY, EPOCH, |leaf| {
            leaf.body.service = service;
            leaf.body.price_version = 1;
            leaf.body.amount = 1;
        }));
        #[extrinsic_call]
        report_fraud(RawOrigin::Signed(account(9)), GATEWAY, EPOCH, proof);
        let fraud = Frauds::<T>::get(EPOCH, GATEWAY).expect("it was proven");
        assert_eq!(fraud.defect, Defect::WrongPrice);
        assert!(fraud.taken > 0);
    }

    #[benchmark]
    fn verify_signature() {
        let mut leaf = Leaf::default();
        leaf.cache_signature.0[0] = 1;
        let known = Pallet::<T>::known(EPOCH).expect("the chain is young");
        let is_signed;
        #[block]
        {
            is_signed = known.is_signed(&leaf);
        }
        assert!(!is_signed);
    }

    #[benchmark]
    fn turn(n: Linear<0, 32>) {
        for number in 0..n {
            let device = DeviceId([100 + number as u8; 32]);
            T::BenchmarkHelper::add_node(device, Role::Validator, &account(50), [0; 32]);
        }
        T::BenchmarkHelper::set_clock(WINDOW, 2);
        WindowTurn::<T>::put(Turn {
            window: WINDOW,
            step: TurnStep::Enrol {
                seed: [0; 32],
                walk: 1,
                after: None,
            },
        });
        #[block]
        {
            Pallet::<T>::turn(&mut WeightMeter::new());
        }
        assert_eq!(Enrolled::<T>::get().is_empty(), n == 0);
    }

    #[benchmark]
    fn end_stage() {
        T::BenchmarkHelper::add_node(GATEWAY, Role::Gateway, &account(8), [0; 32]);
        let (commitment, _, draw) = sound_leaf::<T>();
        T::BenchmarkHelper::commit(commitment);
        T::BenchmarkHelper::set_clock(AGAIN.minus(1), 2);
        let due = Stage::LeavesDue {
            seed: [2; 32],
            shown: 0,
        };
        Audits::<T>::insert(EPOCH, GATEWAY, audit(due));
        for number in 0..MAX_CHALLENGES {
            let at = Place::Index(number.into());
            challenge::<T>(20 + number as u8, Draw { at, ..draw });
        }
        #[block]
        {
            Pallet::<T>::end_stage(AGAIN, GATEWAY, EPOCH);
        }
        assert_eq!(Challenges::<T>::iter().count(), 0);
        let audit = Audits::<T>::get(EPOCH, GATEWAY).expect("it is kept");
        assert_eq!(audit.stage, Stage::Void);
    }

    #[benchmark]
    fn vote() {
        let call = vote_call::<T>();
        #[block]
        {
            assert_ok!(dispatch(call));
        }
        assert_eq!(Votes::<T>::iter().count(), 1);
    }

    #[benchmark]
    fn authorize_vote() {
        let call = vote_call::<T>();
        #[block]
        {
            authorize(&call);
        }
    }

    #[benchmark]
    fn reveal(n: Linear<0, 256>) {
        let call = reveal_call::<T>(n);
        #[block]
        {
            assert_ok!(dispatch(call));
        }
        assert_eq!(Votes::<T>::iter().count(), 0);
    }

    #[benchmark]
    fn authorize_reveal(n: Linear<0, 256>) {
        let call = reveal_call::<T>(n);
        #[block]
        {
            authorize(&call);
        }
    }

    #[benchmark]
    fn answer() {
        let call = answer_call::<T>();
        #[block]
        {
            assert_ok!(dispatch(call));
        }
        assert_eq!(Challenges::<T>::iter().count(), 0);
    }

    #[benchmark]
    fn authorize_answer() {
        let call = answer_call::<T>();
        #[block]
        {
            authorize(&call);
        }
    }

    #[benchmark]
    fn challenge_leaf() {
        T::BenchmarkHelper::add_node(GATEWAY, Role::Gateway, &account(8), [0; 32]);
        let (commitment, _, draw) = sound_leaf::<T>();
        T::BenchmarkHelper::commit(commitment);
        let challenger = account(20);
        fund::<T>(&challenger);
        for number in 1..MAX_CHALLENGES {
            let at = Place::Index(number.into());
            challenge::<T>(20 + number as u8, Draw { at, ..draw });
        }
        #[extrinsic_call]
        _(
            RawOrigin::Signed(challenger),
            GATEWAY,
            EPOCH,
            TreeKind::Customers,
            draw.at,
        );
        let open = Challenges::<T>::get(EPOCH, GATEWAY).len();
        assert_eq!(open, MAX_CHALLENGES as usize);
    }

    #[benchmark]
    fn name_canary() {
        for number in 1..canary::MAX_CANARIES as u8 {
            assert_ok!(Pallet::<T>::do_name_canary([number; 32], account(20)));
        }
        let origin = T::CanaryOrigin::try_successful_origin().expect("somebody names canaries");
        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, [0; 32], account(20));
        assert_eq!(Canaries::<T>::count(), canary::MAX_CANARIES);
    }

    #[benchmark]
    fn pledge() {
        assert_ok!(Pallet::<T>::do_name_canary([0; 32], account(20)));
        for number in 0..MAX_PLEDGES as u8 {
            assert_ok!(Pallet::<T>::do_pledge(account(20), [0; 32], [number; 32]));
        }
        #[extrinsic_call]
        _(RawOrigin::Signed(account(20)), [0; 32], [99; 32]);
        let canary = Canaries::<T>::get([0; 32]).expect("it was named");
        assert_eq!(canary.pledges[MAX_PLEDGES as usize - 1].seal, [99; 32]);
    }

    /// Of a canary with a defect that was shown and as many draws as there can be, and fines of as many as a redraw has: in a
    /// tree so deep the draws miss the leaf.
    #[benchmark]
    fn open_canary() {
        let opening = canary_opening::<T>();
        let mut passed = Audits::<T>::get(EPOCH, gateway(0)).expect("it was made up");
        #[block]
        {
            assert_ok!(Pallet::<T>::do_open_canary(*opening));
            Pallet::<T>::fine_those_who_passed(&mut passed, &GATEWAY, EPOCH);
        }
        assert_eq!(Fines::<T>::iter().count(), MAX_AUDITORS as usize - 1);
        assert_eq!(CanarySpent::<T>::get(), 1);
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::externalities(), crate::mock::Test);
}
