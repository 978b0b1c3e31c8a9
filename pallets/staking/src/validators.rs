//! Chooses the validators of the next session.
//!
//! A plan is answered with `Some` only when the set, the stakes behind it or its keys differ from the last plan: always
//! `Some` would begin a GRANDPA set per session, and `None` after a rotation of keys would copy a historical root that
//! the new keys cannot be proven against.

use crate::{
    types::MAX_ELECTED, ActiveByRole, Config, Elected, Exposure, Pallet, Planned, PlannedDigest,
    Stakes, ValidatorSet,
};
use alloc::vec::Vec;
use codec::Encode;
use core::cmp::Reverse;
use frame_support::traits::Get;
use pallet_edge_traits::EpochClock;
use pallet_session::historical;
use selvedge_primitives_types::Role;
use sp_core::crypto::AccountId32;
use sp_io::hashing::blake2_256;
use sp_runtime::{traits::Convert, Perbill};
use sp_staking::{offence::OffenceSeverity, SessionIndex};

/// What staking asks of the session pallet.
pub trait ValidatorSessions {
    /// Digest of the keys that a validator will use in the next session; `None` without keys.
    fn keys_digest(validator: &AccountId32) -> Option<[u8; 32]>;
    /// Keeps a validator from authoring for the rest of the session, as far as the disabling strategy goes.
    fn disable(validator: &AccountId32, severity: Perbill);
    /// Forgets the roots of sessions before this one.
    fn prune_up_to(session: SessionIndex);
}

impl<T> ValidatorSessions for pallet_session::Pallet<T>
where
    T: pallet_session::Config<ValidatorId = AccountId32> + historical::Config,
{
    fn keys_digest(validator: &AccountId32) -> Option<[u8; 32]> {
        let keys = pallet_session::NextKeys::<T>::get(validator)?;
        Some(keys.using_encoded(blake2_256))
    }

    fn disable(validator: &AccountId32, severity: Perbill) {
        Self::report_offence(validator.clone(), OffenceSeverity(severity));
    }

    fn prune_up_to(session: SessionIndex) {
        historical::Pallet::<T>::prune_up_to(session);
    }
}

/// The stake behind a validator of the current session.
pub struct ExposureOf<T>(core::marker::PhantomData<T>);

impl<T: Config> Convert<AccountId32, Option<Exposure>> for ExposureOf<T> {
    fn convert(validator: AccountId32) -> Option<Exposure> {
        let elected = Elected::<T>::get();
        elected
            .into_iter()
            .find(|(elected, _)| *elected == validator)
            .map(|(_, exposure)| exposure)
    }
}

impl<T: Config> Pallet<T> {
    /// The largest stakes that are active, not about to leave, and have keys; with a digest of the choice.
    fn elect() -> (ValidatorSet, [u8; 32]) {
        let now = T::Clock::current();
        let mut candidates: Vec<_> = ActiveByRole::<T>::iter_prefix(Role::Validator)
            .filter(|(_, row)| row.covers(now) && row.until.is_none())
            .filter_map(|(device, row)| {
                let validator = AccountId32::from(device.0);
                let keys = T::Sessions::keys_digest(&validator)?;
                let amount = Stakes::<T>::get(row.stake)?.amount;
                Some((
                    validator,
                    Exposure {
                        stake: row.stake,
                        amount,
                    },
                    keys,
                ))
            })
            .collect();
        candidates
            .sort_unstable_by_key(|(_, exposure, _)| (Reverse(exposure.amount), exposure.stake));
        candidates.truncate(T::MaxValidators::get().min(MAX_ELECTED) as usize);
        let chosen: Vec<_> = candidates
            .iter()
            .map(|(validator, exposure, keys)| (validator, exposure.stake, keys))
            .collect();
        let digest = chosen.using_encoded(blake2_256);
        let set = candidates
            .into_iter()
            .map(|(validator, exposure, _)| (validator, exposure));
        (ValidatorSet::truncate_from(set.collect()), digest)
    }

    /// Plans the next session; `None` keeps the last plan.
    fn plan(is_genesis: bool) -> Option<Vec<(AccountId32, Exposure)>> {
        let (set, digest) = Self::elect();
        if set.is_empty() {
            log::error!(target: LOG_TARGET, "no validator stake is active and has keys: the set stays");
            return None;
        }
        if digest == PlannedDigest::<T>::get() && !is_genesis {
            return None;
        }
        PlannedDigest::<T>::put(digest);
        Planned::<T>::put(&set);
        Some(set.into_inner())
    }

    fn start(_session: SessionIndex) {
        Elected::<T>::put(Planned::<T>::get());
    }

    fn end(session: SessionIndex) {
        if let Some(first) = session.checked_sub(T::SessionsKept::get()) {
            T::Sessions::prune_up_to(first);
        }
    }
}

fn ids(set: Vec<(AccountId32, Exposure)>) -> Vec<AccountId32> {
    set.into_iter().map(|(validator, _)| validator).collect()
}

impl<T: Config> pallet_session::SessionManager<AccountId32> for Pallet<T> {
    fn new_session(_: SessionIndex) -> Option<Vec<AccountId32>> {
        Self::plan(false).map(ids)
    }

    fn new_session_genesis(_: SessionIndex) -> Option<Vec<AccountId32>> {
        Self::plan(true).map(ids)
    }

    fn start_session(session: SessionIndex) {
        Self::start(session);
    }

    fn end_session(session: SessionIndex) {
        Self::end(session);
    }
}

impl<T: Config> historical::SessionManager<AccountId32, Exposure> for Pallet<T> {
    fn new_session(_: SessionIndex) -> Option<Vec<(AccountId32, Exposure)>> {
        Self::plan(false)
    }

    fn new_session_genesis(_: SessionIndex) -> Option<Vec<(AccountId32, Exposure)>> {
        Self::plan(true)
    }

    fn start_session(session: SessionIndex) {
        Self::start(session);
    }

    fn end_session(session: SessionIndex) {
        Self::end(session);
    }
}

const LOG_TARGET: &str = "runtime::node-staking";
