//! The primary cache key: the target URI in one normal form (RFC 9111 §2, RFC 9110 §4.2.3).

use core::fmt;

/// `scheme://host[:port]/path[?query]`: scheme and host in lower case, the scheme's own port left
/// out, an empty path written as `/`. Path and query stay byte for byte as they were sent, because
/// only the origin knows which of them mean the same. A fragment never reaches a server and is no
/// part of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CacheKey(String);

/// Why there is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Only `http` and `https` are cached.
    #[error("the scheme is neither http nor https")]
    Scheme,
    /// The host is empty, carries user information or has a character no host has.
    #[error("the host is not valid")]
    Host,
    /// The port is not a number from 1 to 65535.
    #[error("the port is not valid")]
    Port,
    /// The path does not begin with a slash, or has a character no target has.
    #[error("the path is not valid")]
    Path,
    /// The key is longer than the limit.
    #[error("the target is longer than {0} bytes")]
    TooLong(usize),
}

impl CacheKey {
    /// Builds the key of a target. `authority` is the `Host` field or `:authority`;
    /// `path_and_query` starts with a slash, or is empty.
    pub fn new(
        scheme: &str,
        authority: &str,
        path_and_query: &str,
        max_bytes: usize,
    ) -> Result<Self, KeyError> {
        let scheme = scheme.to_ascii_lowercase();
        let own_port = match scheme.as_str() {
            "http" => 80,
            "https" => 443,
            _ => return Err(KeyError::Scheme),
        };
        let (host, port) = split_port(authority)?;
        let path_and_query = path_and_query.split('#').next().unwrap_or_default();
        let slash = match path_and_query.bytes().next() {
            None | Some(b'?') => "/",
            Some(b'/') => "",
            Some(_) => return Err(KeyError::Path),
        };
        if path_and_query
            .bytes()
            .any(|byte| byte <= b' ' || byte == 0x7f)
        {
            return Err(KeyError::Path);
        }
        let port = match port {
            Some(port) if port != own_port => format!(":{port}"),
            _ => String::new(),
        };
        let host = host.to_ascii_lowercase();
        let key = format!("{scheme}://{host}{port}{slash}{path_and_query}");
        if key.len() > max_bytes {
            return Err(KeyError::TooLong(max_bytes));
        }
        Ok(Self(key))
    }

    /// The key of a reference, such as a `Location`, seen from this target (RFC 3986 §5.2). `None`
    /// when it is no key.
    pub fn resolve(&self, reference: &str) -> Option<Self> {
        let reference = reference.trim().split('#').next()?;
        let (scheme, rest) = self.0.split_once("://")?;
        let (authority, path) = rest.split_at(rest.find('/')?);
        let path = path.split('?').next()?;
        let max = usize::MAX;
        if let Some((scheme, rest)) = reference.split_once("://") {
            if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
                return Self::new(scheme, authority, &without_dots(path), max).ok();
            }
        }
        if let Some(rest) = reference.strip_prefix("//") {
            let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
            return Self::new(scheme, authority, &without_dots(path), max).ok();
        }
        let target = match reference.bytes().next() {
            None => return Some(self.clone()),
            Some(b'/') => without_dots(reference),
            Some(b'?') => format!("{path}{reference}"),
            Some(_) => {
                let folder = &path[..path.rfind('/')? + 1];
                without_dots(&format!("{folder}{reference}"))
            }
        };
        Self::new(scheme, authority, &target, max).ok()
    }

    /// Scheme, host and port: two keys with the same origin belong to one server (RFC 9110 §4.3.1).
    pub fn origin(&self) -> &str {
        let path = self
            .0
            .match_indices('/')
            .nth(2)
            .map_or(self.0.len(), |(at, _)| at);
        &self.0[..path]
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key as it stands in a record.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Display for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>), KeyError> {
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.find(']')) {
        Some(end) => authority.split_at(end + 2),
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let is_address = |byte: u8| byte.is_ascii_hexdigit() || byte == b':' || byte == b'.';
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=%".contains(&byte);
    let inner = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let is_valid = match inner {
        Some(address) => !address.is_empty() && address.bytes().all(is_address),
        None => !host.is_empty() && host.bytes().all(is_name),
    };
    if !is_valid {
        return Err(KeyError::Host);
    }
    let port = match port.strip_prefix(':') {
        Some("") => None,
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            let port = digits.parse::<u16>().map_err(|_| KeyError::Port)?;
            Some(port)
                .filter(|port| *port > 0)
                .ok_or(KeyError::Port)?
                .into()
        }
        None if port.is_empty() => None,
        _ => return Err(KeyError::Port),
    };
    Ok((host, port))
}

/// RFC 3986 §5.2.4, on the path of a target with a query.
fn without_dots(target: &str) -> String {
    let (path, query) = target.split_at(target.find('?').unwrap_or(target.len()));
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if is_last {
                    kept.push("");
                }
            }
            segment => kept.push(segment),
        }
    }
    let slash = if path.is_empty() { "" } else { "/" };
    format!("{slash}{}{query}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(scheme: &str, authority: &str, path: &str) -> Result<String, KeyError> {
        CacheKey::new(scheme, authority, path, 8192).map(|key| key.to_string())
    }

    #[test]
    fn s4_2_3_one_target_has_one_key() {
        for (scheme, authority, path) in [
            ("http", "example.org", "/a?b"),
            ("HTTP", "EXAMPLE.org:80", "/a?b"),
            ("http", "example.org:", "/a?b#c"),
            ("http", "example.org:080", "/a?b"),
        ] {
            assert_eq!(
                key(scheme, authority, path).unwrap(),
                "http://example.org/a?b"
            );
        }
        assert_eq!(
            key("https", "example.org:443", "").unwrap(),
            "https://example.org/"
        );
        assert_eq!(
            key("https", "[::1]:8443", "?q").unwrap(),
            "https://[::1]:8443/?q"
        );
    }

    #[test]
    fn path_and_query_are_kept() {
        assert_ne!(key("http", "a", "/A"), key("http", "a", "/a"));
        assert_ne!(key("http", "a", "/%41"), key("http", "a", "/A"));
        assert_ne!(key("http", "a", "/?b&c"), key("http", "a", "/?c&b"));
        assert_ne!(key("http", "a", "/?"), key("http", "a", "/"));
    }

    #[test]
    fn what_is_no_target_has_no_key() {
        assert_eq!(key("ftp", "a", "/"), Err(KeyError::Scheme));
        for host in [
            "", "user@a", "a b", "a/b", ":80", "[", "[]", "[x]", "a]", "[::1",
        ] {
            assert_eq!(key("http", host, "/"), Err(KeyError::Host), "{host:?}");
        }
        for host in ["a:x", "a:0", "a:65536", "a:1:2", "[::1]x", "a:+1"] {
            assert_eq!(key("http", host, "/"), Err(KeyError::Port), "{host:?}");
        }
        for path in ["a", "/a b", "/\u{7f}", "*"] {
            assert_eq!(key("http", "a", path), Err(KeyError::Path), "{path:?}");
        }
        let long = "x".repeat(9000);
        assert_eq!(
            key("http", "a", &format!("/{long}")),
            Err(KeyError::TooLong(8192))
        );
    }

    #[test]
    fn references_resolve_as_in_rfc_3986() {
        let base = CacheKey::new("http", "a", "/b/c/d?q", 100).unwrap();
        for (reference, expected) in [
            ("g", "http://a/b/c/g"),
            ("./g?y", "http://a/b/c/g?y"),
            ("../g", "http://a/b/g"),
            ("../../../g", "http://a/g"),
            ("/g/./h/../", "http://a/g/"),
            ("?y", "http://a/b/c/d?y"),
            ("", "http://a/b/c/d?q"),
            ("//h:80/x", "http://h/x"),
            ("https://H", "https://h/"),
        ] {
            assert_eq!(
                base.resolve(reference).unwrap().as_str(),
                expected,
                "{reference:?}"
            );
        }
        assert_eq!(base.resolve("ftp://x/"), None);
        assert_eq!(base.origin(), "http://a");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(
            scheme in "(http|https|.{0,4})",
            host in ".{0,30}",
            path in ".{0,40}",
        ) {
            if let Ok(key) = CacheKey::new(&scheme, &host, &path, 4096) {
                prop_assert!(key.as_str().starts_with(key.origin()));
                let _ = key.resolve(&path);
                let _ = key.resolve(&host);
            }
        }

        #[test]
        fn a_key_is_its_own_normal_form(
            host in "[a-z]{1,8}",
            port in 1u16..,
            path in "(/[!-~&&[^#]]{0,9}){1,3}",
        ) {
            let key = CacheKey::new("http", &format!("{host}:{port}"), &path, 4096).unwrap();
            let rest = key.as_str().strip_prefix("http://").unwrap();
            let (authority, path) = rest.split_at(rest.find('/').unwrap());
            prop_assert_eq!(CacheKey::new("HTTP", authority, path, 4096).unwrap(), key);
        }
    }
}
