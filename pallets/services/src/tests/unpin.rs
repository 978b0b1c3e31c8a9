use super::*;

#[test]
fn gives_the_deposit_back_as_it_was_held() {
    run(|| {
        let id = create(&[]);
        pin_directory(id, 1);
        pin_directory(id, 2);
        crate::mock::PinDeposit::set(&1);
        assert_ok!(Services::unpin(by(ALICE), id, [1; 32]));
        assert_eq!(
            last_event(),
            Event::ContentUnpinned {
                service: id,
                root: [1; 32]
            }
        );
        assert_eq!(on_hold(&ALICE), 107);
        assert_eq!(
            Services::content_of(id).pins,
            [pin_of(2, ContentKind::Directory)]
        );
        assert_eq!(crate::PinCount::<Test>::get(), 1);
    });
}

#[test]
fn what_is_in_use_stays() {
    run(|| {
        let id = create(&[]);
        pin_directory(id, 1);
        assert_ok!(Services::pin(by(ALICE), id, pin_of(2, ContentKind::File)));
        assert_ok!(Services::set_site(by(ALICE), id, Some([1; 32])));
        assert_ok!(Services::set_rules(by(ALICE), id, Some([2; 32])));
        for root in [[1; 32], [2; 32]] {
            assert_noop!(
                Services::unpin(by(ALICE), id, root),
                Error::<Test>::StillPointedAt
            );
        }
        assert_ok!(Services::set_site(by(ALICE), id, None));
        assert_ok!(Services::unpin(by(ALICE), id, [1; 32]));
    });
}

#[test]
fn refuses_strangers_and_what_is_not_pinned() {
    run(|| {
        let id = create(&[]);
        pin_directory(id, 1);
        assert_noop!(
            Services::unpin(by(BOB), id, [1; 32]),
            Error::<Test>::NotOwner
        );
        assert_noop!(
            Services::unpin(RuntimeOrigin::none(), id, [1; 32]),
            BadOrigin
        );
        assert_noop!(
            Services::unpin(by(ALICE), NOBODYS, [1; 32]),
            Error::<Test>::UnknownService
        );
        assert_noop!(
            Services::unpin(by(ALICE), id, [2; 32]),
            Error::<Test>::NotPinned
        );
        let other = create(&[]);
        assert_noop!(
            Services::unpin(by(ALICE), other, [1; 32]),
            Error::<Test>::NotPinned
        );
    });
}
