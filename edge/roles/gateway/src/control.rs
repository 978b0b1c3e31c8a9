//! What a gateway tells its chain node and the public.

use std::sync::Arc;

use selvedge_edge_core_verify::sign::sign;
use selvedge_edge_drivers_agent::{
    answer_probe, clock, Audit, ChainConfig, Control, Invoice, Page, ProbeDesk,
};
use selvedge_edge_drivers_meter::rules::{Closed, EpochClock, Pricing, Terms};
use selvedge_edge_drivers_meter::MeterError;
use selvedge_primitives_math::draw::Draw;
use selvedge_primitives_math::fraud::{OpenedLeaf, Openings};
use selvedge_primitives_types::agent::{
    AgentStatus, ConfigDelta, HostCheckAnswer, HostCheckRequest, HostCheckVerdict, ProbeOrder,
    ProbeResults,
};
use selvedge_primitives_types::{
    Account, Domain, Epoch, Leaf, ProbeAnswerPayload, Role, ServiceId, Signature64, UsageCommitment,
};

use crate::gateway::Shared;
use crate::world::World;

/// Closed epochs named to the chain node.
const MAX_CLOSED: usize = 64;

impl Control for Shared {
    fn status(&self) -> AgentStatus {
        let mut closed = self.meter.closed_epochs();
        // The oldest are credited long ago.
        let old = closed.len().saturating_sub(MAX_CLOSED);
        closed.drain(..old);
        AgentStatus {
            device: self.identity.device(),
            role: Role::Gateway,
            versions: self
                .world()
                .map(|world| world.chain.versions)
                .unwrap_or_default(),
            closed,
        }
    }

    async fn configure(&self, delta: ConfigDelta) -> Result<AgentStatus, String> {
        let _one_at_a_time = self.configuring.lock().await;
        let held = self.world();
        let held = held.as_deref().map(|world| &world.chain);
        let next = ChainConfig::apply(held, delta).map_err(|error| error.to_string())?;
        let is_news = held.is_none_or(|held| {
            held.versions != next.versions || held.clock.epoch != next.clock.epoch
        });
        let world = World::new(next, self.identity.device());
        let meter = self.meter.clone();
        let file = self.config_file.clone();
        let terms = terms(&world);
        let epoch_clock = epoch_clock(&world.chain);
        let chain = world.chain.clone();
        let (done, keep) = (chain.done_through, chain.clock.keep_epochs);
        let work = tokio::task::spawn_blocking(move || {
            match meter.set_epoch(epoch_clock, terms) {
                // A reorganisation took the new epoch back: use goes on being counted in it.
                Ok(()) | Err(MeterError::EpochOver(_)) => {}
                Err(error) => return Err(error.to_string()),
            }
            if is_news {
                file.save(&chain).map_err(|error| error.to_string())?;
                meter
                    .forget(done, keep)
                    .map_err(|error| error.to_string())?;
            }
            Ok(())
        });
        work.await.map_err(|error| error.to_string())??;
        let world = Arc::new(world);
        self.compare_first(&world).await;
        self.set_world(world);
        self.epoch_over.notify_one();
        Ok(Control::status(self))
    }

    fn commitment(&self, epoch: Epoch) -> Option<UsageCommitment> {
        self.closed(epoch).map(|closed| closed.commitment())
    }

    fn settle_page(&self, epoch: Epoch, cursor: u32) -> Option<Page> {
        self.closed(epoch)?.settle_page(cursor)
    }

    fn credit_page(&self, epoch: Epoch, cursor: u32) -> Option<Page> {
        self.closed(epoch)?.credit_page(cursor)
    }

    fn open_leaf(&self, epoch: Epoch, draw: &Draw) -> Option<OpenedLeaf> {
        self.closed(epoch)?.open_leaf(draw)
    }

    async fn check_host(&self, request: HostCheckRequest) -> Result<HostCheckAnswer, String> {
        let world = self.world().ok_or("no config of the chain yet")?;
        let found = self
            .hosts
            .check(&request.host, &request.expected)
            .await
            .map_err(|error| error.to_string())?;
        let verdict = HostCheckVerdict {
            device: self.identity.device(),
            service: request.service,
            host: request.host,
            epoch: request.epoch,
            found,
        };
        let key = self.identity.key();
        let signature = sign(key, Domain::HostCheck, world.genesis(), &verdict);
        Ok(HostCheckAnswer { found, signature })
    }

    fn probe(self: Arc<Self>, order: ProbeOrder) -> Result<ProbeResults, String> {
        self.take_order(order)
    }
}

impl ProbeDesk for Shared {
    fn answer_probe(&self, asked: &ProbeAnswerPayload) -> Option<Signature64> {
        let world = self.world()?;
        let is_gateway = world.is_gateway(&asked.prober);
        answer_probe(self.identity.key(), &world.chain.clock, asked, is_gateway)
    }
}

impl Audit for Shared {
    fn commitment(&self, epoch: Epoch) -> Option<UsageCommitment> {
        Control::commitment(self, epoch)
    }

    fn leaves(&self, epoch: Epoch, start: usize, limit: usize) -> Option<(Vec<Leaf>, usize)> {
        let closed = self.closed(epoch)?;
        let all = closed.leaves();
        let from = start.min(all.len());
        let to = from.saturating_add(limit).min(all.len());
        Some((all[from..to].to_vec(), all.len()))
    }

    fn invoice(
        &self,
        epoch: Epoch,
        customer: Account,
        service: ServiceId,
        start: usize,
        limit: usize,
    ) -> Option<Invoice> {
        let (start, limit) = (u32::try_from(start).ok()?, u32::try_from(limit).ok()?);
        let found = self
            .closed(epoch)?
            .invoice(customer, service, start, limit)?;
        Some(Invoice {
            index: found.index,
            entry: found.entry,
            entry_proof: found.entry_proof,
            leaves: found.leaves,
            leaves_proof: found.leaves_proof,
        })
    }

    fn open(&self, epoch: Epoch, draws: &[Draw]) -> Option<Openings> {
        self.closed(epoch).map(|closed| closed.open(draws))
    }
}

impl Shared {
    fn closed(&self, epoch: Epoch) -> Option<Arc<Closed>> {
        match self.meter.closed(epoch) {
            Ok(closed) => closed,
            Err(error) => {
                tracing::error!(%epoch, %error, "the leaves of a closed epoch cannot be read");
                None
            }
        }
    }

    /// Serves on with the config of before a restart, as long as it is of this epoch or the one
    /// before.
    pub async fn resume(&self, kept: ChainConfig) {
        let end = kept
            .clock
            .epoch_start
            .0
            .saturating_add(kept.clock.epoch_length.0);
        if clock::now().0 >= end.saturating_add(kept.clock.epoch_length.0) {
            tracing::info!("the kept chain config is too old; waiting for the chain node");
            return;
        }
        let world = World::new(kept, self.identity.device());
        match self
            .meter
            .set_epoch(epoch_clock(&world.chain), terms(&world))
        {
            Ok(()) => {
                let epoch = world.chain.clock.epoch;
                tracing::info!(%epoch, "serving with the kept chain config");
                let world = Arc::new(world);
                self.compare_first(&world).await;
                self.set_world(world);
            }
            Err(error) => tracing::warn!(%error, "the kept chain config is of no use"),
        }
    }
}

fn epoch_clock(chain: &ChainConfig) -> EpochClock {
    EpochClock {
        genesis: chain.clock.genesis,
        epoch: chain.clock.epoch,
        start: chain.clock.epoch_start,
        length: chain.clock.epoch_length,
    }
}

/// The terms of every service whose price list is known; the others are not served.
fn terms(world: &World) -> Vec<(ServiceId, Terms)> {
    world
        .services()
        .filter_map(|service| {
            let pricing = Pricing {
                customer: service.customer,
                price_version: service.price_version,
                prices: service.prices?,
            };
            let terms = Terms {
                pricing,
                lease: service.lease,
                free: service.free,
            };
            Some((service.id, terms))
        })
        .collect()
}
