//! What happens when a commitment is void: refunds, vouchers, slashes.

use super::{
    audit::Verdict,
    ledger::{Account, Defect, Flow},
    line::Line,
    settle::Commitment,
    Rules, World,
};
use selvedge_primitives_math::ratio::apply;
use selvedge_primitives_types::{Planck, Ppm};

/// The least that withheld leaves cost of a stake, as proposed.
const WITHHELD: Ppm = Ppm::percent(5);
/// What a voucher is worth when its commitment is void.
const VOUCHER_PART: Ppm = Ppm::percent(75);

impl World {
    /// Gives back what a commitment charged, and has its gateway answer for it.
    pub(super) fn void(&mut self, commitment: &Commitment, verdict: Verdict) -> Result<(), Defect> {
        for line in &commitment.lines {
            let to = Self::payer(line.payer);
            self.ledger
                .pay(Flow::Refund, Account::Escrow, to, line.amount)?;
        }
        self.voids += 1;
        // Strangers' caches hold vouchers for what they supplied.
        let mut due = 0;
        for line in &commitment.lines {
            due += self.voucher(line)?;
        }
        let gateway = commitment.gateway;
        let redeemed = self.redeem(gateway, due, Account::Operators)?;
        match (verdict, self.rules) {
            (Verdict::Proven, _) => {
                let taken = apply(self.scenario.slash, self.nodes[gateway].stake);
                self.slash(gateway, taken)?;
            }
            (_, Rules::Written) => {
                // Only vouchers retire a gateway; its own caches redeem none.
                if redeemed == 0 {
                    return Ok(());
                }
            }
            (_, Rules::Proposed) => {
                let stake = self.nodes[gateway].stake;
                let taken = apply(WITHHELD, stake).max(commitment.amount()).min(stake);
                self.slash(gateway, taken)?;
            }
        }
        self.nodes[gateway].is_active = false;
        Ok(())
    }

    /// What a stranger's cache may redeem for a line of a commitment that is void or missing.
    pub fn voucher(&self, line: &Line) -> Result<Planck, Defect> {
        let is_stranger = line.cache.is_some_and(|cache| !self.nodes[cache].is_own);
        match is_stranger {
            true => Ok(apply(VOUCHER_PART, self.divide(line)?.0.cache)),
            false => Ok(0),
        }
    }

    /// Pays vouchers from a gateway's stake, at most its claim cap for an epoch.
    pub fn redeem(&mut self, gateway: usize, due: Planck, to: Account) -> Result<Planck, Defect> {
        let stake = self.nodes[gateway].stake;
        let paid = due.min(stake / u128::from(self.scenario.epochs_per_era));
        self.ledger.pay(Flow::Voucher, Account::Stake, to, paid)?;
        let burnt = match self.rules {
            Rules::Written => 0,
            // Proposed: the rest of their value is burnt, so that this door costs what the other does.
            Rules::Proposed => {
                let fee = self.scenario.express_fee.0.max(Ppm::ONE.0 - VOUCHER_PART.0);
                let rest = (Ppm::ONE.0 - fee).max(1);
                (paid * u128::from(fee))
                    .div_ceil(rest.into())
                    .min(stake - paid)
            }
        };
        self.ledger
            .pay(Flow::Slash, Account::Stake, Account::Burnt, burnt)?;
        self.nodes[gateway].stake -= paid + burnt;
        Ok(paid)
    }

    /// Slashes a gateway of the coalition's; the coalition reports it itself before others do.
    fn slash(&mut self, gateway: usize, taken: Planck) -> Result<(), Defect> {
        self.nodes[gateway].stake -= taken;
        let reward = apply(self.scenario.reporter_share, taken).min(self.scenario.reporter_max);
        self.ledger
            .pay(Flow::Reward, Account::Stake, Account::Wallet, reward)?;
        self.ledger.pay(
            Flow::Slash,
            Account::Stake,
            Account::Treasury,
            taken - reward,
        )
    }
}
