use super::*;
use proptest::prelude::*;

const SEL: Planck = 1_000_000_000_000;

fn gateway() -> YieldTerms {
    YieldTerms {
        beta: Ppm::percent(50),
        kappa: Ppm::percent(50),
        apr: Ppm::percent(15),
        lambda: Ppm::percent(35),
        take: Ppm::percent(15),
        referral: Ppm::percent(10),
        audit: Ppm::percent(1),
    }
}

#[test]
fn a_gateway_earns_half_its_ceiling_as_base() {
    let year = base(&gateway(), 25_000 * SEL, Score::ONE, YEAR_MILLIS);
    assert_eq!(year, 1_875 * SEL);
    assert_eq!(
        base(&gateway(), 25_000 * SEL, Score::MAX, YEAR_MILLIS),
        year
    );
    assert_eq!(base(&gateway(), 25_000 * SEL, Score::MIN, YEAR_MILLIS), 0);
}

#[test]
fn activity_is_limited_by_stake_and_by_charges() {
    let stake = 25_000 * SEL;
    let plain = activity(&gateway(), stake, Score::ONE, 0, Ppm::ONE, YEAR_MILLIS);
    assert_eq!(plain, 1_875 * SEL);
    let boost = Ppm(4_000_000);
    let long = activity(&gateway(), stake, Score::MAX, 10_000, boost, YEAR_MILLIS);
    assert_eq!(long, plain * 3 / 2 * 14 / 10 * 4);
    // 0.5 × 35 % × 4 % of 1,000 SEL.
    assert_eq!(returnable(&gateway(), 1_000 * SEL), 7 * SEL);
    assert_eq!(returnable(&gateway(), 0), 0);
}

#[test]
fn a_sub_pool_is_scaled_to_millionths() {
    assert_eq!(scale(0, 0), Ppm::ONE);
    assert_eq!(scale(5, 10), Ppm::ONE);
    assert_eq!(scale(3, 1), Ppm(333_333));
    assert_eq!(scale(1, 0), Ppm(0));
}

#[test]
fn a_tenth_of_the_pool_a_year() {
    assert_eq!(
        emission(10_000_000 * SEL, Ppm::percent(10), YEAR_MILLIS),
        1_000_000 * SEL
    );
    assert_eq!(emission(5, Ppm::percent(10), u64::MAX), 5);
    assert_eq!(emission(u128::MAX, Ppm(u32::MAX), u64::MAX), u128::MAX);
}

proptest! {
    #[test]
    fn yields_grow_with_everything_that_earns_them(
        stake in 0u128..1_000_000 * SEL, more_stake in 0u128..1_000_000 * SEL,
        score in 0u32..1_500_000, better in 0u32..1_500_000,
        days in 0u32..2_000, longer in 0u32..2_000,
        charges in 0u128..1_000_000 * SEL, more_charges in 0u128..1_000_000 * SEL,
        era in 0u64..YEAR_MILLIS,
    ) {
        let terms = gateway();
        let low = base(&terms, stake, Score(score), era);
        let high = base(&terms, stake + more_stake, Score(score.saturating_add(better)), era);
        prop_assert!(low <= high);
        let low = activity(&terms, stake, Score(score), days, Ppm::ONE, era);
        let high = activity(
            &terms, stake + more_stake, Score(score.saturating_add(better)), days + longer, Ppm::percent(200), era,
        );
        prop_assert!(low <= high);
        prop_assert!(returnable(&terms, charges) <= returnable(&terms, charges + more_charges));
    }

    #[test]
    fn splitting_a_stake_gains_no_base(a in 0u128..1_000_000 * SEL, b in 0u128..1_000_000 * SEL) {
        let one = |stake| base(&gateway(), stake, Score::ONE, YEAR_MILLIS / 365);
        prop_assert!(one(a) + one(b) <= one(a + b));
    }

    #[test]
    fn scaled_claims_fit(claims in proptest::collection::vec(0u128..1 << 100, 1..20), available: u64) {
        let total: u128 = claims.iter().sum();
        let available = u128::from(available) << 32;
        let paid: u128 = claims.iter().map(|claim| scale_down(*claim, total, available)).sum();
        prop_assert!(paid <= available);
        prop_assert!(paid <= total);
        prop_assert!(total > available || paid == total);
    }

    #[test]
    fn a_pool_never_runs_dry(pool: u128, rate in 0u32..=1_000_000, elapsed: u64) {
        prop_assert!(emission(pool, Ppm(rate), elapsed) <= pool);
    }
}
