use super::*;

#[test]
fn takes_effect_with_the_next_epoch() {
    run(|| {
        let id = create(&[]);
        assert_ok!(Services::set_cap(by(ALICE), id, 400));
        assert_eq!(
            last_event(),
            Event::CapSet {
                service: id,
                cap: 400,
                from: Epoch(11)
            }
        );
        assert_eq!(summary(id).terms.cap, 1_000);
        assert_eq!(summary(id).pending.map(|terms| terms.cap), Some(400));
        go_to(11);
        assert_eq!(summary(id).terms.cap, 400);
        assert_eq!(summary(id).pending, None);
    });
}

#[test]
fn raising_asks_billing_and_lowering_does_not() {
    run(|| {
        let id = create(&[]);
        set_covered(1_200);
        assert_noop!(Services::set_cap(by(ALICE), id, 1_201), NOT_COVERED);
        assert_noop!(Services::set_cap(by(ALICE), id, Planck::MAX), NOT_COVERED);
        assert_ok!(Services::set_cap(by(ALICE), id, 1_200));
        set_covered(0);
        assert_ok!(Services::set_cap(by(ALICE), id, 1));
    });
}

#[test]
fn changes_of_one_epoch_merge() {
    run(|| {
        let id = create(&[]);
        assert_ok!(Services::set_cap(by(ALICE), id, 2_000));
        assert_ok!(Services::set_cap(by(ALICE), id, 3_000));
        assert_ok!(Services::pause(by(ALICE), id));
        assert_eq!(crate::History::<Test>::get(id).len(), 2);
        assert_ok!(Services::resume(by(ALICE), id));
        assert_ok!(Services::set_cap(by(ALICE), id, 1_000));
        assert_eq!(
            crate::History::<Test>::get(id).len(),
            1,
            "everything was taken back"
        );
    });
}

#[test]
fn a_full_history_refuses_until_old_terms_may_be_forgotten() {
    run(|| {
        let id = create(&[]);
        // HistoryDepth is 30 epochs, so that one change per epoch never fills 32 places.
        for epoch in 11..80 {
            assert_ok!(Services::set_cap(by(ALICE), id, u128::from(epoch)));
            go_to(epoch);
        }
        assert!(crate::History::<Test>::get(id).len() <= 32);
        let oldest = crate::History::<Test>::get(id)[0].from;
        assert!(
            oldest <= Epoch(79 - 30),
            "what was in force at the horizon is kept: {oldest}"
        );
    });
}

#[test]
fn refuses_strangers_zero_and_the_same_again() {
    run(|| {
        let id = create(&[]);
        assert_noop!(Services::set_cap(by(BOB), id, 5), Error::<Test>::NotOwner);
        assert_noop!(Services::set_cap(RuntimeOrigin::none(), id, 5), BadOrigin);
        assert_noop!(
            Services::set_cap(by(ALICE), NOBODYS, 5),
            Error::<Test>::UnknownService
        );
        assert_noop!(
            Services::set_cap(by(ALICE), id, 0),
            Error::<Test>::CapIsZero
        );
        assert_noop!(
            Services::set_cap(by(ALICE), id, 1_000),
            Error::<Test>::Unchanged
        );
    });
}
