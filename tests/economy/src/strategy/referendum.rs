//! Buys traffic that is divided by the old rates and counted by the new ones.

use super::{wash::buy, Promise, Strategy};
use crate::{
    model::{Defect, Line, World},
    scenario::Scenario,
};
use selvedge_primitives_math::{ranges::Rates, ratio::apply};

/// The era in whose middle other rates take force.
const CHANGE: u64 = 10;

/// Referenda that a coalition has to choose from.
const CHOICE: usize = 16;

/// Waits for a referendum that is known in advance to change rates inside the ranges.
pub struct Referendum;

impl Strategy for Referendum {
    fn name(&self) -> &'static str {
        "wash before a change of rates"
    }

    fn promise(&self) -> Promise {
        Promise::PoorerAsProposed
    }

    fn unit(&self) -> &'static str {
        "traffic bought"
    }

    fn adjust(&self, scenario: &mut Scenario) {
        scenario.owns_stargate = true;
        let epoch = CHANGE * scenario.epochs_per_era + scenario.epochs_per_era / 2;
        let best = scenario.other_rates().take(CHOICE).max_by_key(returned);
        scenario.next = best.map(|rates| (epoch, rates));
    }

    fn fill(
        &mut self,
        world: &mut World,
        gateway: usize,
        lines: &mut Vec<Line>,
    ) -> Result<(), Defect> {
        let length = world.scenario.epochs_per_era;
        let Some((change, rates)) = world.scenario.next else {
            return Ok(());
        };
        // Settled after three epochs and held back for an era: it is paid in the era of the change,
        // before the change.
        let paid = world.epoch + 3 + length;
        if paid / length != CHANGE || paid >= change {
            return Ok(());
        }
        if !is_worth_it(world, &rates) {
            return Ok(());
        }
        let after = Scenario {
            rates,
            ..world.scenario.clone()
        };
        let amount = after.break_even() / u128::from(length / 2);
        buy(world, gateway, lines, amount, true)
    }
}

/// What gateways' activity may return of a charge under given rates, in millionths.
fn returned(rates: &Rates) -> u128 {
    apply(
        rates.lambdas[0],
        apply(rates.kappa, rates.net_take().0.into()),
    )
}

/// Whether a charge that is divided by the rates in force returns more than it costs by the next
/// ones, as far as everybody can tell: auditors and limits of pools are left out.
fn is_worth_it(world: &World, next: &Rates) -> bool {
    let now = &world.rates;
    returned(next) > u128::from(now.take.0 - now.referral.0)
}
