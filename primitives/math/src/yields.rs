//! What a stake yields, and what limits it.
//!
//! ```text
//! base     = β · APR · stake · Q                                           per year
//! activity = min((1 − β) · APR · stake · min(S, 1.5) · tenure · boost      per year,
//!                κ · λ · n · A)                             of the era's matured charges
//! n        = take − referral − audit fee          tenure = 1 + min(days / 180, 4) / 10
//! ```
//!
//! A year is 365.25 days; results are rounded down once. Of every unit that a coalition pays to
//! itself, the take `t` leaves it and at most `r + a + κ·n` comes back; [`joint_ranges`] keeps that
//! below `t`.

use crate::ratio::{mul_div, product};
use core::fmt;
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

fn net(take: Ppm, referral: Ppm, audit: Ppm) -> Ppm {
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

/// Activity yield of an era, never more than the part of the take that the charges of the node
/// brought.
///
/// `boost` is the factor of a commitment lock, from 1; `matured_charges` those of the era on leaves
/// that name the node.
pub fn activity(
    terms: &YieldTerms,
    stake: Planck,
    service: Score,
    tenure_days: u32,
    boost: Ppm,
    matured_charges: Planck,
    era_millis: u64,
) -> Planck {
    let step = u64::from(TENURE_STEP_DAYS) * 10;
    let by_stake = product(
        stake,
        &[
            (ONE.saturating_sub(terms.beta.0.into()), ONE),
            (terms.apr.0.into(), ONE),
            (service.min(Score::MAX).0.into(), ONE),
            (step + u64::from(tenure_days.min(TENURE_DAYS)), step),
            (boost.0.into(), ONE),
            (era_millis, YEAR_MILLIS),
        ],
    );
    let by_charges = product(
        matured_charges,
        &[
            (terms.kappa.0.into(), ONE),
            (terms.lambda.0.into(), ONE),
            (terms.net_take().0.into(), ONE),
        ],
    );
    by_stake.min(by_charges)
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

/// A claim's part of what is available: all of it while the claims together fit, else in
/// proportion, rounded down, so that the parts never exceed what is available. `claim` is one of
/// the claims in `total_claims`.
pub fn scale_down(claim: Planck, total_claims: Planck, available: Planck) -> Planck {
    if total_claims <= available {
        return claim.min(available);
    }
    mul_div(claim.min(total_claims), available, total_claims).unwrap_or(0)
}

/// The rates that are only safe together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JointRates {
    /// `t`: the network's part of a charge.
    pub take: Ppm,
    /// `r`: the referrer's part of a charge.
    pub referral: Ppm,
    /// `a`: the auditors' part of a charge.
    pub audit: Ppm,
    /// `κ`: part of the net take that activity may return.
    pub kappa: Ppm,
    /// `β`: part of the yield that is base.
    pub beta: Ppm,
    /// `λ` of gateway, cache and stargate.
    pub lambdas: [Ppm; 3],
}

impl JointRates {
    /// The most that comes back to a coalition of every unit that it pays itself, `r + a + κ·n`,
    /// rounded up; the rule is that it stays below the take.
    pub fn coalition_return(&self) -> Ppm {
        let net = u64::from(net(self.take, self.referral, self.audit).0);
        let returned = (net * u64::from(self.kappa.0)).div_ceil(ONE);
        Ppm((u64::from(self.referral.0) + u64::from(self.audit.0) + returned) as u32)
    }
}

/// Which rate, or which of them together, is out of range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeError {
    /// The take is not 10 to 30 %.
    Take,
    /// The referral is above 10 %.
    Referral,
    /// The audit fee is not 0.5 to 2 %.
    Audit,
    /// Take less referral and audit fee is below 3 %.
    NetTake,
    /// κ is above 0.6.
    Kappa,
    /// β is not 0.2 to 0.7.
    Beta,
    /// The λ of the roles sum to more than 1.
    Lambdas,
}

impl fmt::Display for RangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Take => "the take must be 10 to 30 %",
            Self::Referral => "the referral must be at most 10 %",
            Self::Audit => "the audit fee must be 0.5 to 2 %",
            Self::NetTake => "the take less referral and audit fee must be at least 3 %",
            Self::Kappa => "kappa must be at most 60 %",
            Self::Beta => "beta must be 20 to 70 %",
            Self::Lambdas => "the lambdas of all roles must sum to at most 100 %",
        })
    }
}

impl core::error::Error for RangeError {}

/// Checks the rates one by one and together: inside the ranges a coalition that buys its own
/// traffic ends poorer.
pub fn joint_ranges(rates: &JointRates) -> Result<(), RangeError> {
    let within = |rate: Ppm, low, high| (Ppm(low)..=Ppm(high)).contains(&rate);
    let lambdas: u64 = rates.lambdas.iter().map(|lambda| u64::from(lambda.0)).sum();
    let checks = [
        (within(rates.take, 100_000, 300_000), RangeError::Take),
        (within(rates.referral, 0, 100_000), RangeError::Referral),
        (within(rates.audit, 5_000, 20_000), RangeError::Audit),
        (
            net(rates.take, rates.referral, rates.audit) >= Ppm::percent(3),
            RangeError::NetTake,
        ),
        (within(rates.kappa, 0, 600_000), RangeError::Kappa),
        (within(rates.beta, 200_000, 700_000), RangeError::Beta),
        (lambdas <= ONE, RangeError::Lambdas),
    ];
    checks
        .into_iter()
        .try_for_each(|(holds, error)| if holds { Ok(()) } else { Err(error) })
}

#[cfg(test)]
mod tests;
