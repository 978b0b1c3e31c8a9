//! When an epoch begins, and who hears of it.

use crate::{mock::*, *};

const START: u64 = 1_700_000_000_123;

#[test]
fn the_first_timestamp_is_genesis_whatever_it_is() {
    build(60_000, 4).execute_with(|| {
        block_at(START);
        assert_eq!(Genesis::<Test>::get(), Some(Millis(START)));
        assert_eq!(UsageClock::current(), Epoch(0));
        assert_eq!(told(), vec![]);
        block_at(START + 59_999);
        assert_eq!(UsageClock::current(), Epoch(0));
        assert_eq!(UsageClock::elapsed(), Millis(59_999));
        assert_eq!(Genesis::<Test>::get(), Some(Millis(START)));
    });
}

#[test]
fn the_first_block_past_the_end_closes_the_epoch() {
    build(60_000, 4).execute_with(|| {
        block_at(START);
        block_at(START + 60_000);
        assert_eq!(UsageClock::current(), Epoch(1));
        assert_eq!(told(), vec![(0, 1)]);
        System::assert_last_event(
            Event::<Test>::EpochBegan {
                epoch: Epoch(1),
                ended: Epoch(0),
            }
            .into(),
        );
        assert_eq!(UsageClock::start_of(Epoch(1)), Millis(START + 60_000));
        assert_eq!(UsageClock::elapsed(), Millis(0));
        block_at(START + 63_000);
        assert_eq!(told(), vec![]);
        assert_eq!(UsageClock::elapsed(), Millis(3_000));
    });
}

#[test]
fn the_weight_of_an_epoch_is_counted_in_its_block() {
    build(60_000, 4).execute_with(|| {
        block_at(START);
        let before = System::block_weight()
            .get(DispatchClass::Mandatory)
            .ref_time();
        block_at(START + 60_000);
        let after = System::block_weight()
            .get(DispatchClass::Mandatory)
            .ref_time();
        assert!(after - before >= EPOCH_WEIGHT.ref_time());
    });
}

#[test]
fn each_invariant_can_fail() {
    let broken_by = |change: fn()| {
        build(60_000, 4).execute_with(|| {
            block_at(START);
            block_at(START + 60_000);
            change();
            UsageClock::check_invariants().unwrap_err()
        })
    };
    assert!(broken_by(|| EpochsPerEra::<Test>::put(0)).starts_with("invariant 1"));
    assert!(broken_by(|| Current::<Test>::put(Epoch(7))).starts_with("invariant 2"));
    assert!(broken_by(|| {
        Stood::<Test>::put(Millis(60_001));
        Current::<Test>::put(Epoch(0));
    })
    .starts_with("invariant 3"));
    assert!(broken_by(|| {
        for epoch in 0..=KEPT {
            Starts::<Test>::insert(Epoch(epoch), Millis(START));
        }
    })
    .starts_with("invariant 4"));
    assert!(
        broken_by(|| Starts::<Test>::insert(Epoch(0), Millis(START + 60_001)))
            .starts_with("invariant 4")
    );
}

#[test]
fn the_begins_of_the_last_epochs_are_kept() {
    build(60_000, 4).execute_with(|| {
        block_at(START);
        // Every epoch's first block comes a little late.
        for block in 1..=10 {
            block_at(START + block * 30_000 + 7);
        }
        let mut kept: Vec<_> = Starts::<Test>::iter_keys().collect();
        kept.sort();
        assert_eq!(kept, [Epoch(3), Epoch(4), Epoch(5)]);
        assert_eq!(UsageClock::began(Epoch(4)), Millis(START + 4 * 60_000));
        // What is forgotten, and what is to come, is reckoned.
        assert_eq!(UsageClock::began(Epoch(1)), Millis(START + 60_000));
        assert_eq!(UsageClock::began(Epoch(9)), Millis(START + 9 * 60_000));
    });
}
