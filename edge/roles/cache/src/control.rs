//! What the chain node tells a cache and asks of it.

use crate::{service::Shared, world::World};
use selvedge_edge_core_metering::EpochClock;
use selvedge_edge_drivers_agent::{ChainConfig, ConfigFile, Control, Page};
use selvedge_edge_drivers_meter::MeterError;
use selvedge_primitives_math::{draw::Draw, fraud::OpenedLeaf};
use selvedge_primitives_types::{
    agent::{
        AgentStatus, ConfigDelta, HostCheckAnswer, HostCheckRequest, ProbeOrder, ProbeResults,
    },
    Epoch, Role, UsageCommitment,
};
use std::sync::Arc;

impl Shared {
    /// Counts in the config's epoch from now on, and serves by it. Blocks on the disk.
    pub(crate) fn take_world(&self, chain: ChainConfig) -> Result<(), String> {
        let clock = &chain.clock;
        let counted = EpochClock {
            genesis: clock.genesis,
            epoch: clock.epoch,
            start: clock.epoch_start,
            length: clock.epoch_length,
        };
        match self.meter.set_epoch(counted, chain.prices.iter().copied()) {
            // A reorganisation took the new epoch back: use goes on being counted in it.
            Ok(()) | Err(MeterError::EpochOver(_)) => {}
            Err(error) => return Err(error.to_string()),
        }
        self.metrics.epoch.set(clock.epoch.0 as i64);
        // A gateway's leaves of an epoch are signed when it closes; what it may still redeem is
        // kept longer.
        if let Some(old) = clock.epoch.0.checked_sub(clock.keep_epochs + 1) {
            self.meter
                .forget_through(Epoch(old))
                .map_err(|error| error.to_string())?;
        }
        let world = World::new(chain, self.device);
        self.contents.renew(&world);
        self.worlds.replace(world);
        self.contents.look();
        Ok(())
    }
}

/// The control endpoint of a cache.
pub(crate) struct CacheControl {
    pub(crate) shared: Arc<Shared>,
    pub(crate) file: ConfigFile,
    /// One config at a time, so that an older one never replaces a newer.
    pub(crate) turn: tokio::sync::Mutex<()>,
}

impl Control for CacheControl {
    fn status(&self) -> AgentStatus {
        let versions = self
            .shared
            .worlds
            .current()
            .map(|world| world.chain.versions)
            .unwrap_or_default();
        AgentStatus {
            device: self.shared.device,
            role: Role::Cache,
            versions,
            closed: Vec::new(),
        }
    }

    async fn configure(&self, delta: ConfigDelta) -> Result<AgentStatus, String> {
        let _turn = self.turn.lock().await;
        let held = self.shared.worlds.current();
        let before = held.as_ref().map(|world| world.chain.clone());
        let next = ChainConfig::apply(before.as_ref(), delta).map_err(|error| error.to_string())?;
        let (file, kept) = (self.file.clone(), next.clone());
        let saved = tokio::task::spawn_blocking(move || file.save(&kept)).await;
        saved
            .map_err(|error| error.to_string())?
            .map_err(|error| error.to_string())?;
        let shared = self.shared.clone();
        let taken = tokio::task::spawn_blocking(move || shared.take_world(next)).await;
        taken.map_err(|error| error.to_string())??;
        Ok(self.status())
    }

    fn commitment(&self, _: Epoch) -> Option<UsageCommitment> {
        None
    }

    fn settle_page(&self, _: Epoch, _: u32) -> Option<Page> {
        None
    }

    fn credit_page(&self, _: Epoch, _: u32) -> Option<Page> {
        None
    }

    fn open_leaf(&self, _: Epoch, _: &Draw) -> Option<OpenedLeaf> {
        None
    }

    async fn check_host(&self, _: HostCheckRequest) -> Result<HostCheckAnswer, String> {
        Err("a cache looks up no host names; only gateways are drawn".into())
    }

    fn probe(self: Arc<Self>, _: ProbeOrder) -> Result<ProbeResults, String> {
        Err("a cache probes nobody; only gateways are drawn".into())
    }
}
