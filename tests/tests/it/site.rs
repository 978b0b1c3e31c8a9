//! A site with everything that a bill must get right: what may be cached and what may not, validators, ranges, errors.

use axum::{
    body::Body,
    extract::{Path, Request, State},
    http::{header, HeaderMap, Response, StatusCode},
    middleware::{from_fn_with_state, Next},
    routing::get,
    Router,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{net::TcpListener, task::JoinHandle};

/// Length of the file at `/file`.
pub const FILE_LENGTH: usize = 3 << 20;

/// Length of a page.
pub fn length(number: u32) -> usize {
    500 + 37 * number as usize
}

/// How often each path was asked for.
type Asked = Arc<Mutex<HashMap<String, usize>>>;

/// A running site; it stops when dropped.
pub struct Site {
    port: u16,
    asked: Asked,
    task: JoinHandle<()>,
}

impl Site {
    /// Starts it on a free port of the loopback.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let asked = Asked::default();
        let router = Router::new()
            .route("/page/{number}", get(page))
            .route("/brief/{number}", get(brief))
            .route("/private/{number}", get(private))
            .route("/tagged/{number}", get(tagged))
            .route("/file", get(file))
            .layer(from_fn_with_state(asked.clone(), count));
        let task = tokio::spawn(async move {
            axum::serve(listener, router)
                .await
                .expect("the site keeps running");
        });
        Ok(Self { port, asked, task })
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// How often it was asked for a path, for the whole or whether it has changed.
    pub fn asked(&self, path: &str) -> usize {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.get(path).copied().unwrap_or(0)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn count(State(asked): State<Asked>, request: Request, next: Next) -> Response<Body> {
    let path = request.uri().path().to_owned();
    *asked
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .entry(path)
        .or_default() += 1;
    next.run(request).await
}

fn text(number: u32, length: usize) -> Vec<u8> {
    (0..length)
        .map(|index| b'a' + ((index as u32 + number) % 26) as u8)
        .collect()
}

async fn page(Path(number): Path<u32>) -> Response<Body> {
    answer(
        [(header::CACHE_CONTROL, "public, max-age=3600")],
        text(number, length(number)),
    )
}

/// Fresh for less than what gateways probe each other with has to be: nobody but visitors asks for it.
async fn brief(Path(number): Path<u32>) -> Response<Body> {
    answer(
        [(header::CACHE_CONTROL, "public, max-age=20")],
        text(number, length(number)),
    )
}

async fn private(Path(number): Path<u32>) -> Response<Body> {
    answer(
        [(header::CACHE_CONTROL, "no-store")],
        text(number, 800 + number as usize),
    )
}

async fn tagged(Path(number): Path<u32>, headers: HeaderMap) -> Response<Body> {
    let tag = format!("\"v{number}\"");
    let matches = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|value| value.as_bytes() == tag.as_bytes());
    let mut response = answer([(header::CACHE_CONTROL, "max-age=20")], text(number, 1_000));
    response
        .headers_mut()
        .insert(header::ETAG, tag.parse().expect("a tag is a field value"));
    if matches {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::empty();
    }
    response
}

async fn file() -> Response<Body> {
    answer(
        [(header::CACHE_CONTROL, "max-age=3600")],
        text(0, FILE_LENGTH),
    )
}

fn answer<const N: usize>(
    fields: [(header::HeaderName, &'static str); N],
    body: Vec<u8>,
) -> Response<Body> {
    let mut response = Response::builder();
    for (name, value) in fields {
        response = response.header(name, value);
    }
    response
        .body(Body::from(body))
        .expect("the fields are valid")
}
