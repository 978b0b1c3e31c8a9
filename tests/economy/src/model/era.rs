//! Closes an era: scores first, then yields, as the pallets do.

use super::{
    ledger::{Account, Defect, Flow},
    node::Node,
    Rules, World,
};
use crate::scenario::DAY_MILLIS;
use selvedge_primitives_math::{
    ratio::apply,
    score::{self, Sample},
    yields::{self, activity, base, emission, returnable, scale_down},
};
use selvedge_primitives_types::{Planck, Ppm, Role, Score};

const ROLES: [Role; 3] = [Role::Gateway, Role::Cache, Role::Stargate];

impl World {
    /// Closes the era that ends with this epoch.
    pub(super) fn close_era(&mut self) -> Result<(), Defect> {
        for role in ROLES {
            self.score(role);
        }
        self.pay_yields()?;
        self.pay_running()?;
        for node in &mut self.nodes {
            node.days += 1;
            node.matured = 0;
            node.entitled = 0;
            node.absent = 0;
        }
        Ok(())
    }

    /// Whether an era says anything of a node. As written, who was absent for an epoch, or drains, keeps
    /// its score; as proposed, what nobody could probe was not there.
    fn is_counted(&self, node: &Node) -> bool {
        node.is_active
            && match self.rules {
                Rules::Written => node.absent == 0 && !node.is_draining,
                Rules::Proposed => true,
            }
    }

    fn score(&mut self, role: Role) {
        let counted: Vec<usize> = self
            .active(role)
            .filter(|index| self.is_counted(&self.nodes[*index]))
            .collect();
        for index in &counted {
            let node = &mut self.nodes[*index];
            node.usual = score::usual(node.usual, per_stake(node));
        }
        let value = |world: &Self, index: usize| match world.rules {
            Rules::Written => per_stake(&world.nodes[index]),
            Rules::Proposed => world.nodes[index].usual,
        };
        // Proposed: who did nothing says nothing about what is usual.
        let is_sample = |index: usize| match self.rules {
            Rules::Written => true,
            Rules::Proposed => value(self, index) > 0,
        };
        let samples: Vec<_> = counted
            .iter()
            .filter(|index| is_sample(**index))
            .map(|index| Sample {
                operator: self.nodes[*index].operator,
                value: value(self, *index),
                weight: self.nodes[*index].stake.try_into().unwrap_or(u64::MAX),
            })
            .collect();
        let median = score::weighted_median(&samples).unwrap_or_default();
        self.medians[Node::slot(role)] = median;
        for index in counted {
            let jobs = score::jobs(value(self, index), median);
            let node = &mut self.nodes[index];
            let ok = Score(node.answers.0).min(Score::ONE);
            node.service = score::smooth(node.service, score::service(ok, jobs, Score::ONE));
            node.quality = score::smooth(node.quality, ok).min(Score::ONE);
            if 2 * node.answers.0 < Node::expected(role).0 {
                node.is_active = false;
            }
        }
    }

    fn claims(&self, node: &Node) -> (Planck, Planck) {
        let terms = self.scenario.terms(&self.rates, node.role);
        let epochs = self.scenario.epochs_per_era - node.absent;
        let millis = epochs * self.scenario.epoch_millis();
        let limit = match self.rules {
            Rules::Written => returnable(&terms, node.matured),
            Rules::Proposed => node.entitled,
        };
        let active = activity(
            &terms,
            node.stake,
            node.service,
            node.days,
            node.boost,
            millis,
        );
        (
            base(&terms, node.stake, node.quality, millis),
            active.min(limit),
        )
    }

    fn pay_yields(&mut self) -> Result<(), Defect> {
        let pool = self.ledger.balance(Account::Pool);
        let emitted = emission(pool, self.scenario.emission_rate, DAY_MILLIS);
        let [_, of_base, of_activity] = self.rates.pools.map(|ppm| apply(ppm, emitted));
        let claims: Vec<_> = self
            .nodes
            .iter()
            .map(|node| match node.is_active {
                true => self.claims(node),
                false => (0, 0),
            })
            .collect();
        let total = claims
            .iter()
            .fold((0, 0), |sum, claim| (sum.0 + claim.0, sum.1 + claim.1));
        let mut paid = (0, 0);
        for (index, claim) in claims.into_iter().enumerate() {
            let to = match self.nodes[index].is_own {
                true => Account::Wallet,
                false => Account::Operators,
            };
            let base = scale_down(claim.0, total.0, of_base);
            let active = scale_down(claim.1, total.1, of_activity);
            paid = (paid.0 + base, paid.1 + active);
            self.ledger.pay(Flow::Base, Account::Pool, to, base)?;
            self.ledger.pay(Flow::Activity, Account::Pool, to, active)?;
        }
        // Invariant 5 of the economy: emission stays below its schedule, per sub-pool.
        if paid.0 > of_base || paid.1 > of_activity {
            return Err(Defect::NotConserved);
        }
        Ok(())
    }

    /// The coalition pays for the machines it runs.
    fn pay_running(&mut self) -> Result<(), Defect> {
        let cost: Planck = self
            .nodes
            .iter()
            .filter(|node| node.is_own && node.runs && node.is_active)
            .map(|node| self.running_cost(node.role, node.stake))
            .sum();
        self.ledger
            .pay(Flow::Running, Account::Wallet, Account::Suppliers, cost)
    }

    /// What a machine costs in an era: a part of the base yield that its stake can expect at first.
    fn running_cost(&self, role: Role, stake: Planck) -> Planck {
        let scenario = &self.scenario;
        let terms = scenario.terms(&scenario.rates, role);
        let full = base(&terms, stake, Score::ONE, DAY_MILLIS);
        apply(scenario.running, apply(self.first_scale, full))
    }

    /// Which part of base claims the pool pays at first.
    pub(super) fn scale_at_first(&self) -> Ppm {
        let scenario = &self.scenario;
        let emitted = emission(scenario.pool, scenario.emission_rate, DAY_MILLIS);
        let available = apply(scenario.rates.pools[1], emitted);
        let claims: Planck = self
            .nodes
            .iter()
            .map(|node| {
                let terms = scenario.terms(&scenario.rates, node.role);
                base(&terms, node.stake, Score::ONE, DAY_MILLIS)
            })
            .sum();
        yields::scale(claims, available)
    }
}

/// Matured charges per stake, in millionths.
fn per_stake(node: &Node) -> u128 {
    score::per_stake(node.matured, node.stake)
}
