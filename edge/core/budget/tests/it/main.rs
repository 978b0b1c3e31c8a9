//! What holds for every budget and every row of times.

use proptest::prelude::*;
use selvedge_edge_core_budget::{Budget, Latency, Share};

#[derive(Clone, Debug)]
enum Step {
    Came,
    Take,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![Just(Step::Came), Just(Step::Take)];
    prop::collection::vec(step, 0..2_000)
}

#[test]
fn a_fifth_of_the_traffic_is_a_fifth() {
    let mut budget = Budget::new(Share {
        percent: 20,
        burst: 10,
    });
    let mut granted = 0;
    for _ in 0..1_000 {
        budget.came();
        granted += u32::from(budget.take());
    }
    assert!((200..=210).contains(&granted), "{granted}");
}

#[test]
fn nothing_is_nothing() {
    let mut budget = Budget::new(Share::NONE);
    (0..1_000).for_each(|_| budget.came());
    assert!(!budget.take());
}

#[test]
fn little_is_known_of_few_answers() {
    let mut latency = Latency::default();
    for _ in 0..31 {
        latency.record(1_000);
        assert_eq!(latency.percentile(95), None);
    }
    latency.record(1_000);
    assert!(latency.percentile(95).is_some());
}

#[test]
fn it_follows_a_peer_that_has_become_slower() {
    let mut latency = Latency::default();
    (0..5_000).for_each(|_| latency.record(500));
    (0..3_000).for_each(|_| latency.record(50_000));
    let late = latency.percentile(95).unwrap();
    assert!((50_000..=62_500).contains(&late), "{late}");
    (0..8_000).for_each(|_| latency.record(500));
    let late = latency.percentile(95).unwrap();
    assert!((500..=625).contains(&late), "{late}");
}

proptest! {
    /// Invariant 1, over every part of the row.
    #[test]
    fn no_more_is_granted_than_the_share_and_the_burst(
        steps in steps(),
        percent in 0u32..=100,
        burst in 0u32..50,
    ) {
        let mut budget = Budget::new(Share { percent, burst });
        let (mut came, mut granted) = (0u64, 0u64);
        for step in steps {
            match step {
                Step::Came => { budget.came(); came += 1 }
                Step::Take => granted += u64::from(budget.take()),
            }
            prop_assert!(granted * 100 <= u64::from(burst) * 100 + came * u64::from(percent));
        }
    }

    /// Invariant 2.
    #[test]
    fn what_was_not_used_is_the_burst_again(steps in steps(), percent in 1u32..=100, burst in 1u32..50) {
        let mut budget = Budget::new(Share { percent, burst });
        for step in steps {
            match step {
                Step::Came => budget.came(),
                Step::Take => drop(budget.take()),
            }
        }
        (0..burst * 100).for_each(|_| budget.came());
        let granted = (0..burst + 10).filter(|_| budget.take()).count();
        prop_assert_eq!(granted, burst as usize);
    }

    /// Invariant 3, against the times themselves.
    #[test]
    fn a_percentile_is_that_of_the_times_and_at_most_a_quarter_longer(
        mut times in prop::collection::vec(4u64..100_000_000, 32..1_000),
        percent in 1u32..=100,
    ) {
        let mut latency = Latency::default();
        times.iter().for_each(|micros| latency.record(*micros));
        times.sort_unstable();
        let place = (times.len() as u64 * u64::from(percent)).div_ceil(100) as usize;
        let exact = times[place - 1];
        let told = latency.percentile(percent).unwrap();
        prop_assert!(told >= exact && told <= exact + exact / 4 + 1, "{told} of {exact}");
    }

    #[test]
    fn no_time_is_too_long(micros in any::<u64>()) {
        let mut latency = Latency::default();
        (0..40).for_each(|_| latency.record(micros));
        prop_assert!(latency.percentile(95).is_some());
    }
}
