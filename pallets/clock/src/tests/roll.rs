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
fn a_stop_of_the_chain_skips_epochs() {
    build(60_000, 4).execute_with(|| {
        block_at(START);
        block_at(START + 10 * 60_000 + 5);
        assert_eq!(told(), vec![(0, 10)]);
        assert_eq!(UsageClock::current(), Epoch(10));
        assert_eq!(UsageClock::era_of(Epoch(10)).0, 2);
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
    build(60_000, 4).execute_with(|| {
        block_at(START);
        Current::<Test>::put(Epoch(7));
        assert!(UsageClock::check_invariants()
            .unwrap_err()
            .starts_with("invariant 2"));
        EpochsPerEra::<Test>::put(0);
        assert!(UsageClock::check_invariants()
            .unwrap_err()
            .starts_with("invariant 1"));
    });
}
