//! What is emitted, and what happens when it does not suffice.

use crate::{mock::*, *};

fn books() -> EraBooks {
    LastEra::<Test>::get().unwrap()
}

#[test]
fn a_tenth_of_what_remains_is_emitted_a_year() {
    run(|| {
        close_at(10);
        let emission = books().emission;
        assert_eq!(emission.validators, POOL / 20);
        assert_eq!(
            (emission.base, emission.activity),
            (POOL * 35 / 1_000, POOL * 15 / 1_000)
        );
        assert_eq!(emission.total(), POOL / 10);
        // Nobody used it, so it stays.
        assert_eq!(NodeYields::remaining(), POOL);
    });
}

#[test]
fn what_was_granted_is_emitted_no_more() {
    run(|| {
        node(1, Role::Cache, 1_000_000 * SEL);
        close_at(10);
        assert_eq!(payable(1), 50_000 * SEL);
        close_at(20);
        assert_eq!(books().emission.total(), (POOL - 50_000 * SEL) / 10);
    });
}

#[test]
fn each_pool_is_scaled_down_alone() {
    run_with(1_000 * SEL, || {
        node(1, Role::Validator, 1_000 * SEL);
        node(2, Role::Gateway, 300 * SEL);
        node(3, Role::Gateway, 100 * SEL);
        matured(2, 100 * SEL);
        close_at(10);
        let books = books();
        // 100 are emitted: 50, 35 and 15. The validator claims 120, the gateways 30 of base and 0.7 of activity.
        assert_eq!(books.claims.validators, 120 * SEL);
        assert!(payable(1) <= 50 * SEL && payable(1) >= 50 * SEL - 2);
        assert_eq!(books.claims.base, 30 * SEL);
        assert_eq!(books.granted.base, 30 * SEL);
        assert_eq!(payable(2), 225 * SEL / 10 + 7 * SEL / 10);
        assert_eq!(payable(3), 75 * SEL / 10);
        assert!(books.granted.is_within(&books.emission));
    });
}

#[test]
fn scaling_down_is_in_proportion() {
    run_with(1_000 * SEL, || {
        node(1, Role::Gateway, 3_000 * SEL);
        node(2, Role::Gateway, 1_000 * SEL);
        close_at(10);
        assert_eq!(payable(1), 3 * payable(2));
        assert_eq!(payable(1) + payable(2), 35 * SEL);
    });
}

#[test]
fn an_empty_pool_grants_nothing_and_fails_nothing() {
    run_with(0, || {
        node(1, Role::Gateway, 1_000 * SEL);
        close_at(10);
        assert_eq!(payable(1), 0);
        assert_eq!(books().emission.total(), 0);
    });
}

#[test]
fn the_pool_never_owes_more_than_it_has() {
    run_with(1_000 * SEL, || {
        for id in 1..=20 {
            node(id, Role::ALL[usize::from(id) % 4], 100_000 * SEL);
        }
        for era in 1..=60 {
            (1..=20).for_each(|id| matured(id, 1_000_000 * SEL));
            close_at(10 * era);
        }
        assert!(NodeYields::remaining() > 0);
        for id in 1..=20 {
            NodeYields::claim(RuntimeOrigin::signed(account(id))).unwrap();
        }
        assert_eq!(
            Balances::free_balance(NodeYields::pool_account()),
            NodeYields::remaining()
        );
    });
}
