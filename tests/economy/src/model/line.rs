//! What a gateway commits to: runs of equal leaves.

use super::Defect;
use selvedge_primitives_math::price::charge;
use selvedge_primitives_types::{Planck, Prices, Sum, Usage, UsageClass};

/// Who is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Payer {
    /// A customer outside the coalition.
    Stranger,
    /// A customer of the coalition's.
    Own {
        /// Whether another account of the coalition is its referrer.
        referred: bool,
    },
}

/// Equal leaves of one payer through one cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Who is charged.
    pub payer: Payer,
    /// Index of the cache's node; `None` for what no cache may hold.
    pub cache: Option<usize>,
    /// How many leaves.
    pub leaves: u64,
    /// Charged usage of all of them.
    pub paid: Usage,
    /// Usage of all of them out of the free buffer.
    pub free: Usage,
    /// Charge of all of them.
    pub amount: Planck,
    /// Whether a look at one of them proves a defect.
    pub is_false: bool,
}

impl Line {
    /// `leaves` leaves that together cost about `amount`: each is charged by itself and rounded
    /// down.
    pub fn of(
        payer: Payer,
        cache: Option<usize>,
        leaves: u64,
        amount: Planck,
        prices: &Prices,
    ) -> Result<Self, Defect> {
        let leaves = leaves.max(1);
        let scaled = (amount / u128::from(leaves)) << Prices::FRACTION_BITS;
        let price = u128::from(prices.of(UsageClass::EgressBytes)).max(1);
        let bytes = u64::try_from(scaled / price).map_err(|_| Defect::Charge)?;
        let each = Usage::ZERO.with(UsageClass::EgressBytes, bytes);
        let cost = charge(&each, prices).map_err(|_| Defect::Charge)?;
        let all = bytes.checked_mul(leaves).ok_or(Defect::Charge)?;
        Ok(Self {
            payer,
            cache,
            leaves,
            paid: Usage::ZERO.with(UsageClass::EgressBytes, all),
            free: Usage::ZERO,
            amount: cost * u128::from(leaves),
            is_false: false,
        })
    }

    /// The same bytes out of the free buffer: nobody is charged.
    #[must_use]
    pub fn for_free(self) -> Self {
        Self {
            paid: Usage::ZERO,
            free: self.paid,
            amount: 0,
            ..self
        }
    }

    /// The same, as something that is not true.
    #[must_use]
    pub fn falsified(self) -> Self {
        Self {
            is_false: true,
            ..self
        }
    }

    /// What it adds to a tree.
    pub fn sum(&self) -> Sum {
        Sum {
            leaves: self.leaves,
            paid: self.paid,
            free: self.free,
            amount: self.amount,
        }
    }
}
