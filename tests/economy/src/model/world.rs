//! The network, and what happens in an epoch.

use super::{
    audit::DrawRule,
    ledger::{Account, Defect, Flow, Ledger},
    node::Node,
    settle::Commitment,
    traffic, Rules,
};
use crate::{
    scenario::{Scenario, SEL},
    strategy::Strategy,
};
use selvedge_primitives_math::{ranges::Rates, ratio::apply};
use selvedge_primitives_types::{Planck, Ppm, Role};
use std::collections::VecDeque;

/// The state of everything.
#[derive(Clone, Debug)]
pub struct World {
    /// What it was set up from.
    pub scenario: Scenario,
    /// The rules in force.
    pub rules: Rules,
    /// How audits are drawn.
    pub draw_rule: DrawRule,
    /// The rates in force.
    pub rates: Rates,
    /// The books.
    pub ledger: Ledger,
    /// Every node, the coalition's first.
    pub nodes: Vec<Node>,
    /// The current epoch.
    pub epoch: u64,
    /// What is not paid yet.
    pub commitments: VecDeque<Commitment>,
    /// Charges per stake of gateway, cache and stargate in the middle of the network, last era.
    pub medians: [u128; 3],
    /// What the coalition put into its scheme, in planck.
    pub volume: Planck,
    /// Commitments that turned out void.
    pub voids: u32,
    pub(super) first_scale: Ppm,
}

impl World {
    /// The network at genesis, with the coalition's capital in nodes as the scenario has it.
    pub fn new(scenario: Scenario, rules: Rules) -> Self {
        let [gateways, caches] = scenario.own;
        let [other_gateways, other_caches] = scenario.strangers;
        let stargates = [scenario.owns_stargate, scenario.has_stargate].map(u32::from);
        let groups = [
            (Role::Gateway, gateways, true),
            (Role::Cache, caches, true),
            (Role::Stargate, stargates[0], true),
            (Role::Gateway, other_gateways, false),
            (Role::Cache, other_caches, false),
            (Role::Stargate, stargates[1], false),
        ];
        let mut nodes: Vec<Node> = Vec::new();
        for (role, count, is_own) in groups {
            for _ in 0..count {
                let number = nodes.len() as u32;
                let stake = scenario.stakes[Node::slot(role)];
                let operator = if is_own { 0 } else { number };
                let mut node = Node::new(number, is_own, operator, role, stake);
                node.is_used = !is_own || scenario.is_used;
                if is_own {
                    node.boost = scenario.boost;
                    node.days = scenario.days;
                }
                nodes.push(node);
            }
        }
        let own: Planck = nodes
            .iter()
            .filter(|node| node.is_own)
            .map(|node| node.stake)
            .sum();
        let ledger = Ledger::new(&[
            (Account::Wallet, 1_000_000_000_000 * SEL),
            (Account::Stake, own),
            (Account::Customers, 1_000_000_000_000 * SEL),
            (Account::Pool, scenario.pool),
        ]);
        let mut world = Self {
            rates: scenario.rates,
            scenario,
            rules,
            draw_rule: DrawRule::Mixed,
            ledger,
            nodes,
            epoch: 0,
            commitments: VecDeque::new(),
            medians: [0; 3],
            volume: 0,
            voids: 0,
            first_scale: Ppm(0),
        };
        world.first_scale = world.scale_at_first();
        world
    }

    /// The current era.
    pub fn era(&self) -> u64 {
        self.epoch / self.scenario.epochs_per_era
    }

    /// Whether this is the first epoch of an era, or so many later.
    pub fn is_epoch_of_era(&self, number: u64) -> bool {
        self.epoch % self.scenario.epochs_per_era == number
    }

    /// Whether the strategy is still at work.
    pub fn is_open(&self) -> bool {
        self.era() < self.scenario.eras
    }

    /// Indices of the nodes of a role that take part.
    pub fn active(&self, role: Role) -> impl Iterator<Item = usize> + '_ {
        (0..self.nodes.len())
            .filter(move |index| self.nodes[*index].role == role && self.nodes[*index].is_active)
    }

    /// Index of the first own node of a role that takes part.
    pub fn own(&self, role: Role) -> Option<usize> {
        self.active(role).find(|index| self.nodes[*index].is_own)
    }

    /// Gives a new stake to a node of the coalition's; returns its index.
    pub fn join(&mut self, operator: u32, role: Role, stake: Planck) -> Result<usize, Defect> {
        self.ledger
            .pay(Flow::Own, Account::Wallet, Account::Stake, stake)?;
        let number = self.nodes.len() as u32;
        self.nodes
            .push(Node::new(number, true, operator, role, stake));
        Ok(self.nodes.len() - 1)
    }

    /// Runs until the strategy has had its time, everything charged is paid, and `least` eras are
    /// over.
    pub fn run(&mut self, strategy: &mut dyn Strategy, least: u64) -> Result<(), Defect> {
        strategy.prepare(self)?;
        // A hold-back may be doubled, and what matures may have to wait.
        let latest = (self.scenario.eras + 400) * self.scenario.epochs_per_era;
        while self.is_open()
            || self.era() < least
            || !self.commitments.is_empty()
            || !self.is_epoch_of_era(0)
        {
            if self.epoch > latest {
                return Err(Defect::EscrowLeft);
            }
            self.step(strategy)?;
        }
        if self.ledger.balance(Account::Escrow) > 0 {
            return Err(Defect::EscrowLeft);
        }
        strategy.finish(self)?;
        self.ledger.check()
    }

    fn step(&mut self, strategy: &mut dyn Strategy) -> Result<(), Defect> {
        if let Some((from, rates)) = self.scenario.next {
            if from == self.epoch {
                self.rates = rates;
            }
        }
        strategy.begin_epoch(self)?;
        if self.is_open() {
            let gateways: Vec<_> = self.active(Role::Gateway).collect();
            for gateway in gateways {
                let mut lines = traffic::outside(self, gateway)?;
                strategy.fill(self, gateway, &mut lines)?;
                if !lines.is_empty() {
                    let commitment = Commitment::new(self, gateway, lines);
                    self.commitments.push_back(commitment);
                }
            }
        }
        self.settle_due(&*strategy)?;
        if self.is_epoch_of_era(self.scenario.epochs_per_era - 1) {
            self.close_era()?;
        }
        self.epoch += 1;
        self.ledger.check()
    }

    /// Releases every stake of the coalition's at once, for the fee.
    pub fn release_all(&mut self) -> Result<(), Defect> {
        let stake = self.ledger.balance(Account::Stake);
        let fee = apply(self.scenario.express_fee, stake);
        self.ledger
            .pay(Flow::Fee, Account::Stake, Account::Treasury, fee)?;
        self.ledger
            .pay(Flow::Own, Account::Stake, Account::Wallet, stake - fee)
    }
}
