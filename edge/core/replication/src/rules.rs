//! When what is done, and how much of it.

use selvedge_primitives_types::Millis;

const MIB: u64 = 1024 * 1024;
const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;

/// How a steward goes about it. Times are in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How often it looks at what is due.
    pub tick: Millis,
    /// How often each cache is asked, at least.
    pub heartbeat: Millis,
    /// How long a question waits for its answer.
    pub answer: Millis,
    /// Silence after which a cache is *suspect*: its copies count, and nothing is asked of it that needs an answer.
    pub suspect: Millis,
    /// Silence after which it is *lost*: its copies count no more. Longer than a restart takes.
    pub grace: Millis,
    /// By how much that is longer while most caches are silent: then it is likelier that the steward is cut off.
    pub cut_off: u64,
    /// How often everything is asked about, at most.
    pub survey: Millis,
    /// How long after a failure a target is tried again. Doubles with each, to 16 times.
    pub retry: Millis,
    /// Failures of one copy after which the next in order stands in for its target.
    pub attempts: u8,
    /// How long a drain excuses a copy that is missing elsewhere: the longest that the chain grants, and some.
    pub drain: Millis,
    /// How long a target that said it was full is left alone.
    pub full: Millis,
    /// Bytes of copies that begin in a second.
    pub rate: u64,
    /// As many may begin at once after a quiet time.
    pub burst: u64,
    /// Bytes under way in all.
    pub in_flight: u64,
    /// Bytes under way from one source, and to one target.
    pub per_node: u64,
    /// A copy that takes longer than [`Self::patience`] and its bytes at this many a second has failed.
    pub least_rate: u64,
    /// See there.
    pub patience: Millis,
    /// Within this time every holder of every blob is challenged.
    pub challenge: Millis,
    /// Failed challenges, within [`Self::distrust`], after which nothing that a cache says counts.
    pub strikes: u8,
    /// How long that lasts, and how long a strike counts.
    pub distrust: Millis,
    /// Time in which demand counts half.
    pub half_life: Millis,
    /// Requests, decayed, from which a region has a copy of its own.
    pub region_heat: u32,
    /// Requests from everywhere, decayed, from which every region has one.
    pub everywhere_heat: u32,
    /// How long all owners must have held a blob before another copy is called spare: longer than [`Self::challenge`], so
    /// that each has shown it.
    pub spare_after: Millis,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            tick: Millis(250),
            heartbeat: Millis(2 * SECOND),
            answer: Millis(2 * SECOND),
            suspect: Millis(6 * SECOND),
            grace: Millis(MINUTE),
            cut_off: 10,
            survey: Millis(MINUTE),
            retry: Millis(5 * SECOND),
            attempts: 3,
            drain: Millis(6 * 60 * MINUTE),
            full: Millis(5 * MINUTE),
            rate: 32 * MIB,
            burst: 64 * MIB,
            in_flight: 256 * MIB,
            per_node: 64 * MIB,
            least_rate: MIB / 4,
            patience: Millis(30 * SECOND),
            challenge: Millis(60 * MINUTE),
            strikes: 3,
            distrust: Millis(60 * MINUTE),
            half_life: Millis(10 * MINUTE),
            region_heat: 600,
            everywhere_heat: 6_000,
            spare_after: Millis(120 * MINUTE),
        }
    }
}

/// Bounds on what a steward keeps and does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Blobs.
    pub objects: usize,
    /// Caches, at most [`Self::MAX_CACHES`].
    pub caches: usize,
    /// Copies that wait for their turn. Of more, those that are needed least are found again by the next look.
    pub queue: usize,
    /// Copies under way.
    pub flights: usize,
    /// Copies that failed lately.
    pub failures: usize,
    /// Blobs with demand.
    pub hot: usize,
    /// Hashes that one tick may cost: it looks at as many blobs as their places can be computed of.
    pub work: usize,
    /// Challenges that one tick may ask for.
    pub challenges: usize,
    /// Blobs without a known holder that one survey asks all caches about.
    pub searches: usize,
}

impl Limits {
    /// Caches that can be told apart.
    pub const MAX_CACHES: usize = 16_000;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            objects: 1_000_000,
            caches: Self::MAX_CACHES,
            queue: 65_536,
            flights: 1_024,
            failures: 16_384,
            hot: 65_536,
            work: 100_000,
            challenges: 64,
            searches: 256,
        }
    }
}
