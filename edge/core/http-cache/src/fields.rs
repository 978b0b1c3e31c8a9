//! Reading field values: lists, dates, numbers, entity tags; and the fields that belong to one
//! connection.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use selvedge_primitives_types::Millis;

/// Fields that concern one connection only (RFC 9110 §7.6.1, RFC 9111 §3.1), besides those that
/// `Connection` names.
pub const HOP_BY_HOP: [HeaderName; 10] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    HeaderName::from_static("proxy-authentication-info"),
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Fields that `Connection` cannot take away: they are meant for every recipient, and a response
/// without them would be another one (RFC 9110 §7.6.1 forbids to name them).
const END_TO_END: [HeaderName; 12] = [
    header::AGE,
    header::CACHE_CONTROL,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_RANGE,
    header::CONTENT_TYPE,
    header::DATE,
    header::ETAG,
    header::EXPIRES,
    header::HOST,
    header::SET_COOKIE,
    header::VARY,
];

/// Takes away what concerns one connection only: the fields of [`HOP_BY_HOP`] and those that
/// `Connection` names.
pub fn strip_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = list(headers, &header::CONNECTION)
        .filter_map(|name| HeaderName::from_bytes(name).ok())
        .filter(|name| !END_TO_END.contains(name))
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

/// The members of a list field over all its lines: split at commas outside quotes, trimmed, without
/// empty ones.
pub(crate) fn list<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'a [u8]> {
    headers
        .get_all(name)
        .into_iter()
        .flat_map(|value| members(value.as_bytes()))
}

/// The members of one list value. From a quote that is never closed on, quotes are characters like
/// any other, so that nothing can hide behind it.
pub(crate) fn members(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(value);
    let mut has_quotes = true;
    core::iter::from_fn(move || {
        let value = rest.take()?;
        let end = comma(value, &mut has_quotes);
        rest = end.map(|end| &value[end + 1..]);
        Some(&value[..end.unwrap_or(value.len())])
    })
    .map(<[u8]>::trim_ascii)
    .filter(|member| !member.is_empty())
}

/// The first comma outside quotes. An open quote is looked for once in a value, or many of them
/// would cost a square.
fn comma(value: &[u8], has_quotes: &mut bool) -> Option<usize> {
    let mut at = 0;
    loop {
        match value.get(at)? {
            b',' => return Some(at),
            b'"' if *has_quotes => match quoted(&value[at..]) {
                Some(length) => at += length,
                None => *has_quotes = false,
            },
            _ => at += 1,
        }
    }
}

/// Length of the quoted string that a value begins with, if it is closed.
fn quoted(value: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        match value.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// An HTTP date in any of its three forms (RFC 9110 §5.6.7). Dates before 1970 are 1970.
pub fn date(value: &HeaderValue) -> Option<Millis> {
    let moment = httpdate::parse_http_date(value.to_str().ok()?).ok()?;
    let since = moment.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).ok().map(Millis)
}

/// Writes a moment as an HTTP date, in whole seconds. `None` beyond the year 9999.
pub fn date_value(moment: Millis) -> Option<HeaderValue> {
    const YEAR_10000: u64 = 253_402_300_800;
    let seconds = moment.0 / 1000;
    if seconds >= YEAR_10000 {
        return None;
    }
    let moment: SystemTime = UNIX_EPOCH + Duration::from_secs(seconds);
    HeaderValue::from_str(&httpdate::fmt_http_date(moment)).ok()
}

/// The date in a field, if it has exactly one line and that is a date.
pub(crate) fn date_field(headers: &HeaderMap, name: &HeaderName) -> Option<Millis> {
    let mut lines = headers.get_all(name).into_iter();
    let value = lines.next()?;
    lines.next().is_none().then(|| date(value)).flatten()
}

/// An entity tag (RFC 9110 §8.8.3), kept as it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntityTag<'a> {
    /// Whether it is weak.
    pub is_weak: bool,
    /// The opaque part, with its quotes.
    pub opaque: &'a [u8],
}

impl<'a> EntityTag<'a> {
    /// Reads one tag. A tag without quotes is taken as it stands, because origins send them.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let value = value.trim_ascii();
        let (is_weak, opaque) = match value.strip_prefix(b"W/") {
            Some(opaque) => (true, opaque),
            None => (false, value),
        };
        (!opaque.is_empty()).then_some(Self { is_weak, opaque })
    }

    /// Strong comparison (RFC 9110 §8.8.3.2): neither is weak and they are the same.
    pub fn is_strongly(&self, other: &Self) -> bool {
        !self.is_weak && !other.is_weak && self.opaque == other.opaque
    }

    /// Weak comparison (RFC 9110 §8.8.3.2).
    pub fn is_weakly(&self, other: &Self) -> bool {
        self.opaque == other.opaque
    }
}

/// The tags of one line of `If-None-Match`. A backslash means nothing in a tag, other than in a
/// quoted string.
pub(crate) fn entity_tags(value: &[u8]) -> impl Iterator<Item = EntityTag<'_>> {
    let mut is_quoted = false;
    value
        .split(move |byte| {
            is_quoted ^= *byte == b'"';
            !is_quoted && *byte == b','
        })
        .filter_map(EntityTag::parse)
}

/// A non-negative decimal number without sign or blanks, saturating.
pub(crate) fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(digits.iter().fold(0u64, |number, digit| {
        number
            .saturating_mul(10)
            .saturating_add(u64::from(digit - b'0'))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fields(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn s7_6_1_connection_fields_and_those_it_names_are_taken_away() {
        let mut headers = fields(&[
            ("connection", "close, X-Private , cache-control"),
            ("x-private", "1"),
            ("x-public", "1"),
            ("cache-control", "no-store"),
            ("transfer-encoding", "chunked"),
            ("keep-alive", "timeout=5"),
        ]);
        strip_hop_by_hop(&mut headers);
        let mut left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["cache-control", "x-public"]);
    }

    #[test]
    fn commas_in_quotes_do_not_split() {
        let got: Vec<_> = members(br#"a, b="x, \", y" ,, c"#).collect();
        assert_eq!(got, [&b"a"[..], br#"b="x, \", y""#, b"c"]);
        let open: Vec<_> = members(br#"a="x, no-store, b="y,z""#).collect();
        assert_eq!(open, [&br#"a="x, no-store, b="y"#[..], br#"z""#]);
        let open: Vec<_> = members(br#"a="x\", no-store"#).collect();
        assert_eq!(open, [&br#"a="x\""#[..], b"no-store"]);
    }

    #[test]
    fn s5_6_7_three_forms_of_one_date() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(
                date(&HeaderValue::from_static(text)),
                Some(Millis(784_111_777_000))
            );
        }
        assert_eq!(date(&HeaderValue::from_static("0")), None);
        let text = date_value(Millis(784_111_777_999)).unwrap();
        assert_eq!(text, "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(date_value(Millis(u64::MAX)), None);
    }

    #[test]
    fn s8_8_3_2_tags_compare_weakly_and_strongly() {
        let strong = EntityTag::parse(b"\"1\"").unwrap();
        let weak = EntityTag::parse(b"W/\"1\"").unwrap();
        assert!(strong.is_strongly(&strong) && strong.is_weakly(&weak));
        assert!(!strong.is_strongly(&weak) && !weak.is_strongly(&weak));
        let tags: Vec<_> = entity_tags(br#""a,b", W/"c\", bare"#)
            .map(|tag| tag.opaque)
            .collect();
        assert_eq!(tags, [&br#""a,b""#[..], br#""c\""#, b"bare"]);
    }

    proptest! {
        #[test]
        fn no_value_makes_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = members(&bytes).count();
            let _ = entity_tags(&bytes).count();
            let _ = number(&bytes);
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                let _ = date(&value);
                let mut headers = HeaderMap::new();
                headers.insert(header::CONNECTION, value);
                strip_hop_by_hop(&mut headers);
                prop_assert!(headers.is_empty());
            }
        }

        #[test]
        fn every_date_is_read_back(seconds in 0u64..253_402_300_800) {
            let value = date_value(Millis(seconds * 1000)).unwrap();
            prop_assert_eq!(date(&value), Some(Millis(seconds * 1000)));
        }
    }
}
