//! What a gateway commits to, checked as the chain checks it.

use crate::control::{ControlClient, Page};
use codec::Encode;
use selvedge_primitives_math::{
    proof::{verify_commitment, verify_entries},
    Keccak256, TreeKind,
};
use selvedge_primitives_types::{
    CacheEntryKey, CustomerEntryKey, DeviceId, Entry, EntryKey, Epoch, Hash, Sum, TreeCommitment,
    UsageClass, UsageCommitment, Voucher,
};
use sha3::{Digest, Keccak256 as Sha3Keccak};

/// Keccak-256.
pub struct Keccak;

impl Keccak256 for Keccak {
    fn hash(bytes: &[u8]) -> Hash {
        Sha3Keccak::digest(bytes).into()
    }
}

/// The commitment of an epoch with every entry of both trees.
#[derive(Clone, Debug)]
pub struct Books {
    /// The commitment.
    pub commitment: UsageCommitment,
    /// Entries by customer and service.
    pub customers: Vec<Entry>,
    /// Entries by cache.
    pub caches: Vec<Entry>,
}

impl Books {
    /// Pulls everything about a closed epoch and checks it: page proofs, sums, order, equal totals.
    /// `None` while the epoch is open or empty.
    ///
    /// Panics when anything does not fit.
    pub async fn pull(control: &ControlClient, gateway: DeviceId, epoch: Epoch) -> Option<Self> {
        let commitment = control.commitment(epoch).await?;
        assert_eq!((commitment.gateway, commitment.epoch), (gateway, epoch));
        verify_commitment(&commitment).expect("a commitment that can be");
        let mut books = Self {
            commitment,
            customers: Vec::new(),
            caches: Vec::new(),
        };
        while let Some(page) = control.settle(epoch, books.customers.len() as u32).await {
            take(
                TreeKind::Customers,
                &commitment.customers,
                page,
                &mut books.customers,
            );
        }
        while let Some(page) = control.credit(epoch, books.caches.len() as u32).await {
            take(
                TreeKind::Caches,
                &commitment.caches,
                page,
                &mut books.caches,
            );
        }
        for (tree, entries) in [
            (&commitment.customers, &books.customers),
            (&commitment.caches, &books.caches),
        ] {
            assert_eq!(entries.len() as u32, tree.entries);
            assert_eq!(sum(entries), tree.sum);
        }
        Some(books)
    }

    /// What was committed in all.
    pub fn total(&self) -> Sum {
        self.commitment.customers.sum
    }

    /// Requests.
    pub fn requests(&self) -> u64 {
        self.total().paid.of(UsageClass::Requests)
    }

    /// Octets to visitors.
    pub fn egress(&self) -> u64 {
        self.total().paid.of(UsageClass::EgressBytes)
    }

    /// Octets from origins.
    pub fn origin(&self) -> u64 {
        self.total().paid.of(UsageClass::OriginBytes)
    }

    /// What is due to a cache's account; zeros name no cache.
    pub fn of_cache(&self, cache: DeviceId) -> Sum {
        find(&self.caches, CacheEntryKey(cache).into())
    }

    /// What a customer's service used.
    pub fn of_customer(&self, key: CustomerEntryKey) -> Sum {
        find(&self.customers, key.into())
    }
}

/// What a leaf says of the last voucher: keccak-256 of its SCALE form, without the signature.
pub fn voucher_digest(voucher: &Voucher) -> Hash {
    Keccak::hash(&voucher.encode())
}

fn find(entries: &[Entry], key: EntryKey) -> Sum {
    entries
        .iter()
        .find(|entry| entry.key == key)
        .map(|entry| entry.sum)
        .unwrap_or_default()
}

fn take(kind: TreeKind, tree: &TreeCommitment, page: Page, entries: &mut Vec<Entry>) {
    let (new, proof) = page;
    assert_eq!(
        proof.start as usize,
        entries.len(),
        "a page begins at its cursor"
    );
    verify_entries::<Keccak>(kind, tree, &new, &proof).expect("a page's proof");
    entries.extend(new);
}

fn sum(entries: &[Entry]) -> Sum {
    entries.iter().fold(Sum::default(), |sum, entry| {
        sum.checked_add(&entry.sum).expect("no overflow")
    })
}
