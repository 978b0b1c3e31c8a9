//! The next runtime, as a rehearsal of an upgrade needs one: never a part of a release.
//!
//! With the feature `upgrade-rehearsal` the runtime has a higher `spec_version`, one session key
//! more, and a storage migration; `selvedge-runtime-rehearsal` builds it, and a system test takes a
//! running network to it by referendum. What a real upgrade brings goes where it belongs, with
//! [`Migrations`](crate::Migrations) in `lib.rs`, and is written as the types here are.
//!
//! Each migration has checks before and after it. `try-runtime` runs them beside the migration; here
//! they run inside the block, so that one that fails stops the chain, and with it the rehearsal.

use alloc::{borrow::Cow, vec::Vec};
use codec::{Decode, Encode};
use core::marker::PhantomData;
use frame_support::{
    migrations::VersionedMigration,
    storage_alias,
    traits::{OnRuntimeUpgrade, OneSessionHandler, UncheckedOnRuntimeUpgrade},
    weights::{constants::ParityDbWeight, Weight},
    Blake2_128Concat,
};
use pallet_edge_services::types::OriginUrl;
use sp_application_crypto::RuntimeAppPublic;
use sp_runtime::{impl_opaque_keys, BoundToRuntimeAppPublic, TryRuntimeError};
use sp_version::RuntimeVersion;

use crate::{
    AccountId, AuthorityDiscovery, Babe, Grandpa, Runtime, Services, Session, System,
    RUNTIME_API_VERSIONS,
};

/// Version of the next runtime.
#[sp_version::runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
    spec_name: Cow::Borrowed("selvedge"),
    impl_name: Cow::Borrowed("selvedge"),
    authoring_version: 1,
    spec_version: 2,
    impl_version: 0,
    apis: RUNTIME_API_VERSIONS,
    transaction_version: 1,
    system_version: 1,
};

/// What the block after the upgrade changes in storage.
pub type Migrations = (
    Before<2, Checked<CarryKeys>>,
    VersionedMigration<1, 2, Checked<CountOrigins>, Services, ParityDbWeight>,
);

impl_opaque_keys! {
    /// What a validator signed with before the upgrade.
    pub struct OldSessionKeys {
        /// Votes for finality.
        pub grandpa: Grandpa,
        /// Claims slots and seals blocks.
        pub babe: Babe,
        /// Publishes the validator's addresses.
        pub authority_discovery: AuthorityDiscovery,
    }
}

impl_opaque_keys! {
    /// What a validator signs with.
    pub struct SessionKeys {
        /// Votes for finality.
        pub grandpa: Grandpa,
        /// Claims slots and seals blocks.
        pub babe: Babe,
        /// Publishes the validator's addresses.
        pub authority_discovery: AuthorityDiscovery,
        /// Signs what validators witness.
        pub witness: Witness,
    }
}

mod witness {
    use sp_application_crypto::{app_crypto, ed25519, KeyTypeId};
    app_crypto!(ed25519, KeyTypeId(*b"wtns"));
}

/// The new session key.
pub type WitnessId = witness::Public;

/// Uses the new session key: keeps those of the session's validators, in their order.
pub struct Witness;

/// Witness keys of the session's validators, in their order.
#[storage_alias]
pub type WitnessKeys = StorageValue<Rehearsal, Vec<WitnessId>>;

/// Services by the origin that they have: what the migration counts.
#[storage_alias]
pub type OriginUse = StorageMap<Rehearsal, Blake2_128Concat, OriginUrl, u32>;

impl BoundToRuntimeAppPublic for Witness {
    type Public = WitnessId;
}

impl OneSessionHandler<AccountId> for Witness {
    type Key = WitnessId;

    fn on_genesis_session<'a, I: 'a>(validators: I)
    where
        I: Iterator<Item = (&'a AccountId, WitnessId)>,
    {
        WitnessKeys::put(validators.map(|(_, key)| key).collect::<Vec<_>>());
    }

    fn on_new_session<'a, I: 'a>(_: bool, validators: I, _: I)
    where
        I: Iterator<Item = (&'a AccountId, WitnessId)>,
    {
        WitnessKeys::put(validators.map(|(_, key)| key).collect::<Vec<_>>());
    }

    fn on_disabled(_: u32) {}
}

/// The witness key that a validator has until it sets one: no two have the same, and nobody knows the
/// secret of another's.
pub fn first_witness(validator: &AccountId) -> WitnessId {
    let bytes: &[u8; 32] = validator.as_ref();
    sp_application_crypto::ed25519::Public::from_raw(*bytes).into()
}

/// A migration with what must hold before and after it.
pub trait Migration {
    /// Looks before; returns what [`after`](Self::after) compares with.
    fn before() -> Result<Vec<u8>, TryRuntimeError>;
    /// Changes storage.
    fn migrate() -> Weight;
    /// Looks after.
    fn after(before: Vec<u8>) -> Result<(), TryRuntimeError>;
}

/// Runs a migration with its checks.
pub struct Checked<M>(PhantomData<M>);

impl<M: Migration> UncheckedOnRuntimeUpgrade for Checked<M> {
    fn on_runtime_upgrade() -> Weight {
        let before = M::before().expect("the migration fits what is there");
        let weight = M::migrate();
        M::after(before).expect("the migration did what it should");
        weight
    }

    #[cfg(feature = "try-runtime")]
    fn pre_upgrade() -> Result<Vec<u8>, TryRuntimeError> {
        M::before()
    }

    #[cfg(feature = "try-runtime")]
    fn post_upgrade(before: Vec<u8>) -> Result<(), TryRuntimeError> {
        M::after(before)
    }
}

/// Runs a migration on the way to a `spec_version`: for what belongs to no pallet's storage version.
pub struct Before<const SPEC_VERSION: u32, M>(PhantomData<M>);

impl<const SPEC_VERSION: u32, M: UncheckedOnRuntimeUpgrade> OnRuntimeUpgrade
    for Before<SPEC_VERSION, M>
{
    fn on_runtime_upgrade() -> Weight {
        if System::last_runtime_upgrade_spec_version() < SPEC_VERSION {
            return M::on_runtime_upgrade();
        }
        ParityDbWeight::get().reads(1)
    }

    #[cfg(feature = "try-runtime")]
    fn pre_upgrade() -> Result<Vec<u8>, TryRuntimeError> {
        M::pre_upgrade()
    }

    #[cfg(feature = "try-runtime")]
    fn post_upgrade(before: Vec<u8>) -> Result<(), TryRuntimeError> {
        M::post_upgrade(before)
    }
}

/// Gives every validator's keys, set and queued, the new one.
pub struct CarryKeys;

impl CarryKeys {
    /// Who has keys set, sorted.
    fn holders() -> Vec<AccountId> {
        let mut holders: Vec<_> = pallet_session::NextKeys::<Runtime>::iter_keys().collect();
        holders.sort();
        holders
    }
}

impl Migration for CarryKeys {
    fn before() -> Result<Vec<u8>, TryRuntimeError> {
        let holders = Self::holders();
        let validators = Session::validators();
        if validators
            .iter()
            .any(|validator| !holders.contains(validator))
        {
            return Err("a validator has no keys".into());
        }
        Ok((holders, validators).encode())
    }

    fn migrate() -> Weight {
        Session::upgrade_keys::<OldSessionKeys, _>(|validator, old| SessionKeys {
            grandpa: old.grandpa,
            babe: old.babe,
            authority_discovery: old.authority_discovery,
            witness: first_witness(&validator),
        });
        // For each holder its keys, and for each key its owner.
        let holders = Self::holders().len() as u64;
        ParityDbWeight::get().reads_writes(1 + holders, 1 + 8 * holders)
    }

    fn after(before: Vec<u8>) -> Result<(), TryRuntimeError> {
        let (holders, validators) = <(Vec<AccountId>, Vec<AccountId>)>::decode(&mut &before[..])
            .map_err(|_| "what was before cannot be read")?;
        if Self::holders() != holders || Session::validators() != validators {
            return Err("somebody lost its keys or its seat".into());
        }
        for holder in holders {
            let keys = pallet_session::NextKeys::<Runtime>::get(&holder)
                .ok_or("somebody's keys cannot be read")?;
            let owners = [
                (sp_consensus_grandpa::KEY_TYPE, keys.grandpa.to_raw_vec()),
                (sp_consensus_babe::KEY_TYPE, keys.babe.to_raw_vec()),
                (WitnessId::ID, keys.witness.to_raw_vec()),
            ];
            if owners
                .iter()
                .any(|(id, key)| Session::key_owner(*id, key).as_ref() != Some(&holder))
            {
                return Err("a key has lost its owner".into());
            }
        }
        let queued = Session::queued_keys();
        if queued
            .iter()
            .any(|(id, keys)| keys.witness != first_witness(id))
        {
            return Err("queued keys were not carried over".into());
        }
        Ok(())
    }
}

/// Counts the services of every origin. In a real upgrade the pallet's own storage version rises with it.
pub struct CountOrigins;

impl Migration for CountOrigins {
    fn before() -> Result<Vec<u8>, TryRuntimeError> {
        if OriginUse::iter_values().next().is_some() {
            return Err("origins were counted already".into());
        }
        let services = pallet_edge_services::Services::<Runtime>::iter_keys().count() as u64;
        Ok(services.encode())
    }

    fn migrate() -> Weight {
        let mut services = 0;
        for service in pallet_edge_services::Services::<Runtime>::iter_values() {
            OriginUse::mutate(service.origin, |count| {
                *count = Some(count.unwrap_or_default() + 1);
            });
            services += 1;
        }
        ParityDbWeight::get().reads_writes(2 * services, services)
    }

    fn after(before: Vec<u8>) -> Result<(), TryRuntimeError> {
        let services =
            u64::decode(&mut &before[..]).map_err(|_| "what was before cannot be read")?;
        let counted: u64 = OriginUse::iter_values().map(u64::from).sum();
        if counted != services {
            return Err("not every service was counted".into());
        }
        Ok(())
    }
}
