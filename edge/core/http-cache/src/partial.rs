//! Parts of a response, kept and put together (RFC 9111 §3.3, §3.4; RFC 9110 §15.3.7).
//!
//! A part is kept only where it can be told surely what it is a part of: its place and the length of
//! the whole are stated, and a strong validator names the bytes. Parts with the same validator are
//! one response, of which some bytes are missing; what is held answers, and what is missing is asked
//! for on condition that it is still of the same.

use core::ops::Range;

use http::{header, HeaderMap, HeaderValue, Method, StatusCode};
use selvedge_primitives_types::Millis;

use crate::fields::{self, EntityTag};
use crate::store::withhold;
use crate::{
    answer, range, Answer, Body, Boundary, Kept, Policy, RequestHead, ResponseHead, Reuse, Rule,
    Stored, Times,
};

/// The most parts of one response that are held apart. One more is not kept.
pub const MAX_PARTS: usize = 64;

/// What to do with a 206 that came from the origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartDecision {
    /// Keep its bytes, once they have arrived whole.
    Keep(Box<KeptPart>),
    /// Hand it to the one client that asked, and keep nothing.
    Pass {
        /// Why.
        rule: Rule,
    },
}

/// What is kept of a 206.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptPart {
    /// The fields and the variant, as of the whole response.
    pub kept: Kept,
    /// Which bytes came; never empty.
    pub range: Range<u64>,
    /// Bytes of the whole.
    pub length: u64,
}

/// A response of which parts are held. Who has the bytes keeps them; this says what they are of.
#[derive(Clone, Debug)]
pub struct Partial {
    stored: Stored,
    held: Vec<Range<u64>>,
}

/// What a partly held response is to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartialReuse {
    /// All that the answer needs is held.
    Answer(Box<Answer>),
    /// The answer, of which a range is missing: ask for that. What comes is of the same response
    /// only if [`Partial::combine`] says so and its range is the one asked for.
    Complete {
        /// What to answer with once the missing bytes begin to come.
        answer: Box<Answer>,
        /// The range to ask for. It may hold bytes that are here.
        missing: Range<u64>,
        /// `Range` and `If-Range` (RFC 9110 §13.1.5), over [`crate::fetch_fields`].
        fields: HeaderMap,
    },
    /// Nothing: fetch as if nothing were held.
    Fetch {
        /// Why.
        rule: Rule,
    },
}

impl Policy {
    /// Says whether a 206 may be kept, and what of it.
    pub fn part_decision(
        &self,
        request: &RequestHead<'_>,
        response: &ResponseHead<'_>,
        times: Times,
    ) -> PartDecision {
        match self.part(request, response, times) {
            Ok(part) => PartDecision::Keep(Box::new(part)),
            Err(rule) => PartDecision::Pass { rule },
        }
    }

    fn part(
        &self,
        request: &RequestHead<'_>,
        response: &ResponseHead<'_>,
        times: Times,
    ) -> Result<KeptPart, Rule> {
        // RFC 9110 §15.3.7: it answers a range, and of several together none says what it is of.
        let is_answer = request.headers.contains_key(header::RANGE);
        if !is_answer || response.status != StatusCode::PARTIAL_CONTENT {
            return Err(Rule::Incomplete);
        }
        let (range, length) = place(response.headers).ok_or(Rule::Incomplete)?;
        let stated = response.headers.get(header::CONTENT_LENGTH);
        let is_whole =
            |value: &HeaderValue| fields::number(value.as_bytes()) == Some(range.end - range.start);
        if !stated.is_none_or(is_whole) {
            return Err(Rule::Incomplete);
        }
        let mut headers = response.headers.clone();
        for name in [
            header::CONTENT_RANGE,
            header::HeaderName::from_static("content-digest"),
            header::HeaderName::from_static("content-md5"),
        ] {
            headers.remove(name);
        }
        let whole = ResponseHead {
            status: StatusCode::OK,
            headers: &headers,
        };
        let kept = self.storable(request, &whole, times)?;
        if validator(&kept.headers).is_none() {
            return Err(Rule::NoStrongValidator);
        }
        Ok(KeptPart {
            kept,
            range,
            length,
        })
    }

    /// Says what a partly held response, found under the request's key, is to a request.
    pub fn partial_decision(
        &self,
        request: &RequestHead<'_>,
        partial: &Partial,
        now: Millis,
        boundary: Boundary,
    ) -> PartialReuse {
        let fetch = |rule| PartialReuse::Fetch { rule };
        if *request.method != Method::GET {
            return fetch(Rule::Method);
        }
        match self.reuse_decision(request, Some(&partial.stored), now) {
            // What is not whole is not refreshed behind anybody's back.
            Reuse::Fresh { .. } | Reuse::Stale { refresh: false, .. } => {}
            Reuse::Stale { rule, .. }
            | Reuse::Validate { rule, .. }
            | Reuse::Fetch { rule }
            | Reuse::GatewayTimeout { rule } => return fetch(rule),
        }
        let answer = Box::new(answer(request, &partial.stored, now, boundary));
        match &answer.body {
            Body::None => PartialReuse::Answer(answer),
            Body::Parts(parts) if parts.parts().iter().all(|(_, part)| partial.has(part)) => {
                PartialReuse::Answer(answer)
            }
            Body::Parts(_) => fetch(Rule::Incomplete),
            Body::Bytes(range) => match partial.missing(range) {
                None => PartialReuse::Answer(answer),
                Some(missing) if missing == *range => fetch(Rule::Incomplete),
                Some(missing) => PartialReuse::Complete {
                    fields: partial.conditions(&missing),
                    answer,
                    missing,
                },
            },
        }
    }
}

impl Partial {
    /// A response of which nothing but this part is held.
    pub fn new(part: &KeptPart, times: Times, policy: &Policy) -> Self {
        let kept = part.kept.clone();
        Self {
            stored: Stored::new(
                StatusCode::OK,
                kept.headers,
                kept.variant,
                times,
                part.length,
                policy,
            ),
            held: vec![part.range.clone()],
        }
    }

    /// The response with one part more, under the newer fields (RFC 9111 §3.4).
    ///
    /// Errors: the part is of another response, or it is one too many. What is held then stays as it
    /// is, or makes place for [`Partial::new`].
    pub fn combine(&self, part: &KeptPart, times: Times, policy: &Policy) -> Result<Self, Rule> {
        let same = validator(self.stored.headers()) == validator(&part.kept.headers)
            && self.stored.length() == part.length
            && *self.stored.variant() == part.kept.variant;
        if !same {
            return Err(Rule::ValidatorMismatch);
        }
        let mut held = self.held.clone();
        hold(&mut held, part.range.clone());
        if held.len() > MAX_PARTS {
            return Err(Rule::Limit);
        }
        let mut headers = self.stored.headers().clone();
        // The age that was stored belongs to the message that was stored.
        headers.remove(header::AGE);
        for name in part.kept.headers.keys() {
            headers.remove(name);
        }
        for (name, value) in &part.kept.headers {
            headers.append(name, value.clone());
        }
        // §5.2.2.4: what the newer part withholds may have come with an older one.
        withhold(&mut headers);
        if !policy.limits.allows(&headers) {
            return Err(Rule::Limit);
        }
        let stored = Stored::new(
            StatusCode::OK,
            headers,
            part.kept.variant.clone(),
            times,
            part.length,
            policy,
        );
        Ok(Self { stored, held })
    }

    /// The response as if it were held whole.
    pub fn stored(&self) -> &Stored {
        &self.stored
    }

    /// What is held: ascending, none empty, none touching another.
    pub fn held(&self) -> &[Range<u64>] {
        &self.held
    }

    /// Whether the whole is held.
    pub fn is_complete(&self) -> bool {
        self.has(&(0..self.stored.length()))
    }

    /// Whether all of a range is held.
    pub fn has(&self, range: &Range<u64>) -> bool {
        self.missing(range).is_none()
    }

    /// The least range with everything in it that is missing of this one.
    fn missing(&self, range: &Range<u64>) -> Option<Range<u64>> {
        let mut missing = range.clone();
        for held in &self.held {
            if held.start <= missing.start && missing.start < held.end {
                missing.start = held.end;
            }
        }
        for held in self.held.iter().rev() {
            if held.start < missing.end && missing.end <= held.end {
                missing.end = held.start;
            }
        }
        (missing.start < missing.end).then_some(missing)
    }

    fn conditions(&self, missing: &Range<u64>) -> HeaderMap {
        let mut conditions = HeaderMap::new();
        let (first, last) = (missing.start, missing.end.saturating_sub(1));
        if let Ok(value) = HeaderValue::from_str(&format!("bytes={first}-{last}")) {
            conditions.insert(header::RANGE, value);
        }
        if let Some(value) = validator(self.stored.headers()) {
            conditions.insert(header::IF_RANGE, value.clone());
        }
        conditions
    }
}

/// Adds a range to ascending ones.
fn hold(held: &mut Vec<Range<u64>>, range: Range<u64>) {
    range::join(held, range);
    held.sort_unstable_by_key(|range| range.start);
}

/// `Content-Range` of one part of a whole of known length (RFC 9110 §14.4).
fn place(headers: &HeaderMap) -> Option<(Range<u64>, u64)> {
    let mut lines = headers.get_all(header::CONTENT_RANGE).into_iter();
    let value = lines.next().filter(|_| lines.next().is_none())?;
    let (unit, place) = value.to_str().ok()?.split_once(' ')?;
    let (range, length) = place.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let number = |text: &str| fields::number(text.as_bytes());
    let (first, last, length) = (number(first)?, number(last)?, number(length)?);
    // A length that was cut off at the largest number is not known.
    let is_possible = first <= last && last < length && length < u64::MAX;
    (unit.eq_ignore_ascii_case("bytes") && is_possible).then_some((first..last + 1, length))
}

/// The field that names exactly these bytes: a strong tag or, without any tag, a date of change that
/// lies at least a second before the message's own (RFC 9110 §8.8.1, §8.8.2.2).
fn validator(headers: &HeaderMap) -> Option<&HeaderValue> {
    if let Some(value) = headers.get(header::ETAG) {
        let tag = EntityTag::parse(value.as_bytes())?;
        let is_quoted = tag.opaque.len() >= 2 && tag.opaque.starts_with(b"\"");
        return (!tag.is_weak && is_quoted).then_some(value);
    }
    let modified = fields::date_field(headers, &header::LAST_MODIFIED)?;
    let date = fields::date_field(headers, &header::DATE)?;
    (modified.0.saturating_add(1_000) <= date.0)
        .then(|| headers.get(header::LAST_MODIFIED))
        .flatten()
}
