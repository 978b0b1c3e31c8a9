//! Checks the form of host names and origin URLs. It looks nothing up.

/// What a host name is good for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HostKind {
    /// A name of the public DNS, whose ownership can be proven there.
    Public,
    /// A name that never leaves a machine or its network (RFC 6761, RFC 6762).
    Local,
}

/// Reads a host name; `None` unless it is a lower-case DNS name without a dot at its end.
///
/// Labels are letters, digits and hyphens (RFC 1123 §2.1), so an internationalised name must come
/// as its `xn--` form. A public name has at least two labels, and its last one is not a number: an
/// IPv4 address is no name.
pub fn host_kind(name: &[u8]) -> Option<HostKind> {
    if name.len() > super::types::MAX_HOST_LEN as usize || !name.split(|c| *c == b'.').all(is_label)
    {
        return None;
    }
    let last = name.rsplit(|c| *c == b'.').next().unwrap_or_default();
    match last {
        b"localhost" => Some(HostKind::Local),
        _ if last.len() == name.len() => None,
        b"test" | b"local" => Some(HostKind::Local),
        _ if last.iter().all(u8::is_ascii_digit) => None,
        _ => Some(HostKind::Public),
    }
}

fn is_label(label: &[u8]) -> bool {
    let ends = [label.first(), label.last()];
    (1..=63).contains(&label.len())
        && label
            .iter()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == b'-')
        && !ends.contains(&Some(&b'-'))
}

/// Whether the text is a base URL: `http` or `https`, a DNS name or an IP address, maybe a port and
/// a path.
///
/// User names, queries, fragments and `..` are refused: an origin is a place below which every path
/// is asked for.
pub fn is_origin(url: &[u8]) -> bool {
    if url.len() > super::types::MAX_ORIGIN_LEN as usize {
        return false;
    }
    let Ok(url) = core::str::from_utf8(url) else {
        return false;
    };
    let Some(rest) = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))
    else {
        return false;
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    is_authority(authority) && is_path(path)
}

fn is_authority(authority: &str) -> bool {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) => {
                if address.parse::<core::net::Ipv6Addr>().is_err() {
                    return false;
                }
                (None, port)
            }
            None => return false,
        },
        None => {
            let (host, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
            (Some(host), port)
        }
    };
    let host_is_fine = host.is_none_or(|host| {
        host_kind(host.as_bytes()).is_some() || host.parse::<core::net::Ipv4Addr>().is_ok()
    });
    host_is_fine && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
}

fn is_port(port: &str) -> bool {
    port.bytes().all(|c| c.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
}

fn is_path(path: &str) -> bool {
    // RFC 3986 §3.3: `pchar` and slashes.
    let characters = path
        .bytes()
        .all(|c| c.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/%".contains(&c));
    characters && path.split('/').all(|segment| segment != "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_names_have_two_labels_or_more() {
        for name in [
            "example.org",
            "a.b.c.example.co.uk",
            "xn--bcher-kva.example",
            "1.example",
        ] {
            assert_eq!(host_kind(name.as_bytes()), Some(HostKind::Public), "{name}");
        }
    }

    #[test]
    fn local_names_are_told_apart() {
        for name in ["localhost", "www.localhost", "shop.test", "printer.local"] {
            assert_eq!(host_kind(name.as_bytes()), Some(HostKind::Local), "{name}");
        }
        assert_eq!(host_kind(b"mylocal.org"), Some(HostKind::Public));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let long = [b'a'; 64];
        let longest = [b"a.".repeat(126), b"bb".to_vec()].concat();
        assert_eq!(longest.len(), 254);
        for name in [
            &b""[..],
            b".",
            b"example",
            b"test",
            b"local",
            b"Example.org",
            b"example.org.",
            b".example.org",
            b"a..b",
            b"-a.org",
            b"a-.org",
            b"a_b.org",
            b"127.0.0.1",
            b"a b.org",
            b"*.example.org",
            b"ex\xc3\xa4mple.org",
            b"a.org:80",
            &[&long[..], b".org"].concat(),
            &longest,
        ] {
            assert_eq!(
                host_kind(name),
                None,
                "{}",
                alloc::string::String::from_utf8_lossy(name)
            );
        }
    }

    #[test]
    fn origins_are_base_urls() {
        for url in [
            "https://www.example.org",
            "http://127.0.0.1:8080",
            "http://localhost:1/",
            "http://[::1]:8080/a",
            "https://example.org/docs/v1",
            "http://[2001:db8::1]",
        ] {
            assert!(is_origin(url.as_bytes()), "{url}");
        }
    }

    #[test]
    fn what_is_no_base_url_is_refused() {
        let long = [b"https://example.org/".to_vec(), alloc::vec![b'a'; 500]].concat();
        assert!(!is_origin(&long));
        for url in [
            "",
            "https://",
            "ftp://example.org",
            "HTTPS://example.org",
            "https://user@example.org",
            "https://example.org:0",
            "https://example.org:65536",
            "https://example.org:",
            "https://example.org:+1",
            "https://example.org?x",
            "https://example.org#x",
            "https://example.org/a b",
            "https://[::1",
            "https://[zz]",
            "https://example.org/a/../b",
            "https://Example.org",
            "https://example.org\\a",
            "//a.org",
        ] {
            assert!(!is_origin(url.as_bytes()), "{url}");
        }
        assert!(!is_origin(&[0xff, 0xfe]));
    }
}
