//! Holds what an origin sends against the digest that it states (`Repr-Digest`, RFC 9530), before anybody else relies on
//! it.
//!
//! A short body is read and checked before its head is answered: a visitor gets all of it or an error. A longer one
//! passes on as it arrives; where it does not match, its last piece stays here, it is signed for nobody, and the
//! visitor's answer ends before its stated length.

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use selvedge_edge_core_verify::publisher::{PublisherDigest, REPR_DIGEST};
use selvedge_edge_drivers_http::collect;

use crate::ask::VERIFY_FIRST;
use crate::failure::{Failure, Reason};
use crate::fetch::length;
use crate::gateway::Shared;
use crate::tab::Tab;

/// A body as it arrives, or one that is here and checked.
pub type Fetched = Either<Incoming, Full<Bytes>>;

impl Shared {
    /// The response, and the digest that is left to check.
    ///
    /// Errors: [`Reason::OriginAltered`] where a short body does not match, [`Reason::OriginDown`] where it breaks off.
    pub async fn published(
        &self,
        method: &Method,
        response: Response<Incoming>,
        tab: &mut Tab,
    ) -> Result<(Response<Fetched>, Option<PublisherDigest>), Failure> {
        let lines = response.headers().get_all(REPR_DIGEST);
        // It is of the whole representation (§3.1), and the answer to GET with 200 is one.
        let is_whole = method == Method::GET && response.status() == StatusCode::OK;
        let digest =
            is_whole.then(|| PublisherDigest::read(lines.iter().map(|line| line.as_bytes())));
        let Some(mut digest) = digest.flatten() else {
            return Ok((response.map(Either::Left), None));
        };
        if length(&response).is_none_or(|length| length > VERIFY_FIRST) {
            return Ok((response.map(Either::Left), Some(digest)));
        }
        let (parts, body) = response.into_parts();
        let body = collect(body, VERIFY_FIRST as usize, self.options.body_timeout)
            .await
            .map_err(|error| Failure::because(Reason::OriginDown, error))?;
        digest.update(&body);
        if let Err(wrong) = digest.finish() {
            self.metrics.altered.inc();
            // It was fetched, whatever it is worth.
            self.metrics.origin.inc_by(body.len() as u64);
            let _ = tab.origin(body.len() as u64);
            return Err(Failure::because(Reason::OriginAltered, wrong));
        }
        Ok((
            Response::from_parts(parts, Either::Right(Full::new(body))),
            None,
        ))
    }
}
