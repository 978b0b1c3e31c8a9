//! Leaves by vouchers instead of by the door: what is not committed is redeemed from the stake.

use super::{Honest, Promise, Strategy};
use crate::{
    model::{Account, Defect, Line, World},
    scenario::Scenario,
};
use selvedge_primitives_types::Planck;

/// Epochs that may be unsettled at once.
const UNSETTLED: u64 = 7;

/// Commits nothing for as long as nobody can object, and has its own caches redeem vouchers for it.
#[derive(Default)]
pub struct VoidExit {
    /// Gateway and what strangers' caches hold vouchers for, by epoch.
    missing: Vec<(usize, Planck)>,
}

impl Strategy for VoidExit {
    fn name(&self) -> &'static str {
        "void and exit"
    }

    fn promise(&self) -> Promise {
        Promise::PoorerAsProposed
    }

    fn unit(&self) -> &'static str {
        "stake"
    }

    fn fill(
        &mut self,
        world: &mut World,
        gateway: usize,
        lines: &mut Vec<Line>,
    ) -> Result<(), Defect> {
        let end = world.scenario.eras * world.scenario.epochs_per_era;
        if !world.nodes[gateway].is_own || world.epoch + UNSETTLED < end {
            return Ok(());
        }
        let mut owed = 0;
        for line in lines.drain(..) {
            owed += world.voucher(&line)?;
        }
        self.missing.push((gateway, owed));
        Ok(())
    }

    fn finish(&mut self, world: &mut World) -> Result<(), Defect> {
        for (gateway, owed) in std::mem::take(&mut self.missing) {
            let cap = world.nodes[gateway].stake / u128::from(world.scenario.epochs_per_era);
            let paid = world.redeem(gateway, owed, Account::Operators)?;
            world.redeem(gateway, cap.saturating_sub(paid), Account::Wallet)?;
        }
        world.release_all()
    }

    fn honest(&self, _scenario: &Scenario) -> Vec<Honest> {
        vec![Honest {
            leaves: true,
            ..Default::default()
        }]
    }
}
