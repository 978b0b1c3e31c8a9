//! What a coalition does, and the honest alternative that it is compared with.

pub mod drain;
pub mod fat_leaf;
pub mod free_buffer;
pub mod honest;
pub mod idle;
pub mod inflate;
pub mod invent;
pub mod lazy;
pub mod low_tide;
pub mod referendum;
pub mod referral;
pub mod sybil;
pub mod throw_away;
pub mod void_exit;
pub mod wash;
pub mod withhold;

pub use honest::Honest;

use crate::{
    model::{audit::Conduct, Defect, Line, World},
    Scenario,
};

/// What the rules promise about a strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    /// It ends poorer than the honest alternative.
    Poorer,
    /// It would not, as the rules were written; it does as ADR 017 proposes them.
    PoorerAsProposed,
    /// It pays, up to a bound: the design says so.
    Bounded,
}

/// A coalition's conduct.
pub trait Strategy {
    /// Its name in tables.
    fn name(&self) -> &'static str;

    /// What the rules promise about it.
    fn promise(&self) -> Promise {
        Promise::Poorer
    }

    /// What its volume counts.
    fn unit(&self) -> &'static str;

    /// Whether it can be tried in a scenario.
    fn applies(&self, _scenario: &Scenario) -> bool {
        true
    }

    /// Conditions that it is tried in, for the honest alternative too.
    fn adjust(&self, _scenario: &mut Scenario) {}

    /// Arranges the coalition's capital.
    fn prepare(&mut self, _world: &mut World) -> Result<(), Defect> {
        Ok(())
    }

    /// Acts when an epoch begins.
    fn begin_epoch(&mut self, _world: &mut World) -> Result<(), Defect> {
        Ok(())
    }

    /// Changes what a gateway will commit to; strangers' gateways serve customers of the coalition
    /// too.
    fn fill(
        &mut self,
        _world: &mut World,
        _gateway: usize,
        _lines: &mut Vec<Line>,
    ) -> Result<(), Defect> {
        Ok(())
    }

    /// What it does about audits.
    fn conduct(&self) -> Conduct {
        Conduct::default()
    }

    /// Acts when everything is settled.
    fn finish(&mut self, _world: &mut World) -> Result<(), Defect> {
        Ok(())
    }

    /// What the same capital would do honestly; the best of these is the measure.
    fn honest(&self, _scenario: &Scenario) -> Vec<Honest> {
        vec![Honest::default()]
    }

    /// How often it is tried with other draws: one run says little of what depends on luck.
    fn trials(&self) -> u64 {
        1
    }
}

/// Every strategy.
pub fn all() -> Vec<Box<dyn Strategy>> {
    vec![
        Box::new(wash::Wash),
        Box::new(referral::Ring),
        Box::new(low_tide::LowTide::default()),
        Box::new(referendum::Referendum),
        Box::new(inflate::Inflate),
        Box::new(fat_leaf::FatLeaf),
        Box::new(withhold::Withhold),
        Box::new(free_buffer::Farm),
        Box::new(free_buffer::Dodge),
        Box::new(sybil::Sybil),
        Box::new(idle::Idle),
        Box::new(throw_away::ThrowAway),
        Box::new(drain::Drain),
        Box::new(lazy::Lazy),
        Box::new(void_exit::VoidExit::default()),
        Box::new(invent::Invent),
    ]
}
