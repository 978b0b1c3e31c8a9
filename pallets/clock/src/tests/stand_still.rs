//! What does not count: time under the brake, and stops of the chain.

use crate::{mock::*, *};

const START: u64 = 1_700_000_000_123;
const EPOCH: u64 = 60_000;

#[test]
fn time_under_the_brake_does_not_count() {
    build(EPOCH, 4).execute_with(|| {
        block_at(START);
        block_at(START + 20_000);
        brake(true);
        // An hour of blocks.
        for block in 1..=1_200 {
            block_at(START + 20_000 + block * 3_000);
            assert_eq!(UsageClock::elapsed(), Millis(20_000));
            assert_eq!(UsageClock::current(), Epoch(0));
        }
        assert_eq!(Stood::<Test>::get(), Millis(3_600_000));
        assert_eq!(told(), vec![]);
        brake(false);
        let now = START + 20_000 + 3_600_000;
        block_at(now + 3_000);
        assert_eq!(UsageClock::elapsed(), Millis(23_000));
        assert_eq!(UsageClock::now(), Millis(START + 23_000));
        assert_eq!(UsageClock::block_time(), Millis(now + 3_000));
        // The epoch ends as much later.
        block_at(now + 39_999);
        assert_eq!(UsageClock::current(), Epoch(0));
        block_at(now + 40_000);
        assert_eq!(told(), vec![(0, 1)]);
        assert_eq!(UsageClock::elapsed(), Millis(0));
    });
}

#[test]
fn a_stop_of_the_chain_counts_as_a_step() {
    build(EPOCH * 10, 4).execute_with(|| {
        block_at(START);
        block_at(START + STEP);
        assert_eq!(Stood::<Test>::get(), Millis(0));
        block_at(START + STEP + 365 * 24 * 3_600_000);
        assert_eq!(UsageClock::elapsed(), Millis(2 * STEP));
        assert_eq!(UsageClock::current(), Epoch(0));
    });
}

#[test]
fn no_stop_of_the_chain_skips_an_epoch() {
    // Epochs that are shorter than a step.
    build(STEP / 10, 4).execute_with(|| {
        block_at(START);
        for epoch in 1..=5 {
            block_at(START + epoch * 1_000_000_000);
            assert_eq!(told(), vec![(epoch - 1, epoch)]);
            assert_eq!(UsageClock::current(), Epoch(epoch));
        }
    });
}

#[test]
fn moments_are_shown_in_block_time() {
    build(EPOCH, 4).execute_with(|| {
        block_at(START);
        block_at(START + 50_000);
        brake(true);
        block_at(START + 90_000);
        // Ten seconds are left.
        assert_eq!(UsageClock::epoch_start(), Millis(START + 40_000));
        assert_eq!(UsageClock::began(Epoch(0)), Millis(START));
        assert_eq!(UsageClock::began(Epoch(1)), Millis(START + 100_000));
        brake(false);
        block_at(START + 100_500);
        assert_eq!(UsageClock::current(), Epoch(1));
        assert_eq!(UsageClock::epoch_start(), Millis(START + 100_000));
        // What was is told as it was, however long the clock stands still later.
        brake(true);
        block_at(START + 1_000_000);
        assert_eq!(UsageClock::began(Epoch(0)), Millis(START));
        assert_eq!(UsageClock::began(Epoch(1)), Millis(START + 100_000));
        assert!(UsageClock::epoch_start() > Millis(START + 100_000));
    });
}

#[test]
fn a_chain_without_a_last_timestamp_loses_nothing() {
    build(EPOCH, 4).execute_with(|| {
        block_at(START);
        Seen::<Test>::kill();
        block_at(START + 30_000);
        assert_eq!(Stood::<Test>::get(), Millis(0));
        assert_eq!(UsageClock::elapsed(), Millis(30_000));
    });
}

#[test]
fn every_block_pays_for_the_clock() {
    build(EPOCH, 4).execute_with(|| {
        block_at(START);
        let mandatory = || {
            System::block_weight()
                .get(DispatchClass::Mandatory)
                .ref_time()
        };
        let before = mandatory();
        block_at(START + 1);
        assert!(mandatory() - before >= <Test as Config>::WeightInfo::tick().ref_time());
    });
}
