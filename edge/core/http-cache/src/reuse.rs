//! Whether a stored response may answer a request (RFC 9111 §4, §4.2.4; RFC 5861).

use http::{header, HeaderMap, StatusCode};
use selvedge_primitives_types::Millis;

use crate::freshness::Source;
use crate::validate::conditions;
use crate::{fields, MaxStale, Policy, RequestDirectives, RequestHead, Rule, Stored};

/// What to do with a stored response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// Answer with it.
    Fresh {
        /// Why.
        rule: Rule,
    },
    /// Answer with it, although it is stale.
    Stale {
        /// What allows it.
        rule: Rule,
        /// Whether to validate it in the background meanwhile; once, however many ask.
        refresh: bool,
    },
    /// Ask the origin whether it is still good. Keep it at hand for [`Policy::update_stored`] and
    /// [`Policy::error_decision`].
    Validate {
        /// Why.
        rule: Rule,
        /// The conditions to send, over [`crate::fetch_fields`].
        conditions: HeaderMap,
    },
    /// Fetch it as if nothing were stored. What is stored may still serve
    /// [`Policy::error_decision`].
    Fetch {
        /// Why.
        rule: Rule,
    },
    /// Answer 504: the request forbids asking the origin (RFC 9111 §5.2.1.7).
    GatewayTimeout {
        /// What would have to be asked.
        rule: Rule,
    },
}

/// How a fetch failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The origin answered with this status.
    Status(StatusCode),
    /// No answer: no connection, no name, a timeout, nonsense.
    Unreachable,
}

/// What to do when a fetch failed and something is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorReuse {
    /// Answer with what is stored, although it is stale.
    Stale {
        /// What allows it.
        rule: Rule,
    },
    /// Pass the failure on.
    Fail {
        /// What forbids it.
        rule: Rule,
    },
}

impl Policy {
    /// Says whether `stored`, found under the request's key, may answer it.
    ///
    /// Pass what [`select`] chose, or `None` when there is nothing.
    pub fn reuse_decision(
        &self,
        request: &RequestHead<'_>,
        stored: Option<&Stored>,
        now: Millis,
    ) -> Reuse {
        let directives = self.request_directives(request);
        let decision = match stored {
            None => Reuse::Fetch {
                rule: Rule::NothingStored,
            },
            Some(stored) if !stored.variant().matches(request.headers) => Reuse::Fetch {
                rule: Rule::VaryMismatch,
            },
            Some(stored) if !may_see(request, stored) => Reuse::Fetch {
                rule: Rule::Authorization,
            },
            Some(stored) => self.reuse(request, &directives, stored, now),
        };
        match decision {
            Reuse::Validate { rule, .. } | Reuse::Fetch { rule } if directives.only_if_cached => {
                Reuse::GatewayTimeout { rule }
            }
            decision => decision,
        }
    }

    fn reuse(
        &self,
        request: &RequestHead<'_>,
        directives: &RequestDirectives,
        stored: &Stored,
        now: Millis,
    ) -> Reuse {
        match self.must_validate(request, directives, stored, now) {
            Some(rule) => validate(stored, rule),
            None => self.by_freshness(directives, stored, now),
        }
    }

    /// What demands validation of a response whether it is fresh or not.
    fn must_validate(
        &self,
        request: &RequestHead<'_>,
        directives: &RequestDirectives,
        stored: &Stored,
        now: Millis,
    ) -> Option<Rule> {
        let age = stored.age(now);
        if stored.directives().no_cache {
            return Some(Rule::ResponseNoCache);
        }
        if directives.no_cache {
            return Some(Rule::RequestNoCache);
        }
        if self.honour_request_directives && is_pragma_no_cache(request.headers) {
            return Some(Rule::Pragma);
        }
        if directives.max_age.is_some_and(|max| age > max.millis()) {
            return Some(Rule::RequestMaxAge);
        }
        let left = stored.time_to_live(now);
        if directives
            .min_fresh
            .is_some_and(|min| left < min.millis().0 as i64)
        {
            return Some(Rule::RequestMinFresh);
        }
        None
    }

    fn by_freshness(&self, directives: &RequestDirectives, stored: &Stored, now: Millis) -> Reuse {
        let left = stored.time_to_live(now);
        // §4.2: fresh while the lifetime is greater than the age.
        if left > 0 {
            return Reuse::Fresh { rule: Rule::Fresh };
        }
        let staleness = Millis(left.unsigned_abs());
        if let Some(rule) = forbids_stale(stored) {
            return validate(stored, rule);
        }
        let within = stored
            .directives()
            .stale_while_revalidate
            .map(|window| window.millis());
        if self.stale_while_revalidate && within.is_some_and(|within| staleness <= within) {
            return Reuse::Stale {
                rule: Rule::StaleWhileRevalidate,
                refresh: true,
            };
        }
        // §5.2.2.10: `s-maxage` forbids what a client would accept. `stale-while-revalidate` above
        // is the origin's own word about this very response, and origins send the two together.
        if stored.lifetime().1 == Source::SharedMaxAge {
            return validate(stored, Rule::SharedMaxAge);
        }
        match directives.max_stale {
            Some(MaxStale::Any) => Reuse::Stale {
                rule: Rule::RequestMaxStale,
                refresh: false,
            },
            Some(MaxStale::Within(max)) if staleness <= max.millis() => Reuse::Stale {
                rule: Rule::RequestMaxStale,
                refresh: false,
            },
            _ => validate(stored, Rule::Stale),
        }
    }

    /// Says whether `stored` may answer although fetching or validating it failed (RFC 5861 §4, RFC
    /// 9111 §4.2.4).
    ///
    /// Only failures of the origin count: no answer, and the statuses 500, 502, 503 and 504.
    pub fn error_decision(
        &self,
        request: &RequestHead<'_>,
        stored: &Stored,
        failure: Failure,
        now: Millis,
    ) -> ErrorReuse {
        let fail = |rule| ErrorReuse::Fail { rule };
        if let Failure::Status(status) = failure {
            if !matches!(status.as_u16(), 500 | 502 | 503 | 504) {
                return fail(Rule::Stale);
            }
        }
        if !stored.variant().matches(request.headers) {
            return fail(Rule::VaryMismatch);
        }
        if !may_see(request, stored) {
            return fail(Rule::Authorization);
        }
        if stored.directives().no_cache {
            return fail(Rule::ResponseNoCache);
        }
        if let Some(rule) = forbids_stale(stored) {
            return fail(rule);
        }
        let staleness = Millis(stored.time_to_live(now).min(0).unsigned_abs());
        let by_response = stored.directives().stale_if_error;
        let by_request = self.request_directives(request).stale_if_error;
        let is_shared_only = stored.lifetime().1 == Source::SharedMaxAge;
        let by_request = by_request.filter(|_| !is_shared_only);
        if by_response
            .max(by_request)
            .is_some_and(|window| staleness <= window.millis())
        {
            return ErrorReuse::Stale {
                rule: Rule::StaleIfError,
            };
        }
        if is_shared_only {
            return fail(Rule::SharedMaxAge);
        }
        if failure == Failure::Unreachable && staleness < self.stale_when_unreachable {
            return ErrorReuse::Stale {
                rule: Rule::Disconnected,
            };
        }
        fail(Rule::Stale)
    }
}

/// Chooses among the variants stored under one key: of those that match, the one with the latest
/// `Date` (RFC 9111 §4.1).
pub fn select<'a>(
    request: &RequestHead<'_>,
    stored: impl IntoIterator<Item = &'a Stored>,
) -> Option<&'a Stored> {
    stored
        .into_iter()
        .filter(|stored| stored.variant().matches(request.headers))
        .max_by_key(|stored| (stored.date(), stored.times().received))
}

/// Whether what is stored may answer a request with credentials: where it says that it is the same
/// with and without them (RFC 9111 §3.5). The standard asks for that word only when the stored
/// response was itself asked for with credentials; a cache that does not know whose it was asks
/// always.
fn may_see(request: &RequestHead<'_>, stored: &Stored) -> bool {
    !request.headers.contains_key(header::AUTHORIZATION) || stored.directives().allow_authorized()
}

/// What forbids staleness whoever would accept it.
fn forbids_stale(stored: &Stored) -> Option<Rule> {
    let directives = stored.directives();
    if directives.must_revalidate {
        return Some(Rule::MustRevalidate);
    }
    directives.proxy_revalidate.then_some(Rule::ProxyRevalidate)
}

fn validate(stored: &Stored, rule: Rule) -> Reuse {
    let conditions = conditions(stored);
    if conditions.is_empty() {
        Reuse::Fetch { rule }
    } else {
        Reuse::Validate { rule, conditions }
    }
}

/// RFC 9111 §5.4 lets `Pragma` be ignored; old clients that send nothing else mean it.
fn is_pragma_no_cache(headers: &HeaderMap) -> bool {
    !headers.contains_key(header::CACHE_CONTROL)
        && fields::list(headers, &header::PRAGMA)
            .any(|member| member.eq_ignore_ascii_case(b"no-cache"))
}
