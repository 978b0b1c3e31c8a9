//! A stored response and the rule that judges it, as [`crate::explain`] tells them.

use selvedge_edge_core_http_cache::{Reuse, Rule, Source as Lifetime, Stored};
use selvedge_edge_drivers_purge::Verdict;
use selvedge_primitives_types::{Millis, SignedRecord};
use serde_json::{json, Map, Value};

use crate::gateway::Shared;
use crate::question::Question;

/// A stored response: how old, how fresh, for whom.
pub fn describe(
    shared: &Shared,
    question: &Question,
    signed: &SignedRecord,
    stored: &Stored,
    now: Millis,
) -> Value {
    let record = &signed.record;
    let (lifetime, from) = stored.lifetime();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let vary = stored.variant().as_slice().iter().map(|(name, value)| {
        let value = value.as_ref().map(|value| text(value));
        (text(name), value.into())
    });
    let vary: Map<String, Value> = vary.collect();
    let verdict = shared.verdict_of(record, stored);
    let policy = &shared.options.policy;
    let reuse = policy.reuse_decision(&question.head(), Some(stored), now);
    json!({
        "status": stored.status().as_u16(),
        "length": stored.length(),
        "age_s": stored.age(now).0 / 1_000,
        "fresh_for_s": stored.time_to_live(now).div_euclid(1_000),
        "lifetime_s": lifetime.0 / 1_000,
        "lifetime_from": match from {
            Lifetime::SharedMaxAge => "s-maxage",
            Lifetime::MaxAge => "max-age",
            Lifetime::Expires => "Expires",
            Lifetime::Heuristic => "heuristic",
            Lifetime::None => "nothing",
        },
        "vary": vary,
        "is_for_this_request": stored.variant().matches(&question.headers),
        "generation": record.generation,
        "is_purged": verdict != Verdict::Current,
        "fetched_ms": record.received.0,
        "fetched_by": record.gateway.to_string(),
        "rule": rule(rule_of(&reuse)),
    })
}

fn rule_of(reuse: &Reuse) -> Rule {
    match reuse {
        Reuse::Fresh { rule }
        | Reuse::Stale { rule, .. }
        | Reuse::Validate { rule, .. }
        | Reuse::Fetch { rule }
        | Reuse::GatewayTimeout { rule } => *rule,
    }
}

/// A rule by its name and section.
pub fn rule(rule: Rule) -> Value {
    json!({ "name": rule.name(), "section": rule.section() })
}
