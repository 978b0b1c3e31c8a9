//! A request as conditions look at it.

use std::borrow::Cow;
use std::net::IpAddr;

use http::{header, HeaderMap, HeaderName, Method};

/// A request's head, as its visitor sent it.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Whether it came over TLS.
    pub is_tls: bool,
    /// Host in lower case without a port.
    pub host: &'a str,
    /// Method.
    pub method: &'a Method,
    /// Path and query; begins with a slash.
    pub target: &'a str,
    /// Fields.
    pub headers: &'a HeaderMap,
    /// Who is at the other end of the connection.
    pub client: IpAddr,
}

impl<'a> Request<'a> {
    /// The path as it was sent.
    pub fn path(&self) -> &'a str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The query without its question mark.
    pub fn query(&self) -> Option<&'a str> {
        self.target.split_once('?').map(|(_, query)| query)
    }

    /// Names and values of the query's parameters, without `%`.
    pub fn parameters(&self) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> {
        members(self.query().unwrap_or_default()).map(|member| {
            let (name, value) = member.split_once('=').unwrap_or((member, ""));
            (plain(name), plain(value))
        })
    }

    /// Names and values of the cookies.
    pub fn cookies(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        cookies(self.headers)
    }

    /// The lines of a field that are text.
    pub fn lines(&self, name: &str) -> impl Iterator<Item = &'a str> {
        let name = HeaderName::from_bytes(name.as_bytes()).ok();
        let lines = name.map(|name| self.headers.get_all(name).into_iter());
        lines
            .into_iter()
            .flatten()
            .filter_map(|line| line.to_str().ok())
    }

    /// Whether an answer to it may be for others too.
    pub fn is_shared(&self) -> bool {
        matches!(*self.method, Method::GET | Method::HEAD)
    }
}

/// The members of a query, as they were sent.
pub(crate) fn members(query: &str) -> impl Iterator<Item = &str> {
    query.split('&').filter(|member| !member.is_empty())
}

pub(crate) fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let lines = headers.get_all(header::COOKIE).into_iter();
    let pairs = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'));
    pairs.filter_map(|pair| pair.trim().split_once('='))
}

/// A name or a value of a query without `%` and `+`, as a form sends it.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    let spaced = text.replace('+', " ");
    let octets = decoded(spaced.as_bytes(), |_| true);
    Cow::Owned(String::from_utf8_lossy(&octets).into_owned())
}

/// A path as most servers read it: what `%` stands for, without dot segments and without empty ones,
/// so that a rule about `/private/**` is one about `/x/..//%70rivate/a` too. Slashes, stars and per
/// cent signs stay hidden.
pub(crate) fn plain_path(path: &[u8]) -> Vec<u8> {
    let octets = decoded(path, |octet| !matches!(octet, b'/' | b'*' | b'%'));
    let mut kept: Vec<&[u8]> = Vec::new();
    let mut segments = octets.split(|octet| *octet == b'/').skip(1).peekable();
    if octets.first() != Some(&b'/') {
        return octets;
    }
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            b"." | b".." => {
                if segment == b".." {
                    kept.pop();
                }
                if is_last {
                    kept.push(b"");
                }
            }
            b"" if !is_last => {}
            segment => kept.push(segment),
        }
    }
    let mut plain = vec![b'/'];
    plain.extend_from_slice(&kept.join(&b'/'));
    plain
}

fn decoded(text: &[u8], is_shown: impl Fn(u8) -> bool) -> Vec<u8> {
    let digit = |octet: u8| char::from(octet).to_digit(16);
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let octet = match (*first, after) {
            (b'%', [high, low, ..]) => digit(*high).zip(digit(*low)),
            _ => None,
        };
        match octet.map(|(high, low)| (high * 16 + low) as u8) {
            Some(octet) => {
                rest = &after[2..];
                if is_shown(octet) {
                    plain.push(octet);
                } else {
                    plain.extend_from_slice(format!("%{octet:02X}").as_bytes());
                }
            }
            None => plain.push(*first),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_path_has_one_form() {
        for (path, expected) in [
            ("/", "/"),
            ("/a", "/a"),
            ("/%61", "/a"),
            ("//a///b/", "/a/b/"),
            ("/a/./b/../c", "/a/c"),
            ("/../../a", "/a"),
            ("/a/..", "/"),
            ("/%2e%2E/a", "/a"),
            ("/a%2fb", "/a%2Fb"),
            ("/%2541", "/%2541"),
            ("/%", "/%"),
            ("/%4", "/%4"),
        ] {
            assert_eq!(
                String::from_utf8(plain_path(path.as_bytes())).unwrap(),
                expected,
                "{path}"
            );
        }
    }

    #[test]
    fn parameters_and_cookies_are_read_as_forms_and_browsers_write_them() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "a=1; b=2=3;c".parse().unwrap());
        headers.append(header::COOKIE, "d=4".parse().unwrap());
        let request = Request {
            is_tls: false,
            host: "a.test",
            method: &Method::GET,
            target: "/p?x=1&&y=%41+b&z&x=2",
            headers: &headers,
            client: [127, 0, 0, 1].into(),
        };
        let parameters: Vec<_> = request.parameters().collect();
        let text = |name: &'static str, value: &'static str| (Cow::from(name), Cow::from(value));
        assert_eq!(
            parameters,
            [
                text("x", "1"),
                text("y", "A b"),
                text("z", ""),
                text("x", "2")
            ]
        );
        let cookies: Vec<_> = request.cookies().collect();
        assert_eq!(cookies, [("a", "1"), ("b", "2=3"), ("d", "4")]);
    }

    proptest! {
        #[test]
        fn the_form_of_a_path_is_its_own_form(path in "/[a/.%2eEfF]{0,20}") {
            let plain = plain_path(path.as_bytes());
            prop_assert_eq!(&plain_path(&plain), &plain);
            let has_dots = plain.split(|octet| *octet == b'/').any(|segment| segment == b"." || segment == b"..");
            prop_assert!(!has_dots, "{:?}", String::from_utf8_lossy(&plain));
        }
    }
}
