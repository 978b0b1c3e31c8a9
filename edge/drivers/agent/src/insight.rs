//! What a service's customer may see of it, on the public server.
//!
//! | Request | Scope of the token | Answer |
//! |---|---|---|
//! | `GET /analytics/v1/{service}?window=5m` | analytics | counts of the last 1 s to 1 h, as JSON |
//! | `GET /logs/v1/{service}` | logs | lines of the access log from now on, as JSON lines |
//! | `GET /explain/v1/{service}?url=…` | explain | what would answer a `GET` of the URL, as JSON |
//! | `POST /explain/v1/{service}` | explain | the same for `{"url", "method", "fields"}` |
//!
//! Each shows a read token of the account that pays for the service ([`crate::read_token`]). Who
//! shows none, or one that has ended, gets 401; who shows one that opens something else, 403.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use http::{header, HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use selvedge_edge_drivers_http::{collect, empty, Body};
use selvedge_primitives_types::{Account, GenesisHash, Millis, ReadScope, ServiceId};
use serde::Deserialize;
use serde_json::Value;

use crate::customer::{read_token, ReadRefused};
use crate::{clock, reply};

/// The period of figures where none is asked for.
const WINDOW: Millis = Millis(60_000);
/// The longest period.
const LONGEST: u64 = 3_600;
/// Octets of a question, and the time it may take to arrive.
const MAX_QUESTION: usize = 64 * 1024;
const PATIENCE: Duration = Duration::from_secs(5);

/// Why a customer gets no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoInsight {
    /// The question makes no sense.
    #[error("{0}")]
    Question(String),
    /// As many ask as may.
    #[error("{0}")]
    Busy(&'static str),
}

/// A request to explain.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Its method.
    pub method: Method,
    /// Its URL.
    pub url: String,
    /// Its fields.
    pub fields: HeaderMap,
}

/// What a daemon tells a service's customer.
pub trait Insight: Send + Sync + 'static {
    /// The chain that tokens are of, once it is known.
    fn genesis(&self) -> Option<GenesisHash>;

    /// Who pays for a service.
    fn customer(&self, service: ServiceId) -> Option<Account>;

    /// What was counted of it in the `window` before now.
    fn analytics(&self, service: ServiceId, window: Millis) -> Result<Value, NoInsight>;

    /// The lines of its access log from now on.
    fn log(self: &Arc<Self>, service: ServiceId) -> Result<Body, NoInsight>;

    /// What would answer a request, and why. Nothing is fetched, served or charged.
    fn explain(
        self: &Arc<Self>,
        service: ServiceId,
        asked: Asked,
    ) -> impl Future<Output = Result<Value, NoInsight>> + Send;
}

/// Whether a path is one of these.
pub(crate) fn is_insight(path: &str) -> bool {
    scope_of(path).is_some()
}

fn scope_of(path: &str) -> Option<(ReadScope, &str)> {
    let (noun, service) = path.strip_prefix('/')?.split_once("/v1/")?;
    let scope = match noun {
        "analytics" => ReadScope::Analytics,
        "logs" => ReadScope::Logs,
        "explain" => ReadScope::Explain,
        _ => return None,
    };
    Some((scope, service))
}

/// Answers one of these requests.
pub(crate) async fn answer<I: Insight>(
    insight: &Arc<I>,
    request: Request<Incoming>,
) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let Some((scope, service)) = scope_of(&path) else {
        return reply::problem(StatusCode::NOT_FOUND, "there is nothing here");
    };
    let may_post = scope == ReadScope::Explain;
    match *request.method() {
        Method::OPTIONS => return preflight(),
        Method::GET => {}
        Method::POST if may_post => {}
        _ => {
            let text = if may_post {
                "use GET or POST"
            } else {
                "use GET"
            };
            return reply::problem(StatusCode::METHOD_NOT_ALLOWED, text);
        }
    }
    let Ok(service) = service.parse().map(ServiceId) else {
        return reply::problem(StatusCode::NOT_FOUND, "that is no service");
    };
    if let Err(refused) = admit(&**insight, request.headers(), scope, service) {
        return refusal(refused, insight.genesis());
    }
    let answered = match scope {
        ReadScope::Analytics => window(request.uri().query())
            .and_then(|window| insight.analytics(service, window))
            .map(|value| reply::json(&value)),
        ReadScope::Logs => insight.log(service).map(reply::json_lines),
        ReadScope::Explain => match question(request).await {
            Ok(asked) => insight
                .explain(service, asked)
                .await
                .map(|value| reply::json(&value)),
            Err(error) => Err(error),
        },
    };
    answered.unwrap_or_else(|error| {
        let status = match error {
            NoInsight::Question(_) => StatusCode::BAD_REQUEST,
            NoInsight::Busy(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        reply::problem(status, &error.to_string())
    })
}

fn admit(
    insight: &impl Insight,
    headers: &HeaderMap,
    scope: ReadScope,
    service: ServiceId,
) -> Result<(), ReadRefused> {
    let shown = headers.get(header::AUTHORIZATION);
    let shown = shown.map(HeaderValue::as_bytes);
    // Without a config no service is known.
    let genesis = insight.genesis().ok_or(ReadRefused::UnknownService)?;
    let of = |named| insight.customer(named);
    let opened = read_token(shown, scope, &genesis, clock::now(), of)?;
    if opened == service {
        Ok(())
    } else {
        Err(ReadRefused::OtherScope)
    }
}

pub(crate) fn refusal(refused: ReadRefused, genesis: Option<GenesisHash>) -> Response<Body> {
    let status = match refused {
        ReadRefused::Missing | ReadRefused::Untimely => StatusCode::UNAUTHORIZED,
        _ => StatusCode::FORBIDDEN,
    };
    let mut response = reply::problem(status, &refused.to_string());
    if status == StatusCode::UNAUTHORIZED {
        // A token is of one chain, and this is the one.
        let genesis = genesis.map(hex::encode).unwrap_or_default();
        let challenge = HeaderValue::from_str(&format!("Selvedge genesis=\"0x{genesis}\""));
        let challenge = challenge.unwrap_or(HeaderValue::from_static("Selvedge"));
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

/// A page in a browser may ask, with a token of its own.
fn preflight() -> Response<Body> {
    let mut response = Response::new(empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "authorization, content-type",
        ),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ] {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

/// `window=` in seconds, or with `s`, `m` or `h` behind the number.
fn window(query: Option<&str>) -> Result<Millis, NoInsight> {
    let Some(text) = parameter(query, "window") else {
        return Ok(WINDOW);
    };
    let (digits, unit) = match text.bytes().last() {
        Some(b's') => (&text[..text.len() - 1], 1),
        Some(b'm') => (&text[..text.len() - 1], 60),
        Some(b'h') => (&text[..text.len() - 1], 3_600),
        _ => (&text[..], 1),
    };
    let number: Option<u64> = digits.parse().ok();
    let seconds = number.and_then(|number| number.checked_mul(unit));
    let seconds = seconds.filter(|seconds| (1..=LONGEST).contains(seconds));
    let wrong = || NoInsight::Question("window is 1 s to 1 h, such as 30s, 5m or 1h".to_owned());
    Ok(Millis(seconds.ok_or_else(wrong)? * 1_000))
}

fn parameter(query: Option<&str>, name: &str) -> Option<String> {
    url::form_urlencoded::parse(query?.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

/// The body of a `POST`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    url: String,
    method: Option<String>,
    #[serde(default)]
    fields: std::collections::BTreeMap<String, String>,
}

async fn question(request: Request<Incoming>) -> Result<Asked, NoInsight> {
    let wrong = |what: &str| NoInsight::Question(what.to_owned());
    if request.method() == Method::GET {
        let url = parameter(request.uri().query(), "url");
        return Ok(Asked {
            method: Method::GET,
            url: url.ok_or_else(|| wrong("name a URL: ?url="))?,
            fields: HeaderMap::new(),
        });
    }
    let body = collect(request.into_body(), MAX_QUESTION, PATIENCE)
        .await
        .map_err(|error| wrong(&error.to_string()))?;
    let question: Question = serde_json::from_slice(&body)
        .map_err(|error| wrong(&format!("the question cannot be read: {error}")))?;
    let method = question.method.as_deref().unwrap_or("GET");
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| wrong("that is no method"))?;
    let mut fields = HeaderMap::new();
    for (name, value) in &question.fields {
        let name = HeaderName::from_bytes(name.as_bytes());
        let value = HeaderValue::from_str(value);
        let (Ok(name), Ok(value)) = (name, value) else {
            return Err(wrong("one of the fields is none"));
        };
        fields.append(name, value);
    }
    Ok(Asked {
        method,
        url: question.url,
        fields,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_a_scope_and_a_service() {
        assert_eq!(scope_of("/logs/v1/7"), Some((ReadScope::Logs, "7")));
        for other in [
            "/audit/v1/7/commitment",
            "/logs/v2/7",
            "/logs",
            "logs/v1/7",
            "",
        ] {
            assert!(!is_insight(other), "{other}");
        }
    }

    #[test]
    fn periods_are_read_with_their_unit() {
        let read = |query| window(Some(query)).map(|window| window.0 / 1_000);
        for (query, seconds) in [
            ("", 60),
            ("window=5", 5),
            ("window=5s", 5),
            ("a=b&window=5m", 300),
            ("window=1h", 3_600),
        ] {
            assert_eq!(read(query), Ok(seconds), "{query}");
        }
        for query in [
            "window=",
            "window=0",
            "window=s",
            "window=-1",
            "window=2h",
            "window=3601",
            "window=99999999999999999999m",
            "window=%F0%9F%98%80",
        ] {
            assert!(read(query).is_err(), "{query}");
        }
    }

    #[test]
    fn parameters_are_decoded() {
        let query = Some("x=1&url=http%3A%2F%2Fa.test%2Fb%3Fc%3D%2526");
        assert_eq!(
            parameter(query, "url").as_deref(),
            Some("http://a.test/b?c=%26")
        );
        assert_eq!(parameter(None, "url"), None);
    }
}
