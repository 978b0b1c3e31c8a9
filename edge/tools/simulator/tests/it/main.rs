//! Some seeds hold, and each property fails when the rule behind it is turned off.

use selvedge_edge_tools_simulator::content::{self, Failure, Off, Trouble};
use selvedge_edge_tools_simulator::purge;

/// The first failure within so many seeds.
fn first(seeds: u64, trouble: Trouble, off: Off) -> Option<Failure> {
    (0..seeds).find_map(|seed| content::play(seed, Some(trouble), Some(off)).err())
}

#[test]
fn properties_of_content_hold() {
    for seed in 0..24 {
        let played = content::play(seed, None, None);
        assert!(
            played.is_ok(),
            "{}: selvedge-simulator run --only content --seeds 1 --from {seed}",
            played
                .err()
                .map(|failure| failure.to_string())
                .unwrap_or_default()
        );
    }
}

#[test]
fn properties_of_purges_hold() {
    for seed in 0..60 {
        let played = purge::play(seed, None);
        assert!(
            played.is_ok(),
            "{}: selvedge-simulator run --only purge --seeds 1 --from {seed}",
            played
                .err()
                .map(|failure| failure.to_string())
                .unwrap_or_default()
        );
    }
}

#[test]
fn three_of_ten_caches_are_lost_at_once_and_no_read_fails() {
    let played = (0..8).map(|seed| content::play(seed, Some(Trouble::Loss), None));
    let figures: Vec<_> = played.map(|played| played.unwrap()).collect();
    assert!(figures.iter().all(|figures| figures.reads > 5_000));
    assert!(figures.iter().any(|figures| figures.lost_at_once >= 300));
}

#[test]
fn a_seed_plays_the_same_twice() {
    for seed in [3, 5] {
        assert_eq!(
            content::play(seed, None, None),
            content::play(seed, None, None)
        );
        assert_eq!(purge::play(seed, None), purge::play(seed, None));
    }
}

#[test]
fn without_repair_blobs_are_not_whole_in_time() {
    let failure = first(4, Trouble::Loss, Off::Repair);
    assert!(
        matches!(failure, Some(Failure::NotRepaired { .. })),
        "{failure:?}"
    );
}

#[test]
fn without_caps_there_is_a_storm() {
    let failure = first(8, Trouble::Loss, Off::Caps);
    assert!(
        matches!(failure, Some(Failure::Storm { .. })),
        "{failure:?}"
    );
}

#[test]
fn without_a_grace_time_restarts_move_blobs() {
    let failure = first(8, Trouble::Short, Off::Grace);
    assert!(
        matches!(failure, Some(Failure::MovedForNothing { .. })),
        "{failure:?}"
    );
}

#[test]
fn without_challenges_what_liars_lost_is_not_repaired() {
    let failure = first(40, Trouble::All, Off::Challenges);
    assert!(
        matches!(failure, Some(Failure::NotRepaired { .. })),
        "{failure:?}"
    );
}

#[test]
fn without_word_of_drains_the_only_copy_leaves() {
    let failure = first(16, Trouble::Drain, Off::Drains);
    assert!(matches!(failure, Some(Failure::Lost { .. })), "{failure:?}");
}

#[test]
fn without_the_next_owners_reads_fail() {
    let failure = first(4, Trouble::Loss, Off::Fallback);
    assert!(
        matches!(failure, Some(Failure::ReadFailed { .. })),
        "{failure:?}"
    );
}

#[test]
fn without_minding_numbers_that_others_fetched_under_purged_responses_are_current() {
    let failure = (0..400).find_map(|seed| purge::play(seed, Some(purge::Off::Hearsay)).err());
    assert!(
        matches!(failure, Some(purge::Failure::Escaped { .. })),
        "{failure:?}"
    );
}

#[test]
fn without_ordering_superseded_purges_again_purged_responses_are_current() {
    let failure = (0..400).find_map(|seed| purge::play(seed, Some(purge::Off::Superseded)).err());
    assert!(
        matches!(failure, Some(purge::Failure::Escaped { .. })),
        "{failure:?}"
    );
}

#[test]
fn without_comparing_nodes_stay_apart() {
    let failure = (0..8).find_map(|seed| purge::play(seed, Some(purge::Off::Sync)).err());
    assert!(
        matches!(failure, Some(purge::Failure::Apart { .. })),
        "{failure:?}"
    );
}
