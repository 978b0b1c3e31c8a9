//! What a stake yields, and what limits it.
//!
//! ```text
//! base     = β · APR · stake · Q                                           per year
//! activity = min((1 − β) · APR · stake · min(S, 1.5) · tenure · boost      per year,
//!                Σ κ · λ · n · amount)          over the charges that matured in the era
//! n        = take − referral − audit fee          tenure = 1 + min(days / 180, 4) / 10
//! ```
//!
//! A year is 365.25 days; results are rounded down once. Of every unit that a coalition pays to
//! itself, the take `t` leaves it and at most `r + a + κ·n` comes back; [`ranges`](crate::ranges)
//! keep that below `t`.

use crate::ratio::{mul_div, product};
use selvedge_primitives_types::{Planck, Ppm, Score};

/// Milliseconds in a year of 365.25 days.
pub const YEAR_MILLIS: u64 = 31_557_600_000;

const ONE: u64 = Ppm::ONE.0 as u64;

/// Longest tenure that counts, in days, and the days in which it grows by a tenth.
const TENURE_DAYS: u32 = 4 * TENURE_STEP_DAYS;
const TENURE_STEP_DAYS: u32 = 180;

/// The rates that a role's yield depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct YieldTerms {
    /// Part of the yield that is base.
    pub beta: Ppm,
    /// Part of the take that activity may return.
    pub kappa: Ppm,
    /// Ceiling of the role's yield per year.
    pub apr: Ppm,
    /// The role's part of what activity may return.
    pub lambda: Ppm,
    /// The network's part of a charge.
    pub take: Ppm,
    /// The referrer's part of a charge, out of the take.
    pub referral: Ppm,
    /// The auditors' part of a charge, out of the take.
    pub audit: Ppm,
}

impl YieldTerms {
    /// `n`: the part of a charge that the network keeps when the customer was referred.
    pub fn net_take(&self) -> Ppm {
        net(self.take, self.referral, self.audit)
    }
}

pub(crate) fn net(take: Ppm, referral: Ppm, audit: Ppm) -> Ppm {
    Ppm(take.0.saturating_sub(referral.0).saturating_sub(audit.0))
}

/// Base yield of an era: linear in the stake, so that splitting it gains nothing. A quality above 1
/// counts as 1.
pub fn base(terms: &YieldTerms, stake: Planck, quality: Score, era_millis: u64) -> Planck {
    product(
        stake,
        &[
            (terms.beta.min(Ppm::ONE).0.into(), ONE),
            (terms.apr.0.into(), ONE),
            (quality.min(Score::ONE).0.into(), ONE),
            (era_millis, YEAR_MILLIS),
        ],
    )
}

/// What activity may return of charges, by the rates at which they mature: `κ · λ · n` of them.
pub fn returnable(terms: &YieldTerms, charges: Planck) -> Planck {
    product(
        charges,
        &[
            (terms.kappa.0.into(), ONE),
            (terms.lambda.0.into(), ONE),
            (terms.net_take().0.into(), ONE),
        ],
    )
}

/// Activity yield that a stake allows in an era, however much it did; `boost` is the factor of a commitment lock, from 1.
///
/// What is claimed is at most the sum of what the era's charges may return, each by the rates at which it matured
/// ([`returnable`]): never more than the part of the take that the node brought.
pub fn activity(
    terms: &YieldTerms,
    stake: Planck,
    service: Score,
    tenure_days: u32,
    boost: Ppm,
    era_millis: u64,
) -> Planck {
    let step = u64::from(TENURE_STEP_DAYS) * 10;
    product(
        stake,
        &[
            (ONE.saturating_sub(terms.beta.0.into()), ONE),
            (terms.apr.0.into(), ONE),
            (service.min(Score::MAX).0.into(), ONE),
            (step + u64::from(tenure_days.min(TENURE_DAYS)), step),
            (boost.0.into(), ONE),
            (era_millis, YEAR_MILLIS),
        ],
    )
}

/// What a pool emits in `elapsed_millis` at a rate per year of what remains in it; never more than
/// that.
pub fn emission(remaining_pool: Planck, rate_per_year: Ppm, elapsed_millis: u64) -> Planck {
    product(
        remaining_pool,
        &[(rate_per_year.0.into(), ONE), (elapsed_millis, YEAR_MILLIS)],
    )
    .min(remaining_pool)
}

/// The part of its claims that a sub-pool can pay, in millionths, rounded down.
pub fn scale(total_claims: Planck, available: Planck) -> Ppm {
    let whole = Ppm::ONE.0.into();
    let part = mul_div(available, whole, total_claims).unwrap_or(whole);
    Ppm(part.min(whole) as u32)
}

/// A claim's part of what is available: all of it while the claims together fit, else in
/// proportion, rounded down, so that the parts never exceed what is available. `claim` is one of
/// the claims in `total_claims`.
pub fn scale_down(claim: Planck, total_claims: Planck, available: Planck) -> Planck {
    if total_claims <= available {
        return claim.min(available);
    }
    mul_div(claim.min(total_claims), available, total_claims).unwrap_or(0)
}

#[cfg(test)]
mod tests;
