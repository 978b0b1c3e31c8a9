use super::*;
use crate::{
    ratio::apply,
    yields::{activity, returnable, YieldTerms, YEAR_MILLIS},
};
use proptest::prelude::*;
use selvedge_primitives_types::Score;

fn rates(take: u32, referral: u32, audit: u32, kappa: u32) -> Rates {
    Rates {
        take: Ppm(take),
        stargate: Ppm::percent(10),
        cache: Ppm::percent(60),
        referral: Ppm(referral),
        audit: Ppm(audit),
        burn: Ppm(0),
        kappa: Ppm(kappa),
        beta: Ppm::percent(50),
        lambdas: [Ppm::percent(35), Ppm::percent(55), Ppm::percent(10)],
        pools: [Ppm::percent(50), Ppm::percent(35), Ppm::percent(15)],
    }
}

#[test]
fn each_rate_has_its_error() {
    let good = rates(150_000, 100_000, 10_000, 500_000);
    assert_eq!(good.check(), Ok(()));
    type Change = fn(&mut Rates);
    let bad: [(Change, RangeError); 17] = [
        (|it| it.take = Ppm(99_999), RangeError::Take),
        (|it| it.take = Ppm(300_001), RangeError::Take),
        (|it| it.stargate = Ppm(300_001), RangeError::StargateShare),
        (|it| it.cache = Ppm(199_999), RangeError::CacheShare),
        (|it| it.cache = Ppm(800_001), RangeError::CacheShare),
        (|it| it.referral = Ppm(100_001), RangeError::Referral),
        (|it| it.audit = Ppm(4_999), RangeError::Audit),
        (|it| it.audit = Ppm(20_001), RangeError::Audit),
        (|it| it.burn = Ppm(270_001), RangeError::Burn),
        (|it| it.take = Ppm(139_999), RangeError::NetTake),
        (|it| it.kappa = Ppm(600_001), RangeError::Kappa),
        (|it| it.beta = Ppm(199_999), RangeError::Beta),
        (|it| it.beta = Ppm(700_001), RangeError::Beta),
        (|it| it.lambdas = [Ppm(u32::MAX); 3], RangeError::Lambdas),
        (|it| it.pools = [Ppm(333_334); 3], RangeError::Pools),
        (|it| it.burn = Ppm(40_001), RangeError::TakeParts),
        (
            |it| (it.stargate, it.cache) = (Ppm(300_000), Ppm(700_001)),
            RangeError::Rest,
        ),
    ];
    for (change, error) in bad {
        let mut rates = good;
        change(&mut rates);
        assert_eq!(rates.check(), Err(error), "{rates:?}");
        assert!(!error.rule().is_empty());
    }
}

#[test]
fn at_the_corners_of_the_ranges_a_coalition_ends_poorer() {
    for take in (100_000..=300_000).step_by(5_000) {
        for referral in (0..=100_000).step_by(5_000) {
            for audit in (5_000..=20_000).step_by(2_500) {
                for kappa in [0, 300_000, 600_000] {
                    let rates = rates(take, referral, audit, kappa);
                    if rates.check().is_ok() {
                        assert!(rates.coalition_return() < rates.take, "{rates:?}");
                    }
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn inside_the_ranges_a_coalition_ends_poorer(
        take in 0u32..400_000, referral in 0u32..120_000, audit in 0u32..30_000, kappa in 0u32..700_000,
    ) {
        let rates = rates(take, referral, audit, kappa);
        if rates.check().is_ok() {
            prop_assert!(rates.coalition_return() < rates.take);
        }
    }

    #[test]
    fn what_all_roles_get_for_a_charge_stays_below_the_take(
        charge in 0u128..=u128::MAX >> 64, take in 100_000u32..=300_000, kappa in 0u32..=600_000,
        stake in 0u128..=u128::MAX >> 64,
    ) {
        let rates = rates(take, 100_000.min(take - 40_000), 10_000, kappa);
        prop_assume!(rates.check().is_ok());
        let activity: u128 = rates.lambdas.into_iter().map(|lambda| {
            let terms = YieldTerms {
                beta: rates.beta, kappa: rates.kappa, apr: Ppm::percent(20), lambda,
                take: rates.take, referral: rates.referral, audit: rates.audit,
            };
            let most = activity(&terms, stake, Score::MAX, 720, Ppm(4_000_000), YEAR_MILLIS);
            most.min(returnable(&terms, charge))
        }).sum();
        let back = activity + apply(rates.referral, charge) + apply(rates.audit, charge);
        let leaves = apply(rates.take, charge);
        prop_assert!(back < leaves || leaves == 0);
    }
}
