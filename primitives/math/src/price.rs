//! What usage costs.

use core::fmt;
use selvedge_primitives_types::{Planck, Prices, Usage, UsageClass};

/// A sum left the range of its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overflow;

impl fmt::Display for Overflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the charge does not fit into 128 bits")
    }
}

impl core::error::Error for Overflow {}

/// The charge for `usage` in planck: `floor(Σ units × price / 2^32)`.
///
/// It is rounded once, so the charge of a sum of usage is at least the sum of the charges: call it
/// once per leaf, never on totals. Fails when `Σ units × price` does not fit into 128 bits.
pub fn charge(usage: &Usage, prices: &Prices) -> Result<Planck, Overflow> {
    UsageClass::ALL
        .into_iter()
        .try_fold(0u128, |sum, class| {
            // Two 64-bit factors always fit; only the sum can leave the range.
            sum.checked_add(u128::from(usage.of(class)) * u128::from(prices.of(class)))
        })
        .map(|scaled| scaled >> Prices::FRACTION_BITS)
        .ok_or(Overflow)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_gibibyte_costs_what_its_list_says() {
        let per_gib = Prices::per(50_000_000_000, 1 << 30).unwrap();
        let prices = Prices([0, per_gib, 0, 0, 0, 0]);
        let usage = Usage::ZERO.with(UsageClass::EgressBytes, 1 << 30);
        let due = charge(&usage, &prices).unwrap();
        assert!((49_999_999_999..=50_000_000_000).contains(&due), "{due}");
    }

    #[test]
    fn the_remainder_is_dropped_once() {
        let half = Prices([1 << 31, 1 << 31, 0, 0, 0, 0]);
        assert_eq!(charge(&Usage([1, 0, 0, 0, 0, 0]), &half), Ok(0));
        assert_eq!(charge(&Usage([1, 1, 0, 0, 0, 0]), &half), Ok(1));
    }

    #[test]
    fn too_much_is_an_error() {
        let full = Prices([u64::MAX; 6]);
        assert_eq!(charge(&Usage([u64::MAX; 6]), &full), Err(Overflow));
        assert!(charge(&Usage([u64::MAX, 0, 0, 0, 0, 0]), &full).is_ok());
    }

    proptest! {
        #[test]
        fn more_use_never_costs_less(
            a in any::<[u32; 6]>(), b in any::<[u32; 6]>(), prices in any::<[u64; 6]>(),
        ) {
            let prices = Prices(prices.map(|price| price >> 4));
            let (a, b) = (Usage(a.map(u64::from)), Usage(b.map(u64::from)));
            let both = a.checked_add(&b).unwrap();
            let (one, two) = (charge(&a, &prices).unwrap(), charge(&b, &prices).unwrap());
            let sum = charge(&both, &prices).unwrap();
            prop_assert!(sum >= one + two && sum <= one + two + 1);
        }
    }
}
