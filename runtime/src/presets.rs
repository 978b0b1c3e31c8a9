//! Genesis presets: what a network begins with.

use alloc::{vec, vec::Vec};
use frame_support::build_struct_json_patch;
use sp_genesis_builder::{PresetId, DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET};
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};

use crate::{
    configs::consensus::GENESIS_EPOCH_CONFIG, constants::currency::SEL, AccountId, BabeConfig,
    Balance, BalancesConfig, RuntimeGenesisConfig, SessionConfig, SessionKeys, SudoConfig,
};

/// What each well-known account holds: enough for several stakes of every role.
const ENDOWMENT: Balance = 1_000_000 * SEL;
/// What each validator's device holds: it pays for setting session keys.
const DEVICE_ENDOWMENT: Balance = 100 * SEL;

/// Session keys of a well-known seed.
fn session_keys(seed: Ed25519Keyring) -> SessionKeys {
    let sr25519 = Sr25519Keyring::iter()
        .find(|key| key.to_seed() == seed.to_seed())
        .expect("both keyrings list the same seeds");
    SessionKeys {
        grandpa: seed.public().into(),
        babe: sr25519.public().into(),
        authority_discovery: sr25519.public().into(),
    }
}

fn genesis(validators: &[Ed25519Keyring], sudo: Option<AccountId>) -> serde_json::Value {
    let endowed = Sr25519Keyring::well_known().map(|key| (key.to_account_id(), ENDOWMENT));
    let devices = validators
        .iter()
        .map(|seed| (seed.to_account_id(), DEVICE_ENDOWMENT));
    build_struct_json_patch!(RuntimeGenesisConfig {
        babe: BabeConfig {
            epoch_config: GENESIS_EPOCH_CONFIG
        },
        balances: BalancesConfig {
            balances: endowed.chain(devices).collect::<Vec<_>>()
        },
        session: SessionConfig {
            keys: validators
                .iter()
                .map(|seed| (
                    seed.to_account_id(),
                    seed.to_account_id(),
                    session_keys(*seed)
                ))
                .collect::<Vec<_>>(),
        },
        sudo: SudoConfig { key: sudo },
    })
}

/// The preset with this name as a JSON patch of the genesis configuration.
pub fn get(id: &PresetId) -> Option<Vec<u8>> {
    let patch = match id.as_ref() {
        DEV_RUNTIME_PRESET => genesis(
            &[Ed25519Keyring::Alice],
            Some(Sr25519Keyring::Alice.to_account_id()),
        ),
        LOCAL_TESTNET_RUNTIME_PRESET => genesis(
            &[
                Ed25519Keyring::Alice,
                Ed25519Keyring::Bob,
                Ed25519Keyring::Charlie,
                Ed25519Keyring::Dave,
            ],
            None,
        ),
        _ => return None,
    };
    Some(
        serde_json::to_string(&patch)
            .expect("a JSON value can be written")
            .into_bytes(),
    )
}

/// Names of the presets.
pub fn names() -> Vec<PresetId> {
    vec![
        PresetId::from(DEV_RUNTIME_PRESET),
        PresetId::from(LOCAL_TESTNET_RUNTIME_PRESET),
    ]
}
