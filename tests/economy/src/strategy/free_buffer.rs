//! Many accounts for the sake of their free buffers.

use super::{honest::deposits, Honest, Promise, Strategy};
use crate::{
    model::{Account, Defect, Flow, Line, Payer, World},
    scenario::{Scenario, SEL},
};
use selvedge_primitives_math::price::charge;
use selvedge_primitives_types::{Planck, Role, Slice, Usage, UsageClass};

/// Accounts that the coalition opens.
const FARMED: u64 = 1_000;
/// Accounts over which a customer spreads what it uses.
const SPREAD: u64 = 20;
/// The free buffer of an account and month.
const BUFFER: u64 = 5 << 30;
/// Fees of an account with a service and a host name: three calls of a hundred bytes, at 10^-6 SEL a
/// byte.
const FEES: Planck = 300 * SEL / 1_000_000;
/// Eras of a month.
const MONTH: u64 = 30;

/// Invents free usage at its own nodes, for the yields.
pub struct Farm;

impl Strategy for Farm {
    fn name(&self) -> &'static str {
        "free buffers for yields"
    }

    fn unit(&self) -> &'static str {
        "deposits"
    }

    fn prepare(&mut self, world: &mut World) -> Result<(), Defect> {
        deposit(world, FARMED)
    }

    fn fill(
        &mut self,
        world: &mut World,
        gateway: usize,
        lines: &mut Vec<Line>,
    ) -> Result<(), Defect> {
        if world.nodes[gateway].is_own {
            let worth = worth_per_era(&world.scenario, FARMED);
            let cache = world.own(Role::Cache);
            lines.push(line(world, worth, cache)?.for_free());
        }
        Ok(())
    }

    fn honest(&self, _scenario: &Scenario) -> Vec<Honest> {
        let staked = Honest {
            staked: deposits(FARMED),
            ..Default::default()
        };
        vec![staked, Honest::default()]
    }
}

/// A customer who really uses what twenty free buffers hold, and pays for none of it.
pub struct Dodge;

impl Strategy for Dodge {
    fn name(&self) -> &'static str {
        "free buffers for real use"
    }

    fn promise(&self) -> Promise {
        Promise::Bounded
    }

    fn unit(&self) -> &'static str {
        "bill"
    }

    fn prepare(&mut self, world: &mut World) -> Result<(), Defect> {
        deposit(world, SPREAD)?;
        world.volume = worth_per_era(&world.scenario, SPREAD) * u128::from(world.scenario.eras);
        Ok(())
    }

    fn fill(
        &mut self,
        world: &mut World,
        gateway: usize,
        lines: &mut Vec<Line>,
    ) -> Result<(), Defect> {
        if !world.nodes[gateway].is_own {
            let worth = worth_per_era(&world.scenario, SPREAD);
            lines.push(used(world, worth, lines)?.for_free());
        }
        Ok(())
    }

    fn honest(&self, scenario: &Scenario) -> Vec<Honest> {
        let kept = Honest {
            uses: worth_per_era(scenario, SPREAD),
            ..Default::default()
        };
        let staked = Honest {
            staked: deposits(SPREAD),
            ..kept
        };
        vec![staked, kept]
    }
}

/// What a customer of the coalition's uses at one of the strangers' gateways in an epoch, of what it
/// uses in an era.
pub fn used(world: &World, era: Planck, lines: &[Line]) -> Result<Line, Defect> {
    let gateways = u128::from(world.scenario.strangers[0]);
    let cache = lines.first().and_then(|line| line.cache);
    line(world, era / gateways, cache)
}

fn line(world: &World, era: Planck, cache: Option<usize>) -> Result<Line, Defect> {
    Line::of(
        Payer::Own { referred: false },
        cache,
        Slice::PER_EPOCH.into(),
        era / u128::from(world.scenario.epochs_per_era),
        &world.scenario.prices,
    )
}

fn deposit(world: &mut World, accounts: u64) -> Result<(), Defect> {
    world.volume = deposits(accounts);
    let fees = FEES * u128::from(accounts);
    world
        .ledger
        .pay(Flow::Fee, Account::Wallet, Account::Treasury, fees)?;
    world.ledger.pay(
        Flow::Own,
        Account::Wallet,
        Account::Deposit,
        deposits(accounts),
    )
}

/// What so many accounts' buffers would cost, for an era.
fn worth_per_era(scenario: &Scenario, accounts: u64) -> Planck {
    let usage = Usage::ZERO.with(UsageClass::EgressBytes, BUFFER * accounts / MONTH);
    charge(&usage, &scenario.prices).unwrap_or(0)
}
