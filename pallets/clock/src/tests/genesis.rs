//! What genesis accepts.

use crate::{mock::*, *};

#[test]
fn before_the_first_block_it_is_epoch_zero() {
    build(60_000, 4).execute_with(|| {
        assert_eq!(UsageClock::current(), Epoch(0));
        assert_eq!(UsageClock::length(), Millis(60_000));
        assert_eq!(UsageClock::epochs_per_era(), 4);
        assert_eq!(UsageClock::elapsed(), Millis(0));
        UsageClock::check_invariants().unwrap();
    });
}

#[test]
#[should_panic(expected = "invariant 1")]
fn an_epoch_below_a_second_is_refused() {
    build(999, 4);
}

#[test]
#[should_panic(expected = "invariant 1")]
fn an_era_without_epochs_is_refused() {
    build(60_000, 0);
}
