//! The order of replicas.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use selvedge_edge_core_budget::Share;
use selvedge_edge_core_choice::{Choice, Outcome, Replica, MOST_PEERS};
use selvedge_primitives_types::DeviceId;

pub fn device(number: u32) -> DeviceId {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    DeviceId(bytes)
}

pub fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub fn choice() -> Choice {
    let hedges = Share {
        percent: 5,
        burst: 5,
    };
    Choice::new(hedges, 7)
}

fn near(numbers: impl IntoIterator<Item = u32>) -> Vec<Replica> {
    let replica = |number| Replica {
        device: device(number),
        is_near: true,
    };
    numbers.into_iter().map(replica).collect()
}

/// An answer that took so long.
pub fn answer(choice: &mut Choice, number: u32, took: Duration, now: Duration) {
    choice.began(device(number), now);
    choice.replied(device(number), took, now);
    choice.ended(device(number), Outcome::Answered, took, now);
}

#[test]
fn of_two_the_one_that_answers_sooner_is_first() {
    let mut choice = choice();
    answer(&mut choice, 1, millis(20), millis(0));
    answer(&mut choice, 2, millis(5), millis(0));
    for _ in 0..50 {
        assert_eq!(
            choice.order(&near([1, 2]), millis(1)),
            [device(2), device(1)]
        );
    }
}

#[test]
fn what_runs_counts_as_time() {
    let mut choice = choice();
    answer(&mut choice, 1, millis(20), millis(0));
    answer(&mut choice, 2, millis(15), millis(0));
    choice.began(device(2), millis(0));
    assert_eq!(choice.order(&near([1, 2]), millis(1))[0], device(1));
    choice.ended(device(2), Outcome::Dropped, millis(1), millis(1));
    assert_eq!(choice.order(&near([1, 2]), millis(1))[0], device(2));
}

#[test]
fn a_slow_answer_counts_at_once_and_is_forgotten() {
    let mut choice = choice();
    for number in [1, 2] {
        answer(&mut choice, number, millis(5), millis(0));
    }
    answer(&mut choice, 1, millis(900), millis(0));
    for now in [1, 10_000, 30_000] {
        assert_eq!(
            choice.order(&near([1, 2]), millis(now))[0],
            device(2),
            "{now}"
        );
    }
    choice.began(device(2), millis(100_000));
    assert_eq!(choice.order(&near([1, 2]), millis(100_000))[0], device(1));
}

#[test]
fn who_is_unknown_is_tried() {
    let mut choice = choice();
    answer(&mut choice, 1, millis(1), millis(0));
    assert_eq!(choice.order(&near([1, 2]), millis(1))[0], device(2));
    choice.began(device(2), millis(1));
    assert_eq!(choice.order(&near([1, 2]), millis(1))[0], device(1));
}

#[test]
fn of_many_not_all_ask_the_same_one() {
    let mut choice = choice();
    for number in 0..8 {
        answer(
            &mut choice,
            number,
            millis(5 + u64::from(number)),
            millis(0),
        );
    }
    let replicas = near(0..8);
    let firsts = (0..200).map(|_| choice.order(&replicas, millis(1))[0]);
    let firsts: BTreeSet<_> = firsts.collect();
    assert!(firsts.len() >= 6, "{}", firsts.len());
    // The slowest loses against whoever is drawn with it.
    assert!(!firsts.contains(&device(7)));
}

#[test]
fn the_own_region_is_first_until_its_queue_is_longer_than_the_way() {
    let mut choice = choice();
    answer(&mut choice, 1, millis(5), millis(0));
    answer(&mut choice, 9, millis(80), millis(0));
    let far = Replica {
        device: device(9),
        is_near: false,
    };
    let replicas = [&near([1])[..], &[far]].concat();
    // 5 ms each: sixteen that wait are as long as the way there.
    for _ in 0..15 {
        assert_eq!(choice.order(&replicas, millis(1))[0], device(1));
        choice.began(device(1), millis(1));
    }
    for _ in 0..3 {
        choice.began(device(1), millis(1));
    }
    assert_eq!(choice.order(&replicas, millis(1))[0], device(9));
}

#[test]
fn who_cannot_be_reached_comes_last_and_is_not_ejected() {
    let mut choice = choice();
    answer(&mut choice, 1, millis(5), millis(0));
    for number in 2..5 {
        answer(&mut choice, number, millis(5), millis(0));
    }
    for _ in 0..20 {
        choice.began(device(2), millis(0));
        assert!(!choice.ended(device(2), Outcome::Away, millis(1), millis(0)));
    }
    assert!(!choice.is_ejected(&device(2), millis(0)));
    for _ in 0..20 {
        assert_eq!(choice.order(&near(1..5), millis(1))[3], device(2));
    }
}

#[test]
fn hedges_are_a_share_of_what_is_asked() {
    let mut choice = choice();
    let mut taken = 0;
    for _ in 0..1_000 {
        answer(&mut choice, 1, millis(5), millis(0));
        taken += u32::from(choice.take_hedge());
    }
    assert!((50..=55).contains(&taken), "{taken}");
    let late = choice.late_after(&device(1)).unwrap();
    assert!((millis(5)..=millis(7)).contains(&late), "{late:?}");
    assert_eq!(choice.late_after(&device(2)), None);
}

#[test]
fn no_more_peers_are_remembered_than_there_is_room_for() {
    let mut choice = choice();
    for number in 0..MOST_PEERS as u32 + 10 {
        answer(&mut choice, number, millis(5), millis(u64::from(number)));
    }
    // The first are forgotten: they are unknown again.
    let order = choice.order(&near([0, 5_000]), millis(5_000));
    assert_eq!(order.len(), 2);
    choice.began(device(0), millis(5_000));
    assert!(choice.late_after(&device(0)).is_none());
}

proptest! {
    #[test]
    fn every_replica_is_in_the_order_once(
        replicas in prop::collection::vec((0u32..12, any::<bool>()), 0..20),
        steps in prop::collection::vec((0u32..12, 0u8..5, 0u64..2_000), 0..200),
        seed in any::<u64>(),
    ) {
        let replicas: Vec<_> = replicas.into_iter().map(|(number, is_near)| Replica {
            device: device(number),
            is_near,
        }).collect();
        let mut choices = [(); 2].map(|()| Choice::new(Share::NONE, seed));
        let mut now = millis(0);
        for (number, outcome, took) in steps {
            let outcome = [Outcome::Answered, Outcome::Failed, Outcome::Faulty, Outcome::Dropped, Outcome::Away]
                [usize::from(outcome)];
            now += millis(took);
            for choice in &mut choices {
                choice.began(device(number), now);
                choice.ended(device(number), outcome, millis(took), now);
            }
        }
        let order = choices[0].order(&replicas, now);
        prop_assert_eq!(&choices[1].order(&replicas, now), &order);
        let distinct: BTreeSet<_> = replicas.iter().map(|replica| replica.device).collect();
        prop_assert_eq!(order.len(), distinct.len());
        prop_assert_eq!(order.into_iter().collect::<BTreeSet<_>>(), distinct);
    }
}
