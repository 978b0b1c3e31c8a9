//! The ranges of the rates and stakes that the economy stands on, and the rules that some of them
//! have together.
//!
//! A range of its own keeps a typing error out. The joint rules keep it true that a coalition that
//! buys its own traffic ends poorer, in whatever order the numbers are changed.

use crate::{
    share::{ShareError, Split, TakeSplit},
    yields::net,
};
use core::{fmt, ops::RangeInclusive};
use selvedge_primitives_types::{Planck, Ppm};

/// A range, both ends included.
pub type Range<T> = RangeInclusive<T>;

const SEL: Planck = 1_000_000_000_000;
const ONE: u64 = Ppm::ONE.0 as u64;

/// `t`, the network's part of a charge.
pub const TAKE: Range<Ppm> = Ppm::percent(10)..=Ppm::percent(30);
/// The stargates' part of what the take leaves.
pub const STARGATE_SHARE: Range<Ppm> = Ppm::percent(0)..=Ppm::percent(30);
/// The caches' part of what the take leaves.
pub const CACHE_SHARE: Range<Ppm> = Ppm::percent(20)..=Ppm::percent(80);
/// `a`, the auditors' part of a charge.
pub const AUDIT_FEE: Range<Ppm> = Ppm(5_000)..=Ppm(20_000);
/// `r`, a referrer's part of a charge.
pub const REFERRAL: Range<Ppm> = Ppm::percent(0)..=Ppm::percent(10);
/// Part of a charge that is burnt.
pub const BURN: Range<Ppm> = Ppm::percent(0)..=Ppm::percent(27);
/// `n`, what the take leaves when referrer and auditors are paid.
pub const NET_TAKE: Range<Ppm> = Ppm::percent(3)..=Ppm::percent(30);

/// `β`, part of a yield that does not depend on use.
pub const BETA: Range<Ppm> = Ppm::percent(20)..=Ppm::percent(70);
/// `κ`, part of the net take that activity may return.
pub const KAPPA: Range<Ppm> = Ppm::percent(0)..=Ppm::percent(60);
/// `λ` of a role.
pub const LAMBDA: Range<Ppm> = Ppm::percent(0)..=Ppm::ONE;
/// Ceiling of a role's yield per year.
pub const APR: Range<Ppm> = Ppm::percent(0)..=Ppm::percent(30);
/// Part of what remains in the emission pool that it gives per year.
pub const EMISSION_RATE: Range<Ppm> = Ppm::percent(0)..=Ppm::percent(30);
/// Part of an emission for one of its sub-pools.
pub const POOL: Range<Ppm> = Ppm::percent(0)..=Ppm::ONE;

/// What a validator stakes, in planck.
pub const VALIDATOR_STAKE: Range<Planck> = 1_000 * SEL..=1_000_000 * SEL;
/// What a stargate stakes, in planck.
pub const STARGATE_STAKE: Range<Planck> = 10_000 * SEL..=5_000_000 * SEL;
/// What a gateway stakes, in planck.
pub const GATEWAY_STAKE: Range<Planck> = 1_000 * SEL..=500_000 * SEL;
/// What a cache stakes, in planck.
pub const CACHE_STAKE: Range<Planck> = 10 * SEL..=10_000 * SEL;
/// Fee of an express release.
pub const EXPRESS_FEE: Range<Ppm> = Ppm::percent(1)..=Ppm::percent(50);
/// A reporter's share of a slash.
pub const REPORTER_SHARE: Range<Ppm> = Ppm::percent(0)..=Ppm::percent(20);
/// The most that a reporter gets, in planck.
pub const REPORTER_MAX: Range<Planck> = 0..=5_000 * SEL;
/// What is held per registered device, in planck.
pub const DEVICE_DEPOSIT: Range<Planck> = SEL / 10..=100 * SEL;

/// The rates that are only safe together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// `t`: the network's part of a charge.
    pub take: Ppm,
    /// The stargates' part of what the take leaves.
    pub stargate: Ppm,
    /// The caches' part of what the take leaves.
    pub cache: Ppm,
    /// `r`: the referrer's part of a charge.
    pub referral: Ppm,
    /// `a`: the auditors' part of a charge.
    pub audit: Ppm,
    /// Part of a charge that is burnt.
    pub burn: Ppm,
    /// `κ`: part of the net take that activity may return.
    pub kappa: Ppm,
    /// `β`: part of the yield that is base.
    pub beta: Ppm,
    /// `λ` of gateway, cache and stargate.
    pub lambdas: [Ppm; 3],
    /// Parts of an emission for validators, base and activity.
    pub pools: [Ppm; 3],
}

/// Which rate, or which of them together, is out of range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeError {
    /// The take is not in [`TAKE`].
    Take,
    /// The stargates' share is not in [`STARGATE_SHARE`].
    StargateShare,
    /// The caches' share is not in [`CACHE_SHARE`].
    CacheShare,
    /// The referral is not in [`REFERRAL`].
    Referral,
    /// The audit fee is not in [`AUDIT_FEE`].
    Audit,
    /// The burn is not in [`BURN`].
    Burn,
    /// Take less referral and audit fee is not in [`NET_TAKE`].
    NetTake,
    /// κ is not in [`KAPPA`].
    Kappa,
    /// β is not in [`BETA`].
    Beta,
    /// The λ of the roles sum to more than 1.
    Lambdas,
    /// Stargates and caches get more than what the take leaves.
    Rest,
    /// Audit fee, referral and burn are more than the take.
    TakeParts,
    /// The sub-pools are more than the emission.
    Pools,
}

impl RangeError {
    /// The rule that is broken.
    pub const fn rule(self) -> &'static str {
        match self {
            Self::Take => "the take must be 10 to 30 %",
            Self::StargateShare => "the stargates' share must be at most 30 %",
            Self::CacheShare => "the caches' share must be 20 to 80 %",
            Self::Referral => "the referral must be at most 10 %",
            Self::Audit => "the audit fee must be 0.5 to 2 %",
            Self::Burn => "the burn must be at most 27 %",
            Self::NetTake => "the take less referral and audit fee must be at least 3 %",
            Self::Kappa => "kappa must be at most 60 %",
            Self::Beta => "beta must be 20 to 70 %",
            Self::Lambdas => "the lambdas of all roles must sum to at most 100 %",
            Self::Rest => "stargates and caches get at most what the take leaves",
            Self::TakeParts => "audit fee, referral and burn are parts of the take",
            Self::Pools => "the sub-pools are parts of the emission",
        }
    }
}

impl fmt::Display for RangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.rule())
    }
}

impl core::error::Error for RangeError {}

impl From<ShareError> for RangeError {
    fn from(error: ShareError) -> Self {
        match error {
            ShareError::TakeAboveOne => Self::Take,
            ShareError::RestAboveOne => Self::Rest,
            ShareError::TakePartsAboveOne => Self::TakeParts,
        }
    }
}

impl Rates {
    /// The most that comes back to a coalition of every unit that it pays itself, `r + a + κ·n`,
    /// rounded up; the rule is that it stays below the take.
    pub fn coalition_return(&self) -> Ppm {
        let net = u64::from(self.net_take().0);
        let returned = (net * u64::from(self.kappa.0)).div_ceil(ONE);
        Ppm((u64::from(self.referral.0) + u64::from(self.audit.0) + returned) as u32)
    }

    /// `n`: what the take leaves when referrer and auditors are paid.
    pub fn net_take(&self) -> Ppm {
        net(self.take, self.referral, self.audit)
    }

    /// Checks the rates one by one and together.
    pub fn check(&self) -> Result<(), RangeError> {
        let checks = [
            (TAKE.contains(&self.take), RangeError::Take),
            (
                STARGATE_SHARE.contains(&self.stargate),
                RangeError::StargateShare,
            ),
            (CACHE_SHARE.contains(&self.cache), RangeError::CacheShare),
            (REFERRAL.contains(&self.referral), RangeError::Referral),
            (AUDIT_FEE.contains(&self.audit), RangeError::Audit),
            (BURN.contains(&self.burn), RangeError::Burn),
            (NET_TAKE.contains(&self.net_take()), RangeError::NetTake),
            (KAPPA.contains(&self.kappa), RangeError::Kappa),
            (BETA.contains(&self.beta), RangeError::Beta),
            (sum(&self.lambdas) <= ONE, RangeError::Lambdas),
            (
                sum(&[self.audit, self.referral, self.burn]) <= u64::from(self.take.0),
                RangeError::TakeParts,
            ),
            (sum(&self.pools) <= ONE, RangeError::Pools),
        ];
        checks
            .into_iter()
            .try_for_each(|(holds, error)| if holds { Ok(()) } else { Err(error) })?;
        Split::new(self.take, self.stargate, self.cache)?;
        TakeSplit::new(self.audit, self.referral, self.burn)?;
        Ok(())
    }
}

fn sum(parts: &[Ppm]) -> u64 {
    parts.iter().map(|part| u64::from(part.0)).sum()
}

#[cfg(test)]
mod tests;
