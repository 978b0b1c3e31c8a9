//! A closed epoch: what a gateway commits to and answers for.

use crate::Keccak;
use selvedge_primitives_math::{
    draw::Draw,
    fraud::{open_leaf, OpenedLeaf, Openings},
    RangeProof, TreeError, TreeKind, UsageTrees,
};
use selvedge_primitives_types::{
    Account, CustomerEntryKey, DeviceId, Entry, EntryKey, Epoch, Leaf, LeafKey, ServiceId,
    Signature64, UsageCommitment,
};

/// Entries on one page.
pub const PAGE: u32 = 64;

/// Entries of a tree from a cursor, and that they stand there.
pub type Page = (Vec<Entry>, RangeProof<EntryKey>);

/// An entry of the tree by customer with some of its leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoice {
    /// Place of the entry in the tree.
    pub index: u32,
    /// The entry.
    pub entry: Entry,
    /// That it stands in the committed tree.
    pub entry_proof: RangeProof<EntryKey>,
    /// Leaves of the entry, from `leaves_proof.start`.
    pub leaves: Vec<Leaf>,
    /// That they are the entry's.
    pub leaves_proof: RangeProof<LeafKey>,
}

/// The usage trees of an epoch. They never change.
#[derive(Clone, Debug)]
pub struct Closed {
    gateway: DeviceId,
    epoch: Epoch,
    trees: UsageTrees,
}

impl Closed {
    /// Builds the trees over leaves, in any order. Errors when they form none.
    pub fn build(gateway: DeviceId, epoch: Epoch, leaves: Vec<Leaf>) -> Result<Self, TreeError> {
        let is_own = |leaf: &Leaf| leaf.body.gateway == gateway && leaf.body.epoch == epoch;
        if !leaves.iter().all(is_own) {
            return Err(TreeError::Mixed);
        }
        Ok(Self {
            gateway,
            epoch,
            trees: UsageTrees::build::<Keccak>(leaves)?,
        })
    }

    /// The epoch.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Every leaf.
    pub fn leaves(&self) -> &[Leaf] {
        self.trees.leaves()
    }

    /// The trees.
    pub fn trees(&self) -> &UsageTrees {
        &self.trees
    }

    /// Leaves that name a cache and lack its signature.
    pub fn unsigned(&self) -> impl Iterator<Item = &Leaf> {
        self.leaves().iter().filter(|leaf| {
            !leaf.body.cache.is_none() && leaf.cache_signature == Signature64::default()
        })
    }

    /// What the gateway commits to.
    pub fn commitment(&self) -> UsageCommitment {
        self.trees.commitment(self.gateway, self.epoch)
    }

    /// The next entries of the tree by customer, to settle; `None` from the end on.
    pub fn settle_page(&self, cursor: u32) -> Option<Page> {
        self.page(TreeKind::Customers, cursor)
    }

    /// The next entries of the tree by cache, to credit; `None` from the end on.
    pub fn credit_page(&self, cursor: u32) -> Option<Page> {
        self.page(TreeKind::Caches, cursor)
    }

    /// A customer's entry with at most `limit` of its leaves from `start`; `None` when there is no
    /// such entry, or no leaf from `start`.
    pub fn invoice(
        &self,
        customer: Account,
        service: ServiceId,
        start: u32,
        limit: u32,
    ) -> Option<Invoice> {
        let kind = TreeKind::Customers;
        let key = CustomerEntryKey { customer, service }.into();
        let place = self.trees.index_of(kind, &key)?;
        let index = u32::try_from(place).ok()?;
        let all = self.trees.leaves_of(kind, place);
        let leaves: Vec<_> = all
            .into_iter()
            .skip(start as usize)
            .take(limit as usize)
            .collect();
        if leaves.is_empty() {
            return None;
        }
        let len = u32::try_from(leaves.len()).ok()?;
        Some(Invoice {
            index,
            entry: *self.trees.entries(kind).get(place)?,
            entry_proof: self.trees.prove_entries::<Keccak>(kind, index, 1),
            leaves_proof: self.trees.prove_leaves::<Keccak>(kind, place, start, len),
            leaves,
        })
    }

    /// What shows drawn leaves to be what was committed.
    pub fn open(&self, draws: &[Draw]) -> Openings {
        Openings::of::<Keccak>(&self.trees, &self.commitment(), draws)
    }

    /// One drawn leaf as the chain checks it; `None` for a draw beyond the end.
    pub fn open_leaf(&self, draw: &Draw) -> Option<OpenedLeaf> {
        open_leaf::<Keccak>(&self.trees, &self.commitment(), draw)
    }

    fn page(&self, kind: TreeKind, cursor: u32) -> Option<Page> {
        let entries = self.trees.entries(kind).get(cursor as usize..)?;
        let entries = &entries[..entries.len().min(PAGE as usize)];
        if entries.is_empty() {
            return None;
        }
        Some((
            entries.to_vec(),
            self.trees.prove_entries::<Keccak>(kind, cursor, PAGE),
        ))
    }
}
