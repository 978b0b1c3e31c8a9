//! What rules say of storing: at the edge and in browsers.

use http::{header, HeaderMap, HeaderName, HeaderValue, StatusCode};
use selvedge_edge_core_http_cache::{withheld, ResponseDirectives, Seconds};
use serde::Deserialize;

use crate::words::{Time, Word};

const CDN_CACHE_CONTROL: HeaderName = HeaderName::from_static("cdn-cache-control");

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoreText {
    off: Option<bool>,
    edge_ttl: Option<Word<Time>>,
    error_ttl: Option<Word<Time>>,
    browser_ttl: Option<Word<Time>>,
    stale_while_revalidate: Option<Word<Time>>,
    stale_if_error: Option<Word<Time>>,
    force: Option<bool>,
    strip_set_cookie: Option<bool>,
}

/// What the rules say of storing an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Store {
    /// Nothing is stored, and no cache is asked.
    pub is_off: bool,
    /// Seconds that a success stays fresh here.
    pub edge: Option<u32>,
    /// Seconds that a failure (400 and above) stays fresh here.
    pub error: Option<u32>,
    /// Seconds that it stays fresh with visitors.
    pub browser: Option<u32>,
    /// Seconds for which it may be served stale while it is renewed.
    pub while_revalidate: Option<u32>,
    /// Seconds for which it may be served stale while the origin fails.
    pub if_error: Option<u32>,
    /// Whether `private` and `no-store` of the origin do not count. It is fetched as nobody then.
    pub is_forced: bool,
    /// Whether cookies that the origin sets are left out.
    pub strips_cookies: bool,
}

impl StoreText {
    /// What is wrong with it.
    pub fn fault(&self) -> Option<&'static str> {
        if self.edge_ttl.is_none()
            && (self.stale_while_revalidate.is_some() || self.stale_if_error.is_some())
        {
            return Some("`stale_while_revalidate` and `stale_if_error` belong to a lifetime: write `edge_ttl` too");
        }
        if self.force == Some(true) && self.edge_ttl.is_none() {
            return Some("`force` needs `edge_ttl`: how long is it good?");
        }
        (self.off == Some(true) && self.edge_ttl.is_some())
            .then_some("`off` and `edge_ttl` contradict each other")
    }

    /// Whether it is about nothing but what is fetched.
    pub fn spares_hits(&self) -> bool {
        self.off.is_none() && self.browser_ttl.is_none() && self.force.is_none()
    }

    /// Whether it keeps what the origin calls private.
    pub fn forces(&self) -> bool {
        self.force == Some(true)
    }

    /// Sets what it speaks of.
    pub fn apply(&self, store: &mut Store) {
        let seconds = |time: &Option<Word<Time>>| time.as_ref().map(|time| time.0 .0);
        let set = |place: &mut Option<u32>, time| *place = seconds(time).or(*place);
        set(&mut store.error, &self.error_ttl);
        set(&mut store.browser, &self.browser_ttl);
        if let Some(edge) = seconds(&self.edge_ttl) {
            // A lifetime comes with its own exceptions.
            store.edge = Some(edge);
            store.while_revalidate = seconds(&self.stale_while_revalidate);
            store.if_error = seconds(&self.stale_if_error);
            store.is_forced = self.force.unwrap_or_default();
        }
        store.is_off = self.off.unwrap_or(store.is_off && self.edge_ttl.is_none());
        store.strips_cookies = self.strip_set_cookie.unwrap_or(store.strips_cookies);
    }
}

impl Store {
    /// Makes an answer of the origin say what the rules say. It is decided and stored by these
    /// fields, here and at every cache.
    pub(crate) fn on_origin(&self, status: StatusCode, headers: &mut HeaderMap) {
        let is_failure = status.is_client_error() || status.is_server_error();
        let seconds = if is_failure { self.error } else { self.edge };
        let is_forced = self.is_forced && !is_failure;
        if self.strips_cookies || is_forced {
            headers.remove(header::SET_COOKIE);
        }
        let Some(seconds) = seconds else {
            return;
        };
        let said = ResponseDirectives::read(headers);
        if (said.private || said.no_store) && !is_forced {
            return;
        }
        let short = |seconds: Option<u32>| {
            seconds
                .filter(|_| !is_failure)
                .map(|seconds| Seconds::new(seconds.into()))
        };
        let directives = ResponseDirectives {
            max_age: Some(Seconds::new(seconds.into())),
            stale_while_revalidate: short(self.while_revalidate),
            stale_if_error: short(self.if_error),
            ..ResponseDirectives::default()
        };
        let mut text = directives.to_string();
        // Fields that the origin gives to one visitor stay that visitor's.
        let own = if is_forced {
            Vec::new()
        } else {
            withheld(headers)
        };
        if !own.is_empty() {
            let names: Vec<&str> = own.iter().map(HeaderName::as_str).collect();
            text.push_str(&format!(", private=\"{}\"", names.join(", ")));
        }
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(CDN_CACHE_CONTROL, value);
        }
    }

    /// Says to the visitor how long to keep it.
    pub(crate) fn on_answer(&self, headers: &mut HeaderMap) {
        let Some(seconds) = self.browser else {
            return;
        };
        let lines = headers.get_all(header::CACHE_CONTROL).into_iter();
        let members: Vec<String> = lines
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(','))
            .map(|member| member.trim().to_owned())
            .collect();
        let is = |member: &str, name: &str| {
            member
                .split('=')
                .next()
                .is_some_and(|own| own.trim().eq_ignore_ascii_case(name))
        };
        if members.iter().any(|member| is(member, "no-store")) {
            return;
        }
        let age = headers.get(header::AGE).and_then(|age| age.to_str().ok());
        let age: u64 = age.and_then(|age| age.parse().ok()).unwrap_or_default();
        // RFC 9111 §4.2: what is left is counted from its age, which other caches go on counting.
        let mut said = vec![format!(
            "max-age={}",
            u64::from(seconds).saturating_add(age)
        )];
        let goes = |member: &String| {
            is(member, "max-age") || is(member, "no-cache") && !member.contains('=')
        };
        said.extend(
            members
                .into_iter()
                .filter(|member| !member.is_empty() && !goes(member)),
        );
        if let Ok(value) = HeaderValue::from_str(&said.join(", ")) {
            headers.insert(header::CACHE_CONTROL, value);
            headers.remove(header::EXPIRES);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(text: &str) -> Store {
        let mut store = Store::default();
        toml::from_str::<StoreText>(text).unwrap().apply(&mut store);
        store
    }

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let line = |(name, value): &(&'static str, &'static str)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        };
        lines.iter().map(line).collect()
    }

    #[test]
    fn a_lifetime_at_the_edge_stands_in_a_field_of_its_own() {
        let store = store("edge_ttl = '1h'\nstale_if_error = '1d'\nerror_ttl = '5s'");
        for (status, said, expected) in [
            (200, "max-age=5", Some("max-age=3600, stale-if-error=86400")),
            (200, "no-cache", Some("max-age=3600, stale-if-error=86400")),
            (200, "private", None),
            (200, "no-store", None),
            (
                200,
                "private=\"x-user\"",
                Some("max-age=3600, stale-if-error=86400, private=\"x-user\""),
            ),
            (404, "max-age=5", Some("max-age=5")),
        ] {
            let mut fields = headers(&[("cache-control", said)]);
            store.on_origin(StatusCode::from_u16(status).unwrap(), &mut fields);
            let value = fields
                .get(CDN_CACHE_CONTROL)
                .map(|value| value.to_str().unwrap());
            assert_eq!(value, expected, "{status} {said}");
        }
    }

    #[test]
    fn what_is_forced_loses_the_cookies_it_sets() {
        let store = store("edge_ttl = '1m'\nforce = true");
        let mut fields = headers(&[
            ("cache-control", "private, no-store"),
            ("set-cookie", "a=1"),
        ]);
        store.on_origin(StatusCode::OK, &mut fields);
        assert_eq!(fields[CDN_CACHE_CONTROL], "max-age=60");
        assert!(!fields.contains_key("set-cookie"));
        // A failure is not what was to be forced.
        let mut fields = headers(&[("set-cookie", "a=1")]);
        store.on_origin(StatusCode::BAD_GATEWAY, &mut fields);
        assert!(fields.contains_key("set-cookie") && !fields.contains_key(CDN_CACHE_CONTROL));
    }

    #[test]
    fn browsers_count_from_when_they_got_it() {
        let store = store("browser_ttl = '5m'");
        let mut fields = headers(&[
            ("cache-control", "public, max-age=9, no-cache"),
            ("age", "40"),
            ("expires", "0"),
        ]);
        store.on_answer(&mut fields);
        assert_eq!(fields["cache-control"], "max-age=340, public");
        assert!(!fields.contains_key("expires"));
        let mut fields = headers(&[("cache-control", "no-store")]);
        store.on_answer(&mut fields);
        assert_eq!(fields["cache-control"], "no-store");
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        for text in [
            "force = true",
            "stale_if_error = '1s'",
            "off = true\nedge_ttl = '1s'",
        ] {
            assert!(
                toml::from_str::<StoreText>(text).unwrap().fault().is_some(),
                "{text}"
            );
        }
        assert!(toml::from_str::<StoreText>("ttl = '1s'").is_err());
    }
}
