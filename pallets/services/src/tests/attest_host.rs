use super::*;
use crate::{host::needed, Round, Unproven};
use frame_support::{pallet_prelude::InvalidTransaction, traits::Authorize};
use pallet_edge_traits::HostChecks;
use selvedge_primitives_types::{agent::HostCheckVerdict, DeviceId, Signature64};
use sp_core::{ed25519, Pair};
use sp_runtime::transaction_validity::TransactionSource;

const HOST: &str = "www.example.org";

/// A service with one unproven host name, in epoch 11 with `gateways` active ones; the drawn ones'
/// keys.
fn claimed(gateways: u8) -> (ServiceId, Vec<ed25519::Pair>) {
    let id = create(&[HOST]);
    activate_gateways(gateways);
    go_to(11);
    (id, drawn(id, gateways))
}

fn drawn(id: ServiceId, gateways: u8) -> Vec<ed25519::Pair> {
    let ids = Round::<Test>::get().unwrap().drawn(id, HOST.as_bytes());
    (1..=gateways)
        .map(gateway)
        .filter(|pair| ids.contains(&device(pair)))
        .collect()
}

fn call((verdict, signature): (HostCheckVerdict, Signature64)) -> crate::Call<Test> {
    let HostCheckVerdict {
        device,
        service,
        host,
        epoch,
        found,
    } = verdict;
    crate::Call::attest_host {
        service,
        host,
        device,
        epoch,
        found,
        signature,
    }
}

fn attest(answer: (HostCheckVerdict, Signature64)) -> sp_runtime::DispatchResult {
    let (
        HostCheckVerdict {
            device,
            service,
            host,
            epoch,
            found,
        },
        signature,
    ) = answer;
    Services::attest_host(by(BOB), service, host, device, epoch, found, signature)
}

fn authorize(answer: (HostCheckVerdict, Signature64)) -> Result<(), InvalidTransaction> {
    let call: RuntimeCall = call(answer).into();
    let verdict = call
        .authorize(TransactionSource::External)
        .expect("the call may be authorised");
    verdict.map(|_| ()).map_err(|error| match error {
        sp_runtime::transaction_validity::TransactionValidityError::Invalid(invalid) => invalid,
        other => panic!("{other:?}"),
    })
}

fn is_proven(id: ServiceId) -> bool {
    summary(id).hosts == [(HOST.as_bytes().to_vec(), true)]
}

#[test]
fn two_of_three_drawn_gateways_prove_a_name() {
    run(|| {
        let (id, keys) = claimed(6);
        assert_eq!(keys.len(), 3);
        assert_ok!(attest(answer(&keys[0], id, HOST, true)));
        assert!(!is_proven(id));
        assert_ok!(attest(answer(&keys[1], id, HOST, true)));
        assert!(is_proven(id));
        let host = HOST.as_bytes().to_vec();
        assert_eq!(last_event(), Event::HostProven { service: id, host });
        assert_noop!(
            attest(answer(&keys[2], id, HOST, true)),
            Error::<Test>::NothingToProve
        );
    });
}

#[test]
fn fewer_gateways_than_are_drawn_suffice_together() {
    for count in 1..=2u8 {
        run(|| {
            let (id, keys) = claimed(count);
            assert_eq!(keys.len(), count as usize);
            for (turn, key) in keys.iter().enumerate() {
                assert!(!is_proven(id));
                assert_ok!(attest(answer(key, id, HOST, true)));
                assert_eq!(is_proven(id), turn + 1 >= needed(keys.len()));
            }
            assert!(is_proven(id));
        });
    }
}

#[test]
fn without_gateways_nothing_is_proven() {
    run(|| {
        let (id, keys) = claimed(0);
        assert!(keys.is_empty());
        assert_noop!(
            attest(answer(&gateway(1), id, HOST, true)),
            Error::<Test>::NotDrawn
        );
    });
}

#[test]
fn not_found_counts_for_nothing_and_may_become_found() {
    run(|| {
        let (id, keys) = claimed(3);
        assert_ok!(attest(answer(&keys[0], id, HOST, false)));
        assert_noop!(
            attest(answer(&keys[0], id, HOST, false)),
            Error::<Test>::AlreadyAnswered
        );
        assert_ok!(attest(answer(&keys[1], id, HOST, true)));
        assert!(!is_proven(id));
        assert_ok!(attest(answer(&keys[0], id, HOST, true)));
        assert!(is_proven(id));
    });
}

#[test]
fn found_cannot_be_taken_back_or_said_twice() {
    run(|| {
        let (id, keys) = claimed(3);
        assert_ok!(attest(answer(&keys[0], id, HOST, true)));
        for found in [true, false] {
            assert_noop!(
                attest(answer(&keys[0], id, HOST, found)),
                Error::<Test>::AlreadyAnswered
            );
        }
    });
}

#[test]
fn answers_of_an_earlier_epoch_do_not_count() {
    run(|| {
        let (id, keys) = claimed(3);
        let early = answer(&keys[0], id, HOST, true);
        assert_ok!(attest(early.clone()));
        go_to(12);
        assert_noop!(attest(early), Error::<Test>::WrongEpoch);
        assert_ok!(attest(answer(&keys[1], id, HOST, true)));
        assert!(!is_proven(id), "one answer per epoch is not two thirds");
        assert_ok!(attest(answer(&keys[0], id, HOST, true)));
        assert!(is_proven(id));
    });
}

#[test]
fn refuses_who_was_not_drawn() {
    run(|| {
        let (id, keys) = claimed(6);
        let outsider = (1..=6)
            .map(gateway)
            .find(|one| keys.iter().all(|key| key.public() != one.public()));
        let outsider = outsider.unwrap();
        assert_noop!(
            attest(answer(&outsider, id, HOST, true)),
            Error::<Test>::NotDrawn
        );
        assert_eq!(
            authorize(answer(&outsider, id, HOST, true)),
            Err(InvalidTransaction::BadSigner)
        );
    });
}

#[test]
fn refuses_a_signature_over_anything_else() {
    run(|| {
        let (id, keys) = claimed(3);
        let (verdict, signature) = answer(&keys[0], id, HOST, true);
        let refused = |verdict: HostCheckVerdict, signature| {
            assert_noop!(
                attest((verdict.clone(), signature)),
                Error::<Test>::BadSignature
            );
            assert_eq!(
                authorize((verdict, signature)),
                Err(InvalidTransaction::BadProof)
            );
        };
        refused(
            HostCheckVerdict {
                found: false,
                ..verdict.clone()
            },
            signature,
        );
        refused(
            HostCheckVerdict {
                device: device(&keys[1]),
                ..verdict.clone()
            },
            signature,
        );
        refused(verdict.clone(), Signature64::default());
        let mut flipped = signature;
        flipped.0[0] ^= 1;
        refused(verdict.clone(), flipped);
        let other = create(&[HOST]);
        refused(
            HostCheckVerdict {
                service: other,
                ..verdict.clone()
            },
            signature,
        );
        assert_ok!(attest((verdict, signature)));
    });
}

#[test]
fn refuses_unknown_claims_and_names_that_are_none() {
    run(|| {
        let (id, keys) = claimed(3);
        assert_noop!(
            attest(answer(&keys[0], NOBODYS, HOST, true)),
            Error::<Test>::NothingToProve
        );
        assert_noop!(
            attest(answer(&keys[0], id, "other.example.org", true)),
            Error::<Test>::NothingToProve
        );
        let long = "a".repeat(300);
        assert_noop!(
            attest(answer(&keys[0], id, &long, true)),
            Error::<Test>::HostNameInvalid
        );
        assert_eq!(
            authorize(answer(&keys[0], id, &long, true)),
            Err(InvalidTransaction::Call)
        );
    });
}

#[test]
fn a_claim_expires_and_blocks_nobody() {
    run(|| {
        let (id, keys) = claimed(3);
        // Claimed in epoch 10; the proof period is four epochs.
        go_to(14);
        assert!(!Services::due(&device(&keys[0])).is_empty());
        go_to(15);
        assert!(Services::due(&device(&keys[0])).is_empty());
        assert_noop!(
            attest(answer(&keys[0], id, HOST, true)),
            Error::<Test>::ClaimExpired
        );
        let other = create(&[HOST]);
        for key in &keys[..2] {
            assert_ok!(attest(answer(key, other, HOST, true)));
        }
        assert!(is_proven(other));
        // Removing and adding starts a new claim, unless the name was proven elsewhere.
        assert_ok!(Services::remove_host(by(ALICE), id, HOST.into()));
        assert_noop!(
            Services::add_host(by(ALICE), id, HOST.into()),
            Error::<Test>::HostTaken
        );
    });
}

#[test]
fn the_first_claim_proven_wins() {
    run(|| {
        let (first, keys) = claimed(3);
        let second = create(&[HOST]);
        for key in &keys[..2] {
            assert_ok!(attest(answer(key, second, HOST, true)));
        }
        assert!(is_proven(second));
        assert_noop!(
            attest(answer(&keys[0], first, HOST, true)),
            Error::<Test>::HostTaken
        );
        assert!(Unproven::<Test>::iter_prefix(first).next().is_some());
    });
}

#[test]
fn an_unsigned_answer_enters_once() {
    run(|| {
        let (id, keys) = claimed(3);
        let first = answer(&keys[0], id, HOST, true);
        assert_eq!(authorize(first.clone()), Ok(()));
        let authorized: RuntimeOrigin = frame_system::RawOrigin::Authorized.into();
        use frame_support::traits::UnfilteredDispatchable;
        assert_ok!(call(first.clone()).dispatch_bypass_filter(authorized));
        assert_eq!(authorize(first.clone()), Err(InvalidTransaction::Stale));
        assert_noop!(
            call(first).dispatch_bypass_filter(RuntimeOrigin::none()),
            sp_runtime::DispatchErrorWithPostInfo {
                post_info: ().into(),
                error: BadOrigin.into()
            }
        );
    });
}

#[test]
fn drawn_gateways_are_told_what_to_look_for() {
    run(|| {
        let (id, keys) = claimed(6);
        let challenge = Services::challenge(id, HOST.as_bytes(), &ALICE);
        assert_eq!(challenge.len(), 64);
        assert_eq!(
            Services::challenge_of(id, HOST.into()),
            Some(challenge.clone())
        );
        let due = Services::due(&device(&keys[0]));
        assert_eq!(due, [(id, HOST.as_bytes().to_vec(), challenge, Epoch(11))]);
        assert!(Services::due(&DeviceId([77; 32])).is_empty());
        assert_ok!(attest(answer(&keys[0], id, HOST, false)));
        assert_eq!(
            Services::due(&device(&keys[0])).len(),
            1,
            "it may look again"
        );
        assert_ok!(attest(answer(&keys[0], id, HOST, true)));
        assert!(Services::due(&device(&keys[0])).is_empty());
    });
}

#[test]
fn the_challenge_names_service_host_and_owner() {
    run(|| {
        let one = Services::challenge(ServiceId(1), b"a.org", &ALICE);
        assert_ne!(one, Services::challenge(ServiceId(2), b"a.org", &ALICE));
        assert_ne!(one, Services::challenge(ServiceId(1), b"b.org", &ALICE));
        assert_ne!(one, Services::challenge(ServiceId(1), b"a.org", &BOB));
        assert!(one
            .iter()
            .all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(c)));
    });
}

#[test]
fn every_claim_is_due_some_time_however_many_there_are() {
    run(|| {
        activate_gateways(1);
        let service = create(&[]);
        let hosts: Vec<_> = (0..16).map(|n| format!("h{n}.org")).collect();
        for host in &hosts {
            assert_ok!(Services::add_host(by(ALICE), service, host.clone().into()));
        }
        let more = create(&["x.org", "y.org", "z.org"]);
        go_to(11);
        let mut seen = std::collections::BTreeSet::new();
        for block in 1..200 {
            System::set_block_number(block);
            let due = Services::due(&device(&gateway(1)));
            assert!(due.len() <= crate::MAX_DUE);
            seen.extend(due.into_iter().map(|(id, host, _, _)| (id, host)));
        }
        assert_eq!(seen.len(), 19);
        assert!(seen.iter().any(|(id, _)| *id == more));
    });
}
