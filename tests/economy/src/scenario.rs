//! A network and its rates, drawn from a seed.

use crate::model::Node;
use selvedge_primitives_math::{
    ranges::Rates,
    ratio::mul_div,
    yields::{activity, returnable, YieldTerms},
};
use selvedge_primitives_types::{Planck, Ppm, Prices, Role, Score};

mod sample;

/// One token.
pub const SEL: Planck = 1_000_000_000_000;
/// A day, which is an era.
pub const DAY_MILLIS: u64 = 86_400_000;

/// Everything that a run depends on, besides the strategy and the rules.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// What it was drawn from.
    pub seed: u64,
    /// What audits of the coalition are drawn from; other trials of one scenario have others.
    pub audit_seed: u64,
    /// The rates in force when it begins.
    pub rates: Rates,
    /// Other rates, and the epoch they take force in.
    pub next: Option<(u64, Rates)>,
    /// Yield ceilings of gateway, cache and stargate.
    pub aprs: [Ppm; 3],
    /// Stakes of gateway, cache and stargate.
    pub stakes: [Planck; 3],
    /// What the emission pool begins with.
    pub pool: Planck,
    /// What it emits a year.
    pub emission_rate: Ppm,
    /// Fee of an express release.
    pub express_fee: Ppm,
    /// A reporter's share of a slash.
    pub reporter_share: Ppm,
    /// The most that a reporter gets.
    pub reporter_max: Planck,
    /// What is held for a device.
    pub device_deposit: Planck,
    /// Part of a stake that a proven defect costs; 5 % at least.
    pub slash: Ppm,
    /// Epochs of an era; a day is an era.
    pub epochs_per_era: u64,
    /// Eras in which the strategy is at work; after them escrow runs out.
    pub eras: u64,
    /// Gateways and caches outside the coalition.
    pub strangers: [u32; 2],
    /// Whether a stargate exists outside of it.
    pub has_stargate: bool,
    /// Gateways and caches of the coalition.
    pub own: [u32; 2],
    /// Whether it has a stargate.
    pub owns_stargate: bool,
    /// Factor of the commitment lock of the coalition's stakes.
    pub boost: Ppm,
    /// Since when its nodes serve, in days.
    pub days: u32,
    /// Operators who may audit.
    pub auditors: u32,
    /// How many of them are the coalition's, at most a third.
    pub own_auditors: u32,
    /// Whether visitors are sent to its nodes too.
    pub is_used: bool,
    /// What a gateway charges in an era at high tide.
    pub demand: Planck,
    /// The two low days of a week, in parts of a high one.
    pub tide: Ppm,
    /// Prices in force.
    pub prices: Prices,
    /// What a machine costs, in parts of the base yield of its stake.
    pub running: Ppm,
    /// What checking a commitment costs an auditor.
    pub checking: Planck,
    /// How much a strategy does, in parts of what would be full measure for it.
    pub measure: Ppm,
}

impl Scenario {
    /// What a role's yield depends on, under given rates.
    pub fn terms(&self, rates: &Rates, role: Role) -> YieldTerms {
        let slot = Node::slot(role);
        YieldTerms {
            beta: rates.beta,
            kappa: rates.kappa,
            apr: self.aprs[slot],
            lambda: rates.lambdas[slot],
            take: rates.take,
            referral: rates.referral,
            audit: rates.audit,
        }
    }

    /// Charges of an era with which the activity yield of a gateway of the coalition's is limited by
    /// its stake and by its charges alike; a thousandth of the stake where one of the limits is nil.
    pub fn break_even(&self) -> Planck {
        let terms = self.terms(&self.rates, Role::Gateway);
        let stake = self.stakes[0];
        let by_stake = activity(&terms, stake, Score::ONE, self.days, self.boost, DAY_MILLIS);
        let returned = returnable(&terms, 1 << 40);
        match mul_div(by_stake, 1 << 40, returned) {
            None | Some(0) => stake / 1_000,
            Some(even) => even.clamp(stake / 10_000, stake * 10),
        }
    }

    /// Milliseconds of an epoch.
    pub fn epoch_millis(&self) -> u64 {
        DAY_MILLIS / self.epochs_per_era
    }

    /// Whether this era is one of a week's two low days.
    pub fn is_low(era: u64) -> bool {
        era % 7 >= 5
    }

    /// What the strangers' and the coalition's customers do in an era, in parts of a high one.
    pub fn tide_of(&self, era: u64) -> Ppm {
        if Self::is_low(era) {
            self.tide
        } else {
            Ppm::ONE
        }
    }
}
