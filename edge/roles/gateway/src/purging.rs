//! Takes purges from customers, has them ordered by their service's owner, spreads them, and hands
//! out receipts.
//!
//! ```text
//! customer ─> checked ─> ordered by the first owner that answers ─> every gateway and cache ─> receipt
//!                             ^ again, above what somebody knows already |
//! ```

use std::sync::Arc;
use std::time::{Duration, Instant};

use codec::{DecodeAll, Encode};
use futures::stream::{FuturesUnordered, StreamExt};
use http::{header, HeaderValue, Method, Request, StatusCode};
use selvedge_edge_core_verify::sign::verify;
use selvedge_edge_drivers_agent::{clock, PurgeDesk};
use selvedge_edge_drivers_http::{collect, full, Patience};
use selvedge_edge_drivers_purge::OrderPurge;
use selvedge_edge_drivers_transport::PeerAddress;
use selvedge_primitives_types::{
    DeviceId, Domain, PurgeAck, PurgeAckPayload, PurgeAnswer, PurgeKind, PurgeMode, PurgeReceipt,
    PurgeRefusal, SignedPurgeOrder, SignedPurgeRequest,
};

use crate::entry::Entry;
use crate::gateway::Shared;
use crate::world::World;

/// How long the nodes have to acknowledge a purge before its receipt calls them missing.
const DEADLINE: Duration = Duration::from_secs(3);
/// How long an owner may take before the next one is asked.
const OWNER_PATIENCE: Duration = Duration::from_secs(2);
/// Owners that are asked.
const OWNERS: usize = 5;
/// Times a purge is ordered, because somebody knew a higher number.
const TRIES: usize = 4;
/// The longest answer of a gateway to an order.
const MAX_ANSWER: usize = 1_024;

/// What a node said to an order.
enum Said {
    Taken(PurgeAck),
    Superseded(u64),
    Nothing(DeviceId),
}

impl PurgeDesk for Shared {
    async fn purge(
        self: Arc<Self>,
        signed: SignedPurgeRequest,
    ) -> Result<PurgeReceipt, PurgeRefusal> {
        let begun = Instant::now();
        let result = self.clone().purge_everywhere(signed).await;
        let answer = match &result {
            Ok(receipt) if receipt.missing.is_empty() => "whole",
            Ok(_) => "partial",
            Err(_) => "refused",
        };
        self.metrics.purged(answer, begun.elapsed().as_secs_f64());
        result
    }

    async fn order(self: Arc<Self>, order: SignedPurgeOrder) -> PurgeAnswer {
        let Some(world) = self.world() else {
            return PurgeAnswer::Refused(PurgeRefusal::NotReady);
        };
        let work = move || {
            let answer = self.purges.take(&*world, order.clone(), clock::now());
            let (request, number) = (order.request(), order.order.number);
            let is_all = (&request.kind, request.mode) == (&PurgeKind::Everything, PurgeMode::Hard);
            if is_all && matches!(answer, PurgeAnswer::Taken(_)) {
                // Nothing would ever ask for it again and find it gone.
                let is_gone = |entry: &Entry| entry.signed.record.generation < number;
                self.memory.remove_where(request.service, is_gone);
            }
            answer
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.unwrap_or(PurgeAnswer::Refused(PurgeRefusal::NotKept))
    }
}

impl Shared {
    async fn purge_everywhere(
        self: Arc<Self>,
        signed: SignedPurgeRequest,
    ) -> Result<PurgeReceipt, PurgeRefusal> {
        let world = self.world().ok_or(PurgeRefusal::NotReady)?;
        self.purges.admit(&*world, &signed, clock::now())?;
        let service = signed.request.service;
        let mut order = match self.purges.ordered(&signed.request) {
            Some(order) => order,
            None => {
                let above = self.purges.top(service);
                self.have_ordered(&world, &signed, above).await?
            }
        };
        for _ in 1..TRIES {
            match self.spread(&world, &order, DEADLINE).await {
                Ok(receipt) => return Ok(receipt),
                Err(above) => order = self.have_ordered(&world, &signed, above).await?,
            }
        }
        self.spread(&world, &order, DEADLINE)
            .await
            .map_err(|_| PurgeRefusal::Number)
    }

    /// Asks the owners of the service, one after the other, for the purge's place.
    pub(crate) async fn have_ordered(
        &self,
        world: &World,
        signed: &SignedPurgeRequest,
        above: u64,
    ) -> Result<SignedPurgeOrder, PurgeRefusal> {
        let request = OrderPurge {
            signed: signed.clone(),
            above,
        };
        let mut refused = PurgeRefusal::NoOwner;
        for owner in world.service_owners(signed.request.service, OWNERS) {
            let asked = self.peers.order_purge(&owner, &request);
            match tokio::time::timeout(OWNER_PATIENCE, asked).await {
                Ok(Ok(Ok(order))) if is_answer(&order, &owner, signed) => return Ok(order),
                Ok(Ok(Ok(_))) => self.metrics.fault(&owner.device, "purge"),
                // Another may know the service, or have a disk that works.
                Ok(Ok(Err(refusal))) => refused = refusal,
                Ok(Err(error)) => {
                    tracing::debug!(cache = %owner.device, %error, "an owner is passed over");
                }
                Err(_) => {
                    tracing::debug!(cache = %owner.device, "an owner is passed over: too slow");
                }
            }
        }
        Err(refused)
    }

    /// Hands an order to every node. `Err` is a number that somebody knows already.
    pub(crate) async fn spread(
        self: &Arc<Self>,
        world: &Arc<World>,
        order: &SignedPurgeOrder,
        within: Duration,
    ) -> Result<PurgeReceipt, u64> {
        let nodes = world.nodes().collect();
        self.hand_to(world, order, nodes, within).await
    }

    /// Hands an order to these nodes.
    pub(crate) async fn hand_to(
        self: &Arc<Self>,
        world: &Arc<World>,
        order: &SignedPurgeOrder,
        mut missing: Vec<DeviceId>,
        within: Duration,
    ) -> Result<PurgeReceipt, u64> {
        let mut asking = FuturesUnordered::new();
        for device in missing.clone() {
            let (shared, world, order) = (self.clone(), world.clone(), order.clone());
            // A task each: who asks goes on when the customer has left.
            asking.push(tokio::spawn(async move {
                shared.hand_over(&world, device, order).await
            }));
        }
        let deadline = tokio::time::Instant::now() + within;
        let mut acks: Vec<PurgeAck> = Vec::with_capacity(missing.len());
        let mut above = None;
        while let Ok(Some(said)) = tokio::time::timeout_at(deadline, asking.next()).await {
            match said {
                Ok(Said::Taken(ack)) => {
                    missing.retain(|device| *device != ack.device);
                    acks.push(ack);
                }
                Ok(Said::Superseded(number)) => above = above.max(Some(number)),
                Ok(Said::Nothing(device)) => {
                    tracing::info!(%device, "a node has not acknowledged a purge");
                }
                Err(_) => {}
            }
        }
        if let Some(above) = above {
            return Err(above);
        }
        acks.sort_by_key(|ack| ack.device);
        missing.sort();
        Ok(PurgeReceipt {
            order: order.clone(),
            acks,
            missing,
        })
    }

    async fn hand_over(
        self: Arc<Self>,
        world: &World,
        device: DeviceId,
        order: SignedPurgeOrder,
    ) -> Said {
        let answer = if device == self.identity.device() {
            Some(self.order(order.clone()).await)
        } else if let Some(cache) = world.cache(&device) {
            self.peers.take_purge(&cache, &order).await.ok()
        } else {
            self.tell_gateway(world, &device, &order).await
        };
        match answer {
            Some(PurgeAnswer::Taken(signature)) => {
                let payload = PurgeAckPayload { order, device };
                let (domain, genesis) = (Domain::PurgeAck, world.genesis());
                match verify(&device, domain, genesis, &payload, &signature) {
                    Ok(()) => Said::Taken(PurgeAck { device, signature }),
                    Err(_) => Said::Nothing(device),
                }
            }
            Some(PurgeAnswer::Superseded(number)) => Said::Superseded(number),
            Some(PurgeAnswer::Refused(refusal)) => {
                tracing::warn!(%device, reason = refusal.reason(), "a node refuses a purge");
                Said::Nothing(device)
            }
            None => Said::Nothing(device),
        }
    }

    async fn tell_gateway(
        &self,
        world: &World,
        device: &DeviceId,
        order: &SignedPurgeOrder,
    ) -> Option<PurgeAnswer> {
        let base = world.public_url(device)?;
        let mut request = Request::new(full(order.encode()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = format!("{}/purge/v1/order", base.trim_end_matches('/'))
            .parse()
            .ok()?;
        let kind = HeaderValue::from_static("application/octet-stream");
        request.headers_mut().insert(header::CONTENT_TYPE, kind);
        let patience = Patience {
            deadline: Some(Instant::now() + DEADLINE),
            ..Patience::default()
        };
        let told = async {
            let response = self.origin.send(request, &patience).await.ok()?;
            if response.status() != StatusCode::OK {
                return None;
            }
            let body = collect(response.into_body(), MAX_ANSWER, DEADLINE)
                .await
                .ok()?;
            PurgeAnswer::decode_all(&mut &body[..]).ok()
        };
        tokio::time::timeout(DEADLINE, told).await.ok()?
    }
}

/// Whether an owner answered what it was asked. Every node checks its signature.
fn is_answer(order: &SignedPurgeOrder, owner: &PeerAddress, signed: &SignedPurgeRequest) -> bool {
    order.order.signed == *signed && order.order.owner == owner.device
}
