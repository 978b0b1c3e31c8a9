//! `CDN-Cache-Control` (RFC 9213): a dictionary (RFC 8941 §3.2) whose members are directives.

use http::{HeaderMap, HeaderName};

pub(crate) const CDN_CACHE_CONTROL: HeaderName = HeaderName::from_static("cdn-cache-control");

/// The value of a directive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// A truth value; true where there is none.
    Flag(bool),
    /// An integer.
    Number(i64),
    /// A string, without quotes and escapes.
    Text(Vec<u8>),
    /// Something that no directive has.
    Other,
}

/// The members of the field, the last of each name; `None` where it is absent, empty or not to be
/// read, so that `Cache-Control` counts (RFC 9213 §2.2). Parameters are skipped (§2.1).
pub(crate) fn read(headers: &HeaderMap) -> Option<Vec<(String, Value)>> {
    let mut lines = headers.get_all(CDN_CACHE_CONTROL).into_iter();
    let mut text = lines.next()?.as_bytes().to_vec();
    for line in lines {
        text.extend_from_slice(b", ");
        text.extend_from_slice(line.as_bytes());
    }
    let mut members = Reader(text.trim_ascii()).dictionary()?;
    members.reverse();
    let mut seen = std::collections::HashSet::new();
    members.retain(|(name, _)| seen.insert(name.clone()));
    (!members.is_empty()).then_some(members)
}

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// RFC 8941 §4.2.2.
    fn dictionary(&mut self) -> Option<Vec<(String, Value)>> {
        let mut members = Vec::new();
        while !self.0.is_empty() {
            let name = self.key()?;
            let value = if self.takes(b'=') {
                self.member()?
            } else {
                Value::Flag(true)
            };
            self.parameters()?;
            members.push((name, value));
            self.skip(b" \t");
            if self.0.is_empty() {
                break;
            }
            self.takes(b',').then_some(())?;
            self.skip(b" \t");
            // §4.2.2: no comma at the end.
            (!self.0.is_empty()).then_some(())?;
        }
        Some(members)
    }

    fn key(&mut self) -> Option<String> {
        let is_first = |byte: &u8| byte.is_ascii_lowercase() || *byte == b'*';
        self.0.first().filter(|byte| is_first(byte))?;
        let name = self.run(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-.*".contains(&byte)
        });
        String::from_utf8(name.to_vec()).ok()
    }

    fn member(&mut self) -> Option<Value> {
        if !self.takes(b'(') {
            return self.item();
        }
        loop {
            self.skip(b" ");
            if self.takes(b')') {
                return Some(Value::Other);
            }
            self.item()?;
            self.parameters()?;
            matches!(self.0.first(), Some(b' ' | b')')).then_some(())?;
        }
    }

    fn parameters(&mut self) -> Option<()> {
        while self.takes(b';') {
            self.skip(b" ");
            self.key()?;
            if self.takes(b'=') {
                self.item()?;
            }
        }
        Some(())
    }

    fn item(&mut self) -> Option<Value> {
        match *self.0.first()? {
            b'-' | b'0'..=b'9' => self.number(),
            b'"' => self.text(),
            b'?' => {
                let flag = match self.0.get(1)? {
                    b'0' => false,
                    b'1' => true,
                    _ => return None,
                };
                self.0 = &self.0[2..];
                Some(Value::Flag(flag))
            }
            b':' => {
                self.0 = &self.0[1..];
                self.run(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
                self.takes(b':').then_some(Value::Other)
            }
            b'*' | b'a'..=b'z' | b'A'..=b'Z' => {
                self.run(|byte| {
                    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:/".contains(&byte)
                });
                Some(Value::Other)
            }
            _ => None,
        }
    }

    /// RFC 8941 §4.2.4.
    fn number(&mut self) -> Option<Value> {
        let is_negative = self.takes(b'-');
        let digits = self.run(|byte| byte.is_ascii_digit());
        if !(1..=15).contains(&digits.len()) {
            return None;
        }
        let number = digits
            .iter()
            .fold(0, |number, digit| number * 10 + i64::from(digit - b'0'));
        if self.takes(b'.') {
            let is_decimal = digits.len() <= 12;
            let fraction = self.run(|byte| byte.is_ascii_digit());
            return (is_decimal && (1..=3).contains(&fraction.len())).then_some(Value::Other);
        }
        Some(Value::Number(if is_negative { -number } else { number }))
    }

    /// RFC 8941 §4.2.5.
    fn text(&mut self) -> Option<Value> {
        let mut text = Vec::new();
        let mut at = 1;
        loop {
            match *self.0.get(at)? {
                b'"' => break,
                b'\\' => {
                    at += 1;
                    let escaped = *self.0.get(at)?;
                    b"\"\\".contains(&escaped).then_some(())?;
                    text.push(escaped);
                }
                byte @ b' '..=b'~' => text.push(byte),
                _ => return None,
            }
            at += 1;
        }
        self.0 = &self.0[at + 1..];
        Some(Value::Text(text))
    }

    fn takes(&mut self, byte: u8) -> bool {
        match self.0.split_first() {
            Some((first, rest)) if *first == byte => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    fn skip(&mut self, bytes: &[u8]) {
        self.run(|byte| bytes.contains(&byte));
    }

    fn run(&mut self, belongs: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self.0.iter().position(|byte| !belongs(*byte));
        let (run, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest;
        run
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    fn members(lines: &[&str]) -> Option<Vec<(String, Value)>> {
        let lines = lines.iter().map(|line| {
            let value = HeaderValue::from_str(line).unwrap();
            (CDN_CACHE_CONTROL, value)
        });
        let mut members = read(&lines.collect())?;
        members.sort_by(|(a, _), (b, _)| a.cmp(b));
        Some(members)
    }

    fn named(members: &[(&str, Value)]) -> Option<Vec<(String, Value)>> {
        let own = |(name, value): &(&str, Value)| ((*name).to_owned(), value.clone());
        Some(members.iter().map(own).collect())
    }

    #[test]
    fn rfc_8941_s3_2_members_of_every_type() {
        let got = members(&[
            "a, b=?0;x;y=1,  c=12\t, d=\"q\\\"\" ",
            "e=(1 \"x\";p tok), f=:aGk=:, g=-7, h=1.5, i=tok/en",
        ]);
        let expected = named(&[
            ("a", Value::Flag(true)),
            ("b", Value::Flag(false)),
            ("c", Value::Number(12)),
            ("d", Value::Text(b"q\"".to_vec())),
            ("e", Value::Other),
            ("f", Value::Other),
            ("g", Value::Number(-7)),
            ("h", Value::Other),
            ("i", Value::Other),
        ]);
        assert_eq!(got, expected);
    }

    #[test]
    fn rfc_8941_s3_2_the_last_of_two_counts() {
        assert_eq!(
            members(&["max-age=1, max-age=2"]),
            named(&[("max-age", Value::Number(2))])
        );
    }

    #[test]
    fn rfc_8941_s4_2_what_is_wrong_anywhere_is_wrong_as_a_whole() {
        for text in [
            "",
            "a,",
            ",a",
            "a,,b",
            "A",
            "1",
            "a=",
            "a =1",
            "a= 1",
            "a=1 b",
            "a=\"x",
            "a=\"\\x\"",
            "a=?2",
            "a=(1",
            "a=(1\"x\")",
            "a=:x",
            "a=1.",
            "a=1.2345",
            "a=1234567890123456",
            "a=-",
            "a;",
            "a=\"\t\"",
        ] {
            assert_eq!(members(&[text]), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_value_makes_it_panic(text in "[ -~\t]{0,80}") {
            let _ = members(&[&text]);
        }
    }
}
