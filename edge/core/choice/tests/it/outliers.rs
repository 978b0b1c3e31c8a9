//! Who is left out.

use std::time::Duration;

use proptest::prelude::*;
use selvedge_edge_core_choice::{Choice, Outcome, Replica, LONGEST_EJECTION, MOST_IN_A_ROW};

use crate::choice::{answer, choice, device, millis};

fn end(choice: &mut Choice, number: u32, outcome: Outcome, now: Duration) -> bool {
    choice.began(device(number), now);
    choice.ended(device(number), outcome, millis(1), now)
}

fn known(peers: u32) -> Choice {
    let mut choice = choice();
    for number in 0..peers {
        answer(&mut choice, number, millis(5), millis(0));
    }
    choice
}

#[test]
fn who_fails_five_times_in_a_row_is_left_out_for_a_while() {
    let mut choice = known(4);
    for _ in 1..MOST_IN_A_ROW {
        assert!(!end(&mut choice, 1, Outcome::Failed, millis(0)));
    }
    // One success begins the row anew.
    answer(&mut choice, 1, millis(5), millis(0));
    for _ in 1..MOST_IN_A_ROW {
        assert!(!end(&mut choice, 1, Outcome::Failed, millis(0)));
    }
    assert!(end(&mut choice, 1, Outcome::Failed, millis(0)));
    assert!(choice.is_ejected(&device(1), millis(9_999)));
    assert!(!choice.is_ejected(&device(1), millis(10_000)));
}

#[test]
fn who_is_left_out_comes_after_all_others() {
    let mut choice = known(4);
    assert!(end(&mut choice, 1, Outcome::Faulty, millis(0)));
    let replica = |number, is_near| Replica {
        device: device(number),
        is_near,
    };
    let replicas = [replica(1, true), replica(2, false), replica(3, false)];
    for _ in 0..20 {
        assert_eq!(choice.order(&replicas, millis(1))[2], device(1));
    }
    assert_eq!(choice.order(&replicas, millis(10_000))[0], device(1));
}

#[test]
fn one_wrong_answer_is_enough() {
    let mut choice = known(4);
    assert!(choice.fault(device(1), millis(0)));
    assert!(!choice.fault(device(1), millis(0)));
    assert!(!choice.fault(device(99), millis(0)));
    assert_eq!(choice.ejected(millis(0)), 1);
}

#[test]
fn each_time_is_longer_up_to_a_minute_and_is_forgiven() {
    let mut choice = known(4);
    let mut now = millis(0);
    for time in [10, 20, 30, 40, 50, 60, 60] {
        assert!(choice.fault(device(1), now));
        let over = now + Duration::from_secs(time);
        assert!(choice.is_ejected(&device(1), over - millis(1)));
        assert!(!choice.is_ejected(&device(1), over));
        now = over;
    }
    for _ in 0..10 {
        now += Duration::from_secs(10);
        answer(&mut choice, 1, millis(5), now);
    }
    assert!(choice.fault(device(1), now));
    assert!(!choice.is_ejected(&device(1), now + Duration::from_secs(10)));
}

#[test]
fn no_more_than_a_third_are_left_out() {
    let mut choice = known(9);
    let out = (0..9).filter(|number| choice.fault(device(*number), millis(0)));
    assert_eq!(out.count(), 3);
    // Where one is over, there is room.
    assert!(choice.fault(device(8), millis(10_000)));
    assert!(!known(2).fault(device(0), millis(0)));
}

#[test]
fn who_fails_clearly_more_often_than_its_peers_is_left_out() {
    let mut choice = known(6);
    // Every fifth answer of one fails, and every fortieth of the others.
    for turn in 0..200 {
        for number in 0..6 {
            let is_failure = turn % if number == 3 { 5 } else { 40 } == 0;
            let outcome = if is_failure {
                Outcome::Failed
            } else {
                Outcome::Answered
            };
            assert!(!end(&mut choice, number, outcome, millis(1)));
        }
    }
    end(&mut choice, 0, Outcome::Answered, millis(10_001));
    let out = (0..6).filter(|number| choice.is_ejected(&device(*number), millis(10_001)));
    assert_eq!(out.collect::<Vec<_>>(), [3]);
}

#[test]
fn who_fails_as_often_as_all_is_not_left_out() {
    let mut choice = known(6);
    for turn in 0..200 {
        for number in 0..6 {
            let outcome = match (turn + number) % 4 {
                0 => Outcome::Failed,
                _ => Outcome::Answered,
            };
            end(&mut choice, number, outcome, millis(1));
        }
    }
    end(&mut choice, 0, Outcome::Answered, millis(10_001));
    assert_eq!(choice.ejected(millis(10_001)), 0);
}

proptest! {
    #[test]
    fn never_more_than_a_third_and_never_for_longer_than_is_said(
        peers in 1u32..20,
        faults in prop::collection::vec((0u32..20, 0u64..30_000), 0..200),
    ) {
        let mut choice = known(peers);
        let mut now = millis(0);
        for (number, passed) in faults {
            now += millis(passed);
            choice.fault(device(number), now);
            prop_assert!(choice.ejected(now) <= peers as usize / 3);
        }
        prop_assert_eq!(choice.ejected(now + LONGEST_EJECTION), 0);
    }
}
