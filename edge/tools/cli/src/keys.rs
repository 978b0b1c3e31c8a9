//! Keys: the account that signs transactions, and the device keys of an operator's daemons.

use crate::error::Failure;
use ed25519_dalek::{Signer, SigningKey};
use selvedge_primitives_types::{Account, DeviceId, Signature64};
use sp_core::crypto::{Ss58AddressFormat, Ss58Codec};
use std::{path::Path, str::FromStr};
use subxt_signer::{sr25519::Keypair, SecretUri};

/// SS58 prefix of the network.
const SS58_PREFIX: u16 = 460;

/// Reads the signing account from a secret URI: a seed phrase, `0x` seed or development path such as `//Alice`.
pub fn account_key(suri: &str) -> Result<Keypair, Failure> {
    let uri = SecretUri::from_str(suri).map_err(|error| Failure::KeyInvalid(error.to_string()))?;
    Keypair::from_uri(&uri).map_err(|error| Failure::KeyInvalid(error.to_string()))
}

/// Reads an account from an SS58 address of any network or from hex.
pub fn account(text: &str) -> Result<Account, Failure> {
    let bad = || Failure::AccountInvalid(text.into());
    if let Some(digits) = text.strip_prefix("0x") {
        return bytes32(digits).map(Account).ok_or_else(bad);
    }
    let (account, _) =
        sp_core::crypto::AccountId32::from_ss58check_with_version(text).map_err(|_| bad())?;
    Ok(Account(account.into()))
}

/// The account's address on this network.
pub fn address(account: &Account) -> String {
    sp_core::crypto::AccountId32::from(account.0)
        .to_ss58check_with_version(Ss58AddressFormat::custom(SS58_PREFIX))
}

/// Reads a device id from hex.
pub fn device(text: &str) -> Result<DeviceId, Failure> {
    text.strip_prefix("0x")
        .and_then(bytes32)
        .map(DeviceId)
        .ok_or_else(|| Failure::DeviceInvalid(text.into()))
}

/// A device's key, as `selvedge-edge key generate` wrote it: 64 hex digits.
pub struct DeviceKey(SigningKey);

impl DeviceKey {
    /// Reads the key file.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::KeyInvalid(format!("{}: {error}", path.display())))?;
        let seed = bytes32(text.trim().trim_start_matches("0x")).ok_or_else(|| {
            Failure::KeyInvalid(format!("{} does not hold 64 hex digits", path.display()))
        })?;
        Ok(Self(SigningKey::from_bytes(&seed)))
    }

    /// The device.
    pub fn device(&self) -> DeviceId {
        DeviceId(self.0.verifying_key().to_bytes())
    }

    /// Signs a message.
    pub fn sign(&self, message: &[u8]) -> Signature64 {
        Signature64(self.0.sign(message).to_bytes())
    }
}

/// Reads 32 bytes from 64 hex digits.
pub fn bytes32(digits: &str) -> Option<[u8; 32]> {
    hex::decode(digits).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_begin_with_se_and_read_back() {
        let alice = Account(account_key("//Alice").unwrap().public_key().0);
        let text = address(&alice);
        assert!(text.starts_with("se"), "{text}");
        assert_eq!(account(&text).unwrap(), alice);
        assert_eq!(
            account("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY").unwrap(),
            alice
        );
    }

    #[test]
    fn bad_input_is_named() {
        assert!(matches!(account("0x12"), Err(Failure::AccountInvalid(_))));
        assert!(matches!(account("seXYZ"), Err(Failure::AccountInvalid(_))));
        assert!(matches!(device("12"), Err(Failure::DeviceInvalid(_))));
        assert!(matches!(
            account_key("not a phrase"),
            Err(Failure::KeyInvalid(_))
        ));
    }
}
