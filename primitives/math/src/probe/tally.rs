//! From what probers say to the components of a score.
//!
//! ```text
//! sightings of an epoch ── find ──▶ Finding ── add ──▶ Observed of an era ──▶ answered, right, pace, round trip
//! ```

use crate::{
    ratio::mul_div,
    score::{weighted_median, Sample},
};
use alloc::{collections::BTreeSet, vec::Vec};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use selvedge_primitives_types::{FetchVerdict, Ppm, Probe, Prober, Region, Score, Sighting};

/// Highest value of [`speed`]: 1.25, as of paid work.
pub const MAX_SPEED: Score = Score(1_250_000);

/// Operators whose probers must have spoken for an epoch to say anything: with two, one of them would decide.
pub const QUORUM: usize = 3;

/// Operators within its region for an epoch to say anything about a node's distance from it. Of two, the lower round
/// trip counts, so that a liar cannot put a node further away.
pub const HOME_QUORUM: usize = 2;

/// Bytes that a pace is reckoned in.
const PACE_UNIT: u32 = 64 * 1024;

/// What a prober's entry says.
pub fn sighting(prober: &Prober, probe: &Probe) -> Sighting {
    let fetch = probe.fetch.as_ref();
    let came = fetch.filter(|fetch| fetch.verdict != FetchVerdict::Failed);
    Sighting {
        region: prober.region,
        operator: prober.operator,
        weight: prober.weight,
        answered: probe.answer.is_some() && fetch.is_some() == came.is_some(),
        right: came.map(|fetch| fetch.verdict == FetchVerdict::Right),
        pace: came.map(|fetch| (fetch.time / fetch.bytes.div_ceil(PACE_UNIT).max(1)).max(1)),
        round_trip: probe.answer.as_ref().map(|answer| answer.round_trip.max(1)),
    }
}

/// What the probers of an epoch saw together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether the node answered.
    pub answered: bool,
    /// Whether its octets were right.
    pub right: Option<bool>,
    /// Its pace in microseconds per 64 KiB.
    pub pace: Option<u32>,
    /// Round trip from its own region, in microseconds.
    pub round_trip: Option<u32>,
}

/// Decides an epoch, in any order of the sightings; `None` with fewer than [`QUORUM`] operators.
///
/// A node is found wanting only by more than half of the weight: a tie is decided for it.
pub fn find(claimed: &Region, sightings: &[Sighting]) -> Option<Finding> {
    let failed = decide(sightings, QUORUM, |one| Some(u32::from(!one.answered)))?;
    let wrong = decide(sightings, QUORUM, |one| {
        one.right.map(|right| (!right).into())
    });
    let answered = failed == 0;
    let seen = |value: Option<u32>| value.filter(|_| answered);
    Some(Finding {
        answered,
        right: seen(wrong).map(|wrong| wrong == 0),
        pace: seen(decide(sightings, QUORUM, |one| one.pace)),
        round_trip: decide(sightings, HOME_QUORUM, |one| {
            one.round_trip.filter(|_| one.region == *claimed)
        }),
    })
}

/// The weighted median of what the sightings say, if enough operators say anything.
fn decide(
    sightings: &[Sighting],
    quorum: usize,
    value: impl Fn(&Sighting) -> Option<u32>,
) -> Option<u32> {
    let samples: Vec<_> = sightings
        .iter()
        .filter_map(|one| {
            Some(Sample {
                operator: one.operator,
                value: value(one)?.into(),
                weight: one.weight,
            })
        })
        .collect();
    let weighty = samples.iter().filter(|sample| sample.weight > 0);
    let operators: BTreeSet<_> = weighty.map(|sample| sample.operator).collect();
    if operators.len() < quorum {
        return None;
    }
    weighted_median(&samples).map(|median| median as u32)
}

/// What was found of a node in an era, summed up.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Observed {
    /// Epochs that say anything.
    pub sampled: u32,
    /// Of these, epochs in which it answered.
    pub answered: u32,
    /// Epochs in which enough probers fetched from it.
    pub served: u32,
    /// Of these, epochs in which the octets were right.
    pub right: u32,
    /// Epochs with a pace.
    pub paced: u32,
    /// Sum of their paces, in microseconds per 64 KiB.
    pub pace_sum: u64,
    /// Epochs with a round trip from its own region.
    pub timed: u32,
    /// Sum of these, in microseconds.
    pub round_trip_sum: u64,
}

impl Observed {
    /// Counts an epoch. The order of epochs does not matter.
    pub fn add(&mut self, finding: &Finding) {
        self.sampled = self.sampled.saturating_add(1);
        self.answered = self.answered.saturating_add(finding.answered.into());
        if let Some(right) = finding.right {
            self.served = self.served.saturating_add(1);
            self.right = self.right.saturating_add(right.into());
        }
        if let Some(pace) = finding.pace {
            self.paced = self.paced.saturating_add(1);
            self.pace_sum = self.pace_sum.saturating_add(pace.into());
        }
        if let Some(round_trip) = finding.round_trip {
            self.timed = self.timed.saturating_add(1);
            self.round_trip_sum = self.round_trip_sum.saturating_add(round_trip.into());
        }
    }

    /// The same with `absent` epochs of an era of `epochs` in which the node was not there: each is one without an answer.
    ///
    /// Where nobody looked, it is taken to have answered in the others.
    pub fn with_absence(mut self, absent: u32, epochs: u32) -> Self {
        if absent > 0 && self.sampled == 0 {
            self.sampled = epochs.max(absent);
            self.answered = epochs.saturating_sub(absent);
        } else {
            self.sampled = self.sampled.saturating_add(absent);
        }
        self
    }

    /// Share of epochs in which the node answered; one without samples.
    pub fn answered(&self) -> Score {
        share(self.answered, self.sampled)
    }

    /// Share of epochs in which its octets were right; one without samples.
    pub fn right(&self) -> Score {
        share(self.right, self.served)
    }

    /// The `ok` of a service score: answered, with the right octets.
    pub fn ok(&self) -> Score {
        product(self.answered(), self.right())
    }

    /// Mean pace in microseconds per 64 KiB.
    pub fn pace(&self) -> Option<u64> {
        self.pace_sum.checked_div(self.paced.into())
    }

    /// Mean round trip from its own region in microseconds.
    pub fn round_trip(&self) -> Option<u64> {
        self.round_trip_sum.checked_div(self.timed.into())
    }

    /// Whether the node answered in less than half of the share of epochs that is expected of its role, in an era of
    /// `epochs`. Fewer samples than for half of the epochs say nothing.
    pub fn is_unavailable(&self, expected: Ppm, epochs: u64) -> bool {
        let (sampled, answered) = (u64::from(self.sampled), u64::from(self.answered));
        let is_enough = sampled > 0 && 2 * sampled >= epochs;
        is_enough && 2 * answered * u64::from(Ppm::ONE.0) < sampled * u64::from(expected.0)
    }
}

fn share(part: u32, whole: u32) -> Score {
    mul_div(part.into(), Score::ONE.0.into(), whole.into()).map_or(Score::ONE, |share| {
        Score(share.min(Score::ONE.0.into()) as u32)
    })
}

fn product(a: Score, b: Score) -> Score {
    Score((u64::from(a.0) * u64::from(b.0) / u64::from(Score::ONE.0)) as u32)
}

/// How fast a node is, against the regional median pace: `clamp(median / pace, 0, 1.25)`. A pace or median that nobody
/// knows counts as 1.
pub fn speed(pace: Option<u64>, regional_median: Option<u64>) -> Score {
    let (Some(pace), Some(median)) = (pace, regional_median) else {
        return Score::ONE;
    };
    mul_div(median.into(), Score::ONE.0.into(), pace.max(1).into()).map_or(MAX_SPEED, |ratio| {
        Score(ratio.min(MAX_SPEED.0.into()) as u32)
    })
}

/// The quality of an era: `answered × min(speed, 1) × right`, at most one.
pub fn quality(answered: Score, speed: Score, right: Score) -> Score {
    [speed, right]
        .into_iter()
        .map(|factor| factor.min(Score::ONE))
        .fold(answered.min(Score::ONE), product)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score;
    use proptest::prelude::*;
    use selvedge_primitives_types::{Account, DeviceId, ProbeAnswer, ProbeFetch, Signature64};

    const HOME: Region = Region(*b"eu-west\0");

    fn seen(operator: u8, weight: u64, answered: bool, pace: u32) -> Sighting {
        Sighting {
            region: HOME,
            operator: Account([operator; 32]),
            weight,
            answered,
            right: answered.then_some(true),
            pace: answered.then_some(pace),
            round_trip: answered.then_some(pace / 2),
        }
    }

    fn any_sighting() -> impl Strategy<Value = Sighting> {
        let times = (proptest::option::of(1u32..), proptest::option::of(1u32..));
        (
            0u8..8,
            any::<u64>(),
            any::<bool>(),
            any::<Option<bool>>(),
            times,
        )
            .prop_map(
                |(operator, weight, answered, right, (pace, round_trip))| Sighting {
                    right,
                    pace,
                    round_trip,
                    ..seen(operator, weight, answered, 1)
                },
            )
    }

    fn any_finding() -> impl Strategy<Value = Finding> {
        proptest::collection::vec(any_sighting(), 3..8)
            .prop_filter_map("a quorum", |sightings| find(&HOME, &sightings))
    }

    #[test]
    fn an_epoch_of_absence_is_one_without_an_answer() {
        let seen = Observed {
            sampled: 20,
            answered: 20,
            ..Default::default()
        };
        assert_eq!(seen.with_absence(0, 24), seen);
        assert_eq!(seen.with_absence(4, 24).answered(), Score(833_333));
        // Nobody looked at it in the twenty epochs in which it was there.
        let unseen = Observed::default();
        assert_eq!(unseen.with_absence(0, 24), unseen);
        assert_eq!(unseen.with_absence(4, 24).answered(), Score(833_333));
        assert_eq!(unseen.with_absence(30, 24).answered(), Score::MIN);
    }

    #[test]
    fn a_probe_becomes_a_sighting() {
        let prober = Prober {
            region: HOME,
            operator: Account([1; 32]),
            device: DeviceId([2; 32]),
            weight: 9,
        };
        let answer = ProbeAnswer {
            nonce: [0; 16],
            signature: Signature64::default(),
            round_trip: 700,
        };
        let fetch = |verdict| ProbeFetch {
            object: [0; 32],
            bytes: 3 * PACE_UNIT,
            time: 3_000,
            verdict,
        };
        let of = |answer, fetch| {
            let probed = DeviceId([3; 32]);
            sighting(
                &prober,
                &Probe {
                    probed,
                    answer,
                    fetch,
                },
            )
        };
        let good = of(Some(answer), Some(fetch(FetchVerdict::Right)));
        assert_eq!(
            (
                good.answered,
                good.right,
                good.pace,
                good.round_trip,
                good.weight
            ),
            (true, Some(true), Some(1_000), Some(700), 9)
        );
        let wrong = of(Some(answer), Some(fetch(FetchVerdict::Wrong)));
        assert_eq!((wrong.answered, wrong.right), (true, Some(false)));
        // Who signs nonces and serves nothing has not answered.
        let refuses = of(Some(answer), Some(fetch(FetchVerdict::Failed)));
        assert_eq!(
            (refuses.answered, refuses.right, refuses.pace),
            (false, None, None)
        );
        let dead = of(None, None);
        assert_eq!((dead.answered, dead.round_trip), (false, None));
        assert!(of(Some(answer), None).answered);
    }

    #[test]
    fn two_operators_say_nothing() {
        let two = [
            seen(1, 5, false, 1),
            seen(1, 5, false, 1),
            seen(2, 5, false, 1),
        ];
        assert_eq!(find(&HOME, &two), None);
        let weightless = [
            seen(1, 5, false, 1),
            seen(2, 5, false, 1),
            seen(3, 0, false, 1),
        ];
        assert_eq!(find(&HOME, &weightless), None);
    }

    #[test]
    fn a_tie_is_decided_for_the_node() {
        let split = [
            seen(1, 1, false, 1),
            seen(2, 1, false, 1),
            seen(3, 1, true, 1),
            seen(4, 1, true, 1),
        ];
        assert!(find(&HOME, &split).unwrap().answered);
    }

    #[test]
    fn distance_is_told_from_within_the_region_alone() {
        let away = |operator| Sighting {
            region: Region(*b"us-east\0"),
            ..seen(operator, 1, true, 2)
        };
        let mixed = [
            seen(1, 1, true, 900),
            seen(2, 1, true, 700),
            away(3),
            away(4),
        ];
        assert_eq!(find(&HOME, &mixed).unwrap().round_trip, Some(350));
        let one = [seen(1, 1, true, 900), away(3), away(4)];
        assert_eq!(find(&HOME, &one).unwrap().round_trip, None);
    }

    #[test]
    fn no_samples_count_as_one() {
        let none = Observed::default();
        assert_eq!(
            (none.answered(), none.right(), none.ok()),
            (Score::ONE, Score::ONE, Score::ONE)
        );
        assert_eq!(speed(none.pace(), Some(10)), Score::ONE);
        assert_eq!(speed(Some(10), None), Score::ONE);
        assert_eq!(
            quality(none.answered(), Score::ONE, none.right()),
            Score::ONE
        );
        assert!(!none.is_unavailable(Ppm::ONE, 0));
    }

    #[test]
    fn speed_is_the_median_over_the_pace_and_clamped() {
        assert_eq!(speed(Some(20), Some(10)), Score(500_000));
        assert_eq!(speed(Some(10), Some(10)), Score::ONE);
        assert_eq!(speed(Some(1), Some(10)), MAX_SPEED);
        assert_eq!(speed(Some(0), Some(u64::MAX)), MAX_SPEED);
        // Being faster than others is no quality of its own.
        assert_eq!(quality(Score::ONE, MAX_SPEED, Score::ONE), Score::ONE);
        assert_eq!(
            quality(Score(500_000), Score(500_000), Score(500_000)),
            Score(125_000)
        );
    }

    #[test]
    fn half_of_what_is_expected_is_enough() {
        let observed = |answered, sampled| Observed {
            answered,
            sampled,
            ..Default::default()
        };
        let gateway = Ppm::percent(99);
        assert!(observed(11, 24).is_unavailable(gateway, 24));
        assert!(!observed(12, 24).is_unavailable(gateway, 24));
        let cache = Ppm::percent(20);
        assert!(observed(2, 24).is_unavailable(cache, 24));
        assert!(!observed(3, 24).is_unavailable(cache, 24));
        // Less than half of the epochs were sampled.
        assert!(!observed(0, 11).is_unavailable(gateway, 24));
        assert!(observed(0, 12).is_unavailable(gateway, 24));
    }

    proptest! {
        #[test]
        fn components_stay_in_their_range(findings in proptest::collection::vec(any_finding(), 0..30), median: Option<u64>) {
            let mut observed = Observed::default();
            findings.iter().for_each(|finding| observed.add(finding));
            let speed = speed(observed.pace(), median);
            let quality = quality(observed.answered(), speed, observed.right());
            prop_assert!(quality <= Score::ONE);
            prop_assert!(observed.ok() <= Score::ONE && speed <= MAX_SPEED);
            prop_assert!(score::service(observed.ok(), score::MAX_JOBS, speed) <= Score::MAX);
        }

        #[test]
        fn the_order_of_probers_and_epochs_does_not_matter(
            mut sightings in proptest::collection::vec(any_sighting(), 0..12),
            mut findings in proptest::collection::vec(any_finding(), 0..12),
        ) {
            let before = find(&HOME, &sightings);
            sightings.reverse();
            prop_assert_eq!(before, find(&HOME, &sightings));
            let sum = |findings: &[Finding]| {
                let mut observed = Observed::default();
                findings.iter().for_each(|finding| observed.add(finding));
                observed
            };
            let before = sum(&findings);
            findings.reverse();
            prop_assert_eq!(before, sum(&findings));
        }

        /// Whatever one operator of the panel says, and whatever its stake, what is found lies within what the honest
        /// ones say.
        #[test]
        fn one_liar_moves_no_finding_out_of_what_the_honest_say(
            honest in proptest::collection::vec((1u64.., 100u32..200), 4..8),
            lie in any_sighting(), weight: u64, up: bool,
        ) {
            let of = |(operator, (weight, pace)): (u8, &(u64, u32))| seen(operator, *weight, up, *pace);
            let mut sightings: Vec<_> = (100..).zip(&honest).map(of).collect();
            sightings.push(Sighting { operator: Account([1; 32]), weight, ..lie });
            let found = find(&HOME, &sightings).unwrap();
            prop_assert_eq!(found.answered, up);
            if up {
                prop_assert_eq!(found.right, Some(true));
                prop_assert!((100..200).contains(&found.pace.unwrap()));
                prop_assert!((50..100).contains(&found.round_trip.unwrap()));
            }
        }

        /// And where the honest ones disagree, so that its word may decide, an era moves a score by an eighth.
        #[test]
        fn an_era_of_lies_moves_a_score_by_an_eighth_at_most(
            old in 0u32..=1_500_000, truth in 0u32..=1_000_000, lie in 0u32..=1_000_000,
        ) {
            let [told, lied] = [truth, lie].map(|new| score::smooth(Score(old), Score(new)));
            prop_assert!(told.0.abs_diff(lied.0) <= 125_001);
        }
    }
}
