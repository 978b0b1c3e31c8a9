//! Where copies belong, and who looks after whose.

use std::collections::BTreeMap;

use selvedge_edge_core_routing::{Candidate, Owners, Placement, Target};
use selvedge_primitives_types::agent::NodeConfig;
use selvedge_primitives_types::{DeviceId, Hash, Region, Role, ServiceId, MAX_FACTOR};

/// Searches that an owner costs: each cache has a point on so many rings.
const RINGS: usize = 32;

/// Where copies belong, as readers look for them.
pub(super) struct Places {
    all: Placement,
    regions: BTreeMap<Region, Placement>,
}

impl Places {
    pub(super) fn new(nodes: &[NodeConfig]) -> Self {
        let mut regions: BTreeMap<Region, Vec<NodeConfig>> = BTreeMap::new();
        for node in nodes.iter().filter(|node| node.role == Role::Cache) {
            regions.entry(node.region).or_default().push(node.clone());
        }
        let regions = regions.into_iter();
        Self {
            all: Placement::new(nodes),
            regions: regions
                .map(|(region, nodes)| (region, Placement::new(&nodes)))
                .collect(),
        }
    }
}

fn first(placement: &Placement, root: &Hash, count: usize) -> Vec<DeviceId> {
    let most = u8::try_from(count).unwrap_or(MAX_FACTOR).min(MAX_FACTOR);
    placement.owners(Target::Content(root), most)
}

impl selvedge_edge_core_replication::Placement for Places {
    fn owners(&self, root: &Hash, count: usize) -> Vec<DeviceId> {
        first(&self.all, root, count)
    }

    fn owners_in(&self, root: &Hash, region: Region, count: usize) -> Vec<DeviceId> {
        let placement = self.regions.get(&region);
        placement.map_or_else(Vec::new, |placement| first(placement, root, count))
    }

    fn cost(&self) -> usize {
        RINGS
    }
}

/// The gateway that looks after a service's content: a function of the chain's nodes.
pub(super) fn steward(nodes: &[NodeConfig]) -> impl Fn(ServiceId) -> Option<DeviceId> {
    let gateways = nodes.iter().filter(|node| node.role == Role::Gateway);
    let gateways = Owners::from_candidates(gateways.map(Candidate::of).collect());
    move |service| gateways.first(Target::Service(service))
}

#[cfg(test)]
mod tests {
    use super::*;
    use selvedge_primitives_types::{Account, Score};

    fn node(seed: u8, role: Role) -> NodeConfig {
        NodeConfig {
            device: DeviceId([seed; 32]),
            operator: Account([seed; 32]),
            role,
            region: Region::default(),
            endpoint: Vec::new(),
            public_url: Vec::new(),
            capacity: 1,
            quality: Score::ONE,
            draining: false,
        }
    }

    #[test]
    fn every_service_has_one_steward_whatever_the_order_of_the_nodes() {
        let mut nodes: Vec<_> = (1..6).map(|seed| node(seed, Role::Gateway)).collect();
        nodes.push(node(9, Role::Cache));
        let of = steward(&nodes);
        let stewards: Vec<_> = (0..50).map(|id| of(ServiceId(id))).collect();
        nodes.reverse();
        let of = steward(&nodes);
        assert!(stewards == (0..50).map(|id| of(ServiceId(id))).collect::<Vec<_>>());
        assert!(stewards.iter().all(|who| *who != Some(DeviceId([9; 32]))));
        let distinct: std::collections::BTreeSet<_> = stewards.iter().flatten().collect();
        assert!(distinct.len() > 1);
        assert_eq!(steward(&[])(ServiceId(1)), None);
    }
}
