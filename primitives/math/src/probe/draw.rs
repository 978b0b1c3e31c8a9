//! Which nodes probe a node.
//!
//! ```text
//! panel, sorted:  │ region a           │ region b                 │ region c    │
//!                 │ op 1 │ op 2 │ op 7 │ op 1 │ op 3 │ op 4 │ op 9│ op 3 │ op 5 │
//! of a node in b: ⌈k/2⌉ places are drawn within b, the others outside it; never its own operator, no operator twice
//! ```
//!
//! A place is drawn again when it falls on an operator that is out of the question, at most [`TRIES`] times in the part
//! it wants and as often in the whole panel; then it stays empty. So a node costs at most `2 k TRIES` steps, whatever
//! the panel's size, and an operator's chance grows with its nodes, never beyond one place.

use alloc::vec::Vec;
use core::ops::Range;
use selvedge_primitives_types::{Account, DeviceId, Hash, Prober, Region};

/// How often a place is drawn in one part of the panel before it is given up there.
pub const TRIES: usize = 16;

/// A node that is to be probed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probed {
    /// The device.
    pub device: DeviceId,
    /// Who operates it.
    pub operator: Account,
    /// Where it says it is.
    pub region: Region,
}

/// Draws at most `k` places of a sorted panel for a node, in ascending order.
///
/// `digest` is a hash over the epoch's seed and the node: the same digest and panel give the same places.
pub fn draw(digest: &Hash, node: &Probed, panel: &[Prober], k: usize) -> Vec<usize> {
    let home = home(panel, &node.region);
    let mut turn = Turn {
        numbers: Numbers::new(digest),
        node,
        panel,
        drawn: Vec::with_capacity(k),
    };
    let (all, away) = (panel.len(), panel.len() - home.len());
    for place in 0..k {
        let is_home = place < k.div_ceil(2);
        let found = match is_home {
            true => turn.pick(home.len(), |n| home.start + n),
            // The panel without its home part.
            false => turn.pick(away, |n| if n < home.start { n } else { n + home.len() }),
        };
        if let Some(position) = found.or_else(|| turn.pick(all, |n| n)) {
            turn.drawn.push(position);
        }
    }
    turn.drawn.sort_unstable();
    turn.drawn
}

/// The probers of a region in a sorted panel.
pub fn home(panel: &[Prober], region: &Region) -> Range<usize> {
    let start = panel.partition_point(|prober| prober.region < *region);
    let end = panel.partition_point(|prober| prober.region <= *region);
    start..end
}

struct Turn<'a> {
    numbers: Numbers,
    node: &'a Probed,
    panel: &'a [Prober],
    drawn: Vec<usize>,
}

impl Turn<'_> {
    fn pick(&mut self, count: usize, at: impl Fn(usize) -> usize) -> Option<usize> {
        (count > 0).then_some(())?;
        (0..TRIES).find_map(|_| {
            let position = at(self.numbers.below(count));
            let operator = self.panel.get(position)?.operator;
            let is_taken = |taken: &usize| self.panel[*taken].operator == operator;
            let is_out = operator == self.node.operator || self.drawn.iter().any(is_taken);
            (!is_out).then_some(position)
        })
    }
}

/// SplitMix64: the digest it starts from is what nobody can foresee; this only stretches it.
struct Numbers(u64);

impl Numbers {
    fn new(digest: &Hash) -> Self {
        let mut state = [0; 8];
        state.copy_from_slice(&digest[..8]);
        Self(u64::from_le_bytes(state))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `count`; how far it is from even is below `count / 2^64`.
    fn below(&mut self, count: usize) -> usize {
        ((u128::from(self.next()) * count as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const K: usize = 5;

    fn prober(region: u8, operator: u8, device: u16) -> Prober {
        let mut id = [0; 32];
        id[..2].copy_from_slice(&device.to_le_bytes());
        Prober {
            region: Region([region; 8]),
            operator: Account([operator; 32]),
            device: DeviceId(id),
            weight: 1,
        }
    }

    fn node(region: u8, operator: u8) -> Probed {
        Probed {
            device: DeviceId([255; 32]),
            operator: Account([operator; 32]),
            region: Region([region; 8]),
        }
    }

    /// A digest for a salt, as good as a hash for these tests.
    fn digest(salt: u64) -> Hash {
        let mut digest = [0; 32];
        digest[..8].copy_from_slice(&Numbers(salt).next().to_le_bytes());
        digest
    }

    fn panel() -> impl Strategy<Value = Vec<Prober>> {
        proptest::collection::vec((0u8..4, 0u8..12), 0..60).prop_map(|places| {
            let with_device = |(device, (region, operator))| prober(region, operator, device);
            let mut panel: Vec<_> = (0u16..).zip(places).map(with_device).collect();
            panel.sort_unstable();
            panel
        })
    }

    /// 40 operators in each of three regions.
    fn wide() -> Vec<Prober> {
        let mut panel: Vec<_> = (0..120u16)
            .map(|n| prober((n / 40) as u8, n as u8, n))
            .collect();
        panel.sort_unstable();
        panel
    }

    #[test]
    fn most_places_are_in_the_nodes_region() {
        let panel = wide();
        for salt in 0..500 {
            let drawn = draw(&digest(salt), &node(1, 200), &panel, K);
            let home = drawn.iter().filter(|place| panel[**place].region.0[0] == 1);
            assert_eq!((drawn.len(), home.count()), (K, 3));
        }
    }

    #[test]
    fn without_anybody_at_home_others_are_drawn_and_the_other_way_round() {
        let panel = wide();
        assert_eq!(draw(&digest(1), &node(9, 200), &panel, K).len(), K);
        let only_home: Vec<_> = panel[..40].to_vec();
        assert_eq!(draw(&digest(1), &node(0, 200), &only_home, K).len(), K);
        assert!(draw(&digest(1), &node(0, 200), &[], K).is_empty());
    }

    #[test]
    fn an_operator_with_most_of_the_nodes_has_one_place() {
        // Operator 7 has 200 of 210 nodes.
        let mut panel: Vec<_> = (0..200).map(|n| prober(0, 7, n)).collect();
        panel.extend((0..10u8).map(|n| prober(0, 100 + n, 300 + u16::from(n))));
        panel.sort_unstable();
        for salt in 0..200 {
            let drawn = draw(&digest(salt), &node(0, 1), &panel, K);
            let own = drawn
                .iter()
                .filter(|place| panel[**place].operator.0[0] == 7);
            assert!(own.count() <= 1);
        }
        // And none when the node is its own.
        let drawn = draw(&digest(1), &node(0, 7), &panel, K);
        assert!(drawn.iter().all(|place| panel[*place].operator.0[0] != 7));
    }

    #[test]
    fn everybody_at_home_is_drawn_about_as_often() {
        let panel = wide();
        let mut hits = [0u32; 120];
        for salt in 0..8_000 {
            for place in draw(&digest(salt), &node(1, 200), &panel, K) {
                hits[place] += 1;
            }
        }
        // 8,000 × 3 / 40 at home, 8,000 × 2 / 80 away.
        assert!(hits[40..80].iter().all(|hits| (500..700).contains(hits)));
        let away = hits[..40].iter().chain(&hits[80..]);
        assert!(away.into_iter().all(|hits| (140..260).contains(hits)));
    }

    proptest! {
        #[test]
        fn probers_are_of_different_operators_and_never_the_nodes_own(
            panel in panel(), salt: u64, region in 0u8..5, operator in 0u8..12,
        ) {
            let node = node(region, operator);
            let drawn = draw(&digest(salt), &node, &panel, K);
            prop_assert!(drawn.len() <= K);
            prop_assert!(drawn.windows(2).all(|pair| pair[0] < pair[1]));
            let operators: BTreeSet<_> = drawn.iter().map(|place| panel[*place].operator).collect();
            prop_assert_eq!(operators.len(), drawn.len());
            prop_assert!(!operators.contains(&node.operator));
            prop_assert_eq!(&drawn, &draw(&digest(salt), &node, &panel, K));
        }

        #[test]
        fn the_home_part_is_the_region(panel in panel(), region in 0u8..5) {
            let region = Region([region; 8]);
            let home = home(&panel, &region);
            for (place, prober) in panel.iter().enumerate() {
                prop_assert_eq!(home.contains(&place), prober.region == region);
            }
        }
    }
}
