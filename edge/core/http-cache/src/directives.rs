//! `Cache-Control` (RFC 9111 §5.2, RFC 5861), read and written; `CDN-Cache-Control` (RFC 9213) in
//! its place.

use core::fmt;
use std::borrow::Cow;

use http::{header, HeaderMap, HeaderName};
use selvedge_primitives_types::Millis;

use crate::fields;
use crate::targeted::{self, Value};

/// Fields that `no-cache` and `private` cannot name: without them the response would be another
/// one, or last for another time. A directive that names one of them counts as the plain one.
const ESSENTIAL: [HeaderName; 14] = [
    header::AGE,
    header::CACHE_CONTROL,
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_LENGTH,
    header::CONTENT_RANGE,
    header::CONTENT_TYPE,
    header::DATE,
    header::ETAG,
    header::EXPIRES,
    header::LAST_MODIFIED,
    header::LOCATION,
    header::VARY,
    targeted::CDN_CACHE_CONTROL,
];

/// Whole seconds, at most [`Seconds::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Seconds(u32);

impl Seconds {
    /// What a larger number is read as (RFC 9111 §1.2.2).
    pub const MAX: Self = Self(1 << 31);

    /// A number of seconds, cut off at [`Seconds::MAX`].
    pub fn new(seconds: u64) -> Self {
        Self(seconds.min(u64::from(Self::MAX.0)) as u32)
    }

    /// In milliseconds.
    pub fn millis(self) -> Millis {
        Millis(u64::from(self.0) * 1000)
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How much staleness a request accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaxStale {
    /// Any.
    Any,
    /// Up to this much.
    Within(Seconds),
}

/// A response's directives (RFC 9111 §5.2.2, RFC 5861).
///
/// Those of `CDN-Cache-Control` where it has any that can be read (RFC 9213 §2.2), else those of
/// `Cache-Control`. A lifetime that cannot be read, or that two lines state differently, is zero
/// (RFC 9111 §4.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ResponseDirectives {
    /// `max-age`.
    pub max_age: Option<Seconds>,
    /// `s-maxage`.
    pub s_maxage: Option<Seconds>,
    /// `stale-while-revalidate`.
    pub stale_while_revalidate: Option<Seconds>,
    /// `stale-if-error`.
    pub stale_if_error: Option<Seconds>,
    /// `no-store`.
    pub no_store: bool,
    /// `no-cache` for the whole response; with field names, those are not stored instead (RFC 9111
    /// §5.2.2.4).
    pub no_cache: bool,
    /// `private` for the whole response; with field names, those are not stored instead (RFC 9111
    /// §5.2.2.7).
    pub private: bool,
    /// `public`.
    pub public: bool,
    /// `must-revalidate`.
    pub must_revalidate: bool,
    /// `proxy-revalidate`.
    pub proxy_revalidate: bool,
    /// `must-understand`.
    pub must_understand: bool,
    /// `no-transform`.
    pub no_transform: bool,
    /// `immutable` (RFC 8246).
    pub immutable: bool,
    /// Whether they are those of `CDN-Cache-Control`, beside which `Expires` does not count.
    pub is_targeted: bool,
}

impl ResponseDirectives {
    /// Reads a response's fields.
    pub fn read(headers: &HeaderMap) -> Self {
        if let Some(members) = targeted::read(headers) {
            return Self::of_members(&members);
        }
        let mut read = Self::default();
        for (name, argument) in directives(headers) {
            let value = argument.map(unquote);
            let value = value.as_deref();
            match name.as_str() {
                "max-age" => read.max_age = Some(lifetime(read.max_age, value)),
                "s-maxage" => read.s_maxage = Some(lifetime(read.s_maxage, value)),
                "stale-while-revalidate" => read.stale_while_revalidate = seconds(value),
                "stale-if-error" => read.stale_if_error = seconds(value),
                "no-cache" => read.no_cache |= quoted_names(argument).is_none(),
                "private" => read.private |= quoted_names(argument).is_none(),
                name => read.flag(name),
            }
        }
        read
    }

    /// RFC 9213 §2.1: what has no value is a truth value, what has seconds a number. Whatever else
    /// stands there is read as what keeps less.
    fn of_members(members: &[(String, Value)]) -> Self {
        let mut read = Self {
            is_targeted: true,
            ..Self::default()
        };
        for (name, value) in members {
            if *value == Value::Flag(false) {
                continue;
            }
            let seconds = match value {
                Value::Number(seconds) => u64::try_from(*seconds).ok().map(Seconds::new),
                _ => None,
            };
            match name.as_str() {
                "max-age" => read.max_age = Some(seconds.unwrap_or_default()),
                "s-maxage" => read.s_maxage = Some(seconds.unwrap_or_default()),
                "stale-while-revalidate" => read.stale_while_revalidate = seconds,
                "stale-if-error" => read.stale_if_error = seconds,
                "no-cache" => read.no_cache = names_of(value).is_none(),
                "private" => read.private = names_of(value).is_none(),
                name => read.flag(name),
            }
        }
        read
    }

    /// Whether they let a shared cache use the response for requests with and without credentials
    /// (RFC 9111 §3.5).
    pub fn allow_authorized(&self) -> bool {
        self.public || self.must_revalidate || self.s_maxage.is_some()
    }

    fn flag(&mut self, name: &str) {
        match name {
            "no-store" => self.no_store = true,
            "public" => self.public = true,
            "must-revalidate" => self.must_revalidate = true,
            "proxy-revalidate" => self.proxy_revalidate = true,
            "must-understand" => self.must_understand = true,
            "no-transform" => self.no_transform = true,
            "immutable" => self.immutable = true,
            // RFC 9111 §5.2.3: what is not known is ignored.
            _ => {}
        }
    }
}

/// The fields that `no-cache` and `private` name (RFC 9111 §5.2.2.4, §5.2.2.7): they are for the
/// client that asked, and are not stored.
pub fn withheld(headers: &HeaderMap) -> Vec<HeaderName> {
    let is_about_fields = |name: &str| matches!(name, "no-cache" | "private");
    match targeted::read(headers) {
        Some(members) => members
            .iter()
            .filter(|(name, _)| is_about_fields(name))
            .filter_map(|(_, value)| names_of(value))
            .flatten()
            .collect(),
        None => directives(headers)
            .filter(|(name, _)| is_about_fields(name))
            .filter_map(|(_, argument)| quoted_names(argument))
            .flatten()
            .collect(),
    }
}

impl fmt::Display for ResponseDirectives {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = List { f, is_first: true };
        list.number("max-age", self.max_age)?;
        list.number("s-maxage", self.s_maxage)?;
        list.number("stale-while-revalidate", self.stale_while_revalidate)?;
        list.number("stale-if-error", self.stale_if_error)?;
        list.flag("no-store", self.no_store)?;
        list.flag("no-cache", self.no_cache)?;
        list.flag("private", self.private)?;
        list.flag("public", self.public)?;
        list.flag("must-revalidate", self.must_revalidate)?;
        list.flag("proxy-revalidate", self.proxy_revalidate)?;
        list.flag("must-understand", self.must_understand)?;
        list.flag("no-transform", self.no_transform)?;
        list.flag("immutable", self.immutable)
    }
}

/// A request's directives (RFC 9111 §5.2.1, RFC 5861 §4). A `max-age` that cannot be read is zero;
/// others are ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct RequestDirectives {
    /// `max-age`.
    pub max_age: Option<Seconds>,
    /// `max-stale`.
    pub max_stale: Option<MaxStale>,
    /// `min-fresh`.
    pub min_fresh: Option<Seconds>,
    /// `stale-if-error`.
    pub stale_if_error: Option<Seconds>,
    /// `no-cache`.
    pub no_cache: bool,
    /// `no-store`.
    pub no_store: bool,
    /// `no-transform`.
    pub no_transform: bool,
    /// `only-if-cached`.
    pub only_if_cached: bool,
}

impl RequestDirectives {
    /// Reads `Cache-Control`.
    pub fn read(headers: &HeaderMap) -> Self {
        let mut read = Self::default();
        for (name, argument) in directives(headers) {
            let value = argument.map(unquote);
            let value = value.as_deref();
            match name.as_str() {
                "max-age" => read.max_age = Some(lifetime(read.max_age, value)),
                "max-stale" if value.is_none() => read.max_stale = Some(MaxStale::Any),
                "max-stale" => read.max_stale = seconds(value).map(MaxStale::Within),
                "min-fresh" => read.min_fresh = seconds(value),
                "stale-if-error" => read.stale_if_error = seconds(value),
                "no-cache" => read.no_cache = true,
                "no-store" => read.no_store = true,
                "no-transform" => read.no_transform = true,
                "only-if-cached" => read.only_if_cached = true,
                _ => {}
            }
        }
        read
    }
}

impl fmt::Display for RequestDirectives {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = List { f, is_first: true };
        list.number("max-age", self.max_age)?;
        match self.max_stale {
            Some(MaxStale::Any) => list.flag("max-stale", true)?,
            Some(MaxStale::Within(seconds)) => list.number("max-stale", Some(seconds))?,
            None => {}
        }
        list.number("min-fresh", self.min_fresh)?;
        list.number("stale-if-error", self.stale_if_error)?;
        list.flag("no-cache", self.no_cache)?;
        list.flag("no-store", self.no_store)?;
        list.flag("no-transform", self.no_transform)?;
        list.flag("only-if-cached", self.only_if_cached)
    }
}

struct List<'a, 'b> {
    f: &'a mut fmt::Formatter<'b>,
    is_first: bool,
}

impl List<'_, '_> {
    fn flag(&mut self, name: &str, is_set: bool) -> fmt::Result {
        if !is_set {
            return Ok(());
        }
        let comma = if core::mem::take(&mut self.is_first) {
            ""
        } else {
            ", "
        };
        write!(self.f, "{comma}{name}")
    }

    fn number(&mut self, name: &str, value: Option<Seconds>) -> fmt::Result {
        self.flag(name, value.is_some())?;
        value.map_or(Ok(()), |value| write!(self.f, "={value}"))
    }
}

/// Names in lower case with their arguments as they were sent.
fn directives(headers: &HeaderMap) -> impl Iterator<Item = (String, Option<&[u8]>)> {
    fields::list(headers, &header::CACHE_CONTROL).filter_map(|member| {
        let mut halves = member.splitn(2, |byte| *byte == b'=');
        let name = core::str::from_utf8(halves.next()?)
            .ok()?
            .to_ascii_lowercase();
        Some((name, halves.next()))
    })
}

/// The field names in an argument; `None` for the plain directive, and for all that is not surely
/// a list of names. Names without quotes are not one (RFC 9111 §5.2.2.4 forbids to send them): some
/// origins write `no-cache=true`.
fn quoted_names(argument: Option<&[u8]>) -> Option<Vec<HeaderName>> {
    let argument = argument?;
    argument.starts_with(b"\"").then_some(())?;
    names(&unquote(argument))
}

fn names_of(value: &Value) -> Option<Vec<HeaderName>> {
    match value {
        Value::Text(text) => names(text),
        _ => None,
    }
}

fn names(list: &[u8]) -> Option<Vec<HeaderName>> {
    let names: Option<Vec<_>> = list
        .split(|byte| *byte == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|name| !name.is_empty())
        .map(|name| HeaderName::from_bytes(name).ok())
        .collect();
    names.filter(|names| !names.is_empty() && names.iter().all(|name| !ESSENTIAL.contains(name)))
}

fn unquote(value: &[u8]) -> Cow<'_, [u8]> {
    let inner = value
        .strip_prefix(b"\"")
        .and_then(|value| value.strip_suffix(b"\""));
    match inner {
        Some(inner) if !inner.contains(&b'\\') => Cow::Borrowed(inner),
        Some(inner) => {
            let mut is_escaped = false;
            let kept = inner.iter().filter(|byte| {
                is_escaped = !is_escaped && **byte == b'\\';
                !is_escaped
            });
            Cow::Owned(kept.copied().collect())
        }
        None => Cow::Borrowed(value),
    }
}

fn seconds(value: Option<&[u8]>) -> Option<Seconds> {
    fields::number(value?).map(Seconds::new)
}

/// RFC 9111 §4.2.1: what cannot be read, or is said twice and differently, is stale.
fn lifetime(earlier: Option<Seconds>, value: Option<&[u8]>) -> Seconds {
    let value = seconds(value).unwrap_or_default();
    match earlier {
        Some(earlier) if earlier != value => Seconds::default(),
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    fn response(lines: &[&str]) -> ResponseDirectives {
        ResponseDirectives::read(&headers(lines))
    }

    fn headers(lines: &[&str]) -> HeaderMap {
        lines
            .iter()
            .map(|line| (header::CACHE_CONTROL, HeaderValue::from_str(line).unwrap()))
            .collect()
    }

    #[test]
    fn s5_2_names_have_no_case_and_lines_add_up() {
        let read = response(&["MAX-AGE=5 , Public", "no-CACHE=\"set-cookie, max-age=9\""]);
        assert_eq!(read.max_age, Some(Seconds::new(5)));
        assert!(read.public && read.no_cache && !read.private);
    }

    #[test]
    fn s5_2_2_4_named_fields_are_withheld_and_the_rest_is_not_concerned() {
        let lines = [
            "max-age=5, no-cache=\"Set-Cookie , X-A\"",
            "private=\"x-b\"",
        ];
        let read = response(&lines);
        assert!(!read.no_cache && !read.private);
        assert_eq!(
            withheld(&headers(&lines)),
            ["set-cookie", "x-a", "x-b"].map(HeaderName::from_static)
        );
    }

    #[test]
    fn s5_2_2_4_what_is_no_list_of_names_counts_as_the_plain_directive() {
        for value in [
            "no-cache=true",
            "no-cache=set-cookie",
            "no-cache=\"\"",
            "no-cache=\"a b\"",
            "no-cache=\"vary\"",
            "no-cache=\"x-a, Content-Encoding\"",
            "no-cache=\"x-a\", no-cache",
            "no-cache=\"x-a",
        ] {
            assert!(response(&[value]).no_cache, "{value}");
        }
        assert!(withheld(&headers(&["private=\"vary\""])).is_empty());
    }

    fn targeted(cdn: &str, own: &str) -> ResponseDirectives {
        let mut headers = headers(&[own]);
        headers.insert(
            targeted::CDN_CACHE_CONTROL,
            HeaderValue::from_str(cdn).unwrap(),
        );
        ResponseDirectives::read(&headers)
    }

    #[test]
    fn rfc_9213_s2_2_the_targeted_field_stands_in_place_of_cache_control() {
        let read = targeted("max-age=600, must-revalidate", "no-store, max-age=1");
        assert_eq!(read.max_age, Some(Seconds::new(600)));
        assert!(read.must_revalidate && !read.no_store && read.is_targeted);
        let read = targeted("no-store", "max-age=600");
        assert!(read.no_store && read.max_age.is_none());
    }

    #[test]
    fn rfc_9213_s2_2_a_targeted_field_that_is_empty_or_wrong_does_not_count() {
        for cdn in ["", " ", "max-age=600,", "Max-Age=600", "max-age=", "a b"] {
            let read = targeted(cdn, "max-age=1");
            assert_eq!(read.max_age, Some(Seconds::new(1)), "{cdn}");
            assert!(!read.is_targeted);
        }
    }

    #[test]
    fn rfc_9213_s2_1_values_of_the_wrong_type_keep_less() {
        for cdn in ["max-age=\"600\"", "max-age=-1", "max-age=600.5", "max-age"] {
            let read = targeted(cdn, "max-age=1");
            assert_eq!(read.max_age, Some(Seconds::new(0)), "{cdn}");
        }
        assert!(targeted("no-store=1", "x").no_store);
        assert!(!targeted("no-store=?0, max-age=5", "x").no_store);
        assert!(targeted("private=true", "x").private);
        assert!(!targeted("private=\"x-a\"", "x").private);
    }

    #[test]
    fn s4_2_1_a_lifetime_that_cannot_be_read_is_zero() {
        for line in [
            "max-age",
            "max-age=",
            "max-age=-1",
            "max-age=1.5",
            "max-age=a",
            "max-age=1a",
        ] {
            assert_eq!(response(&[line]).max_age, Some(Seconds::new(0)), "{line}");
        }
        assert_eq!(
            response(&["max-age=1", "max-age=3600"]).max_age,
            Some(Seconds::new(0))
        );
        assert_eq!(
            response(&["max-age=60", "max-age=60"]).max_age,
            Some(Seconds::new(60))
        );
        assert_eq!(
            response(&["max-age=\"60\""]).max_age,
            Some(Seconds::new(60))
        );
        assert_eq!(response(&["max-age=060"]).max_age, Some(Seconds::new(60)));
    }

    #[test]
    fn s1_2_2_large_numbers_are_cut_off() {
        let huge = format!("max-age={}", "9".repeat(200));
        assert_eq!(response(&[&huge]).max_age, Some(Seconds::MAX));
    }

    #[test]
    fn s5_2_1_request_directives() {
        let read = RequestDirectives::read(&headers(&["max-stale, min-fresh=7, only-if-cached"]));
        assert_eq!(read.max_stale, Some(MaxStale::Any));
        assert_eq!(read.min_fresh, Some(Seconds::new(7)));
        assert!(read.only_if_cached && !read.no_cache);
        let read = RequestDirectives::read(&headers(&["max-stale=x, max-age=x"]));
        assert_eq!(
            (read.max_stale, read.max_age),
            (None, Some(Seconds::new(0)))
        );
    }

    fn some_seconds() -> impl Strategy<Value = Option<Seconds>> {
        prop::option::of(any::<u64>().prop_map(Seconds::new))
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            numbers in [some_seconds(), some_seconds(), some_seconds(), some_seconds()],
            flags in any::<[bool; 9]>(),
        ) {
            let [max_age, s_maxage, stale_while_revalidate, stale_if_error] = numbers;
            let [no_store, no_cache, private, public, must_revalidate, rest @ ..] = flags;
            let [proxy_revalidate, must_understand, no_transform, immutable] = rest;
            let written = ResponseDirectives {
                max_age, s_maxage, stale_while_revalidate, stale_if_error, no_store, no_cache,
                private, public, must_revalidate, proxy_revalidate, must_understand, no_transform,
                immutable, is_targeted: false,
            };
            prop_assert_eq!(response(&[&written.to_string()]), written);
            let max_stale = if public { Some(MaxStale::Any) } else { s_maxage.map(MaxStale::Within) };
            let written = RequestDirectives {
                max_age, max_stale, min_fresh: stale_while_revalidate, stale_if_error, no_cache,
                no_store, no_transform, only_if_cached: private,
            };
            prop_assert_eq!(RequestDirectives::read(&headers(&[&written.to_string()])), written);
        }

        #[test]
        fn no_value_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                let mut headers = HeaderMap::from_iter([(header::CACHE_CONTROL, value.clone())]);
                let _ = withheld(&headers);
                let _ = ResponseDirectives::read(&headers);
                headers.insert(targeted::CDN_CACHE_CONTROL, value);
                let _ = withheld(&headers);
                let _ = ResponseDirectives::read(&headers);
                let _ = RequestDirectives::read(&headers);
            }
        }
    }
}
