//! Where a redirect or a rewriting leads: a text with places for what was matched.

use core::str::FromStr;

use crate::request::Request;

/// `$1` to `$9` stand for what the path pattern captured, `${host}`, `${path}` and `${query}` for the
/// request's own, `$$` for a dollar sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Capture(usize),
    Host,
    Path,
    Query,
}

impl Template {
    /// The highest capture that it asks for.
    pub fn captures(&self) -> usize {
        let numbers = self.0.iter().filter_map(|piece| match piece {
            Piece::Capture(number) => Some(*number),
            _ => None,
        });
        numbers.max().unwrap_or_default()
    }

    /// Whether it has a query of its own.
    pub fn has_query(&self) -> bool {
        self.0.iter().any(|piece| match piece {
            Piece::Text(text) => text.contains('?'),
            piece => *piece == Piece::Query,
        })
    }

    /// Whether it is a path, and not an address elsewhere.
    pub fn is_path(&self) -> bool {
        match self.0.first() {
            Some(Piece::Text(text)) => text.starts_with('/') && !text.starts_with("//"),
            Some(Piece::Path) => true,
            _ => false,
        }
    }

    /// The text for a request. What visitors chose in it is escaped: it ends no segment, no path and
    /// no line.
    pub fn fill(&self, request: &Request<'_>, captured: &[&[u8]]) -> String {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(own) => text.push_str(own),
                Piece::Capture(number) => escape(
                    captured.get(number - 1).copied().unwrap_or_default(),
                    &mut text,
                ),
                Piece::Host => text.push_str(request.host),
                Piece::Path => text.push_str(request.path()),
                Piece::Query => text.push_str(request.query().unwrap_or_default()),
            }
        }
        if self.is_path() {
            // Two slashes at the beginning would be another host.
            let path = text.trim_start_matches(['/', '\\']);
            return format!("/{path}");
        }
        text
    }
}

/// Octets of a path as they may be sent; those that are hidden stay so.
fn escape(octets: &[u8], into: &mut String) {
    for octet in octets {
        let is_plain = octet.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@%".contains(octet);
        if is_plain {
            into.push(char::from(*octet));
        } else {
            into.push_str(&format!("%{octet:02X}"));
        }
    }
}

impl FromStr for Template {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > 2_048 {
            return Err("longer than 2,048 octets");
        }
        if text.bytes().any(|byte| {
            byte <= b' '
                || byte >= 0x7f
                || b"\"<>\\^`{|}".contains(&byte) && !matches!(byte, b'{' | b'}')
        }) {
            return Err("not an address: blanks and other characters are written with `%`");
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            let (own, after) = rest.split_at(at);
            push(&mut pieces, own);
            let after = &after[1..];
            let (piece, length) = match after.bytes().next() {
                Some(b'$') => (Piece::Text("$".to_owned()), 1),
                Some(digit @ b'1'..=b'9') => (Piece::Capture(usize::from(digit - b'0')), 1),
                _ if after.starts_with("{host}") => (Piece::Host, 6),
                _ if after.starts_with("{path}") => (Piece::Path, 6),
                _ if after.starts_with("{query}") => (Piece::Query, 7),
                _ => return Err("after `$` comes 1 to 9, `$`, `{host}`, `{path}` or `{query}`"),
            };
            pieces.push(piece);
            rest = &after[length..];
        }
        push(&mut pieces, rest);
        let template = Self(pieces);
        if template.is_path() {
            return Ok(template);
        }
        let Some(after) = ["https://", "http://"]
            .iter()
            .find_map(|scheme| text.strip_prefix(scheme))
        else {
            return Err("begins neither with `/` nor with `https://` or `http://`");
        };
        let ends = [after.find(['/', '?', '#']), after.find("${path}")];
        let host = &after[..ends.into_iter().flatten().min().unwrap_or(after.len())];
        // Whoever chooses the host chooses the site that visitors are sent to.
        let own = host.replace("${host}", "host");
        if host.is_empty() || own.contains(['$', '@', '{', '}']) {
            return Err("the host of an address is written out, or is `${host}`: visitors would choose where to go");
        }
        Ok(template)
    }
}

fn push(pieces: &mut Vec<Piece>, text: &str) {
    if !text.is_empty() {
        pieces.push(Piece::Text(text.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, Method};
    use proptest::prelude::*;

    fn fill(template: &str, captured: &[&[u8]]) -> String {
        let headers = HeaderMap::new();
        let request = Request {
            is_tls: true,
            host: "a.test",
            method: &Method::GET,
            target: "/p?q=1",
            headers: &headers,
            client: [127, 0, 0, 1].into(),
        };
        template
            .parse::<Template>()
            .unwrap()
            .fill(&request, captured)
    }

    #[test]
    fn places_are_filled_and_what_visitors_chose_is_escaped() {
        for (template, captured, expected) in [
            ("/b/$1", &b"x y"[..], "/b/x%20y"),
            (
                "https://${host}${path}?${query}",
                b"",
                "https://a.test/p?q=1",
            ),
            ("/$$$1", b"z", "/$z"),
            ("/$1", b"a?b#c\r\nd", "/a%3Fb%23c%0D%0Ad"),
            ("/$2", b"one", "/"),
            ("/$1", b"/evil.test", "/evil.test"),
            ("https://b.test${path}", b"", "https://b.test/p"),
        ] {
            assert_eq!(fill(template, &[captured]), expected, "{template}");
        }
    }

    #[test]
    fn visitors_never_choose_the_host() {
        for text in [
            "https://$1/",
            "https://$1.a.test/",
            "//evil.test/",
            "https://${host}$1/",
            "ftp://a/",
            "a",
            "$1",
            "https:///x",
            "/a b",
            "/$x",
        ] {
            assert!(text.parse::<Template>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_filled_in_ends_no_line(captured in proptest::collection::vec(any::<u8>(), 0..20)) {
            let text = fill("/x/$1", &[&captured]);
            prop_assert!(text.bytes().all(|byte| byte > b' ' && byte < 0x7f && byte != b'?' && byte != b'#'));
        }
    }
}
