//! Judges a report by what the chain knows of the commitment's epoch, and does what follows.

use crate::{
    suspicion::Reporter, Audits, ClearFrom, Config, Error, Excused, Frauds, Pallet, Suspicions,
};
use core::marker::PhantomData;
use frame_support::{ensure, traits::Get, weights::WeightMeter};
use pallet_edge_traits::{
    genesis_hash, is_signed_by_device, EpochClock, HostKeccak, ServiceInspect, StakeInspect,
};
use selvedge_primitives_math::{
    fraud::{verify, Context, Defect, DefectClass, FraudProof, NotFraud, Terms},
    lease::lease,
    storage::most,
};
use selvedge_primitives_types::{
    Account, DeviceId, Domain, Epoch, Leaf, Role, ServiceId, UsageCommitment,
};
use sp_runtime::DispatchResult;

/// Proofs and audits that a block forgets at most of each, and epochs that it looks through for them.
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
            storage: most(
                T::Services::kept_at(service, self.epoch),
                T::Clock::length(),
            ),
        })
    }

    fn is_cache(&self, device: &DeviceId) -> bool {
        T::Stakes::is_active(device, Role::Cache, self.epoch)
    }

    /// The host accepts every signature that a daemon's strict check accepts, so that no cache can
    /// make a gateway guilty with one that only some see as good.
    fn is_signed(&self, leaf: &Leaf) -> bool {
        let (genesis, body) = (genesis_hash::<T>(), &leaf.body);
        is_signed_by_device(
            &genesis,
            &body.cache,
            Domain::Leaf,
            body,
            &leaf.cache_signature,
        )
    }
}

/// A commitment that proofs are heard about.
pub(crate) struct Case<T: Config> {
    commitment: UsageCommitment,
    known: Known<T>,
    /// The gravest that was shown of it.
    before: Option<DefectClass>,
}

impl<T: Config> Case<T> {
    fn is_graver(&self, defect: Defect) -> bool {
        self.before.is_none_or(|before| before < defect.class())
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

    /// Opens a commitment to proofs, unless the gravest defect of it was proven.
    pub(crate) fn open_case(gateway: &DeviceId, epoch: Epoch) -> Result<Case<T>, Error<T>> {
        let commitment = Self::commitment(gateway, epoch)?;
        let known = Self::known(epoch).ok_or(Error::<T>::TooOld)?;
        let proven = Frauds::<T>::get(epoch, gateway).map(|fraud| fraud.defect.class());
        let shown = Suspicions::<T>::get(epoch, gateway).map(|known| known.defect.class());
        let before = proven.max(shown);
        let case = Case {
            commitment,
            known,
            before,
        };
        ensure!(
            Defect::ALL.into_iter().any(|defect| case.is_graver(defect)),
            Error::<T>::AlreadyReported
        );
        Ok(case)
    }

    /// The defect that a proof proves, if it is graver than what was proven before.
    pub(crate) fn judge(case: &Case<T>, proof: &FraudProof) -> Result<Defect, Error<T>> {
        let defect =
            verify::<HostKeccak>(proof, &case.commitment, &case.known).map_err(|refusal| {
                match refusal {
                    NotFraud::Honest => Error::<T>::NothingWrong,
                    _ => Error::<T>::ProofInvalid,
                }
            })?;
        let UsageCommitment { gateway, epoch, .. } = &case.commitment;
        ensure!(
            !Self::is_excused(gateway, *epoch, proof, defect),
            Error::<T>::LeafPledged
        );
        ensure!(case.is_graver(defect), Error::<T>::AlreadyReported);
        Ok(defect)
    }

    /// Nobody is rewarded when the gateway showed the defect itself, without a `reporter`.
    pub(crate) fn do_report(
        reporter: Option<Reporter>,
        gateway: DeviceId,
        epoch: Epoch,
        proof: &FraudProof,
    ) -> DispatchResult {
        let case = Self::open_case(&gateway, epoch)?;
        let defect = Self::judge(&case, proof)?;
        Self::accuse(reporter, gateway, epoch, defect, proof)
    }

    /// Forgets proofs and audits of epochs that nobody can report any more, a bounded number per block.
    pub(crate) fn sweep(meter: &mut WeightMeter) {
        let looked = T::DbWeight::get().reads_writes(1, 1);
        if meter.try_consume(looked).is_err() {
            return;
        }
        let before = ClearFrom::<T>::get();
        let mut from = before;
        let mut left = SWEEP;
        while left > 0 && from < T::Clock::current() && Self::known(from).is_none() {
            // A step meets an item of each kind, or the end of the epoch.
            if meter
                .try_consume(T::DbWeight::get().reads_writes(5, 5))
                .is_err()
            {
                break;
            }
            left -= 1;
            let fraud = Frauds::<T>::drain_prefix(from).next().is_some();
            let audit = Audits::<T>::drain_prefix(from).next();
            let is_over = !fraud && audit.is_none();
            if let Some((gateway, audit)) = audit {
                Excused::<T>::remove(from, gateway);
                Self::forget_fault(from, audit);
            }
            if is_over {
                from = from.next();
            }
        }
        if from != before {
            ClearFrom::<T>::put(from);
        }
    }
}
