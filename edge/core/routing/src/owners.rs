//! Caches in the order in which they own.

use selvedge_primitives_types::agent::NodeConfig;
use selvedge_primitives_types::{DeviceId, Region};

use crate::candidate::Candidate;
use crate::race::Race;
use crate::target::Target;

/// The caches of one region.
#[derive(Clone, Debug, Default)]
pub struct Owners {
    candidates: Vec<Candidate>,
    serving: Race,
    draining: Race,
}

impl PartialEq for Owners {
    fn eq(&self, other: &Self) -> bool {
        // All else is made of them.
        self.candidates == other.candidates
    }
}

impl Eq for Owners {}

impl Owners {
    /// The caches of `region`; those of all regions where it has none, so that a young region is
    /// served from afar.
    pub fn new(nodes: &[NodeConfig], region: Region) -> Self {
        Self::from_candidates(Candidate::near(nodes, region))
    }

    /// The caches of all regions together. Of those in one region, the first is the first in
    /// [`Owners::new`] too (ADR 019).
    pub fn everywhere(nodes: &[NodeConfig]) -> Self {
        let all = Candidate::all(nodes).into_iter();
        Self::from_candidates(all.map(|(_, candidate)| candidate).collect())
    }

    /// These caches. Of several with one device the first counts.
    pub fn from_candidates(mut candidates: Vec<Candidate>) -> Self {
        candidates.sort_by_key(|candidate| candidate.device);
        candidates.dedup_by_key(|candidate| candidate.device);
        let race = |is_draining| {
            let in_it = candidates.iter().filter(|c| c.is_draining == is_draining);
            Race::new(in_it.map(|c| (c.device, c.weight)))
        };
        Self {
            serving: race(false),
            draining: race(true),
            candidates,
        }
    }

    /// How many caches there are.
    pub fn len(&self) -> usize {
        self.candidates.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.candidates.is_empty()
    }

    /// The first `count` owners of a target, in order: ask the first, and the next when it does not
    /// answer.
    ///
    /// Costs some lookups as long as `count` is small, and at worst a comparison per cache and ring.
    pub fn rank(&self, target: Target<'_>, count: usize) -> Vec<DeviceId> {
        let points = target.points();
        let mut owners = self.serving.first(&points, count);
        if owners.len() < count {
            let rest = count - owners.len();
            owners.extend(self.draining.first(&points, rest));
        }
        owners
    }

    /// The owner of a target; `None` when there is no cache.
    pub fn first(&self, target: Target<'_>) -> Option<DeviceId> {
        self.rank(target, 1).first().copied()
    }
}
