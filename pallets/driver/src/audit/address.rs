//! Which gateways an auditor may be led to: a gateway chooses its own address.
//!
//! Plain HTTP alone is spoken: what is fetched is checked against the chain. A name is not resolved
//! here, so one that leads to a private address is met only where the node's own network lets it.

use core::{fmt, net::IpAddr};
use selvedge_primitives_types::address::not_global;

/// Why a base URL is not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreachable {
    /// There is none: the device is registered no longer.
    Missing,
    /// It is not one of plain HTTP.
    NotHttp,
    /// Its host lies in somebody's own network.
    Private(&'static str),
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("it has no address"),
            Self::NotHttp => f.write_str("its address is not one of plain HTTP"),
            Self::Private(kind) => write!(f, "its address is {kind}"),
        }
    }
}

/// The base URL without a slash at its end, if it may be asked.
pub(crate) fn base(url: &[u8], allow_private: bool) -> Result<&str, Unreachable> {
    if url.is_empty() {
        return Err(Unreachable::Missing);
    }
    let url = core::str::from_utf8(url).map_err(|_| Unreachable::NotHttp)?;
    let rest = url.strip_prefix("http://").ok_or(Unreachable::NotHttp)?;
    if !allow_private {
        let authority = rest.split('/').next().unwrap_or_default();
        if let Some(kind) = private(authority) {
            return Err(Unreachable::Private(kind));
        }
    }
    Ok(url.trim_end_matches('/'))
}

fn private(authority: &str) -> Option<&'static str> {
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    if let Ok(address) = host.parse::<IpAddr>() {
        return not_global(address);
    }
    let host = host.to_ascii_lowercase();
    let Some((_, last)) = host.rsplit_once('.') else {
        return Some("a name without a domain");
    };
    // WHATWG URL: a host whose last label begins like a number is read as an IPv4 address.
    if last.starts_with(|first: char| first.is_ascii_digit()) {
        return Some("no address");
    }
    // RFC 6761, RFC 6762, RFC 8375 and ICANN's `internal`.
    let is_private = matches!(
        last,
        "localhost" | "local" | "internal" | "onion" | "test" | "invalid"
    ) || host.ends_with(".home.arpa");
    is_private.then_some("a private name")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_http_is_spoken() {
        let refused = |url: &[u8]| base(url, true).unwrap_err();
        assert_eq!(refused(b""), Unreachable::Missing);
        for url in [
            &b"https://a.example"[..],
            b"ftp://a.example",
            b"a.example",
            b"\xff",
        ] {
            assert_eq!(refused(url), Unreachable::NotHttp);
        }
        assert_eq!(base(b"http://127.0.0.1:9/", true), Ok("http://127.0.0.1:9"));
    }

    #[test]
    fn on_a_live_network_nobody_is_led_into_its_own() {
        for url in [
            "http://127.0.0.1:9944",
            "http://10.0.0.1/base",
            "http://[::1]:80",
            "http://[fd00::1]",
            "http://169.254.169.254",
            "http://localhost",
            "http://LOCALHOST:80",
            "http://db",
            "http://db.internal",
            "http://a.localhost",
            "http://127.1",
            "http://0x7f.1",
            "http://2130706433",
            "http://nas.home.arpa",
        ] {
            let refused = base(url.as_bytes(), false);
            assert!(
                matches!(refused, Err(Unreachable::Private(_))),
                "{url}: {refused:?}"
            );
            assert!(base(url.as_bytes(), true).is_ok(), "{url}");
        }
        for url in [
            "http://gw.example.org:8080/x",
            "http://1.1.1.1",
            "http://[2606:4700::1]:1",
        ] {
            assert_eq!(base(url.as_bytes(), false), Ok(url));
        }
    }
}
