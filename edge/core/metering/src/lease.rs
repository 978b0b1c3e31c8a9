//! Keeps what a service is charged in an epoch within this gateway's lease.

use crate::count::{Counts, Pricing, Row};
use selvedge_primitives_types::{Planck, Prices, Usage};

/// What a service may use in an epoch through this gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Terms {
    /// Who pays how much.
    pub pricing: Pricing,
    /// The most that may be charged, in planck.
    pub lease: Planck,
    /// Usage out of the free buffer that comes first.
    pub free: Usage,
}

/// A service may not be used (any more) in this epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// There are no terms for the service.
    #[error("the service has no terms in this epoch")]
    UnknownService,
    /// The lease does not cover it.
    #[error("the lease of this gateway is used up until the next epoch")]
    OutOfLease,
    /// The counters cannot be kept, so nothing may be served.
    #[error("use cannot be counted")]
    NotCounting,
}

/// Usage set aside for one response. Give it back to [`Book::release`], or it stays set aside for
/// the rest of the epoch.
#[derive(Debug, PartialEq, Eq, Default)]
#[must_use = "what is reserved must be spent or released"]
pub struct Reservation {
    paid: Usage,
    free: Usage,
}

/// The account of one service in one epoch at one gateway.
///
/// Charges are kept with their binary places, so they are never below what the leaves, rounded
/// down, will charge.
#[derive(Clone, Debug)]
pub struct Book {
    terms: Terms,
    /// Σ units × price of what was spent and of what is reserved, in planck times 2^32.
    spent: u128,
    reserved: u128,
    /// Free usage that was spent or is reserved.
    free_taken: Usage,
}

impl Book {
    /// Opens the account of a service.
    pub fn new(terms: Terms) -> Self {
        Self {
            terms,
            spent: 0,
            reserved: 0,
            free_taken: Usage::ZERO,
        }
    }

    /// Opens the account with what was counted before a restart.
    pub fn resume<'a>(terms: Terms, rows: impl IntoIterator<Item = &'a Row>) -> Self {
        let mut book = Self::new(terms);
        for Row { counts, .. } in rows {
            let spent = cost(&terms.pricing.prices, &counts.paid).unwrap_or(u128::MAX);
            book.spent = book.spent.saturating_add(spent);
            book.free_taken = zip(&book.free_taken, &counts.free, u64::saturating_add);
        }
        book
    }

    /// Takes over a changed lease and free buffer. Prices do not change inside an epoch.
    pub fn update(&mut self, lease: Planck, free: Usage) {
        self.terms.lease = lease;
        self.terms.free = free;
    }

    /// Who pays how much.
    pub fn pricing(&self) -> &Pricing {
        &self.terms.pricing
    }

    /// What may still be charged, in planck, rounded down.
    pub fn remaining(&self) -> Planck {
        self.limit()
            .saturating_sub(self.spent)
            .saturating_sub(self.reserved)
            >> Prices::FRACTION_BITS
    }

    /// Sets `usage` aside, out of the free buffer first. Errors, without effect, when the lease
    /// does not cover the rest.
    pub fn reserve(&mut self, usage: &Usage) -> Result<Reservation, Denied> {
        let free_left = zip(&self.terms.free, &self.free_taken, u64::saturating_sub);
        let free = zip(usage, &free_left, u64::min);
        let paid = zip(usage, &free, u64::saturating_sub);
        let cost = cost(&self.terms.pricing.prices, &paid).ok_or(Denied::OutOfLease)?;
        let held = self
            .spent
            .checked_add(self.reserved)
            .and_then(|held| held.checked_add(cost));
        if cost > 0 && held.is_none_or(|held| held > self.limit()) {
            return Err(Denied::OutOfLease);
        }
        self.reserved += cost;
        self.free_taken = zip(&self.free_taken, &free, u64::saturating_add);
        Ok(Reservation { paid, free })
    }

    /// Sets more aside for the same response. Errors, without effect, when the lease does not cover
    /// it.
    pub fn extend(&mut self, reservation: &mut Reservation, usage: &Usage) -> Result<(), Denied> {
        let more = self.reserve(usage)?;
        reservation.paid = zip(&reservation.paid, &more.paid, u64::saturating_add);
        reservation.free = zip(&reservation.free, &more.free, u64::saturating_add);
        Ok(())
    }

    /// Spends out of a reservation and says what to count. `None`, without effect, when the
    /// reservation does not cover it.
    pub fn spend(&mut self, reservation: &mut Reservation, usage: &Usage) -> Option<Counts> {
        let counts = reservation.covers(usage)?;
        let cost = cost(&self.terms.pricing.prices, &counts.paid)?;
        reservation.paid = zip(&reservation.paid, &counts.paid, u64::saturating_sub);
        reservation.free = zip(&reservation.free, &counts.free, u64::saturating_sub);
        self.reserved = self.reserved.saturating_sub(cost);
        self.spent = self.spent.saturating_add(cost);
        Some(counts)
    }

    /// Gives back what was not spent.
    pub fn release(&mut self, reservation: Reservation) {
        let cost = cost(&self.terms.pricing.prices, &reservation.paid).unwrap_or(0);
        self.reserved = self.reserved.saturating_sub(cost);
        self.free_taken = zip(&self.free_taken, &reservation.free, u64::saturating_sub);
    }

    fn limit(&self) -> u128 {
        self.terms.lease.saturating_mul(1 << Prices::FRACTION_BITS)
    }
}

impl Reservation {
    /// What of `usage` this reservation does not cover.
    pub fn missing(&self, usage: &Usage) -> Usage {
        let held = zip(&self.paid, &self.free, u64::saturating_add);
        zip(usage, &held, u64::saturating_sub)
    }

    /// What is counted when `usage` is spent; `None` when this reservation does not cover it.
    pub fn covers(&self, usage: &Usage) -> Option<Counts> {
        let free = zip(usage, &self.free, u64::min);
        let paid = usage.checked_sub(&free)?;
        paid.is_within(&self.paid).then_some(Counts {
            paid,
            free,
            ..Counts::default()
        })
    }
}

fn cost(prices: &Prices, usage: &Usage) -> Option<u128> {
    usage.iter().try_fold(0u128, |sum, (class, units)| {
        sum.checked_add(u128::from(units) * u128::from(prices.of(class)))
    })
}

fn zip(one: &Usage, two: &Usage, op: impl Fn(u64, u64) -> u64) -> Usage {
    let mut out = Usage::ZERO;
    for (class, units) in out.0.iter_mut().enumerate() {
        *units = op(one.0[class], two.0[class]);
    }
    out
}
