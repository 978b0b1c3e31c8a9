//! Requests to origins that answer this network alone: signed where the rules say so.

use http::{HeaderName, HeaderValue, Request, Response, Uri};
use hyper::body::Incoming;
use selvedge_edge_core_rules::Rules;
use selvedge_edge_core_verify::{sign_request, RequestTarget, SigningKey};
use selvedge_edge_drivers_agent::clock;
use selvedge_edge_drivers_http::{Body, OriginError, Patience};

use crate::exchange::Exchange;
use crate::gateway::Shared;

const SIGNATURE_INPUT: HeaderName = HeaderName::from_static("signature-input");
const SIGNATURE: HeaderName = HeaderName::from_static("signature");

impl Shared {
    /// Sends what becomes of a visitor's request to the origin.
    pub(crate) async fn send_to_origin(
        &self,
        exchange: &Exchange,
        request: Request<Body>,
        patience: &Patience,
    ) -> Result<Response<Incoming>, OriginError> {
        let rules = exchange.rules.as_ref().map(|plan| plan.rules().as_ref());
        self.send_signed(rules, request, patience).await
    }

    /// Sends a request to an origin by the rules of its service.
    pub(crate) async fn send_signed(
        &self,
        rules: Option<&Rules>,
        mut request: Request<Body>,
        patience: &Patience,
    ) -> Result<Response<Incoming>, OriginError> {
        if rules.is_some_and(Rules::signs_requests) {
            sign(&mut request, self.identity.key(), clock::now().0 / 1_000);
        }
        self.origin.send(request, patience).await
    }
}

/// Adds the signature. A visitor's own ones stay, and of two with our name the later counts (RFC 9651 §3.2).
fn sign(request: &mut Request<Body>, key: &SigningKey, created: u64) {
    let uri = request.uri();
    let authority = authority(uri);
    let target = RequestTarget {
        method: request.method().as_str(),
        authority: &authority,
        path: uri.path(),
        query: uri.query(),
    };
    let signed = sign_request(key, &target, created);
    let fields = [
        (SIGNATURE_INPUT, signed.input),
        (SIGNATURE, signed.signature),
    ];
    for (name, value) in fields {
        // Both are printable ASCII.
        if let Ok(value) = HeaderValue::try_from(value) {
            request.headers_mut().append(name, value);
        }
    }
}

/// Host and port as RFC 9421 §2.2.3 has them.
fn authority(uri: &Uri) -> String {
    let host = uri.host().unwrap_or_default().to_ascii_lowercase();
    let default = if uri.scheme_str() == Some("https") {
        443
    } else {
        80
    };
    match uri.port_u16().filter(|port| *port != default) {
        Some(port) => format!("{host}:{port}"),
        None => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use selvedge_edge_drivers_http::empty;

    #[test]
    fn an_authority_has_no_port_that_its_scheme_says() {
        for (uri, expected) in [
            ("https://Origin.example/a", "origin.example"),
            ("https://origin.example:443/a", "origin.example"),
            ("http://origin.example:443/a", "origin.example:443"),
            ("http://127.0.0.1:8080/", "127.0.0.1:8080"),
            ("http://[::1]:80/", "[::1]"),
        ] {
            assert_eq!(authority(&uri.parse().unwrap()), expected, "{uri}");
        }
    }

    #[test]
    fn a_visitors_signature_stays_and_ours_is_the_last() {
        let mut request = Request::new(empty());
        *request.uri_mut() = "https://origin.example/a?b".parse().unwrap();
        let theirs = HeaderValue::from_static("selvedge=(\"@method\");keyid=\"me\"");
        request
            .headers_mut()
            .append(SIGNATURE_INPUT, theirs.clone());
        sign(&mut request, &SigningKey::from_bytes(&[7; 32]), 1);
        let inputs: Vec<_> = request.headers().get_all(SIGNATURE_INPUT).iter().collect();
        assert_eq!((inputs.len(), inputs[0]), (2, &theirs));
        assert!(inputs[1].to_str().unwrap().contains(";created=1;"));
    }
}
