//! Ratios of amounts, without losing bits on the way.

use primitive_types::U256;
use selvedge_primitives_types::{Planck, Ppm};

/// `floor(a × b / c)` with a 256-bit product; `None` when `c` is zero or the result does not fit.
pub fn mul_div(a: u128, b: u128, c: u128) -> Option<u128> {
    let product = U256::from(a).full_mul(U256::from(b));
    // Two 128-bit factors leave the upper half of the 512-bit product empty.
    U256::try_from(product)
        .ok()?
        .checked_div(c.into())?
        .try_into()
        .ok()
}

/// The part `ppm` of `amount`, rounded down; more than the whole saturates at the type's maximum.
pub fn apply(ppm: Ppm, amount: Planck) -> Planck {
    mul_div(amount, ppm.0.into(), Ppm::ONE.0.into()).unwrap_or(Planck::MAX)
}

/// The median, in any order of the input: of an even number the mean of the middle two, rounded
/// down; of none, 0.
///
/// Leaves `values` in another order.
pub fn median(values: &mut [u128]) -> u128 {
    values.sort_unstable();
    let middle = values.len() / 2;
    match (values.len() % 2, values.get(middle)) {
        (_, None) => 0,
        (1, Some(value)) => *value,
        (_, Some(upper)) => {
            let lower = values[middle - 1];
            lower + (upper - lower) / 2
        }
    }
}

/// `floor(amount × Π numerators / Π denominators)`, saturating: the exact form of a product of
/// rates.
///
/// Saturates when the product of the numerators leaves 256 bits, which no rate inside its range
/// reaches.
pub(crate) fn product(amount: u128, factors: &[(u64, u64)]) -> u128 {
    let mut numerator = U256::from(amount);
    let mut denominator = U256::one();
    for (above, below) in factors {
        let (Some(n), Some(d)) = (
            numerator.checked_mul((*above).into()),
            denominator.checked_mul((*below).into()),
        ) else {
            return u128::MAX;
        };
        (numerator, denominator) = (n, d);
    }
    numerator
        .checked_div(denominator)
        .and_then(|value| value.try_into().ok())
        .unwrap_or(u128::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_intermediate_may_be_wider_than_the_result() {
        assert_eq!(mul_div(u128::MAX, u128::MAX, u128::MAX), Some(u128::MAX));
        assert_eq!(mul_div(u128::MAX, 3, 2), None);
        assert_eq!(mul_div(7, 3, 2), Some(10));
        assert_eq!(mul_div(7, 3, 0), None);
    }

    #[test]
    fn the_median_of_an_even_number_lies_between() {
        assert_eq!(median(&mut []), 0);
        assert_eq!(median(&mut [9, 1, 4]), 4);
        assert_eq!(median(&mut [u128::MAX, u128::MAX - 1]), u128::MAX - 1);
        assert_eq!(median(&mut [1, 2, 10, 4]), 3);
    }

    #[test]
    fn parts_round_down() {
        assert_eq!(apply(Ppm::percent(15), 199), 29);
        assert_eq!(apply(Ppm::ONE, u128::MAX), u128::MAX);
        assert_eq!(apply(Ppm(u32::MAX), u128::MAX), u128::MAX);
    }

    proptest! {
        #[test]
        fn a_quotient_is_exact(a: u64, b: u64, c in 1u64..) {
            prop_assert_eq!(
                mul_div(a.into(), b.into(), c.into()),
                Some(u128::from(a) * u128::from(b) / u128::from(c))
            );
        }

        #[test]
        fn the_median_ignores_order(mut values in proptest::collection::vec(any::<u128>(), 0..20)) {
            let mut reversed: Vec<_> = values.iter().rev().copied().collect();
            prop_assert_eq!(median(&mut values), median(&mut reversed));
        }
    }
}
