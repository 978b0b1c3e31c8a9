//! The node's handle: says what it keeps, asks who keeps something.

use std::time::Duration;

use ed25519_dalek::SigningKey;
use litep2p::types::multiaddr::Multiaddr;
use selvedge_primitives_types::{DeviceId, GenesisHash, Hash};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::bounds::QUESTIONS;
use crate::swarm::{Command, Swarm};
use crate::P2pError;

/// Where to listen, and whom to begin with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Address to listen on, such as `/ip4/0.0.0.0/tcp/9900`.
    pub listen: Multiaddr,
    /// Addresses that others reach it at, without `/p2p`; where it listens if empty.
    pub announce: Vec<Multiaddr>,
    /// Peers to begin with, each ending with `/p2p/<peer id>`.
    pub known: Vec<Multiaddr>,
}

/// Who holds something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// The device.
    pub device: DeviceId,
    /// Where it says that it is; any of these may be wrong.
    pub addresses: Vec<Multiaddr>,
}

/// A node of the network's table of who holds what. It ends when dropped.
#[derive(Debug)]
pub struct Discovery {
    commands: mpsc::Sender<Command>,
    addresses: Vec<Multiaddr>,
    task: JoinHandle<()>,
}

impl Options {
    /// Reads the addresses.
    ///
    /// Errors: [`P2pError::BadAddress`], [`P2pError::NoPeer`], [`P2pError::NotADevice`].
    pub fn read(listen: &str, announce: &[String], known: &[String]) -> Result<Self, P2pError> {
        let read = |text: &String| {
            text.parse::<Multiaddr>()
                .map_err(|error| P2pError::BadAddress(text.clone(), error.to_string()))
        };
        let options = Self {
            listen: read(&listen.to_owned())?,
            announce: announce.iter().map(read).collect::<Result<_, _>>()?,
            known: known.iter().map(read).collect::<Result<_, _>>()?,
        };
        crate::swarm::known(&options.known)?;
        Ok(options)
    }
}

impl Discovery {
    /// Starts it as the device with this key.
    ///
    /// Errors: [`P2pError::Listen`], [`P2pError::NoPeer`], [`P2pError::NotADevice`], [`P2pError::Start`].
    pub fn start(
        key: &SigningKey,
        genesis: &GenesisHash,
        options: &Options,
    ) -> Result<Self, P2pError> {
        let (commands, orders) = mpsc::channel(QUESTIONS);
        let swarm = Swarm::new(key, genesis, options, orders)?;
        Ok(Self {
            commands,
            addresses: swarm.addresses().to_vec(),
            task: tokio::spawn(swarm.run()),
        })
    }

    /// Where others reach it, each address ending with its peer id.
    pub fn addresses(&self) -> &[Multiaddr] {
        &self.addresses
    }

    /// Says that this node keeps what `root` names, now and until [`Self::withdraw`].
    ///
    /// Errors: [`P2pError::Ended`].
    pub async fn provide(&self, root: Hash) -> Result<(), P2pError> {
        self.order(Command::Provide(root)).await
    }

    /// Says so no longer. Others forget it when the record ends, after two days.
    ///
    /// Errors: [`P2pError::Ended`].
    pub async fn withdraw(&self, root: Hash) -> Result<(), P2pError> {
        self.order(Command::Withdraw(root)).await
    }

    /// Who says that it keeps what `root` names, the nearest to the root first; nobody if nobody does.
    ///
    /// Errors: [`P2pError::Busy`], [`P2pError::TooSlow`], [`P2pError::Ended`].
    pub async fn providers(&self, root: Hash, within: Duration) -> Result<Vec<Provider>, P2pError> {
        let (answer, found) = oneshot::channel();
        let looked = async {
            self.order(Command::Find(root, answer)).await?;
            found.await.map_err(|_| P2pError::Ended)?
        };
        let looked = tokio::time::timeout(within, looked).await;
        looked.map_err(|_| P2pError::TooSlow(within))?
    }

    async fn order(&self, command: Command) -> Result<(), P2pError> {
        self.commands
            .send(command)
            .await
            .map_err(|_| P2pError::Ended)
    }
}

impl Drop for Discovery {
    fn drop(&mut self) {
        self.task.abort();
    }
}
