//! No history makes the engine give what the standard forbids, and the judge sees what is forbidden.

use http::Method;
use proptest::prelude::*;
use selvedge_edge_core_http_cache::Policy;

use crate::history::judge::{check, Because, Entry};
use crate::history::messages::{Asked, Said};
use crate::history::play;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn nothing_forbidden_is_ever_answered(
        history in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        play(&history);
    }
}

fn asked() -> Asked {
    Asked {
        method: Method::GET,
        words: vec![],
        principal: 0,
        has_secret: false,
        has_cookie: false,
        accept: None,
        x_a: None,
        range: None,
    }
}

fn entry(words: &[&'static str]) -> Entry {
    let said = Said {
        status: 200,
        words: words.to_vec(),
        tag: None,
        modified: None,
        date: 1_000_000,
        age: None,
        expires: None,
        vary: "",
        has_cookie: false,
        version: 1,
    };
    Entry {
        said,
        asked: asked(),
        requested: 1_000_000,
        received: 1_000_000,
        is_whole: true,
    }
}

fn verdict(entry: &Entry, to: &Asked, seconds: u64) -> Result<(), &'static str> {
    let now = 1_000_000 + seconds * 1_000;
    check(&Policy::rfc9111(), entry, to, now, Because::Reuse)
}

#[test]
fn the_judge_allows_what_is_allowed() {
    assert_eq!(verdict(&entry(&["max-age=60"]), &asked(), 59), Ok(()));
    let greedy = Asked {
        words: vec!["max-stale"],
        ..asked()
    };
    assert_eq!(verdict(&entry(&["max-age=60"]), &greedy, 600), Ok(()));
}

#[test]
fn the_judge_sees_each_forbidden_answer() {
    let minute = entry(&["max-age=60"]);
    for (words, section) in [
        (vec!["no-store", "max-age=60"], "RFC 9111 §5.2.2.5"),
        (vec!["private", "max-age=60"], "RFC 9111 §5.2.2.7"),
        (vec!["no-cache", "max-age=60"], "RFC 9111 §5.2.2.4"),
        (vec!["max-age=0"], "RFC 9111 §4.2.4"),
        (vec!["must-revalidate", "max-age=0"], "RFC 9111 §5.2.2.2"),
        (vec!["proxy-revalidate", "max-age=0"], "RFC 9111 §5.2.2.8"),
    ] {
        assert_eq!(verdict(&entry(&words), &asked(), 1), Err(section));
    }
    let secret = Asked {
        has_secret: true,
        ..asked()
    };
    let own = Entry {
        asked: secret.clone(),
        ..minute.clone()
    };
    assert!(verdict(&own, &asked(), 1).is_err());
    assert!(verdict(&minute, &secret, 1).is_err());
    let mut varied = minute.clone();
    varied.said.vary = "x-a";
    let other = Asked {
        x_a: Some(1),
        ..asked()
    };
    assert_eq!(verdict(&varied, &other, 1), Err("RFC 9111 §4.1"));
    let broken = Entry {
        is_whole: false,
        ..minute.clone()
    };
    assert_eq!(
        verdict(&broken, &asked(), 1),
        Err("RFC 9111 §3.3: not whole")
    );
    for (word, section) in [
        ("no-cache", "RFC 9111 §5.2.1.4"),
        ("max-age=10", "RFC 9111 §5.2.1.1"),
        ("min-fresh=10", "RFC 9111 §5.2.1.3"),
    ] {
        let choosy = Asked {
            words: vec![word],
            ..asked()
        };
        assert_eq!(verdict(&minute, &choosy, 55), Err(section));
    }
}
