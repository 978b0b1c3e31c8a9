//! What a steward is told, and what it wants done.

use selvedge_primitives_types::{ContentRef, DeviceId, Hash, Millis, Region, ServiceId};

/// The most roots that a cache is asked about at a time.
pub const MAX_ASK: usize = 1_024;

/// A cache of the chain's nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cache {
    /// The device.
    pub device: DeviceId,
    /// Its region.
    pub region: Region,
    /// Whether it drains or is out: it serves what it has and takes nothing new.
    pub draining: bool,
}

/// A blob that is to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The blob.
    pub content: ContentRef,
    /// Caches that each keep it, as pinned. 0 promises nothing: it is copied where there is demand.
    pub factor: u8,
}

/// Why a copy was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyFailure {
    /// The target has no room for it.
    Full,
    /// The target did not take the order, or gave up.
    Failed,
}

/// Something happened.
#[derive(Clone, Debug)]
pub enum Input<P> {
    /// Time passed. To come at least every [`crate::Rules::tick`], and at the deadline that
    /// [`Output::Timeout`] names.
    Tick,
    /// The chain has these caches now, and this says what belongs where.
    Caches {
        /// All of them.
        caches: Vec<Cache>,
        /// Where copies belong.
        placement: P,
    },
    /// A service keeps these blobs as well, or with another factor, and those no more.
    Objects {
        /// The service.
        service: ServiceId,
        /// What it keeps.
        kept: Vec<Wanted>,
        /// What it no longer keeps.
        gone: Vec<Hash>,
    },
    /// A cache answered: whether each of these blobs is complete there. What was not asked counts for
    /// nothing less, so that a cache may tell of itself.
    Have {
        /// The cache.
        cache: DeviceId,
        /// Roots, each with whether all of it is there.
        roots: Vec<(Hash, bool)>,
    },
    /// A cache did not answer, or could not be reached.
    Silent {
        /// The cache.
        cache: DeviceId,
    },
    /// A cache has made a copy that was ordered. What it says in [`Input::Have`] does as well.
    CopyDone {
        /// The blob.
        root: Hash,
        /// The cache.
        to: DeviceId,
    },
    /// A cache has not made a copy that was ordered.
    CopyFailed {
        /// The blob.
        root: Hash,
        /// The cache.
        to: DeviceId,
        /// Why.
        why: CopyFailure,
    },
    /// A cache was asked for bytes of a blob that it says it holds.
    Challenged {
        /// The blob.
        root: Hash,
        /// The cache.
        cache: DeviceId,
        /// Whether they came and were right. Whoever could not be reached was not challenged.
        passed: bool,
    },
    /// Requests for a blob from a region, since the last that was said of both.
    Heat {
        /// The blob.
        root: Hash,
        /// Where they came from.
        region: Region,
        /// How many.
        requests: u32,
    },
}

/// Something must be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Ask a cache which of these it holds; answer with [`Input::Have`] or [`Input::Silent`]. Without
    /// roots it is asked whether it is there.
    Ask {
        /// The cache.
        cache: DeviceId,
        /// At most [`MAX_ASK`].
        roots: Vec<Hash>,
    },
    /// Order a cache to fetch a blob from one of those, and to keep it.
    Copy {
        /// The blob.
        content: ContentRef,
        /// A service that keeps it.
        service: ServiceId,
        /// Who is to fetch it.
        to: DeviceId,
        /// Who holds it, the best first; never empty.
        from: Vec<DeviceId>,
    },
    /// A copy that was ordered is no longer needed. What was fetched already may stay.
    Cancel {
        /// The blob.
        root: Hash,
        /// Who fetches it.
        to: DeviceId,
    },
    /// Ask a cache for some bytes of a blob, drawn so that it cannot know which; answer with
    /// [`Input::Challenged`].
    Challenge {
        /// The blob.
        content: ContentRef,
        /// A service that keeps it.
        service: ServiceId,
        /// The cache.
        cache: DeviceId,
    },
    /// A cache holds what enough others hold that are nearer to it in the order of owners.
    Excess {
        /// The blob.
        root: Hash,
        /// The cache.
        cache: DeviceId,
    },
    /// A cache said that it holds what it does not.
    Liar {
        /// The blob.
        root: Hash,
        /// The cache.
        cache: DeviceId,
    },
    /// Nobody who can be asked holds it. Said once each time that it becomes so.
    Unavailable {
        /// The blob.
        root: Hash,
    },
    /// Nothing is left to do; the next [`Input::Tick`] is due then.
    Timeout(Millis),
}

/// How content stands, for metrics, as of the last whole look at it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Blobs that are kept.
    pub objects: u64,
    /// Those that every cache holds which should.
    pub whole: u64,
    /// Those of which fewer copies are known than were promised.
    pub short: u64,
    /// Those that one cache alone holds, though more were promised.
    pub alone: u64,
    /// Those that nobody is known to hold who can be asked.
    pub unavailable: u64,
    /// Copies under way.
    pub flights: u64,
    /// Their bytes.
    pub in_flight: u64,
    /// Caches that were silent for too long, whatever they held.
    pub lost: u64,
    /// Caches whose word does not count.
    pub distrusted: u64,
    /// Whether most caches are silent, and nothing moves for that reason.
    pub is_cut_off: bool,
}
