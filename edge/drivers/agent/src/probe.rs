//! Nonces of probes over HTTP, beside the audit endpoint of a gateway.
//!
//! | Request | Body | Answer |
//! |---|---|---|
//! | `POST /probe/v1` | [`ProbeAnswerPayload`] in SCALE | the device's signature over it in SCALE, or 403 |
//!
//! A cache answers the same over its own transport. What is signed names the prober, the epoch and the purpose, so a
//! signature is good for nothing else; it is given to gateways of the chain's list alone.

use std::sync::Arc;
use std::time::Duration;

use codec::{DecodeAll, Encode};
use ed25519_dalek::SigningKey;
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use selvedge_edge_core_verify::sign::{device, sign};
use selvedge_edge_drivers_http::{collect, Body};
use selvedge_primitives_types::agent::ClockConfig;
use selvedge_primitives_types::{Domain, ProbeAnswerPayload, Signature64};

use crate::reply;

/// A payload has 88 bytes.
const MAX_BODY: usize = 128;
/// How long it may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// What a gateway does with nonces.
pub trait ProbeDesk: Send + Sync + 'static {
    /// Signs a nonce, if it is for this gateway and the prober may ask.
    fn answer_probe(&self, asked: &ProbeAnswerPayload) -> Option<Signature64>;
}

/// Signs the nonce of a prober that is a listed gateway, or is not; `None` unless it is one, asks this very device, and
/// does so for the current epoch. A node whose config is a block behind the prober's answers for the next one too.
pub fn answer_probe(
    key: &SigningKey,
    clock: &ClockConfig,
    asked: &ProbeAnswerPayload,
    is_gateway: bool,
) -> Option<Signature64> {
    let is_now = asked.epoch == clock.epoch || asked.epoch == clock.epoch.next();
    let is_due = is_gateway && is_now && asked.probed == device(key);
    is_due.then(|| sign(key, Domain::ProbeAnswer, &clock.genesis, asked))
}

/// Answers a request of `/probe/v1`.
pub(crate) async fn answer<D: ProbeDesk>(
    desk: &Arc<D>,
    request: Request<Incoming>,
) -> Response<Body> {
    if request.method() != Method::POST {
        return reply::problem(StatusCode::METHOD_NOT_ALLOWED, "use POST");
    }
    let asked = match collect(request.into_body(), MAX_BODY, BODY_TIMEOUT).await {
        Ok(body) => ProbeAnswerPayload::decode_all(&mut &body[..]).ok(),
        Err(_) => None,
    };
    let Some(asked) = asked else {
        return reply::problem(StatusCode::BAD_REQUEST, "the body is not a probe");
    };
    match desk.answer_probe(&asked) {
        Some(signature) => reply::scale(signature.encode()),
        None => reply::problem(StatusCode::FORBIDDEN, "this probe is not answered"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use selvedge_edge_core_verify::sign::verify;
    use selvedge_primitives_types::{DeviceId, Epoch, Millis};

    #[test]
    fn only_a_gateway_gets_an_answer_of_this_device_and_epoch() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let clock = ClockConfig {
            genesis: [1; 32],
            epoch: Epoch(9),
            epoch_start: Millis(0),
            epoch_length: Millis(1),
            now: Millis(0),
            keep_epochs: 24,
        };
        let asked = ProbeAnswerPayload {
            prober: DeviceId([2; 32]),
            probed: device(&key),
            epoch: Epoch(9),
            nonce: [3; 16],
        };
        assert_eq!(asked.encode().len(), 88);
        let signature = answer_probe(&key, &clock, &asked, true).unwrap();
        let (domain, genesis) = (Domain::ProbeAnswer, &clock.genesis);
        assert!(verify(&asked.probed, domain, genesis, &asked, &signature).is_ok());
        let next = ProbeAnswerPayload {
            epoch: Epoch(10),
            ..asked
        };
        assert!(answer_probe(&key, &clock, &next, true).is_some());

        assert_eq!(answer_probe(&key, &clock, &asked, false), None);
        let other = ProbeAnswerPayload {
            probed: DeviceId([4; 32]),
            ..asked
        };
        assert_eq!(answer_probe(&key, &clock, &other, true), None);
        for epoch in [8, 11] {
            let untimely = ProbeAnswerPayload {
                epoch: Epoch(epoch),
                ..asked
            };
            assert_eq!(answer_probe(&key, &clock, &untimely, true), None);
        }
    }
}
