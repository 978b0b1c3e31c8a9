//! Draws scenarios. Every range is the chain's own.

use super::{Scenario, SEL};
use rand::{rngs::StdRng, Rng, SeedableRng};
use selvedge_primitives_math::ranges::{self, Range, Rates};
use selvedge_primitives_types::{Planck, Ppm, Prices};

impl Scenario {
    /// Draws everything anew. Every fourth seed is a corner: each rate is at one end of its range.
    pub fn sample(seed: u64, epochs_per_era: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let rates = sample_rates(&mut rng, seed % 4 == 3);
        let aprs = [(); 3].map(|()| ppm(&mut rng, ranges::APR));
        let stakes = [
            ranges::GATEWAY_STAKE,
            ranges::CACHE_STAKE,
            ranges::STARGATE_STAKE,
        ]
        .map(|range| log(&mut rng, range));
        let auditors = rng.gen_range(6..=40);
        let strangers = [rng.gen_range(4..=10), rng.gen_range(6..=16)];
        let own = [rng.gen_range(1..=2), rng.gen_range(1..=4)];
        let mut scenario = Self {
            seed,
            audit_seed: seed,
            rates,
            next: None,
            aprs,
            stakes,
            pool: log(&mut rng, 10_000 * SEL..=10_000_000 * SEL),
            emission_rate: ppm(&mut rng, ranges::EMISSION_RATE),
            express_fee: ppm(&mut rng, ranges::EXPRESS_FEE),
            reporter_share: ppm(&mut rng, ranges::REPORTER_SHARE),
            reporter_max: rng.gen_range(ranges::REPORTER_MAX),
            device_deposit: rng.gen_range(ranges::DEVICE_DEPOSIT),
            slash: ppm(&mut rng, Ppm::percent(5)..=Ppm::ONE),
            epochs_per_era,
            eras: 28,
            strangers,
            has_stargate: rng.gen(),
            own,
            owns_stargate: rng.gen(),
            boost: ppm(&mut rng, Ppm::ONE..=Ppm(4_000_000)),
            days: rng.gen_range(0..=800),
            auditors,
            own_auditors: rng.gen_range(0..=auditors / 3),
            is_used: rng.gen(),
            demand: 0,
            tide: Ppm(0),
            prices: per_gib(log(&mut rng, SEL / 1_000..=SEL)),
            running: ppm(&mut rng, Ppm::percent(2)..=Ppm::percent(50)),
            checking: log(&mut rng, SEL / 1_000_000..=SEL / 1_000),
            measure: ppm(&mut rng, Ppm::percent(5)..=Ppm::ONE),
        };
        let even = scenario.break_even();
        // Half of the networks are where stakes and charges limit yields alike: there a score counts.
        let reach = if rng.gen() { 2 } else { 30 };
        scenario.demand = log(&mut rng, even / reach..=even.saturating_mul(reach));
        scenario.tide = Ppm(log(&mut rng, 20_000..=1_000_000) as u32);
        scenario
    }

    /// Other rates inside the joint ranges, from the same seed; every second ones are a corner.
    pub fn other_rates(&self) -> impl Iterator<Item = Rates> {
        let mut rng = StdRng::seed_from_u64(!self.seed);
        (0u32..).map(move |number| sample_rates(&mut rng, number % 2 == 1))
    }
}

fn per_gib(planck: Planck) -> Prices {
    let price = u64::try_from(planck)
        .ok()
        .and_then(|planck| Prices::per(planck, 1 << 30))
        .unwrap_or(u64::MAX);
    Prices([0, price, 0, 0, 0, 0])
}

fn ppm(rng: &mut StdRng, range: Range<Ppm>) -> Ppm {
    Ppm(rng.gen_range(range.start().0..=range.end().0))
}

fn end(rng: &mut StdRng, range: Range<Ppm>) -> Ppm {
    if rng.gen() {
        *range.start()
    } else {
        *range.end()
    }
}

/// A number whose logarithm is evenly spread.
fn log(rng: &mut StdRng, range: Range<Planck>) -> Planck {
    let (low, high) = ((*range.start()).max(1), (*range.end()).max(1));
    let exponent = rng.gen_range(0.0..=1.0) * (high as f64 / low as f64).ln();
    ((low as f64 * exponent.exp()) as Planck).clamp(low, high)
}

/// Rates inside the ranges, by trial: what the joint rules refuse is drawn again.
fn sample_rates(rng: &mut StdRng, is_corner: bool) -> Rates {
    let draw = if is_corner { end } else { ppm };
    loop {
        let lambdas = parts(rng, is_corner);
        let rates = Rates {
            take: draw(rng, ranges::TAKE),
            stargate: draw(rng, ranges::STARGATE_SHARE),
            cache: draw(rng, ranges::CACHE_SHARE),
            referral: draw(rng, ranges::REFERRAL),
            audit: draw(rng, ranges::AUDIT_FEE),
            burn: draw(rng, ranges::BURN),
            kappa: draw(rng, ranges::KAPPA),
            beta: draw(rng, ranges::BETA),
            lambdas,
            pools: parts(rng, is_corner),
        };
        // The take is also drawn as low as the others allow: there a coalition loses least.
        let lowest = Rates {
            take: Ppm(rates.referral.0 + rates.audit.0 + ranges::NET_TAKE.start().0),
            burn: Ppm(0),
            ..rates
        };
        let first = if rng.gen() { lowest } else { rates };
        if first.check().is_ok() {
            return first;
        }
    }
}

/// Three parts of one; in a corner one of them has all.
fn parts(rng: &mut StdRng, is_corner: bool) -> [Ppm; 3] {
    let mut parts = [Ppm(0); 3];
    if is_corner {
        parts[rng.gen_range(0..3)] = Ppm::ONE;
        return parts;
    }
    let mut cuts = [rng.gen_range(0..=Ppm::ONE.0), rng.gen_range(0..=Ppm::ONE.0)];
    cuts.sort_unstable();
    [
        Ppm(cuts[0]),
        Ppm(cuts[1] - cuts[0]),
        Ppm(Ppm::ONE.0 - cuts[1]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_is_inside_the_joint_ranges() {
        for seed in 0..2_000 {
            let scenario = Scenario::sample(seed, 24);
            assert_eq!(scenario.rates.check(), Ok(()), "{scenario:?}");
            let mut others = scenario.other_rates().take(4);
            assert!(others.all(|rates| rates.check().is_ok()));
            assert!(3 * scenario.own_auditors <= scenario.auditors);
            assert!(ranges::GATEWAY_STAKE.contains(&scenario.stakes[0]));
            assert!(ranges::CACHE_STAKE.contains(&scenario.stakes[1]));
        }
    }

    #[test]
    fn a_seed_gives_one_scenario() {
        assert_eq!(Scenario::sample(5, 4), Scenario::sample(5, 4));
        assert_ne!(Scenario::sample(5, 4), Scenario::sample(6, 4));
    }
}
