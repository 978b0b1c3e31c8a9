//! Documents and what they make of requests, as a gateway asks.

mod bad;
mod bounds;
mod cases;
mod circles;
mod keys;
mod signatures;
mod vectors;

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use selvedge_edge_core_rules::{Overrun, Plan, Request, Rules, Unmetered};
use selvedge_primitives_types::Millis;

/// A document that must be right.
pub fn rules(text: &str) -> Arc<Rules> {
    let text = format!("version = 1\n{text}");
    Arc::new(Rules::parse(&text, false).unwrap_or_else(|error| panic!("{error}\n{text}")))
}

/// A request in pieces.
#[derive(Clone)]
pub struct Ask {
    pub method: Method,
    pub target: String,
    pub headers: HeaderMap,
    pub is_tls: bool,
    pub client: std::net::IpAddr,
}

pub fn get(target: &str) -> Ask {
    Ask {
        method: Method::GET,
        target: target.to_owned(),
        headers: HeaderMap::new(),
        is_tls: true,
        client: [192, 0, 2, 7].into(),
    }
}

impl Ask {
    pub fn field(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).unwrap();
        self.headers.append(HeaderName::from_static(name), value);
        self
    }

    pub fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    pub fn client(mut self, client: &str) -> Self {
        self.client = client.parse().unwrap();
        self
    }

    pub fn request(&self) -> Request<'_> {
        Request {
            is_tls: self.is_tls,
            host: "a.test",
            method: &self.method,
            target: &self.target,
            headers: &self.headers,
            client: self.client,
        }
    }

    pub fn try_plan(&self, rules: &Arc<Rules>) -> Result<Plan, Overrun> {
        rules.plan(&self.request(), Millis(1_000_000), &mut Unmetered)
    }

    pub fn plan(&self, rules: &Arc<Rules>) -> Plan {
        self.try_plan(rules).unwrap()
    }

    /// Status and `Location` of what the rules answer by themselves; 0 when they do not.
    pub fn answer(&self, rules: &Arc<Rules>) -> (u16, String) {
        let plan = self.plan(rules);
        plan.answer.map_or((0, String::new()), |answer| {
            let location = answer.headers.get("location");
            let location = location.map(|value| value.to_str().unwrap().to_owned());
            (answer.status.as_u16(), location.unwrap_or_default())
        })
    }
}
