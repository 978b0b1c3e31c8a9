//! What pages of other sites may read (CORS, the Fetch standard §3.2).

use http::{header, HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::Deserialize;

use crate::answer::{Answer, Why};
use crate::pattern::TextPattern;
use crate::request::Request;
use crate::words::{FieldWord, List, MethodWord, Time, Word};

const GIVEN: [HeaderName; 6] = [
    header::ACCESS_CONTROL_ALLOW_ORIGIN,
    header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
    header::ACCESS_CONTROL_ALLOW_METHODS,
    header::ACCESS_CONTROL_ALLOW_HEADERS,
    header::ACCESS_CONTROL_EXPOSE_HEADERS,
    header::ACCESS_CONTROL_MAX_AGE,
];

/// Which sites may read, and what of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cors {
    origins: List<TextPattern>,
    #[serde(default)]
    methods: List<MethodWord>,
    #[serde(default)]
    headers: List<FieldWord>,
    #[serde(default)]
    expose: List<FieldWord>,
    #[serde(default)]
    credentials: bool,
    max_age: Option<Word<Time>>,
}

impl Cors {
    /// What is wrong with it.
    pub fn fault(&self) -> Option<&'static str> {
        if self.origins.is_empty() {
            return Some("`cors.origins` names nobody: write \"*\" for everybody");
        }
        (self.credentials && self.is_open())
            .then_some("`cors.credentials` with the origin \"*\" would let every site act as the visitor: name the sites")
    }

    fn is_open(&self) -> bool {
        self.origins
            .iter()
            .any(|pattern| pattern.matches("https://anybody.invalid"))
    }

    /// The value of `Access-Control-Allow-Origin` for a request.
    fn allowed(&self, request: &Request<'_>) -> Option<HeaderValue> {
        let value = request.headers.get(header::ORIGIN)?;
        let origin = value.to_str().ok()?;
        if self.is_open() {
            return Some(HeaderValue::from_static("*"));
        }
        self.origins
            .iter()
            .any(|pattern| pattern.matches(origin))
            .then(|| value.clone())
    }

    /// The answer to a preflight; `None` when the request is none.
    pub fn preflight(&self, request: &Request<'_>) -> Option<Answer> {
        let asks = request
            .headers
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if *request.method != Method::OPTIONS
            || !asks
            || !request.headers.contains_key(header::ORIGIN)
        {
            return None;
        }
        let mut headers = HeaderMap::new();
        if let Some(origin) = self.allowed(request) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            let methods: Vec<&str> = self
                .methods
                .iter()
                .map(|method| method.0.as_str())
                .collect();
            let methods = if methods.is_empty() {
                "GET, HEAD, POST".to_owned()
            } else {
                methods.join(", ")
            };
            insert(&mut headers, header::ACCESS_CONTROL_ALLOW_METHODS, &methods);
            insert(
                &mut headers,
                header::ACCESS_CONTROL_ALLOW_HEADERS,
                &names(&self.headers),
            );
            if let Some(age) = &self.max_age {
                insert(
                    &mut headers,
                    header::ACCESS_CONTROL_MAX_AGE,
                    &age.0 .0.to_string(),
                );
            }
            self.credit(&mut headers);
        }
        self.vary(&mut headers);
        Some(Answer {
            status: StatusCode::NO_CONTENT,
            headers,
            body: String::new(),
            why: Why::Preflight,
        })
    }

    /// Says in an answer who may read it, whatever the origin said.
    pub fn apply(&self, request: &Request<'_>, headers: &mut HeaderMap) {
        for name in &GIVEN {
            headers.remove(name);
        }
        if let Some(origin) = self.allowed(request) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            insert(
                headers,
                header::ACCESS_CONTROL_EXPOSE_HEADERS,
                &names(&self.expose),
            );
            self.credit(headers);
        }
        self.vary(headers);
    }

    fn credit(&self, headers: &mut HeaderMap) {
        if self.credentials {
            headers.insert(
                header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
                HeaderValue::from_static("true"),
            );
        }
    }

    /// Whoever keeps the answer must not give it to another site's page.
    fn vary(&self, headers: &mut HeaderMap) {
        if !self.is_open() {
            crate::plan::vary_by(headers, "origin");
        }
    }
}

fn names(list: &[FieldWord]) -> String {
    let names: Vec<&str> = list.iter().map(|name| name.0.as_str()).collect();
    names.join(", ")
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let (false, Ok(value)) = (value.is_empty(), HeaderValue::from_str(value)) {
        headers.insert(name, value);
    }
}
