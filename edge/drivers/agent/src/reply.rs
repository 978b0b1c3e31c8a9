//! Answers of both servers.

use http::{header, HeaderValue, Response, StatusCode};
use selvedge_edge_drivers_http::{full, Body};

/// SCALE.
pub(crate) fn scale(bytes: Vec<u8>) -> Response<Body> {
    with_type(StatusCode::OK, "application/octet-stream", bytes)
}

/// JSON.
pub(crate) fn json(value: &serde_json::Value) -> Response<Body> {
    with_type(
        StatusCode::OK,
        "application/json",
        value.to_string().into_bytes(),
    )
}

/// JSON, an object to each line, for as long as there are more.
pub(crate) fn json_lines(body: Body) -> Response<Body> {
    let mut response = with_type(StatusCode::OK, "application/x-ndjson", Vec::new());
    *response.body_mut() = body;
    response
}

/// A status with a line of text that says what is wrong.
pub(crate) fn problem(status: StatusCode, text: &str) -> Response<Body> {
    with_type(
        status,
        "text/plain; charset=utf-8",
        format!("{text}\n").into_bytes(),
    )
}

fn with_type(status: StatusCode, kind: &'static str, bytes: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(full(bytes));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
