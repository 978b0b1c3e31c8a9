//! Many small stakes under many names, instead of one.

use super::{Honest, Strategy};
use crate::{
    model::{Account, Defect, Flow, World},
    scenario::Scenario,
};
use selvedge_primitives_types::{Planck, Role};

/// Caches that the stake is split into.
const PIECES: u32 = 8;
/// The first name of the coalition's that is no other node's.
const NAMES: u32 = 10_000;

/// Each piece has an operator of its own, so that no median knows they belong together.
pub struct Sybil;

impl Strategy for Sybil {
    fn name(&self) -> &'static str {
        "Sybil caches"
    }

    fn unit(&self) -> &'static str {
        "stake split"
    }

    fn prepare(&mut self, world: &mut World) -> Result<(), Defect> {
        let piece = world.scenario.stakes[1];
        for name in 0..PIECES {
            let index = world.join(NAMES + name, Role::Cache, piece)?;
            world.nodes[index].is_used = world.scenario.is_used;
            world.nodes[index].runs = false;
        }
        world.volume = piece * u128::from(PIECES);
        world.ledger.pay(
            Flow::Own,
            Account::Wallet,
            Account::Deposit,
            deposits(&world.scenario),
        )
    }

    fn honest(&self, scenario: &Scenario) -> Vec<Honest> {
        let whole = Honest {
            cache: scenario.stakes[1] * u128::from(PIECES),
            ..Default::default()
        };
        let staked = Honest {
            staked: deposits(scenario),
            ..whole
        };
        vec![staked, whole]
    }
}

/// Deposits of the devices beyond the first.
fn deposits(scenario: &Scenario) -> Planck {
    scenario.device_deposit * u128::from(PIECES - 1)
}
