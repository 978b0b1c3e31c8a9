//! What keeping content comes to in byte-hours.
//!
//! Invariant: whatever is counted of the places of pins, each rounded down, is within the most that may be charged for
//! the pins.

use selvedge_primitives_types::{Millis, Sum, Usage, UsageClass};

/// Milliseconds of an hour.
const HOUR: u128 = 3_600_000;

/// Storage byte-hours of an entry, paid for or free; saturates.
pub fn stored(sum: &Sum) -> u64 {
    let units = |usage: &Usage| usage.of(UsageClass::StorageByteHours);
    units(&sum.paid).saturating_add(units(&sum.free))
}

/// Byte-hours of `bytes` that one place kept for a time, rounded down; saturates.
pub fn counted(bytes: u64, time: Millis) -> u64 {
    byte_hours(bytes, time, 0)
}

/// The most byte-hours that may be charged for `kept` bytes in all places together over a time, rounded up; saturates.
pub fn most(kept: u64, time: Millis) -> u64 {
    byte_hours(kept, time, HOUR - 1)
}

fn byte_hours(bytes: u64, time: Millis, round: u128) -> u64 {
    let product = u128::from(bytes) * u128::from(time.0);
    u64::try_from(product.saturating_add(round) / HOUR).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_hour_of_a_byte_is_one() {
        let (hour, minute) = (Millis(3_600_000), Millis(60_000));
        assert_eq!((counted(7, hour), most(7, hour)), (7, 7));
        assert_eq!((counted(59, minute), most(59, minute)), (0, 1));
        assert_eq!((counted(60, minute), most(60, minute)), (1, 1));
        assert_eq!((counted(0, hour), most(0, hour)), (0, 0));
        let long = Millis(u64::MAX);
        assert_eq!(
            (counted(u64::MAX, long), most(u64::MAX, long)),
            (u64::MAX, u64::MAX)
        );
    }

    proptest! {
        #[test]
        fn what_places_count_is_within_the_most(
            pins in proptest::collection::vec((0u64..1 << 44, 1u64..=16), 0..64),
            time in 0u64..10_000_000,
        ) {
            let counted: u64 = pins
                .iter()
                .map(|(bytes, places)| places * counted(*bytes, Millis(time)))
                .sum();
            let kept = pins.iter().map(|(bytes, places)| bytes * places).sum();
            prop_assert!(counted <= most(kept, Millis(time)));
        }
    }
}
