//! Keeps proofs of what auditors still vote on, and convicts when it is certain that the gateway is no canary.
//!
//! A proof says to those who have not looked what to vote. So none is heard until the votes are sealed, and until the epoch
//! after the reveals is over a gateway may show that it had pledged what was proven. Its money waits that long.

use crate::{
    canary::leaf_name,
    types::{Audit, Auditor, Fraud, Stage, Suspicion},
    Audits, Config, Error, Event, Excused, Frauds, Pallet, Suspicions, Windows,
};
use frame_support::{defensive, ensure};
use pallet_edge_traits::{CommitmentVoid, EpochClock, Forfeit, Slashed, StakeInspect, StakeSlash};
use selvedge_primitives_math::fraud::{Defect, DefectClass, FraudProof};
use selvedge_primitives_types::{DeviceId, Epoch};
use sp_runtime::{traits::Convert, AccountId32, DispatchResult};

/// Who proved a defect.
pub(crate) struct Reporter {
    /// Who is rewarded.
    pub(crate) account: AccountId32,
    /// Whom it was drawn as, if it was.
    pub(crate) auditor: Option<Auditor>,
}

impl<T: Config> Pallet<T> {
    /// Refuses while a proof would tell auditors what to vote.
    pub(crate) fn ensure_votes_are_sealed(
        gateway: &DeviceId,
        epoch: Epoch,
    ) -> Result<(), Error<T>> {
        let audit = Audits::<T>::get(epoch, gateway);
        let is_open = audit.is_some_and(|audit| {
            let current = T::Clock::current();
            let is_before =
                current < audit.until || (current == audit.until && !Self::is_second_half());
            is_before && Self::has_voters(&audit)
        });
        ensure!(!is_open, Error::<T>::TooEarly);
        Ok(())
    }

    /// Whether auditors vote on it, as far as is known: not before its window has a panel.
    fn has_voters(audit: &Audit) -> bool {
        let Stage::Voting(round) = audit.stage else {
            return false;
        };
        let drawn = Windows::<T>::get(audit.window);
        drawn.is_none_or(|drawn| drawn.auditors(audit.operator.as_ref(), round).is_some())
    }

    /// Whether nothing can be proven with this, since a canary had pledged it.
    pub(crate) fn is_excused(
        gateway: &DeviceId,
        epoch: Epoch,
        proof: &FraudProof,
        defect: Defect,
    ) -> bool {
        let FraudProof::Leaf { leaf, .. } = proof else {
            return false;
        };
        defect.class() == DefectClass::Leaf
            && Excused::<T>::get(epoch, gateway).contains(&leaf_name(&leaf.leaf))
    }

    /// Convicts of a defect that was proven, or keeps it in mind where the gateway may be a canary.
    pub(crate) fn accuse(
        reporter: Option<Reporter>,
        gateway: DeviceId,
        epoch: Epoch,
        defect: Defect,
        proof: &FraudProof,
    ) -> DispatchResult {
        let operator = T::Stakes::owner_at(&gateway, epoch);
        let is_rewarded = reporter.is_some();
        let reporter = reporter.or_else(|| {
            operator.map(|account| Reporter {
                account,
                auditor: None,
            })
        });
        let Reporter { account, auditor } = reporter.ok_or(Error::<T>::TooOld)?;
        let audit = Audits::<T>::get(epoch, gateway);
        let leaf = match proof {
            FraudProof::Leaf { tree, leaf } => Some((*tree, leaf)),
            _ => None,
        };
        let commitment = Self::commitment(&gateway, epoch)?;
        let is_sampled = audit
            .as_ref()
            .zip(leaf)
            .is_some_and(|(audit, (tree, leaf))| Self::is_sampled(audit, &commitment, tree, leaf));
        let suspicion = Suspicion {
            defect,
            reporter: account,
            auditor,
            is_rewarded,
            leaf: leaf.map(|(_, leaf)| leaf_name(&leaf.leaf)),
            is_sampled,
        };
        if audit.is_some_and(|audit| Self::may_be_a_canary(&audit)) {
            Suspicions::<T>::insert(epoch, gateway, suspicion);
            Self::deposit_event(Event::DefectShown {
                gateway,
                epoch,
                defect,
            });
            return Ok(());
        }
        Self::convict(gateway, epoch, suspicion)
    }

    /// Whether there are auditors who could be found out by a pledge, and have not been.
    fn may_be_a_canary(audit: &Audit) -> bool {
        matches!(audit.stage, Stage::Proven(_)) || Self::has_voters(audit)
    }

    /// Voids the commitment, unless its payment has begun, and takes the stake's part.
    pub(crate) fn convict(gateway: DeviceId, epoch: Epoch, suspicion: Suspicion) -> DispatchResult {
        let Suspicion {
            defect,
            reporter,
            is_rewarded,
            is_sampled,
            ..
        } = suspicion;
        let forfeit = T::Commitments::forfeit(&gateway, epoch, defect)?;
        Self::note_fault(&gateway, epoch);
        let part = T::SlashOf::convert(defect.class());
        let rewarded = is_rewarded.then_some(&reporter);
        let Slashed { taken, reward } = T::Slash::slash(&gateway, epoch, part, rewarded);
        let earlier = Frauds::<T>::get(epoch, gateway)
            .map(|fraud| (fraud.forfeit, fraud.taken, fraud.reward));
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
        if let Some(mut audit) = Audits::<T>::get(epoch, gateway) {
            if is_sampled {
                Self::fine_those_who_passed(&mut audit, &gateway, epoch);
            }
            if forfeit == Forfeit::Voided {
                audit.stage = Stage::Void;
            }
            Audits::<T>::insert(epoch, gateway, audit);
        }
        Ok(())
    }

    /// Goes on with a commitment of which a defect was shown, at the end of an epoch; returns whether there was one.
    pub(crate) fn end_suspicion(ended: Epoch, gateway: DeviceId, epoch: Epoch) -> bool {
        let Some(suspicion) = Suspicions::<T>::get(epoch, gateway) else {
            return false;
        };
        let Some(mut audit) = Audits::<T>::get(epoch, gateway) else {
            return false;
        };
        match audit.stage {
            Stage::Voting(_) | Stage::Proven(_) if audit.until > ended => {}
            Stage::Voting(round) => {
                audit.stage = Stage::Proven(round);
                audit.until = Self::coming_epoch();
                Self::queue(audit.until, &gateway, epoch);
                Audits::<T>::insert(epoch, gateway, audit);
            }
            // No pledge was opened, or the commitment ended otherwise meanwhile.
            _ => {
                Suspicions::<T>::remove(epoch, gateway);
                if Self::convict(gateway, epoch, suspicion).is_err() {
                    defensive!("a commitment that was suspected is known");
                }
            }
        }
        true
    }
}
