//! How the close of an era is spread over blocks.

use crate::{mock::*, *};
use frame_support::weights::RuntimeDbWeight;
use pallet_edge_mocks::Network;
use pallet_edge_traits::{OnEpoch, OnMatured};

fn many(nodes: u8) {
    for id in 1..=nodes {
        node(id, Role::Cache);
        Reputation::on_matured(&device(id), Epoch(0), id.into(), 0);
    }
}

#[test]
fn an_epoch_within_an_era_closes_nothing() {
    run(|| {
        many(3);
        for epoch in 1..24 {
            begin(epoch);
            assert!(!Close::<Test>::exists());
        }
        begin(24);
        assert!(Close::<Test>::exists());
    });
}

#[test]
fn a_block_looks_at_no_more_nodes_than_it_may() {
    run(|| {
        NodesPerBlock::set(10);
        many(100);
        begin(24);
        let db: RuntimeDbWeight = <Test as frame_system::Config>::DbWeight::get();
        let most = weights::SubstrateWeight::<Test>::page(10).saturating_add(db.reads(1));
        let mut blocks = 0;
        while Close::<Test>::exists() {
            let before = Scores::<Test>::iter().count();
            assert!(block().all_lte(most));
            assert!(Scores::<Test>::iter().count() - before <= 10);
            blocks += 1;
        }
        assert!(blocks > 20, "{blocks}");
        assert_eq!(Scores::<Test>::iter().count(), 100);
        System::assert_last_event(
            Event::<Test>::EraScored {
                era: Era(0),
                nodes: 100,
            }
            .into(),
        );
        assert_eq!(Matured::<Test>::iter().count(), 0);
    });
}

#[test]
fn the_result_does_not_depend_on_the_number_of_blocks() {
    let scores = |nodes_per_block| {
        let mut scores = Vec::new();
        run(|| {
            NodesPerBlock::set(nodes_per_block);
            many(70);
            close_at(24);
            scores = (1..=70).map(service).collect();
        });
        scores
    };
    assert_eq!(scores(1), scores(1_000));
}

#[test]
fn a_full_block_leaves_the_close_where_it_is() {
    run(|| {
        many(3);
        begin(24);
        let before = Close::<Test>::get();
        let mut meter = WeightMeter::with_limit(Weight::from_parts(1_000, 1_000));
        Reputation::on_poll(1, &mut meter);
        assert_eq!(Close::<Test>::get(), before);
        assert!(meter.consumed().is_zero());
    });
}

#[test]
fn an_era_that_ends_during_a_close_is_closed_with_the_next() {
    run(|| {
        many(3);
        begin(24);
        Reputation::on_matured(&device(1), Epoch(0), 7, 0);
        begin(48);
        assert_eq!(
            Close::<Test>::get().map(|closing| closing.era),
            Some(Era(0))
        );
        while Close::<Test>::exists() {
            block();
        }
        assert_eq!(Matured::<Test>::get(Period::<Test>::get(), stake(1)), 7);
        begin(72);
        let closing = Close::<Test>::get().unwrap();
        assert_eq!(
            (closing.era, closing.from, closing.to),
            (Era(2), Epoch(24), Epoch(71))
        );
    });
}

#[test]
fn a_stop_of_the_chain_closes_one_era() {
    run(|| {
        many(3);
        Network::set_now(selvedge_primitives_types::Millis(500 * EPOCH));
        Reputation::on_epoch(Epoch(3), Epoch(500));
        let closing = Close::<Test>::get().unwrap();
        assert_eq!(
            (closing.era, closing.from, closing.to),
            (Era(0), Epoch(0), Epoch(3))
        );
        while Close::<Test>::exists() {
            block();
        }
        assert_eq!(PeriodStart::<Test>::get(), Epoch(500));
    });
}

#[test]
fn a_node_that_leaves_during_the_close_is_left_out() {
    run(|| {
        many(5);
        NodesPerBlock::set(1);
        begin(24);
        block();
        Network::remove(device(3));
        while Close::<Test>::exists() {
            block();
        }
        assert_eq!(Scores::<Test>::iter().count(), 4);
        assert_eq!(Matured::<Test>::iter().count(), 0);
    });
}
