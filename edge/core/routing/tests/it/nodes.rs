//! Nodes and targets to try.

use selvedge_edge_core_routing::Target;
use selvedge_primitives_types::agent::NodeConfig;
use selvedge_primitives_types::{Account, DeviceId, Region, Role, Score};

/// A device that is its number, so that it can be told who it is.
pub fn device(number: u32) -> DeviceId {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    DeviceId(bytes)
}

/// A cache of an operator of its own whose network is not known.
pub fn cache(number: u32, region: &str, capacity: u32) -> NodeConfig {
    NodeConfig {
        device: device(number),
        operator: Account(device(number).0),
        role: Role::Cache,
        region: Region::parse(region).unwrap(),
        endpoint: format!("cache-{number}.example:4460").into_bytes(),
        public_url: Vec::new(),
        capacity,
        quality: Score(1_000_000),
        draining: false,
    }
}

/// The root of a blob.
pub fn root(number: u64) -> [u8; 32] {
    let mut root = [0; 32];
    root[..8].copy_from_slice(&number.to_le_bytes());
    root
}

/// Owners of a blob by a function of its target.
pub fn of_blob<T>(number: u64, owners: impl FnOnce(Target<'_>) -> T) -> T {
    owners(Target::Content(&root(number)))
}
