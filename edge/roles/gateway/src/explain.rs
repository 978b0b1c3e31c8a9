//! Says what would answer a request now, and why: the way of [`crate::serve`], walked without
//! serving, charging or fetching anything.
//!
//! The owner cache is asked for the head alone of what it has, however stale. It sends no body
//! bytes for that, so it supplies nothing and is owed nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{header, Method, Request, Uri};
use selvedge_edge_core_http_cache::{CacheKey, Lookup, Reuse, Rule, Stored};
use selvedge_edge_drivers_agent::{Asked, NoInsight};
use selvedge_edge_drivers_http::ConnInfo;
use selvedge_edge_drivers_purge::Verdict;
use selvedge_edge_drivers_transport::{LookupRequest, PeerAddress, Reply, Want};
use selvedge_primitives_types::{Millis, ServiceId, SignedRecord};
use serde_json::{json, Map, Value};

use crate::ask::{AskError, REPLY_TIMEOUT};
use crate::describe::{self, describe, rule};
use crate::entry::Entry;
use crate::exchange::{Exchange, Scope};
use crate::failure::{Failure, Reason};
use crate::gateway::Shared;
use crate::question::Question;
use crate::rules::Planned;
use crate::serve::OWNERS;
use crate::supplied::next;

/// What a cache said of a key.
enum Owner {
    /// It has this.
    Has(Box<(SignedRecord, Stored)>),
    /// It has nothing that suits the request.
    Nothing,
    /// It is not asked for a while.
    Resting,
    /// It gave no answer that counts.
    Silent(String),
}

/// What would happen.
struct Outcome {
    /// `hit`, `stale`, `validate`, `fetch`, `forward`, `refuse`.
    name: &'static str,
    /// Who answers.
    source: &'static str,
    /// The rule that decides.
    rule: Option<Rule>,
    /// In words.
    text: String,
}

impl Outcome {
    fn json(&self) -> Value {
        json!({
            "outcome": self.name,
            "source": self.source,
            "rule": self.rule.map(rule),
            "text": self.text,
        })
    }
}

/// Explains one request.
pub async fn explain(
    shared: &Arc<Shared>,
    service: ServiceId,
    asked: Asked,
) -> Result<Value, NoInsight> {
    let exchange = exchange(&asked, shared.options.answer_timeout)?;
    let mut said = Map::new();
    let mut say = |name: &str, value: Value| said.insert(name.to_owned(), value);
    say("version", 1.into());
    say("gateway", shared.identity.device().to_string().into());
    say("service", service.0.into());
    say("time_ms", exchange.arrived.0.into());
    let url = format!(
        "{}://{}{}",
        exchange.scheme(),
        exchange.host,
        exchange.target
    );
    say(
        "request",
        json!({ "method": asked.method.as_str(), "url": url }),
    );
    let scope = match scope(shared, service, &exchange, &asked)? {
        Ok(scope) => scope,
        Err(failure) => {
            say("now", refused(&failure).json());
            return Ok(said.into());
        }
    };
    let options = &shared.options;
    let is_redirected = options.redirect_https && !options.https.is_empty();
    if is_redirected && !exchange.connection.is_tls {
        say("now", redirected().json());
        return Ok(said.into());
    }
    let mut fields = asked.fields.clone();
    let (mut exchange, mut scope) = (exchange, scope);
    if scope.service.rules.is_some() {
        say("rules", shared.rules.explain(service));
    }
    match shared.plan_quietly(&exchange, &asked.fields, &scope) {
        Ok(Planned::Free) => {}
        Ok(Planned::Answered(answer)) => {
            say("now", by_rules(&answer).json());
            return Ok(said.into());
        }
        Ok(Planned::Changed(ruled)) => {
            let names = ruled.exchange.rules.iter().flat_map(|plan| plan.names());
            say("rules_applied", names.map(str::to_owned).collect());
            (exchange, scope, fields) = (ruled.exchange, ruled.scope, ruled.headers);
        }
        Err(failure) => {
            say("now", refused(&failure).json());
            return Ok(said.into());
        }
    }
    let policy = &options.policy;
    let key = CacheKey::new(
        exchange.scheme(),
        &exchange.host,
        &exchange.target,
        policy.limits.key_bytes,
    );
    let key = key.map_err(|error| NoInsight::Question(error.to_string()))?;
    say("key", key.as_str().into());
    let question = shared.question(exchange, scope, key, &fields);
    say("generation", question.generation.into());
    let as_sent = selvedge_edge_core_http_cache::RequestHead {
        method: &asked.method,
        headers: &fields,
    };
    let lookup = match &question.exchange.rules {
        Some(plan) if plan.store.is_off || plan.is_overlong => Lookup::Forward {
            rule: Rule::RulesOff,
        },
        _ => policy.lookup_decision(&as_sent),
    };
    if let Lookup::Forward { rule } = lookup {
        let text = "the request goes to the origin as it is, and no cache sees it";
        let outcome = Outcome {
            name: "forward",
            source: "pass",
            rule: Some(rule),
            text: text.to_owned(),
        };
        say("now", outcome.json());
        say(
            "stored_afterwards",
            json!({ "answer": "no", "rule": describe::rule(rule) }),
        );
        return Ok(said.into());
    }
    let now = question.exchange.arrived;
    let (memory, best) = in_memory(shared, &question, now);
    say("memory", memory);
    let owners = ask_owners(shared, &question).await;
    say("owners", owners_json(shared, &question, &owners, now));
    let is_passing = shared.passes.holds(&question.pass_name(), Instant::now());
    let outcome = decide(shared, &question, best.as_deref(), &owners, is_passing, now);
    say("now", outcome.json());
    say("stored_afterwards", afterwards(shared, &question, &outcome));
    Ok(said.into())
}

/// What rules answer by themselves.
fn by_rules(answer: &selvedge_edge_core_rules::Answer) -> Outcome {
    Outcome {
        name: "answer",
        source: "own",
        rule: None,
        text: format!(
            "the service's rules answer with {}: {}",
            answer.status,
            answer.why.name()
        ),
    }
}

/// The request as if it had come over a connection.
fn exchange(asked: &Asked, patience: Duration) -> Result<Exchange, NoInsight> {
    let wrong = |what: &str| NoInsight::Question(what.to_owned());
    let url: Uri = asked.url.parse().map_err(|_| wrong("that is no URL"))?;
    let is_tls = match url.scheme_str() {
        Some("http") => false,
        Some("https") => true,
        _ => return Err(wrong("a URL begins with http:// or https://")),
    };
    let authority = url.authority().map_or("", |authority| authority.as_str());
    let target = url.path_and_query().map_or("/", |target| target.as_str());
    let mut request = Request::builder()
        .method(asked.method.clone())
        .uri(target)
        .header(header::HOST, authority)
        .body(())
        .map_err(|_| wrong("that is no URL"))?;
    for (name, value) in &asked.fields {
        if *name != header::HOST {
            request.headers_mut().append(name, value.clone());
        }
    }
    let nobody = ([0, 0, 0, 0], 0).into();
    let connection = ConnInfo {
        peer: nobody,
        local: nobody,
        is_tls,
        certificate: None,
        progress: Arc::default(),
    };
    let exchange = Exchange::new(&request.into_parts().0, connection, patience);
    match exchange.fault {
        Some(fault) => Err(wrong(fault)),
        None => Ok(exchange),
    }
}

/// What a request is refused for before anything is looked up.
fn scope(
    shared: &Shared,
    service: ServiceId,
    exchange: &Exchange,
    asked: &Asked,
) -> Result<Result<Scope, Failure>, NoInsight> {
    let Some(world) = shared.world() else {
        return Ok(Err(Failure::new(Reason::NotReady)));
    };
    let scope = match Scope::new(world, exchange) {
        Ok(scope) if scope.service.id == service => scope,
        // Of another customer's service nothing is said.
        Ok(_) => {
            return Err(NoInsight::Question(
                "the URL is not of this service".to_owned(),
            ))
        }
        Err(failure) => return Ok(Err(failure)),
    };
    let reason = scope.refusal(&asked.method, &asked.fields);
    Ok(reason.map_or(Ok(scope), |reason| Err(Failure::new(reason))))
}

/// Where plain HTTP is sent to HTTPS.
fn redirected() -> Outcome {
    Outcome {
        name: "redirect",
        source: "own",
        rule: None,
        text: "308: this gateway sends plain HTTP to HTTPS; ask for the https:// URL".to_owned(),
    }
}

fn refused(failure: &Failure) -> Outcome {
    Outcome {
        name: "refuse",
        source: "own",
        rule: None,
        text: format!("the gateway answers by itself: {}", failure.reason.name()),
    }
}

/// What is in memory under the key, and which of it would be taken. It counts as no use.
fn in_memory(shared: &Shared, question: &Question, now: Millis) -> (Value, Option<Arc<Entry>>) {
    let key = question.key.as_bytes();
    let all = shared.memory.variants(question.scope.service.id, key);
    // What a purge is about does not answer as it is.
    let service = question.scope.service.id;
    let is_current = |entry: &Entry| shared.verdict(service, entry) == Verdict::Current;
    let rank = |entry: &Entry| entry.rank(|| is_current(entry), || &question.headers);
    let ranked = all.iter().filter_map(|entry| Some((rank(entry)?, entry)));
    let best = ranked.max_by_key(|(rank, _)| *rank).map(|(_, entry)| entry);
    let said = all.iter().map(|entry| {
        let mut said = describe(shared, question, &entry.signed, &entry.stored, now);
        said["is_in_parts"] = entry.parts.is_some().into();
        said["is_chosen"] = best.is_some_and(|best| Arc::ptr_eq(best, entry)).into();
        said
    });
    (said.collect(), best.cloned())
}

/// Asks the caches that would be asked, at the same time.
async fn ask_owners(shared: &Arc<Shared>, question: &Question) -> Vec<(PeerAddress, Owner)> {
    let (service, key) = (question.scope.service.id, question.key.as_bytes());
    let caches = question.scope.world.owners(service, key, OWNERS);
    let asking = caches.into_iter().map(|cache| async move {
        let said = if shared.rests(&cache, question, Instant::now()) {
            Owner::Resting
        } else {
            ask_owner(shared, question, &cache).await
        };
        (cache, said)
    });
    futures::future::join_all(asking).await
}

async fn ask_owner(shared: &Shared, question: &Question, cache: &PeerAddress) -> Owner {
    let request = LookupRequest {
        is_head: true,
        ..question.lookup(Want::Stale, None)
    };
    let reply = match shared.peers.lookup(cache, &request).await {
        Ok(mut replies) => next(&mut replies, REPLY_TIMEOUT).await,
        Err(error) => Err(error.into()),
    };
    match reply {
        Ok(Reply::Hit(signed)) => match shared.check_record(question, &signed) {
            Ok(stored) => Owner::Has(Box::new((signed, stored))),
            Err(AskError::Fault(fault)) => Owner::Silent(format!("it sent a wrong {fault}")),
            Err(error) => Owner::Silent(error.to_string()),
        },
        Ok(Reply::Pass { .. }) => Owner::Nothing,
        Ok(Reply::Refused(refusal)) => Owner::Silent(format!("it refused: {refusal}")),
        Ok(_) => Owner::Silent("it sent something else".to_owned()),
        Err(error) => Owner::Silent(error.to_string()),
    }
}

fn owners_json(
    shared: &Shared,
    question: &Question,
    owners: &[(PeerAddress, Owner)],
    now: Millis,
) -> Value {
    let each = owners.iter().map(|(cache, said)| {
        let cache = cache.device.to_string();
        match said {
            Owner::Has(found) => {
                let (signed, stored) = &**found;
                let stored = describe(shared, question, signed, stored, now);
                json!({ "cache": cache, "answer": "stored", "stored": stored })
            }
            Owner::Nothing => json!({ "cache": cache, "answer": "nothing" }),
            Owner::Resting => json!({ "cache": cache, "answer": "resting" }),
            Owner::Silent(why) => json!({ "cache": cache, "answer": "silent", "why": why }),
        }
    });
    each.collect()
}

/// The decision of [`crate::serve`] from what is known.
fn decide(
    shared: &Arc<Shared>,
    question: &Question,
    best: Option<&Entry>,
    owners: &[(PeerAddress, Owner)],
    is_passing: bool,
    now: Millis,
) -> Outcome {
    let policy = &shared.options.policy;
    let head = question.head();
    let in_memory = best.map(|entry| &entry.stored);
    let reuse = policy.reuse_decision(&head, in_memory, now);
    if let Some(stored) = in_memory {
        if let Some(outcome) = usable(&reuse, stored, "memory", is_passing, now) {
            return outcome;
        }
    }
    let only_if_cached = matches!(reuse, Reuse::GatewayTimeout { .. });
    if let Some(outcome) = of_parts(shared, question, only_if_cached) {
        return outcome;
    }
    if is_passing && !only_if_cached {
        let verdict = shared.verdicts.of(&question.pass_name());
        let verdict = verdict.filter(|(rule, _)| *rule != Rule::Storable);
        let rule = verdict.map_or(Rule::NotCacheable, |(rule, _)| rule);
        let text = "the origin's answer was not for sharing, so each visitor's request goes to \
                    the origin for a while";
        return Outcome {
            name: "forward",
            source: "pass",
            rule: Some(rule),
            text: text.to_owned(),
        };
    }
    // The first owner that answers decides.
    let answer = owners.iter().find_map(|(_, said)| match said {
        Owner::Has(found) => Some(Some(&found.1)),
        Owner::Nothing => Some(None),
        Owner::Resting | Owner::Silent(_) => None,
    });
    let at_owner = answer.flatten();
    if let Some(stored) = at_owner {
        let theirs = policy.reuse_decision(&head, Some(stored), now);
        if let Some(outcome) = usable(&theirs, stored, "cache", is_passing, now) {
            return outcome;
        }
    }
    let reuse = match at_owner {
        Some(stored) => policy.reuse_decision(&head, Some(stored), now),
        None => reuse,
    };
    let is_alone = owners.is_empty() || answer.is_none();
    to_origin(&reuse, question, is_alone)
}

/// What is kept in parts, because the whole is too long to be shared.
fn of_parts(shared: &Arc<Shared>, question: &Question, only_if_cached: bool) -> Option<Outcome> {
    if shared.from_parts(question).is_some() {
        return Some(Outcome {
            name: "hit",
            source: "memory",
            rule: Some(Rule::Range),
            text: "this gateway's memory answers with parts that it holds".to_owned(),
        });
    }
    (shared.is_part_of_long(question) && !only_if_cached).then(|| Outcome {
        name: "fetch",
        source: "origin",
        rule: Some(Rule::Limit),
        text: "the whole is too long to be shared: what is missing of the part is fetched"
            .to_owned(),
    })
}

/// What a stored response does where it may answer.
fn usable(
    reuse: &Reuse,
    stored: &Stored,
    source: &'static str,
    is_passing: bool,
    now: Millis,
) -> Option<Outcome> {
    let left = stored.time_to_live(now).div_euclid(1_000);
    let place = match source {
        "memory" => "this gateway's memory",
        _ => "the owner cache",
    };
    match reuse {
        Reuse::Fresh { rule } => Some(Outcome {
            name: "hit",
            source,
            rule: Some(*rule),
            text: format!("{place} answers: fresh for {left} s more"),
        }),
        Reuse::Stale { refresh: true, .. } if is_passing => None,
        Reuse::Stale { rule, refresh } => {
            let meanwhile = if *refresh {
                ", and it is renewed meanwhile"
            } else {
                ""
            };
            Some(Outcome {
                name: "stale",
                source,
                rule: Some(*rule),
                text: format!("{place} answers: stale for {} s{meanwhile}", -left),
            })
        }
        _ => None,
    }
}

fn to_origin(reuse: &Reuse, question: &Question, is_alone: bool) -> Outcome {
    let how = if is_alone {
        "no cache answers, so this gateway fetches alone"
    } else {
        "one gateway fetches for all, under the owner cache's lease"
    };
    let outcome = |name, source, rule, text: String| Outcome {
        name,
        source,
        rule: Some(rule),
        text,
    };
    match reuse {
        Reuse::GatewayTimeout { rule } => {
            let text = "504: the request wants only what is stored, and nothing stored may answer";
            outcome("refuse", "own", *rule, text.to_owned())
        }
        Reuse::Validate { rule, conditions } if !conditions.is_empty() => {
            let text = format!("the origin is asked whether what is stored is still good; {how}");
            outcome("validate", "validated", *rule, text)
        }
        Reuse::Validate { rule, .. } => {
            let text = format!("what is stored may not answer and has no validator; {how}");
            outcome("fetch", "origin", *rule, text)
        }
        Reuse::Fetch { rule } | Reuse::Fresh { rule } | Reuse::Stale { rule, .. } => {
            if question.exchange.method == Method::HEAD {
                let text = "nothing stored may answer, and a HEAD fetches nothing for others";
                return outcome("forward", "pass", *rule, text.to_owned());
            }
            outcome(
                "fetch",
                "origin",
                *rule,
                format!("nothing stored may answer; {how}"),
            )
        }
    }
}

/// Whether the answer would be stored, as far as it can be known without asking the origin.
fn afterwards(shared: &Shared, question: &Question, outcome: &Outcome) -> Value {
    if outcome.source == "own" {
        return json!({ "answer": "no" });
    }
    if question.exchange.method == Method::HEAD && outcome.source == "pass" {
        return json!({ "answer": "no", "rule": rule(Rule::Method) });
    }
    match shared.verdicts.of(&question.pass_name()) {
        Some((Rule::Storable, at)) => json!({
            "answer": "as the last one, which was stored",
            "rule": rule(Rule::Storable),
            "last_ms": at.0,
        }),
        Some((why, at)) => json!({
            "answer": "as the last one, which was not stored",
            "rule": rule(why),
            "last_ms": at.0,
        }),
        None if matches!(outcome.source, "memory" | "cache") => {
            json!({ "answer": "it is stored", "rule": rule(Rule::Storable) })
        }
        None => json!({ "answer": "the origin's fields decide; this gateway has not seen any" }),
    }
}
