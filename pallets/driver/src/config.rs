//! Builds what is pushed: the clock always, a section only when the daemon holds another one.

use crate::{Config, ConfigView};
use alloc::vec::Vec;
use codec::Encode;
use pallet_edge_traits::Settlement;
use selvedge_primitives_types::{
    agent::{BlockRef, ClockConfig, ConfigDelta, NodeConfig, SectionVersions},
    DeviceId, Hash, PriceList,
};

/// Name of a section's content.
fn digest(section: &impl Encode) -> Hash {
    sp_io::hashing::blake2_256(&section.encode())
}

/// What all daemons of a run are told alike, read once.
pub(crate) struct Common {
    block: BlockRef,
    clock: ClockConfig,
    nodes: (Hash, Vec<NodeConfig>),
    prices: (Hash, Vec<PriceList>),
}

impl Common {
    pub(crate) fn read<T: Config>(block: BlockRef) -> Self {
        let (nodes, prices) = (T::View::nodes(), T::View::prices());
        Self {
            block,
            clock: T::View::clock(),
            nodes: (digest(&nodes), nodes),
            prices: (digest(&prices), prices),
        }
    }

    /// The clock.
    pub(crate) fn clock(&self) -> &ClockConfig {
        &self.clock
    }

    /// What a device's daemon that holds `held` must be told.
    pub(crate) fn delta<T: Config>(
        &self,
        device: &DeviceId,
        held: &SectionVersions,
    ) -> ConfigDelta {
        let services = T::View::services(device, self.clock.epoch);
        let versions = SectionVersions {
            nodes: self.nodes.0,
            services: digest(&services),
            prices: self.prices.0,
        };
        ConfigDelta {
            block: self.block,
            clock: self.clock,
            versions,
            nodes: (held.nodes != versions.nodes).then(|| self.nodes.1.clone()),
            services: (held.services != versions.services).then_some(services),
            prices: (held.prices != versions.prices).then(|| self.prices.1.clone()),
            committed: T::Settlement::committed(device),
            done_through: T::Settlement::done_through(device),
        }
    }
}
