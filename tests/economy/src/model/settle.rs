//! Charges, refunds and divides commitments.

use super::{
    audit::{self, Committee, Conduct, Verdict},
    ledger::{Account, Defect, Flow},
    line::{Line, Payer},
    Rules, World,
};
use crate::strategy::Strategy;
use selvedge_primitives_math::{
    draw,
    share::{Division, Split, TakeSplit},
    yields::returnable,
};
use selvedge_primitives_types::{Planck, Ppm, Role};

/// Epochs from the use to settlement: serve, commit, vote, settle.
const SETTLED_AFTER: u64 = 3;
/// One audit in so many has to show a leaf on chain.
const SHOWN_ON_CHAIN: u128 = 50;

/// What a gateway committed to.
#[derive(Clone, Debug)]
pub struct Commitment {
    /// Index of the gateway's node.
    pub gateway: usize,
    /// Epoch of the use.
    pub epoch: u64,
    /// Its leaves.
    pub lines: Vec<Line>,
    /// Who audits it.
    pub committee: Committee,
    /// Epoch of the next step.
    pub due: u64,
    /// Whether it is charged already.
    pub is_charged: bool,
}

impl Commitment {
    /// A new one.
    pub fn new(world: &World, gateway: usize, lines: Vec<Line>) -> Self {
        let device = world.nodes[gateway].device;
        let amount: Planck = lines.iter().map(|line| line.amount).sum();
        let committee = match amount >= world.least_audited() {
            true => audit::committee(
                world,
                &audit::seed(world.scenario.seed, world.epoch),
                &device,
                world.epoch,
                0,
            ),
            false => Committee::default(),
        };
        Self {
            gateway,
            epoch: world.epoch,
            lines,
            committee,
            due: world.epoch + SETTLED_AFTER,
            is_charged: false,
        }
    }

    /// What it charges in all.
    pub fn amount(&self) -> Planck {
        self.lines.iter().map(|line| line.amount).sum()
    }
}

impl World {
    /// Charges below which nobody is drawn, since the fee would not pay for the work.
    pub fn least_audited(&self) -> Planck {
        let work = self.scenario.checking * u128::from(draw::AUDITORS);
        work * u128::from(Ppm::ONE.0) / u128::from(self.rates.audit.0.max(1))
    }

    /// Takes every commitment whose time has come one step further.
    pub(super) fn settle_due(&mut self, strategy: &dyn Strategy) -> Result<(), Defect> {
        let mut matured = vec![0; self.nodes.len()];
        for mut commitment in std::mem::take(&mut self.commitments) {
            let gateway = commitment.gateway;
            let room = self.nodes[gateway].stake / u128::from(self.scenario.epochs_per_era);
            if commitment.due > self.epoch {
                self.commitments.push_back(commitment);
            } else if !commitment.is_charged {
                if let Some(charged) = self.charge(commitment, strategy)? {
                    self.commitments.push_back(charged);
                }
            } else if matured[gateway] > 0 && matured[gateway] + commitment.amount() > room {
                // Escrow matures at most a part of the stake per epoch; the rest waits.
                commitment.due = self.epoch + 1;
                self.commitments.push_back(commitment);
            } else {
                matured[gateway] += commitment.amount();
                self.credit(&commitment, strategy.conduct())?;
            }
        }
        Ok(())
    }

    pub(super) fn payer(payer: Payer) -> Account {
        match payer {
            Payer::Stranger => Account::Customers,
            Payer::Own { .. } => Account::Wallet,
        }
    }

    /// Charges a commitment and judges it; gives everything back when it is void.
    fn charge(
        &mut self,
        mut commitment: Commitment,
        strategy: &dyn Strategy,
    ) -> Result<Option<Commitment>, Defect> {
        let conduct = strategy.conduct();
        let Committee { own, .. } = commitment.committee;
        if own > 0 && !conduct.is_lazy {
            let work = self.scenario.checking * u128::from(own);
            self.ledger
                .pay(Flow::Auditing, Account::Wallet, Account::Suppliers, work)?;
        }
        for line in &commitment.lines {
            let from = Self::payer(line.payer);
            self.ledger
                .pay(Flow::Charge, from, Account::Escrow, line.amount)?;
        }
        let node = &self.nodes[commitment.gateway];
        let verdict = match node.is_own {
            true => audit::audit(
                self,
                &node.device,
                commitment.epoch,
                &commitment.lines,
                conduct,
            ),
            false => Verdict::Accepted,
        };
        let hold_back = self.scenario.epochs_per_era;
        commitment.is_charged = true;
        commitment.due = self.epoch
            + match verdict {
                Verdict::Accepted => hold_back,
                Verdict::Doubted => 2 * hold_back,
                Verdict::Void | Verdict::Proven => {
                    self.void(&commitment, verdict)?;
                    return Ok(None);
                }
            };
        Ok(Some(commitment))
    }

    pub(super) fn divide(&self, line: &Line) -> Result<(Division, TakeSplit), Defect> {
        let rates = &self.rates;
        let split =
            Split::new(rates.take, rates.stargate, rates.cache).map_err(|_| Defect::Rates)?;
        let referral = match line.payer {
            Payer::Own { referred: false } => Ppm(0),
            _ => rates.referral,
        };
        let take = TakeSplit::new(rates.audit, referral, rates.burn).map_err(|_| Defect::Rates)?;
        Ok((split.divide(line.amount, line.cache.is_some()), take))
    }

    /// Divides the escrow of a commitment.
    fn credit(&mut self, commitment: &Commitment, conduct: Conduct) -> Result<(), Defect> {
        let stargate = self.active(Role::Stargate).next();
        for line in &commitment.lines {
            let (division, take) = self.divide(line)?;
            let take = take.divide(line.amount, division.take);
            let of = |node: Option<usize>| match node {
                Some(index) if self.nodes[index].is_own => Account::Wallet,
                Some(_) => Account::Operators,
                None => Account::Treasury,
            };
            let referrer = match line.payer {
                Payer::Stranger => Account::Referrers,
                Payer::Own { .. } => Account::Wallet,
            };
            let Committee { drawn, own } = commitment.committee;
            let fee = (take.audit * u128::from(own))
                .checked_div(drawn.into())
                .unwrap_or(0);
            let lost = match (conduct.is_lazy, self.rules) {
                (false, _) => 0,
                // What is lost on average; one audit in fifty costs its own fee.
                (true, Rules::Written) => fee / SHOWN_ON_CHAIN,
                // Proposed: it costs the fees of fifty.
                (true, Rules::Proposed) => fee,
            };
            let (audited, unaudited) = match drawn {
                0 => (0, take.audit),
                _ => (take.audit - fee, 0),
            };
            let parts = [
                (
                    Flow::Gateway,
                    of(Some(commitment.gateway)),
                    division.gateway,
                ),
                (Flow::Cache, of(line.cache), division.cache),
                (Flow::Stargate, of(stargate), division.stargate),
                (Flow::Audit, Account::Wallet, fee - lost),
                (Flow::Audit, Account::Auditors, audited),
                (Flow::Treasury, Account::Treasury, lost + unaudited),
                (Flow::Referral, referrer, take.referral),
                (Flow::Burn, Account::Burnt, take.burn),
                (Flow::Treasury, Account::Treasury, take.treasury),
            ];
            if parts.iter().map(|(_, _, amount)| amount).sum::<Planck>() != line.amount {
                return Err(Defect::PartsUnbalanced);
            }
            for (flow, to, amount) in parts {
                self.ledger.pay(flow, Account::Escrow, to, amount)?;
            }
            let named = [Some(commitment.gateway), line.cache, stargate];
            for index in named.into_iter().flatten() {
                self.mature(index, line.amount);
            }
        }
        Ok(())
    }

    fn mature(&mut self, index: usize, amount: Planck) {
        self.nodes[index].matured += amount;
        if self.rules == Rules::Proposed {
            let terms = self.scenario.terms(&self.rates, self.nodes[index].role);
            self.nodes[index].entitled += returnable(&terms, amount);
        }
    }
}
