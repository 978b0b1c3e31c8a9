//! Who takes part: people with accounts, validators' devices, which have accounts too, and devices
//! that the model has the keys of.

use crate::chain::{chain_hash, config};
use codec::Encode;
use pallet_edge_registry::GenesisDevice;
use pallet_edge_staking::GenesisStake;
use selvedge_primitives_types::{
    Account, DeviceId, Domain, GenesisHash, Region, Role, Signature64,
};
use selvedge_runtime::{constants::currency::SEL, AccountId};
use serde_json::{json, Value};
use sp_core::{ed25519, sr25519, Pair};
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};
use sp_runtime::MultiSignature;

/// People. The first six begin with a million SEL less their stakes, the seventh with three SEL,
/// the last with nothing.
const PEOPLE: [Sr25519Keyring; 8] = [
    Sr25519Keyring::Alice,
    Sr25519Keyring::Bob,
    Sr25519Keyring::Charlie,
    Sr25519Keyring::Dave,
    Sr25519Keyring::Eve,
    Sr25519Keyring::Ferdie,
    Sr25519Keyring::One,
    Sr25519Keyring::Two,
];

/// Validators' devices of the preset.
const VALIDATORS: [Ed25519Keyring; 4] = [
    Ed25519Keyring::Alice,
    Ed25519Keyring::Bob,
    Ed25519Keyring::Charlie,
    Ed25519Keyring::Dave,
];

/// The two who pay for services from the begin on.
pub const CUSTOMERS: [Signer; 2] = [
    Signer::Person(Sr25519Keyring::Ferdie),
    Signer::Person(Sr25519Keyring::Eve),
];

/// Whoever signs with a key that the model has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signer {
    /// A person.
    Person(Sr25519Keyring),
    /// A validator's device.
    Validator(Ed25519Keyring),
}

impl Signer {
    /// Everybody.
    pub fn all() -> impl Iterator<Item = Self> {
        let validators = VALIDATORS.into_iter().map(Self::Validator);
        PEOPLE.into_iter().map(Self::Person).chain(validators)
    }

    /// Who signs for this account, if the model does.
    pub fn of(account: &AccountId) -> Option<Self> {
        Self::all().find(|signer| signer.account() == *account)
    }

    /// The account.
    pub fn account(&self) -> AccountId {
        match self {
            Self::Person(key) => key.to_account_id(),
            Self::Validator(key) => key.to_account_id(),
        }
    }

    /// A signature of this account.
    pub fn sign(&self, message: &[u8]) -> MultiSignature {
        match self {
            Self::Person(key) => key.sign(message).into(),
            Self::Validator(key) => key.sign(message).into(),
        }
    }
}

/// A device that is or may be registered.
pub struct Node {
    /// What it does.
    pub role: Role,
    device: ed25519::Pair,
    agent: sr25519::Pair,
}

impl Node {
    fn new(name: &str, role: Role) -> Self {
        let device = Pair::from_string(&format!("//device//{name}"), None);
        Self {
            role,
            device: device.expect("the path is well-formed"),
            agent: agent(name),
        }
    }

    /// Its id.
    pub fn id(&self) -> DeviceId {
        DeviceId(self.device.public().0)
    }

    /// The key of its agent.
    pub fn agent_key(&self) -> [u8; 32] {
        self.agent.public().0
    }

    /// The device's signature for a purpose.
    pub fn sign(&self, domain: Domain, payload: &impl Encode) -> Signature64 {
        Signature64(self.device.sign(&domain.message(&chain_hash(), payload)).0)
    }

    /// Its agent's signature.
    pub fn sign_as_agent(&self, payload: &impl Encode) -> Signature64 {
        self.sign_agent(Domain::Agent, payload)
    }

    /// Its agent's signature for another purpose than the agent's own calls.
    pub fn sign_agent(&self, domain: Domain, payload: &impl Encode) -> Signature64 {
        let genesis: GenesisHash = chain_hash();
        Signature64(self.agent.sign(&domain.message(&genesis, payload)).0)
    }
}

fn agent(name: &str) -> sr25519::Pair {
    Pair::from_string(&format!("//agent//{name}"), None).expect("the path is well-formed")
}

/// All devices: those of the preset's validators, gateways and caches that are active from the
/// first epoch on, and spare ones.
pub fn nodes() -> Vec<Node> {
    let validators = VALIDATORS.map(|key| Node {
        role: Role::Validator,
        device: key.pair(),
        agent: agent(&key.to_string()),
    });
    let others = [
        ("gateway-0", Role::Gateway),
        ("gateway-1", Role::Gateway),
        ("cache-0", Role::Cache),
        ("cache-1", Role::Cache),
        ("gateway-2", Role::Gateway),
        ("cache-2", Role::Cache),
        ("stargate-0", Role::Stargate),
        ("validator-4", Role::Validator),
    ];
    let others = others.map(|(name, role)| Node::new(name, role));
    validators.into_iter().chain(others).collect()
}

/// Who operates the gateways and caches of the first epoch.
const OPERATORS: [Sr25519Keyring; 4] = [
    Sr25519Keyring::Bob,
    Sr25519Keyring::Charlie,
    Sr25519Keyring::Dave,
    Sr25519Keyring::Bob,
];

/// The configuration of the first block: the local preset with two gateways and two caches.
pub fn genesis() -> Value {
    let mut config = config("local_testnet");
    // As on a live network: there is something to look at in some commitments, and too little in others.
    config["chainParams"]["checkCost"] = json!(125_000_000);
    let nodes = nodes();
    let others = nodes.iter().skip(VALIDATORS.len());
    for (node, operator) in others.zip(OPERATORS) {
        let device = GenesisDevice {
            operator: operator.to_account_id(),
            device: node.id(),
            role: node.role,
            region: region(),
            endpoint: "127.0.0.1:9000".into(),
            public_url: "http://127.0.0.1:9001".into(),
            capacity: 1,
            agent_key: node.agent_key(),
        };
        let stake = GenesisStake {
            owner: operator.to_account_id(),
            device: node.id(),
            role: node.role,
            amount: None,
        };
        push(&mut config["nodeRegistry"]["devices"], json!(device));
        push(&mut config["nodeStaking"]["stakes"], json!(stake));
    }
    let little = json!((Sr25519Keyring::One.to_account_id(), 3 * SEL as u64));
    push(&mut config["balances"]["balances"], little);
    config
}

fn push(list: &mut Value, item: Value) {
    list.as_array_mut().expect("it is a list").push(item);
}

/// The region of all devices.
pub fn region() -> Region {
    Region::parse("eu-west").expect("it is a region")
}

/// An account as the edge names it.
pub fn named(account: &AccountId) -> Account {
    Account(account.clone().into())
}
