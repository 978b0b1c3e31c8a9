//! What a gateway tells a service's customer: figures and the log. [`crate::explain`] is the rest.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::Duration;

use selvedge_edge_core_analytics::{Counts, Source, StatusClass, Window};
use selvedge_edge_drivers_agent::{clock, Asked, Insight, NoInsight};
use selvedge_edge_drivers_http::{channel, Body};
use selvedge_primitives_types::{Account, GenesisHash, Millis, ServiceId};
use serde_json::{json, Map, Value};

use crate::gateway::Shared;
use crate::tail::Listener;

/// Listeners to all services at a time.
const ALL_LISTENERS: usize = 256;
/// How long somebody may listen before asking again, with a new token.
const LISTEN: Duration = Duration::from_secs(3_600);

/// Listeners, one more while this lives.
struct Place(Arc<Shared>);

impl Place {
    fn take(shared: &Arc<Shared>) -> Option<Self> {
        let place = Self(shared.clone());
        (shared.listeners.fetch_add(1, Ordering::Relaxed) < ALL_LISTENERS).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.listeners.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The number of listeners.
pub type Listeners = AtomicUsize;

impl Insight for Shared {
    fn genesis(&self) -> Option<GenesisHash> {
        self.world().map(|world| *world.genesis())
    }

    fn customer(&self, service: ServiceId) -> Option<Account> {
        let world = self.world()?;
        world.service_of(service).map(|service| service.customer)
    }

    fn analytics(&self, service: ServiceId, length: Millis) -> Result<Value, NoInsight> {
        let now = clock::now();
        let window = self.analytics.window(service, length, now);
        let window = window.ok_or_else(uncounted)?;
        Ok(json!({
            "version": 1,
            "gateway": self.identity.device().to_string(),
            "service": service.0,
            "period": period(&window),
            "requests": window.counts.requests(),
            "bytes": window.counts.bytes(),
            "hit_ratio": window.counts.hit_ratio(),
            "byte_hit_ratio": window.counts.byte_hit_ratio(),
            "sources": sources(&window.counts),
            "statuses": statuses(&window.counts),
            "first_byte_us": first_byte(&window.counts),
        }))
    }

    fn log(self: &Arc<Self>, service: ServiceId) -> Result<Body, NoInsight> {
        let busy = NoInsight::Busy("as many listen as may");
        let live = self.analytics.open(service).ok_or_else(uncounted)?;
        let place = Place::take(self).ok_or(busy.clone())?;
        let listener = live.tail.listen().ok_or(busy)?;
        let (sender, body) = channel(1, None);
        tokio::spawn(tell(listener, place, sender));
        Ok(body)
    }

    async fn explain(
        self: &Arc<Self>,
        service: ServiceId,
        asked: Asked,
    ) -> Result<Value, NoInsight> {
        let _one = self
            .explaining
            .try_acquire()
            .map_err(|_| NoInsight::Busy("as many ask as may"))?;
        crate::explain::explain(self, service, asked).await
    }
}

async fn tell(
    mut listener: Listener,
    _place: Place,
    sender: selvedge_edge_drivers_http::BodySender,
) {
    let end = tokio::time::sleep(LISTEN);
    tokio::pin!(end);
    loop {
        tokio::select! {
            lines = listener.next() => {
                let Some(lines) = lines else { break };
                if sender.send(lines).await.is_err() {
                    return;
                }
            }
            () = sender.closed() => return,
            () = &mut end => break,
        }
    }
    // A listener that is gone needs no end.
    let _ = sender.finish().await;
}

fn uncounted() -> NoInsight {
    NoInsight::Busy("this gateway counts as many services as it can, and this one is not of them")
}

fn period(window: &Window) -> Value {
    json!({
        "from_ms": window.from.0,
        "to_ms": window.to.0,
        "seconds": (window.to.0 - window.from.0) as f64 / 1_000.0,
    })
}

fn sources(counts: &Counts) -> Value {
    let each = Source::ALL.map(|source| {
        let amounts = json!({
            "requests": counts.from_source(source),
            "bytes": counts.bytes_from(source),
        });
        (source.name().to_owned(), amounts)
    });
    Map::from_iter(each).into()
}

fn statuses(counts: &Counts) -> Value {
    let each =
        StatusClass::ALL.map(|class| (class.name().to_owned(), counts.of_class(class).into()));
    Map::from_iter(each).into()
}

fn first_byte(counts: &Counts) -> Value {
    let times = &counts.first_byte;
    let buckets: Vec<[u64; 3]> = times
        .buckets()
        .map(|(from, to, count)| [from, to, count])
        .collect();
    json!({
        "p50": times.quantile(500),
        "p95": times.quantile(950),
        "p99": times.quantile(990),
        "buckets": buckets,
    })
}
