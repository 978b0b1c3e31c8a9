//! What a seed makes of a network: its caches, its blobs, and what happens to them.

use std::collections::BTreeSet;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use selvedge_edge_core_replication::{CopierRules, Rules};
use selvedge_primitives_types::{ContentKind, ContentRef, Millis, ServiceId};

const MIB: u64 = 1024 * 1024;
const MINUTE: u64 = 60_000;

/// A rule that is turned off, to see that its property fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Off {
    /// Nothing is ever lost, so nothing is repaired.
    Repair,
    /// Copies begin and run as fast as they can.
    Caps,
    /// A missed heartbeat is a loss.
    Grace,
    /// Nobody is asked to show what it says it holds.
    Challenges,
    /// Nobody hears that a cache drains.
    Drains,
    /// Who reads asks the first owner alone.
    Fallback,
}

/// The kind of trouble that a seed makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Restarts and cuts that are shorter than the grace time.
    Short,
    /// Many caches for good, at once.
    Loss,
    /// Drains after which caches leave, of blobs with one copy too; long cuts; gateways that come and go.
    Drain,
    /// All of it, with liars and emptied disks.
    All,
}

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wave {
    /// So many caches are gone for good; of one region first, if so.
    Kill { count: usize, is_regional: bool },
    /// So many have lost their data and say that they hold everything.
    Lie { count: usize },
    /// So many come back with empty disks.
    Empty { count: usize },
    /// So many drain, and leave.
    Drain { count: usize },
    /// So many are down for so long.
    Restart { count: usize, millis: u64 },
    /// So many are cut off for so long, and some gateways with them.
    Cut { count: usize, millis: u64 },
    /// The steward of the first service is gone; the chain hears of it in a minute.
    Gateway,
    /// A cache comes new.
    Join,
    /// A blob comes new, at one cache.
    Put,
}

/// A blob of the plan.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Blob {
    pub(crate) content: ContentRef,
    pub(crate) service: ServiceId,
    pub(crate) factor: u8,
}

/// What a seed makes.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) trouble: Trouble,
    pub(crate) regions: usize,
    pub(crate) caches: usize,
    pub(crate) gateways: usize,
    pub(crate) blobs: Vec<Blob>,
    /// Of a thousand messages so many are lost.
    pub(crate) lost: u32,
    /// Caches with a thin line.
    pub(crate) slow: BTreeSet<usize>,
    pub(crate) waves: Vec<(u64, Wave)>,
    pub(crate) end: u64,
}

/// The rules that stewards are held to, whatever they follow.
pub(crate) fn rules() -> Rules {
    Rules {
        rate: 8 * MIB,
        burst: 16 * MIB,
        in_flight: 32 * MIB,
        per_node: 8 * MIB,
        challenge: Millis(4 * MINUTE),
        spare_after: Millis(8 * MINUTE),
        ..Rules::default()
    }
}

/// The same of copiers.
pub(crate) fn copier_rules() -> CopierRules {
    CopierRules {
        rate: 4 * MIB,
        burst: 2 * MIB,
        ..CopierRules::default()
    }
}

/// How long after trouble all must be whole again.
pub(crate) fn bound(missing: u64) -> u64 {
    let rules = rules();
    // Three minutes are for what is the only source of much and has a thin line.
    rules.grace.0 + 3 * MINUTE + missing * 2_000 / rules.rate
}

impl Plan {
    pub(crate) fn new(seed: u64, trouble: Option<Trouble>) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let kinds = [Trouble::Short, Trouble::Loss, Trouble::Drain, Trouble::All];
        let trouble = trouble.unwrap_or(kinds[(seed % 4) as usize]);
        let caches = 20;
        let factors: &[u8] = match trouble {
            Trouble::Drain => &[1, 2, 3],
            _ => &[3, 3, 4],
        };
        let blob = |number: u64, random: &mut StdRng| Blob {
            content: content(seed, number, random),
            service: ServiceId(number % 3),
            factor: *factors.choose(random).unwrap_or(&3),
        };
        let blobs = (0..120).map(|number| blob(number, &mut random)).collect();
        let thin = random.gen_range(0..=2);
        let slow = (0..thin).map(|_| random.gen_range(0..caches)).collect();
        let space = 15 * MINUTE;
        let mut waves = Vec::new();
        for turn in 0..3 {
            let at = 2 * MINUTE + turn * space + random.gen_range(0..MINUTE);
            waves.push((at, wave(trouble, &mut random)));
        }
        Self {
            seed,
            trouble,
            regions: 4,
            caches,
            gateways: 3,
            blobs,
            lost: random.gen_range(0..=20),
            slow,
            end: 2 * MINUTE + 3 * space,
            waves,
        }
    }

    /// A blob that comes later.
    pub(crate) fn another(&self, number: u64, random: &mut StdRng) -> Blob {
        Blob {
            content: content(self.seed, number, random),
            service: ServiceId(number % 3),
            factor: 3,
        }
    }
}

fn wave(trouble: Trouble, random: &mut StdRng) -> Wave {
    let is_regional = random.gen();
    let few = random.gen_range(1..=3);
    let short = random.gen_range(1_000..35_000);
    let long = random.gen_range(MINUTE..3 * MINUTE);
    match (trouble, random.gen_range(0..8)) {
        (Trouble::Short, 0..4) => Wave::Restart {
            count: random.gen_range(1..=6),
            millis: short,
        },
        (Trouble::Short, _) => Wave::Cut {
            count: random.gen_range(1..=12),
            millis: short,
        },
        (Trouble::Loss, _) => Wave::Kill {
            count: 6,
            is_regional,
        },
        (Trouble::Drain, 0..4) => Wave::Drain { count: few },
        (Trouble::Drain, 4) => Wave::Gateway,
        (Trouble::Drain, 5) => Wave::Join,
        (Trouble::Drain, _) => Wave::Cut {
            count: random.gen_range(3..=12),
            millis: long,
        },
        (Trouble::All, 0) => Wave::Lie { count: 1 },
        (Trouble::All, 1) => Wave::Empty { count: few },
        (Trouble::All, 2) => Wave::Drain { count: few },
        (Trouble::All, 3) => Wave::Cut {
            count: few * 3,
            millis: long,
        },
        (Trouble::All, 4) => Wave::Join,
        (Trouble::All, 5) => Wave::Put,
        (Trouble::All, 6) => Wave::Gateway,
        (Trouble::All, _) => Wave::Kill {
            count: 2 * few,
            is_regional,
        },
    }
}

fn content(seed: u64, number: u64, random: &mut StdRng) -> ContentRef {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    let root = hasher.update(&number.to_le_bytes()).finalize();
    // Most are small; some are longer than a request, few than what one node may have under way.
    let length = match random.gen_range(0..20) {
        0..12 => random.gen_range(1..256 * 1024),
        12..19 => random.gen_range(MIB / 4..4 * MIB),
        _ => random.gen_range(4 * MIB..12 * MIB),
    };
    ContentRef {
        root: *root.as_bytes(),
        length,
        kind: ContentKind::File,
    }
}
