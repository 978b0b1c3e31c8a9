//! Whether a response may be stored (RFC 9111 §3).

use http::{header, HeaderMap, Method, StatusCode};

use crate::directives::withheld;
use crate::freshness::{self, Source};
use crate::{
    fields, strip_hop_by_hop, Policy, RequestHead, ResponseDirectives, ResponseHead, Rule, Times,
    Variant,
};

/// What to do with a response that came from the origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreDecision {
    /// Store this of it, once its body has arrived whole.
    Store(Box<Kept>),
    /// Hand it to the one client that asked, and store nothing.
    Pass {
        /// Why.
        rule: Rule,
    },
}

/// What is stored of a response, and what is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The fields to store.
    pub headers: HeaderMap,
    /// The variant to store it as.
    pub variant: Variant,
    /// Fields that the client that asked gets besides, and nobody else (RFC 9111 §5.2.2.4,
    /// §5.2.2.7).
    pub own: HeaderMap,
}

impl Policy {
    /// Says whether the response to a request may be stored, and what of it.
    pub fn store_decision(
        &self,
        request: &RequestHead<'_>,
        response: &ResponseHead<'_>,
        times: Times,
    ) -> StoreDecision {
        match self.storable(request, response, times) {
            Ok(kept) => StoreDecision::Store(Box::new(kept)),
            Err(rule) => StoreDecision::Pass { rule },
        }
    }

    pub(crate) fn storable(
        &self,
        request: &RequestHead<'_>,
        response: &ResponseHead<'_>,
        times: Times,
    ) -> Result<Kept, Rule> {
        if *request.method != Method::GET {
            return Err(Rule::Method);
        }
        if response.status.is_informational() {
            return Err(Rule::NotFinal);
        }
        if matches!(
            response.status,
            StatusCode::PARTIAL_CONTENT | StatusCode::NOT_MODIFIED
        ) {
            return Err(Rule::Incomplete);
        }
        if self.request_directives(request).no_store {
            return Err(Rule::RequestNoStore);
        }
        let directives = ResponseDirectives::read(response.headers);
        let mut headers = response.headers.clone();
        strip_hop_by_hop(&mut headers);
        let own = withhold(&mut headers);
        let kept = ResponseHead {
            status: response.status,
            headers: &headers,
        };
        self.may_share(request, &kept, &directives)?;
        let variant = Variant::new(request.headers, &headers, &self.limits)?;
        if variant.has_credentials() {
            return Err(Rule::CredentialVariant);
        }
        // The length is told by the body that is stored, and framing is the connection's.
        headers.remove(header::CONTENT_LENGTH);
        if fields::date_field(&headers, &header::DATE).is_none() {
            // RFC 9110 §6.6.1: a recipient with a clock adds the date it received the response at.
            headers.remove(header::DATE);
            if let Some(date) = fields::date_value(times.received) {
                headers.insert(header::DATE, date);
            }
        }
        if !self.limits.allows(&headers) {
            return Err(Rule::Limit);
        }
        self.is_worth_it(response.status, &headers, &directives, times)?;
        Ok(Kept {
            headers,
            variant,
            own,
        })
    }

    /// The rules that keep a response for one visitor, or for nobody.
    pub(crate) fn may_share(
        &self,
        request: &RequestHead<'_>,
        response: &ResponseHead<'_>,
        directives: &ResponseDirectives,
    ) -> Result<(), Rule> {
        // §5.2.2.3: `must-understand` overrides `no-store` where the status is understood.
        let is_understood = response.status.canonical_reason().is_some();
        if directives.must_understand && !is_understood {
            return Err(Rule::MustUnderstand);
        }
        if directives.no_store && !directives.must_understand {
            return Err(Rule::ResponseNoStore);
        }
        if directives.private {
            return Err(Rule::Private);
        }
        let is_allowed = self.share_authorized && directives.allow_authorized();
        if request.headers.contains_key(header::AUTHORIZATION) && !is_allowed {
            return Err(Rule::Authorization);
        }
        if response.headers.contains_key(header::SET_COOKIE) && !self.store_set_cookie {
            return Err(Rule::SetCookie);
        }
        Ok(())
    }

    fn is_worth_it(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        directives: &ResponseDirectives,
        times: Times,
    ) -> Result<(), Rule> {
        let date = fields::date_field(headers, &header::DATE).unwrap_or(times.received);
        let (lifetime, source) =
            freshness::lifetime(status, headers, directives, date, self.heuristic);
        let is_explicit = directives.public || !matches!(source, Source::None | Source::Heuristic);
        if !is_explicit && !freshness::is_cacheable_by_default(status) {
            return Err(Rule::NotCacheable);
        }
        // A guess is no word of the origin's that the cookie is for everybody.
        if !is_explicit && headers.contains_key(header::SET_COOKIE) {
            return Err(Rule::SetCookie);
        }
        let may_validate =
            headers.contains_key(header::ETAG) || headers.contains_key(header::LAST_MODIFIED);
        let may_be_fresh = lifetime.0 > 0 && !directives.no_cache;
        let may_be_stale = directives.stale_if_error.is_some();
        if !may_validate && !may_be_fresh && !may_be_stale {
            return Err(Rule::Useless);
        }
        Ok(())
    }
}

/// Takes the fields away that `no-cache` and `private` name, and gives them.
pub(crate) fn withhold(headers: &mut HeaderMap) -> HeaderMap {
    let mut own = HeaderMap::new();
    for name in withheld(headers) {
        for value in headers.get_all(&name) {
            own.append(name.clone(), value.clone());
        }
        headers.remove(&name);
    }
    own
}
