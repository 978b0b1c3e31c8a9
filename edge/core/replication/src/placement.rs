//! Where copies belong.

use std::collections::BTreeMap;

use selvedge_edge_core_routing::{Candidate, Owners, Target};
use selvedge_primitives_types::agent::NodeConfig;
use selvedge_primitives_types::{DeviceId, Hash, Region, Role};

/// The order of the caches for a blob: a function of the chain's nodes alone.
pub trait Placement {
    /// The first `count` caches for a blob, each once, draining ones last. More are the same and some.
    fn owners(&self, root: &Hash, count: usize) -> Vec<DeviceId>;
    /// The same among the caches of one region.
    fn owners_in(&self, root: &Hash, region: Region, count: usize) -> Vec<DeviceId>;
    /// Hashes that one question costs.
    fn cost(&self) -> usize;
}

/// All caches in the order of rendezvous hashing.
#[derive(Clone, Debug, Default)]
pub struct Ranked {
    all: Owners,
    regions: BTreeMap<Region, Owners>,
}

impl Ranked {
    /// The order that these nodes make.
    pub fn new(nodes: &[NodeConfig]) -> Self {
        let mut regions: BTreeMap<Region, Vec<Candidate>> = BTreeMap::new();
        let caches = nodes.iter().filter(|node| node.role == Role::Cache);
        for node in caches {
            regions
                .entry(node.region)
                .or_default()
                .push(Candidate::of(node));
        }
        let all = regions.values().flatten().cloned().collect();
        let owners = |(region, candidates)| (region, Owners::from_candidates(candidates));
        Self {
            all: Owners::from_candidates(all),
            regions: regions.into_iter().map(owners).collect(),
        }
    }
}

impl Placement for Ranked {
    fn owners(&self, root: &Hash, count: usize) -> Vec<DeviceId> {
        self.all.rank(Target::Content(root), count)
    }

    fn owners_in(&self, root: &Hash, region: Region, count: usize) -> Vec<DeviceId> {
        let owners = self.regions.get(&region);
        owners.map_or(Vec::new(), |owners| {
            owners.rank(Target::Content(root), count)
        })
    }

    fn cost(&self) -> usize {
        self.all.len()
    }
}
