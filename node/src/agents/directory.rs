//! The list of daemons in the off-chain storage, and their keys in the keystore.

use codec::{DecodeAll, Encode};
use selvedge_client_rpc::{AgentDirectory, AgentEntry, AgentFault, AgentInfo};
use selvedge_primitives_types::{
    agent::{AGENTS_STORAGE_KEY, AGENT_KEY_TYPE},
    AgentEndpoint, DeviceId,
};
use sp_core::{
    crypto::KeyTypeId,
    offchain::{OffchainStorage, STORAGE_PREFIX},
};
use sp_keystore::KeystorePtr;

use super::entry::{check, Agent, AgentsError};

const KEY_TYPE: KeyTypeId = KeyTypeId(AGENT_KEY_TYPE);

/// Keeps the daemons where the off-chain worker looks for them.
pub(crate) struct Directory<S> {
    storage: S,
    keystore: KeystorePtr,
}

impl<S: OffchainStorage> Directory<S> {
    pub(crate) fn new(storage: S, keystore: KeystorePtr) -> Self {
        Self { storage, keystore }
    }

    /// Replaces the list. A daemon that was there before keeps its key, unless the operator names
    /// another one.
    ///
    /// # Errors
    ///
    /// An [`AgentsError`]; the stored list is then as before.
    pub(crate) fn replace(
        &self,
        entries: Vec<AgentEntry>,
    ) -> Result<Vec<AgentEndpoint>, AgentsError> {
        let agents = check(entries)?;
        // A list that cannot be read any more is no reason to refuse a new one.
        let before = self.list().unwrap_or_default();
        let endpoints = agents
            .into_iter()
            .map(|agent| self.with_key(agent, &before))
            .collect::<Result<Vec<_>, _>>()?;
        self.storage
            .clone()
            .set(STORAGE_PREFIX, AGENTS_STORAGE_KEY, &endpoints.encode());
        Ok(endpoints)
    }

    /// Reads the stored list; empty when there never was one.
    ///
    /// # Errors
    ///
    /// [`AgentsError::Storage`] when the stored bytes are no list.
    pub(crate) fn list(&self) -> Result<Vec<AgentEndpoint>, AgentsError> {
        match self.storage.get(STORAGE_PREFIX, AGENTS_STORAGE_KEY) {
            None => Ok(Vec::new()),
            Some(bytes) => Vec::decode_all(&mut bytes.as_slice()).map_err(|_| AgentsError::Storage),
        }
    }

    fn with_key(
        &self,
        agent: Agent,
        before: &[AgentEndpoint],
    ) -> Result<AgentEndpoint, AgentsError> {
        let Agent {
            device,
            url,
            token,
            chosen_key,
        } = agent;
        let no_key = |_| AgentsError::Keystore { device };
        let agent_key = match chosen_key {
            Some((suri, public)) => {
                if !self.holds(&public.0) {
                    self.keystore
                        .insert(KEY_TYPE, &suri, &public.0)
                        .map_err(no_key)?;
                }
                public.0
            }
            None => match self.known_key(device, before) {
                Some(key) => key,
                None => {
                    self.keystore
                        .sr25519_generate_new(KEY_TYPE, None)
                        .map_err(|_| AgentsError::Keystore { device })?
                        .0
                }
            },
        };
        Ok(AgentEndpoint {
            device,
            url: url.into_bytes(),
            token: token.into_bytes(),
            agent_key,
        })
    }

    fn known_key(&self, device: DeviceId, before: &[AgentEndpoint]) -> Option<[u8; 32]> {
        let key = before
            .iter()
            .find(|endpoint| endpoint.device == device)?
            .agent_key;
        self.holds(&key).then_some(key)
    }

    fn holds(&self, public: &[u8; 32]) -> bool {
        self.keystore.has_keys(&[(public.to_vec(), KEY_TYPE)])
    }
}

impl<S: OffchainStorage> AgentDirectory for Directory<S> {
    fn replace(&self, agents: Vec<AgentEntry>) -> Result<Vec<AgentInfo>, AgentFault> {
        let endpoints = self.replace(agents).map_err(|error| match error {
            AgentsError::Keystore { .. } | AgentsError::Storage => {
                AgentFault::Failed(error.to_string())
            }
            _ => AgentFault::Rejected(error.to_string()),
        })?;
        Ok(endpoints.iter().map(info).collect())
    }

    fn list(&self) -> Result<Vec<AgentInfo>, AgentFault> {
        let endpoints = self
            .list()
            .map_err(|error| AgentFault::Failed(error.to_string()))?;
        Ok(endpoints.iter().map(info).collect())
    }
}

fn info(endpoint: &AgentEndpoint) -> AgentInfo {
    AgentInfo {
        device: endpoint.device.to_string(),
        url: String::from_utf8_lossy(&endpoint.url).into_owned(),
        agent_key: format!("0x{}", hex::encode(endpoint.agent_key)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sp_core::{offchain::storage::InMemOffchainStorage, sr25519, Pair};
    use sp_keystore::{testing::MemoryKeystore, Keystore};
    use std::sync::{Arc, Mutex};

    /// One storage behind all clones, as in the client's database.
    #[derive(Clone, Default)]
    struct SharedStorage(Arc<Mutex<InMemOffchainStorage>>);

    impl OffchainStorage for SharedStorage {
        fn set(&mut self, prefix: &[u8], key: &[u8], value: &[u8]) {
            self.0.lock().unwrap().set(prefix, key, value);
        }

        fn remove(&mut self, prefix: &[u8], key: &[u8]) {
            self.0.lock().unwrap().remove(prefix, key);
        }

        fn get(&self, prefix: &[u8], key: &[u8]) -> Option<Vec<u8>> {
            self.0.lock().unwrap().get(prefix, key)
        }

        fn compare_and_set(
            &mut self,
            prefix: &[u8],
            key: &[u8],
            old: Option<&[u8]>,
            new: &[u8],
        ) -> bool {
            self.0
                .lock()
                .unwrap()
                .compare_and_set(prefix, key, old, new)
        }
    }

    fn entry(device: u8, edge_key: Option<&str>) -> AgentEntry {
        AgentEntry {
            device: hex::encode([device; 32]),
            url: "http://127.0.0.1:9801".into(),
            token: "ab".repeat(16),
            edge_key: edge_key.map(Into::into),
        }
    }

    #[test]
    fn the_worker_finds_the_list_under_the_persistent_prefix() {
        let storage = SharedStorage::default();
        let directory = Directory::new(storage.clone(), MemoryKeystore::new().into());
        let written = directory
            .replace(vec![entry(1, None), entry(2, None)])
            .unwrap();
        let bytes = storage.get(b"storage", b"selvedge::agents").unwrap();
        assert_eq!(
            Vec::<AgentEndpoint>::decode_all(&mut &bytes[..]).unwrap(),
            written
        );
        assert_eq!(written[0].token, "ab".repeat(16).into_bytes());
    }

    #[test]
    fn a_device_keeps_the_key_that_was_made_for_it() {
        let keystore = Arc::new(MemoryKeystore::new());
        let directory = Directory::new(SharedStorage::default(), keystore.clone());
        let first = directory.replace(vec![entry(1, None)]).unwrap()[0].agent_key;
        let again = directory
            .replace(vec![entry(2, None), entry(1, None)])
            .unwrap();
        assert_eq!(again[1].agent_key, first);
        assert_ne!(again[0].agent_key, first);
        assert_eq!(keystore.sr25519_public_keys(KEY_TYPE).len(), 2);
    }

    #[test]
    fn a_key_that_the_keystore_lost_is_made_anew() {
        let storage = SharedStorage::default();
        let before = Directory::new(storage.clone(), MemoryKeystore::new().into());
        let lost = before.replace(vec![entry(1, None)]).unwrap()[0].agent_key;
        let after = Directory::new(storage, MemoryKeystore::new().into());
        let made = after.replace(vec![entry(1, None)]).unwrap()[0].agent_key;
        assert_ne!(made, lost);
        assert!(after.holds(&made));
    }

    #[test]
    fn a_chosen_key_is_always_the_same() {
        let keystore = Arc::new(MemoryKeystore::new());
        let directory = Directory::new(SharedStorage::default(), keystore.clone());
        let expected = sr25519::Pair::from_string("//Gateway", None)
            .unwrap()
            .public()
            .0;
        for _ in 0..2 {
            let endpoint = &directory
                .replace(vec![entry(1, Some("//Gateway"))])
                .unwrap()[0];
            assert_eq!(endpoint.agent_key, expected);
        }
        assert!(keystore.has_keys(&[(expected.to_vec(), KEY_TYPE)]));
    }

    #[test]
    fn a_refused_list_changes_nothing() {
        let directory = Directory::new(SharedStorage::default(), MemoryKeystore::new().into());
        let good = directory.replace(vec![entry(1, None)]).unwrap();
        let bad = AgentEntry {
            token: "short".into(),
            ..entry(2, None)
        };
        assert!(directory.replace(vec![entry(3, None), bad]).is_err());
        assert_eq!(directory.list().unwrap(), good);
    }

    #[test]
    fn rubbish_in_storage_is_told_and_can_be_replaced() {
        let mut storage = SharedStorage::default();
        storage.set(b"storage", b"selvedge::agents", &[0xff; 3]);
        let directory = Directory::new(storage, MemoryKeystore::new().into());
        assert!(matches!(directory.list(), Err(AgentsError::Storage)));
        assert_eq!(directory.replace(vec![entry(1, None)]).unwrap().len(), 1);
    }

    #[test]
    fn what_is_listed_shows_no_token() {
        let directory = Directory::new(SharedStorage::default(), MemoryKeystore::new().into());
        let listed = AgentDirectory::replace(&directory, vec![entry(1, None)]).unwrap();
        assert_eq!(AgentDirectory::list(&directory).unwrap(), listed);
        assert_eq!(listed[0].device, format!("0x{}", "01".repeat(32)));
        assert!(!serde_json::to_string(&listed)
            .unwrap()
            .contains(&"ab".repeat(16)));
    }
}
