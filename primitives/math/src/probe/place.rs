//! Whether round trips fit the region that a node claims.
//!
//! A node can answer late but never early, and light goes 200 km in a millisecond of fibre: a short round trip proves
//! that a node is near, while a long one proves nothing alone. There is no map: what counts as near in a region is what
//! its own nodes have among themselves.
//!
//! ```text
//!   region claimed ●───────────── home ──────────────○ node ── away ──● other region      home ≫ away, and away is
//!                  typical round trip within it                         typical there       no more than typical there
//! ```

use crate::score::{weighted_median, Sample};
use alloc::{collections::BTreeSet, vec::Vec};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use selvedge_primitives_types::{Region, Sighting};

use super::tally::QUORUM;

/// Microseconds that say nothing: last miles differ by as much.
pub const SLACK: u64 = 20_000;

/// How much further from its region than its nodes are from each other a node may be.
const FAR: u64 = 3;

/// How much nearer another region must be for a node to lie in it.
const NEARER: u64 = 2;

/// What the round trips of an era say about a node's region.
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
pub enum Place {
    /// Too few operators have probers in the region.
    #[default]
    #[codec(index = 0)]
    Unknown,
    /// Nothing speaks against it.
    #[codec(index = 1)]
    Plausible,
    /// The node is far from everybody in its region.
    #[codec(index = 2)]
    FarFromHome,
    /// The node is as near to another region as that one's own nodes, and far nearer than to its own.
    #[codec(index = 3)]
    Elsewhere(Region),
}

impl Place {
    /// Whether the region is disproved.
    pub fn is_implausible(&self) -> bool {
        matches!(self, Self::FarFromHome | Self::Elsewhere(_))
    }
}

/// Judges a claimed region by an era's mean round trip from it, by what is typical in a region, and by what probers of
/// other regions saw; times in microseconds.
///
/// Another region counts when probers of [`QUORUM`] operators there saw the node. The order of sightings does not
/// matter; of several regions that fit, the first by name is told.
pub fn place(
    claimed: &Region,
    home: Option<u64>,
    sightings: &[Sighting],
    typical: impl Fn(&Region) -> Option<u64>,
) -> Place {
    let (Some(home), Some(usual)) = (home, typical(claimed)) else {
        return Place::Unknown;
    };
    let others: BTreeSet<_> = sightings.iter().map(|one| one.region).collect();
    let elsewhere = others
        .into_iter()
        .filter(|other| other != claimed)
        .find(|other| {
            let Some(away) = round_trip_from(other, sightings) else {
                return false;
            };
            let is_nearer = NEARER.saturating_mul(away).saturating_add(SLACK) < home;
            // Half a last mile more than its own nodes.
            let is_within = typical(other).is_some_and(|usual| away <= usual.saturating_mul(3) / 2);
            is_nearer && is_within
        });
    match elsewhere {
        Some(other) => Place::Elsewhere(other),
        None if home > usual.saturating_mul(FAR).saturating_add(SLACK) => Place::FarFromHome,
        None => Place::Plausible,
    }
}

/// The weighted median of round trips from a region, if enough operators there have one.
fn round_trip_from(region: &Region, sightings: &[Sighting]) -> Option<u64> {
    let samples: Vec<_> = sightings
        .iter()
        .filter(|one| one.region == *region)
        .filter_map(|one| {
            Some(Sample {
                operator: one.operator,
                value: one.round_trip?.into(),
                weight: one.weight,
            })
        })
        .collect();
    let weighty = samples.iter().filter(|sample| sample.weight > 0);
    let operators: BTreeSet<_> = weighty.map(|sample| sample.operator).collect();
    if operators.len() < QUORUM {
        return None;
    }
    weighted_median(&samples).map(|median| median as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use selvedge_primitives_types::Account;

    const EU: Region = Region(*b"eu-west\0");
    const US: Region = Region(*b"us-east\0");

    fn from(region: Region, operator: u8, round_trip: u32) -> Sighting {
        Sighting {
            region,
            operator: Account([operator; 32]),
            weight: 1,
            answered: true,
            right: None,
            pace: None,
            round_trip: Some(round_trip),
        }
    }

    /// Within a region 8 ms are usual.
    fn typical(_: &Region) -> Option<u64> {
        Some(8_000)
    }

    fn us(round_trip: u32) -> Vec<Sighting> {
        (1..=3)
            .map(|operator| from(US, operator, round_trip))
            .collect()
    }

    #[test]
    fn a_node_near_its_own_region_is_plausible() {
        assert_eq!(
            place(&EU, Some(9_000), &us(85_000), typical),
            Place::Plausible
        );
        // A long last mile, the same to everybody.
        assert_eq!(
            place(&EU, Some(40_000), &us(120_000), typical),
            Place::Plausible
        );
    }

    #[test]
    fn a_node_in_another_region_is_found_there() {
        assert_eq!(
            place(&EU, Some(84_000), &us(6_000), typical),
            Place::Elsewhere(US)
        );
        // The two of them prove nothing without a third operator.
        assert_eq!(
            place(&EU, Some(84_000), &us(6_000)[..2], typical),
            Place::FarFromHome
        );
    }

    #[test]
    fn a_node_far_from_everybody_is_not_at_home() {
        assert_eq!(
            place(&EU, Some(150_000), &us(200_000), typical),
            Place::FarFromHome
        );
    }

    #[test]
    fn regions_that_lie_close_together_say_nothing_against_a_node() {
        // Nearer to the neighbour than to its own, but both within a last mile.
        assert_eq!(
            place(&EU, Some(18_000), &us(4_000), typical),
            Place::Plausible
        );
    }

    #[test]
    fn without_probers_in_the_region_nothing_is_known() {
        assert_eq!(place(&EU, None, &us(1_000), typical), Place::Unknown);
        assert_eq!(
            place(&EU, Some(90_000), &us(1_000), |_| None),
            Place::Unknown
        );
    }

    proptest! {
        #[test]
        fn waiting_before_an_answer_never_brings_a_node_home(
            home in 1u64..400_000, away in 1u32..400_000, wait in 0u32..400_000,
        ) {
            let honest = place(&EU, Some(home), &us(away), typical);
            let late = place(&EU, Some(home + u64::from(wait)), &us(away + wait), typical);
            prop_assert!(honest != Place::FarFromHome || late.is_implausible());
        }

        #[test]
        fn one_liar_elsewhere_moves_nobody(home in 1u64..400_000, lie in 1u32.., weight: u64) {
            let mut sightings: Vec<_> = (1..=4).map(|id| from(US, id, 85_000)).collect();
            let before = place(&EU, Some(home), &sightings, typical);
            sightings.push(Sighting { weight, ..from(US, 9, lie) });
            prop_assert_eq!(before, place(&EU, Some(home), &sightings, typical));
            sightings.reverse();
            prop_assert_eq!(before, place(&EU, Some(home), &sightings, typical));
        }
    }
}
