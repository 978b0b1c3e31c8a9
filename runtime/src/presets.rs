//! Genesis presets: what a network begins with.
//!
//! Both are for one machine: keys come from well-known seeds, periods are short, and local host
//! names need no proof. A live network is a patch over `local_testnet` with keys of its own.

use alloc::{format, string::String, vec, vec::Vec};
use frame_support::build_struct_json_patch;
use pallet_edge_registry::GenesisDevice;
use pallet_edge_staking::GenesisStake;
use selvedge_primitives_types::{DeviceId, Prices, Region, Role};
use sp_genesis_builder::{PresetId, DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET};
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};

use crate::{
    configs::consensus::GENESIS_EPOCH_CONFIG, constants::currency::SEL, AccountId, BabeConfig,
    Balance, BalancesConfig, ChainParamsConfig, NodeRegistryConfig, NodeStakingConfig,
    NodeYieldsConfig, RuntimeGenesisConfig, ServicesConfig, SessionConfig, SessionKeys, SudoConfig,
    UsageClockConfig,
};

/// What each well-known account holds: enough for several stakes of every role.
const ENDOWMENT: Balance = 1_000_000 * SEL;
/// What each validator's device holds: it pays for setting session keys.
const DEVICE_ENDOWMENT: Balance = 100 * SEL;

/// What yields are paid from.
const EMISSION_POOL: Balance = 10_000_000 * SEL;

/// A slot: three seconds.
const SLOT_MILLIS: u64 = 3_000;
/// A BABE epoch: 10 × 3 s, half of ours. Auditors are drawn by the randomness of the first that begins
/// after the first quarter of a usage epoch, so at its third quarter at the latest.
const BABE_EPOCH_SLOTS: u64 = 10;
/// What referenda count as a day: 2 × 3 s, so that an upgrade takes a minute or two from its deposit
/// to its enactment, and can be voted on for 2 × 21 blocks.
const REFERENDUM_DAY_BLOCKS: u32 = 2;
/// A usage epoch: one minute.
const EPOCH_MILLIS: u64 = 60_000;
/// An era: four minutes. The hold-back is an era too.
const EPOCHS_PER_ERA: u64 = 4;

/// How long a new node's first earnings are kept back: one minute.
const FIRST_HOLD_BACK_MILLIS: u64 = 60_000;

/// What a check of a commitment costs an auditor: 1,000 planck. Five of them are the fee of half a request, so whatever is
/// served is audited.
const CHECK_COST: Balance = 1_000;

/// Octets in a gibibyte.
const GIB: u64 = 1 << 30;
/// Hours in a month of 365.25 / 12 days, rounded up.
const MONTH_HOURS: u64 = 731;

/// A price of `planck` for `units` units.
const fn price(planck: Balance, units: u64) -> u64 {
    match Prices::per(planck as u64, units) {
        Some(price) => price,
        None => panic!("a price fits 64 bits"),
    }
}

/// The first price list.
pub const PRICES: Prices = Prices([
    // A million requests: 1 SEL.
    price(SEL, 1_000_000),
    // A gibibyte to visitors: 1 SEL.
    price(SEL, GIB),
    // A gibibyte from the origin: 0.2 SEL.
    price(SEL / 5, GIB),
    // A gibibyte kept for a month: 0.05 SEL.
    price(SEL / 20, GIB * MONTH_HOURS),
    // 10^12 units of fuel: 1 SEL.
    price(SEL, 1_000_000_000_000),
    // A million DNS queries: 0.4 SEL.
    price(SEL * 2 / 5, 1_000_000),
]);

/// A validator of a well-known seed: the operator's account is the seed's sr25519 key, the device
/// its ed25519 key.
struct Validator {
    operator: Sr25519Keyring,
    device: Ed25519Keyring,
}

impl Validator {
    const ALICE: Self = Self {
        operator: Sr25519Keyring::Alice,
        device: Ed25519Keyring::Alice,
    };
    const BOB: Self = Self {
        operator: Sr25519Keyring::Bob,
        device: Ed25519Keyring::Bob,
    };
    const CHARLIE: Self = Self {
        operator: Sr25519Keyring::Charlie,
        device: Ed25519Keyring::Charlie,
    };
    const DAVE: Self = Self {
        operator: Sr25519Keyring::Dave,
        device: Ed25519Keyring::Dave,
    };

    /// The validator's id: the account of its device.
    fn id(&self) -> AccountId {
        self.device.to_account_id()
    }

    fn device_id(&self) -> DeviceId {
        DeviceId(self.device.to_raw_public())
    }

    fn session_keys(&self) -> SessionKeys {
        SessionKeys {
            grandpa: self.device.public().into(),
            babe: self.operator.public().into(),
            authority_discovery: self.operator.public().into(),
            #[cfg(feature = "upgrade-rehearsal")]
            witness: crate::rehearsal::first_witness(&self.id()),
        }
    }

    fn registration(&self, index: usize) -> GenesisDevice<AccountId> {
        GenesisDevice {
            operator: self.operator.to_account_id(),
            device: self.device_id(),
            role: Role::Validator,
            region: Region::parse("local").expect("five letters are a region"),
            endpoint: format!("127.0.0.1:{}", 30_333 + index),
            public_url: String::from("http://127.0.0.1"),
            capacity: 1,
            agent_key: self.operator.to_raw_public(),
        }
    }

    fn stake(&self) -> GenesisStake {
        GenesisStake {
            owner: self.operator.to_account_id(),
            device: self.device_id(),
            role: Role::Validator,
            amount: None,
        }
    }
}

fn genesis(validators: &[Validator], sudo: Option<AccountId>) -> serde_json::Value {
    let endowed = Sr25519Keyring::well_known().map(|key| (key.to_account_id(), ENDOWMENT));
    let devices = validators
        .iter()
        .map(|validator| (validator.id(), DEVICE_ENDOWMENT));
    let keys = validators
        .iter()
        .map(|validator| (validator.id(), validator.id(), validator.session_keys()));
    build_struct_json_patch!(RuntimeGenesisConfig {
        chain_params: ChainParamsConfig {
            slot_duration_ms: SLOT_MILLIS,
            babe_epoch_length: BABE_EPOCH_SLOTS,
            allow_local_names: true,
            referendum_day_blocks: REFERENDUM_DAY_BLOCKS,
            first_hold_back_ms: FIRST_HOLD_BACK_MILLIS,
            check_cost: CHECK_COST,
        },
        babe: BabeConfig {
            epoch_config: GENESIS_EPOCH_CONFIG
        },
        balances: BalancesConfig {
            balances: endowed.chain(devices).collect::<Vec<_>>()
        },
        node_registry: NodeRegistryConfig {
            devices: validators
                .iter()
                .enumerate()
                .map(|(index, validator)| validator.registration(index))
                .collect::<Vec<_>>(),
        },
        node_staking: NodeStakingConfig {
            stakes: validators.iter().map(Validator::stake).collect::<Vec<_>>(),
        },
        session: SessionConfig {
            keys: keys.collect::<Vec<_>>()
        },
        usage_clock: UsageClockConfig {
            epoch_length_ms: EPOCH_MILLIS,
            epochs_per_era: EPOCHS_PER_ERA,
        },
        services: ServicesConfig { prices: PRICES },
        node_yields: NodeYieldsConfig {
            pool: EMISSION_POOL
        },
        sudo: SudoConfig { key: sudo },
    })
}

/// The preset with this name as a JSON patch of the genesis configuration.
///
/// `development` is one validator with a development key for whatever governance may do;
/// `local_testnet` is four validators and no such key.
pub fn get(id: &PresetId) -> Option<Vec<u8>> {
    let patch = match id.as_ref() {
        DEV_RUNTIME_PRESET => genesis(
            &[Validator::ALICE],
            Some(Sr25519Keyring::Alice.to_account_id()),
        ),
        LOCAL_TESTNET_RUNTIME_PRESET => genesis(
            &[
                Validator::ALICE,
                Validator::BOB,
                Validator::CHARLIE,
                Validator::DAVE,
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
