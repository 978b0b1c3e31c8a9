//! What a node may ask of whatever decides about blocks, and what it must give for it.
//!
//! Holds no rule of any engine. Every type here is shared by all engines, so none may come from one
//! consensus.

use std::sync::Arc;

use jsonrpsee::RpcModule;
use sc_consensus::DefaultImportQueue;
use sc_network::{
    config::SetConfig, service::traits::NetworkService, NotificationService, ProtocolName,
};
use sc_network_sync::{SyncingService, WarpSyncConfig};
use sc_rpc::SubscriptionTaskExecutor;
use sc_service::{Configuration, SpawnEssentialTaskHandle, SpawnTaskHandle, TFullBackend};
use sc_telemetry::TelemetryHandle;
use sc_transaction_pool_api::{LocalTransactionPool, TransactionPool};
use sp_keystore::KeystorePtr;
use sp_runtime::traits::Block as BlockT;

use crate::EngineKind;

/// The client every engine works on: a full client that executes the runtime with `Exec`.
pub type Client<Block, Api, Exec> = sc_service::TFullClient<Block, Api, Exec>;

/// The database behind that client.
pub type Backend<Block> = TFullBackend<Block>;

/// The transaction pool whose content authors propose, and into which reports of equivocation go.
pub trait Pool<Block: BlockT>:
    TransactionPool<Block = Block, Hash = Block::Hash> + LocalTransactionPool<Block = Block> + 'static
{
}

impl<Block: BlockT, T> Pool<Block> for T where
    T: TransactionPool<Block = Block, Hash = Block::Hash>
        + LocalTransactionPool<Block = Block>
        + 'static
{
}

/// Builds the engine's JSON-RPC methods, once per RPC server.
pub type RpcBuilder =
    Box<dyn Fn(SubscriptionTaskExecutor) -> Result<RpcModule<()>, sc_service::Error> + Send + Sync>;

/// What exists before the network does; [`prepare`](crate::prepare) builds an engine on it.
pub struct Foundation<'a, Block: BlockT, Api, Exec, P> {
    /// The configuration of this run: role, name, chain spec, metrics registry.
    pub config: &'a Configuration,
    pub client: Arc<Client<Block, Api, Exec>>,
    pub backend: Arc<Backend<Block>>,
    pub keystore: KeystorePtr,
    pub pool: Arc<P>,
    /// For tasks whose end does no harm.
    pub spawner: SpawnTaskHandle,
    /// For tasks whose end must stop the node.
    pub essential_spawner: SpawnEssentialTaskHandle,
    pub telemetry: Option<TelemetryHandle>,
}

/// An engine that is not running yet, and the queue through which every block reaches it.
pub struct Prepared<Block: BlockT> {
    pub engine: Box<dyn Engine<Block>>,
    /// Verifies and imports blocks by the engine's rules; sync and the chain commands consume it.
    pub import_queue: DefaultImportQueue<Block>,
}

/// A notification protocol, told apart from the network library that will carry it.
pub struct NotificationProtocol {
    pub name: ProtocolName,
    /// Largest notification accepted from a peer, in bytes.
    pub max_size: u64,
    /// How many peers may open it, and who.
    pub set: SetConfig,
}

/// What exists once the network runs; consumed by [`Engine::launch`].
pub struct Launch<Block: BlockT> {
    pub network: Arc<dyn NetworkService>,
    pub sync: Arc<SyncingService<Block>>,
    /// One service per [`Engine::notification_protocols`], in the same order.
    pub notifications: Vec<Box<dyn NotificationService>>,
    /// Author blocks and vote, as far as the keystore holds the keys.
    pub is_authority: bool,
    /// Author even when alone.
    pub force_authoring: bool,
    /// Finalise nothing; blocks are authored and imported only.
    pub disable_finality: bool,
}

/// Authors, imports and finalises blocks. See the crate documentation for the order of calls.
pub trait Engine<Block: BlockT>: Send {
    /// Which engine this is, for logs and errors.
    fn kind(&self) -> EngineKind;

    /// The notification protocols to register, in the order in which [`Launch::notifications`]
    /// gives them back.
    fn notification_protocols(&self) -> Vec<NotificationProtocol>;

    /// How a new node may jump to the finalised head; `None` where the engine has no such proofs.
    fn warp_sync(&self) -> Option<WarpSyncConfig<Block>>;

    /// The JSON-RPC methods that only this engine has.
    fn rpc(&self) -> RpcBuilder;

    /// Starts authoring, as `launch` says, and finality.
    ///
    /// # Errors
    ///
    /// Fails when a metric cannot be registered or the engine's records cannot be read.
    fn launch(self: Box<Self>, launch: Launch<Block>) -> Result<(), sc_service::Error>;
}
