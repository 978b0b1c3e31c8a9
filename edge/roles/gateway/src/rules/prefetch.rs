//! What a document wants at hand before visitors ask.

use std::sync::Arc;

use http::{header, Request};
use selvedge_edge_core_http_cache::{CacheKey, Lookup, RequestHead};
use selvedge_edge_core_rules::Rules;
use selvedge_edge_drivers_http::ConnInfo;
use selvedge_primitives_types::ServiceId;

use super::ruled::Planned;
use crate::exchange::{Exchange, Scope};
use crate::gateway::Shared;

/// Fetches the targets that a document names, one after the other, as a visitor would who sends no
/// field. What is fetched already, or is not for sharing, is left alone.
pub(super) async fn prefetch(shared: Arc<Shared>, service: ServiceId, rules: Arc<Rules>) {
    for target in rules.prefetch() {
        let is_there = fetch(&shared, service, target).await;
        tracing::debug!(%service, target, is_there = is_there.unwrap_or_default(), "prefetched");
    }
}

/// Whether it is at hand now; `None` when it is not for sharing.
async fn fetch(shared: &Arc<Shared>, service: ServiceId, target: &str) -> Option<bool> {
    let world = shared.world()?;
    let own = world.chain.services.iter().find(|own| own.id == service)?;
    let host = std::str::from_utf8(own.hosts.first()?).ok()?.to_owned();
    let request = Request::builder()
        .uri(target)
        .header(header::HOST, host)
        .body(());
    let nobody = ([0, 0, 0, 0], 0).into();
    let connection = ConnInfo {
        peer: nobody,
        local: nobody,
        is_tls: !shared.options.https.is_empty(),
        certificate: None,
        progress: Arc::default(),
    };
    let parts = request.ok()?.into_parts().0;
    let exchange = Exchange::new(&parts, connection, shared.options.answer_timeout);
    let scope = Scope::new(world, &exchange).ok()?;
    let refusal = scope.refusal(&exchange.method, &parts.headers);
    if refusal.is_some() || scope.service.site.is_some() {
        return None;
    }
    let planned = shared
        .plan_quietly(&exchange, &parts.headers, &scope)
        .ok()?;
    let Planned::Changed(ruled) = planned else {
        return None;
    };
    let policy = &shared.options.policy;
    let head = RequestHead {
        method: &ruled.exchange.method,
        headers: &ruled.headers,
    };
    let plan = ruled.exchange.rules.as_ref()?;
    if plan.store.is_off || policy.lookup_decision(&head) != Lookup::Cache {
        return None;
    }
    let exchange = ruled.exchange;
    let limit = policy.limits.key_bytes;
    let key = CacheKey::new(exchange.scheme(), &exchange.host, &exchange.target, limit).ok()?;
    let question = Arc::new(shared.question(exchange, ruled.scope, key, &ruled.headers));
    if shared.held(&question).is_some() {
        return Some(true);
    }
    Some(shared.refresh(&question, None).await)
}
