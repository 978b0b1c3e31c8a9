//! Decision: chooses which caches own a key, by weighted rendezvous hashing.
//!
//! Opens no connection and measures nothing: the caller passes the nodes of the chain's config, and
//! every gateway with the same config gets the same answer, so that one response has one owner in a
//! region. It does not choose among replicas by load; that is for the one who has measured it.
//!
//! Every cache draws a number for every key, the draw is scaled by its weight, and the caches are
//! ordered by it:
//!
//! ```text
//! draw  = BLAKE3(target digest ‖ device), 64 bits, read as h in (0, 1)
//! place = weight / -log2(h)          the larger, the nearer to the front
//! ```
//!
//! Invariants
//! 1. A cache owns a share of the keys that is its share of the weight.
//! 2. A cache that comes or goes, or whose weight changes, moves only keys from or to itself.
//! 3. The order depends on nothing but the target and the caches: not on their order in the config,
//!    the machine or the build. Hence integers: a logarithm in floating point may differ in its
//!    last bit between two machines.

#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

mod log2;

use selvedge_primitives_types::agent::NodeConfig;
use selvedge_primitives_types::{DeviceId, Region, Role, Score, ServiceId};

/// The least score that counts, one hundredth, so that a node that did badly can earn its way back.
pub const LEAST_SCORE: Score = Score(10_000);

/// What is to be owned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// A record and all its variants, by service and primary key.
    Key {
        /// The service.
        service: ServiceId,
        /// The primary cache key.
        key: &'a [u8],
    },
    /// The order of a service's purges.
    Service(ServiceId),
    /// Content that is named by its hash.
    Content(&'a [u8; 32]),
}

impl Target<'_> {
    fn digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"selvedge/route/v1");
        match self {
            Self::Key { service, key } => hasher
                .update(&[0])
                .update(&service.0.to_le_bytes())
                .update(key),
            Self::Service(service) => hasher.update(&[1]).update(&service.0.to_le_bytes()),
            Self::Content(root) => hasher.update(&[2]).update(*root),
        };
        *hasher.finalize().as_bytes()
    }
}

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
    /// The candidate that a registered node is.
    pub fn of(node: &NodeConfig) -> Self {
        let score = node.quality.clamp(LEAST_SCORE, Score::MAX);
        Self {
            device: node.device,
            weight: u64::from(node.capacity.max(1)) * u64::from(score.0),
            is_draining: node.draining,
        }
    }
}

/// The caches of one region.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Owners {
    candidates: Vec<Candidate>,
}

impl Owners {
    /// The caches of `region`; those of all regions where it has none, so that a young region is
    /// served from afar.
    pub fn new(nodes: &[NodeConfig], region: Region) -> Self {
        let caches = || nodes.iter().filter(|node| node.role == Role::Cache);
        let near: Vec<_> = caches()
            .filter(|node| node.region == region)
            .map(Candidate::of)
            .collect();
        Self::from_candidates(if near.is_empty() {
            caches().map(Candidate::of).collect()
        } else {
            near
        })
    }

    /// These caches. Of several with one device the first counts.
    pub fn from_candidates(mut candidates: Vec<Candidate>) -> Self {
        candidates.sort_by_key(|candidate| candidate.device);
        candidates.dedup_by_key(|candidate| candidate.device);
        Self { candidates }
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
    /// Costs one hash per cache.
    pub fn rank(&self, target: Target<'_>, count: usize) -> Vec<DeviceId> {
        let digest = target.digest();
        let mut places: Vec<_> = self
            .candidates
            .iter()
            .map(|candidate| {
                (
                    !candidate.is_draining,
                    place(&digest, candidate),
                    candidate.device,
                )
            })
            .collect();
        places.sort_unstable_by(|a, b| b.cmp(a));
        places
            .into_iter()
            .take(count)
            .map(|(_, _, device)| device)
            .collect()
    }

    /// The owner of a target; `None` when there is no cache.
    pub fn first(&self, target: Target<'_>) -> Option<DeviceId> {
        self.rank(target, 1).first().copied()
    }
}

fn place(target: &[u8; 32], candidate: &Candidate) -> u128 {
    let digest = blake3::Hasher::new()
        .update(target)
        .update(&candidate.device.0)
        .finalize();
    let mut draw = [0; 8];
    draw.copy_from_slice(&digest.as_bytes()[..8]);
    // A shifted weight fits 128 bits, and the logarithm is at least 1.
    (u128::from(candidate.weight.max(1)) << 64)
        / u128::from(log2::minus_log2(u64::from_le_bytes(draw)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use selvedge_primitives_types::Account;
    use std::collections::BTreeMap;

    fn candidate(id: u8, weight: u64) -> Candidate {
        Candidate {
            device: DeviceId([id; 32]),
            weight,
            is_draining: false,
        }
    }

    fn key(number: u64) -> Vec<u8> {
        format!("https://example.org/{number}").into_bytes()
    }

    fn first(owners: &Owners, number: u64) -> DeviceId {
        owners
            .first(Target::Key {
                service: ServiceId(1),
                key: &key(number),
            })
            .unwrap()
    }

    fn shares(owners: &Owners, keys: u64) -> BTreeMap<DeviceId, u64> {
        let mut shares = BTreeMap::new();
        for number in 0..keys {
            *shares.entry(first(owners, number)).or_default() += 1;
        }
        shares
    }

    fn node(id: u8, region: &str, capacity: u32, quality: u32) -> NodeConfig {
        NodeConfig {
            device: DeviceId([id; 32]),
            operator: Account([id; 32]),
            role: Role::Cache,
            region: Region::parse(region).unwrap(),
            endpoint: Vec::new(),
            public_url: Vec::new(),
            capacity,
            quality: Score(quality),
            draining: false,
        }
    }

    #[test]
    fn equal_caches_own_equal_shares() {
        let owners = Owners::from_candidates((0..20).map(|id| candidate(id, 7)).collect());
        let shares = shares(&owners, 60_000);
        for (device, share) in shares {
            assert!(
                (2_700..=3_300).contains(&share),
                "{device} owns {share} of 3000 expected"
            );
        }
    }

    #[test]
    fn shares_follow_the_weight() {
        let weights = [1u64, 2, 3, 4, 10];
        let candidates = weights
            .iter()
            .zip(0..)
            .map(|(weight, id)| candidate(id, *weight));
        let shares = shares(&Owners::from_candidates(candidates.collect()), 100_000);
        for (weight, id) in weights.iter().zip(0u8..) {
            let (ideal, share) = (weight * 5_000, shares[&DeviceId([id; 32])]);
            assert!(
                share.abs_diff(ideal) * 10 < ideal,
                "weight {weight} owns {share} of {ideal}"
            );
        }
    }

    #[test]
    fn only_the_keys_of_the_one_that_left_move() {
        let all: Vec<_> = (0..10).map(|id| candidate(id, 1 + u64::from(id))).collect();
        let before = Owners::from_candidates(all.clone());
        let after = Owners::from_candidates(all[..9].to_vec());
        let mut moved = 0;
        for number in 0..20_000 {
            let (old, new) = (first(&before, number), first(&after, number));
            if old == DeviceId([9; 32]) {
                moved += 1;
                // The second owner takes over, so that it can be asked before anybody has noticed.
                let target = Target::Key {
                    service: ServiceId(1),
                    key: &key(number),
                };
                assert_eq!(before.rank(target, 2)[1], new);
            } else {
                assert_eq!(old, new);
            }
        }
        let ideal = 20_000 * 10 / 55;
        assert!(
            moved > ideal * 9 / 10 && moved < ideal * 11 / 10,
            "{moved} of {ideal}"
        );
    }

    #[test]
    fn a_heavier_cache_only_gains() {
        let lighter = Owners::from_candidates((0..5).map(|id| candidate(id, 100)).collect());
        let heavier: Vec<_> = (0..5)
            .map(|id| candidate(id, if id == 3 { 150 } else { 100 }))
            .collect();
        let heavier = Owners::from_candidates(heavier);
        for number in 0..10_000 {
            let (old, new) = (first(&lighter, number), first(&heavier, number));
            assert!(old == new || new == DeviceId([3; 32]));
        }
    }

    #[test]
    fn a_region_is_served_by_its_own_caches_or_else_by_all() {
        let mut nodes = vec![node(1, "eu", 1, 1_000_000), node(2, "us", 1, 1_000_000)];
        nodes.push(NodeConfig {
            role: Role::Gateway,
            ..node(3, "eu", 1, 1_000_000)
        });
        let owners = |region| Owners::new(&nodes, Region::parse(region).unwrap());
        assert_eq!(
            owners("eu").rank(Target::Service(ServiceId(1)), 9),
            [DeviceId([1; 32])]
        );
        assert_eq!(owners("asia").len(), 2);
        assert!(Owners::new(&[], Region::parse("eu").unwrap()).is_empty());
        assert_eq!(Owners::default().first(Target::Content(&[0; 32])), None);
    }

    #[test]
    fn a_draining_cache_comes_last() {
        let mut nodes: Vec<_> = (1..5).map(|id| node(id, "eu", 1, 1_000_000)).collect();
        nodes[0].draining = true;
        nodes[0].capacity = u32::MAX;
        let owners = Owners::new(&nodes, Region::parse("eu").unwrap());
        for number in 0..100 {
            let target = Target::Service(ServiceId(number));
            assert_eq!(owners.rank(target, 9)[3], DeviceId([1; 32]));
        }
    }

    #[test]
    fn weight_is_capacity_times_score_and_never_nothing() {
        assert_eq!(
            Candidate::of(&node(1, "eu", 4, 1_500_000)).weight,
            6_000_000
        );
        assert_eq!(Candidate::of(&node(1, "eu", 0, 0)).weight, 10_000);
        assert_eq!(
            Candidate::of(&node(1, "eu", u32::MAX, u32::MAX)).weight,
            u64::from(u32::MAX) * 1_500_000
        );
    }

    #[test]
    fn kinds_of_target_are_told_apart() {
        let owners = Owners::from_candidates((0..50).map(|id| candidate(id, 1)).collect());
        let order = |target| owners.rank(target, 50);
        let empty_key = Target::Key {
            service: ServiceId(3),
            key: b"",
        };
        assert_ne!(order(empty_key), order(Target::Service(ServiceId(3))));
        let other = Target::Key {
            service: ServiceId(4),
            key: b"",
        };
        assert_ne!(order(empty_key), order(other));
    }

    /// Gateways of different versions must agree; changing this moves every key of every cache.
    #[test]
    fn the_order_is_fixed_for_good() {
        let owners =
            Owners::from_candidates((1..=5).map(|id| candidate(id, u64::from(id))).collect());
        let order = |target| -> Vec<u8> {
            owners
                .rank(target, 5)
                .into_iter()
                .map(|device| device.0[0])
                .collect()
        };
        let key = Target::Key {
            service: ServiceId(7),
            key: b"https://example.org/",
        };
        let orders = [
            order(key),
            order(Target::Service(ServiceId(7))),
            order(Target::Content(&[9; 32])),
        ];
        // Computed apart, in Python with its own BLAKE3 binding and floating-point logarithms.
        assert_eq!(orders, [[1, 2, 4, 3, 5], [5, 3, 4, 1, 2], [5, 3, 4, 2, 1]]);
    }

    proptest! {
        #[test]
        fn the_order_of_the_config_does_not_matter(
            weights in prop::collection::vec(0u64.., 0..12),
            service in any::<u64>(),
            turn in any::<prop::sample::Index>(),
        ) {
            let mut candidates: Vec<_> =
                weights.iter().zip(0..).map(|(weight, id)| candidate(id, *weight)).collect();
            let target = Target::Service(ServiceId(service));
            let before = Owners::from_candidates(candidates.clone()).rank(target, 99);
            prop_assert_eq!(before.len(), candidates.len());
            if !candidates.is_empty() {
                let turn = turn.index(candidates.len());
                candidates.rotate_left(turn);
            }
            prop_assert_eq!(Owners::from_candidates(candidates).rank(target, 99), before);
        }
    }
}
