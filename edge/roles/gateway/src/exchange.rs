//! One request under way: who asked for what, when, over which connection.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::request::Parts;
use http::{HeaderMap, Method, Uri, Version};
use rand::RngCore;
use selvedge_edge_core_rules::Plan;
use selvedge_edge_drivers_agent::clock;
use selvedge_edge_drivers_http::ConnInfo;
use selvedge_primitives_types::agent::ServiceState;
use selvedge_primitives_types::{DeviceId, Millis};

use crate::failure::{Failure, Reason};
use crate::fields;
use crate::target::{may_leave, Target};
use crate::timing::Waited;
use crate::world::{Service, World};

/// A request id of a visitor or a proxy before us is kept up to this length.
const MAX_REQUEST_ID: usize = 64;

/// What stays the same while a request is answered.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Names the request in logs, answers and towards the origin.
    pub id: Arc<str>,
    /// When its head had arrived.
    pub started: Instant,
    /// The same by the clock.
    pub arrived: Millis,
    /// When its answer must have begun.
    pub deadline: Instant,
    /// The connection.
    pub connection: ConnInfo,
    /// Method.
    pub method: Method,
    /// Version of the visitor's protocol.
    pub version: Version,
    /// Host in lower case without a port; empty when the request names none that is valid.
    pub host: Arc<str>,
    /// Path and query as sent.
    pub target: Arc<str>,
    /// What makes it a request that is not answered.
    pub fault: Option<&'static str>,
    /// How long its origin was waited for.
    pub waited: Arc<Waited>,
    /// What the service's rules made of it.
    pub rules: Option<Arc<Plan>>,
}

impl Exchange {
    /// Reads a request's head; its answer must begin within `patience`.
    pub fn new(parts: &Parts, connection: ConnInfo, patience: Duration) -> Self {
        let started = Instant::now();
        let (target, fault) = match Target::read(parts) {
            Ok(target) => (target, None),
            Err(fault) => {
                let sent = parts.uri.path_and_query();
                let target = Target {
                    host: String::new(),
                    path_and_query: sent.map_or("/", |target| target.as_str()).to_owned(),
                };
                (target, Some(fault))
            }
        };
        Self {
            id: request_id(parts),
            started,
            deadline: started + patience,
            arrived: clock::now(),
            connection,
            method: parts.method.clone(),
            version: parts.version,
            host: target.host.into(),
            target: target.path_and_query.into(),
            fault,
            waited: Arc::default(),
            rules: None,
        }
    }

    /// How much time is left until its answer must have begun.
    pub fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// `http` or `https`, as the visitor came.
    pub fn scheme(&self) -> &'static str {
        scheme_of(&self.connection)
    }
}

/// `http` or `https`, as over this connection.
pub fn scheme_of(connection: &ConnInfo) -> &'static str {
    if connection.is_tls {
        "https"
    } else {
        "http"
    }
}

impl Exchange {
    /// The URL to fetch: the origin's base path, then path and query as the visitor sent them.
    pub fn origin_url(&self, origin: &Uri) -> Uri {
        let base = origin.path().trim_end_matches('/');
        let target = &self.target;
        let mut parts = origin.clone().into_parts();
        parts.path_and_query = format!("{base}{target}").parse().ok();
        Uri::from_parts(parts).unwrap_or_else(|_| origin.clone())
    }
}

/// What a request is answered with: the state of the chain's config, and the service.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The config, the same for the whole request.
    pub world: Arc<World>,
    /// The service.
    pub service: Arc<Service>,
    /// The origin's base URL; of a service with a site the root of nothing.
    pub origin: Uri,
}

impl Scope {
    /// The service of the request's host.
    ///
    /// Errors: a request that is not answered, an unknown host, a service whose origin is not
    /// usable, and a target outside of it.
    pub fn new(world: Arc<World>, exchange: &Exchange) -> Result<Self, Failure> {
        if let Some(fault) = exchange.fault {
            return Err(Failure::because(Reason::BadRequest, fault));
        }
        let service = world.service(&exchange.host).cloned();
        let service = service.ok_or(Failure::new(if exchange.connection.is_tls {
            Reason::Misdirected
        } else {
            Reason::UnknownHost
        }))?;
        let origin = match service.site {
            // Nothing is fetched from it.
            Some(_) => Uri::default(),
            None => service
                .origin
                .clone()
                .ok_or(Failure::new(Reason::NoOrigin))?,
        };
        if may_leave(&origin, &exchange.target) {
            let cause = "the target leaves the origin's base path";
            return Err(Failure::because(Reason::BadRequest, cause));
        }
        Ok(Self {
            world,
            service,
            origin,
        })
    }

    /// Why a request with this method and these fields is answered by the gateway itself, whatever
    /// it asks for.
    pub fn refusal(&self, method: &Method, fields: &HeaderMap) -> Option<Reason> {
        match self.service.state {
            ServiceState::Paused => Some(Reason::Paused),
            ServiceState::Suspended => Some(Reason::Suspended),
            ServiceState::Active if matches!(*method, Method::CONNECT | Method::TRACE) => {
                Some(Reason::MethodRefused)
            }
            ServiceState::Active if fields::is_looping(fields) => Some(Reason::Loop),
            ServiceState::Active => None,
        }
    }
}

/// No cache: what may not be shared.
pub const NO_CACHE: DeviceId = DeviceId([0; 32]);

fn request_id(parts: &Parts) -> Arc<str> {
    let sent = parts
        .headers
        .get("x-request-id")
        .and_then(|value| value.to_str().ok());
    match sent.filter(|id| is_request_id(id)) {
        Some(id) => id.into(),
        None => std::str::from_utf8(&new_request_id())
            .unwrap_or_default()
            .into(),
    }
}

/// Whether an id that somebody sent is harmless.
pub fn is_request_id(id: &str) -> bool {
    (1..=MAX_REQUEST_ID).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// An id of 32 hexadecimal digits that nobody had before.
pub fn new_request_id() -> [u8; 32] {
    let mut bytes = [0; 16];
    rand::thread_rng().fill_bytes(&mut bytes);
    let mut id = [0; 32];
    for (two, byte) in id.chunks_exact_mut(2).zip(bytes) {
        let digit = |number: u8| b"0123456789abcdef"[usize::from(number)];
        two.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn parts(uri: &str, fields: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().uri(uri);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn the_base_path_of_an_origin_comes_first() {
        let connection = ConnInfo {
            peer: ([127, 0, 0, 1], 1).into(),
            local: ([127, 0, 0, 1], 2).into(),
            is_tls: false,
            certificate: None,
            progress: Arc::default(),
        };
        for (origin, target, expected) in [
            ("http://o.test", "/a?b", "http://o.test/a?b"),
            ("http://o.test/", "/", "http://o.test/"),
            (
                "https://o.test:8443/base/",
                "/a",
                "https://o.test:8443/base/a",
            ),
        ] {
            let host = [("host", "a.test")];
            let exchange = Exchange::new(&parts(target, &host), connection.clone(), Duration::ZERO);
            let url = exchange.origin_url(&origin.parse().unwrap());
            assert_eq!(url.to_string(), expected);
        }
    }

    #[test]
    fn a_request_id_is_kept_only_when_it_is_harmless() {
        assert_eq!(
            request_id(&parts("/", &[("x-request-id", "abc-1")])),
            "abc-1".into()
        );
        for bad in ["", "a b", &"x".repeat(65), "<script>"] {
            let id = request_id(&parts("/", &[("x-request-id", bad)]));
            assert_eq!(id.len(), 32, "{bad}");
        }
    }
}
