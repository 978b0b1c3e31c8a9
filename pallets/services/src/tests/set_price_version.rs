use super::*;

fn published() {
    assert_ok!(Services::publish_prices(
        RuntimeOrigin::root(),
        Prices([2; 6])
    ));
}

#[test]
fn may_pin_a_list_for_the_epoch_it_takes_effect_in() {
    run(|| {
        let id = create(&[]);
        published();
        // Published in epoch 10 with two epochs of notice: in force from 13 on.
        go_to(11);
        assert_noop!(
            Services::set_price_version(by(ALICE), id, 2),
            Error::<Test>::PriceListNotInForce
        );
        go_to(12);
        assert_ok!(Services::set_price_version(by(ALICE), id, 2));
        let event = Event::PriceVersionSet {
            service: id,
            price_version: 2,
            from: Epoch(13),
        };
        assert_eq!(last_event(), event);
        assert_eq!(summary(id).terms.price_version, 1);
        go_to(13);
        assert_eq!(summary(id).terms.price_version, 2);
        assert_ok!(Services::set_price_version(by(ALICE), id, 1));
    });
}

#[test]
fn refuses_strangers_unknown_lists_and_the_same_again() {
    run(|| {
        let id = create(&[]);
        assert_noop!(
            Services::set_price_version(by(BOB), id, 1),
            Error::<Test>::NotOwner
        );
        assert_noop!(
            Services::set_price_version(RuntimeOrigin::none(), id, 1),
            BadOrigin
        );
        assert_noop!(
            Services::set_price_version(by(ALICE), NOBODYS, 1),
            Error::<Test>::UnknownService
        );
        for version in [0, 2, u32::MAX] {
            assert_noop!(
                Services::set_price_version(by(ALICE), id, version),
                Error::<Test>::UnknownPriceList
            );
        }
        assert_noop!(
            Services::set_price_version(by(ALICE), id, 1),
            Error::<Test>::Unchanged
        );
    });
}
