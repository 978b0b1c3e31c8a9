//! Decides whether text is an address that other nodes can dial. Form only: nothing is resolved or contacted.
//!
//! ```text
//! endpoint = host ":" port
//! url      = ("http" | "https") "://" host [":" port] [path]
//! host     = name | IPv4 | "[" IPv6 "]"          name: labels of letters, digits and hyphens, RFC 1123 §2.1
//! ```
//!
//! No user information, query or fragment: a base URL has none, and secrets do not belong on chain.

use core::net::Ipv6Addr;

/// Whether `text` is `host:port`.
pub fn is_endpoint(text: &[u8]) -> bool {
    let Ok(text) = core::str::from_utf8(text) else {
        return false;
    };
    matches!(split_port(text), Some((host, Some(port))) if is_host(host) && is_port(port))
}

/// Whether `text` is an http or https URL that may be used as a base.
pub fn is_base_url(text: &[u8]) -> bool {
    let Ok(text) = core::str::from_utf8(text) else {
        return false;
    };
    let Some(rest) = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
    else {
        return false;
    };
    let (authority, path) = match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, ""),
    };
    let authority_holds = matches!(
        split_port(authority),
        Some((host, port)) if is_host(host) && port.is_none_or(is_port)
    );
    authority_holds && path.bytes().all(is_path_byte)
}

/// Splits `host[:port]`; the colons of an IPv6 address stand in brackets.
fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    let end = match authority.starts_with('[') {
        true => authority.find(']')? + 1,
        false => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, rest) = authority.split_at(end);
    match rest.is_empty() {
        true => Some((host, None)),
        false => Some((host, Some(rest.strip_prefix(':')?))),
    }
}

fn is_port(port: &str) -> bool {
    // `parse` would take a plus sign.
    port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
}

fn is_host(host: &str) -> bool {
    match host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        // An IPv4 address has the form of a name.
        None => !host.is_empty() && host.len() <= 253 && host.split('.').all(is_label),
    }
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// RFC 3986 §3.3 `pchar`, the slash and percent signs.
fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:@".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_has_a_host_and_a_port() {
        for good in [
            "a.example:1",
            "127.0.0.1:65535",
            "[::1]:8080",
            "gw-1.eu:443",
        ] {
            assert!(is_endpoint(good.as_bytes()), "{good}");
        }
        for bad in [
            "",
            ":",
            "a",
            "a:",
            ":80",
            "a:0",
            "a:65536",
            "a:+80",
            "a:8 0",
            "a b:80",
            "::1:80",
            "[::1]",
            "[::1:80",
            "[zz]:80",
            "-a:80",
            "a-:80",
            "a..b:80",
            "a:80/x",
            "é:80",
            "[::1]x:80",
        ] {
            assert!(!is_endpoint(bad.as_bytes()), "{bad}");
        }
        assert!(!is_endpoint(&[0xff, b':', b'8']));
        assert!(!is_endpoint(format!("{}:80", "a".repeat(64)).as_bytes()));
    }

    #[test]
    fn a_base_url_has_a_scheme_a_host_and_perhaps_a_path() {
        for good in [
            "http://a",
            "https://a.example:8443/audit/v1",
            "http://[::1]:9000",
            "https://a/%20",
        ] {
            assert!(is_base_url(good.as_bytes()), "{good}");
        }
        for bad in [
            "",
            "a",
            "ftp://a",
            "http://",
            "http:///x",
            "https://u:p@a/",
            "https://a/?q",
            "https://a/#f",
            "https://a:b/",
            "https://a/ b",
            "HTTP://a",
            "https://a\n",
        ] {
            assert!(!is_base_url(bad.as_bytes()), "{bad}");
        }
    }
}
