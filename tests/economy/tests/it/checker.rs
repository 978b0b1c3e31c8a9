//! The simulation can fail: outside the joint ranges, or with other draws, it finds who profits.

use crate::promises::{run, run_with, EPOCHS};
use selvedge_economy_simulation::{model::audit::DrawRule, scenario::SEL, Rules, Scenario};
use selvedge_primitives_math::ranges::RangeError;
use selvedge_primitives_types::Ppm;

/// A coalition that has every role, and yields that its stakes hardly limit.
fn ample() -> Scenario {
    let mut scenario = Scenario::sample(2, EPOCHS);
    scenario.rates.pools = [Ppm(0), Ppm::percent(20), Ppm::percent(80)];
    scenario.rates.lambdas = [Ppm::ONE, Ppm(0), Ppm(0)];
    scenario.pool = 10_000_000 * SEL;
    scenario.emission_rate = Ppm::percent(30);
    scenario.aprs = [Ppm::percent(30); 3];
    scenario.stakes = [25_000 * SEL, 100 * SEL, 250_000 * SEL];
    scenario.owns_stargate = true;
    scenario.is_used = false;
    scenario.measure = Ppm::percent(25);
    scenario
}

#[test]
fn who_returns_more_than_the_take_is_found_out() {
    let inside = ample();
    assert_eq!(inside.rates.check(), Ok(()));
    let poorer = run("referral ring", inside.clone(), Rules::Written).unwrap();
    assert!(poorer.net() < 0, "{poorer:?}");

    // r + a + κ·n ≥ t, once by κ and once by the λ.
    let mut by_kappa = inside.clone();
    by_kappa.rates.kappa = Ppm::percent(150);
    assert!(by_kappa.rates.coalition_return() >= by_kappa.rates.take);
    assert_eq!(by_kappa.rates.check(), Err(RangeError::Kappa));
    let mut by_lambda = inside;
    by_lambda.rates.kappa = Ppm::percent(60);
    by_lambda.rates.lambdas = [Ppm::percent(300), Ppm(0), Ppm(0)];
    assert_eq!(by_lambda.rates.check(), Err(RangeError::Lambdas));
    for outside in [by_kappa, by_lambda] {
        let richer = run("referral ring", outside, Rules::Written).unwrap();
        assert!(richer.net() > 0, "{richer:?}");
    }
}

#[test]
fn without_a_net_take_nothing_is_lost_by_buying_traffic() {
    // n = 0: what the referrer gets back is all that the take leaves after the audit fee.
    let mut scenario = ample();
    scenario.rates.take = Ppm::percent(10);
    scenario.rates.referral = Ppm(95_000);
    scenario.rates.audit = Ppm(5_000);
    scenario.rates.burn = Ppm(0);
    assert_eq!(scenario.rates.check(), Err(RangeError::NetTake));
    // Its own auditors would return the rest; with a third of them it loses a part of the fee.
    let outcome = run("referral ring", scenario, Rules::Written).unwrap();
    let lost = -outcome.per_cent(outcome.net());
    assert!((0.0..=0.5).contains(&lost), "{lost} % of the traffic");
}

#[test]
fn draws_by_index_alone_miss_a_fat_leaf() {
    let mut scenario = ample();
    scenario.is_used = true;
    scenario.measure = Ppm::ONE;
    let name = "one fat leaf among dust";
    let caught = run(name, scenario.clone(), Rules::Written).unwrap();
    assert!(caught.net() < 0 && caught.voids > 0, "{caught:?}");
    let missed = run_with(name, scenario, Rules::Written, DrawRule::ByIndex).unwrap();
    assert!(missed.net() > 0, "{missed:?}");
}
