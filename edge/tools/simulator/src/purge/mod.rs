//! The order of purges: real logs at gateways and caches whose owners change while messages are lost and clocks differ.

mod node;
mod world;

use rand::rngs::StdRng;
use rand::SeedableRng;

/// A rule that is turned off, to see that its property fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Off {
    /// A node that says that an order is superseded counts as one that keeps it.
    Superseded,
    /// Nobody minds under which number a response was fetched that it is given.
    Hearsay,
    /// Nodes do not compare their orders.
    Sync,
}

/// A property that did not hold. Times are milliseconds since the beginning.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// A node that acknowledged a purge calls current what was fetched before the purge was asked for.
    #[error("at {at} ms node {node}, which keeps purge {purge}, calls current what was fetched at {fetched} ms")]
    Escaped {
        /// When.
        at: u64,
        /// The node.
        node: usize,
        /// Which purge.
        purge: usize,
        /// When the fetch began.
        fetched: u64,
    },
    /// Long after all trouble two nodes have different orders, or lack some.
    #[error("at {at} ms, long after all trouble, node {node} lacks orders")]
    Apart {
        /// When.
        at: u64,
        /// The node.
        node: usize,
    },
}

/// What was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Purges that got their receipt.
    pub purges: u64,
    /// Those that were ordered again, above a number that somebody knew.
    pub again: u64,
    /// Nodes that were missing from receipts.
    pub missing: u64,
    /// Verdicts that were judged.
    pub verdicts: u64,
    /// Of those, doubtful ones.
    pub doubtful: u64,
}

impl Figures {
    /// The sums.
    pub fn with(&mut self, other: &Self) {
        self.purges += other.purges;
        self.again += other.again;
        self.missing += other.missing;
        self.verdicts += other.verdicts;
        self.doubtful += other.doubtful;
    }
}

/// Plays a seed to its end.
///
/// Errors: the first property that did not hold.
pub fn play(seed: u64, off: Option<Off>) -> Result<Figures, Failure> {
    world::World::new(StdRng::seed_from_u64(seed ^ 0x9e3_7a11), off).run()
}
