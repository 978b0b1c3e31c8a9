//! Which addresses an origin may have.
//!
//! A customer chooses the origin's name, so without this a gateway could be made to fetch from its
//! operator's own network. The check is made on the address that is connected to, on every
//! connection: a name that first resolves to a public address and then to a private one gains
//! nothing.

use std::net::IpAddr;

use selvedge_primitives_types::address::not_global;

/// Why an address may not be connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{address} is {kind}")]
pub struct ForbiddenAddress {
    /// The address.
    pub address: IpAddr,
    /// What it is, such as `a private address`.
    pub kind: &'static str,
}

/// Lets only globally reachable unicast addresses through, unless the operator allows all.
#[derive(Clone, Copy, Debug)]
pub struct AddressGuard {
    /// Whether private, loopback and link-local addresses are allowed: for a network on one
    /// machine.
    pub allow_private: bool,
}

impl AddressGuard {
    /// Checks one address.
    ///
    /// Errors: [`ForbiddenAddress`] for what is not globally reachable unicast (IANA
    /// special-purpose registries), also when it is wrapped in an IPv6 address.
    pub fn check(&self, address: IpAddr) -> Result<(), ForbiddenAddress> {
        if self.allow_private {
            return Ok(());
        }
        match not_global(address) {
            Some(kind) => Err(ForbiddenAddress { address, kind }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_operator_who_allows_it_is_led_to_private_addresses() {
        for text in ["10.1.2.3", "127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            let address: IpAddr = text.parse().unwrap();
            let check = |allow_private| AddressGuard { allow_private }.check(address);
            assert!(check(false).is_err(), "{text} passed");
            assert_eq!(check(true), Ok(()));
        }
        let public = AddressGuard {
            allow_private: false,
        };
        assert_eq!(public.check("1.1.1.1".parse().unwrap()), Ok(()));
    }
}
