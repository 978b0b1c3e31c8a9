//! Opens drawn leaves for auditors.
//!
//! | Request | Body | Answer |
//! |---|---|---|
//! | `POST /audit/v1/{epoch}/open` | draws in SCALE, at most 64 | [`Openings`] in SCALE, or 404 when nothing was committed |
//!
//! An auditor of a gateway with a million leaves reads kilobytes. Opening costs hashes, so few are
//! opened at a time, away from the threads that serve.

use std::sync::Arc;
use std::time::Duration;

use codec::{DecodeAll, Encode};
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use selvedge_edge_drivers_http::{collect, Body};
use selvedge_primitives_math::draw::Draw;
#[cfg(doc)]
use selvedge_primitives_math::fraud::Openings;
use selvedge_primitives_types::Epoch;
use tokio::sync::Semaphore;

use crate::audit::Audit;
use crate::reply;

/// The most draws of one request; an auditor who has more asks again.
const MAX_DRAWS: usize = 64;
/// A draw has at most 18 bytes.
const MAX_BODY: usize = 18 * MAX_DRAWS + 2;
/// How long a request may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);
/// Requests opened at the same time; the others wait, as many as there are connections.
pub(crate) const AT_ONCE: usize = 2;

/// The epoch, if the path is the one of openings.
pub(crate) fn epoch_of(path: &str) -> Option<Epoch> {
    let epoch = path.strip_prefix("/audit/v1/")?.strip_suffix("/open")?;
    epoch.parse().ok().map(Epoch)
}

/// Answers a request for openings of an epoch.
pub(crate) async fn answer<A: Audit>(
    audit: &Arc<A>,
    epoch: Epoch,
    request: Request<Incoming>,
    turns: &Semaphore,
) -> Response<Body> {
    if request.method() != Method::POST {
        return reply::problem(StatusCode::METHOD_NOT_ALLOWED, "use POST");
    }
    let Ok(body) = collect(request.into_body(), MAX_BODY, BODY_TIMEOUT).await else {
        return reply::problem(StatusCode::BAD_REQUEST, "the body is too long or too slow");
    };
    let draws = match Vec::<Draw>::decode_all(&mut &body[..]) {
        Ok(draws) if draws.len() <= MAX_DRAWS => draws,
        _ => return reply::problem(StatusCode::BAD_REQUEST, "the body is no list of draws"),
    };
    let nothing = || reply::problem(StatusCode::NOT_FOUND, "there is nothing here");
    // It fails only when it is closed, which nobody does.
    let Ok(_turn) = turns.acquire().await else {
        return nothing();
    };
    let audit = audit.clone();
    let opened = tokio::task::spawn_blocking(move || audit.open(epoch, &draws)).await;
    match opened {
        Ok(Some(openings)) => reply::scale(openings.encode()),
        Ok(None) => nothing(),
        Err(error) => {
            tracing::error!(%epoch, %error, "openings failed");
            reply::problem(StatusCode::INTERNAL_SERVER_ERROR, "the gateway failed")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use selvedge_primitives_math::draw::Place;
    use selvedge_primitives_math::TreeKind;

    #[test]
    fn the_longest_request_fits() {
        let draw = Draw {
            tree: TreeKind::Caches,
            at: Place::Amount(u128::MAX),
        };
        assert_eq!(vec![draw; MAX_DRAWS].encoded_size(), MAX_BODY);
    }

    #[test]
    fn only_the_path_of_openings_is_one() {
        assert_eq!(epoch_of("/audit/v1/7/open"), Some(Epoch(7)));
        for path in [
            "/audit/v1/open",
            "/audit/v1/x/open",
            "/audit/v1/-1/open",
            "/audit/v1/7/open/",
            "/audit/v1/7/leaves",
            "/audit/v1/7/8/open",
        ] {
            assert_eq!(epoch_of(path), None, "{path}");
        }
    }
}
