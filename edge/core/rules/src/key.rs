//! What counts when answers are told apart, beside host and path.

use std::borrow::Cow;

use serde::Deserialize;

use crate::pattern::TextPattern;
use crate::request::{members, plain, Request};
use crate::words::{FieldWord, List};

/// What counts in a key.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyText {
    pub query: Option<QueryText>,
    /// Fields of the request.
    #[serde(default)]
    pub headers: List<FieldWord>,
    /// Cookies; those that are not named are not sent.
    pub cookies: Option<List<TextPattern>>,
}

/// Which parameters of the query count; those that do not are not sent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct QueryText {
    /// These.
    pub only: Option<List<TextPattern>>,
    /// All but these.
    pub except: Option<List<TextPattern>>,
    /// In the order of their names.
    #[serde(default)]
    pub sort: bool,
}

impl QueryText {
    /// The query that counts.
    pub fn reduced<'a>(&self, query: &'a str) -> Cow<'a, str> {
        let counts = |member: &&str| {
            let name = member.split('=').next().unwrap_or_default();
            let name = plain(name);
            let is_one_of =
                |list: &List<TextPattern>| list.iter().any(|pattern| pattern.matches(&name));
            self.only.as_ref().is_none_or(is_one_of) && !self.except.as_ref().is_some_and(is_one_of)
        };
        let mut kept: Vec<&str> = members(query).filter(counts).collect();
        if self.sort {
            // Stable: several values of one name stay in their order, which may mean something.
            kept.sort_by_cached_key(|member| {
                plain(member.split('=').next().unwrap_or_default()).into_owned()
            });
        }
        let kept = kept.join("&");
        if kept == query {
            Cow::Borrowed(query)
        } else {
            Cow::Owned(kept)
        }
    }
}

/// What counts of a request beside its address and whole fields, as one text; empty for nothing.
pub(crate) fn counted(
    request: &Request<'_>,
    cookies: Option<&List<TextPattern>>,
    origin: Option<&str>,
    is_forced: bool,
) -> String {
    let mut members = Vec::new();
    if let Some(patterns) = cookies {
        let is_one_of = |name: &str| patterns.iter().any(|pattern| pattern.matches(name));
        for (name, value) in request.cookies().filter(|(name, _)| is_one_of(name)) {
            members.push(format!("c-{}={}", hidden(name), hidden(value)));
        }
        members.sort();
    }
    if let Some(origin) = origin {
        members.push(format!("o-{}", hidden(origin)));
    }
    if is_forced {
        // Whoever the rules except from it must not get what was fetched as nobody.
        members.push("f".to_owned());
    }
    members.join(".")
}

/// A text without the characters that stand between members.
fn hidden(text: &str) -> String {
    let mut hidden = String::with_capacity(text.len());
    for octet in text.bytes() {
        if octet.is_ascii_alphanumeric() || octet == b'_' || octet == b'-' {
            hidden.push(char::from(octet));
        } else {
            hidden.push_str(&format!("%{octet:02x}"));
        }
    }
    hidden
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn query(text: &str) -> QueryText {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn parameters_that_do_not_count_are_left_out() {
        for (rule, sent, expected) in [
            (r#"only = ["w", "h"]"#, "w=1&x=2&h=3", "w=1&h=3"),
            (
                r#"except = ["utm_*"]"#,
                "a=1&utm_source=x&%75tm_id=2",
                "a=1",
            ),
            (r#"only = []"#, "a=1", ""),
            ("sort = true", "b=2&a=2&a=1", "a=2&a=1&b=2"),
            (r#"except = ["x"]"#, "a=%41", "a=%41"),
        ] {
            assert_eq!(query(rule).reduced(sent), expected, "{rule}");
        }
    }

    proptest! {
        #[test]
        fn what_counts_of_cookies_is_never_taken_for_another(
            one in "[a-z=.%;]{0,6}", other in "[a-z=.%;]{0,6}",
        ) {
            let headers = |value: &str| {
                let mut headers = http::HeaderMap::new();
                headers.insert(http::header::COOKIE, format!("a={value}").parse().unwrap());
                headers
            };
            let list = List(vec!["*".parse().unwrap()]);
            let (one, other) = (headers(&one), headers(&other));
            let text = |headers| counted(&request(headers), Some(&list), None, false);
            let pairs = |headers| { let mut all: Vec<_> = crate::request::cookies(headers).collect(); all.sort(); all };
            prop_assert_eq!(text(&one) == text(&other), pairs(&one) == pairs(&other));
        }
    }

    fn request(headers: &http::HeaderMap) -> Request<'_> {
        Request {
            is_tls: false,
            host: "a.test",
            method: &http::Method::GET,
            target: "/",
            headers,
            client: [127, 0, 0, 1].into(),
        }
    }
}
