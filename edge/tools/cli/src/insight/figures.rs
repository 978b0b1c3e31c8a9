//! Figures of one gateway, and of several together.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Sources that the origin was not asked for, as `docs/guide/analytics.md` says.
const HITS: [&str; 4] = ["memory", "cache", "shared", "stale"];

/// What a gateway answers.
#[derive(Clone, Debug, Deserialize)]
pub struct Figures {
    version: u32,
    period: Period,
    requests: u64,
    bytes: u64,
    sources: BTreeMap<String, Amounts>,
    statuses: BTreeMap<String, u64>,
    first_byte_us: Times,
}

#[derive(Clone, Debug, Deserialize)]
struct Period {
    seconds: f64,
}

#[derive(Clone, Debug, Deserialize)]
struct Amounts {
    requests: u64,
    bytes: u64,
}

#[derive(Clone, Debug, Deserialize)]
struct Times {
    buckets: Vec<[u64; 3]>,
}

/// Figures as they are shown: counts add up, rates add up each over its own period, and histograms by their buckets.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Shown {
    /// The longest period that is in it, in seconds.
    pub seconds: f64,
    /// Answers.
    pub requests: u64,
    /// Answers each second.
    pub requests_per_second: f64,
    /// Body bytes to visitors, as charged.
    pub bytes: u64,
    /// The same each second.
    pub bytes_per_second: f64,
    /// Share of answers for which no origin was asked.
    pub hit_ratio: Option<f64>,
    /// Share of bytes for which no origin was asked.
    pub byte_hit_ratio: Option<f64>,
    /// Answers by source.
    pub sources: BTreeMap<String, u64>,
    /// Answers by class of status.
    pub statuses: BTreeMap<String, u64>,
    /// Microseconds to the first byte: the median.
    pub p50_us: Option<u64>,
    /// Of 95 in 100.
    pub p95_us: Option<u64>,
    /// Of 99 in 100.
    pub p99_us: Option<u64>,
}

impl Figures {
    /// Reads an answer.
    ///
    /// Errors: when it is of another version, or makes no sense.
    pub fn read(answer: &[u8]) -> anyhow::Result<Self> {
        let figures: Self = serde_json::from_slice(answer)?;
        anyhow::ensure!(
            figures.version == 1,
            "figures of version {}, and this program reads 1",
            figures.version
        );
        let is_length = figures.period.seconds.is_finite() && figures.period.seconds >= 0.0;
        anyhow::ensure!(is_length, "a period of {} s", figures.period.seconds);
        Ok(figures)
    }
}

/// Adds up the figures of several gateways, or of one.
pub fn together<'a>(all: impl IntoIterator<Item = &'a Figures>) -> Shown {
    let mut shown = Shown::default();
    let mut buckets: BTreeMap<(u64, u64), u64> = BTreeMap::new();
    let (mut hits, mut asked) = ((0u64, 0u64), (0u64, 0u64));
    for figures in all {
        // Just started: less than a moment is no rate.
        let seconds = figures.period.seconds.max(0.001);
        shown.seconds = shown.seconds.max(figures.period.seconds);
        shown.requests = shown.requests.saturating_add(figures.requests);
        shown.bytes = shown.bytes.saturating_add(figures.bytes);
        shown.requests_per_second += figures.requests as f64 / seconds;
        shown.bytes_per_second += figures.bytes as f64 / seconds;
        for (name, amounts) in &figures.sources {
            add(
                shown.sources.entry(name.clone()).or_default(),
                amounts.requests,
            );
            if HITS.contains(&name.as_str()) {
                add(&mut hits.0, amounts.requests);
                add(&mut hits.1, amounts.bytes);
            }
            if name != "own" {
                add(&mut asked.0, amounts.requests);
                add(&mut asked.1, amounts.bytes);
            }
        }
        for (name, count) in &figures.statuses {
            add(shown.statuses.entry(name.clone()).or_default(), *count);
        }
        for [from, to, count] in &figures.first_byte_us.buckets {
            add(buckets.entry((*from, *to)).or_default(), *count);
        }
    }
    let ratio = |part: u64, all: u64| (all > 0).then(|| part as f64 / all as f64);
    shown.hit_ratio = ratio(hits.0, asked.0);
    shown.byte_hit_ratio = ratio(hits.1, asked.1);
    shown.p50_us = quantile(&buckets, 500);
    shown.p95_us = quantile(&buckets, 950);
    shown.p99_us = quantile(&buckets, 990);
    shown
}

fn add(sum: &mut u64, more: u64) {
    *sum = sum.saturating_add(more);
}

/// The middle of the bucket that this many thousandths of all times do not exceed (nearest rank).
fn quantile(buckets: &BTreeMap<(u64, u64), u64>, per_mille: u128) -> Option<u64> {
    let all: u128 = buckets.values().map(|count| u128::from(*count)).sum();
    let rank = (all * per_mille).div_ceil(1_000).max(1);
    let mut seen = 0u128;
    buckets.iter().find_map(|((from, to), count)| {
        seen += u128::from(*count);
        (seen >= rank).then_some(from + to.saturating_sub(*from) / 2)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The example of `docs/guide/analytics.md`.
    fn example() -> Vec<u8> {
        let guide = include_str!("../../../../../docs/guide/analytics.md");
        let (_, rest) = guide.split_once("```json\n").unwrap();
        let (json, _) = rest.split_once("```").unwrap();
        json.as_bytes().to_vec()
    }

    fn figures(seconds: f64, times: &[(u64, u64)]) -> Figures {
        let count: u64 = times.iter().map(|(_, count)| count).sum();
        let amounts = |requests, bytes| Amounts { requests, bytes };
        Figures {
            version: 1,
            period: Period { seconds },
            requests: count,
            bytes: 10 * count,
            sources: [
                ("memory".to_owned(), amounts(count, 10 * count)),
                ("own".to_owned(), amounts(3, 0)),
                ("pass".to_owned(), amounts(count, 0)),
            ]
            .into(),
            statuses: [("2xx".to_owned(), count)].into(),
            first_byte_us: Times {
                buckets: times
                    .iter()
                    .map(|(at, count)| [*at, at + 1, *count])
                    .collect(),
            },
        }
    }

    #[test]
    fn the_guides_example_is_read() {
        let shown = together([&Figures::read(&example()).unwrap()]);
        assert_eq!((shown.requests, shown.p50_us), (9_120, Some(10)));
        assert!(Figures::read(b"{}").is_err());
        let other = String::from_utf8(example()).unwrap();
        let other = other.replace("\"version\": 1", "\"version\": 2");
        let error = Figures::read(other.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("version 2"), "{error}");
    }

    #[test]
    fn gateways_add_up() {
        let (one, two) = (
            figures(10.0, &[(10, 50)]),
            figures(5.0, &[(10, 10), (90, 40)]),
        );
        let shown = together([&one, &two]);
        assert_eq!((shown.requests, shown.bytes), (100, 1_000));
        assert_eq!(shown.requests_per_second, 50.0 / 10.0 + 50.0 / 5.0);
        assert_eq!(
            (shown.hit_ratio, shown.byte_hit_ratio),
            (Some(0.5), Some(1.0))
        );
        assert_eq!((shown.p50_us, shown.p95_us), (Some(10), Some(90)));
        assert_eq!(shown.statuses["2xx"], 100);
        let nothing = together([&figures(1.0, &[])]);
        assert_eq!((nothing.hit_ratio, nothing.p50_us), (None, None));
    }

    proptest! {
        #[test]
        fn a_quantile_together_is_that_of_all_times(
            one in prop::collection::vec(0u64..50, 0..40),
            two in prop::collection::vec(0u64..50, 1..40),
        ) {
            let of = |times: &[u64]| {
                let counts: Vec<_> = times.iter().map(|time| (2 * time, 1)).collect();
                figures(1.0, &counts)
            };
            let shown = together([&of(&one), &of(&two)]);
            let mut all = [one, two].concat();
            all.sort_unstable();
            let rank = (all.len() * 95).div_ceil(100);
            prop_assert_eq!(shown.p95_us, Some(2 * all[rank - 1]));
        }
    }
}
