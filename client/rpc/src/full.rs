//! Mounts every method of a full node beside those that the SDK's service mounts by itself.

use std::sync::Arc;

use jsonrpsee::{core::RegisterMethodError, RpcModule};
use pallet_transaction_payment_rpc::{
    TransactionPayment, TransactionPaymentApiServer, TransactionPaymentRuntimeApi,
};
use sc_transaction_pool_api::TransactionPool;
use selvedge_primitives_runtime_api::{BillingApi, NodesApi};
use selvedge_primitives_types::Planck;
use sp_api::ProvideRuntimeApi;
use sp_block_builder::BlockBuilder;
use sp_blockchain::HeaderBackend;
use sp_runtime::{traits::Block as BlockT, AccountId32};
use substrate_frame_rpc_system::{AccountNonceApi, System, SystemApiServer};

use crate::{AgentDirectory, AgentsApiServer, AgentsRpc, V1ApiServer, V1Rpc};

/// How many transactions an account has sent.
pub type Nonce = u32;

/// The runtime APIs behind the methods of a full node.
pub trait FullApis<Block: BlockT>:
    BlockBuilder<Block>
    + AccountNonceApi<Block, AccountId32, Nonce>
    + TransactionPaymentRuntimeApi<Block, Planck>
    + BillingApi<Block>
    + NodesApi<Block>
{
}

impl<Block: BlockT, T> FullApis<Block> for T where
    T: BlockBuilder<Block>
        + AccountNonceApi<Block, AccountId32, Nonce>
        + TransactionPaymentRuntimeApi<Block, Planck>
        + BillingApi<Block>
        + NodesApi<Block>
{
}

/// What the methods of a full node answer from.
pub struct FullDeps<C, P> {
    pub client: Arc<C>,
    pub pool: Arc<P>,
    pub agents: Arc<dyn AgentDirectory>,
}

/// Builds the module, with the engine's own methods in it.
///
/// # Errors
///
/// Fails when two methods have one name, which is a defect of this build.
pub fn create_full<Block, C, P>(
    deps: FullDeps<C, P>,
    engine: RpcModule<()>,
) -> Result<RpcModule<()>, RegisterMethodError>
where
    Block: BlockT,
    C: ProvideRuntimeApi<Block> + HeaderBackend<Block> + Send + Sync + 'static,
    C::Api: FullApis<Block>,
    P: TransactionPool<Block = Block> + 'static,
{
    let FullDeps {
        client,
        pool,
        agents,
    } = deps;
    let mut module = RpcModule::new(());
    module.merge(System::<P, C, Block>::new(client.clone(), pool).into_rpc())?;
    module.merge(TransactionPayment::<C, Block>::new(client.clone()).into_rpc())?;
    module.merge(V1Rpc::<C, Block>::new(client).into_rpc())?;
    module.merge(AgentsRpc::new(agents).into_rpc())?;
    module.merge(engine)?;
    Ok(module)
}
