//! What the pallet stores. Nothing here knows of `Config`.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
    pallet_prelude::{ConstU32, Get},
    BoundedVec,
};
use pallet_edge_traits::NodeWalk;
use scale_info::TypeInfo;
use selvedge_primitives_math::{
    probe::{Observed, Place},
    score,
};
use selvedge_primitives_types::{
    probe::MAX_PROBES, Account, DeviceId, Epoch, Era, Hash, Planck, Ppm, Probe, Prober, Region,
    Role, Score, Sighting,
};

/// Most nodes of a role and region that a median is taken over; further ones are scored against it all the same.
pub const MAX_SAMPLES: u32 = 1_024;

/// Probers drawn for a node, each of another operator: with five, none holds more than a fifth of the weight.
pub const PROBERS: u32 = 5;

/// Sightings from other regions that are remembered of a node in an era, the latest: two in each of 12 epochs.
pub const MAX_AWAY: u32 = 24;

/// A stake's scores with the inputs of the last era it was scored for.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct ScoreRecord {
    /// Quality, smoothed.
    pub quality: Score,
    /// Service, smoothed.
    pub service: Score,
    /// The era of the inputs.
    pub era: Era,
    /// Charges per stake that matured in that era, in millionths; zero for a validator.
    pub jobs_per_stake: Planck,
    /// The same, smoothed over eras; zero for a validator.
    pub usual: Planck,
    /// The region's median of the smoothed ones, of those who have any; zero for a validator.
    pub regional_median: Planck,
    /// The job component, 0 to 1.25; for a validator blocks authored over expected, 0 to 1.5.
    pub jobs: Score,
    /// Share answered; one without probes.
    pub ok: Score,
    /// Speed; one without probes.
    pub speed: Score,
    /// For a validator: blocks authored, and all blocks divided by the set's size.
    pub blocks: Option<(u32, u32)>,
}

impl Default for ScoreRecord {
    /// A node of which nothing is known.
    fn default() -> Self {
        Self {
            quality: Score::ONE,
            service: Score::ONE,
            era: Era(0),
            jobs_per_stake: 0,
            usual: 0,
            regional_median: 0,
            jobs: Score::ONE,
            ok: Score::ONE,
            speed: Score::ONE,
            blocks: None,
        }
    }
}

/// One node's part in a regional median.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Sample {
    /// Who operates it.
    pub operator: Account,
    /// The value, in the group's unit.
    pub value: Planck,
    /// Its stake, in planck.
    pub weight: u64,
}

impl From<Sample> for score::Sample {
    fn from(sample: Sample) -> Self {
        let Sample {
            operator,
            value,
            weight,
        } = sample;
        Self {
            operator,
            value,
            weight,
        }
    }
}

/// What a median of the close is taken over.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum Group {
    /// Charges per stake, smoothed, in millionths, of the nodes of a role and region that have any.
    #[codec(index = 0)]
    Jobs(Role, Region),
    /// Their paces, in microseconds per 64 KiB.
    #[codec(index = 1)]
    Pace(Role, Region),
    /// Round trips among the nodes of a region, in microseconds.
    #[codec(index = 2)]
    RoundTrip(Region),
}

/// What the close of an era does next.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum Step {
    /// Takes the samples of the medians.
    #[codec(index = 0)]
    Sample(NodeWalk),
    /// Takes the medians.
    #[codec(index = 1)]
    Median,
    /// Scores the nodes.
    #[codec(index = 2)]
    Score(NodeWalk),
    /// Forgets what was counted.
    #[codec(index = 3)]
    Clear,
}

/// An era that is being closed.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Closing {
    /// The era.
    pub era: Era,
    /// The period under which it was counted.
    pub period: u64,
    /// Its first epoch.
    pub from: Epoch,
    /// Its last epoch with a block.
    pub to: Epoch,
    /// Nodes scored so far.
    pub scored: u32,
    /// What is to be done next.
    pub step: Step,
}

/// Who may be drawn to probe in an epoch, and by which seed. Who probes whom follows from it.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
#[codec(mel_bound())]
#[scale_info(skip_type_params(MaxProbers))]
pub struct ProbeRound<MaxProbers: Get<u32>> {
    /// The epoch.
    pub epoch: Epoch,
    /// What the draws of the epoch depend on.
    pub seed: Hash,
    /// Gateways that were active when the epoch began, sorted.
    pub panel: BoundedVec<Prober, MaxProbers>,
}

/// What is to be done between two epochs.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Turn {
    /// The epoch that is being prepared.
    pub epoch: Epoch,
    /// The epoch in which was seen what is gathered.
    pub seen: Epoch,
    /// The period that what was seen in the epoch before counts for.
    pub period: u64,
    /// What is to be done next.
    pub step: TurnStep,
}

/// A step between two epochs.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum TurnStep {
    /// Finds what the probers of the epoch before saw together.
    #[codec(index = 0)]
    Gather,
    /// Forgets who reported in it.
    #[codec(index = 1)]
    Forget,
    /// Enrols the gateways after this device, in the storage's order, from a place that the seed chose.
    #[codec(index = 2)]
    Enrol(DeviceId),
    /// Enrols those before that place.
    #[codec(index = 3)]
    EnrolRest(Option<DeviceId>),
}

/// The entries of a report.
pub type Probes = BoundedVec<Probe, ConstU32<MAX_PROBES>>;

/// What the probers drawn for a node saw in an epoch.
pub type Sightings = BoundedVec<Sighting, ConstU32<PROBERS>>;

/// What was found of a stake's devices in an era.
#[derive(
    Clone,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Observation {
    /// Sums over its epochs.
    pub observed: Observed,
    /// Epochs in which the stake was on no device.
    pub absent: u32,
    /// The first epoch that these say nothing of.
    pub absent_until: Epoch,
    /// What probers of other regions saw, latest last.
    pub away: BoundedVec<Sighting, ConstU32<MAX_AWAY>>,
}

/// What the probes of an era made of a node's score, with everything it came from.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct ProbeRecord {
    /// The era.
    pub era: Era,
    /// What was found in it, its absence included.
    pub observed: Observed,
    /// Epochs in which the stake was on no device: each is one without an answer.
    pub absent: u32,
    /// The regional median pace of the role in microseconds per 64 KiB; zero for none.
    pub median_pace: u64,
    /// The median round trip among the nodes of its region in microseconds; zero for none.
    pub usual_round_trip: u64,
    /// The quality of this era alone.
    pub quality: Score,
    /// What the round trips say about its region.
    pub place: Place,
}

/// Why a node is out until it rejoins.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum Reason {
    /// It answered in less than half of the share of epochs that is expected of its role.
    #[codec(index = 0)]
    Unavailable,
    /// A dispute about this region was decided against it.
    #[codec(index = 1)]
    RegionDisproved(Region),
}

/// A stake whose node is out.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Exclusion {
    /// The epoch it began in.
    pub since: Epoch,
    /// The device that it is out for.
    pub device: DeviceId,
    /// Why.
    pub reason: Reason,
}

/// A dispute about a node's region.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Dispute<AccountId> {
    /// Who disputes it.
    pub by: AccountId,
    /// What is on hold for it, in planck.
    pub bond: Planck,
    /// The epoch it was opened in; the next whole era decides.
    pub since: Epoch,
}

/// Every component of a node's score with its inputs.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Explanation {
    /// The scores, with the inputs of jobs; those of a node of which nothing is known if it was never scored.
    pub score: ScoreRecord,
    /// What the probes of the last scored era gave.
    pub probes: ProbeRecord,
    /// What was found in the current era so far.
    pub current: Observed,
    /// Availability that is expected of its role.
    pub expected: Ppm,
    /// Whether it drains, so that nothing that is seen of it counts.
    pub draining: bool,
    /// Why it is out, if it is.
    pub out: Option<Exclusion>,
    /// Since when its region is disputed, if it is.
    pub disputed: Option<Epoch>,
}
