use super::*;

fn closed(upheld: bool) -> Event<Test> {
    Event::DisputeClosed {
        gateway: device(1),
        epoch: EPOCH,
        customer: account(4),
        service: SERVICE,
        bond: 500,
        upheld,
    }
}

#[test]
fn the_bond_goes_back_when_the_commitment_is_void() {
    for fate in [Fate::Void, Fate::Missing] {
        run(|| {
            line(1_000);
            assert_ok!(dispute(4, 500));
            set_fate(device(1), EPOCH, fate);
            assert_ok!(close());
            assert_eq!((balance(4), held(4)), (10_000, 0));
            assert_eq!(last_event(), closed(true));
            assert_eq!(ToBurn::<Test>::iter().count(), 0);
            assert_noop!(close(), Error::<Test>::UnknownDispute);
        });
    }
}

#[test]
fn the_bond_is_burnt_when_the_commitment_was_paid() {
    run(|| {
        line(1_000);
        assert_ok!(dispute(4, 500));
        let issued = Balances::total_issuance();
        paid(&trees(&[(device(2), 1_000)]), 0);
        assert_ok!(close());
        assert_eq!((balance(4), held(4)), (9_500, 0));
        assert_eq!(Balances::total_issuance(), issued - 500);
        assert_eq!(last_event(), closed(false));
        assert_eq!(Disputes::<Test>::iter().count(), 0);
    });
}

#[test]
fn nothing_is_decided_before_the_commitment_has_come_to_an_end() {
    run(|| {
        assert_noop!(close(), Error::<Test>::UnknownDispute);
        line(1_000);
        assert_ok!(dispute(4, 500));
        assert_noop!(close(), Error::<Test>::NotDecided);
        let call = Call::close_dispute {
            gateway: device(1),
            epoch: EPOCH,
            customer: account(4),
            service: SERVICE,
        };
        assert_noop!(
            dispatch(RuntimeOrigin::none(), call),
            DispatchError::BadOrigin
        );
    });
}
