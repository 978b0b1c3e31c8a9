//! A book says what a list of purges says that is read from end to end.

use proptest::prelude::*;
use selvedge_edge_core_purge::{key_id, Book, Limits, Tags, Verdict};
use selvedge_primitives_types::{InvalidKeys, PurgeKind, PurgeMode};

const KEYS: [&str; 6] = [
    "http://a.test/",
    "http://a.test/x",
    "http://a.test/x/y?q=1",
    "https://a.test/x",
    "https://b.test/x/y",
    "https://b.test.evil/x",
];
const TAGS: [&str; 4] = ["one", "two", "three", "One"];

fn tags(values: &[usize]) -> Tags {
    let text: Vec<&str> = values.iter().map(|index| TAGS[*index]).collect();
    Tags::read([text.join(",").as_bytes()], [])
}

fn kind() -> impl Strategy<Value = PurgeKind> {
    let text = |all: &'static [&'static str]| {
        prop::sample::select(all).prop_map(|text: &str| text.as_bytes().to_vec())
    };
    prop_oneof![
        text(&KEYS).prop_map(PurgeKind::Url),
        text(&[
            "http://a.test/",
            "http://a.test/x",
            "http://a.test/x/",
            "https://b.test/"
        ])
        .prop_map(PurgeKind::Prefix),
        text(&["a.test", "b.test", "test"]).prop_map(PurgeKind::Host),
        text(&TAGS).prop_map(PurgeKind::Tag),
        Just(PurgeKind::Everything),
        prop::sample::subsequence(&KEYS[..], 1..4).prop_map(keys),
    ]
}

fn keys(of: Vec<&str>) -> PurgeKind {
    PurgeKind::Keys(InvalidKeys {
        bits: InvalidKeys::EXACT,
        keys: of.iter().map(|key| (key_id(key.as_bytes()), 0)).collect(),
        replaces: Vec::new(),
    })
}

fn mode() -> impl Strategy<Value = PurgeMode> {
    prop_oneof![Just(PurgeMode::Soft), Just(PurgeMode::Hard)]
}

/// Whether a purge is about a response, told the long way.
fn is_about(kind: &PurgeKind, key: &str, own: &[usize]) -> bool {
    match kind {
        PurgeKind::Url(url) => url == key.as_bytes(),
        PurgeKind::Prefix(prefix) => key.as_bytes().starts_with(prefix),
        PurgeKind::Host(host) => {
            let host = std::str::from_utf8(host).unwrap();
            key.split('/').nth(2) == Some(host)
        }
        PurgeKind::Tag(tag) => own.iter().any(|index| TAGS[*index].as_bytes() == tag),
        PurgeKind::Everything => true,
        PurgeKind::Keys(keys) => keys.keys.contains(&(key_id(key.as_bytes()), 0)),
    }
}

type Purge = (PurgeKind, PurgeMode, u64);

fn by_list(purges: &[Purge], generation: u64, key: &str, own: &[usize]) -> Verdict {
    let highest = |wanted| {
        // Keys are never purged softly.
        let mode = |purge: &&Purge| match purge.0 {
            PurgeKind::Keys(_) => PurgeMode::Hard,
            _ => purge.1,
        };
        let of = |purge: &&Purge| mode(purge) == wanted && is_about(&purge.0, key, own);
        purges
            .iter()
            .filter(of)
            .map(|purge| purge.2)
            .max()
            .unwrap_or(0)
    };
    let (hard, soft) = (highest(PurgeMode::Hard), highest(PurgeMode::Soft));
    if hard > generation {
        Verdict::Gone { below: hard }
    } else if soft > generation {
        Verdict::Stale { since: soft }
    } else {
        Verdict::Current
    }
}

fn severity(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Current => 0,
        Verdict::Stale { .. } => 1,
        Verdict::Doubtful => 2,
        Verdict::Gone { .. } => 3,
    }
}

proptest! {
    #[test]
    fn a_book_agrees_with_the_list_in_any_order(
        purges in prop::collection::vec((kind(), mode(), 1u64..30), 0..40),
        shuffled in any::<prop::sample::Index>(),
        generation in 0u64..32,
        key in 0usize..KEYS.len(),
        own in prop::collection::vec(0usize..TAGS.len(), 0..3),
    ) {
        let mut turned = purges.clone();
        if !turned.is_empty() {
            let turn = shuffled.index(turned.len());
            turned.rotate_left(turn);
        }
        let mut book = Book::new(Limits::default());
        for (kind, mode, number) in &turned {
            book.apply(kind, *mode, *number);
        }
        let found = book.verdict(generation, KEYS[key].as_bytes(), &tags(&own));
        prop_assert_eq!(found, by_list(&purges, generation, KEYS[key], &own));
    }

    #[test]
    fn a_book_that_is_too_small_takes_too_much_and_never_too_little(
        purges in prop::collection::vec((kind(), mode(), 1u64..60), 0..60),
        things in 0usize..6,
        keys in 0usize..6,
        generation in 0u64..64,
        key in 0usize..KEYS.len(),
        own in prop::collection::vec(0usize..TAGS.len(), 0..3),
    ) {
        let limits = Limits { things, bytes: 60, keys };
        let mut book = Book::new(limits);
        for (kind, mode, number) in &purges {
            book.apply(kind, *mode, *number);
            prop_assert!(book.things() <= things);
        }
        let found = book.verdict(generation, KEYS[key].as_bytes(), &tags(&own));
        let expected = by_list(&purges, generation, KEYS[key], &own);
        prop_assert!(severity(found) >= severity(expected), "{found:?} {expected:?}");
        // What was fetched after every purge is current in every book.
        prop_assert_eq!(
            book.verdict(60, KEYS[key].as_bytes(), &tags(&own)),
            Verdict::Current
        );
    }
}

#[test]
fn texts_are_read_as_keys_are() {
    let mut book = Book::new(Limits::default());
    book.apply(
        &PurgeKind::Url(b"HTTP://A.test:80/x".to_vec()),
        PurgeMode::Hard,
        5,
    );
    book.apply(&PurgeKind::Host(b"B.TEST".to_vec()), PurgeMode::Hard, 7);
    book.apply(
        &PurgeKind::Prefix(b"https://C.test".to_vec()),
        PurgeMode::Soft,
        9,
    );
    let verdict = |key: &str| book.verdict(1, key.as_bytes(), &Tags::default());
    assert_eq!(verdict("http://a.test/x"), Verdict::Gone { below: 5 });
    assert_eq!(verdict("http://a.test/X"), Verdict::Current);
    assert_eq!(verdict("https://b.test/q"), Verdict::Gone { below: 7 });
    assert_eq!(verdict("https://c.test/q"), Verdict::Stale { since: 9 });
    assert_eq!(verdict("https://c.test.evil/q"), Verdict::Current);
}

#[test]
fn a_response_with_too_many_tags_goes_with_any_of_them() {
    let many: Vec<String> = (0..300).map(|n| n.to_string()).collect();
    let all = Tags::read([many.join(",").as_bytes()], []);
    let mut book = Book::new(Limits::default());
    assert_eq!(book.verdict(0, b"http://a.test/", &all), Verdict::Current);
    book.apply(&PurgeKind::Tag(b"other".to_vec()), PurgeMode::Hard, 3);
    let found = book.verdict(0, b"http://a.test/", &all);
    assert_eq!(found, Verdict::Gone { below: 3 });
}

#[test]
fn unsafe_requests_push_out_nothing_that_was_purged_and_little_that_was_not() {
    let mut book = Book::new(Limits::default());
    book.apply(&PurgeKind::Tag(b"a".to_vec()), PurgeMode::Hard, 1);
    let limit = Limits::default().keys as u64;
    for number in 0..limit + limit / 2 {
        let invalid = InvalidKeys {
            bits: InvalidKeys::EXACT,
            keys: vec![(key_id(&number.to_le_bytes()), 0)],
            replaces: Vec::new(),
        };
        book.apply(&PurgeKind::Keys(invalid), PurgeMode::Hard, number + 2);
    }
    assert!(book.invalid() <= Limits::default().keys + 1_024);
    assert_eq!((book.things(), book.floor()), (1, 0));
    let found = |n: u64| book.verdict(n + 1, &n.to_le_bytes(), &Tags::default());
    for number in (0..limit + limit / 2).step_by(997) {
        assert!(matches!(found(number), Verdict::Gone { .. }));
    }
}

#[test]
fn shares_of_all_keys_are_purged_as_one() {
    let mut book = Book::new(Limits::default());
    let id = key_id(KEYS[0].as_bytes());
    let invalid = InvalidKeys {
        bits: InvalidKeys::COARSE,
        keys: vec![(id >> 54, 0), ((id >> 54) ^ 1, 3)],
        replaces: Vec::new(),
    };
    book.apply(&PurgeKind::Keys(invalid), PurgeMode::Hard, 9);
    assert_eq!(book.floors(KEYS[0].as_bytes()).hard, 9);
    let spared = KEYS
        .iter()
        .filter(|key| book.floors(key.as_bytes()).hard == 0);
    assert!(spared.count() >= 4);
}
