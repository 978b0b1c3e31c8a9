//! Arithmetic of scores: absolute scales, smoothing and medians that no single operator can move.
//!
//! All results are millionths in `[0, 1.5]` ([`Score`]) and rounded down, smoothing to the nearest.

use crate::ratio::mul_div;
use alloc::vec::Vec;
use selvedge_primitives_types::{Account, Planck, Score};

/// Highest value of the [`jobs`] component: 1.25.
pub const MAX_JOBS: Score = Score(1_250_000);

/// Parts of a median's weight of which one operator may hold one: a fifth is 20 %.
const OPERATOR_PART: usize = 5;

/// The score after a period with score `new`: `⅞ old + ⅛ new`.
pub fn smooth(old: Score, new: Score) -> Score {
    clamp((7 * u128::from(old.0) + u128::from(new.0) + 4) / 8)
}

/// Charges per stake, in millionths; zero without a stake, and where it does not fit.
pub fn per_stake(charges: Planck, stake: Planck) -> u128 {
    mul_div(charges, Score::ONE.0.into(), stake).unwrap_or_default()
}

/// Charges per stake after an era with `new` of them: `⅞ usual + ⅛ new`, rounded down.
///
/// [`jobs`] is a ratio of such averages and not an average of ratios: an era in which little happens anywhere then
/// weighs no more than what happens in it.
pub fn usual(usual: u128, new: u128) -> u128 {
    usual.saturating_mul(7).saturating_add(new) / 8
}

/// How much paid work a node usually does for its stake, against the regional median of those who do any:
/// `clamp(node / median, 0, 1.25)`. A median of zero says nothing and counts as 1.
pub fn jobs(amount_per_stake_of_node: u128, regional_median: u128) -> Score {
    if regional_median == 0 {
        return Score::ONE;
    }
    let ratio = mul_div(
        amount_per_stake_of_node,
        Score::ONE.0.into(),
        regional_median,
    );
    // A quotient that does not fit is far above the clamp.
    Score(ratio.map_or(MAX_JOBS.0, |ratio| ratio.min(MAX_JOBS.0.into()) as u32))
}

/// The service score of a period: `ok² × (0.5 jobs + 0.5 speed)`.
pub fn service(ok: Score, jobs: Score, speed: Score) -> Score {
    let [ok, jobs, speed] = [ok, jobs, speed].map(|score| u128::from(score.0.min(Score::MAX.0)));
    clamp(ok * ok * (jobs + speed) / (2 * 1_000_000 * 1_000_000))
}

/// One value of a [`weighted_median`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Who operates the node that the value is of.
    pub operator: Account,
    /// The value.
    pub value: u128,
    /// Its weight, in any unit; an operator's weights are added up.
    pub weight: u64,
}

/// The value below which half of the weight lies, in any order of the input; `None` without weight.
///
/// One operator holds at most a fifth of the weight: what it has above that is cut, in proportion
/// over its samples. Fewer than five operators cannot all be below a fifth; they then weigh the
/// same.
pub fn weighted_median(samples: &[Sample]) -> Option<u128> {
    let mut samples: Vec<_> = samples
        .iter()
        .filter(|sample| sample.weight > 0)
        .copied()
        .collect();
    samples.sort_unstable_by_key(|sample| (sample.operator, sample.value, sample.weight));
    let weights: Vec<u128> = samples
        .chunk_by(|a, b| a.operator == b.operator)
        .map(|own| own.iter().map(|sample| u128::from(sample.weight)).sum())
        .collect();
    let cap = cap(weights.clone())?;

    let mut scaled: Vec<(u128, u128)> = Vec::with_capacity(samples.len());
    for (own, weight) in samples
        .chunk_by(|a, b| a.operator == b.operator)
        .zip(weights)
    {
        for sample in own {
            // 32 more bits keep an operator's small samples from vanishing in the division.
            let held = mul_div(u128::from(sample.weight) << 32, weight.min(cap), weight)?;
            scaled.push((sample.value, held));
        }
    }
    scaled.sort_unstable();
    let total = scaled
        .iter()
        .try_fold(0u128, |sum, (_, weight)| sum.checked_add(*weight))?;
    let mut below = 0;
    scaled.into_iter().find_map(|(value, weight)| {
        below += weight;
        (below >= total.div_ceil(2)).then_some(value)
    })
}

/// The most that an operator may weigh so that nobody holds more than a fifth of what remains;
/// `None` without operators.
fn cap(mut weights: Vec<u128>) -> Option<u128> {
    weights.sort_unstable_by(|a, b| b.cmp(a));
    if weights.len() < OPERATOR_PART {
        return weights.last().copied();
    }
    let mut rest = weights
        .iter()
        .try_fold(0u128, |sum, weight| sum.checked_add(*weight))?;
    for (above, weight) in weights.iter().enumerate().take(OPERATOR_PART) {
        // With the `above` heaviest cut to c: c = (above × c + rest) / 5.
        let cap = rest / (OPERATOR_PART - above) as u128;
        if *weight <= cap {
            return Some(cap);
        }
        rest -= weight;
    }
    weights.last().copied()
}

fn clamp(score: u128) -> Score {
    Score(score.min(Score::MAX.0.into()) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample(operator: u8, value: u128, weight: u64) -> Sample {
        Sample {
            operator: Account([operator; 32]),
            value,
            weight,
        }
    }

    fn any_score() -> impl Strategy<Value = Score> {
        (0..=Score::MAX.0).prop_map(Score)
    }

    #[test]
    fn an_eighth_of_the_news_counts() {
        assert_eq!(smooth(Score::ONE, Score::MIN), Score(875_000));
        assert_eq!(smooth(Score::MIN, Score::ONE), Score(125_000));
        assert_eq!(smooth(Score::MAX, Score::MAX), Score::MAX);
        assert_eq!(smooth(Score(u32::MAX), Score(u32::MAX)), Score::MAX);
    }

    #[test]
    fn jobs_are_clamped_and_no_median_is_one() {
        assert_eq!(jobs(0, 0), Score::ONE);
        assert_eq!(jobs(0, 10), Score::MIN);
        assert_eq!(jobs(5, 10), Score(500_000));
        assert_eq!(jobs(13, 10), MAX_JOBS);
        assert_eq!(jobs(u128::MAX, 1), MAX_JOBS);
    }

    #[test]
    fn charges_per_stake_are_averaged_before_they_are_compared() {
        assert_eq!(per_stake(5, 10), 500_000);
        assert_eq!((per_stake(5, 0), per_stake(u128::MAX, 1)), (0, 0));
        assert_eq!(usual(800, 0), 700);
        assert_eq!(usual(0, 800), 100);
        assert_eq!(usual(u128::MAX, u128::MAX), u128::MAX / 8);
        // Ten times the others' work in an era in which they do a hundredth lifts an average by a hundredth.
        let (node, others) = (usual(1_000_000, 100_000), usual(1_000_000, 10_000));
        assert_eq!(jobs(node, others), Score(1_012_838));
    }

    #[test]
    fn failing_half_of_the_time_costs_three_quarters() {
        assert_eq!(
            service(Score(500_000), Score::ONE, Score::ONE),
            Score(250_000)
        );
        assert_eq!(service(Score::ONE, MAX_JOBS, Score::ONE), Score(1_125_000));
        assert_eq!(service(Score::MAX, Score::MAX, Score::MAX), Score::MAX);
    }

    #[test]
    fn one_heavy_operator_does_not_own_the_median() {
        let mut samples: Vec<_> = (0..5).map(|id| sample(id, u128::from(id), 10)).collect();
        samples.push(sample(9, 1_000, u64::MAX));
        assert_eq!(weighted_median(&samples), Some(3));
        assert_eq!(
            weighted_median(&[sample(1, 7, 1), sample(2, 9, 1_000)]),
            Some(7)
        );
        assert_eq!(weighted_median(&[sample(1, 7, 0)]), None);
        assert_eq!(weighted_median(&[]), None);
    }

    proptest! {
        #[test]
        fn nobody_holds_more_than_a_fifth(weights in proptest::collection::vec(1u64.., 5..30)) {
            let weights: Vec<u128> = weights.into_iter().map(u128::from).collect();
            let cap = cap(weights.clone()).unwrap();
            let total: u128 = weights.iter().map(|weight| weight.min(&cap)).sum();
            prop_assert!(cap > 0);
            prop_assert!(weights.iter().all(|weight| 5 * weight.min(&cap) <= total));
        }

        #[test]
        fn the_order_of_samples_does_not_matter(
            mut samples in proptest::collection::vec(
                (0u8..8, 0u128..50, 0u64..100).prop_map(|(id, value, weight)| sample(id, value, weight)),
                1..30,
            ).prop_shuffle(),
        ) {
            let before = weighted_median(&samples);
            samples.reverse();
            prop_assert_eq!(before, weighted_median(&samples));
            if let Some(median) = before {
                prop_assert!(samples.iter().any(|sample| sample.value == median));
            }
        }

        #[test]
        fn scores_stay_in_range(a in any_score(), b in any_score(), c in any_score()) {
            prop_assert!(smooth(a, b) <= Score::MAX);
            prop_assert!(service(a, b, c) <= Score::MAX);
            let (low, high) = (a.min(b), a.max(b));
            prop_assert!(smooth(a, b) >= low && smooth(a, b) <= high);
        }
    }
}
