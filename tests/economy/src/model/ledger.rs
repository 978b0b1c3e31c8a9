//! The books: nothing comes from nowhere, nothing is lost, nobody has debts.

use selvedge_primitives_types::Planck;
use std::{error::Error, fmt};

/// Whose money it is. The first three are the coalition's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Account {
    /// What the coalition can spend.
    Wallet,
    /// What stands behind the coalition's nodes.
    Stake,
    /// What the coalition has on deposit: for devices, services and customer accounts.
    Deposit,
    /// Customers outside the coalition.
    Customers,
    /// Node operators outside of it.
    Operators,
    /// Auditors outside of it.
    Auditors,
    /// Referrers outside of it.
    Referrers,
    /// Who sells machines, power and bandwidth.
    Suppliers,
    /// The treasury.
    Treasury,
    /// What was charged and is not divided yet.
    Escrow,
    /// The emission pool.
    Pool,
    /// What is burnt.
    Burnt,
}

const ACCOUNTS: usize = Account::Burnt as usize + 1;

impl Account {
    /// Whether it belongs to the coalition.
    pub fn is_own(self) -> bool {
        matches!(self, Self::Wallet | Self::Stake | Self::Deposit)
    }
}

/// Why money moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Usage is charged into escrow.
    Charge,
    /// A void commitment gives back what it charged.
    Refund,
    /// A gateway's part of a charge.
    Gateway,
    /// A cache's part of a charge.
    Cache,
    /// A stargate's part of a charge.
    Stargate,
    /// The auditors' part of a charge.
    Audit,
    /// A referrer's part of a charge.
    Referral,
    /// The treasury's part of a charge.
    Treasury,
    /// The part of a charge that is burnt.
    Burn,
    /// Base yield.
    Base,
    /// Activity yield.
    Activity,
    /// A stake is slashed.
    Slash,
    /// A reporter's share of a slash.
    Reward,
    /// A cache redeems a voucher from a gateway's stake.
    Voucher,
    /// Machines, power and bandwidth are paid for.
    Running,
    /// The work of auditing is paid for.
    Auditing,
    /// The fee of an express release, or of transactions.
    Fee,
    /// The coalition rearranges what it has.
    Own,
}

impl Flow {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::Charge,
        Self::Refund,
        Self::Gateway,
        Self::Cache,
        Self::Stargate,
        Self::Audit,
        Self::Referral,
        Self::Treasury,
        Self::Burn,
        Self::Base,
        Self::Activity,
        Self::Slash,
        Self::Reward,
        Self::Voucher,
        Self::Running,
        Self::Auditing,
        Self::Fee,
        Self::Own,
    ];

    /// Where charges go in the end.
    const OUT_OF_ESCROW: [Self; 8] = [
        Self::Refund,
        Self::Gateway,
        Self::Cache,
        Self::Stargate,
        Self::Audit,
        Self::Referral,
        Self::Treasury,
        Self::Burn,
    ];
}

/// A rule of the simulation itself is broken: its results mean nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Defect {
    /// An account would be overdrawn.
    Overdrawn(Account, Flow),
    /// The balances do not add up to the supply any more.
    NotConserved,
    /// What was charged is not what was divided, refunded and is in escrow.
    ChargesUnbalanced,
    /// A commitment's parts are not its charge.
    PartsUnbalanced,
    /// A charge does not fit.
    Charge,
    /// The rates cannot divide a charge.
    Rates,
    /// Money is left in escrow at the end.
    EscrowLeft,
    /// A strategy names no honest alternative.
    NoAlternative,
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overdrawn(account, flow) => write!(f, "{account:?} is overdrawn by {flow:?}"),
            Self::NotConserved => f.write_str("the balances do not add up to the supply"),
            Self::ChargesUnbalanced => f.write_str("charges are not where charges go"),
            Self::PartsUnbalanced => f.write_str("the parts of a commitment are not its charge"),
            Self::Charge => f.write_str("a charge does not fit into 128 bits"),
            Self::Rates => f.write_str("the rates divide no charge"),
            Self::EscrowLeft => f.write_str("money is left in escrow"),
            Self::NoAlternative => f.write_str("a strategy names no honest alternative"),
        }
    }
}

impl Error for Defect {}

/// Balances, and what moved for which reason.
#[derive(Clone, Debug)]
pub struct Ledger {
    balances: [Planck; ACCOUNTS],
    supply: Planck,
    moved: [Planck; Flow::ALL.len()],
    own: [i128; Flow::ALL.len()],
}

impl Ledger {
    /// Books with these balances and nothing else.
    pub fn new(genesis: &[(Account, Planck)]) -> Self {
        let mut balances = [0; ACCOUNTS];
        for (account, amount) in genesis {
            balances[*account as usize] += amount;
        }
        Self {
            balances,
            supply: balances.iter().sum(),
            moved: Default::default(),
            own: Default::default(),
        }
    }

    /// What an account has.
    pub fn balance(&self, account: Account) -> Planck {
        self.balances[account as usize]
    }

    /// All that the coalition has.
    pub fn wealth(&self) -> Planck {
        [Account::Wallet, Account::Stake, Account::Deposit]
            .map(|account| self.balance(account))
            .iter()
            .sum()
    }

    /// What the coalition got by a flow, less what it paid.
    pub fn own(&self, flow: Flow) -> i128 {
        self.own[flow as usize]
    }

    /// What moved by a flow in all.
    pub fn moved(&self, flow: Flow) -> Planck {
        self.moved[flow as usize]
    }

    /// Moves an amount.
    pub fn pay(
        &mut self,
        flow: Flow,
        from: Account,
        to: Account,
        amount: Planck,
    ) -> Result<(), Defect> {
        let left = self.balances[from as usize]
            .checked_sub(amount)
            .ok_or(Defect::Overdrawn(from, flow))?;
        self.balances[from as usize] = left;
        self.balances[to as usize] += amount;
        self.moved[flow as usize] += amount;
        let signed = amount as i128;
        match (from.is_own(), to.is_own()) {
            (true, false) => self.own[flow as usize] -= signed,
            (false, true) => self.own[flow as usize] += signed,
            _ => {}
        }
        Ok(())
    }

    /// Checks that money is conserved, and that charges are where charges go, to the unit.
    pub fn check(&self) -> Result<(), Defect> {
        if self.balances.iter().sum::<Planck>() != self.supply {
            return Err(Defect::NotConserved);
        }
        let gone: Planck = Flow::OUT_OF_ESCROW
            .map(|flow| self.moved(flow))
            .iter()
            .sum();
        if self.moved(Flow::Charge) != gone + self.balance(Account::Escrow) {
            return Err(Defect::ChargesUnbalanced);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn books_that_lose_a_planck_are_found() {
        let mut ledger = Ledger::new(&[(Account::Wallet, 100)]);
        ledger
            .pay(Flow::Charge, Account::Wallet, Account::Escrow, 60)
            .unwrap();
        ledger
            .pay(Flow::Cache, Account::Escrow, Account::Operators, 59)
            .unwrap();
        assert_eq!(ledger.check(), Ok(()));
        assert_eq!(ledger.own(Flow::Charge), -60);

        let mut lost = ledger.clone();
        lost.balances[Account::Escrow as usize] -= 1;
        assert_eq!(lost.check(), Err(Defect::NotConserved));
        // Paid out of escrow under a name that is none of a charge's parts.
        ledger
            .pay(Flow::Base, Account::Escrow, Account::Operators, 1)
            .unwrap();
        assert_eq!(ledger.check(), Err(Defect::ChargesUnbalanced));
    }

    #[test]
    fn nobody_has_debts() {
        let mut ledger = Ledger::new(&[(Account::Wallet, 1)]);
        assert_eq!(
            ledger.pay(Flow::Charge, Account::Wallet, Account::Escrow, 2),
            Err(Defect::Overdrawn(Account::Wallet, Flow::Charge))
        );
    }
}
