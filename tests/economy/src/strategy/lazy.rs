//! Auditors who vote without looking.

use super::{Promise, Strategy};
use crate::{
    model::{audit::Conduct, Defect, Line, World},
    Scenario,
};

/// Saves the work, and loses the fee where it has to show a leaf.
pub struct Lazy;

impl Strategy for Lazy {
    fn name(&self) -> &'static str {
        "lazy auditors"
    }

    fn promise(&self) -> Promise {
        Promise::PoorerAsProposed
    }

    fn unit(&self) -> &'static str {
        "charges audited"
    }

    fn applies(&self, scenario: &Scenario) -> bool {
        scenario.own_auditors > 0
    }

    fn fill(
        &mut self,
        world: &mut World,
        _gateway: usize,
        lines: &mut Vec<Line>,
    ) -> Result<(), Defect> {
        world.volume += lines.iter().map(|line| line.amount).sum::<u128>();
        Ok(())
    }

    fn conduct(&self) -> Conduct {
        Conduct {
            is_lazy: true,
            ..Default::default()
        }
    }
}
