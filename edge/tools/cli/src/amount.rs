//! Amounts of SEL as people write them.

use selvedge_primitives_types::Planck;
use std::{fmt, str::FromStr};

/// Decimals of the token.
const DECIMALS: usize = 12;

/// An amount that reads and prints as SEL: `10`, `0.25`, or planck with a suffix, `1500planck`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sel(pub Planck);

impl FromStr for Sel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || {
            format!("{text:?} is not an amount: write SEL such as 10 or 0.25, or planck such as 1500planck")
        };
        if let Some(planck) = text.strip_suffix("planck") {
            return planck.trim().parse().map(Self).map_err(|_| bad());
        }
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !plain(whole) || !plain(fraction) || fraction.len() > DECIMALS {
            return Err(bad());
        }
        let whole: Planck = whole.parse().map_err(|_| bad())?;
        let fraction: Planck = format!("{fraction:0<DECIMALS$}")
            .parse()
            .map_err(|_| bad())?;
        whole
            .checked_mul(10u128.pow(DECIMALS as u32))
            .and_then(|planck| planck.checked_add(fraction))
            .map(Self)
            .ok_or_else(bad)
    }
}

impl fmt::Display for Sel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = 10u128.pow(DECIMALS as u32);
        let fraction = format!("{:0DECIMALS$}", self.0 % one);
        let fraction = fraction.trim_end_matches('0');
        let point = if fraction.is_empty() { "" } else { "." };
        write!(f, "{}{point}{fraction} SEL", self.0 / one)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts_read_as_people_write_them() {
        assert_eq!("10".parse(), Ok(Sel(10_000_000_000_000)));
        assert_eq!("0.000000000001".parse(), Ok(Sel(1)));
        assert_eq!("7planck".parse(), Ok(Sel(7)));
        for bad in [
            "",
            ".",
            "-1",
            "1e3",
            "1.0000000000001",
            "1,5",
            "ten",
            "340282366920938463463374608",
        ] {
            assert!(bad.parse::<Sel>().is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(planck in any::<u128>()) {
            let text = Sel(planck).to_string();
            let read: Sel = text.trim_end_matches(" SEL").parse().unwrap();
            prop_assert_eq!(read, Sel(planck));
        }
    }
}
