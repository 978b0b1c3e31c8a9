//! One line of a bill against what stands behind it.

use crate::{
    hash::Keccak256,
    price::charge,
    proof::{verify_commitment, verify_entries, verify_leaves, ProofError, RangeProof},
    tree::TreeKind,
};
use alloc::vec::Vec;
use codec::{Decode, Encode};
use core::fmt;
use selvedge_primitives_types::{
    Account, CustomerEntryKey, Entry, EntryKey, Epoch, InvoiceLine, Leaf, LeafKey, Planck,
    PriceList, Slice,
};

/// What a gateway shows of a line: the entry of its tree by customer, and all leaves below it.
///
/// Decoding allocates no more than a small multiple of the input; whoever reads it bounds that.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Evidence {
    /// The entry.
    pub entry: Entry,
    /// That it stands in the committed tree.
    pub entry_proof: RangeProof<EntryKey>,
    /// Its leaves, in order.
    pub pages: Vec<LeafPage>,
}

/// A run of leaves of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct LeafPage {
    /// The leaves.
    pub leaves: Vec<Leaf>,
    /// That they are the entry's, and where they stand.
    pub proof: RangeProof<LeafKey>,
}

impl Evidence {
    /// All leaves, in the order they were given.
    pub fn leaves(&self) -> impl Iterator<Item = &Leaf> {
        self.pages.iter().flat_map(|page| &page.leaves)
    }
}

/// Why a line is not verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unverified {
    /// Nobody showed what is behind it: that proves nothing.
    NotShown,
    /// The head it stands in is defective: see [`super::Bill::defects`].
    Head,
    /// The commitment is of another gateway or epoch.
    ForeignCommitment,
    /// No trees have such a commitment.
    Commitment(ProofError),
    /// The entry of another customer or service is shown.
    ForeignEntry,
    /// The entry has another place in the tree than the one that was charged.
    OtherEntry {
        /// Where the shown one stands.
        shown: u32,
        /// Where the charged one stands.
        charged: u32,
    },
    /// The entry does not stand in the committed tree.
    Entry(ProofError),
    /// Other usage or another amount was charged than the gateway committed to.
    OtherSums,
    /// Leaves do not belong to the entry.
    Leaves(ProofError),
    /// Leaves are left out, or not in order.
    LeavesMissing {
        /// How many are there, without a gap from the first on.
        known: u64,
        /// How many the entry has.
        of: u64,
    },
    /// A leaf is of another gateway or epoch.
    ForeignLeaf(Slice),
    /// Leaves refer to more than one price list, which changes between epochs only.
    MixedPrices(Slice),
    /// The head does not have the price list that the leaves refer to.
    UnknownPrices(u32),
    /// A leaf's charge is not what the price list says.
    WrongCharge {
        /// When it was served.
        slice: Slice,
        /// What the leaf charges, in planck.
        stated: Planck,
        /// What is right, in planck.
        right: Planck,
    },
    /// What the line is worth does not fit into 128 bits.
    Overflow,
}

impl fmt::Display for Unverified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotShown => f.write_str("nobody showed what is behind it"),
            Self::Head => f.write_str("the head it stands in is defective"),
            Self::ForeignCommitment => f.write_str("the commitment is of another gateway or epoch"),
            Self::Commitment(error) => write!(f, "no trees have such a commitment: {error}"),
            Self::ForeignEntry => f.write_str("the gateway proved the entry of somebody else"),
            Self::OtherEntry { shown, charged } => write!(
                f,
                "the entry is number {shown}, the chain charged number {charged}"
            ),
            Self::Entry(error) => write!(f, "the entry is not the committed one: {error}"),
            Self::OtherSums => {
                f.write_str("the chain charged something else than the gateway committed")
            }
            Self::Leaves(error) => write!(f, "the leaves are not the entry's: {error}"),
            Self::LeavesMissing { known, of } => write!(f, "{known} of {of} leaves are there"),
            Self::ForeignLeaf(slice) => {
                write!(f, "a leaf of slice {slice} is of another gateway or epoch")
            }
            Self::MixedPrices(slice) => {
                write!(f, "a leaf of slice {slice} refers to another price list")
            }
            Self::UnknownPrices(version) => write!(f, "no price list {version} is published"),
            Self::WrongCharge {
                slice,
                stated,
                right,
            } => write!(
                f,
                "a leaf of slice {slice} charges {stated} planck where {right} is right"
            ),
            Self::Overflow => f.write_str("its sums do not fit into 128 bits"),
        }
    }
}

impl core::error::Error for Unverified {}

/// What a verified line rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Leaves behind it.
    pub leaves: u64,
    /// The price list that all of them were charged by.
    pub prices: PriceList,
}

/// Checks a line against what the gateway shows: that the leaves lie in the committed tree, add up to exactly what was
/// charged, were served in the epoch, and each costs what the one price list says, rounded down once.
///
/// `prices` are the lists of the line's head. Costs a hash or three per leaf, so the caller bounds the evidence.
pub fn check_line<H: Keccak256>(
    customer: Account,
    epoch: Epoch,
    line: &InvoiceLine,
    prices: &[PriceList],
    evidence: &Evidence,
) -> Result<Verified, Unverified> {
    let commitment = &line.commitment;
    if (commitment.gateway, commitment.epoch) != (line.gateway, epoch) {
        return Err(Unverified::ForeignCommitment);
    }
    verify_commitment(commitment).map_err(Unverified::Commitment)?;

    let entry = &evidence.entry;
    let service = line.service;
    if entry.key != EntryKey::from(CustomerEntryKey { customer, service }) {
        return Err(Unverified::ForeignEntry);
    }
    let (shown, charged) = (evidence.entry_proof.start, line.entry);
    if shown != charged {
        return Err(Unverified::OtherEntry { shown, charged });
    }
    let (kind, tree) = (TreeKind::Customers, &commitment.customers);
    verify_entries::<H>(kind, tree, &[*entry], &evidence.entry_proof).map_err(Unverified::Entry)?;
    if (line.amount, line.paid, line.free) != (entry.sum.amount, entry.sum.paid, entry.sum.free) {
        return Err(Unverified::OtherSums);
    }

    let of = entry.sum.leaves;
    let mut known = 0;
    for LeafPage { leaves, proof } in &evidence.pages {
        if u64::from(proof.start) != known {
            return Err(Unverified::LeavesMissing { known, of });
        }
        verify_leaves::<H>(kind, entry, leaves, proof).map_err(Unverified::Leaves)?;
        known += leaves.len() as u64;
    }
    if known != of {
        return Err(Unverified::LeavesMissing { known, of });
    }
    let prices = check_leaves(line, epoch, prices, evidence)?;
    Ok(Verified { leaves: of, prices })
}

fn check_leaves(
    line: &InvoiceLine,
    epoch: Epoch,
    prices: &[PriceList],
    evidence: &Evidence,
) -> Result<PriceList, Unverified> {
    let mut list: Option<PriceList> = None;
    for leaf in evidence.leaves() {
        let body = &leaf.body;
        if (body.gateway, body.epoch) != (line.gateway, epoch) {
            return Err(Unverified::ForeignLeaf(body.slice));
        }
        let version = body.price_version;
        let list = match list {
            Some(list) if list.version == version => list,
            Some(_) => return Err(Unverified::MixedPrices(body.slice)),
            None => {
                let found = prices.iter().find(|list| list.version == version);
                *list.insert(*found.ok_or(Unverified::UnknownPrices(version))?)
            }
        };
        let right = charge(&body.paid, &list.prices).map_err(|_| Unverified::Overflow)?;
        if right != body.amount {
            return Err(Unverified::WrongCharge {
                slice: body.slice,
                stated: body.amount,
                right,
            });
        }
    }
    // An entry without leaves does not exist: a tree has at least one.
    list.ok_or(Unverified::LeavesMissing { known: 0, of: 0 })
}
