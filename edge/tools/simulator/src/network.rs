//! Messages that come late, or not at all.

use std::collections::BTreeSet;

use rand::rngs::StdRng;
use rand::Rng;

/// How long it takes to send again what was lost of a stream.
const AGAIN: u64 = 1_000;

/// The lines between nodes, which are numbers.
#[derive(Debug)]
pub(crate) struct Network {
    /// Region of each node.
    pub(crate) regions: Vec<usize>,
    /// Milliseconds one way, by regions.
    base: Vec<Vec<u64>>,
    /// Of a thousand messages so many are lost.
    pub(crate) lost: u32,
    /// Nodes that reach each other and nobody else.
    pub(crate) island: BTreeSet<usize>,
}

impl Network {
    /// Lines of random lengths between so many regions.
    pub(crate) fn new(regions: Vec<usize>, count: usize, lost: u32, random: &mut StdRng) -> Self {
        let mut base = vec![vec![1; count]; count];
        for a in 0..count {
            for b in 0..a {
                let millis = random.gen_range(10..120);
                (base[a][b], base[b][a]) = (millis, millis);
            }
        }
        Self {
            regions,
            base,
            lost,
            island: BTreeSet::new(),
        }
    }

    /// Whether messages pass between two nodes.
    pub(crate) fn connects(&self, a: usize, b: usize) -> bool {
        self.island.contains(&a) == self.island.contains(&b)
    }

    /// Milliseconds that a message takes; `None` when it does not come. What is lost of a stream is sent again.
    pub(crate) fn carry(
        &self,
        from: usize,
        to: usize,
        is_stream: bool,
        random: &mut StdRng,
    ) -> Option<u64> {
        let base = self.base[self.regions[from]][self.regions[to]];
        let delay = base + random.gen_range(0..=base / 2 + 1);
        let is_lost = random.gen_range(0..1_000) < self.lost;
        // One in a hundred is held up, so that messages overtake each other.
        let late = if random.gen_ratio(1, 100) {
            random.gen_range(0..1_500)
        } else {
            0
        };
        let again = if is_lost && is_stream { AGAIN } else { 0 };
        (self.connects(from, to) && (is_stream || !is_lost)).then_some(delay + late + again)
    }
}
