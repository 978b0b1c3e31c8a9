//! Answers that are the gateway's own: each reason with its status and what it says to a visitor.
//!
//! A visitor learns what happened and whom to ask, never what the log knows. None of these is
//! charged.

use bytes::Bytes;
use http::{header, HeaderMap, HeaderValue, Response, StatusCode};
use selvedge_edge_drivers_http::{full, Body, ConnectError, OriginError};

/// Header that names the reason, for programs.
pub(crate) const REASON: &str = "x-selvedge-reason";

/// Why a request is not answered with content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The request is malformed.
    BadRequest,
    /// No service has this host.
    UnknownHost,
    /// No service has this host, and the certificate was another one's.
    Misdirected,
    /// The method is one that a gateway does not forward.
    MethodRefused,
    /// The request's body is too long.
    TooLong,
    /// The request's body did not arrive in time.
    TooSlow,
    /// The request came through this network before.
    Loop,
    /// The daemon has no config of the chain yet.
    NotReady,
    /// The service's owner paused it.
    Paused,
    /// The owner's account cannot pay.
    Suspended,
    /// This gateway's share of the service's cap is used up.
    OutOfLease,
    /// The service has no usable origin or price list.
    NoOrigin,
    /// The gateway has as many requests as it takes.
    Busy,
    /// The origin cannot be reached.
    OriginDown,
    /// The origin takes too long.
    OriginSlow,
    /// The origin's answer is not valid HTTP.
    OriginBroken,
    /// The origin's answer does not match the digest that it states.
    OriginAltered,
    /// The origin's address is one that is refused.
    OriginForbidden,
    /// The origin's certificate does not verify.
    OriginUntrusted,
    /// The visitor wanted a stored answer only (RFC 9111 §5.2.1.7).
    NotStored,
    /// The gateway itself failed.
    Internal,
    /// The site has no such page.
    NotFound,
    /// No cache gives what the site needs.
    ContentAway,
    /// The site's root names no directory of pages.
    SiteBroken,
    /// The service has rules, and none of them has ever been here.
    RulesMissing,
    /// The service's rules do not end for this request.
    RulesBroken,
}

impl Reason {
    /// Every reason, for metrics.
    pub const ALL: [Self; 26] = [
        Self::BadRequest,
        Self::UnknownHost,
        Self::Misdirected,
        Self::MethodRefused,
        Self::TooLong,
        Self::TooSlow,
        Self::Loop,
        Self::NotReady,
        Self::Paused,
        Self::Suspended,
        Self::OutOfLease,
        Self::NoOrigin,
        Self::Busy,
        Self::OriginDown,
        Self::OriginSlow,
        Self::OriginBroken,
        Self::OriginAltered,
        Self::OriginForbidden,
        Self::OriginUntrusted,
        Self::NotStored,
        Self::Internal,
        Self::NotFound,
        Self::ContentAway,
        Self::SiteBroken,
        Self::RulesMissing,
        Self::RulesBroken,
    ];

    /// Status, name and text.
    fn parts(self) -> (u16, &'static str, &'static str) {
        match self {
            Self::BadRequest => (400, "bad-request", "The request is malformed."),
            Self::UnknownHost => (
                404,
                "unknown-host",
                "No site with this name is served here.",
            ),
            Self::Misdirected => (
                421,
                "unknown-host",
                "No site with this name is served here.",
            ),
            Self::MethodRefused => (405, "method-refused", "This method is not forwarded."),
            Self::TooLong => (413, "request-too-long", "The request's body is too long."),
            Self::TooSlow => (
                408,
                "request-too-slow",
                "The request took too long to arrive.",
            ),
            Self::Loop => (
                508,
                "loop",
                "The request came through this network before: the site's origin points back to \
                 it.",
            ),
            Self::NotReady => (
                503,
                "not-ready",
                "This gateway is starting and knows no sites yet.",
            ),
            Self::Paused => (503, "paused", "The owner of this site has paused it."),
            Self::Suspended => (
                503,
                "suspended",
                "This site is suspended because its prepaid account cannot cover its allowance.",
            ),
            Self::OutOfLease => (
                503,
                "allowance-used-up",
                "This site has used up its allowance for now. It is served again when the next \
                 period begins.",
            ),
            Self::NoOrigin => (
                502,
                "origin-invalid",
                "This site's origin is not set up correctly.",
            ),
            Self::Busy => (
                503,
                "busy",
                "This gateway has as many requests as it can take.",
            ),
            Self::OriginDown => (
                502,
                "origin-down",
                "The site's own server cannot be reached.",
            ),
            Self::OriginSlow => (
                504,
                "origin-slow",
                "The site's own server took too long to answer.",
            ),
            Self::OriginBroken => (
                502,
                "origin-broken",
                "The site's own server gave an answer that is not valid.",
            ),
            Self::OriginAltered => (
                502,
                "origin-altered",
                "What the site's own server sent does not match the digest that it states.",
            ),
            Self::OriginForbidden => (
                502,
                "origin-forbidden",
                "The site's own server has an address that is refused.",
            ),
            Self::OriginUntrusted => (
                502,
                "origin-untrusted",
                "The certificate of the site's own server does not verify.",
            ),
            Self::NotStored => (
                504,
                "not-stored",
                "The answer is not stored, and the request forbids asking for it.",
            ),
            Self::Internal => (
                500,
                "internal",
                "The gateway failed. The operator's log has the reason under the request id.",
            ),
            Self::NotFound => (404, "not-found", "This site has no such page."),
            Self::ContentAway => (
                503,
                "content-away",
                "The network cannot reach this page's content at the moment.",
            ),
            Self::SiteBroken => (502, "site-broken", "What this site names is not a site."),
            Self::RulesMissing => (
                503,
                "rules-missing",
                "The rules of this site have not arrived here yet.",
            ),
            Self::RulesBroken => (
                500,
                "rules-broken",
                "The rules of this site lead nowhere for this address.",
            ),
        }
    }

    /// The status it is answered with.
    pub fn status(self) -> StatusCode {
        StatusCode::from_u16(self.parts().0).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// A short name in lower case, the same in logs, metrics and answers.
    pub fn name(self) -> &'static str {
        self.parts().1
    }

    /// Whether what follows on an HTTP/1.1 connection can no longer be trusted to be a request.
    pub fn ends_connection(self) -> bool {
        matches!(
            self,
            Self::BadRequest | Self::MethodRefused | Self::TooLong | Self::TooSlow
        )
    }

    fn retry_after(self) -> Option<u64> {
        match self {
            Self::NotReady | Self::Busy | Self::ContentAway => Some(2),
            Self::Paused | Self::Suspended => Some(300),
            Self::OutOfLease => Some(30),
            _ => None,
        }
    }
}

impl From<&OriginError> for Reason {
    fn from(error: &OriginError) -> Self {
        match error {
            OriginError::TooSlow(_) => Self::OriginSlow,
            OriginError::Connect(ConnectError::Forbidden(_)) => Self::OriginForbidden,
            OriginError::Connect(ConnectError::Tls(_)) => Self::OriginUntrusted,
            OriginError::Connect(ConnectError::BadUrl(_)) => Self::NoOrigin,
            OriginError::Malformed(_) => Self::OriginBroken,
            OriginError::Connect(_) | OriginError::Broken(_) => Self::OriginDown,
            _ => Self::Internal,
        }
    }
}

/// A request that gets no content, and for the log what lies behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The reason.
    pub reason: Reason,
    /// The cause, for the operator only.
    pub cause: Option<String>,
    /// When to come back, in seconds, where that is known better than by the reason.
    pub retry_after: Option<u64>,
    /// What the customer wants visitors to get in place of the gateway's words.
    pub page: Option<Box<OwnPage>>,
}

/// A customer's page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnPage {
    /// Its text.
    pub text: String,
    /// Its media type.
    pub kind: String,
}

impl Failure {
    /// A reason that says it all.
    pub fn new(reason: Reason) -> Self {
        Self {
            reason,
            cause: None,
            retry_after: None,
            page: None,
        }
    }

    /// A reason with its cause.
    pub fn because(reason: Reason, cause: impl std::fmt::Display) -> Self {
        Self {
            cause: Some(cause.to_string()),
            ..Self::new(reason)
        }
    }

    /// The answer: HTML for browsers, JSON for programs that ask for it. An answer to `HEAD` has
    /// the same fields.
    pub fn response(&self, request: &HeaderMap, id: &str) -> Response<Body> {
        let (_, name, text) = self.reason.parts();
        let status = self.reason.status();
        let accepts = request
            .get(header::ACCEPT)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let (kind, body) = if accepts.contains("application/json") {
            let body = serde_json::json!({
                "status": status.as_u16(), "reason": name, "message": text, "request_id": id,
            });
            ("application/json", body.to_string())
        } else {
            let title = format!(
                "{} {}",
                status.as_u16(),
                status.canonical_reason().unwrap_or("")
            );
            let body = format!(
                "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\n\
                 <title>{title}</title>\n\
                 <h1>{title}</h1>\n<p>{text}</p>\n<p><small>Request {id}</small></p>\n</html>\n"
            );
            ("text/html; charset=utf-8", body)
        };
        let kind = HeaderValue::from_static(kind);
        let (kind, body) = match self.page.as_deref() {
            Some(page) => {
                let own = HeaderValue::from_str(&page.kind);
                (own.unwrap_or(kind), page.text.clone())
            }
            None => (kind, body),
        };
        let mut response = Response::new(full(Bytes::from(body)));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, kind);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(REASON, HeaderValue::from_static(name));
        if let Some(seconds) = self.retry_after.or(self.reason.retry_after()) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    #[tokio::test]
    async fn a_failure_is_html_or_json_and_never_tells_its_cause() {
        for reason in Reason::ALL {
            let failure = Failure::because(reason, "10.0.0.1 refused");
            for accept in ["text/html", "application/json"] {
                let mut request = HeaderMap::new();
                request.insert(header::ACCEPT, HeaderValue::from_static(accept));
                let response = failure.response(&request, "id-7");
                assert_eq!(response.status(), reason.status());
                assert_eq!(response.headers()[REASON], reason.name());
                let kind = response.headers()[header::CONTENT_TYPE]
                    .to_str()
                    .unwrap()
                    .to_owned();
                assert!(kind.starts_with(accept));
                let body = response.into_body().collect().await.unwrap().to_bytes();
                let body = String::from_utf8(body.to_vec()).unwrap();
                assert!(
                    body.contains("id-7") && !body.contains("10.0.0.1"),
                    "{body}"
                );
            }
        }
    }
}
