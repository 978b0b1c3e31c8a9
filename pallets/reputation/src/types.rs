//! What the pallet stores. Nothing here knows of `Config`.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use pallet_edge_traits::NodeWalk;
use scale_info::TypeInfo;
use selvedge_primitives_math::score;
use selvedge_primitives_types::{Account, Epoch, Era, Planck, Score};

/// Most nodes of a role and region that a median is taken over; further ones are scored against it all the same.
pub const MAX_SAMPLES: u32 = 1_024;

/// A node's scores with the inputs of the last era it was scored for.
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
    /// Matured charges per stake, in millionths; zero for a validator.
    pub jobs_per_stake: Planck,
    /// The region's median of it; zero for a validator.
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
    /// Matured charges per stake, in millionths.
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
    /// Scores the nodes.
    #[codec(index = 1)]
    Score(NodeWalk),
    /// Forgets what was counted.
    #[codec(index = 2)]
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
