//! Asking the origin, and what its 304 changes (RFC 9111 §4.3).

use http::header::{self, HeaderMap, HeaderName};
use http::{Method, StatusCode};

use crate::fields::{self, EntityTag};
use crate::store::withhold;
use crate::{
    strip_hop_by_hop, Policy, RequestHead, ResponseDirectives, ResponseHead, Rule, Stored, Times,
    Variant,
};

/// Conditions and ranges of one client, which a fetch for all clients must not carry.
const OF_ONE_CLIENT: [HeaderName; 6] = [
    header::IF_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::IF_RANGE,
    header::IF_UNMODIFIED_SINCE,
    header::RANGE,
];

/// Fields that a 304 does not change: they describe the stored bytes, or the message they came in
/// (RFC 9111 §3.2).
const OF_THE_BYTES: [HeaderName; 6] = [
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_RANGE,
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("repr-digest"),
];

/// What a 304 did.
#[derive(Clone, Debug)]
pub enum Update {
    /// Store this in place of the stored response, and answer with it.
    Stored {
        /// The response.
        stored: Box<Stored>,
        /// Fields that the client that asked gets besides, and nobody else.
        own: HeaderMap,
    },
    /// Answer with this, and forget what is stored: the origin no longer lets it be shared.
    UseOnce {
        /// The response for this one answer.
        stored: Box<Stored>,
        /// Why it is not kept.
        rule: Rule,
    },
    /// The 304 is about another representation: forget what is stored and fetch again without
    /// conditions.
    Mismatch {
        /// Why.
        rule: Rule,
    },
}

/// What the answer to a HEAD did.
#[derive(Clone, Debug)]
pub enum HeadUpdate {
    /// Nothing: it says nothing of what is stored.
    Nothing,
    /// Store this in place of the stored response.
    Stored {
        /// The response.
        stored: Box<Stored>,
    },
    /// What is stored is not what the origin has now, or no longer for sharing: forget it.
    Outdated {
        /// Why.
        rule: Rule,
    },
}

impl Policy {
    /// Applies a 304 that answered the conditions of [`crate::Reuse::Validate`] (RFC 9111 §4.3.4).
    ///
    /// `times` are those of the validation; `request` is the client's.
    pub fn update_stored(
        &self,
        request: &RequestHead<'_>,
        stored: &Stored,
        response: &ResponseHead<'_>,
        times: Times,
    ) -> Update {
        if !is_about(stored, response.headers) {
            return Update::Mismatch {
                rule: Rule::ValidatorMismatch,
            };
        }
        self.renew(request, stored, response, times)
    }

    /// Applies the answer to a HEAD that went to the origin to a stored response that could have
    /// been chosen for it (RFC 9111 §4.3.5).
    ///
    /// The HEAD must have been sent as a fetch for everybody: what one client chose by fields that
    /// nothing is stored by says nothing of what others get.
    pub fn update_by_head(
        &self,
        request: &RequestHead<'_>,
        stored: &Stored,
        response: &ResponseHead<'_>,
        times: Times,
    ) -> HeadUpdate {
        let is_about_it = *request.method == Method::HEAD
            && response.status == StatusCode::OK
            && stored.status() == StatusCode::OK
            && stored.variant().matches(request.headers)
            // What one who shows credentials is told is not about what others get.
            && !request.headers.contains_key(header::AUTHORIZATION);
        if !is_about_it {
            return HeadUpdate::Nothing;
        }
        match is_same(stored, response.headers) {
            None => return HeadUpdate::Nothing,
            Some(false) => {
                return HeadUpdate::Outdated {
                    rule: Rule::HeadMismatch,
                }
            }
            Some(true) => {}
        }
        match self.renew(request, stored, response, times) {
            Update::Stored { stored, .. } => HeadUpdate::Stored { stored },
            Update::UseOnce { rule, .. } | Update::Mismatch { rule } => {
                HeadUpdate::Outdated { rule }
            }
        }
    }

    /// Gives a stored response the fields of a newer message about it (RFC 9111 §3.2).
    fn renew(
        &self,
        request: &RequestHead<'_>,
        stored: &Stored,
        response: &ResponseHead<'_>,
        times: Times,
    ) -> Update {
        let mut news = response.headers.clone();
        strip_hop_by_hop(&mut news);
        for name in &OF_THE_BYTES {
            news.remove(name);
        }
        let mut own = HeaderMap::new();
        if !self.store_set_cookie {
            for cookie in news.get_all(header::SET_COOKIE) {
                own.append(header::SET_COOKIE, cookie.clone());
            }
            news.remove(header::SET_COOKIE);
        }
        if fields::date_field(&news, &header::DATE).is_none() {
            news.remove(header::DATE);
            if let Some(date) = fields::date_value(times.received) {
                news.insert(header::DATE, date);
            }
        }
        let mut headers = stored.headers().clone();
        // The age that was stored belongs to the message that was stored.
        headers.remove(header::AGE);
        for name in news.keys() {
            headers.remove(name);
        }
        for (name, value) in &news {
            headers.append(name, value.clone());
        }
        // §5.2.2.4: what is withheld from the cache is news for the client that asked, and what of
        // it is stored came before the directive.
        let withheld = withhold(&mut headers);
        for (name, value) in news.iter().filter(|(name, _)| withheld.contains_key(*name)) {
            own.append(name.clone(), value.clone());
        }
        if !self.limits.allows(&headers) {
            return Update::Mismatch { rule: Rule::Limit };
        }
        // The 304 may name other fields to choose by. Its `Cache-Control` has replaced the stored
        // one as well: the newest word counts.
        let variant = Variant::new(request.headers, &headers, &self.limits);
        let status = stored.status();
        let head = ResponseHead {
            status,
            headers: &headers,
        };
        let directives = ResponseDirectives::read(&headers);
        let allowed = match &variant {
            Err(rule) => Err(*rule),
            Ok(variant) if variant.has_credentials() => Err(Rule::CredentialVariant),
            Ok(_) => self.may_share(request, &head, &directives),
        };
        let variant = variant.unwrap_or_else(|_| stored.variant().clone());
        let updated = Box::new(Stored::new(
            status,
            headers,
            variant,
            times,
            stored.length(),
            self,
        ));
        match allowed {
            Ok(()) => Update::Stored {
                stored: updated,
                own,
            },
            Err(rule) => Update::UseOnce {
                stored: updated,
                rule,
            },
        }
    }
}

/// The fields of a fetch whose answer is for everybody: those of the client, without what concerns
/// its connection, its conditions and its ranges.
pub fn fetch_fields(request: &HeaderMap) -> HeaderMap {
    let mut headers = request.clone();
    strip_hop_by_hop(&mut headers);
    for name in &OF_ONE_CLIENT {
        headers.remove(name);
    }
    headers
}

/// The conditions that validate a stored response (RFC 9111 §4.3.1); empty when it has no
/// validator.
pub(crate) fn conditions(stored: &Stored) -> HeaderMap {
    let mut conditions = HeaderMap::new();
    let mut copy = |from: HeaderName, to: HeaderName| {
        if let Some(value) = stored.headers().get(from) {
            conditions.insert(to, value.clone());
        }
    };
    copy(header::ETAG, header::IF_NONE_MATCH);
    copy(header::LAST_MODIFIED, header::IF_MODIFIED_SINCE);
    conditions
}

/// Whether a 304 speaks of the stored representation: its tag is the stored one; without a tag, its
/// modification date is; without either, it can only mean what was asked about.
fn is_about(stored: &Stored, headers: &HeaderMap) -> bool {
    let tag = headers
        .get(header::ETAG)
        .and_then(|value| EntityTag::parse(value.as_bytes()));
    if let Some(tag) = tag {
        // A strong tag speaks of the very bytes, and only the same strong one is about them.
        let is_same = |own: EntityTag<'_>| own.is_weakly(&tag) && (tag.is_weak || !own.is_weak);
        return stored.etag().is_some_and(is_same);
    }
    match (
        fields::date_field(headers, &header::LAST_MODIFIED),
        stored.last_modified(),
    ) {
        (Some(theirs), Some(own)) => theirs == own,
        (Some(_), None) => false,
        (None, _) => true,
    }
}

/// Whether all that a HEAD says of the representation is true of the stored one (RFC 9111 §4.3.5);
/// `None` when it says nothing of it.
fn is_same(stored: &Stored, headers: &HeaderMap) -> Option<bool> {
    let validators = [header::ETAG, header::LAST_MODIFIED].map(|name| {
        let theirs = headers.get(&name)?;
        Some(stored.headers().get(&name) == Some(theirs))
    });
    let length = headers
        .get(header::CONTENT_LENGTH)
        .map(|length| fields::number(length.as_bytes()) == Some(stored.length()));
    let said = validators.into_iter().chain([length]).flatten();
    said.reduce(|one, other| one && other)
}
