//! A request as the rules have it.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response};
use selvedge_edge_core_rules::{Answer, Overrun, RateMeter, Request, Rules, Unmetered, Why};
use selvedge_edge_drivers_agent::clock;
use selvedge_edge_drivers_http::{empty, full, Body};

use super::book::InForce;
use crate::exchange::{Exchange, Scope, NO_CACHE};
use crate::failure::{Failure, Reason, REASON};
use crate::fields;
use crate::gateway::Shared;
use crate::metrics::Source;
use crate::tab::Tab;
use crate::target::may_leave;

/// What becomes of a request.
pub(crate) enum Planned {
    /// Its service has no rules.
    Free,
    /// The rules answer it.
    Answered(Box<Answer>),
    /// It is answered in the ordinary way, as this request.
    Changed(Box<Ruled>),
}

/// A request as the rules have it.
pub(crate) struct Ruled {
    /// The exchange, with the target that is asked for.
    pub exchange: Exchange,
    /// The fields that are asked with.
    pub headers: HeaderMap,
    /// The scope.
    pub scope: Scope,
}

impl Exchange {
    /// The request as conditions look at it.
    pub(crate) fn as_asked<'a>(&'a self, headers: &'a HeaderMap) -> Request<'a> {
        Request {
            is_tls: self.connection.is_tls,
            host: &self.host,
            method: &self.method,
            target: &self.target,
            headers,
            client: self.connection.peer.ip(),
        }
    }
}

/// Where an answer is from, and the account that it is charged to.
type Charged = (Source, Tab);

impl Shared {
    /// What the rules of its service make of a request.
    ///
    /// Errors: when it has rules that were never here, and when they lead nowhere.
    pub(crate) fn plan(
        &self,
        exchange: &Exchange,
        headers: &HeaderMap,
        scope: &Scope,
    ) -> Result<Planned, Failure> {
        let Some(rules) = self.rules_of(scope)? else {
            return Ok(Planned::Free);
        };
        self.plan_by(
            &rules,
            exchange,
            headers,
            scope,
            &mut self.rules.meter(scope.service.id),
        )
    }

    /// The same for who only wants to know, and counts as nobody's request.
    pub(crate) fn plan_quietly(
        &self,
        exchange: &Exchange,
        headers: &HeaderMap,
        scope: &Scope,
    ) -> Result<Planned, Failure> {
        match self.rules_of(scope)? {
            Some(rules) => self.plan_by(&rules, exchange, headers, scope, &mut Unmetered),
            None => Ok(Planned::Free),
        }
    }

    fn rules_of(&self, scope: &Scope) -> Result<Option<Arc<Rules>>, Failure> {
        if scope.service.rules.is_none() {
            return Ok(None);
        }
        match self.rules.of(scope.service.id) {
            InForce::None => Ok(None),
            InForce::Rules(_, rules) => Ok(Some(rules)),
            InForce::Missing => Err(Failure::new(Reason::RulesMissing)),
        }
    }

    fn plan_by(
        &self,
        rules: &Arc<Rules>,
        exchange: &Exchange,
        headers: &HeaderMap,
        scope: &Scope,
        meter: &mut dyn RateMeter,
    ) -> Result<Planned, Failure> {
        let request = exchange.as_asked(headers);
        let plan = rules.plan(&request, clock::now(), meter);
        let mut plan = plan.map_err(|overrun| match overrun {
            Overrun::Path => Failure::because(Reason::BadRequest, overrun),
            overrun => Failure::because(Reason::RulesBroken, overrun),
        })?;
        if let Some(answer) = plan.answer.take() {
            return Ok(Planned::Answered(Box::new(answer)));
        }
        let headers = plan.fields.take().unwrap_or_else(|| headers.clone());
        let mut exchange = exchange.clone();
        if let Some(target) = plan.target.take() {
            exchange.target = target.into();
        }
        let mut scope = scope.clone();
        if let Some(origin) = plan.origin() {
            if let Some(first) = self.servers.in_order(scope.service.id, origin).first() {
                scope.origin = (*first).clone();
            }
        }
        if may_leave(&scope.origin, &exchange.target) {
            let cause = "the target leaves the origin's base path";
            return Err(Failure::because(Reason::BadRequest, cause));
        }
        exchange.rules = Some(Arc::new(plan));
        Ok(Planned::Changed(Box::new(Ruled {
            exchange,
            headers,
            scope,
        })))
    }

    /// Sends what the rules answer by themselves. Whoever is refused costs the customer nothing.
    pub(crate) fn answer_alone(
        &self,
        exchange: &Exchange,
        scope: &Scope,
        answer: Answer,
    ) -> Result<(Response<Body>, Option<Charged>), Failure> {
        let is_free = match answer.why {
            Why::Denied | Why::Hotlink | Why::Unsigned | Why::Limited => true,
            Why::Redirect | Why::Preflight | Why::Page => false,
        };
        let is_head = exchange.method == Method::HEAD;
        let length = if is_head { 0 } else { answer.body.len() as u64 };
        let account = if is_free {
            None
        } else {
            let mut tab = self.open_tab(scope)?;
            tab.credit(NO_CACHE);
            tab.answered(Some(length), exchange.started.elapsed())
                .map_err(|denied| self.denied(scope, denied))?;
            Some((Source::Own, tab))
        };
        let body = match length {
            0 => empty(),
            _ => full(Bytes::from(answer.body)),
        };
        let mut response = Response::new(body);
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        if let Ok(name) = HeaderValue::from_str(answer.why.name()) {
            response.headers_mut().insert(REASON, name);
        }
        let via = HeaderValue::from_str(&fields::via(exchange.version));
        let via = via.unwrap_or_else(|_| HeaderValue::from_static(fields::NAME));
        fields::to_visitor(response.headers_mut(), exchange, via);
        Ok((response, account))
    }
}
