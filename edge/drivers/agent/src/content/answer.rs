//! Answers requests about content.

use std::sync::Arc;
use std::time::Duration;

use http::{header, HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use selvedge_edge_core_content::{MediaType, Name};
use selvedge_edge_core_verify::{ProvenSlice, SliceProof};
use selvedge_edge_drivers_http::{collect, Body, CollectError};
use selvedge_primitives_types::{Hash, ServiceId};
use serde_json::{json, Value};

use super::question::{asked, kind_name, number, put_of, question, root_hex, Asked, MAX_QUESTION};
use super::turns::Turns;
use super::{ContentDesk, ContentRefused, Described, Lacking, Upload};
use crate::customer::{publish_token, ReadRefused};
use crate::insight::{refusal, Insight};
use crate::{clock, reply};

/// How long a question may take to arrive.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a slice may take: 1 MiB at 70 kB/s.
const SLICE_TIMEOUT: Duration = Duration::from_secs(15);

/// Answers a request below `/content/v1`, of which `path` is the rest.
pub(crate) async fn answer<D: ContentDesk>(
    desk: &Arc<D>,
    path: &str,
    request: Request<Incoming>,
    turns: &Turns,
) -> Response<Body> {
    let asked = match asked(path) {
        Ok(Some(asked)) => asked,
        Ok(None) => return reply::problem(StatusCode::NOT_FOUND, "there is nothing here"),
        Err(error) => return reply::problem(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let (method, named) = match asked {
        Asked::Have(service) => (Method::POST, Some(service)),
        Asked::Put(service, _) => (Method::PUT, Some(service)),
        Asked::Get(..) => (Method::GET, None),
    };
    if *request.method() != method {
        return reply::problem(
            StatusCode::METHOD_NOT_ALLOWED,
            &format!("use {method} here"),
        );
    }
    if let Some(service) = named {
        if let Err(refused) = admit(&**desk, &request, service) {
            return refusal(refused, desk.genesis());
        }
    }
    let answered = match asked {
        Asked::Have(service) => have(desk, service, request).await,
        Asked::Put(service, root) => put(desk, service, root, request, turns).await,
        Asked::Get(root, path) => get(desk, root, path, request.uri().query()).await,
    };
    answered.unwrap_or_else(|response| response)
}

type Answer = Result<Response<Body>, Response<Body>>;

fn admit(
    desk: &impl Insight,
    request: &Request<Incoming>,
    service: ServiceId,
) -> Result<(), ReadRefused> {
    let shown = request.headers().get(header::AUTHORIZATION);
    let shown = shown.map(HeaderValue::as_bytes);
    let genesis = desk.genesis().ok_or(ReadRefused::UnknownService)?;
    let opened = publish_token(shown, &genesis, clock::now(), |named| desk.customer(named))?;
    match opened == service {
        true => Ok(()),
        false => Err(ReadRefused::OtherScope),
    }
}

async fn have<D: ContentDesk>(
    desk: &Arc<D>,
    service: ServiceId,
    request: Request<Incoming>,
) -> Answer {
    let body = collect(request.into_body(), MAX_QUESTION, QUESTION_TIMEOUT).await;
    let body = body.map_err(uncollected)?;
    let (factor, blobs) = question(&body).map_err(wrong)?;
    let upload = Upload { service, factor };
    let lacking = desk.clone().lacking(upload, blobs.clone()).await;
    let Lacking { owners, missing } = lacking.map_err(refused)?;
    let blobs: Vec<Value> = blobs
        .iter()
        .zip(missing)
        .map(|(blob, missing)| json!({ "root": root_hex(&blob.root), "missing": missing }))
        .collect();
    Ok(reply::json(&json!({ "owners": owners, "blobs": blobs })))
}

async fn put<D: ContentDesk>(
    desk: &Arc<D>,
    service: ServiceId,
    root: Hash,
    request: Request<Incoming>,
    turns: &Turns,
) -> Answer {
    let query = request.uri().query().unwrap_or_default();
    let (factor, content, slice) = put_of(query, root).map_err(wrong)?;
    let Some(length) = ProvenSlice::encoded_length(content.length, slice) else {
        return Err(refused(ContentRefused::NoSlice));
    };
    let turn = turns.take(service).await;
    let _turn = turn.ok_or_else(|| refused(ContentRefused::Busy))?;
    let body = collect(request.into_body(), length, SLICE_TIMEOUT).await;
    let body = body.map_err(uncollected)?;
    let slice = ProvenSlice::read(&content.root, content.length, slice, body)
        .map_err(|error| reply::problem(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string()))?;
    let upload = Upload { service, factor };
    let taken = desk.clone().take(upload, content, slice).await;
    let taken = taken.map_err(refused)?;
    Ok(reply::json(&json!({
        "owners": taken.owners,
        "wanted": taken.wanted,
        "complete": taken.is_complete,
    })))
}

async fn get<D: ContentDesk>(
    desk: &Arc<D>,
    root: Hash,
    path: Vec<Name>,
    query: Option<&str>,
) -> Answer {
    let described = desk.clone().describe(root, path).await.map_err(refused)?;
    let query = query.unwrap_or_default();
    if query.is_empty() {
        let Described {
            content,
            media_type,
            service,
        } = described;
        return Ok(reply::json(&json!({
            "root": root_hex(&content.root),
            "length": content.length,
            "kind": kind_name(content.kind),
            "media_type": media_type.as_ref().map(MediaType::as_str),
            "service": service.0,
        })));
    }
    let slice = number(query, "slice").ok_or_else(|| wrong("name a slice: ?slice=0"))?;
    if SliceProof::shape(described.content.length, slice).is_none() {
        return Err(refused(ContentRefused::NoSlice));
    }
    let body = desk.clone().give(described, slice).await.map_err(refused)?;
    let mut response = reply::scale(Vec::new());
    *response.body_mut() = body;
    Ok(response)
}

fn uncollected(error: CollectError) -> Response<Body> {
    let status = match error {
        CollectError::TooLong { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        CollectError::TooSlow => StatusCode::REQUEST_TIMEOUT,
        CollectError::Broken(_) => StatusCode::BAD_REQUEST,
    };
    reply::problem(status, &error.to_string())
}

fn refused(refused: ContentRefused) -> Response<Body> {
    let status = match refused {
        ContentRefused::NoOwner | ContentRefused::Busy | ContentRefused::OutOfLease => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        ContentRefused::NoRoom => StatusCode::INSUFFICIENT_STORAGE,
        ContentRefused::NotServed => StatusCode::CONFLICT,
        ContentRefused::NotPinned | ContentRefused::Absent | ContentRefused::NoSlice => {
            StatusCode::NOT_FOUND
        }
        ContentRefused::NotADirectory => StatusCode::BAD_GATEWAY,
    };
    reply::problem(status, &refused.to_string())
}

fn wrong(what: &str) -> Response<Body> {
    reply::problem(StatusCode::BAD_REQUEST, what)
}
