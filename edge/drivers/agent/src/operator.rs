//! The operator's port: health, metrics, purges. It is meant for a private address.
//!
//! | Request | Answer |
//! |---|---|
//! | `GET /healthz` | 200 while the process runs |
//! | `GET /readyz` | 200 while requests are answered, else 503 with the reason |
//! | `GET /metrics` | OpenMetrics text |
//! | `POST /purge/{service}` | 204; what was stored of the service before is never served again |

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use http::{header, HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use selvedge_edge_drivers_http::{
    empty, full, Body, ConnInfo, Handler, Limits, Server, ServerHandle,
};
use selvedge_primitives_types::ServiceId;

use crate::reply::problem;

/// What an operator sees of a daemon.
pub trait Operated: Send + Sync + 'static {
    /// Whether it answers requests; `Err` says in a few words why not.
    fn readiness(&self) -> Result<(), &'static str>;

    /// Its metrics in the OpenMetrics text format.
    fn metrics(&self) -> String;

    /// Forgets what is stored of a service.
    fn purge(&self, service: ServiceId);
}

/// The operator's port.
pub struct OperatorServer;

impl OperatorServer {
    /// Starts it.
    ///
    /// Errors: when the address cannot be bound.
    pub async fn start<O: Operated>(
        address: SocketAddr,
        operated: Arc<O>,
    ) -> io::Result<ServerHandle> {
        let limits = Limits {
            connections: 64,
            connections_per_ip: 64,
            ..Limits::default()
        };
        let server = Server::bind(address, limits).await?;
        Ok(server.serve(Arc::new(Endpoint { operated })))
    }
}

/// `healthz` and `readyz`, also for listeners that visitors reach.
pub fn health(operated: &impl Operated, path: &str) -> Response<Body> {
    match path {
        "healthz" => line(StatusCode::OK, "alive\n"),
        "readyz" => match operated.readiness() {
            Ok(()) => line(StatusCode::OK, "ready\n"),
            Err(reason) => problem(StatusCode::SERVICE_UNAVAILABLE, reason),
        },
        _ => problem(StatusCode::NOT_FOUND, "there is nothing here"),
    }
}

fn line(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(full(text));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response
}

struct Endpoint<O> {
    operated: Arc<O>,
}

impl<O: Operated> Handler for Endpoint<O> {
    async fn handle(self: Arc<Self>, request: Request<Incoming>, _: ConnInfo) -> Response<Body> {
        let path = request.uri().path();
        match (request.method(), path.strip_prefix("/purge/")) {
            (&Method::POST, Some(service)) => match service.parse() {
                Ok(service) => {
                    self.operated.purge(ServiceId(service));
                    let mut response = Response::new(empty());
                    *response.status_mut() = StatusCode::NO_CONTENT;
                    response
                }
                Err(_) => problem(StatusCode::NOT_FOUND, "that is no service"),
            },
            (&Method::GET | &Method::HEAD, None) if path == "/metrics" => {
                let mut response = Response::new(full(self.operated.metrics()));
                let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
                let kind = HeaderValue::from_static(kind);
                response.headers_mut().insert(header::CONTENT_TYPE, kind);
                response
            }
            (&Method::GET | &Method::HEAD, None) => {
                health(&*self.operated, path.trim_start_matches('/'))
            }
            _ => problem(
                StatusCode::METHOD_NOT_ALLOWED,
                "use GET, or POST for a purge",
            ),
        }
    }
}
