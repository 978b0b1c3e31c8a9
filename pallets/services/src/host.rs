//! Proves who owns a host name: drawn gateways look for a text in the DNS and sign what they found.

use crate::{
    name::{host_kind, HostKind},
    types::{CheckRound, Host, HostAnswer, HostClaim, HostName, Service, DRAWN},
    weights::WeightInfo,
    Config, Error, Event, Pallet, ProvenHosts, Round, Services, Unproven,
};
use alloc::{vec, vec::Vec};
use codec::Encode;
use frame_support::{
    ensure, storage::StoragePrefixedMap, traits::Get, weights::Weight, BoundedVec,
};
use pallet_edge_traits::{
    genesis_hash, is_signed_by_device, EpochClock, HostChecks, OnEpoch, StakeInspect,
};
use selvedge_primitives_types::{
    agent::HostCheckVerdict, DeviceId, Domain, Epoch, Hash, Role, ServiceId, Signature64,
};
use sp_runtime::transaction_validity::{
    InvalidTransaction, TransactionValidityWithRefund, ValidTransaction,
};

/// Host names that one answer of [`HostChecks::due`] holds at most.
pub const MAX_DUE: usize = 16;
/// Claims that one answer of [`HostChecks::due`] looks at, at most. It runs off chain only.
pub const MAX_LOOKED_AT: usize = 2_000;

/// Priority of an unsigned answer in the pool: below every transaction that pays.
const ANSWER_PRIORITY: u64 = 1_000;
/// Blocks an unsigned answer may wait in the pool; the driver sends it again after that.
const ANSWER_LONGEVITY: u64 = 32;

/// How many of `drawn` gateways must have found the record: two thirds, rounded up.
pub fn needed(drawn: usize) -> usize {
    (2 * drawn).div_ceil(3)
}

/// Draws up to [`DRAWN`] different positions below `count` for a host name.
///
/// The i-th draw picks among the positions not taken yet, so that the work does not depend on luck.
pub fn draw(seed: &Hash, service: ServiceId, host: &[u8], count: usize) -> Vec<usize> {
    let mut taken: Vec<usize> = Vec::with_capacity(DRAWN);
    for turn in 0..DRAWN.min(count) {
        let digest = sp_io::hashing::blake2_128(&(seed, service, host, turn as u32).encode());
        let mut position = (u128::from_le_bytes(digest) % (count - turn) as u128) as usize;
        for other in &taken {
            if *other <= position {
                position += 1;
            }
        }
        let place = taken.partition_point(|other| *other < position);
        taken.insert(place, position);
    }
    taken
}

impl<MaxCheckers: Get<u32>> CheckRound<MaxCheckers> {
    /// The gateways drawn for a host name.
    pub fn drawn(&self, service: ServiceId, host: &[u8]) -> Vec<DeviceId> {
        let positions = draw(&self.seed, service, host, self.gateways.len());
        positions
            .into_iter()
            .map(|position| self.gateways[position])
            .collect()
    }
}

impl<T: Config> Pallet<T> {
    /// The text that a TXT record of `_selvedge-challenge.<host>` must hold.
    ///
    /// It names the service and its owner, so that a record put there for one customer proves
    /// nothing for another.
    pub fn challenge(service: ServiceId, host: &[u8], owner: &T::AccountId) -> Vec<u8> {
        let payload = (genesis_hash::<T>(), service, host, owner);
        let digest = sp_io::hashing::blake2_256(&payload.encode());
        digest
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .map(|nibble| b"0123456789abcdef"[nibble as usize])
            .collect()
    }

    /// Lists a host name for a service and starts its proof; the caller stores `record` and holds
    /// the deposit.
    pub(crate) fn claim_host(
        service: ServiceId,
        record: &mut Service<T::AccountId>,
        name: &[u8],
        deposit: u128,
    ) -> Result<(), Error<T>> {
        let kind = host_kind(name).ok_or(Error::<T>::HostNameInvalid)?;
        ensure!(
            kind == HostKind::Public || T::AllowLocalNames::get(),
            Error::<T>::LocalNameRefused
        );
        ensure!(
            record.position(name).is_none(),
            Error::<T>::HostAlreadyListed
        );
        let name: HostName = name
            .to_vec()
            .try_into()
            .map_err(|_| Error::<T>::HostNameInvalid)?;
        ensure!(
            !ProvenHosts::<T>::contains_key(&name),
            Error::<T>::HostTaken
        );
        record
            .hosts
            .try_push(Host {
                name: name.clone(),
                deposit,
            })
            .map_err(|_| Error::<T>::TooManyHosts)?;
        let proven = kind == HostKind::Local;
        if proven {
            ProvenHosts::<T>::insert(&name, service);
        } else {
            let now = T::Clock::current();
            let claim = HostClaim {
                since: now,
                checked: now,
                answers: BoundedVec::new(),
            };
            Unproven::<T>::insert(service, &name, claim);
        }
        Self::deposit_event(Event::HostAdded {
            service,
            host: name.into_inner(),
            proven,
        });
        Ok(())
    }

    /// Forgets whatever is known of a host name of the service.
    pub(crate) fn forget_host(service: ServiceId, name: &HostName) {
        Unproven::<T>::remove(service, name);
        if ProvenHosts::<T>::get(name) == Some(service) {
            ProvenHosts::<T>::remove(name);
        }
    }

    /// Checks a gateway's answer: state first, the signature last.
    ///
    /// Returns the claim without the gateway's earlier answer, and how many gateways were drawn.
    pub(crate) fn check_answer(
        verdict: &HostCheckVerdict,
        signature: &Signature64,
    ) -> Result<(HostName, HostClaim, usize), Error<T>> {
        let name: HostName = verdict
            .host
            .clone()
            .try_into()
            .map_err(|_| Error::<T>::HostNameInvalid)?;
        ensure!(verdict.epoch == T::Clock::current(), Error::<T>::WrongEpoch);
        let mut claim =
            Unproven::<T>::get(verdict.service, &name).ok_or(Error::<T>::NothingToProve)?;
        // The round is the largest item, so it is read only for an answer about an open claim.
        let round = Round::<T>::get().ok_or(Error::<T>::WrongEpoch)?;
        ensure!(round.epoch == verdict.epoch, Error::<T>::WrongEpoch);
        ensure!(
            !Self::is_expired(&claim, round.epoch),
            Error::<T>::ClaimExpired
        );
        let drawn = round.drawn(verdict.service, &name);
        ensure!(drawn.contains(&verdict.device), Error::<T>::NotDrawn);
        if claim.checked != round.epoch {
            claim.checked = round.epoch;
            claim.answers.clear();
        }
        if let Some(place) = claim
            .answers
            .iter()
            .position(|one| one.device == verdict.device)
        {
            // A record may show up later in the epoch, so only a "not found" may be taken back.
            let before = claim.answers.remove(place);
            ensure!(verdict.found && !before.found, Error::<T>::AlreadyAnswered);
        }
        ensure!(
            !ProvenHosts::<T>::contains_key(&name),
            Error::<T>::HostTaken
        );
        let (genesis, device) = (genesis_hash::<T>(), &verdict.device);
        ensure!(
            is_signed_by_device(&genesis, device, Domain::HostCheck, verdict, signature),
            Error::<T>::BadSignature
        );
        Ok((name, claim, drawn.len()))
    }

    /// Counts a checked answer, and proves the host name when enough gateways found the record.
    pub(crate) fn count_answer(
        verdict: HostCheckVerdict,
        name: HostName,
        mut claim: HostClaim,
        drawn: usize,
    ) -> Result<(), Error<T>> {
        let HostCheckVerdict {
            device,
            service,
            host,
            epoch,
            found,
        } = verdict;
        claim
            .answers
            .try_push(HostAnswer { device, found })
            .map_err(|_| Error::<T>::AlreadyAnswered)?;
        let yes = claim.answers.iter().filter(|answer| answer.found).count();
        Self::deposit_event(Event::HostChecked {
            service,
            host: host.clone(),
            device,
            epoch,
            found,
        });
        if yes >= needed(drawn) {
            Unproven::<T>::remove(service, &name);
            ProvenHosts::<T>::insert(&name, service);
            Self::deposit_event(Event::HostProven { service, host });
        } else {
            Unproven::<T>::insert(service, &name, claim);
        }
        Ok(())
    }

    /// Decides whether an unsigned answer may enter the pool and a block.
    pub(crate) fn authorize_answer(
        verdict: HostCheckVerdict,
        signature: &Signature64,
    ) -> TransactionValidityWithRefund {
        Self::check_answer(&verdict, signature).map_err(|error| match error {
            Error::<T>::BadSignature => InvalidTransaction::BadProof,
            Error::<T>::NotDrawn => InvalidTransaction::BadSigner,
            Error::<T>::HostNameInvalid => InvalidTransaction::Call,
            _ => InvalidTransaction::Stale,
        })?;
        ValidTransaction::with_tag_prefix("SelvedgeHostCheck")
            .priority(ANSWER_PRIORITY)
            .and_provides((
                verdict.device,
                verdict.service,
                verdict.host,
                verdict.epoch,
                verdict.found,
            ))
            .longevity(ANSWER_LONGEVITY)
            .propagate(true)
            .build()
            .map(|valid| (valid, Weight::zero()))
    }

    fn is_expired(claim: &HostClaim, now: Epoch) -> bool {
        now.since(claim.since) > T::ProofPeriod::get()
    }

    /// Fixes who may be drawn in an epoch.
    pub(crate) fn begin_round(epoch: Epoch, seed: Hash, mut gateways: Vec<DeviceId>) {
        gateways.truncate(T::MaxCheckers::get() as usize);
        Round::<T>::put(CheckRound {
            epoch,
            seed,
            gateways: BoundedVec::truncate_from(gateways),
        });
    }
}

impl<T: Config> OnEpoch for Pallet<T> {
    fn on_epoch(_ended: Epoch, began: Epoch) -> Weight {
        let gateways = T::Stakes::active_devices(Role::Gateway, T::MaxCheckers::get());
        let count = gateways.len() as u32;
        Self::begin_round(began, T::Seed::get(), gateways);
        <T as Config>::WeightInfo::begin_round(count)
    }
}

impl<T: Config> HostChecks for Pallet<T> {
    fn due(device: &DeviceId) -> Vec<(ServiceId, Vec<u8>, Vec<u8>, Epoch)> {
        let Some(round) = Round::<T>::get() else {
            return vec![];
        };
        if round.epoch != T::Clock::current() || !round.gateways.contains(device) {
            return vec![];
        }
        // Begin somewhere else in every block: with more claims than one look can cover, none of
        // them starves.
        let block = frame_system::Pallet::<T>::block_number();
        let start = sp_io::hashing::twox_64(&(device, block).encode());
        let first = [&Unproven::<T>::final_prefix()[..], &start].concat();
        let from_here = Unproven::<T>::iter_from(first);
        let mut due: Vec<(ServiceId, Vec<u8>, Vec<u8>, Epoch)> = Vec::new();
        for (service, name, claim) in from_here.chain(Unproven::<T>::iter()).take(MAX_LOOKED_AT) {
            let answered = claim.checked == round.epoch
                && claim
                    .answers
                    .iter()
                    .any(|answer| answer.device == *device && answer.found);
            let seen = due
                .iter()
                .any(|one| one.0 == service && one.1[..] == name[..]);
            if answered || seen || Self::is_expired(&claim, round.epoch) {
                continue;
            }
            if !round.drawn(service, &name).contains(device) {
                continue;
            }
            let Some(record) = Services::<T>::get(service) else {
                continue;
            };
            let expected = Self::challenge(service, &name, &record.owner);
            due.push((service, name.into_inner(), expected, round.epoch));
            if due.len() == MAX_DUE {
                break;
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_thirds_of_the_drawn_must_have_found_it() {
        assert_eq!([1, 2, 3].map(needed), [1, 2, 2]);
    }

    #[test]
    fn draws_are_different_positions_inside_the_list() {
        for count in 0..40 {
            for salt in 0..50u8 {
                let drawn = draw(&[salt; 32], ServiceId(7), b"example.org", count);
                assert_eq!(drawn.len(), count.min(DRAWN));
                assert!(drawn.windows(2).all(|pair| pair[0] < pair[1]), "{drawn:?}");
                assert!(drawn.iter().all(|position| *position < count));
            }
        }
    }

    #[test]
    fn every_position_is_drawn_about_as_often() {
        let mut hits = [0u32; 10];
        for salt in 0..4_000u32 {
            let seed = sp_io::hashing::blake2_256(&salt.encode());
            for position in draw(&seed, ServiceId(1), b"example.org", 10) {
                hits[position] += 1;
            }
        }
        assert!(
            hits.iter().all(|hit| (1_050..1_350).contains(hit)),
            "{hits:?}"
        );
    }
}
