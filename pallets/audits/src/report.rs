//! Judges a report by what the chain knows of the commitment's epoch, and does what follows.

use crate::{types::Fraud, ClearFrom, Config, Error, Event, Frauds, Pallet};
use core::marker::PhantomData;
use frame_support::{ensure, traits::Get, weights::Weight};
use pallet_edge_traits::{
    CommitmentVoid, EpochClock, HostKeccak, OnEpoch, ServiceInspect, Slashed, StakeInspect,
    StakeSlash,
};
use selvedge_primitives_math::{
    fraud::{verify, Context, Defect, FraudProof, NotFraud, Terms},
    lease::lease,
};
use selvedge_primitives_types::{
    Account, DeviceId, Domain, Epoch, GenesisHash, Leaf, Role, ServiceId,
};
use sp_core::ed25519;
use sp_runtime::{
    traits::{Convert, Zero},
    AccountId32, DispatchResult,
};

/// Proofs that are forgotten when an epoch begins, and epochs that are looked through for them.
const SWEEP: u32 = 32;

/// The chain as it was in an epoch.
pub struct Known<T> {
    epoch: Epoch,
    chain: PhantomData<T>,
}

impl<T: Config> Context for Known<T> {
    fn terms(&self, service: ServiceId) -> Option<Terms> {
        let terms = T::Services::terms_at(service, self.epoch)?;
        let gateways = T::Stakes::active_count(Role::Gateway, self.epoch);
        Some(Terms {
            owner: Account(terms.owner.into()),
            lease: if terms.active {
                lease(terms.cap, gateways)
            } else {
                0
            },
            price_version: terms.price_version,
            prices: T::Services::prices(terms.price_version),
        })
    }

    fn is_cache(&self, device: &DeviceId) -> bool {
        T::Stakes::is_active(device, Role::Cache, self.epoch)
    }

    /// The host accepts every signature that a daemon's strict check accepts, so that no cache can
    /// make a gateway guilty with one that only some see as good.
    fn is_signed(&self, leaf: &Leaf) -> bool {
        let genesis = frame_system::Pallet::<T>::block_hash(
            frame_system::pallet_prelude::BlockNumberFor::<T>::zero(),
        );
        let mut hash: GenesisHash = [0; 32];
        hash.copy_from_slice(genesis.as_ref());
        sp_io::crypto::ed25519_verify(
            &ed25519::Signature::from_raw(leaf.cache_signature.0),
            &Domain::Leaf.message(&hash, &leaf.body),
            &ed25519::Public::from_raw(leaf.body.cache.0),
        )
    }
}

impl<T: Config> Pallet<T> {
    /// What commitments of an epoch are judged by; `None` when the chain knows it no longer.
    pub fn known(epoch: Epoch) -> Option<Known<T>> {
        let is_known = T::Clock::current().since(epoch) < T::HistoryDepth::get();
        is_known.then_some(Known {
            epoch,
            chain: PhantomData,
        })
    }

    pub(crate) fn do_report(
        reporter: AccountId32,
        gateway: DeviceId,
        epoch: Epoch,
        proof: &FraudProof,
    ) -> DispatchResult {
        let commitment =
            T::Commitments::commitment_of(&gateway, epoch).ok_or(Error::<T>::UnknownCommitment)?;
        let known = Self::known(epoch).ok_or(Error::<T>::TooOld)?;
        let before = Frauds::<T>::get(epoch, gateway);
        let is_graver = |defect: Defect| {
            before
                .as_ref()
                .is_none_or(|fraud| fraud.defect.class() < defect.class())
        };
        ensure!(
            Defect::ALL.into_iter().any(is_graver),
            Error::<T>::AlreadyReported
        );

        let defect =
            verify::<HostKeccak>(proof, &commitment, &known).map_err(|refusal| match refusal {
                NotFraud::Honest => Error::<T>::NothingWrong,
                _ => Error::<T>::ProofInvalid,
            })?;
        ensure!(is_graver(defect), Error::<T>::AlreadyReported);

        let forfeit = T::Commitments::forfeit(&gateway, epoch, defect)?;
        let part = T::SlashOf::convert(defect.class());
        let Slashed { taken, reward } = T::Slash::slash(&gateway, epoch, part, Some(&reporter));
        let earlier = before.map(|fraud| (fraud.forfeit, fraud.taken, fraud.reward));
        let (first, taken_before, reward_before) = earlier.unwrap_or((forfeit, 0, 0));
        let fraud = Fraud {
            defect,
            forfeit: first,
            reporter: reporter.clone(),
            taken: taken_before.saturating_add(taken),
            reward: reward_before.saturating_add(reward),
        };
        Frauds::<T>::insert(epoch, gateway, fraud);
        Self::deposit_event(Event::FraudProven {
            gateway,
            epoch,
            defect,
            forfeit,
            reporter,
            taken,
            reward,
        });
        Ok(())
    }

    /// Forgets proofs of epochs that nobody can report any more; returns how many items it met.
    fn sweep() -> u64 {
        let mut from = ClearFrom::<T>::get();
        let mut left = SWEEP;
        while left > 0 && from < T::Clock::current() && Self::known(from).is_none() {
            let forgotten = Frauds::<T>::drain_prefix(from).take(left as usize).count() as u32;
            left -= forgotten;
            if left == 0 {
                break;
            }
            left -= 1;
            from = from.next();
        }
        ClearFrom::<T>::put(from);
        u64::from(SWEEP - left)
    }
}

impl<T: Config> OnEpoch for Pallet<T> {
    fn on_epoch(_ended: Epoch, _began: Epoch) -> Weight {
        let met = Self::sweep();
        Weight::from_parts(5_000_000 + 5_000_000 * met, 4_000 * (met + 1))
            .saturating_add(T::DbWeight::get().reads_writes(2 + met, 1 + met))
    }
}
