//! What is sent between the end of an epoch and the last payment for it.

use super::world::Gateway;
use crate::chain::hold_back;
use pallet_edge_billing::types::MAX_PAGE;
use pallet_edge_driver::{EntryPage, SubmitUsage};
use pallet_edge_traits::HostKeccak;
use selvedge_primitives_math::{TreeKind, UsageTrees};
use selvedge_primitives_types::Epoch;
use selvedge_runtime::configs::driver::Submitter;

/// The epoch that is served in.
pub const SERVED: Epoch = Epoch(1);

/// One kind of transaction, sent by every gateway.
pub struct Phase {
    /// What it is called in tables.
    pub name: &'static str,
    /// Whether it waits until the hold-back is over.
    is_held_back: bool,
    /// Quarters of its epoch after which it may be sent.
    pub quarters: u64,
    /// Puts a gateway's transactions into the pool.
    pub submit: fn(&Gateway, &UsageTrees),
}

impl Phase {
    /// The epoch it is sent in.
    pub fn epoch(&self) -> Epoch {
        let held_back = if self.is_held_back { hold_back() } else { 0 };
        SERVED.plus(1 + held_back)
    }
}

/// All, in the order of a commitment's life.
pub const ALL: [Phase; 4] = [
    Phase {
        name: "commit",
        is_held_back: false,
        quarters: 0,
        submit: commit,
    },
    Phase {
        name: "settle",
        is_held_back: false,
        quarters: 2,
        submit: settle,
    },
    Phase {
        name: "show caches",
        is_held_back: false,
        quarters: 3,
        submit: credit,
    },
    Phase {
        name: "pay caches",
        is_held_back: true,
        quarters: 1,
        submit: credit,
    },
];

fn commit(gateway: &Gateway, trees: &UsageTrees) {
    let commitment = trees.commitment(gateway.id(), SERVED);
    Submitter::commit(&gateway.agent_key, commitment).expect("the pool takes it");
}

fn settle(gateway: &Gateway, trees: &UsageTrees) {
    for page in pages(trees, TreeKind::Customers) {
        Submitter::settle(&gateway.agent_key, gateway.id(), SERVED, page)
            .expect("the pool takes it");
    }
}

/// Shown before the hold-back is over, paid after it.
fn credit(gateway: &Gateway, trees: &UsageTrees) {
    for page in pages(trees, TreeKind::Caches) {
        Submitter::credit(&gateway.agent_key, gateway.id(), SERVED, page)
            .expect("the pool takes it");
    }
}

/// A tree in pages, each with its proof.
pub fn pages(trees: &UsageTrees, kind: TreeKind) -> impl Iterator<Item = EntryPage> + '_ {
    let chunks = trees.entries(kind).chunks(MAX_PAGE as usize).enumerate();
    chunks.map(move |(page, entries)| {
        let (start, len) = (page as u32 * MAX_PAGE, entries.len() as u32);
        let proof = trees.prove_entries::<HostKeccak>(kind, start, len);
        (entries.to_vec(), proof)
    })
}
