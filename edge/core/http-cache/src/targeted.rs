//! `CDN-Cache-Control` (RFC 9213): a dictionary (RFC 8941 §3.2) whose members are directives.

use http::{HeaderMap, HeaderName, HeaderValue};
use sfv::{BareItem, Dictionary, ListEntry, Parser, Version};

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
    let lines = headers.get_all(CDN_CACHE_CONTROL).into_iter();
    let text = lines
        .map(HeaderValue::as_bytes)
        .collect::<Vec<_>>()
        .join(&b", "[..]);
    let parser = Parser::new(&text).with_version(Version::Rfc8941);
    let members: Dictionary = parser.parse().ok()?;
    let read = members
        .into_iter()
        .map(|(name, member)| (name.into(), Value::of(member)))
        .collect::<Vec<_>>();
    (!read.is_empty()).then_some(read)
}

impl Value {
    fn of(member: ListEntry) -> Self {
        let ListEntry::Item(item) = member else {
            return Self::Other;
        };
        match item.bare_item {
            BareItem::Boolean(flag) => Self::Flag(flag),
            BareItem::Integer(number) => Self::Number(number.into()),
            BareItem::String(text) => Self::Text(String::from(text).into_bytes()),
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
