use super::*;
use crate::types::MAX_PRICE_LISTS;
use pallet_edge_traits::ServiceInspect;

#[test]
fn numbers_lists_and_gives_notice() {
    run(|| {
        assert_ok!(Services::publish_prices(
            RuntimeOrigin::root(),
            Prices([9; 6])
        ));
        assert_eq!(
            last_event(),
            Event::PricesPublished {
                version: 2,
                effective: Epoch(13)
            }
        );
        let lists = Services::price_lists();
        assert_eq!(
            lists
                .iter()
                .map(|(list, _)| list.version)
                .collect::<Vec<_>>(),
            [1, 2]
        );
        assert_eq!(lists[0].1, Epoch(0));
        assert_eq!(lists[1].0.prices, Prices([9; 6]));
        let prices = <Services as ServiceInspect<_>>::prices;
        assert_eq!(prices(1), Some(Prices([1; 6])), "an old list never changes");
        assert_eq!(prices(0), None);
        assert_eq!(prices(3), None);
    });
}

#[test]
fn needs_the_price_origin() {
    run(|| {
        assert_noop!(
            Services::publish_prices(by(ALICE), Prices([9; 6])),
            BadOrigin
        );
        assert_noop!(
            Services::publish_prices(RuntimeOrigin::none(), Prices([9; 6])),
            BadOrigin
        );
    });
}

#[test]
fn there_is_a_bound() {
    run(|| {
        for _ in 1..MAX_PRICE_LISTS {
            assert_ok!(Services::publish_prices(
                RuntimeOrigin::root(),
                Prices::default()
            ));
        }
        assert_noop!(
            Services::publish_prices(RuntimeOrigin::root(), Prices::default()),
            Error::<Test>::TooManyPriceLists
        );
    });
}
