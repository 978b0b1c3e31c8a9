//! How the close of an era is spread over blocks.

use crate::{mock::*, *};
use frame_support::weights::RuntimeDbWeight;
use pallet_edge_mocks::Network;

fn many(nodes: u8) {
    for id in 1..=nodes {
        node(id, Role::Cache, 100 * SEL);
        matured(id, 1_000 * SEL);
    }
}

#[test]
fn an_epoch_within_an_era_closes_nothing() {
    run(|| {
        many(3);
        for epoch in 1..10 {
            begin(epoch);
            assert!(!Close::<Test>::exists());
        }
        begin(10);
        assert!(Close::<Test>::exists());
    });
}

#[test]
fn a_block_looks_at_no_more_nodes_than_it_may() {
    run(|| {
        NodesPerBlock::set(10);
        many(100);
        begin(10);
        let db: RuntimeDbWeight = <Test as frame_system::Config>::DbWeight::get();
        type Weights = weights::SubstrateWeight<Test>;
        let page = Weights::claims(10).max(Weights::grants(10));
        let most = page.saturating_add(db.reads(2));
        let mut blocks = 0;
        while Close::<Test>::exists() {
            let before = Payouts::<Test>::iter().count();
            assert!(block().all_lte(most));
            assert!(Payouts::<Test>::iter().count() - before <= 10);
            blocks += 1;
        }
        assert!(blocks >= 20, "{blocks}");
        assert_eq!(Payouts::<Test>::iter().count(), 100);
        assert_eq!(LastEra::<Test>::get().unwrap().nodes, 100);
        assert_eq!(Matured::<Test>::iter().count(), 0);
    });
}

#[test]
fn the_result_does_not_depend_on_the_number_of_blocks() {
    let granted = |nodes_per_block| {
        let mut granted = Vec::new();
        run_with(1_000 * SEL, || {
            NodesPerBlock::set(nodes_per_block);
            many(70);
            close_at(10);
            granted = (1..=70).map(payable).collect();
        });
        granted
    };
    assert_eq!(granted(1), granted(1_000));
}

#[test]
fn a_full_block_leaves_the_close_where_it_is() {
    run(|| {
        many(3);
        begin(10);
        let before = Close::<Test>::get();
        let mut meter = WeightMeter::with_limit(Weight::from_parts(1_000, 1_000));
        NodeYields::on_poll(1, &mut meter);
        assert_eq!(Close::<Test>::get(), before);
    });
}

#[test]
fn charges_of_the_next_era_wait_for_it() {
    run(|| {
        node(1, Role::Cache, 100_000 * SEL);
        matured(1, 1_000 * SEL);
        begin(10);
        matured(1, 4_000 * SEL);
        while Close::<Test>::exists() {
            block();
        }
        close_at(20);
        let matured: Vec<_> = NodeYields::earnings_of(stake(1))
            .iter()
            .map(|era| era.basis.brought.amount / SEL)
            .collect();
        assert_eq!(matured, [4_000, 1_000]);
    });
}

#[test]
fn an_era_that_ends_during_a_close_is_closed_with_the_next() {
    run(|| {
        node(1, Role::Cache, 100 * SEL);
        begin(10);
        begin(20);
        while Close::<Test>::exists() {
            block();
        }
        assert_eq!(payable(1), 5 * SEL);
        close_at(30);
        assert_eq!(payable(1), 15 * SEL);
    });
}

#[test]
fn history_holds_the_last_84_eras() {
    run(|| {
        node(1, Role::Cache, 100 * SEL);
        for era in 1..=90 {
            close_at(10 * era);
        }
        let history = NodeYields::earnings_of(stake(1));
        assert_eq!(history.len(), 84);
        assert_eq!((history[0].era, history[83].era), (Era(89), Era(6)));
    });
}

#[test]
fn a_node_that_leaves_after_its_claim_was_noted_is_paid() {
    run(|| {
        many(2);
        NodesPerBlock::set(8);
        begin(10);
        while !matches!(
            Close::<Test>::get(),
            Some(Closing {
                step: Step::Grant,
                ..
            })
        ) {
            block();
        }
        Network::remove(device(1));
        while Close::<Test>::exists() {
            block();
        }
        assert!(payable(1) > 0);
    });
}

#[test]
fn an_era_is_paid_when_its_scores_are_made() {
    run(|| {
        many(2);
        begin(10);
        Network::set_pending(true);
        (0..9).for_each(|_| {
            block();
        });
        assert_eq!(payable(1), 0);
        Network::set_pending(false);
        close_at(10);
        assert!(payable(1) > 0);
    });
}
