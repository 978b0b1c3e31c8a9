//! Whether a request may be answered from a cache at all.

use http::{header, Method};

use crate::{Policy, RequestDirectives, RequestHead, Rule};

/// What to do with a request before anything is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// Look the response up, and share the fetch on a miss.
    Cache,
    /// Send the request to the origin as it is. No cache sees it, and nothing of the answer is
    /// stored.
    Forward {
        /// Why.
        rule: Rule,
    },
}

impl Policy {
    /// Says whether a request may be answered from a cache, before anything is looked up.
    pub fn lookup_decision(&self, request: &RequestHead<'_>) -> Lookup {
        let has = |name: header::HeaderName| request.headers.contains_key(name);
        let forward = |rule| Lookup::Forward { rule };
        if !matches!(*request.method, Method::GET | Method::HEAD) {
            return forward(if request.method.is_safe() {
                Rule::Method
            } else {
                Rule::UnsafeMethod
            });
        }
        if has(header::UPGRADE) {
            return forward(Rule::Upgrade);
        }
        if has(header::IF_MATCH) || has(header::IF_UNMODIFIED_SINCE) {
            return forward(Rule::OriginPrecondition);
        }
        if has(header::AUTHORIZATION) && !self.share_authorized {
            return forward(Rule::Authorization);
        }
        if self.request_directives(request).no_store {
            return forward(Rule::RequestNoStore);
        }
        Lookup::Cache
    }

    /// The request's directives, as far as the policy lets them count.
    pub(crate) fn request_directives(&self, request: &RequestHead<'_>) -> RequestDirectives {
        if self.honour_request_directives {
            RequestDirectives::read(request.headers)
        } else {
            RequestDirectives::default()
        }
    }
}
