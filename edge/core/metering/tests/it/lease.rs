use crate::testkit::{device, prices, pricing, row, CACHE};
use proptest::prelude::*;
use selvedge_edge_core_metering::{Book, Denied, Reservation, Terms};
use selvedge_primitives_math::price::charge;
use selvedge_primitives_types::{Prices, Usage};

fn terms(lease: u128) -> Terms {
    Terms {
        pricing: pricing(1),
        lease,
        free: Usage::ZERO,
    }
}

fn bytes(count: u64) -> Usage {
    Usage([0, count, 0, 0, 0, 0])
}

#[test]
fn nothing_is_reserved_beyond_the_lease() {
    let mut book = Book::new(terms(100));
    assert_eq!(book.remaining(), 100);
    let held = book.reserve(&bytes(300)).unwrap();
    assert_eq!(book.remaining(), 0);
    assert_eq!(book.reserve(&bytes(1)), Err(Denied::OutOfLease));
    book.release(held);
    assert_eq!(book.remaining(), 100);
    assert_eq!(book.reserve(&bytes(u64::MAX)), Err(Denied::OutOfLease));
    assert_eq!(book.reserve(&Usage([u64::MAX; 6])), Err(Denied::OutOfLease));
}

#[test]
fn what_costs_nothing_needs_no_lease() {
    let mut book = Book::new(terms(0));
    assert_eq!(book.reserve(&bytes(1)), Err(Denied::OutOfLease));
    let origin = Usage([0, 0, 1 << 40, 0, 0, 0]);
    let mut held = book.reserve(&origin).unwrap();
    assert!(book.spend(&mut held, &origin).is_some());
}

#[test]
fn a_lease_as_large_as_can_be_is_a_limit_too() {
    let mut book = Book::new(Terms {
        lease: u128::MAX,
        ..terms(0)
    });
    let held = book.reserve(&bytes(u64::MAX)).unwrap();
    book.release(held);
    let dear = Terms {
        pricing: selvedge_edge_core_metering::Pricing {
            prices: Prices([u64::MAX; 6]),
            ..pricing(1)
        },
        ..terms(u128::MAX)
    };
    let mut book = Book::new(dear);
    assert_eq!(book.reserve(&Usage([u64::MAX; 6])), Err(Denied::OutOfLease));
}

#[test]
fn only_what_is_set_aside_is_spent() {
    let mut book = Book::new(terms(100));
    let mut held = book.reserve(&bytes(30)).unwrap();
    assert_eq!(book.spend(&mut held, &bytes(31)), None);
    assert_eq!(book.spend(&mut held, &Usage([1, 0, 0, 0, 0, 0])), None);
    assert_eq!(book.spend(&mut held, &bytes(30)).unwrap().paid, bytes(30));
    assert_eq!(book.spend(&mut held, &bytes(1)), None);
    assert_eq!(held.missing(&bytes(7)), bytes(7));
    book.extend(&mut held, &bytes(7)).unwrap();
    assert_eq!(held.missing(&bytes(7)), Usage::ZERO);
    assert!(book.spend(&mut held, &bytes(7)).is_some());
    book.release(held);
}

#[test]
fn the_free_buffer_comes_first_and_once() {
    let mut book = Book::new(Terms {
        free: bytes(50),
        ..terms(10)
    });
    let mut held = book.reserve(&bytes(60)).unwrap();
    let counts = book.spend(&mut held, &bytes(55)).unwrap();
    assert_eq!((counts.free, counts.paid), (bytes(50), bytes(5)));
    book.release(held);
    assert_eq!(book.reserve(&bytes(26)), Err(Denied::OutOfLease));
    let held = book.reserve(&bytes(25)).unwrap();
    book.release(held);
    // Free usage that was set aside and not used is free again.
    let mut book = Book::new(Terms {
        free: bytes(50),
        ..terms(0)
    });
    let held = book.reserve(&bytes(50)).unwrap();
    assert_eq!(book.reserve(&bytes(1)), Err(Denied::OutOfLease));
    book.release(held);
    assert!(book.reserve(&bytes(50)).is_ok());
}

#[test]
fn a_lease_may_shrink_below_what_is_spent() {
    let mut book = Book::new(terms(100));
    let mut held = book.reserve(&bytes(150)).unwrap();
    book.spend(&mut held, &bytes(150)).unwrap();
    book.update(10, Usage::ZERO);
    assert_eq!(book.remaining(), 0);
    assert_eq!(book.reserve(&bytes(1)), Err(Denied::OutOfLease));
}

#[test]
fn a_restart_forgets_reservations_and_nothing_else() {
    let peer = device(CACHE);
    let rows = [row(1, 1, peer, 0, 100), row(1, 1, peer, 1, 50)];
    let mut book = Book::new(terms(1_000));
    for row in &rows {
        let mut held = book.reserve(&row.counts.paid).unwrap();
        book.spend(&mut held, &row.counts.paid).unwrap();
    }
    let spent = book.remaining();
    let _held = book.reserve(&bytes(500)).unwrap();
    assert_eq!(Book::resume(terms(1_000), &rows).remaining(), spent);
}

#[derive(Clone, Debug)]
enum Step {
    Begin([u8; 2]),
    Extend(usize, [u8; 2]),
    Spend(usize, [u8; 2]),
    End(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        any::<[u8; 2]>().prop_map(Step::Begin),
        (any::<usize>(), any::<[u8; 2]>()).prop_map(|(at, use_)| Step::Extend(at, use_)),
        (any::<usize>(), any::<[u8; 2]>()).prop_map(|(at, use_)| Step::Spend(at, use_)),
        any::<usize>().prop_map(Step::End),
    ]
}

fn some(use_: [u8; 2]) -> Usage {
    Usage([(use_[0] % 4).into(), use_[1].into(), 3, 0, 0, 0])
}

proptest! {
    #[test]
    fn leaves_never_charge_more_than_the_lease(
        lease in 0u128..400, free in 0u64..100, steps in proptest::collection::vec(step(), 0..200),
    ) {
        let free = bytes(free);
        let mut book = Book::new(Terms { free, ..terms(lease) });
        let mut held: Vec<Reservation> = Vec::new();
        let (mut paid, mut freely) = (Usage::ZERO, Usage::ZERO);
        // Each spending is a leaf of its own, the finest rounding, and all together are the
        // coarsest.
        let mut charged = 0;
        for step in steps {
            match step {
                Step::Begin(use_) => held.extend(book.reserve(&some(use_))),
                Step::Extend(at, use_) if !held.is_empty() => {
                    let at = at % held.len();
                    let _ = book.extend(&mut held[at], &some(use_));
                }
                Step::Spend(at, use_) if !held.is_empty() => {
                    let at = at % held.len();
                    if let Some(counts) = book.spend(&mut held[at], &some(use_)) {
                        prop_assert_eq!(counts.usage().unwrap(), some(use_));
                        charged += charge(&counts.paid, &prices()).unwrap();
                        paid = paid.checked_add(&counts.paid).unwrap();
                        freely = freely.checked_add(&counts.free).unwrap();
                    }
                }
                Step::End(at) if !held.is_empty() => {
                    let at = at % held.len();
                    book.release(held.swap_remove(at));
                }
                _ => {}
            }
            let whole = charge(&paid, &prices()).unwrap();
            prop_assert!(charged <= whole && whole <= lease);
            prop_assert!(freely.is_within(&free));
            prop_assert!(book.remaining() <= lease - whole);
        }
        for reservation in held {
            book.release(reservation);
        }
        let whole = charge(&paid, &prices()).unwrap();
        prop_assert!(lease - whole - book.remaining() <= 1, "what was set aside came back");
    }
}
