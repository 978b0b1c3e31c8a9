//! A stored response as decisions see it: its fields, with what they say already read.

use http::{header, HeaderMap, HeaderName, HeaderValue, StatusCode};
use selvedge_primitives_types::{Millis, Record};

use crate::fields::EntityTag;
use crate::freshness::{self, Source};
use crate::validate::conditions;
use crate::{fields, Limits, Policy, ResponseDirectives, Times, Variant};

/// A stored response without its bytes.
#[derive(Clone, Debug)]
pub struct Stored {
    status: StatusCode,
    headers: HeaderMap,
    variant: Variant,
    times: Times,
    length: u64,
    directives: ResponseDirectives,
    date: Millis,
    lifetime: Millis,
    source: Source,
    initial_age: Millis,
}

/// Why a record's fields are no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// The status is not a final one.
    #[error("the record's status is not a final one")]
    Status,
    /// A name or value is not valid.
    #[error("the record has a field that is not valid")]
    Field,
    /// There are more or longer fields than the limits allow.
    #[error("the record has more or longer fields than are allowed")]
    Limit,
}

impl Stored {
    /// Reads what a response says, once, when it is stored or loaded.
    pub fn new(
        status: StatusCode,
        headers: HeaderMap,
        variant: Variant,
        times: Times,
        length: u64,
        policy: &Policy,
    ) -> Self {
        let directives = ResponseDirectives::read(&headers);
        let date = fields::date_field(&headers, &header::DATE).unwrap_or(times.received);
        let (lifetime, source) =
            freshness::lifetime(status, &headers, &directives, date, policy.heuristic);
        let initial_age = freshness::initial_age(&headers, times, date);
        Self {
            status,
            headers,
            variant,
            times,
            length,
            directives,
            date,
            lifetime,
            source,
            initial_age,
        }
    }

    /// The response that a record describes. The record's signature must have been verified.
    ///
    /// Errors: [`FieldError`], for a record that no honest gateway signs.
    pub fn from_record(record: &Record, policy: &Policy) -> Result<Self, FieldError> {
        let status = StatusCode::from_u16(record.status).map_err(|_| FieldError::Status)?;
        if status.is_informational() {
            return Err(FieldError::Status);
        }
        let headers = header_map(&record.fields, &policy.limits)?;
        let variant = Variant::from_inner(record.variant.clone());
        let times = Times {
            requested: record.requested,
            received: record.received,
        };
        Ok(Self::new(
            status,
            headers,
            variant,
            times,
            record.length,
            policy,
        ))
    }

    /// Status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Fields as stored; an answer's fields are those of [`crate::answer`].
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The variant it was chosen as.
    pub fn variant(&self) -> &Variant {
        &self.variant
    }

    /// When it was asked for and received.
    pub fn times(&self) -> Times {
        self.times
    }

    /// Length of the body in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Its `Cache-Control`.
    pub fn directives(&self) -> &ResponseDirectives {
        &self.directives
    }

    /// Its `Date`, or when it was received.
    pub fn date(&self) -> Millis {
        self.date
    }

    /// How long it is fresh, counted by its age, and what says so.
    pub fn lifetime(&self) -> (Millis, Source) {
        (self.lifetime, self.source)
    }

    /// Its age (RFC 9111 §4.2.3).
    pub fn age(&self, now: Millis) -> Millis {
        freshness::current_age(self.initial_age, self.times, now)
    }

    /// Milliseconds until it is stale; negative when it is.
    pub fn time_to_live(&self, now: Millis) -> i64 {
        let left = i128::from(self.lifetime.0) - i128::from(self.age(now).0);
        left.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
    }

    /// The same response, stale from a moment on at the latest, as after a purge that lets it be
    /// validated.
    #[must_use]
    pub fn stale_since(mut self, moment: Millis) -> Self {
        self.lifetime = self.lifetime.min(self.age(moment));
        self
    }

    /// The conditions that validate it (RFC 9111 §4.3.1); empty when it has no validator.
    pub fn conditions(&self) -> HeaderMap {
        conditions(self)
    }

    /// Its entity tag.
    pub fn etag(&self) -> Option<EntityTag<'_>> {
        EntityTag::parse(self.headers.get(header::ETAG)?.as_bytes())
    }

    /// Its `Last-Modified`.
    pub fn last_modified(&self) -> Option<Millis> {
        fields::date_field(&self.headers, &header::LAST_MODIFIED)
    }

    /// Memory that it takes, in bytes, without the body.
    pub fn size(&self) -> usize {
        // A field line in a `HeaderMap` costs about this much besides its text.
        const PER_FIELD: usize = 112;
        let fields: usize = self
            .headers
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len() + PER_FIELD)
            .sum();
        core::mem::size_of::<Self>() + fields + self.variant.size()
    }
}

/// A response's fields as they stand in a record: names in lower case, in order.
pub fn record_fields(headers: &HeaderMap) -> Vec<(Vec<u8>, Vec<u8>)> {
    headers
        .iter()
        .map(|(name, value)| (name.as_str().as_bytes().to_vec(), value.as_bytes().to_vec()))
        .collect()
}

fn header_map(fields: &[(Vec<u8>, Vec<u8>)], limits: &Limits) -> Result<HeaderMap, FieldError> {
    if fields.len() > limits.fields {
        return Err(FieldError::Limit);
    }
    let mut headers = HeaderMap::with_capacity(fields.len());
    for (name, value) in fields {
        let name = HeaderName::from_bytes(name).map_err(|_| FieldError::Field)?;
        let value = HeaderValue::from_bytes(value).map_err(|_| FieldError::Field)?;
        headers.append(name, value);
    }
    if limits.allows(&headers) {
        Ok(headers)
    } else {
        Err(FieldError::Limit)
    }
}
