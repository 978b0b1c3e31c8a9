//! Keys and the people who hold them.

use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};
use sp_core::{
    crypto::{AccountId32, Ss58AddressFormat, Ss58Codec},
    ed25519, sr25519, Pair,
};

/// SS58 prefix of the network.
const SS58_PREFIX: u16 = 460;

/// SS58 prefix of any Substrate network: what a runtime reads from a genesis file, where 460 is not registered.
const ANY_PREFIX: u16 = 42;

/// A secret of 32 bytes, in hex.
#[derive(Clone, Serialize, Deserialize)]
pub struct Seed(String);

impl Seed {
    /// A new one.
    pub fn new() -> Self {
        Self(hex::encode(rand::random::<[u8; 32]>()))
    }

    /// Its 64 hex digits.
    pub fn hex(&self) -> &str {
        &self.0
    }

    /// As a secret URI.
    pub fn suri(&self) -> String {
        format!("0x{}", self.0)
    }

    fn bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        hex::decode_to_slice(&self.0, &mut bytes)
            .expect("a seed is made of 64 hex digits; the folder was edited");
        bytes
    }

    /// The sr25519 public key.
    pub fn sr25519(&self) -> [u8; 32] {
        sr25519::Pair::from_seed(&self.bytes()).public().0
    }

    /// The ed25519 public key.
    pub fn ed25519(&self) -> [u8; 32] {
        SigningKey::from_bytes(&self.bytes())
            .verifying_key()
            .to_bytes()
    }

    /// The sr25519 key as a genesis file writes it.
    pub fn sr25519_in_genesis(&self) -> String {
        sr25519::Public::from(self.sr25519()).to_ss58check_with_version(prefix(ANY_PREFIX))
    }

    /// The ed25519 key as a genesis file writes it.
    pub fn ed25519_in_genesis(&self) -> String {
        ed25519::Public::from(self.ed25519()).to_ss58check_with_version(prefix(ANY_PREFIX))
    }

    /// The device id, in hex.
    pub fn device_id(&self) -> String {
        format!("0x{}", hex::encode(self.ed25519()))
    }
}

impl Default for Seed {
    fn default() -> Self {
        Self::new()
    }
}

/// Somebody with an account.
#[derive(Clone, Serialize, Deserialize)]
pub struct Person(Seed);

impl Person {
    /// Somebody new.
    pub fn new() -> Self {
        Self(Seed::new())
    }

    /// The secret URI that signs.
    pub fn suri(&self) -> String {
        self.0.suri()
    }

    /// The account's 32 bytes.
    pub fn account(&self) -> [u8; 32] {
        self.0.sr25519()
    }

    /// The account's address.
    pub fn address(&self) -> String {
        AccountId32::from(self.account()).to_ss58check_with_version(prefix(SS58_PREFIX))
    }

    /// The account as a genesis file writes it.
    pub fn in_genesis(&self) -> String {
        self.0.sr25519_in_genesis()
    }
}

impl Default for Person {
    fn default() -> Self {
        Self::new()
    }
}

fn prefix(number: u16) -> Ss58AddressFormat {
    Ss58AddressFormat::custom(number)
}
