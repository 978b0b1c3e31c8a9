//! A log takes orders in any order, and never lets escape what one of them is about.

use proptest::prelude::*;
use selvedge_edge_core_purge::{key_id, Limits, Log, Offer, Tags, Verdict};
use selvedge_primitives_types::{
    DeviceId, InvalidKeys, Millis, PurgeAuthor, PurgeKind, PurgeMode, PurgeOrder, PurgeRequest,
    ServiceId, Signature64, SignedPurgeOrder, SignedPurgeRequest,
};

const KEY: &[u8] = b"http://a.test/";

fn order(number: u64, after: u64, owner: u8) -> SignedPurgeOrder {
    let mut nonce = [owner; 16];
    nonce[..8].copy_from_slice(&number.to_le_bytes());
    SignedPurgeOrder {
        order: PurgeOrder {
            signed: SignedPurgeRequest {
                request: PurgeRequest {
                    service: ServiceId(1),
                    kind: PurgeKind::Url(KEY.to_vec()),
                    mode: PurgeMode::Hard,
                    issued: Millis(number),
                    nonce,
                },
                author: PurgeAuthor::Ed25519(Signature64::default()),
            },
            number,
            after,
            owner: DeviceId([owner; 32]),
        },
        signature: Signature64::default(),
    }
}

fn verdict(log: &Log, generation: u64) -> Verdict {
    log.verdict(generation, KEY, &Tags::default())
}

#[test]
fn orders_of_one_owner_may_overtake_each_other() {
    let mut log = Log::default();
    assert_eq!(log.offer(order(30, 20, 1)), Offer::Taken);
    assert!(!log.is_whole());
    assert_eq!(log.version(), 2);
    assert_eq!(log.offer(order(10, 0, 1)), Offer::Taken);
    assert_eq!(log.offer(order(20, 10, 1)), Offer::Taken);
    assert!(log.is_whole());
    assert_eq!(log.offer(order(20, 10, 1)), Offer::Known);
    assert_eq!(verdict(&log, 29), Verdict::Gone { below: 30 });
    assert_eq!(verdict(&log, 30), Verdict::Current);
    assert_eq!(log.next(5, 0), 31);
    assert_eq!(log.next(50, 60), 61);
}

#[test]
fn another_owners_lower_number_is_ordered_again() {
    let mut log = Log::default();
    log.offer(order(30, 0, 2));
    // What a gateway fetched under 30 may be older than this.
    assert_eq!(log.offer(order(20, 0, 1)), Offer::Superseded(30));
    assert_eq!(log.offer(order(31, 20, 1)), Offer::Taken);
    // Now it is known that it came before 31; but what was fetched under 30 is still there.
    assert_eq!(verdict(&log, 30), Verdict::Gone { below: 31 });
}

#[test]
fn what_an_order_that_was_missed_may_be_about_is_doubtful() {
    let mut log = Log::default();
    let other = b"http://a.test/other";
    log.offer(order(30, 0, 2));
    assert_eq!(log.verdict(30, other, &Tags::default()), Verdict::Current);
    assert!(log.learn(order(20, 0, 1)));
    assert_eq!(log.verdict(30, other, &Tags::default()), Verdict::Doubtful);
    // What is fetched from now on is not.
    assert_eq!(
        log.verdict(log.top(), other, &Tags::default()),
        Verdict::Current
    );
    assert!(!log.learn(order(20, 0, 1)));
}

#[test]
fn another_purge_with_the_same_number_is_not_taken_for_known() {
    let mut log = Log::default();
    assert_eq!(log.offer(order(30, 0, 1)), Offer::Taken);
    assert_eq!(log.offer(order(30, 0, 1)), Offer::Known);
    assert_eq!(log.offer(order(30, 0, 2)), Offer::Superseded(30));
}

#[test]
fn two_owners_give_different_numbers() {
    let log = Log::default();
    let number = |owner, now| log.next_of(&DeviceId([owner; 32]), now, 0);
    for now in 0..3_000 {
        let (one, two) = (number(1, now), number(2, now));
        assert!(one != two && one >= now && one < now + 1_024);
    }
}

#[test]
fn a_gap_makes_doubtful_until_it_is_filled() {
    let mut log = Log::default();
    let other = b"http://a.test/other";
    log.offer(order(30, 20, 1));
    assert_eq!(log.verdict(10, other, &Tags::default()), Verdict::Doubtful);
    assert_eq!(log.verdict(20, other, &Tags::default()), Verdict::Current);
    assert_eq!(verdict(&log, 10), Verdict::Gone { below: 30 });
    log.learn(order(20, 0, 1));
    assert_eq!(log.verdict(10, other, &Tags::default()), Verdict::Current);
}

#[test]
fn an_operators_purge_and_hearsay_raise_the_number() {
    let mut log = Log::default();
    assert_eq!(log.purge_here(100), 100);
    assert_eq!(verdict(&log, 99), Verdict::Gone { below: 100 });
    assert!(log.hear_of(200) && !log.hear_of(150));
    assert_eq!(verdict(&log, 150), Verdict::Doubtful);
    assert_eq!(verdict(&log, 200), Verdict::Current);
    assert_eq!(log.purge_here(100), 201);
    assert_eq!(log.offer(order(150, 0, 1)), Offer::Superseded(201));
}

#[test]
fn the_same_request_has_one_order() {
    let mut log = Log::default();
    let first = order(30, 0, 1);
    log.offer(first.clone());
    assert_eq!(log.ordered(first.request()), Some(&first));
    let changed = PurgeRequest {
        mode: PurgeMode::Soft,
        ..first.request().clone()
    };
    assert_eq!(log.ordered(&changed), None);
}

#[test]
fn a_log_is_bounded_and_drops_into_its_base() {
    let mut log = Log::default();
    let mut after = 0;
    for number in 1..=10_000 {
        assert_eq!(log.offer(order(number, after, 1)), Offer::Taken);
        after = number;
    }
    assert!(log.numbers().count() <= 4_096);
    assert!(log.is_whole());
    let base = log.base().unwrap().order.number;
    assert!(base > 5_000 && log.has(1) && log.has(base) && log.has(10_000));
    // Everything below the base is gone, whatever its key.
    let found = log.verdict(base - 1, b"http://a.test/other", &Tags::default());
    assert_eq!(found, Verdict::Gone { below: base });
    assert_eq!(
        log.verdict(base, b"http://a.test/other", &Tags::default()),
        Verdict::Current
    );
    // A node that was away for all of it learns the base and the rest.
    let mut late = Log::new(Limits::default());
    late.offer(order(5, 0, 1));
    assert_ne!(late.summary(), log.summary());
    assert!(late.collapse(log.base().unwrap().clone()));
    for order in log.orders() {
        late.learn(order.clone());
    }
    assert_eq!(late.summary(), log.summary());
    assert!(late.is_whole());
}

/// An order of a gateway's for one key of its own, which contains these.
fn order_of_keys(
    number: u64,
    after: u64,
    (owner, gateway): (u8, u8),
    of: &[u64],
) -> SignedPurgeOrder {
    let id = |number: u64| key_id(&number.to_le_bytes());
    let mut order = order(number, after, owner);
    let mut keys: Vec<(u64, u64)> = of.iter().map(|number| (id(*number), *number)).collect();
    keys.push((id(number), 0));
    let signed = &mut order.order.signed;
    signed.author = PurgeAuthor::Gateway(DeviceId([gateway; 32]), Signature64::default());
    signed.request.kind = PurgeKind::Keys(InvalidKeys {
        bits: InvalidKeys::EXACT,
        keys,
        replaces: of.to_vec(),
    });
    order
}

fn is_gone(log: &Log, number: u64) -> bool {
    let found = log.verdict(number - 1, &number.to_le_bytes(), &Tags::default());
    matches!(found, Verdict::Gone { .. })
}

#[test]
fn an_order_that_contains_others_is_kept_alone() {
    let mut log = Log::default();
    let mut numbers = Vec::new();
    for number in 1..=900 {
        let order = order_of_keys(number, number - 1, (1, 7), &numbers);
        assert_eq!(log.offer(order), Offer::Taken);
        numbers.push(number);
    }
    assert_eq!(log.numbers().collect::<Vec<_>>(), [900]);
    assert!((1..=900).all(|number| is_gone(&log, number)));
    assert!(log.is_whole());
    // What comes late is contained already.
    assert_eq!(log.offer(order_of_keys(5, 4, (1, 7), &[])), Offer::Known);
    assert!(!log.learn(order_of_keys(5, 4, (1, 7), &[])));
    // Who names one that was dropped misses nothing.
    assert_eq!(log.offer(order(901, 899, 1)), Offer::Taken);
    assert!(log.is_whole());
}

#[test]
fn an_order_takes_the_place_of_none_that_is_not_its_own() {
    let mut log = Log::default();
    log.offer(order(1, 0, 1));
    log.offer(order_of_keys(2, 1, (1, 7), &[]));
    log.offer(order_of_keys(3, 2, (1, 8), &[]));
    log.offer(order_of_keys(4, 3, (2, 7), &[]));
    log.offer(order_of_keys(5, 4, (1, 7), &[1, 2, 3, 4]));
    assert_eq!(log.numbers().collect::<Vec<_>>(), [1, 3, 4, 5]);
    let summary = log.summary();
    assert!(!log.learn(order_of_keys(2, 1, (1, 7), &[])));
    assert_eq!(log.summary(), summary);
}

#[test]
fn what_was_heard_of_and_came_keeps_nothing_from_its_place() {
    let mut log = Log::default();
    log.offer(order(10, 0, 1));
    log.hear_of(30);
    assert_eq!(log.consider(&order(20, 10, 1)), Offer::Superseded(30));
    log.offer(order(30, 20, 1));
    // It is known now whose 30 is, and that 20 came before it.
    assert_eq!(log.offer(order(20, 10, 1)), Offer::Taken);
    assert_eq!(
        log.verdict(10, b"http://a.test/other", &Tags::default()),
        Verdict::Current
    );
}

#[test]
fn doubt_about_what_was_missed_outlives_an_order_of_that_very_number() {
    let mut log = Log::default();
    let other = b"http://a.test/other";
    log.offer(order(30, 0, 2));
    log.learn(order(20, 0, 1));
    assert_eq!(log.top(), 31);
    log.offer(order(31, 30, 1));
    assert_eq!(log.verdict(30, other, &Tags::default()), Verdict::Doubtful);
}

proptest! {
    /// Whatever order what unsafe requests changed comes in, all of it is gone, nothing is missing
    /// in the end, and everybody keeps the same.
    #[test]
    fn orders_that_contain_each_other_are_the_same_in_any_order(
        places in prop::collection::vec((1u8..3, 5u8..7, any::<bool>()), 1..24),
        keys in prop::collection::vec(any::<u32>(), 24),
    ) {
        let mut pages: [Vec<u64>; 2] = Default::default();
        let mut orders = Vec::new();
        for (index, (owner, gateway, is_new)) in places.iter().enumerate() {
            let number = index as u64 + 1;
            let page = &mut pages[usize::from(gateway - 5)];
            if *is_new {
                page.clear();
            }
            orders.push(order_of_keys(number, number - 1, (*owner, *gateway), page));
            page.push(number);
        }
        let mut straight = Log::default();
        for order in &orders {
            straight.offer(order.clone());
        }
        let mut shuffled: Vec<_> = orders.iter().zip(&keys).collect();
        shuffled.sort_by_key(|(_, key)| **key);
        let mut log = Log::default();
        for (order, _) in shuffled {
            log.learn(order.clone());
        }
        for number in 1..=orders.len() as u64 {
            prop_assert!(is_gone(&log, number) && is_gone(&straight, number), "{number}");
        }
        prop_assert_eq!(log.summary(), straight.summary());
        prop_assert!(log.is_whole() && straight.is_whole());
    }
}

proptest! {
    /// Whatever reaches a node in whichever order, a response that was fetched before an order it
    /// has is never current, and equal sets have equal summaries.
    #[test]
    fn what_was_purged_stays_purged(
        numbers in prop::collection::btree_set(1u64..200, 1..30),
        turn in any::<prop::sample::Index>(),
        owners in prop::collection::vec(1u8..3, 30),
        hearsay in 0u64..200,
        by_offer in prop::collection::vec(any::<bool>(), 30),
    ) {
        let mut after = 0;
        let mut orders = Vec::new();
        for (number, owner) in numbers.iter().zip(&owners) {
            orders.push(order(*number, after, *owner));
            after = *number;
        }
        let mut straight = Log::default();
        for order in &orders {
            prop_assert_eq!(straight.offer(order.clone()), Offer::Taken);
        }
        let turn = turn.index(orders.len());
        orders.rotate_left(turn);
        let mut log = Log::default();
        let mut taken: Vec<u64> = Vec::new();
        for (index, order) in orders.iter().enumerate() {
            if index == 3 {
                log.hear_of(hearsay);
            }
            let version = log.version();
            let number = order.order.number;
            let is_taken = if by_offer[index] {
                log.offer(order.clone()) == Offer::Taken
            } else {
                log.learn(order.clone())
            };
            if is_taken {
                taken.push(number);
                prop_assert!(log.version() > version);
                prop_assert!(log.top() >= number);
            }
            for number in &taken {
                let found = verdict(&log, number - 1);
                prop_assert!(matches!(found, Verdict::Gone { .. }), "{number}: {found:?}");
            }
            prop_assert_eq!(verdict(&log, log.top()), Verdict::Current);
        }
        for order in orders {
            log.learn(order);
        }
        prop_assert_eq!(log.summary(), straight.summary());
        prop_assert!(log.is_whole());
    }
}
