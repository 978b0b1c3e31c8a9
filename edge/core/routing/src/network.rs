//! Which networks caches are in.

use std::net::{IpAddr, SocketAddr};

/// What one network's operator may take away at once: a /24 of IPv4, a /48 of IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Network {
    V4([u8; 3]),
    V6([u8; 6]),
}

impl Network {
    /// The network of `host:port`; `None` when the host is a name, which says nothing of where it
    /// is.
    pub(crate) fn of(endpoint: &[u8]) -> Option<Self> {
        let address: SocketAddr = std::str::from_utf8(endpoint).ok()?.parse().ok()?;
        Some(match address.ip().to_canonical() {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                Self::V4([a, b, c])
            }
            IpAddr::V6(address) => {
                let [a, b, c, d, e, f, ..] = address.octets();
                Self::V6([a, b, c, d, e, f])
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_in_one_network() {
        let network = |endpoint: &str| Network::of(endpoint.as_bytes());
        assert_eq!(network("192.0.2.1:80"), network("192.0.2.255:81"));
        assert_ne!(network("192.0.2.1:80"), network("192.0.3.1:80"));
        assert_eq!(
            network("[2001:db8:1:2::1]:80"),
            network("[2001:db8:1:3::1]:80")
        );
        assert_ne!(network("[2001:db8:1::1]:80"), network("[2001:db8:2::1]:80"));
        assert_eq!(network("[::ffff:192.0.2.1]:80"), network("192.0.2.9:80"));
        for unknown in ["cache.example:80", "192.0.2.1", "", "\u{0}"] {
            assert_eq!(network(unknown), None, "{unknown}");
        }
        assert_eq!(Network::of(&[0xff]), None);
    }
}
