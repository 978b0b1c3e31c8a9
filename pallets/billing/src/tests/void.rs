use super::*;

fn void() -> Call<Test> {
    Call::void {
        gateway: GATEWAY,
        epoch: Epoch(10),
        reason: VoidReason::Ruled,
    }
}

#[test]
fn ends_a_commitment_that_charged_nothing() {
    run(|| {
        let trees = committed();
        assert_ok!(dispatch(root(), void()));
        assert_eq!(
            (status(&trees), void_reason(&trees)),
            (Status::Void, Some(VoidReason::Ruled))
        );
        assert_noop!(send(5, settle(&trees, 0, 64)), Error::<Test>::NotSettling);
        // It still counts as committed: nothing can take its place.
        let call = commit_call(commitment(&trees));
        let refused = dispatch(RawOrigin::Authorized.into(), call);
        assert_noop!(refused, Error::<Test>::AlreadyCommitted);
    });
}

#[test]
fn opens_the_refund_of_a_settled_one() {
    run(|| {
        let trees = settled();
        assert_ok!(dispatch(root(), void()));
        assert_eq!(status(&trees), Status::Refunding(0));
        assert_noop!(dispatch(root(), void()), Error::<Test>::NotVoidable);
    });
}

#[test]
fn refuses_once_payment_has_begun() {
    run(|| {
        let trees = settled();
        assert_ok!(send(5, credit(&trees, 0, 64)));
        at(13, 0);
        assert_ok!(send(5, credit(&trees, 0, 1)));
        assert_noop!(dispatch(root(), void()), Error::<Test>::NotVoidable);
        assert_ok!(send(5, credit(&trees, 1, 2)));
        assert_noop!(dispatch(root(), void()), Error::<Test>::NotVoidable);
    });
}

#[test]
fn refuses_other_origins_and_unknown_commitments() {
    run(|| {
        assert_noop!(dispatch(root(), void()), Error::<Test>::UnknownCommitment);
        committed();
        assert_noop!(send(1, void()), DispatchError::BadOrigin);
        assert_noop!(dispatch(none(), void()), DispatchError::BadOrigin);
        assert_noop!(
            dispatch(RawOrigin::Authorized.into(), void()),
            DispatchError::BadOrigin
        );
    });
}
