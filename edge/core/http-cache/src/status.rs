//! `Cache-Status` (RFC 9211).

use core::fmt::{self, Write};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::{Reuse, Rule};

const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// Why a request went on (RFC 9211 §2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forwarded {
    /// The cache was not asked.
    Bypass,
    /// The method is not one it answers.
    Method,
    /// It has nothing for the target.
    UriMiss,
    /// It has nothing for the target with these request fields.
    VaryMiss,
    /// It has nothing usable.
    Miss,
    /// The request's own directives demanded it.
    Request,
    /// What it has is stale.
    Stale,
    /// It has a part only.
    Partial,
}

impl Forwarded {
    /// The token of the standard.
    pub fn token(self) -> &'static str {
        match self {
            Self::Bypass => "bypass",
            Self::Method => "method",
            Self::UriMiss => "uri-miss",
            Self::VaryMiss => "vary-miss",
            Self::Miss => "miss",
            Self::Request => "request",
            Self::Stale => "stale",
            Self::Partial => "partial",
        }
    }
}

impl From<Rule> for Forwarded {
    /// The reason that a rule of [`Reuse`] or [`crate::Lookup`] stands for.
    fn from(rule: Rule) -> Self {
        match rule {
            Rule::Method | Rule::UnsafeMethod => Self::Method,
            Rule::NothingStored => Self::UriMiss,
            Rule::VaryMismatch => Self::VaryMiss,
            Rule::RequestNoCache | Rule::Pragma | Rule::RequestMaxAge | Rule::RequestMinFresh => {
                Self::Request
            }
            Rule::Stale
            | Rule::ResponseNoCache
            | Rule::MustRevalidate
            | Rule::ProxyRevalidate
            | Rule::SharedMaxAge => Self::Stale,
            Rule::Upgrade
            | Rule::Authorization
            | Rule::RequestNoStore
            | Rule::OriginPrecondition
            | Rule::RulesOff => Self::Bypass,
            _ => Self::Miss,
        }
    }
}

/// One cache's member of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheStatus {
    text: String,
}

impl CacheStatus {
    /// A member with the cache's name and nothing said yet. Characters that a string cannot hold
    /// are left out.
    pub fn new(cache: &str) -> Self {
        let mut status = Self {
            text: String::new(),
        };
        status.text(cache);
        status
    }

    /// `hit`: the answer came from this cache without asking on.
    #[must_use]
    pub fn hit(mut self) -> Self {
        self.text.push_str("; hit");
        self
    }

    /// `fwd`: the request went on.
    #[must_use]
    pub fn forwarded(mut self, why: Forwarded) -> Self {
        let _ = write!(self.text, "; fwd={}", why.token());
        self
    }

    /// `fwd-status`: what the next hop answered.
    #[must_use]
    pub fn forwarded_status(mut self, status: StatusCode) -> Self {
        let _ = write!(self.text, "; fwd-status={}", status.as_u16());
        self
    }

    /// `ttl`: milliseconds until the response is stale, as [`crate::Stored::time_to_live`] gives
    /// them; written in seconds.
    #[must_use]
    pub fn time_to_live(mut self, millis: i64) -> Self {
        let _ = write!(self.text, "; ttl={}", millis.div_euclid(1000));
        self
    }

    /// `stored`: the answer was stored.
    #[must_use]
    pub fn stored(mut self) -> Self {
        self.text.push_str("; stored");
        self
    }

    /// `collapsed`: the request shared a fetch with others.
    #[must_use]
    pub fn collapsed(mut self) -> Self {
        self.text.push_str("; collapsed");
        self
    }

    /// `key`: what the response is stored under.
    #[must_use]
    pub fn key(mut self, key: &str) -> Self {
        self.text.push_str("; key=");
        self.text(key);
        self
    }

    /// `detail`: the rule that was followed.
    #[must_use]
    pub fn detail(mut self, rule: Rule) -> Self {
        let _ = write!(self.text, "; detail={}", rule.name());
        self
    }

    /// What a reuse decision says by itself: `hit`, or `fwd` with its reason, each with the rule.
    #[must_use]
    pub fn decided(self, reuse: &Reuse) -> Self {
        match reuse {
            Reuse::Fresh { .. } => self.hit(),
            Reuse::Stale { rule, .. } => self.hit().detail(*rule),
            Reuse::Validate { rule, .. } | Reuse::Fetch { rule } => {
                self.forwarded(Forwarded::from(*rule)).detail(*rule)
            }
            Reuse::GatewayTimeout { .. } => self.detail(Rule::OnlyIfCached),
        }
    }

    /// Adds the member behind those of the caches nearer to the origin (RFC 9211 §2).
    pub fn append_to(&self, headers: &mut HeaderMap) {
        if let Ok(value) = HeaderValue::from_str(&self.text) {
            headers.append(CACHE_STATUS, value);
        }
    }

    /// A string of RFC 8941 §3.3.3.
    fn text(&mut self, text: &str) {
        self.text.push('"');
        for character in text
            .chars()
            .filter(|character| matches!(character, ' '..='~'))
        {
            if matches!(character, '"' | '\\') {
                self.text.push('\\');
            }
            self.text.push(character);
        }
        self.text.push('"');
    }
}

impl fmt::Display for CacheStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn s2_members_read_as_the_standard_writes_them() {
        let hit = CacheStatus::new("selvedge").hit().time_to_live(376_900);
        assert_eq!(hit.to_string(), r#""selvedge"; hit; ttl=376"#);
        let stale = CacheStatus::new("selvedge").hit().time_to_live(-412_000);
        assert_eq!(stale.to_string(), r#""selvedge"; hit; ttl=-412"#);
        let miss = CacheStatus::new("selvedge")
            .forwarded(Forwarded::UriMiss)
            .forwarded_status(StatusCode::OK)
            .collapsed()
            .stored()
            .key("a\"b");
        assert_eq!(
            miss.to_string(),
            r#""selvedge"; fwd=uri-miss; fwd-status=200; collapsed; stored; key="a\"b""#
        );
    }

    #[test]
    fn s2_the_member_goes_behind_the_origins() {
        let mut headers = HeaderMap::new();
        headers.insert(CACHE_STATUS, HeaderValue::from_static("origin; hit"));
        CacheStatus::new("edge")
            .decided(&Reuse::Fetch {
                rule: Rule::VaryMismatch,
            })
            .append_to(&mut headers);
        let lines: Vec<_> = headers.get_all(CACHE_STATUS).into_iter().collect();
        assert_eq!(
            lines,
            [
                "origin; hit",
                r#""edge"; fwd=vary-miss; detail=vary-mismatch"#
            ]
        );
    }

    proptest! {
        #[test]
        fn any_text_makes_a_valid_field(name in ".*", key in ".*") {
            let mut headers = HeaderMap::new();
            CacheStatus::new(&name).key(&key).append_to(&mut headers);
            prop_assert_eq!(headers.len(), 1);
        }
    }
}
