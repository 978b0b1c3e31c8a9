//! Reports a validator that seals two blocks in one slot.
//!
//! BABE's own import looks for such blocks too, but at a point where the seal is already taken off
//! the header (SDK 2609), and the runtime refuses a proof whose headers have no seal. So blocks are
//! compared here first, with their seals on, and the import behind gets no pool to report to.

use std::sync::Arc;

use log::{info, warn};
use sc_client_api::AuxStore;
use sc_consensus::{BlockCheckParams, BlockImport, BlockImportParams, ImportResult};
use sc_consensus_babe::{find_pre_digest, BabeIntermediate, BabeLink, Epoch, INTERMEDIATE_KEY};
use sc_consensus_slots::check_equivocation;
use sc_executor::RuntimeVersionOf;
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_api::{ApiExt, ConstructRuntimeApi, ProvideRuntimeApi};
use sp_blockchain::{HeaderBackend, Result};
use sp_consensus::{BlockOrigin, Error as ConsensusError};
use sp_consensus_babe::{AuthorityId, BabeApi, Slot};
use sp_core::traits::CodeExecutor;
use sp_runtime::traits::{Block as BlockT, Header as _};
use sp_timestamp::Timestamp;

use crate::{Client, EngineApis};

/// Compares every block with the others of its slot, then imports it.
pub(super) struct ReportEquivocations<Block: BlockT, Api, Exec, Inner> {
    inner: Inner,
    client: Arc<Client<Block, Api, Exec>>,
    babe: BabeLink<Block>,
    pool: OffchainTransactionPoolFactory<Block>,
}

impl<Block: BlockT, Api, Exec, Inner> ReportEquivocations<Block, Api, Exec, Inner> {
    /// Reports go to `pool`; blocks go on to `inner`.
    pub(super) fn new(
        inner: Inner,
        client: Arc<Client<Block, Api, Exec>>,
        babe: BabeLink<Block>,
        pool: OffchainTransactionPoolFactory<Block>,
    ) -> Self {
        Self {
            inner,
            client,
            babe,
            pool,
        }
    }
}

impl<Block: BlockT, Api, Exec, Inner: Clone> Clone
    for ReportEquivocations<Block, Api, Exec, Inner>
{
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            client: self.client.clone(),
            babe: self.babe.clone(),
            pool: self.pool.clone(),
        }
    }
}

impl<Block, Api, Exec, Inner> ReportEquivocations<Block, Api, Exec, Inner>
where
    Block: BlockT,
    Api: ConstructRuntimeApi<Block, Client<Block, Api, Exec>> + Send + Sync + 'static,
    Api::RuntimeApi: EngineApis<Block>,
    Exec: CodeExecutor + RuntimeVersionOf + Clone + 'static,
{
    /// The slot that a block claims and the key that sealed it; `None` for a block that comes
    /// without BABE's checks, as in a warp sync.
    fn claim(&self, block: &BlockImportParams<Block>) -> Option<(Slot, AuthorityId)> {
        let descriptor = &block
            .get_intermediate::<BabeIntermediate<Block>>(INTERMEDIATE_KEY)
            .ok()?
            .epoch_descriptor;
        let claim = find_pre_digest::<Block>(&block.header).ok()?;
        let epochs = self.babe.epoch_changes().shared_data();
        let epoch =
            epochs.viable_epoch(descriptor, |slot| Epoch::genesis(self.babe.config(), slot))?;
        let index = claim.authority_index() as usize;
        let (author, _) = epoch.as_ref().authorities.get(index)?;
        Some((claim.slot(), author.clone()))
    }

    /// Submits a report when the block's author sealed another block in the same slot.
    fn report(&self, block: &BlockImportParams<Block>) -> Result<()> {
        // What is old when it comes was compared by those who were there.
        if block.origin == BlockOrigin::NetworkInitialSync {
            return Ok(());
        }
        let Some((slot, author)) = self.claim(block) else {
            return Ok(());
        };
        let now = Slot::from_timestamp(Timestamp::current(), self.babe.config().slot_duration());
        let header = block.post_header();
        let store = Sealed(&*self.client);
        let Some(proof) = check_equivocation(&store, now, slot, &header, &author)? else {
            return Ok(());
        };
        let best = self.client.info().best_hash;
        // The parent may belong to a session before the author's first.
        let mut owner = None;
        for at in [*header.parent_hash(), best] {
            if owner.is_none() {
                let api = self.client.runtime_api();
                owner = api.generate_key_ownership_proof(at, slot, author.clone())?;
            }
        }
        let Some(owner) = owner else {
            warn!("{author:?} sealed two blocks in slot {slot} and is no validator any more");
            return Ok(());
        };
        let mut api = self.client.runtime_api();
        api.register_extension(self.pool.offchain_transaction_pool(best));
        api.submit_report_equivocation_unsigned_extrinsic(best, proof, owner)?;
        info!("⚖️  Reported {author:?}, who sealed two blocks in slot {slot}");
        Ok(())
    }
}

#[async_trait::async_trait]
impl<Block, Api, Exec, Inner> BlockImport<Block> for ReportEquivocations<Block, Api, Exec, Inner>
where
    Block: BlockT,
    Api: ConstructRuntimeApi<Block, Client<Block, Api, Exec>> + Send + Sync + 'static,
    Api::RuntimeApi: EngineApis<Block>,
    Exec: CodeExecutor + RuntimeVersionOf + Clone + 'static,
    Inner: BlockImport<Block, Error = ConsensusError> + Send + Sync,
{
    type Error = ConsensusError;

    async fn check_block(
        &self,
        block: BlockCheckParams<Block>,
    ) -> std::result::Result<ImportResult, Self::Error> {
        self.inner.check_block(block).await
    }

    async fn import_block(
        &self,
        block: BlockImportParams<Block>,
    ) -> std::result::Result<ImportResult, Self::Error> {
        // The block is as good as any other: which one stays is for the fork choice.
        if let Err(error) = self.report(&block) {
            warn!("cannot report an equivocation: {error}");
        }
        self.inner.import_block(block).await
    }
}

/// The store of headers by slot, apart from that of BABE's own import, whose headers have no seal.
struct Sealed<'a, Store>(&'a Store);

impl<Store> Sealed<'_, Store> {
    fn key(key: &[u8]) -> Vec<u8> {
        [b"sealed_", key].concat()
    }
}

impl<Store: AuxStore> AuxStore for Sealed<'_, Store> {
    fn insert_aux<
        'a,
        'b: 'a,
        'c: 'a,
        I: IntoIterator<Item = &'a (&'c [u8], &'c [u8])>,
        D: IntoIterator<Item = &'a &'b [u8]>,
    >(
        &self,
        insert: I,
        delete: D,
    ) -> Result<()> {
        let insert: Vec<_> = insert
            .into_iter()
            .map(|(key, value)| (Self::key(key), *value))
            .collect();
        let delete: Vec<_> = delete.into_iter().map(|key| Self::key(key)).collect();
        let insert: Vec<_> = insert
            .iter()
            .map(|(key, value)| (&key[..], *value))
            .collect();
        let delete: Vec<_> = delete.iter().map(|key| &key[..]).collect();
        self.0.insert_aux(&insert, &delete)
    }

    fn get_aux(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.0.get_aux(&Self::key(key))
    }
}
