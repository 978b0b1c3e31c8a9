//! Filters of what caches have.

use codec::{Decode, Encode};
use proptest::prelude::*;
use selvedge_edge_core_choice::{Delta, Filter, FilterError, Holdings, MOST_BLOCKS, MOST_OCTETS};

use crate::choice::device;

/// A root that is as good as a hash: of SplitMix64.
fn root(number: u64) -> [u8; 32] {
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let mut root = [7; 32];
    root[..8].copy_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes());
    root
}

fn filled(version: u64, blobs: u64) -> Filter {
    let mut filter = Filter::new(version, 100_000);
    (0..blobs).for_each(|number| filter.insert(&root(number)));
    filter
}

#[test]
fn a_filter_never_denies_what_is_in_it_and_seldom_affirms_what_is_not() {
    let filter = filled(1, 100_000);
    assert!((0..100_000).all(|number| filter.may_have(&root(number))));
    let wrong = (100_000..200_000).filter(|number| filter.may_have(&root(*number)));
    let wrong = wrong.count();
    assert!((300..2_000).contains(&wrong), "{wrong}");
    assert!(!Filter::new(1, 10).may_have(&root(1)));
}

#[test]
fn ten_bits_for_each_blob_and_never_more_than_a_mebibyte() {
    assert_eq!(filled(1, 0).encoded_size(), 8 + 2 + 3_907 * 32);
    let largest = Filter::new(1, usize::MAX);
    assert_eq!(largest.encoded_size(), 8 + 4 + MOST_BLOCKS * 32);
    assert_eq!(largest.clone().checked(), Ok(largest));
}

#[test]
fn a_delta_makes_of_the_older_the_newer() {
    let (older, newer) = (filled(1, 1_000), filled(2, 1_500));
    let delta = newer.since(&older).unwrap();
    assert!(delta.encoded_size() < newer.encoded_size() / 4);
    let mut made = older.clone();
    made.apply(&delta).unwrap();
    assert_eq!(made, newer);
    // It is about one version only.
    let other = FilterError::OtherVersion { from: 1, here: 2 };
    assert_eq!(made.apply(&delta), Err(other));
    assert_eq!(made, newer);
    assert!(filled(3, 100_000).since(&older).is_none());
    assert!(Filter::new(4, 5).since(&older).is_none());
}

#[test]
fn what_no_cache_may_send_is_refused() {
    let empty = Filter::decode(&mut &(1u64, Vec::<[u32; 8]>::new()).encode()[..]).unwrap();
    assert_eq!(empty.clone().checked(), Err(FilterError::Size(0)));
    assert!(!empty.may_have(&root(1)));
    let long = (1u64, vec![[0u32; 8]; MOST_BLOCKS + 1]).encode();
    let long = Filter::decode(&mut &long[..]).unwrap();
    assert_eq!(long.checked(), Err(FilterError::Size(MOST_BLOCKS + 1)));
    let mut filter = Filter::new(1, 10);
    let before = filter.clone();
    let delta = Delta {
        from: 1,
        version: 2,
        blocks: vec![(0, [1; 8]), (1, [1; 8])],
    };
    assert_eq!(filter.apply(&delta), Err(FilterError::NoBlock(1)));
    assert_eq!(filter, before);
}

#[test]
fn who_may_have_a_blob_is_who_said_so_and_is_still_there() {
    let mut holdings = Holdings::default();
    holdings.replace(device(1), filled(1, 10)).unwrap();
    holdings.replace(device(2), filled(1, 20)).unwrap();
    let of = |holdings: &Holdings, number| holdings.of(&root(number)).collect::<Vec<_>>();
    assert_eq!(of(&holdings, 5), [device(1), device(2)]);
    assert_eq!(of(&holdings, 15), [device(2)]);
    let delta = filled(2, 20).since(&filled(1, 10)).unwrap();
    holdings.change(device(1), &delta).unwrap();
    assert_eq!(
        (of(&holdings, 15).len(), holdings.version(&device(1))),
        (2, Some(2))
    );
    assert!(holdings.change(device(3), &delta).is_err());
    holdings.retain(|cache| *cache == device(2));
    assert_eq!(of(&holdings, 5), [device(2)]);
}

#[test]
fn no_more_filters_are_kept_than_there_is_room_for() {
    let mut holdings = Holdings::default();
    let largest = || Filter::new(1, usize::MAX);
    let room = (MOST_OCTETS / largest().size()) as u32;
    assert_eq!(room, 64);
    for cache in 0..room {
        holdings.replace(device(cache), largest()).unwrap();
    }
    assert_eq!(
        holdings.replace(device(room), largest()),
        Err(FilterError::NoRoom)
    );
    // Another one of the same cache takes its place.
    holdings.replace(device(0), largest()).unwrap();
    holdings.forget(&device(0));
    holdings.replace(device(room), largest()).unwrap();
}

proptest! {
    #[test]
    fn no_octets_from_a_stranger_break_it(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(filter) = Filter::decode(&mut &octets[..]) {
            let _ = filter.may_have(&root(1));
            let _ = filter.checked();
        }
        if let Ok(delta) = Delta::decode(&mut &octets[..]) {
            let _ = Filter::new(delta.from, 10).apply(&delta);
        }
    }
}
