//! What is counted, and under which key.

use selvedge_primitives_math::price::{charge, Overflow};
use selvedge_primitives_types::{
    Account, DeviceId, Planck, Prices, Quality, ServiceId, Slice, Usage,
};
use std::collections::BTreeMap;

/// What counts are kept apart by within an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CountKey {
    /// The service.
    pub service: ServiceId,
    /// At a gateway the cache that supplied or leased, or no device; at a cache the gateway.
    pub peer: DeviceId,
    /// When.
    pub slice: Slice,
}

/// Who pays for a service in an epoch, and at which prices. It does not change inside an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Pricing {
    /// Who pays.
    pub customer: Account,
    /// The price list in force.
    pub price_version: u32,
    /// Its prices.
    pub prices: Prices,
}

/// What was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Counts {
    /// Usage that is charged.
    pub paid: Usage,
    /// Usage out of the free buffer.
    pub free: Usage,
    /// How well it went.
    pub quality: Quality,
}

impl Counts {
    /// Adds field by field; `None` on overflow.
    pub fn checked_add(&self, other: &Self) -> Option<Self> {
        let (one, two) = (&self.quality, &other.quality);
        Some(Self {
            paid: self.paid.checked_add(&other.paid)?,
            free: self.free.checked_add(&other.free)?,
            quality: Quality {
                answered: one.answered.checked_add(two.answered)?,
                failed: one.failed.checked_add(two.failed)?,
                ttfb_micros: one.ttfb_micros.checked_add(two.ttfb_micros)?,
            },
        })
    }

    /// Paid and free usage together; `None` on overflow.
    pub fn usage(&self) -> Option<Usage> {
        self.paid.checked_add(&self.free)
    }

    /// Whether nothing was used; a row of failures alone makes no leaf.
    pub fn is_unused(&self) -> bool {
        self.paid.is_zero() && self.free.is_zero()
    }
}

/// One set of counters with everything a leaf needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it counts.
    pub key: CountKey,
    /// Who pays how much.
    pub pricing: Pricing,
    /// What was counted.
    pub counts: Counts,
}

impl Row {
    /// The charge, rounded down once. Errors when it does not fit.
    pub fn amount(&self) -> Result<Planck, Overflow> {
        charge(&self.counts.paid, &self.pricing.prices)
    }
}

/// Rows sorted by key with at most one per key; rows of one key are added up. Errors when a sum
/// does not fit.
pub fn merge(mut rows: Vec<Row>) -> Result<Vec<Row>, Overflow> {
    rows.sort_by_key(|row| row.key);
    let mut merged: Vec<Row> = Vec::with_capacity(rows.len());
    for row in rows {
        match merged.last_mut() {
            Some(last) if last.key == row.key => {
                last.counts = last.counts.checked_add(&row.counts).ok_or(Overflow)?;
            }
            _ => merged.push(row),
        }
    }
    Ok(merged)
}

/// What the leaves of one peer add up to, in a voucher's units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Totals {
    /// Paid and free usage.
    pub usage: Usage,
    /// Sum of the charges, each rounded down.
    pub amount: Planck,
}

/// Totals of every peer. Errors when a sum does not fit. `rows` hold at most one row per key.
pub fn totals_by_peer(rows: &[Row]) -> Result<BTreeMap<DeviceId, Totals>, Overflow> {
    let mut totals: BTreeMap<DeviceId, Totals> = BTreeMap::new();
    for row in rows {
        let usage = row.counts.usage().ok_or(Overflow)?;
        let total = totals.entry(row.key.peer).or_default();
        total.usage = total.usage.checked_add(&usage).ok_or(Overflow)?;
        total.amount = total.amount.checked_add(row.amount()?).ok_or(Overflow)?;
    }
    Ok(totals)
}
