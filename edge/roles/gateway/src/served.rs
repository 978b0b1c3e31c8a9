//! An answer with content, before the connection's own fields are added.

use http::{header, HeaderMap, HeaderValue, Response, StatusCode, Version};
use selvedge_edge_core_http_cache::{Answer, CacheStatus};
use selvedge_edge_drivers_http::Body;
use selvedge_primitives_types::DeviceId;

use crate::exchange::Exchange;
use crate::fields;
use crate::metrics::Source;

/// An answer with content.
pub struct Served {
    /// Status.
    pub status: StatusCode,
    /// Fields of the origin or of the stored response.
    pub headers: HeaderMap,
    /// Bytes.
    pub body: Body,
    /// Where it came from.
    pub source: Source,
    /// The cache that is credited for it, or none.
    pub cache: DeviceId,
    /// What each cache on the way says (RFC 9211), the one nearest to the origin first.
    pub said: Vec<CacheStatus>,
    /// Version of the message it came in, for `Via`.
    pub version: Version,
}

impl Served {
    /// An answer from a stored response.
    pub fn stored(answer: Answer, body: Body, source: Source, cache: DeviceId) -> Self {
        Self {
            status: answer.status,
            headers: answer.headers,
            body,
            source,
            cache,
            said: Vec::new(),
            version: Version::HTTP_11,
        }
    }

    /// With fields that are for this visitor alone.
    #[must_use]
    pub fn with_own(mut self, own: HeaderMap) -> Self {
        for (name, value) in &own {
            self.headers.append(name, value.clone());
        }
        self
    }

    /// With what a cache says.
    #[must_use]
    pub fn say(mut self, said: CacheStatus) -> Self {
        self.said.push(said);
        self
    }

    /// The response for the connection.
    pub fn into_response(mut self, exchange: &Exchange) -> Response<Body> {
        for said in &self.said {
            said.append_to(&mut self.headers);
        }
        let via = HeaderValue::from_str(&fields::via(self.version));
        let via = via.unwrap_or_else(|_| HeaderValue::from_static(fields::NAME));
        fields::to_visitor(&mut self.headers, exchange, via);
        // RFC 9110 §6.6.1: an answer without a date gets one from hyper, so only a wrong one would
        // remain.
        if self.status == StatusCode::NO_CONTENT {
            self.headers.remove(header::CONTENT_LENGTH);
        }
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}
