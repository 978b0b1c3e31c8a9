//! The task that owns the network stack.

use std::collections::{HashMap, HashSet};

use ed25519_dalek::SigningKey;
use futures::{Stream, StreamExt};
use litep2p::config::ConfigBuilder;
use litep2p::protocol::libp2p::identify::{self, IdentifyEvent};
use litep2p::protocol::libp2p::kademlia::{
    self, ContentProvider, IncomingRecordValidationMode, KademliaEvent, KademliaHandle, QueryId,
    Quorum, RecordKey,
};
use litep2p::transport::tcp;
use litep2p::transport::ConnectionLimitsConfig;
use litep2p::types::multiaddr::{Multiaddr, Protocol};
use litep2p::types::protocol::ProtocolName;
use litep2p::{Litep2p, PeerId};
use selvedge_primitives_types::{GenesisHash, Hash};
use tokio::sync::{mpsc, oneshot};

use crate::bounds;
use crate::discovery::{Options, Provider};
use crate::identity::{device_of, keypair};
use crate::P2pError;

/// What a handle asks for.
pub enum Command {
    /// Keep saying that this node has it.
    Provide(Hash),
    /// Say so no longer.
    Withdraw(Hash),
    /// Look for those who have it.
    Find(Hash, Answer),
}

type Answer = oneshot::Sender<Result<Vec<Provider>, P2pError>>;

/// The network stack, and who waits for its answers.
pub struct Swarm {
    stack: Litep2p,
    table: KademliaHandle,
    introduced: Box<dyn Stream<Item = IdentifyEvent> + Send + Unpin>,
    protocol: ProtocolName,
    orders: mpsc::Receiver<Command>,
    waiting: HashMap<QueryId, Answer>,
    /// What is announced again when the first peer is there.
    provided: HashSet<Hash>,
    unsaid: HashSet<Hash>,
    saying: HashMap<QueryId, Hash>,
    addresses: Vec<Multiaddr>,
}

impl Swarm {
    /// Binds the address and fills the table with those who are known.
    pub fn new(
        key: &SigningKey,
        genesis: &GenesisHash,
        options: &Options,
        orders: mpsc::Receiver<Command>,
    ) -> Result<Self, P2pError> {
        let network = hex::encode(&genesis[..8]);
        let protocol = ProtocolName::from(format!("/selvedge/{network}/kad/1"));
        let (table_config, table) = kademlia::ConfigBuilder::new()
            .with_protocol_names(vec![protocol.clone()])
            .with_known_peers(known(&options.known)?)
            // Nothing but provider records: an incoming value is never stored.
            .with_incoming_records_validation_mode(IncomingRecordValidationMode::Manual)
            .with_max_records(0)
            .with_max_provider_keys(bounds::ROOTS)
            .with_max_providers_per_key(bounds::PROVIDERS)
            .with_max_provider_addresses(bounds::ADDRESSES)
            .with_provider_record_ttl(bounds::LIFE)
            .with_provider_refresh_interval(bounds::RENEWED)
            .with_max_message_size(bounds::MESSAGE)
            .build();
        let agent = concat!("selvedge-edge/", env!("CARGO_PKG_VERSION"));
        let (identify_config, introduced) =
            identify::Config::new(format!("/selvedge/{network}/1"), Some(agent.to_owned()));
        let config = ConfigBuilder::new()
            .with_keypair(keypair(key)?)
            .with_tcp(tcp::config::Config {
                listen_addresses: vec![options.listen.clone()],
                nodelay: true,
                ..Default::default()
            })
            .with_libp2p_kademlia(table_config)
            .with_libp2p_identify(identify_config)
            .with_max_parallel_dials(bounds::DIALS)
            .with_connection_limits(
                ConnectionLimitsConfig::default()
                    .max_incoming_connections(Some(bounds::INCOMING))
                    .max_outgoing_connections(Some(bounds::OUTGOING)),
            )
            .build();
        let stack = Litep2p::new(config).map_err(|error| P2pError::Start(error.to_string()))?;
        let bound: Vec<_> = stack.listen_addresses().cloned().collect();
        if bound.is_empty() {
            return Err(P2pError::Listen(options.listen.to_string()));
        }
        let public = stack.public_addresses();
        let announced = if options.announce.is_empty() {
            bound
        } else {
            options.announce.clone()
        };
        for address in announced {
            public
                .add_address(address)
                .map_err(|error| P2pError::Start(format!("{error:?}")))?;
        }
        Ok(Self {
            addresses: public.get_addresses(),
            stack,
            table,
            introduced,
            protocol,
            orders,
            waiting: HashMap::new(),
            provided: HashSet::new(),
            unsaid: HashSet::new(),
            saying: HashMap::new(),
        })
    }

    /// Where others reach it.
    pub fn addresses(&self) -> &[Multiaddr] {
        &self.addresses
    }

    /// Runs until the handle is gone.
    pub async fn run(mut self) {
        let own = *self.stack.local_peer_id();
        let mut refresh = tokio::time::interval(bounds::REFRESHED);
        loop {
            tokio::select! {
                order = self.orders.recv() => match order {
                    Some(order) => self.obey(order).await,
                    None => return,
                },
                event = self.table.next() => match event {
                    Some(event) => self.learn(event),
                    None => return,
                },
                Some(event) = self.introduced.next() => self.meet(event).await,
                event = self.stack.next_event() => if event.is_none() {
                    return;
                },
                _ = refresh.tick() => {
                    self.table.find_node(own).await;
                    self.say_again().await;
                }
            }
        }
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::Provide(root) => {
                if self.provided.insert(root) {
                    self.say(root).await;
                }
            }
            Command::Withdraw(root) => {
                self.provided.remove(&root);
                self.unsaid.remove(&root);
                self.table.stop_providing(RecordKey::new(&root)).await;
            }
            Command::Find(root, answer) => {
                // Those who gave up make room.
                self.waiting.retain(|_, waiting| !waiting.is_closed());
                if self.waiting.len() >= bounds::QUESTIONS {
                    let _ = answer.send(Err(P2pError::Busy));
                    return;
                }
                let query = self.table.get_providers(RecordKey::new(&root)).await;
                self.waiting.insert(query, answer);
            }
        }
    }

    async fn say(&mut self, root: Hash) {
        let query = self
            .table
            .start_providing(RecordKey::new(&root), Quorum::One)
            .await;
        self.saying.insert(query, root);
    }

    /// What nobody was there to hear.
    async fn say_again(&mut self) {
        for root in std::mem::take(&mut self.unsaid) {
            self.say(root).await;
        }
    }

    fn learn(&mut self, event: KademliaEvent) {
        match event {
            KademliaEvent::GetProvidersSuccess {
                query_id,
                providers,
                ..
            } => self.answer(query_id, providers),
            KademliaEvent::AddProviderSuccess { query_id, .. } => {
                self.saying.remove(&query_id);
            }
            KademliaEvent::QueryFailed { query_id } => {
                if let Some(root) = self.saying.remove(&query_id) {
                    if self.provided.contains(&root) {
                        self.unsaid.insert(root);
                    }
                }
                self.answer(query_id, Vec::new());
            }
            _ => {}
        }
    }

    fn answer(&mut self, query: QueryId, providers: Vec<ContentProvider>) {
        let Some(answer) = self.waiting.remove(&query) else {
            return;
        };
        let found = providers.into_iter().filter_map(|provider| {
            Some(Provider {
                device: device_of(&provider.peer).ok()?,
                addresses: provider.addresses,
            })
        });
        // Whoever asked may have given up.
        let _ = answer.send(Ok(found.collect()));
    }

    /// A peer said who it is. Those of this network enter the table.
    async fn meet(&mut self, event: IdentifyEvent) {
        let IdentifyEvent::PeerIdentified {
            peer,
            supported_protocols,
            listen_addresses,
            ..
        } = event;
        if !supported_protocols.contains(&self.protocol) {
            return;
        }
        let addresses = listen_addresses.into_iter().take(bounds::ADDRESSES);
        self.table.add_known_peer(peer, addresses.collect()).await;
        tracing::debug!(peer = %peer.to_base58(), "a peer of this network");
        self.say_again().await;
    }
}

/// Peers by the addresses that end with them.
pub fn known(addresses: &[Multiaddr]) -> Result<HashMap<PeerId, Vec<Multiaddr>>, P2pError> {
    let mut known: HashMap<PeerId, Vec<Multiaddr>> = HashMap::new();
    for address in addresses {
        if !matches!(address.iter().last(), Some(Protocol::P2p(_))) {
            return Err(P2pError::NoPeer(address.to_string()));
        }
        let peer = PeerId::try_from_multiaddr(address)
            .ok_or_else(|| P2pError::NoPeer(address.to_string()))?;
        device_of(&peer)?;
        known.entry(peer).or_default().push(address.clone());
    }
    Ok(known)
}
