//! Scores of validators.

use crate::{mock::*, Close, Scores};
use selvedge_primitives_types::{Role, Score};

fn elect(ids: &[u8]) {
    ids.iter().for_each(|id| node(*id, Role::Validator));
    Elected::set(ids.iter().map(|id| account(*id)).collect());
}

#[test]
fn are_blocks_authored_over_expected() {
    run(|| {
        elect(&[1, 2, 3, 4]);
        author(1, 100);
        author(2, 50);
        author(3, 250);
        close_at(24);
        let record = Scores::<Test>::get(stake(2)).unwrap();
        assert_eq!(
            (record.blocks, record.jobs),
            (Some((50, 100)), Score(500_000))
        );
        assert_eq!(service(1), Score::ONE);
        assert_eq!(service(2), Score(937_500));
        // 2.5 times its share counts as 1.5.
        assert_eq!(service(3), Score(1_062_500));
        assert_eq!(service(4), Score(875_000));
    });
}

#[test]
fn outside_the_set_nothing_is_expected() {
    run(|| {
        elect(&[1, 2]);
        node(3, Role::Validator);
        author(1, 5);
        author(2, 5);
        close_at(24);
        assert_eq!(service(3), Score::ONE);
        assert!(Scores::<Test>::get(stake(3)).is_none());
    });
}

#[test]
fn an_era_without_blocks_lowers_nobody() {
    run(|| {
        elect(&[1]);
        close_at(24);
        assert_eq!(service(1), Score::ONE);
    });
}

#[test]
fn blocks_count_in_the_era_they_were_authored_in() {
    run(|| {
        elect(&[1, 2]);
        author(1, 10);
        author(2, 10);
        begin(24);
        // The era is being closed while the next is under way.
        author(1, 10);
        while Close::<Test>::exists() {
            block();
        }
        assert_eq!((service(1), service(2)), (Score::ONE, Score::ONE));
        close_at(48);
        assert_eq!(service(1), Score(1_062_500));
        assert_eq!(service(2), Score(875_000));
    });
}
