//! A logarithm in integers, the same on every machine.

/// Fraction bits of the result.
const FRACTION: u32 = 40;

/// `-log2(h)` for `h = (draw + 1/2) / 2^64`, with 40 fraction bits, rounded down but at least 1 and
/// at most `65 * 2^40`.
///
/// One squaring per fraction bit: the top bit of the square of a number in [1, 2) is the next bit
/// of its logarithm.
pub(crate) fn minus_log2(draw: u64) -> u64 {
    // 2 * draw + 1 is odd and never zero; it stands for h * 2^65.
    let doubled = u128::from(draw) * 2 + 1;
    let exponent = doubled.ilog2();
    let mut mantissa = (doubled << (127 - exponent)) >> 64;
    let mut log = u64::from(exponent);
    for _ in 0..FRACTION {
        // The mantissa is in [2^63, 2^64), so its square is in [2^126, 2^128).
        let square = mantissa * mantissa;
        let bit = (square >> 127) as u64;
        mantissa = square >> (63 + bit);
        log = log << 1 | bit;
    }
    ((65 << FRACTION) - log).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn as_float(draw: u64) -> f64 {
        minus_log2(draw) as f64 / (1u64 << FRACTION) as f64
    }

    #[test]
    fn ends_and_powers_of_two() {
        assert_eq!(minus_log2(u64::MAX), 1);
        assert_eq!(minus_log2(0), 65 << FRACTION);
        assert!((as_float(1 << 63) - 1.0).abs() < 1e-9);
        assert!((as_float(1 << 60) - 4.0).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn it_is_the_logarithm(draw in any::<u64>()) {
            let expected = 64.0 - (draw as f64 + 0.5).log2();
            prop_assert!((as_float(draw) - expected).abs() < 1e-9, "{} {}", as_float(draw), expected);
        }

        #[test]
        fn it_never_rises(a in any::<u64>(), b in any::<u64>()) {
            prop_assert!(minus_log2(a.min(b)) >= minus_log2(a.max(b)));
        }
    }
}
