//! How a charge is divided.
//!
//! ```text
//! charge ─┬─ take ─┬─ audit fee, referral, burn     parts of the charge, together at most the take
//!         │        └─ treasury                      the residue of the take
//!         └─ rest ─┬─ stargate, cache               parts of the rest
//!                  └─ gateway                       the residue
//! ```
//!
//! Parts are rounded down and one recipient takes the residue, so that a division always sums to
//! what was divided.

use crate::ratio::apply;
use core::fmt;
use selvedge_primitives_types::{Planck, Ppm};

/// Parts are more than the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShareError {
    /// The take is more than the charge.
    TakeAboveOne,
    /// Stargate and cache together get more than what the take leaves.
    RestAboveOne,
    /// Audit fee, referral and burn together are more than the charge.
    TakePartsAboveOne,
}

impl fmt::Display for ShareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TakeAboveOne => "the take is more than the whole charge",
            Self::RestAboveOne => "stargate and cache together get more than the take leaves",
            Self::TakePartsAboveOne => {
                "audit fee, referral and burn together are more than the whole charge"
            }
        })
    }
}

impl core::error::Error for ShareError {}

/// Shares of a charge. Exists only when they sum to one, the gateway's being the residue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split {
    take: Ppm,
    stargate: Ppm,
    cache: Ppm,
}

/// A charge divided among its recipients; the fields sum to it exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Division {
    /// What the network keeps, to be divided further by [`TakeSplit`].
    pub take: Planck,
    /// The stargate's part; the treasury's while there is no stargate.
    pub stargate: Planck,
    /// The cache's part.
    pub cache: Planck,
    /// The gateway's part.
    pub gateway: Planck,
}

impl Split {
    /// Shares with `take` of the charge for the network, `stargate` and `cache` of the rest for
    /// them, and what remains for the gateway.
    pub fn new(take: Ppm, stargate: Ppm, cache: Ppm) -> Result<Self, ShareError> {
        if take > Ppm::ONE {
            return Err(ShareError::TakeAboveOne);
        }
        if stargate
            .0
            .checked_add(cache.0)
            .is_none_or(|sum| sum > Ppm::ONE.0)
        {
            return Err(ShareError::RestAboveOne);
        }
        Ok(Self {
            take,
            stargate,
            cache,
        })
    }

    /// The network's share of a charge.
    pub fn take(&self) -> Ppm {
        self.take
    }

    /// Divides a charge. Without a cache the cache's part is added to `take`, never to the gateway,
    /// so that leaving caches out gains a gateway nothing; [`TakeSplit::divide`] passes it on to
    /// the treasury.
    pub fn divide(&self, amount: Planck, has_cache: bool) -> Division {
        let take = apply(self.take, amount);
        let rest = amount - take;
        let stargate = apply(self.stargate, rest);
        let cache = apply(self.cache, rest);
        let gateway = rest - stargate - cache;
        if has_cache {
            Division {
                take,
                stargate,
                cache,
                gateway,
            }
        } else {
            Division {
                take: take + cache,
                stargate,
                cache: 0,
                gateway,
            }
        }
    }
}

/// Where the take goes: fixed parts of the charge, and the residue to the treasury.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TakeSplit {
    audit: Ppm,
    referral: Ppm,
    burn: Ppm,
}

/// A take divided; the fields sum to it exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct TakeDivision {
    /// The treasury's part, the residue.
    pub treasury: Planck,
    /// To be burnt.
    pub burn: Planck,
    /// The auditors' fee.
    pub audit: Planck,
    /// The referrer's part; the treasury's when nobody referred the customer.
    pub referral: Planck,
}

impl TakeSplit {
    /// Parts of the *charge* for auditors, referrer and burning. [`divide`](Self::divide) never
    /// gives away more than the take, whatever they are.
    pub fn new(audit: Ppm, referral: Ppm, burn: Ppm) -> Result<Self, ShareError> {
        let sum = u64::from(audit.0) + u64::from(referral.0) + u64::from(burn.0);
        if sum > Ppm::ONE.0.into() {
            return Err(ShareError::TakePartsAboveOne);
        }
        Ok(Self {
            audit,
            referral,
            burn,
        })
    }

    /// Divides the take of a charge. Parts that together exceed the take are cut in the order audit
    /// fee, referral, burn.
    pub fn divide(&self, charge: Planck, take: Planck) -> TakeDivision {
        let mut left = take;
        let mut part = |share| {
            let part = apply(share, charge).min(left);
            left -= part;
            part
        };
        let audit = part(self.audit);
        let referral = part(self.referral);
        let burn = part(self.burn);
        TakeDivision {
            treasury: left,
            burn,
            audit,
            referral,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ppm() -> impl Strategy<Value = Ppm> {
        (0u32..=1_000_000).prop_map(Ppm)
    }

    #[test]
    fn the_default_shares_of_a_charge() {
        let split = Split::new(Ppm::percent(15), Ppm::percent(10), Ppm::percent(60)).unwrap();
        let division = split.divide(1_000, true);
        assert_eq!(
            division,
            Division {
                take: 150,
                stargate: 85,
                cache: 510,
                gateway: 255
            }
        );
        let division = split.divide(1_000, false);
        assert_eq!(
            division,
            Division {
                take: 660,
                stargate: 85,
                cache: 0,
                gateway: 255
            }
        );

        let take = TakeSplit::new(Ppm::percent(1), Ppm::percent(10), Ppm::percent(1)).unwrap();
        assert_eq!(
            take.divide(1_000, 150),
            TakeDivision {
                treasury: 30,
                burn: 10,
                audit: 10,
                referral: 100
            }
        );
    }

    #[test]
    fn parts_above_one_are_refused() {
        let one = Ppm(1);
        assert_eq!(
            Split::new(Ppm(1_000_001), one, one),
            Err(ShareError::TakeAboveOne)
        );
        assert_eq!(
            Split::new(one, Ppm::ONE, one),
            Err(ShareError::RestAboveOne)
        );
        assert_eq!(
            Split::new(one, Ppm(u32::MAX), one),
            Err(ShareError::RestAboveOne)
        );
        assert_eq!(
            TakeSplit::new(Ppm::ONE, one, one),
            Err(ShareError::TakePartsAboveOne)
        );
    }

    proptest! {
        #[test]
        fn divisions_sum_to_the_whole(
            amount: u128, take in ppm(), stargate in ppm(), cache in ppm(), has_cache: bool,
        ) {
            prop_assume!(stargate.0 + cache.0 <= 1_000_000);
            let split = Split::new(take, stargate, cache).unwrap();
            let Division { take, stargate, cache, gateway } = split.divide(amount, has_cache);
            let sum = take.checked_add(stargate).and_then(|sum| sum.checked_add(cache));
            prop_assert_eq!(sum.and_then(|sum| sum.checked_add(gateway)), Some(amount));
            prop_assert!(has_cache || cache == 0);
        }

        #[test]
        fn a_gateway_gains_nothing_without_a_cache(amount: u128, take in ppm(), cache in ppm()) {
            let split = Split::new(take, Ppm(0), cache).unwrap();
            prop_assert_eq!(split.divide(amount, true).gateway, split.divide(amount, false).gateway);
        }

        #[test]
        fn the_take_is_given_away_exactly_once(
            charge: u128, take in ppm(), cuts in [ppm(), ppm(), ppm()],
        ) {
            let mut cuts = cuts.map(|cut| cut.0);
            cuts.sort_unstable();
            let [audit, referral, burn] = [cuts[0], cuts[1] - cuts[0], cuts[2] - cuts[1]].map(Ppm);
            let take = apply(take, charge);
            let split = TakeSplit::new(audit, referral, burn).unwrap();
            let TakeDivision { treasury, burn, audit, referral } = split.divide(charge, take);
            let sum = treasury.checked_add(burn).and_then(|sum| sum.checked_add(audit));
            prop_assert_eq!(sum.and_then(|sum| sum.checked_add(referral)), Some(take));
        }
    }
}
