//! How a service's allowance is divided among gateways.

use selvedge_primitives_types::Planck;

/// The lease of each of `gateways` gateways out of a cap per epoch, rounded down, so that the
/// leases together never exceed the cap. Without gateways there is no lease.
pub fn lease(cap: Planck, gateways: u32) -> Planck {
    cap.checked_div(gateways.into()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nobody_leases_from_nobody() {
        assert_eq!(lease(100, 0), 0);
        assert_eq!(lease(100, 3), 33);
        assert_eq!(lease(2, 3), 0);
    }

    proptest! {
        #[test]
        fn leases_stay_within_the_cap(cap: u128, gateways in 1u32..10_000) {
            let one = lease(cap, gateways);
            prop_assert!(one.checked_mul(gateways.into()).is_some_and(|sum| sum <= cap));
            prop_assert!(cap - one * u128::from(gateways) < u128::from(gateways));
        }
    }
}
