//! Compares with the crate `http-cache-semantics`, which others wrote from RFC 7234.
//!
//! Where the two differ, [`DIFFERENCES`] says by which section, and a test shows that they do.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, Request, Response, StatusCode};
use http_cache_semantics::{BeforeRequest, CacheOptions, CachePolicy};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use selvedge_edge_core_http_cache::{
    Policy, RequestHead, ResponseHead, Reuse, StoreDecision, Stored, Times,
};
use selvedge_primitives_types::Millis;

use crate::testkit::{date, fields, DATE};

const SAID: [&str; 13] = [
    "no-store",
    "private",
    "private=\"x-a\"",
    "no-cache",
    "public",
    "must-revalidate",
    "proxy-revalidate",
    "must-understand",
    "max-age=0",
    "max-age=60",
    "s-maxage=30",
    "s-maxage=90",
    "immutable",
];
const ASKED: [&str; 7] = [
    "no-cache",
    "no-store",
    "max-stale",
    "max-stale=25",
    "min-fresh=15",
    "max-age=45",
    "x",
];

#[derive(Clone, Debug, Default)]
struct Case {
    status: u16,
    said: Vec<&'static str>,
    expires: Option<i64>,
    modified: Option<i64>,
    age: Option<u64>,
    vary: &'static str,
    has_cookie: bool,
    /// Who the stored response was fetched for.
    first: Asked,
    then: Asked,
    /// Seconds between the two.
    later: u64,
}

#[derive(Clone, Debug, Default)]
struct Asked {
    words: Vec<&'static str>,
    has_secret: bool,
    accept: Option<&'static str>,
}

impl Asked {
    fn headers(&self) -> HeaderMap {
        let words = self.words.join(", ");
        let mut lines = vec![];
        if !words.is_empty() {
            lines.push(("cache-control", words.as_str()));
        }
        if self.has_secret {
            lines.push(("authorization", "Basic eDp5"));
        }
        lines.extend(self.accept.map(|accept| ("accept", accept)));
        fields(&lines)
    }
}

impl Case {
    fn response(&self) -> HeaderMap {
        let said = self.said.join(", ");
        let (now, expires, modified) = (
            date(0),
            self.expires.map(date).unwrap_or_default(),
            self.modified.map(date).unwrap_or_default(),
        );
        let age = self.age.map(|age| age.to_string()).unwrap_or_default();
        // A tag, or what is not fresh would be of no use here and is not stored.
        let mut lines = vec![("date", now.as_str()), ("etag", "\"1\"")];
        for (name, value) in [
            ("cache-control", said.as_str()),
            ("expires", &expires),
            ("last-modified", &modified),
            ("age", &age),
            ("vary", self.vary),
            ("set-cookie", if self.has_cookie { "a=b" } else { "" }),
        ] {
            if !value.is_empty() {
                lines.push((name, value));
            }
        }
        fields(&lines)
    }

    fn says(&self, word: &str) -> bool {
        self.said.contains(&word)
    }

    fn is_explicit(&self) -> bool {
        self.expires.is_some()
            || self
                .said
                .iter()
                .any(|word| word.contains("max-age") || word.contains("maxage"))
    }

    fn is_said_twice(&self, name: &str) -> bool {
        let words = self.said.iter();
        words
            .filter(|word| word.split('=').next() == Some(name))
            .count()
            > 1
    }
}

/// What both say of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Verdict {
    is_stored: bool,
    /// Milliseconds of freshness left, in whole seconds.
    left: u64,
    age: u64,
    /// Whether the second request is answered without asking the origin.
    is_answered: bool,
}

fn ours(case: &Case) -> Verdict {
    let policy = Policy::rfc9111();
    let times = Times {
        requested: DATE,
        received: DATE,
    };
    let (request, then, headers) = (case.first.headers(), case.then.headers(), case.response());
    let method = http::Method::GET;
    let head = |headers| RequestHead {
        method: &method,
        headers,
    };
    let status = StatusCode::from_u16(case.status).unwrap();
    let response = ResponseHead {
        status,
        headers: &headers,
    };
    let decision = policy.store_decision(&head(&request), &response, times);
    let StoreDecision::Store(kept) = decision else {
        return nothing();
    };
    let now = Millis(DATE.0 + case.later * 1_000);
    let stored = Stored::new(status, kept.headers, kept.variant, times, 1, &policy);
    let reuse = policy.reuse_decision(&head(&then), Some(&stored), now);
    Verdict {
        is_stored: true,
        left: stored.time_to_live(now).max(0) as u64 / 1_000,
        age: stored.age(now).0 / 1_000,
        is_answered: matches!(reuse, Reuse::Fresh { .. } | Reuse::Stale { .. }),
    }
}

fn theirs(case: &Case) -> Verdict {
    let request = |asked: &Asked| {
        let mut request = Request::get("http://a.test/").body(()).unwrap();
        *request.headers_mut() = asked.headers();
        request
    };
    let mut response = Response::builder().status(case.status).body(()).unwrap();
    *response.headers_mut() = case.response();
    let moment = |millis: u64| -> SystemTime { UNIX_EPOCH + Duration::from_millis(millis) };
    let received = moment(DATE.0);
    let options = CacheOptions::default();
    let policy = CachePolicy::new_options(&request(&case.first), &response, received, options);
    if !policy.is_storable() {
        return nothing();
    }
    let now = moment(DATE.0 + case.later * 1_000);
    let before = policy.before_request(&request(&case.then), now);
    Verdict {
        is_stored: true,
        left: policy.time_to_live(now).as_secs(),
        age: policy.age(now).as_secs(),
        is_answered: matches!(before, BeforeRequest::Fresh(_)),
    }
}

fn nothing() -> Verdict {
    Verdict {
        is_stored: false,
        left: 0,
        age: 0,
        is_answered: false,
    }
}

/// One thing in which we and they may differ.
struct Difference {
    /// What says that ours is right, or leaves the choice.
    section: &'static str,
    /// Whether a case is one of it.
    applies: fn(&Case) -> bool,
    /// A case that shows it.
    example: fn() -> Case,
}

fn case(said: &[&'static str]) -> Case {
    Case {
        status: 200,
        said: said.to_vec(),
        ..Case::default()
    }
}

const DIFFERENCES: [Difference; 13] = [
    Difference {
        section: "RFC 9111 §5.2.2.3: `must-understand` overrides `no-store`",
        applies: |case| case.says("must-understand") && case.says("no-store"),
        example: || case(&["must-understand", "no-store", "max-age=60"]),
    },
    Difference {
        section: "RFC 9111 §5.2.2.7: `private` with names concerns these fields alone",
        applies: |case| case.says("private=\"x-a\""),
        example: || case(&["private=\"x-a\"", "max-age=60"]),
    },
    Difference {
        section: "RFC 9111 §3: a final status that says how long it is fresh is stored; theirs knows a list",
        applies: |case| case.status == 500,
        example: || Case {
            status: 500,
            ..case(&["max-age=60"])
        },
    },
    Difference {
        section: "RFC 9111 §4.1: what varies by everything is not stored; theirs stores it and never uses it",
        applies: |case| case.vary == "*",
        example: || Case {
            vary: "*",
            ..case(&["max-age=60"])
        },
    },
    Difference {
        section: "RFC 9111 §7.3: a cookie is shared where the origin says how long; theirs wants `public` or `immutable`",
        applies: |case| case.has_cookie,
        example: || Case {
            has_cookie: true,
            ..case(&["max-age=60"])
        },
    },
    Difference {
        section: "RFC 9111 §5.2.2.4: `no-cache` leaves the lifetime alone, and no `max-stale` overrides it",
        applies: |case| case.says("no-cache"),
        example: || case(&["no-cache", "max-age=60"]),
    },
    Difference {
        section: "RFC 9111 §5.2.2.8: `proxy-revalidate` forbids staleness, not freshness",
        applies: |case| case.says("proxy-revalidate"),
        example: || case(&["proxy-revalidate", "max-age=60"]),
    },
    Difference {
        section: "RFC 9111 §4.2.1: a lifetime that is said twice and differently is over; theirs takes the first",
        applies: |case| case.is_said_twice("max-age") || case.is_said_twice("s-maxage"),
        example: || case(&["max-age=60", "max-age=0"]),
    },
    Difference {
        section: "RFC 8246: `immutable` gives no lifetime of its own",
        applies: |case| case.says("immutable") && !case.is_explicit_by_age(),
        example: || case(&["immutable"]),
    },
    Difference {
        section: "RFC 9111 §3.5: who shows credentials gets only what says that it is for all",
        applies: |case| case.then.has_secret,
        example: || Case {
            then: Asked {
                has_secret: true,
                ..Asked::default()
            },
            ..case(&["max-age=60"])
        },
    },
    Difference {
        section: "RFC 9111 §5.2.2.10: `s-maxage` forbids what `max-stale` accepts",
        applies: |case| {
            let accepts = case.then.words.iter().any(|word| word.starts_with("max-stale"));
            accepts && case.said.iter().any(|word| word.starts_with("s-maxage"))
        },
        example: || Case {
            later: 50,
            then: Asked {
                words: vec!["max-stale"],
                ..Asked::default()
            },
            ..case(&["s-maxage=30"])
        },
    },
    Difference {
        section: "RFC 9111 §5.2.1.2: stale by no more than `max-stale`; theirs says less",
        applies: |case| case.then.words.contains(&"max-stale=25"),
        example: || Case {
            later: 85,
            then: Asked {
                words: vec!["max-stale=25"],
                ..Asked::default()
            },
            ..case(&["max-age=60"])
        },
    },
    Difference {
        section: "RFC 9111 §4.2.2: a guess is a day at most",
        applies: |case| !case.is_explicit() && case.modified.is_some_and(|ago| ago < -860_000),
        example: || Case {
            modified: Some(-8_000_000),
            ..case(&[])
        },
    },
];

impl Case {
    fn is_explicit_by_age(&self) -> bool {
        let has = |name: &str| {
            self.said
                .iter()
                .any(|word| word.split('=').next() == Some(name))
        };
        has("max-age") || has("s-maxage")
    }
}

fn asked() -> impl Strategy<Value = Asked> {
    let words = subsequence(ASKED.to_vec(), 0..=2);
    let accept = prop::option::of(select(vec!["a/1", "a/2"]));
    (words, prop::bool::weighted(0.2), accept).prop_map(|(mut words, has_secret, accept)| {
        // Of two `max-stale` only one would count, and each of us takes another.
        if words.contains(&"max-stale") {
            words.retain(|word| *word != "max-stale=25");
        }
        Asked {
            words,
            has_secret,
            accept,
        }
    })
}

fn cases() -> impl Strategy<Value = Case> {
    let response = (
        select(vec![200, 200, 200, 203, 301, 302, 404, 410, 500]),
        subsequence(SAID.to_vec(), 0..=3),
        prop::option::weighted(0.3, -20i64..100),
        prop::option::weighted(0.4, -1_000i64..0),
        prop::option::weighted(0.3, 0u64..50),
        select(vec!["", "", "accept", "*"]),
        prop::bool::weighted(0.1),
    );
    (response, asked(), asked(), 0u64..120).prop_map(|(response, first, then, later)| {
        let (status, said, expires, modified, age, vary, has_cookie) = response;
        Case {
            status,
            said,
            expires,
            modified,
            age,
            vary,
            has_cookie,
            first,
            then,
            later,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, max_global_rejects: 100_000, ..ProptestConfig::default() })]

    #[test]
    fn both_say_the_same_but_for_what_is_listed(case in cases()) {
        let is_different = DIFFERENCES.iter().any(|difference| (difference.applies)(&case));
        prop_assume!(!is_different);
        let (ours, theirs) = (ours(&case), theirs(&case));
        // Their guess is a product of floating numbers.
        prop_assert!(ours.left.abs_diff(theirs.left) <= u64::from(case.modified.is_some()));
        let is_at_the_edge = ours.left == 0 && case.modified.is_some() && !case.is_explicit();
        if !is_at_the_edge {
            prop_assert_eq!(ours.is_answered, theirs.is_answered);
        }
        prop_assert_eq!((ours.is_stored, ours.age), (theirs.is_stored, theirs.age));
    }
}

#[test]
fn each_difference_is_one() {
    for difference in &DIFFERENCES {
        let case = (difference.example)();
        assert!((difference.applies)(&case), "{}", difference.section);
        assert_ne!(ours(&case), theirs(&case), "{}", difference.section);
    }
}

/// RFC 9111 §4.2.3: theirs leaves out what the date and the way here say.
#[test]
fn s4_2_3_an_old_date_makes_ours_older_and_never_younger() {
    let mut headers = fields(&[("cache-control", "max-age=60")]);
    headers.extend(fields(&[("date", &date(-30))]));
    let times = Times {
        requested: DATE,
        received: DATE,
    };
    let variant = selvedge_edge_core_http_cache::Variant::default();
    let policy = Policy::rfc9111();
    let stored = Stored::new(StatusCode::OK, headers.clone(), variant, times, 1, &policy);
    let request = Request::get("http://a.test/").body(()).unwrap();
    let mut response = Response::builder().status(200).body(()).unwrap();
    *response.headers_mut() = headers;
    let received = UNIX_EPOCH + Duration::from_millis(DATE.0);
    let theirs = CachePolicy::new_options(&request, &response, received, CacheOptions::default());
    assert_eq!(stored.age(DATE), Millis(30_000));
    assert_eq!(theirs.age(received), Duration::ZERO);
}
