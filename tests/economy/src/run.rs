//! Runs a strategy and its honest alternative from one seed.

use crate::{
    model::{audit::DrawRule, Defect, Flow, Rules, World},
    strategy::{Honest, Strategy},
    Scenario,
};
use selvedge_primitives_types::Planck;

/// What a strategy came to, against the honest alternative.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// What was put into the scheme.
    pub volume: Planck,
    /// What it cost more than honesty, flow by flow.
    pub cost: Planck,
    /// What it brought more than honesty.
    pub back: Planck,
    /// Commitments that turned out void.
    pub voids: u32,
}

impl Outcome {
    /// What the coalition has more than it would have honestly; negative when it ends poorer.
    pub fn net(&self) -> i128 {
        self.back as i128 - self.cost as i128
    }

    /// Adds what an attack came to, flow by flow.
    fn add(&mut self, attack: &World, honest: &World) -> Result<(), Defect> {
        let (mut cost, mut back) = (0, 0);
        for flow in Flow::ALL {
            let more = attack.ledger.own(flow) - honest.ledger.own(flow);
            match more {
                0.. => back += more.unsigned_abs(),
                _ => cost += more.unsigned_abs(),
            }
        }
        let more = attack.ledger.wealth() as i128 - honest.ledger.wealth() as i128;
        if more != back as i128 - cost as i128 {
            return Err(Defect::NotConserved);
        }
        self.cost += cost;
        self.back += back;
        self.voids += attack.voids;
        Ok(())
    }

    /// An amount in per cent of the volume.
    pub fn per_cent(&self, amount: i128) -> f64 {
        100.0 * amount as f64 / self.volume as f64
    }
}

/// Runs both, and sums up over trials; `None` when the strategy finds nothing to do in the scenario.
pub fn compare(
    make: &dyn Fn() -> Box<dyn Strategy>,
    mut scenario: Scenario,
    rules: Rules,
    draw_rule: DrawRule,
) -> Result<Option<Outcome>, Defect> {
    let strategy = make();
    if !strategy.applies(&scenario) {
        return Ok(None);
    }
    strategy.adjust(&mut scenario);
    let mut sum = Outcome {
        seed: scenario.seed,
        ..Default::default()
    };
    let mut honest: Option<World> = None;
    for trial in 0..strategy.trials() {
        scenario.audit_seed = scenario.seed.wrapping_add(trial << 32);
        let run = |strategy: &mut dyn Strategy, least: u64| {
            let mut world = World::new(scenario.clone(), rules);
            world.draw_rule = draw_rule;
            world.run(strategy, least)?;
            Ok(world)
        };
        let mut attack = run(&mut *make(), 0)?;
        // Both must have had the same time to earn.
        let best = match honest.take().filter(|honest| honest.era() >= attack.era()) {
            Some(honest) => honest,
            None => richest(strategy.honest(&scenario), |one| run(one, attack.era()))?,
        };
        if best.era() > attack.era() {
            attack = run(&mut *make(), best.era())?;
        }
        sum.add(&attack, &best)?;
        sum.volume += match strategy.unit() {
            "stake" => stakes(&scenario),
            _ => attack.volume,
        };
        honest = Some(best);
    }
    Ok((sum.volume > 0 && (sum.cost > 0 || sum.back > 0)).then_some(sum))
}

/// The alternative that ends richest.
fn richest(
    alternatives: Vec<Honest>,
    run: impl Fn(&mut dyn Strategy) -> Result<World, Defect>,
) -> Result<World, Defect> {
    let mut best: Option<World> = None;
    for mut alternative in alternatives {
        let other = run(&mut alternative)?;
        if best
            .as_ref()
            .is_none_or(|best| best.ledger.wealth() < other.ledger.wealth())
        {
            best = Some(other);
        }
    }
    best.ok_or(Defect::NoAlternative)
}

/// What stands behind the coalition's nodes.
fn stakes(scenario: &Scenario) -> Planck {
    let [gateways, caches] = scenario.own.map(u128::from);
    let stargates = u128::from(scenario.owns_stargate);
    let [gateway, cache, stargate] = scenario.stakes;
    gateways * gateway + caches * cache + stargates * stargate
}
