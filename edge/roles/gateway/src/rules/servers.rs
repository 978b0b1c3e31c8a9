//! Which servers of customers' origins are well, and the next one when one is not.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Method, Request, Response, Uri};
use hyper::body::Incoming;
use parking_lot::Mutex;
use selvedge_edge_core_rules::{Health, Origin, Rules};
use selvedge_edge_drivers_http::{empty, Body, OriginError, Patience};
use selvedge_primitives_types::ServiceId;
use tokio::sync::Semaphore;

use super::book::InForce;
use crate::gateway::Shared;
use crate::question::Question;
use crate::target::may_leave;

/// How long a server that failed a visitor comes last, where nobody looks at it.
const REST: Duration = Duration::from_secs(10);
/// How long a server may take to say that it is well.
const LOOK: Duration = Duration::from_secs(5);
/// How often it is seen who is to be looked at.
const TICK: Duration = Duration::from_secs(1);
/// Servers that are looked at at a time.
const AT_ONCE: usize = 32;
/// Servers that are remembered; beyond it all are taken to be well again.
const REMEMBERED: usize = 16_384;

/// A server of a service.
type Place = (ServiceId, Uri);

/// What is known of one.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    /// Until when it comes last.
    down: Option<Instant>,
    /// When it was last looked at.
    looked: Option<Instant>,
}

/// Which servers are well.
#[derive(Debug, Default)]
pub(crate) struct Servers(Mutex<HashMap<Place, Known>>);

impl Servers {
    /// The servers of an origin: those that are well in the order of the document, then the others.
    pub fn in_order<'a>(&self, service: ServiceId, origin: &'a Origin) -> Vec<&'a Uri> {
        let known = self.0.lock();
        let now = Instant::now();
        let is_down = |server: &&Uri| {
            let known = known.get(&(service, (*server).clone()));
            known.is_some_and(|known| known.down.is_some_and(|until| now < until))
        };
        let (down, well): (Vec<_>, Vec<_>) = origin.servers.iter().partition(is_down);
        well.into_iter().chain(down).collect()
    }

    fn note(&self, service: ServiceId, server: &Uri, down_for: Option<Duration>) {
        let mut known = self.0.lock();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        let place = known.entry((service, server.clone())).or_default();
        place.down = down_for.map(|time| Instant::now() + time);
    }

    /// Whether it is time to look at a server; then it counts as looked at.
    fn take_look(&self, service: ServiceId, server: &Uri, health: &Health) -> bool {
        let mut known = self.0.lock();
        let now = Instant::now();
        let place = known.entry((service, server.clone())).or_default();
        let interval = Duration::from_secs(health.interval.into());
        let is_time = place
            .looked
            .is_none_or(|last| now.duration_since(last) >= interval);
        if is_time {
            place.looked = Some(now);
        }
        is_time
    }
}

impl Shared {
    /// Sends a request for everybody to the servers of an origin, one after the other until one
    /// answers well; the last one's answer counts whatever it is.
    pub(crate) async fn send_by_rules(
        &self,
        question: &Question,
        origin: &Origin,
        request: impl Fn(&Uri) -> Request<Body>,
        patience: &Patience,
    ) -> Result<Response<Incoming>, OriginError> {
        let (service, exchange) = (question.scope.service.id, &question.exchange);
        let mut servers = self.servers.in_order(service, origin);
        servers.retain(|server| !may_leave(server, &exchange.target));
        let Some((last, first)) = servers.split_last() else {
            let request = request(&question.scope.origin);
            return self.send_to_origin(exchange, request, patience).await;
        };
        let within = |patience: &Patience| {
            let own = origin
                .patience
                .map(|seconds| Instant::now() + Duration::from_secs(seconds.into()));
            Patience {
                deadline: own.into_iter().chain(patience.deadline).min(),
                progress: None,
            }
        };
        for server in first {
            let sent = self
                .send_to_origin(exchange, request(server), &within(patience))
                .await;
            let is_failure = match &sent {
                Ok(response) => origin.next_after.contains(&response.status().as_u16()),
                Err(_) => true,
            };
            if !is_failure {
                return sent;
            }
            self.servers.note(service, server, Some(REST));
        }
        self.send_to_origin(exchange, request(last), &within(patience))
            .await
    }
}

/// Looks at servers whose documents say so, for good.
pub(crate) async fn look(shared: Arc<Shared>) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(world) = shared.world() else {
            continue;
        };
        for service in world.services().filter(|service| service.rules.is_some()) {
            let InForce::Rules(_, rules) = shared.rules.of(service.id) else {
                continue;
            };
            for origin in rules.origins() {
                let Some(health) = &origin.health else {
                    continue;
                };
                for server in &origin.servers {
                    // Whoever finds no place is looked at a tick later.
                    let Ok(place) = places.clone().try_acquire_owned() else {
                        break;
                    };
                    if !shared.servers.take_look(service.id, server, health) {
                        continue;
                    }
                    let (shared, id) = (shared.clone(), service.id);
                    let (server, health, rules) = (server.clone(), health.clone(), rules.clone());
                    tokio::spawn(async move {
                        let is_well = is_well(&shared, &rules, &server, &health).await;
                        // Until it has been looked at twice more.
                        let rest = Duration::from_secs(u64::from(health.interval) * 2) + LOOK;
                        shared.servers.note(id, &server, (!is_well).then_some(rest));
                        drop(place);
                    });
                }
            }
        }
    }
}

async fn is_well(shared: &Shared, rules: &Rules, server: &Uri, health: &Health) -> bool {
    let mut parts = server.clone().into_parts();
    let base = server.path().trim_end_matches('/');
    parts.path_and_query = format!("{base}{}", health.path).parse().ok();
    let Ok(uri) = Uri::from_parts(parts) else {
        return false;
    };
    let mut request = Request::new(empty());
    *request.method_mut() = Method::GET;
    *request.uri_mut() = uri;
    let patience = Patience {
        deadline: Some(Instant::now() + LOOK),
        progress: None,
    };
    let answer = shared.send_signed(Some(rules), request, &patience).await;
    answer.is_ok_and(|response| response.status().as_u16() == health.status)
}
