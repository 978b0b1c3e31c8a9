//! Purges over HTTP, beside the audit endpoint.
//!
//! | Request | Body | Answer |
//! |---|---|---|
//! | `POST /purge/v1` | [`SignedPurgeRequest`] as JSON | 200 and a receipt when every node obeys it; 202 and a receipt that names who has not said so |
//! | `POST /purge/v1/order` | `SignedPurgeOrder` in SCALE, from another gateway | `PurgeAnswer` in SCALE |
//!
//! Both carry the signatures that they are judged by, so anyone may send them; each address may do so
//! a limited number of times a second, for checking one costs about 0.1 ms.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use codec::{DecodeAll, Encode};
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use selvedge_edge_drivers_http::{collect, Body, CollectError};
use selvedge_primitives_types::{
    CustomerSignature, Millis, PurgeAnswer, PurgeKind, PurgeMode, PurgeReceipt, PurgeRefusal,
    PurgeRequest, ServiceId, Signature64, SignedPurgeOrder, SignedPurgeRequest,
};
use serde_json::{json, Value};

use crate::reply;

/// The longest body: a text of 8 KiB, which JSON may write six times as long.
const MAX_BODY: usize = 64 * 1024;
/// How long it may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// What a gateway does with purges.
pub trait PurgeDesk: Send + Sync + 'static {
    /// Has a customer's purge obeyed everywhere.
    fn purge(
        self: Arc<Self>,
        signed: SignedPurgeRequest,
    ) -> impl Future<Output = Result<PurgeReceipt, PurgeRefusal>> + Send;

    /// Keeps and obeys an order that another gateway spreads.
    fn order(self: Arc<Self>, order: SignedPurgeOrder) -> impl Future<Output = PurgeAnswer> + Send;
}

/// Answers a request below `/purge/v1`, of which `path` is the rest.
pub(crate) async fn answer<D: PurgeDesk>(
    desk: &Arc<D>,
    path: &str,
    request: Request<Incoming>,
) -> Response<Body> {
    if request.method() != Method::POST {
        return reply::problem(StatusCode::METHOD_NOT_ALLOWED, "use POST");
    }
    let body = match collect(request.into_body(), MAX_BODY, BODY_TIMEOUT).await {
        Ok(body) => body,
        Err(error) => {
            let status = match error {
                CollectError::TooLong { .. } => StatusCode::PAYLOAD_TOO_LARGE,
                CollectError::TooSlow => StatusCode::REQUEST_TIMEOUT,
                CollectError::Broken(_) => StatusCode::BAD_REQUEST,
            };
            return reply::problem(status, &error.to_string());
        }
    };
    match path {
        "" => match read(&body) {
            Ok(signed) => match desk.clone().purge(signed).await {
                Ok(receipt) => {
                    let mut response = reply::json(&receipt_json(&receipt));
                    if !receipt.missing.is_empty() {
                        *response.status_mut() = StatusCode::ACCEPTED;
                    }
                    response
                }
                Err(refusal) => reply::problem(status_of(refusal), refusal.reason()),
            },
            Err(what) => reply::problem(StatusCode::BAD_REQUEST, what),
        },
        "/order" => match SignedPurgeOrder::decode_all(&mut &body[..]) {
            Ok(order) => reply::scale(desk.clone().order(order).await.encode()),
            Err(_) => reply::problem(StatusCode::BAD_REQUEST, "the body is not an order"),
        },
        _ => reply::problem(StatusCode::NOT_FOUND, "there is nothing here"),
    }
}

fn status_of(refusal: PurgeRefusal) -> StatusCode {
    match refusal {
        PurgeRefusal::UnknownService => StatusCode::NOT_FOUND,
        PurgeRefusal::NotTheCustomer | PurgeRefusal::NotAnOwner | PurgeRefusal::NotTheGateway => {
            StatusCode::FORBIDDEN
        }
        PurgeRefusal::Untimely | PurgeRefusal::Text => StatusCode::BAD_REQUEST,
        PurgeRefusal::TooMany => StatusCode::TOO_MANY_REQUESTS,
        PurgeRefusal::Number => StatusCode::CONFLICT,
        PurgeRefusal::NotKept | PurgeRefusal::NotReady | PurgeRefusal::NoOwner => {
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

/// Reads a customer's request; the error says what is wrong with it.
fn read(body: &[u8]) -> Result<SignedPurgeRequest, &'static str> {
    let value: Value = serde_json::from_slice(body).map_err(|_| "the body is not JSON")?;
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let number = |name: &str| value.get(name).and_then(Value::as_u64);
    let what = || {
        let text = text("value").ok_or("`value` must be a text")?;
        Ok::<_, &'static str>(text.as_bytes().to_vec())
    };
    let kind = match text("kind") {
        Some("url") => PurgeKind::Url(what()?),
        Some("prefix") => PurgeKind::Prefix(what()?),
        Some("host") => PurgeKind::Host(what()?),
        Some("tag") => PurgeKind::Tag(what()?),
        Some("everything") => PurgeKind::Everything,
        _ => return Err("`kind` must be url, prefix, host, tag or everything"),
    };
    let mode = match text("mode") {
        Some("hard") => PurgeMode::Hard,
        Some("soft") => PurgeMode::Soft,
        _ => return Err("`mode` must be hard or soft"),
    };
    let mut nonce = [0; 16];
    digits(text("nonce"), &mut nonce).ok_or("`nonce` must be 0x and 32 hex digits")?;
    let mut signature = Signature64::default();
    digits(text("signature"), &mut signature.0)
        .ok_or("`signature` must be 0x and 128 hex digits")?;
    let signature = match text("scheme") {
        Some("ed25519") => CustomerSignature::Ed25519(signature),
        Some("sr25519") => CustomerSignature::Sr25519(signature),
        _ => return Err("`scheme` must be ed25519 or sr25519"),
    };
    Ok(SignedPurgeRequest {
        request: PurgeRequest {
            service: ServiceId(number("service").ok_or("`service` must be a number")?),
            kind,
            mode,
            issued: Millis(number("issued").ok_or("`issued` must be milliseconds")?),
            nonce,
        },
        author: signature.into(),
    })
}

fn digits(text: Option<&str>, into: &mut [u8]) -> Option<()> {
    let text = text?;
    hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), into).ok()
}

/// A receipt as JSON. The order is SCALE in hex, for whoever checks its signatures.
fn receipt_json(receipt: &PurgeReceipt) -> Value {
    let order = &receipt.order;
    let hex = |bytes: &[u8]| format!("0x{}", hex::encode(bytes));
    let acks: Vec<Value> = receipt
        .acks
        .iter()
        .map(|ack| {
            json!({
                "device": ack.device.to_string(),
                "signature": hex(&ack.signature.0),
            })
        })
        .collect();
    let missing: Vec<String> = receipt.missing.iter().map(ToString::to_string).collect();
    json!({
        "service": order.service().0,
        "number": order.order.number,
        "owner": order.order.owner.to_string(),
        "order": hex(&order.encode()),
        "acks": acks,
        "missing": missing,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use selvedge_primitives_types::PurgeAuthor;

    fn body(change: impl FnOnce(&mut Value)) -> Vec<u8> {
        let mut value = json!({
            "service": 7,
            "kind": "url",
            "value": "https://a.test/x",
            "mode": "soft",
            "issued": 1_000,
            "nonce": format!("0x{}", "01".repeat(16)),
            "scheme": "sr25519",
            "signature": format!("0x{}", "02".repeat(64)),
        });
        change(&mut value);
        value.to_string().into_bytes()
    }

    #[test]
    fn a_request_is_read_as_it_was_signed() {
        let signed = read(&body(|_| {})).unwrap();
        assert_eq!(
            signed.request,
            PurgeRequest {
                service: ServiceId(7),
                kind: PurgeKind::Url(b"https://a.test/x".to_vec()),
                mode: PurgeMode::Soft,
                issued: Millis(1_000),
                nonce: [1; 16],
            }
        );
        assert_eq!(signed.author, PurgeAuthor::Sr25519(Signature64([2; 64])));
        let all = body(|value| {
            value["kind"] = json!("everything");
            value["value"] = Value::Null;
        });
        assert_eq!(read(&all).unwrap().request.kind, PurgeKind::Everything);
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        for (name, wrong) in [
            ("service", json!(-1)),
            ("kind", json!("all")),
            ("value", json!(3)),
            ("mode", Value::Null),
            ("issued", json!("now")),
            ("nonce", json!("0x01")),
            ("scheme", json!("ecdsa")),
            ("signature", json!("0xzz")),
        ] {
            let error = read(&body(|value| value[name] = wrong)).unwrap_err();
            assert!(error.contains(name), "{name}: {error}");
        }
        for garbage in [&b""[..], b"{", b"[]", b"7", b"\xff"] {
            assert!(read(garbage).is_err());
        }
    }
}
