//! Messages between a chain node's off-chain worker and the edge daemons it drives.
//!
//! HTTP on loopback, bodies in SCALE, each request with `Authorization: Bearer <token>`:
//!
//! | Request | Body | Answer |
//! |---|---|---|
//! | `GET /control/v1/status` | – | [`AgentStatus`] |
//! | `POST /control/v1/config` | [`ConfigDelta`] | [`AgentStatus`] |
//! | `GET /control/v1/commitment/{epoch}` | – | [`UsageCommitment`], or 404 while the epoch is open or empty |
//! | `GET /control/v1/settle/{epoch}/{cursor}` | – | an entry page of the tree by customer |
//! | `GET /control/v1/credit/{epoch}/{cursor}` | – | an entry page of the tree by cache |
//! | `POST /control/v1/open/{epoch}` | a draw | the opened leaf, or 404 |
//! | `POST /control/v1/host-check` | [`HostCheckRequest`] | [`HostCheckAnswer`] |
//! | `POST /control/v1/probes` | [`ProbeOrder`] | [`ProbeResults`] |
//!
//! An entry page is `(Vec<Entry>, RangeProof<EntryKey>)` from `selvedge-primitives-math`, as are `draw::Draw` and
//! `fraud::OpenedLeaf`. Every message is idempotent and
//! at most [`MAX_MESSAGE`] bytes long.

use crate::{
    Account, ContentConfig, DeviceId, Epoch, GenesisHash, Hash, Millis, Planck, PriceList, Probe,
    Region, Role, Score, ServiceId, Signature64, Usage,
};
use alloc::vec::Vec;
use codec::{Decode, Encode};

#[cfg(doc)]
use crate::UsageCommitment;

/// The longest body either side sends or reads, in bytes.
pub const MAX_MESSAGE: usize = 4 * 1024 * 1024;

/// Key in the node's off-chain persistent storage under which the endpoints of its daemons stand, as
/// `Vec<AgentEndpoint>` in SCALE.
pub const AGENTS_STORAGE_KEY: &[u8] = b"selvedge::agents";

/// Key type of agent keys in a node's keystore.
pub const AGENT_KEY_TYPE: [u8; 4] = *b"edge";

/// Where a daemon listens for its chain node, and the key that signs for it. Local to the node, never on chain.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct AgentEndpoint {
    /// The device the daemon runs as.
    pub device: DeviceId,
    /// Base URL on loopback, such as `http://127.0.0.1:9801`, without a slash at the end.
    pub url: Vec<u8>,
    /// The bearer token, as text.
    pub token: Vec<u8>,
    /// The sr25519 public key, in the node's keystore under [`AGENT_KEY_TYPE`], that signs the daemon's transactions.
    pub agent_key: [u8; 32],
}

impl core::fmt::Debug for AgentEndpoint {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // The token stays out of logs.
        f.debug_struct("AgentEndpoint")
            .field("device", &self.device)
            .field(
                "url",
                &core::str::from_utf8(&self.url).unwrap_or("not text"),
            )
            .finish_non_exhaustive()
    }
}

/// The block a config was read at. It may be taken back by a reorganisation; a later delta then says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct BlockRef {
    /// Its number.
    pub number: u32,
    /// Hash of its parent: the off-chain worker knows this one for certain.
    pub parent: Hash,
}

/// The clock of usage epochs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ClockConfig {
    /// The chain's genesis hash.
    pub genesis: GenesisHash,
    /// The current epoch.
    pub epoch: Epoch,
    /// When it began: block time, since the Unix epoch. Moves on by as long as the chain's clock stands still in the
    /// epoch, so that it always ends a length after its start.
    pub epoch_start: Millis,
    /// Length of an epoch.
    pub epoch_length: Millis,
    /// Time of the block.
    pub now: Millis,
    /// Epochs a daemon keeps leaves for after they were credited.
    pub keep_epochs: u64,
}

/// A registered node as its peers need to know it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct NodeConfig {
    /// The device.
    pub device: DeviceId,
    /// Its operator.
    pub operator: Account,
    /// Its role.
    pub role: Role,
    /// Its region.
    pub region: Region,
    /// `host:port` for other nodes.
    pub endpoint: Vec<u8>,
    /// Base URL of its public audit endpoint.
    pub public_url: Vec<u8>,
    /// Relative capacity as registered, at least 1.
    pub capacity: u32,
    /// Quality score.
    pub quality: Score,
    /// Whether it drains or is out: it serves what it has and takes nothing new.
    pub draining: bool,
}

/// Why a service is or is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum ServiceState {
    /// Served.
    #[codec(index = 0)]
    Active,
    /// Its owner paused it.
    #[codec(index = 1)]
    Paused,
    /// Its owner's account cannot cover the allowance.
    #[codec(index = 2)]
    Suspended,
}

/// A service as a gateway needs to know it for one epoch.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ServiceConfig {
    /// The service.
    pub id: ServiceId,
    /// Who pays.
    pub customer: Account,
    /// Host names, lower case, ownership proven.
    pub hosts: Vec<Vec<u8>>,
    /// Base URL of the origin, such as `https://www.example.org`.
    pub origin: Vec<u8>,
    /// The pinned price list.
    pub price_version: u32,
    /// What this gateway may charge in the epoch, in planck.
    pub lease: Planck,
    /// What of it this gateway may serve in the epoch without charge, which comes first.
    pub free: Usage,
    /// Whether it is served.
    pub state: ServiceState,
    /// What it keeps in the network.
    pub content: ContentConfig,
}

/// Digests of the sections a daemon holds; zeros for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Encode, Decode)]
pub struct SectionVersions {
    /// Of the nodes.
    pub nodes: Hash,
    /// Of the services.
    pub services: Hash,
    /// Of the price lists.
    pub prices: Hash,
}

/// What changed since the sections a daemon holds. A section that is there replaces the daemon's whole.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ConfigDelta {
    /// The block it was read at.
    pub block: BlockRef,
    /// The clock.
    pub clock: ClockConfig,
    /// Digests of the sections once the delta is applied.
    pub versions: SectionVersions,
    /// Registered nodes with an active stake.
    pub nodes: Option<Vec<NodeConfig>>,
    /// Services with the receiving gateway's leases for `clock.epoch`.
    pub services: Option<Vec<ServiceConfig>>,
    /// Price lists that a service may pin.
    pub prices: Option<Vec<PriceList>>,
    /// Epochs whose commitment by this device the chain has; their leaves are kept until they are credited.
    pub committed: Vec<Epoch>,
    /// The last epoch up to which everything of this device is credited or void, if any.
    pub done_through: Option<Epoch>,
}

/// A daemon's answer.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct AgentStatus {
    /// The device it runs as.
    pub device: DeviceId,
    /// Its role.
    pub role: Role,
    /// The sections it holds.
    pub versions: SectionVersions,
    /// Closed epochs with use that it holds trees of, oldest first, at most 64.
    pub closed: Vec<Epoch>,
}

/// Asks a gateway to look for a host's ownership record.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct HostCheckRequest {
    /// The host name.
    pub host: Vec<u8>,
    /// The text that a TXT record of `_selvedge-challenge.<host>` must hold.
    pub expected: Vec<u8>,
    /// The service that claims it.
    pub service: ServiceId,
    /// The epoch of the check.
    pub epoch: Epoch,
}

/// What a gateway found; [`crate::Domain::HostCheck`] signs [`HostCheckVerdict`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct HostCheckAnswer {
    /// Whether the record was there.
    pub found: bool,
    /// The device's ed25519 signature.
    pub signature: Signature64,
}

/// What a gateway signs about a host name.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct HostCheckVerdict {
    /// Who looked.
    pub device: DeviceId,
    /// The service that claims the host.
    pub service: ServiceId,
    /// The host name.
    pub host: Vec<u8>,
    /// The epoch of the check.
    pub epoch: Epoch,
    /// Whether the record was there.
    pub found: bool,
}

/// Orders a gateway to probe nodes, at moments of its own choice. The first order of an epoch starts it; the same again
/// only asks how it went.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ProbeOrder {
    /// The epoch.
    pub epoch: Epoch,
    /// How long it may take: until reports are taken.
    pub within: Millis,
    /// The nodes, in the order of their ids, at most [`crate::probe::MAX_PROBES`].
    pub nodes: Vec<DeviceId>,
}

/// What a gateway saw of the nodes it was ordered to probe.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ProbeResults {
    /// The epoch.
    pub epoch: Epoch,
    /// Whether every node was probed.
    pub is_done: bool,
    /// What was seen so far, in the order of the nodes' ids.
    pub probes: Vec<Probe>,
}
