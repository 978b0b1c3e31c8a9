//! Leaves that have to be shown on chain: by a gateway whose auditors fell short twice, by one that was challenged, and by
//! auditors, who have to show that they looked.

use crate::{
    decide::ALL_SHOWN,
    types::{Audit, Stage},
    Audits, Challenges, Config, Error, Event, Pallet, Windows,
};
use alloc::vec::Vec;
use frame_support::ensure;
use pallet_edge_traits::{CommitmentVoid, EpochClock, HostKeccak};
use selvedge_primitives_math::{
    draw::{draws, leaves, post, Draw, LEAVES_ON_CHAIN},
    fraud::{verify, FraudProof, NotFraud, OpenedLeaf},
    TreeKind,
};
use selvedge_primitives_types::{DeviceId, Epoch, TreeCommitment, UsageCommitment};
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
    pub(crate) fn commitment(
        gateway: &DeviceId,
        epoch: Epoch,
    ) -> Result<UsageCommitment, Error<T>> {
        T::Commitments::commitment_of(gateway, epoch).ok_or(Error::<T>::UnknownCommitment)
    }

    pub(crate) fn committed(commitment: &UsageCommitment, tree: TreeKind) -> &TreeCommitment {
        match tree {
            TreeKind::Customers => &commitment.customers,
            TreeKind::Caches => &commitment.caches,
        }
    }

    /// The leaves that a gateway owes because its auditors fell short, each with whether it was shown.
    pub(crate) fn owed(audit: &Audit, commitment: &UsageCommitment) -> Vec<(Draw, bool)> {
        let Stage::LeavesDue { seed, shown } = audit.stage else {
            return Vec::new();
        };
        let UsageCommitment {
            gateway,
            epoch,
            customers,
            ..
        } = commitment;
        draws::<HostKeccak>(&seed, gateway, *epoch, &customers.sum, LEAVES_ON_CHAIN)
            .into_iter()
            .enumerate()
            .map(|(number, draw)| (draw, shown & (1 << number) != 0))
            .collect()
    }

    /// Refuses unless the gateway has to show this leaf now.
    pub(crate) fn ensure_owes(
        gateway: &DeviceId,
        epoch: Epoch,
        draw: &Draw,
    ) -> Result<(), Error<T>> {
        let commitment = Self::commitment(gateway, epoch)?;
        let current = T::Clock::current();
        let challenges = Challenges::<T>::get(epoch, gateway);
        let is_challenged = challenges
            .iter()
            .any(|challenge| challenge.draw == *draw && challenge.until >= current);
        let audit = Audits::<T>::get(epoch, gateway).filter(|audit| audit.until >= current);
        let is_owed = audit.is_some_and(|audit| {
            let mut owed = Self::owed(&audit, &commitment).into_iter();
            owed.any(|(one, is_shown)| one == *draw && !is_shown)
        });
        ensure!(is_challenged || is_owed, Error::<T>::NotDue);
        Ok(())
    }

    /// Judges a leaf that was opened where it is due: `None` when it is sound, or the proof of what is wrong with it.
    pub(crate) fn look_at(
        gateway: &DeviceId,
        epoch: Epoch,
        draw: &Draw,
        leaf: &OpenedLeaf,
    ) -> Result<Option<FraudProof>, Error<T>> {
        let commitment = Self::commitment(gateway, epoch)?;
        let known = Self::known(epoch).ok_or(Error::<T>::TooOld)?;
        let tree = draw.tree;
        let proofs = [
            FraudProof::Entry {
                tree,
                entry: leaf.entry.clone(),
            },
            FraudProof::Leaf {
                tree,
                leaf: leaf.clone(),
            },
        ];
        for proof in proofs {
            match verify::<HostKeccak>(&proof, &commitment, &known) {
                Ok(defect) if Self::is_excused(gateway, epoch, &proof, defect) => {}
                Ok(_) => return Ok(Some(proof)),
                Err(NotFraud::Honest) => {}
                Err(_) => return Err(Error::<T>::ProofInvalid),
            }
        }
        let committed = Self::committed(&commitment, tree);
        ensure!(leaf.is_at(committed, draw.at), Error::<T>::WrongLeaf);
        Ok(None)
    }

    pub(crate) fn do_answer(
        gateway: DeviceId,
        epoch: Epoch,
        draw: Draw,
        leaf: &OpenedLeaf,
    ) -> DispatchResult {
        Self::ensure_owes(&gateway, epoch, &draw)?;
        if let Some(proof) = Self::look_at(&gateway, epoch, &draw, leaf)? {
            Self::report_shown(gateway, epoch, &proof)?;
            Self::release_challenges(&gateway, epoch, |one| one.draw == draw);
            return Ok(());
        }
        Self::deposit_event(Event::LeafShown {
            gateway,
            epoch,
            draw,
        });
        Self::answer_challenge(&gateway, epoch, &draw);
        let commitment = Self::commitment(&gateway, epoch)?;
        let Some(mut audit) = Audits::<T>::get(epoch, gateway) else {
            return Ok(());
        };
        let owed = Self::owed(&audit, &commitment);
        if let Stage::LeavesDue { shown, .. } = &mut audit.stage {
            // One leaf may be drawn more than once.
            for (number, (one, _)) in owed.iter().enumerate() {
                *shown |= u8::from(*one == draw) << number;
            }
            if *shown == ALL_SHOWN {
                Self::accept(&mut audit, 2, &gateway, epoch);
            }
            Audits::<T>::insert(epoch, gateway, audit);
        }
        Ok(())
    }

    /// The leaf that an auditor who passed a commitment has to post now.
    pub(crate) fn owed_post(
        auditor: &DeviceId,
        gateway: &DeviceId,
        epoch: Epoch,
    ) -> Result<Draw, Error<T>> {
        let commitment = Self::commitment(gateway, epoch)?;
        let audit = Audits::<T>::get(epoch, gateway).ok_or(Error::<T>::UnknownCommitment)?;
        let is_open = matches!(audit.stage, Stage::Accepted { .. });
        ensure!(
            is_open && audit.until >= T::Clock::current(),
            Error::<T>::NotDue
        );
        let mut passed = audit.passed.iter();
        let passed = passed.find(|passed| passed.auditor.device == *auditor);
        let passed = passed.ok_or(Error::<T>::NotDrawn)?;
        ensure!(!passed.has_posted, Error::<T>::NotDue);
        Self::named_leaf(&audit, &commitment, auditor).ok_or(Error::<T>::NotDue)
    }

    /// The leaf of its sample that the auditor of an accepted commitment has to post, if it has to.
    fn named_leaf(audit: &Audit, commitment: &UsageCommitment, auditor: &DeviceId) -> Option<Draw> {
        let drawn = Windows::<T>::get(audit.window)?;
        let later = Windows::<T>::get(audit.until.minus(1))?;
        let sample = leaves::<HostKeccak>(&drawn.seed, commitment, audit.draws);
        post::<HostKeccak>(&later.seed, auditor, commitment, &sample)
    }

    pub(crate) fn do_post(
        auditor: DeviceId,
        gateway: DeviceId,
        epoch: Epoch,
        leaf: &OpenedLeaf,
    ) -> DispatchResult {
        let draw = Self::owed_post(&auditor, &gateway, epoch)?;
        let proof = Self::look_at(&gateway, epoch, &draw, leaf)?;
        if let Some(proof) = &proof {
            Self::report_shown(gateway, epoch, proof)?;
        }
        Audits::<T>::mutate(epoch, gateway, |audit| {
            let passed = audit.iter_mut().flat_map(|audit| audit.passed.iter_mut());
            for passed in passed.filter(|passed| passed.auditor.device == auditor) {
                passed.has_posted = true;
            }
        });
        if proof.is_none() {
            Self::deposit_event(Event::LeafPosted {
                auditor,
                gateway,
                epoch,
            });
        }
        Ok(())
    }

    /// A leaf that is due came and is false: that is reported, unless as much is known.
    fn report_shown(gateway: DeviceId, epoch: Epoch, proof: &FraudProof) -> DispatchResult {
        match Self::do_report(None, gateway, epoch, proof) {
            Err(error) if error == Error::<T>::AlreadyReported.into() => Ok(()),
            outcome => outcome,
        }
    }

    /// Fines the auditors of an accepted commitment who had to post a leaf and did not.
    pub(crate) fn fine_silent(audit: &mut Audit, gateway: &DeviceId, epoch: Epoch) {
        let Ok(commitment) = Self::commitment(gateway, epoch) else {
            return;
        };
        for passed in audit.passed.iter().filter(|passed| !passed.has_posted) {
            let auditor = &passed.auditor;
            if Self::named_leaf(audit, &commitment, &auditor.device).is_none() {
                continue;
            }
            Self::fine(auditor, gateway, epoch);
        }
    }
}
