//! Closing an epoch: rows become leaves, caches sign them, trees are built.

use crate::{
    count::{merge, totals_by_peer, Row},
    issue::Issuer,
    sign::{verify_leaf, voucher_digest},
    Closed,
};
use selvedge_primitives_math::{price::Overflow, TreeError};
use selvedge_primitives_types::{
    DeviceId, Epoch, GenesisHash, Leaf, LeafBody, Signature64, Voucher,
};
use std::collections::BTreeMap;

/// Why an epoch cannot be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloseError {
    /// A sum does not fit; leases keep counts far below.
    #[error("the use of the epoch does not fit into its sums")]
    Overflow,
    /// The leaves form no tree.
    #[error("the leaves form no tree: {0}")]
    Tree(TreeError),
    /// The cache was not asked or has answered.
    #[error("nothing was asked of this cache")]
    NotAsked,
    /// The cache answered another number of leaves.
    #[error("the cache answered for another number of leaves")]
    WrongCount,
}

impl From<Overflow> for CloseError {
    fn from(_: Overflow) -> Self {
        Self::Overflow
    }
}

/// What came of a cache's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Answered {
    /// Leaves with a signature that verifies.
    pub signed: usize,
    /// Leaves the cache did not sign.
    pub refused: usize,
    /// Signatures that do not verify; they are dropped.
    pub forged: usize,
}

/// An epoch between its last count and its trees.
#[derive(Clone, Debug)]
pub struct Closing {
    gateway: DeviceId,
    epoch: Epoch,
    genesis: GenesisHash,
    leaves: Vec<Leaf>,
    /// Indices of the leaves of every cache that has not answered.
    waiting: BTreeMap<DeviceId, Vec<usize>>,
    vouchers: Vec<Voucher>,
}

impl Closing {
    /// Makes the leaves of an epoch that nothing is counted in any more, and the last vouchers for
    /// them; `None` when there was no use.
    ///
    /// Vouchers that are new since the last interval are in [`Self::vouchers`]: keep and send them
    /// before the leaves.
    pub fn begin(
        gateway: DeviceId,
        epoch: Epoch,
        genesis: GenesisHash,
        rows: Vec<Row>,
        issuer: &mut Issuer,
    ) -> Result<Option<Self>, CloseError> {
        let mut rows = merge(rows)?;
        rows.retain(|row| !row.counts.is_unused());
        if rows.is_empty() {
            return Ok(None);
        }
        let vouchers = totals_by_peer(&rows)?
            .iter()
            .filter_map(|(cache, totals)| issuer.next(epoch, *cache, totals))
            .collect();

        let mut leaves = Vec::with_capacity(rows.len());
        let mut waiting: BTreeMap<DeviceId, Vec<usize>> = BTreeMap::new();
        for (index, row) in rows.iter().enumerate() {
            let cache = row.key.peer;
            let body = LeafBody {
                gateway,
                epoch,
                customer: row.pricing.customer,
                service: row.key.service,
                cache,
                slice: row.key.slice,
                price_version: row.pricing.price_version,
                paid: row.counts.paid,
                free: row.counts.free,
                amount: row.amount()?,
                quality: row.counts.quality,
                vouchers_root: issuer
                    .last(epoch, &cache)
                    .map(voucher_digest)
                    .unwrap_or_default(),
            };
            leaves.push(Leaf {
                body,
                cache_signature: Signature64::default(),
            });
            if !cache.is_none() {
                waiting.entry(cache).or_default().push(index);
            }
        }
        Ok(Some(Self {
            gateway,
            epoch,
            genesis,
            leaves,
            waiting,
            vouchers,
        }))
    }

    /// The epoch.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The last vouchers, as far as they are new.
    pub fn vouchers(&self) -> &[Voucher] {
        &self.vouchers
    }

    /// The caches that have not answered, each with its leaves.
    pub fn requests(&self) -> Vec<(DeviceId, Vec<LeafBody>)> {
        let body = |index: &usize| self.leaves[*index].body;
        self.waiting
            .iter()
            .map(|(cache, own)| (*cache, own.iter().map(body).collect()))
            .collect()
    }

    /// Takes a cache's answer to its leaves, in their order. Errors, and the cache may be asked
    /// again, when it does not fit what was asked.
    pub fn answer(
        &mut self,
        cache: &DeviceId,
        signatures: &[Option<Signature64>],
    ) -> Result<Answered, CloseError> {
        let own = self.waiting.get(cache).ok_or(CloseError::NotAsked)?;
        if own.len() != signatures.len() {
            return Err(CloseError::WrongCount);
        }
        let mut answered = Answered::default();
        for (index, signature) in own.iter().zip(signatures) {
            let Some(signature) = signature else {
                answered.refused += 1;
                continue;
            };
            let leaf = &mut self.leaves[*index];
            let signed = Leaf {
                cache_signature: *signature,
                ..*leaf
            };
            if verify_leaf(&self.genesis, &signed).is_ok() {
                *leaf = signed;
                answered.signed += 1;
            } else {
                answered.forged += 1;
            }
        }
        self.waiting.remove(cache);
        Ok(answered)
    }

    /// Leaves that name a cache and lack its signature.
    pub fn unsigned(&self) -> usize {
        self.leaves
            .iter()
            .filter(|leaf| {
                !leaf.body.cache.is_none() && leaf.cache_signature == Signature64::default()
            })
            .count()
    }

    /// Builds the trees with the signatures that there are. Errors: [`CloseError::Tree`].
    pub fn finish(self) -> Result<Closed, CloseError> {
        Closed::build(self.gateway, self.epoch, self.leaves).map_err(CloseError::Tree)
    }
}
