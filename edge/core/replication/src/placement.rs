//! Where copies belong.

use std::collections::BTreeMap;

use selvedge_edge_core_routing::{Candidate, Owners, Target};
use selvedge_primitives_types::agent::NodeConfig;
use selvedge_primitives_types::{DeviceId, Hash, Region, MAX_FACTOR};

/// The order of the caches for a blob: a function of the chain's nodes alone.
pub trait Placement {
    /// The first `count` caches for a blob, each once, draining ones last. More are the same and some.
    fn owners(&self, root: &Hash, count: usize) -> Vec<DeviceId>;
    /// The same among the caches of one region.
    fn owners_in(&self, root: &Hash, region: Region, count: usize) -> Vec<DeviceId>;
    /// Hashes that one question costs.
    fn cost(&self) -> usize;
}

/// Owners as [`selvedge_edge_core_routing::Placement`] spreads them, and beyond as many as it places those that are next
/// by the hashing alone.
#[derive(Clone, Debug, Default)]
pub struct Ranked {
    placement: selvedge_edge_core_routing::Placement,
    all: Owners,
    regions: BTreeMap<Region, Owners>,
}

impl Ranked {
    /// What a placement costs, in the time of hashes.
    const COST: usize = 64;

    /// The order that these nodes make.
    pub fn new(nodes: &[NodeConfig]) -> Self {
        let all = Candidate::all(nodes);
        let mut regions: BTreeMap<Region, Vec<Candidate>> = BTreeMap::new();
        for (node, candidate) in &all {
            let region = regions.entry(node.region).or_default();
            region.push(candidate.clone());
        }
        let owners = |(region, candidates)| (region, Owners::from_candidates(candidates));
        Self {
            placement: selvedge_edge_core_routing::Placement::new(nodes),
            all: Owners::everywhere(nodes),
            regions: regions.into_iter().map(owners).collect(),
        }
    }
}

impl Placement for Ranked {
    fn owners(&self, root: &Hash, count: usize) -> Vec<DeviceId> {
        let target = Target::Content(root);
        let placed = u8::try_from(count).unwrap_or(u8::MAX).min(MAX_FACTOR);
        let mut owners = self.placement.owners(target, placed);
        if owners.len() < count && owners.len() == usize::from(MAX_FACTOR) {
            let next = self.all.rank(target, count + owners.len());
            let rest = next.into_iter().filter(|next| !owners.contains(next));
            let rest: Vec<_> = rest.take(count - owners.len()).collect();
            owners.extend(rest);
        }
        owners
    }

    fn owners_in(&self, root: &Hash, region: Region, count: usize) -> Vec<DeviceId> {
        let owners = self.regions.get(&region);
        owners.map_or(Vec::new(), |owners| {
            owners.rank(Target::Content(root), count)
        })
    }

    fn cost(&self) -> usize {
        Self::COST
    }
}
