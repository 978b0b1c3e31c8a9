//! `report_probes`.

use crate::{mock::*, types::Probes, *};
use frame_support::{
    assert_noop, assert_ok,
    pallet_prelude::{InvalidTransaction, TransactionSource},
    traits::Authorize,
};
use pallet_edge_mocks::{Network, Node};
use selvedge_primitives_types::{
    Domain, Millis, Probe, ProbeAnswer, ProbeAnswerPayload, ProbeReport, Signature64,
};
use sp_core::{ed25519, sr25519, Pair, H256};
use sp_runtime::{transaction_validity::TransactionValidityError, DispatchError};

const GENESIS: [u8; 32] = [8; 32];

fn pair(id: u8) -> ed25519::Pair {
    ed25519::Pair::from_seed(&[id; 32])
}

fn keyed(id: u8) -> DeviceId {
    DeviceId(pair(id).public().0)
}

fn agent(id: u8) -> sr25519::Pair {
    sr25519::Pair::from_seed(&[id; 32])
}

/// Six gateways with keys of their own, in the second half of epoch 1.
fn with_keys(test: impl FnOnce()) {
    run(|| {
        frame_system::BlockHash::<Test>::insert(0, H256(GENESIS));
        for id in 1..=6 {
            let mut node = Node::new(account(id), Role::Gateway, STAKE);
            node.agent_key = agent(id).public().0;
            Network::set(keyed(id), node);
        }
        report_time(1);
        test();
    });
}

/// Answers of the nodes that a prober was drawn for, signed by them.
fn answers(prober: u8) -> Vec<Probe> {
    let id_of = |device: DeviceId| (1..=6).find(|id| keyed(*id) == device).unwrap();
    let duty = Reputation::duty_of(&keyed(prober));
    assert!(!duty.is_empty());
    duty.into_iter()
        .map(|probed| {
            let payload = ProbeAnswerPayload {
                prober: keyed(prober),
                probed,
                epoch: Epoch(1),
                nonce: [prober; 16],
            };
            let message = Domain::ProbeAnswer.message(&GENESIS, &payload);
            Probe {
                probed,
                answer: Some(ProbeAnswer {
                    nonce: [prober; 16],
                    signature: Signature64(pair(id_of(probed)).sign(&message).0),
                    round_trip: 900,
                }),
                fetch: None,
            }
        })
        .collect()
}

fn signed(prober: u8, epoch: u64, probes: Vec<Probe>, key: u8) -> crate::Call<Test> {
    let report = ProbeReport {
        prober: keyed(prober),
        epoch: Epoch(epoch),
        probes,
    };
    let message = Domain::ProbeReport.message(&GENESIS, &report);
    let ProbeReport {
        prober,
        epoch,
        probes,
    } = report;
    crate::Call::report_probes {
        prober,
        epoch,
        probes: Probes::truncate_from(probes),
        signature: Signature64(agent(key).sign(&message).0),
    }
}

fn authorize(call: crate::Call<Test>) -> Result<(), InvalidTransaction> {
    let call: RuntimeCall = call.into();
    let verdict = call.authorize(TransactionSource::External).unwrap();
    verdict.map(drop).map_err(|error| match error {
        TransactionValidityError::Invalid(invalid) => invalid,
        other => panic!("{other:?}"),
    })
}

#[test]
fn a_drawn_prober_reports_once() {
    with_keys(|| {
        let probes = answers(1);
        assert_eq!(authorize(signed(1, 1, probes.clone(), 1)), Ok(()));
        let nodes = probes.len() as u32;
        assert_ok!(report(keyed(1), probes.clone()));
        System::assert_last_event(
            Event::<Test>::Probed {
                prober: keyed(1),
                epoch: Epoch(1),
                nodes,
            }
            .into(),
        );
        assert_eq!(Seen::<Test>::iter().count() as u32, nodes);
        assert_noop!(
            report(keyed(1), probes.clone()),
            Error::<Test>::AlreadyReported
        );
        let again = authorize(signed(1, 1, probes, 1));
        assert_eq!(again, Err(InvalidTransaction::Stale));
    });
}

#[test]
fn only_the_agents_own_signature_counts() {
    with_keys(|| {
        let probes = answers(1);
        let by_another = authorize(signed(1, 1, probes.clone(), 2));
        assert_eq!(by_another, Err(InvalidTransaction::BadProof));
        // The signature of another report.
        let crate::Call::report_probes { signature, .. } = signed(1, 1, probes.clone(), 1) else {
            unreachable!()
        };
        let mut less = probes;
        less.pop();
        let call = crate::Call::report_probes {
            prober: keyed(1),
            epoch: Epoch(1),
            probes: Probes::truncate_from(less),
            signature,
        };
        assert_eq!(authorize(call), Err(InvalidTransaction::BadProof));
    });
}

#[test]
fn an_answer_that_the_probed_node_did_not_sign_is_refused() {
    with_keys(|| {
        let forged = |change: fn(&mut ProbeAnswer)| {
            let mut probes = answers(1);
            change(probes[0].answer.as_mut().unwrap());
            authorize(signed(1, 1, probes, 1))
        };
        let bad = Err(InvalidTransaction::BadProof);
        assert_eq!(forged(|answer| answer.nonce[0] ^= 1), bad);
        assert_eq!(forged(|answer| answer.signature.0[0] ^= 1), bad);
        // A time is the prober's own word.
        assert_eq!(forged(|answer| answer.round_trip = 1), Ok(()));
        let silent = |mut probes: Vec<Probe>| {
            probes[0].answer = None;
            probes
        };
        assert_eq!(authorize(signed(1, 1, silent(answers(1)), 1)), Ok(()));
    });
}

#[test]
fn who_was_not_drawn_says_nothing() {
    with_keys(|| {
        let duty = Reputation::duty_of(&keyed(1));
        let other = (1..=6)
            .map(keyed)
            .find(|node| !duty.contains(node))
            .unwrap();
        for probed in [other, keyed(1), DeviceId([9; 32])] {
            assert_noop!(
                report(keyed(1), vec![silent(probed)]),
                Error::<Test>::NotDrawn
            );
        }
        assert_noop!(
            report(DeviceId([9; 32]), vec![silent(keyed(1))]),
            Error::<Test>::NotDrawn
        );
        let call = signed(1, 1, vec![silent(other)], 1);
        assert_eq!(authorize(call), Err(InvalidTransaction::BadSigner));
    });
}

#[test]
fn a_report_is_taken_in_the_second_half_of_its_epoch() {
    with_keys(|| {
        let probes = answers(1);
        Network::set_now(Millis(EPOCH + EPOCH / 2 - 1));
        assert_noop!(report(keyed(1), probes.clone()), Error::<Test>::TooEarly);
        let early = authorize(signed(1, 1, probes.clone(), 1));
        assert_eq!(early, Err(InvalidTransaction::Future));
        Network::set_now(Millis(EPOCH + EPOCH / 2));
        let future = authorize(signed(1, 2, probes.clone(), 1));
        assert_eq!(future, Err(InvalidTransaction::Future));
        let past = authorize(signed(1, 0, probes.clone(), 1));
        assert_eq!(past, Err(InvalidTransaction::Stale));
        assert_ok!(report(keyed(1), probes));
    });
}

#[test]
fn before_the_probers_are_enrolled_nothing_is_taken() {
    with_keys(|| {
        let probes = answers(1);
        begin(2);
        Network::set_now(Millis(2 * EPOCH + EPOCH / 2));
        assert_noop!(report(keyed(1), probes), Error::<Test>::NotOpen);
    });
}

#[test]
fn a_report_that_is_empty_or_out_of_order_is_malformed() {
    with_keys(|| {
        assert_noop!(report(keyed(1), vec![]), Error::<Test>::Malformed);
        let probes = answers(1);
        assert!(probes.len() > 1, "the seed of the mock draws it twice");
        let twice = vec![probes[0], probes[0]];
        assert_noop!(report(keyed(1), twice), Error::<Test>::Malformed);
        let turned: Vec<_> = probes.into_iter().rev().collect();
        assert_noop!(report(keyed(1), turned.clone()), Error::<Test>::Malformed);
        let call = authorize(signed(1, 1, turned, 1));
        assert_eq!(call, Err(InvalidTransaction::Call));
    });
}

#[test]
fn no_account_brings_a_report() {
    with_keys(|| {
        let probes = Probes::truncate_from(answers(1));
        for origin in [RuntimeOrigin::signed(account(1)), RuntimeOrigin::none()] {
            assert_noop!(
                Reputation::report_probes(
                    origin,
                    keyed(1),
                    Epoch(1),
                    probes.clone(),
                    Signature64::default()
                ),
                DispatchError::BadOrigin
            );
        }
    });
}
