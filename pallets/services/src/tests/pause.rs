//! `pause` and `resume`.

use super::*;

#[test]
fn takes_effect_with_the_next_epoch() {
    run(|| {
        let id = create(&[]);
        assert_ok!(Services::pause(by(ALICE), id));
        assert_eq!(
            last_event(),
            Event::Paused {
                service: id,
                from: Epoch(11)
            }
        );
        assert!(summary(id).terms.active);
        go_to(11);
        assert!(!summary(id).terms.active);
        assert_ok!(Services::resume(by(ALICE), id));
        assert_eq!(
            last_event(),
            Event::Resumed {
                service: id,
                from: Epoch(12)
            }
        );
        assert!(!summary(id).terms.active);
        go_to(12);
        assert!(summary(id).terms.active);
    });
}

#[test]
fn resuming_asks_billing() {
    run(|| {
        let id = create(&[]);
        assert_ok!(Services::pause(by(ALICE), id));
        go_to(11);
        set_covered(999);
        assert_noop!(Services::resume(by(ALICE), id), NOT_COVERED);
        set_covered(1_000);
        assert_ok!(Services::resume(by(ALICE), id));
    });
}

#[test]
fn refuses_strangers_and_the_same_again() {
    run(|| {
        let id = create(&[]);
        assert_noop!(Services::pause(by(BOB), id), Error::<Test>::NotOwner);
        assert_noop!(Services::resume(by(BOB), id), Error::<Test>::NotOwner);
        assert_noop!(Services::pause(RuntimeOrigin::none(), id), BadOrigin);
        assert_noop!(Services::resume(RuntimeOrigin::none(), id), BadOrigin);
        assert_noop!(
            Services::pause(by(ALICE), NOBODYS),
            Error::<Test>::UnknownService
        );
        assert_noop!(Services::resume(by(ALICE), id), Error::<Test>::NotPaused);
        assert_ok!(Services::pause(by(ALICE), id));
        assert_noop!(Services::pause(by(ALICE), id), Error::<Test>::AlreadyPaused);
    });
}
