//! Caches that may own something, and how much of it.

use selvedge_primitives_types::agent::NodeConfig;
use selvedge_primitives_types::{DeviceId, Region, Role, Score};

/// The least score that counts, one hundredth, so that a node that did badly can earn its way back.
pub const LEAST_SCORE: Score = Score(10_000);

/// A cache counts at most for this many of the median's weight: capacity is what its operator says,
/// and half of the caches would have to lie to move the median. Of `n` caches none owns more than
/// `2 × MOST_OF_MEDIAN / n`.
pub const MOST_OF_MEDIAN: u64 = 16;

/// A cache that may own keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The cache.
    pub device: DeviceId,
    /// Its capacity times its score; at least 1.
    pub weight: u64,
    /// Whether it drains: it comes after all others.
    pub is_draining: bool,
}

impl Candidate {
    /// The candidate that a registered node is, whatever the others are.
    pub fn of(node: &NodeConfig) -> Self {
        let score = node.quality.clamp(LEAST_SCORE, Score::MAX);
        Self {
            device: node.device,
            weight: u64::from(node.capacity.max(1)) * u64::from(score.0),
            is_draining: node.draining,
        }
    }

    /// The caches among all registered nodes with their regions, none heavier than
    /// [`MOST_OF_MEDIAN`] allows. Of several with one device the first counts. Sorted by device.
    pub fn all(nodes: &[NodeConfig]) -> Vec<(&NodeConfig, Self)> {
        let caches = nodes.iter().filter(|node| node.role == Role::Cache);
        let mut all: Vec<_> = caches.map(|node| (node, Self::of(node))).collect();
        all.sort_by_key(|(_, candidate)| candidate.device);
        all.dedup_by_key(|(_, candidate)| candidate.device);
        let mut weights: Vec<_> = all.iter().map(|(_, candidate)| candidate.weight).collect();
        weights.sort_unstable();
        // Of two in the middle the lighter.
        let median = weights.get(weights.len().saturating_sub(1) / 2).copied();
        let most = median.unwrap_or(1).saturating_mul(MOST_OF_MEDIAN);
        for (_, candidate) in &mut all {
            candidate.weight = candidate.weight.min(most);
        }
        all
    }

    /// Those of a region; those of all regions where it has none, so that a young region is served
    /// from afar.
    pub(crate) fn near(nodes: &[NodeConfig], region: Region) -> Vec<Self> {
        let all = Self::all(nodes);
        let is_near = |node: &NodeConfig| node.region == region;
        let is_alone = !all.iter().any(|(node, _)| is_near(node));
        all.into_iter()
            .filter(|(node, _)| is_alone || is_near(node))
            .map(|(_, candidate)| candidate)
            .collect()
    }
}
