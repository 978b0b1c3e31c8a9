//! Discovery that begins with the first config of a chain: only then is it known which network it is.

use std::collections::HashSet;
use std::sync::OnceLock;
use std::time::Duration;

use ed25519_dalek::SigningKey;
use parking_lot::Mutex;
use selvedge_primitives_types::{GenesisHash, Hash};

use crate::{Discovery, Options, Provider};

/// Discovery, once it has begun; nothing is found and nobody is told before.
#[derive(Debug)]
pub struct LateDiscovery {
    key: SigningKey,
    options: Option<Options>,
    running: OnceLock<Discovery>,
    provided: Mutex<HashSet<Hash>>,
}

impl LateDiscovery {
    /// For the device with this key. Without options it never begins.
    pub fn new(key: SigningKey, options: Option<Options>) -> Self {
        Self {
            key,
            options,
            running: OnceLock::new(),
            provided: Mutex::default(),
        }
    }

    /// Begins on the network with this genesis hash, unless it has begun. Where it cannot, the log says why, and the
    /// next call tries again.
    pub fn begin(&self, genesis: &GenesisHash) {
        let Some(options) = self
            .options
            .as_ref()
            .filter(|_| self.running.get().is_none())
        else {
            return;
        };
        match Discovery::start(&self.key, genesis, options) {
            Ok(discovery) => {
                let addresses: Vec<_> = discovery
                    .addresses()
                    .iter()
                    .map(ToString::to_string)
                    .collect();
                tracing::info!(addresses = addresses.join(","), "discovery");
                // Another thread may have been faster; then this one ends.
                let _ = self.running.set(discovery);
            }
            Err(error) => {
                tracing::error!(%error, "discovery does not begin: look at p2p.listen and p2p.known")
            }
        }
    }

    /// Tells others what is kept here: all of these roots, and nothing else.
    ///
    /// They are looked for only where others can be told.
    pub async fn announce(&self, roots: impl IntoIterator<Item = Hash>) {
        let Some(discovery) = self.running.get() else {
            return;
        };
        let roots: HashSet<Hash> = roots.into_iter().collect();
        let before = std::mem::replace(&mut *self.provided.lock(), roots.clone());
        for root in roots.difference(&before) {
            // One that has ended tells nobody.
            let _ = discovery.provide(*root).await;
        }
        for root in before.difference(&roots) {
            let _ = discovery.withdraw(*root).await;
        }
    }

    /// Who says that it keeps what `root` names; nobody where that cannot be found out in time.
    pub async fn providers(&self, root: Hash, within: Duration) -> Vec<Provider> {
        let Some(discovery) = self.running.get() else {
            return Vec::new();
        };
        let found = discovery.providers(root, within).await;
        found.unwrap_or_else(|error| {
            tracing::debug!(%error, "no providers were found");
            Vec::new()
        })
    }
}
