//! Requests and responses in one line.

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use selvedge_edge_core_http_cache::{
    Answer, Boundary, Policy, RequestHead, ResponseHead, Reuse, StoreDecision, Stored, Times,
};
use selvedge_primitives_types::Millis;

/// Sun, 06 Nov 1994 08:49:37 GMT
pub(crate) const DATE: Millis = Millis(784_111_777_000);
pub(crate) const DATE_TEXT: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

pub(crate) fn fields(lines: &[(&str, &str)]) -> HeaderMap {
    lines
        .iter()
        .map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            (name, HeaderValue::from_str(value).unwrap())
        })
        .collect()
}

/// `seconds` after [`DATE`].
pub(crate) fn after(seconds: u64) -> Millis {
    Millis(DATE.0 + seconds * 1000)
}

/// `seconds` after [`DATE`], as an HTTP date.
pub(crate) fn date(seconds: i64) -> String {
    let millis = DATE.0.saturating_add_signed(seconds * 1000);
    let value = selvedge_edge_core_http_cache::fields::date_value(Millis(millis)).unwrap();
    value.to_str().unwrap().to_owned()
}

pub(crate) fn at_once() -> Times {
    Times {
        requested: DATE,
        received: DATE,
    }
}

pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
}

impl Request {
    pub(crate) fn head(&self) -> RequestHead<'_> {
        RequestHead {
            method: &self.method,
            headers: &self.headers,
        }
    }
}

pub(crate) fn get(lines: &[(&str, &str)]) -> Request {
    request(Method::GET, lines)
}

pub(crate) fn request(method: Method, lines: &[(&str, &str)]) -> Request {
    Request {
        method,
        headers: fields(lines),
    }
}

pub(crate) fn decide(
    policy: &Policy,
    request: &Request,
    status: u16,
    lines: &[(&str, &str)],
) -> StoreDecision {
    let headers = fields(lines);
    let response = ResponseHead {
        status: StatusCode::from_u16(status).unwrap(),
        headers: &headers,
    };
    policy.store_decision(&request.head(), &response, at_once())
}

/// A response received at [`DATE`], stored with a body of 1000 bytes whether or not a decision
/// would have stored it.
pub(crate) fn stored_for(
    policy: &Policy,
    request: &Request,
    status: u16,
    lines: &[(&str, &str)],
) -> Stored {
    let mut headers = fields(&[("date", DATE_TEXT)]);
    for (name, value) in &fields(lines) {
        if name == "date" {
            headers.remove(name);
        }
        headers.append(name, value.clone());
    }
    let variant =
        selvedge_edge_core_http_cache::Variant::new(&request.headers, &headers, &policy.limits)
            .unwrap();
    let status = StatusCode::from_u16(status).unwrap();
    Stored::new(status, headers, variant, at_once(), 1000, policy)
}

pub(crate) fn stored(lines: &[(&str, &str)]) -> Stored {
    stored_for(&Policy::default(), &get(&[]), 200, lines)
}

/// What is decided about a stored response `seconds` after it was received.
pub(crate) fn reuse(lines: &[(&str, &str)], request: &[(&str, &str)], seconds: u64) -> Reuse {
    let request = get(request);
    Policy::default().reuse_decision(&request.head(), Some(&stored(lines)), after(seconds))
}

/// A decision in one word and its rule's name.
pub(crate) fn word(reuse: &Reuse) -> (&'static str, &'static str) {
    match reuse {
        Reuse::Fresh { rule } => ("fresh", rule.name()),
        Reuse::Stale { rule, .. } => ("stale", rule.name()),
        Reuse::Validate { rule, .. } => ("validate", rule.name()),
        Reuse::Fetch { rule } => ("fetch", rule.name()),
        Reuse::GatewayTimeout { rule } => ("504", rule.name()),
    }
}

/// What a request gets, with a boundary that is always the same.
pub(crate) fn answer(request: &RequestHead<'_>, stored: &Stored, now: Millis) -> Answer {
    selvedge_edge_core_http_cache::answer(request, stored, now, Boundary::default())
}
