use super::*;
use selvedge_primitives_math::proof::verify_commitment;

#[test]
fn stores_what_was_committed() {
    run(|| {
        network();
        let trees = usual(GATEWAY, 10);
        at(11, 1);
        let commitment = commit(&trees);
        let record = Billing::commitment(&GATEWAY, Epoch(10)).unwrap();
        assert_eq!(record.commitment, commitment);
        assert_eq!(
            (record.status, record.late, record.settled),
            (Status::Pending, 0, 0)
        );
        let committed = Event::UsageCommitted {
            gateway: GATEWAY,
            epoch: Epoch(10),
            amount: 449,
            entries: 2,
            late: 0,
        };
        assert_eq!(last_event(), committed);
    });
}

/// The last moment of each epoch's lateness: a quarter after the beginning.
#[test]
fn counts_how_late_it_came() {
    for (epoch, quarters, late) in [
        (11, 0, 0),
        (11, 1, 0),
        (11, 2, 1),
        (12, 1, 1),
        (12, 3, 2),
        (14, 1, 3),
    ] {
        run(|| {
            network();
            at(epoch, quarters);
            commit(&usual(GATEWAY, 10));
            let record = Billing::commitment(&GATEWAY, Epoch(10)).unwrap();
            assert_eq!(record.late, late, "at {epoch} and {quarters} quarters");
        });
    }
}

#[test]
fn refuses_an_epoch_that_has_not_ended() {
    run(|| {
        network();
        for epoch in [10, 11, u64::MAX] {
            let call = commit_call(commitment(&usual(GATEWAY, epoch)));
            assert_eq!(authorize(&call), Err(InvalidTransaction::Future.into()));
            let refused = dispatch(RawOrigin::Authorized.into(), call);
            assert_noop!(refused, Error::<Test>::EpochNotEnded);
        }
    });
}

#[test]
fn refuses_what_comes_too_late() {
    run(|| {
        network();
        for (epoch, quarters) in [(14, 2), (15, 0), (1_000, 0)] {
            at(epoch, quarters);
            let call = commit_call(commitment(&usual(GATEWAY, 10)));
            assert_eq!(authorize(&call), Err(InvalidTransaction::Stale.into()));
            let refused = dispatch(RawOrigin::Authorized.into(), call);
            assert_noop!(refused, Error::<Test>::CommitmentTooLate);
        }
    });
}

#[test]
fn refuses_a_second_commitment_even_a_different_one() {
    run(|| {
        let trees = committed();
        let other = self::trees(GATEWAY, 10, &[Used(1, 0, CACHE, 1)]);
        for trees in [trees, other] {
            let call = commit_call(commitment(&trees));
            assert_eq!(authorize(&call), Err(InvalidTransaction::Stale.into()));
            let refused = dispatch(RawOrigin::Authorized.into(), call);
            assert_noop!(refused, Error::<Test>::AlreadyCommitted);
        }
    });
}

#[test]
fn refuses_a_gateway_without_stake() {
    run(|| {
        network();
        at(11, 0);
        for device in [DeviceId([55; 32]), CACHE] {
            let call = commit_call(commitment(&usual(device, 10)));
            assert_eq!(authorize(&call), Err(InvalidTransaction::BadSigner.into()));
            let refused = dispatch(RawOrigin::Authorized.into(), call);
            assert_noop!(refused, Error::<Test>::GatewayNotActive);
        }
    });
}

#[test]
fn refuses_trees_that_contradict_each_other() {
    run(|| {
        network();
        at(11, 0);
        let good = commitment(&usual(GATEWAY, 10));
        let mut bad = [good; 4];
        bad[0].caches.sum.amount += 1;
        bad[1].customers.entries = 0;
        bad[2].customers.max = bad[2].customers.min;
        bad[3].caches.sum.paid = Usage::ZERO;
        for commitment in bad {
            assert!(verify_commitment(&commitment).is_err());
            let call = commit_call(commitment);
            assert_eq!(authorize(&call), Err(InvalidTransaction::Call.into()));
            let refused = dispatch(RawOrigin::Authorized.into(), call);
            assert_noop!(refused, Error::<Test>::MalformedCommitment);
        }
    });
}

#[test]
fn refuses_any_key_but_the_agents() {
    run(|| {
        network();
        at(11, 0);
        let commitment = commitment(&usual(GATEWAY, 10));
        let payload = commit_payload(&commitment);
        let mut changed = commitment;
        changed.customers.root[0] ^= 1;
        let forgeries = [
            (commitment, sign(RIVAL, &payload)),
            (commitment, Signature64([0; 64])),
            (commitment, sign(GATEWAY, &(*b"settle", commitment))),
            (changed, sign(GATEWAY, &payload)),
        ];
        for (commitment, agent_signature) in forgeries {
            let call = Call::<Test>::commit_usage {
                commitment: commitment.into(),
                agent_signature,
            };
            assert_eq!(authorize(&call), Err(InvalidTransaction::BadProof.into()));
        }
        // Signed for a chain with another genesis.
        let agent_signature = sign(GATEWAY, &payload);
        frame_system::BlockHash::<Test>::insert(0, sp_core::H256([8; 32]));
        let call = Call::<Test>::commit_usage {
            commitment: commitment.into(),
            agent_signature,
        };
        assert_eq!(authorize(&call), Err(InvalidTransaction::BadProof.into()));
    });
}

#[test]
fn refuses_accounts() {
    run(|| {
        network();
        at(11, 0);
        let call = commit_call(commitment(&usual(GATEWAY, 10)));
        assert_noop!(send(1, call.clone()), DispatchError::BadOrigin);
        assert_noop!(dispatch(root(), call.clone()), DispatchError::BadOrigin);
        assert_noop!(dispatch(none(), call), DispatchError::BadOrigin);
    });
}

#[test]
fn refuses_more_than_may_be_open() {
    run(|| {
        network();
        for epoch in 100..164 {
            at(epoch + 1, 0);
            commit(&usual(GATEWAY, epoch));
        }
        at(165, 0);
        let call = commit_call(commitment(&usual(GATEWAY, 164)));
        assert_eq!(authorize(&call), Err(InvalidTransaction::BadSigner.into()));
        assert_noop!(
            dispatch(RawOrigin::Authorized.into(), call),
            Error::<Test>::TooManyOpen
        );
    });
}

#[test]
fn is_operational_so_that_congestion_forfeits_nothing() {
    use frame_support::dispatch::{DispatchClass, GetDispatchInfo};
    let commitment = commitment(&usual(GATEWAY, 10));
    let call = Call::<Test>::commit_usage {
        commitment: commitment.into(),
        agent_signature: Signature64([0; 64]),
    };
    assert_eq!(call.get_dispatch_info().class, DispatchClass::Operational);
}
