//! Builds what is pushed: the clock always, a section only when the daemon holds another one.

use crate::{Config, ConfigView, LOG_TARGET};
use alloc::vec::Vec;
use codec::Encode;
use pallet_edge_traits::Settlement;
use selvedge_primitives_types::{
    agent::{BlockRef, ClockConfig, ConfigDelta, NodeConfig, SectionVersions, MAX_MESSAGE},
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

    /// What a device's daemon that holds `held` must be told, in at most [`MAX_MESSAGE`] bytes.
    ///
    /// Services come first: a daemon never learns of an epoch without its leases. A section for which
    /// there is no room beside them is left for the next block.
    ///
    /// Errors: how long the delta would be if the services do not fit.
    pub(crate) fn delta<T: Config>(
        &self,
        device: &DeviceId,
        held: &SectionVersions,
    ) -> Result<ConfigDelta, usize> {
        let mut delta = ConfigDelta {
            block: self.block,
            clock: self.clock,
            versions: *held,
            nodes: None,
            services: None,
            prices: None,
            committed: T::Settlement::committed(device),
            done_through: T::Settlement::done_through(device),
        };
        let mut length = delta.encoded_size();
        let services = T::View::services(device, self.clock.epoch);
        let version = digest(&services);
        if held.services != version {
            length = length.saturating_add(services.encoded_size());
            if length > MAX_MESSAGE {
                return Err(length);
            }
            (delta.services, delta.versions.services) = (Some(services), version);
        }
        let mut has_room = |section: usize| {
            let longer = length.saturating_add(section);
            let fits = longer <= MAX_MESSAGE;
            if fits {
                length = longer;
            } else {
                log::debug!(target: LOG_TARGET, "{device}: {section} bytes wait for the next block");
            }
            fits
        };
        let (version, prices) = &self.prices;
        if held.prices != *version && has_room(prices.encoded_size()) {
            (delta.prices, delta.versions.prices) = (Some(prices.clone()), *version);
        }
        let (version, nodes) = &self.nodes;
        if held.nodes != *version && has_room(nodes.encoded_size()) {
            (delta.nodes, delta.versions.nodes) = (Some(nodes.clone()), *version);
        }
        Ok(delta)
    }
}
