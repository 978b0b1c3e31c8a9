//! Audits the auditors: canary gateways, which nobody knows for what they are before the votes are revealed, commit to false
//! leaves that they pledged before.
//!
//! ```text
//! name (governance) ─▶ pledge ─▶ commitment with the leaves ─▶ votes, reveals ─▶ open: who passed it is fined
//!   hash of gateway,    hash of leaves, in an                                   not opened: as any other gateway
//!   customers, salt     earlier block
//! ```
//!
//! The exemption is for the pledged leaves alone: what they charge is charged to customers that were named with the canary,
//! out of a part of the take, and any other defect costs the stake.

use crate::{
    types::{
        Audit, Auditor, Canary, CanaryName, Opening, Passed, Pledge, Pledged, Stage, MAX_PLEDGED,
    },
    Audits, Canaries, CanarySpent, Config, Error, Event, Excused, Fines, Pallet, Suspicions,
    Windows,
};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::{
    ensure,
    traits::{ConstU32, Get},
    BoundedVec,
};
use pallet_edge_traits::{CommitmentVoid, EpochClock, HostKeccak, TakeInspect};
use selvedge_primitives_math::{
    draw::{leaves, Sample},
    fraud::{verify, Defect, DefectClass, FraudProof, NotFraud, OpenedLeaf},
    ratio::apply,
    TreeKind,
};
use selvedge_primitives_types::{DeviceId, Epoch, Hash, Leaf, Planck, Ppm, UsageCommitment};
use sp_io::hashing::blake2_256;
use sp_runtime::{AccountId32, DispatchResult};

/// Names that may be open at once: each is good for one opening, and a referendum names many at a time.
pub const MAX_CANARIES: u32 = 64;

/// The most of the take that canaries ever charge.
pub const MAX_SHARE: Ppm = Ppm::percent(5);

/// What governance names a canary by: `blake2_256("canary" ‖ gateway ‖ customers ‖ salt)`. The salt keeps others from trying
/// gateways.
pub fn name_seal(name: &CanaryName) -> Hash {
    (*b"canary", name).using_encoded(blake2_256)
}

/// What a canary's operator pledges: `blake2_256("pledge" ‖ gateway ‖ epoch ‖ leaves ‖ salt)`.
pub fn pledge_seal(pledged: &Pledged) -> Hash {
    (*b"pledge", pledged).using_encoded(blake2_256)
}

/// Names a leaf that no proof is heard about any more.
pub(crate) fn leaf_name(leaf: &Leaf) -> Hash {
    leaf.using_encoded(blake2_256)
}

impl Pledged {
    fn names(&self) -> BoundedVec<Hash, ConstU32<MAX_PLEDGED>> {
        let names: Vec<_> = self.leaves.iter().map(leaf_name).collect();
        BoundedVec::truncate_from(names)
    }
}

impl<T: Config> Pallet<T> {
    pub(crate) fn do_name_canary(seal: Hash, operator: AccountId32) -> DispatchResult {
        ensure!(!Canaries::<T>::contains_key(seal), Error::<T>::AlreadyNamed);
        ensure!(
            Canaries::<T>::count() < MAX_CANARIES,
            Error::<T>::TooManyCanaries
        );
        let canary = Canary {
            operator: operator.clone(),
            pledges: Default::default(),
        };
        Canaries::<T>::insert(seal, canary);
        Self::deposit_event(Event::CanaryNamed { seal, operator });
        Ok(())
    }

    pub(crate) fn do_forget_canary(seal: Hash) -> DispatchResult {
        ensure!(
            Canaries::<T>::take(seal).is_some(),
            Error::<T>::UnknownCanary
        );
        Self::deposit_event(Event::CanaryForgotten { seal });
        Ok(())
    }

    pub(crate) fn do_pledge(who: AccountId32, canary: Hash, seal: Hash) -> DispatchResult {
        Canaries::<T>::try_mutate(canary, |known| {
            let known = known.as_mut().ok_or(Error::<T>::UnknownCanary)?;
            ensure!(known.operator == who, Error::<T>::NotItsOperator);
            if known.pledges.is_full() {
                known.pledges.remove(0);
            }
            let pledge = Pledge {
                seal,
                block: Self::block(),
            };
            // There is room: the oldest made it.
            let _ = known.pledges.try_push(pledge);
            Ok::<_, Error<T>>(())
        })?;
        Self::deposit_event(Event::CanaryPledged { canary, seal });
        Ok(())
    }

    /// Opens a pledge: the commitment is accepted in spite of the leaves, and who passed it is fined.
    pub(crate) fn do_open_canary(opening: Opening) -> DispatchResult {
        let Opening {
            name,
            pledged,
            tree,
            shown,
        } = opening;
        let (gateway, epoch) = (pledged.gateway, pledged.epoch);
        let seal = name_seal(&name);
        let canary = Canaries::<T>::get(seal).ok_or(Error::<T>::UnknownCanary)?;
        ensure!(name.gateway == gateway, Error::<T>::UnknownCanary);
        let commitment = Self::commitment(&gateway, epoch)?;
        let mut audit = Audits::<T>::get(epoch, gateway).ok_or(Error::<T>::UnknownCommitment)?;
        Self::ensure_may_open(&audit, &gateway, epoch)?;
        let wanted = pledge_seal(&pledged);
        let mut pledges = canary.pledges.iter();
        ensure!(
            pledges.any(|pledge| pledge.seal == wanted && pledge.block < audit.block),
            Error::<T>::UnknownPledge
        );
        Self::ensure_is_own(&name, &pledged)?;
        let defect = Self::excusable(&commitment, tree, &shown)?;
        ensure!(pledged.leaves.contains(&shown.leaf), Error::<T>::NotPledged);
        let amount = commitment.customers.sum.amount;
        let spent = Self::spend(amount)?;
        let names = pledged.names();
        let suspicion = Suspicions::<T>::get(epoch, gateway);
        if let Some(suspicion) = &suspicion {
            let leaf = suspicion.leaf.as_ref();
            ensure!(
                suspicion.defect.class() == DefectClass::Leaf
                    && leaf.is_some_and(|leaf| names.contains(leaf)),
                Error::<T>::NotPledged
            );
        }

        CanarySpent::<T>::put(spent);
        Canaries::<T>::remove(seal);
        Excused::<T>::insert(epoch, gateway, names);
        let fined = match Self::is_sampled(&audit, &commitment, tree, &shown) {
            true => Self::fine_those_who_passed(&mut audit, &gateway, epoch),
            false => 0,
        };
        Suspicions::<T>::remove(epoch, gateway);
        if let Some(finder) = suspicion.and_then(|suspicion| suspicion.auditor) {
            Self::reward_finder(&mut audit, finder);
        }
        if !matches!(audit.stage, Stage::Accepted { .. }) {
            Self::accept(&mut audit, 1, &gateway, epoch);
        }
        Audits::<T>::insert(epoch, gateway, audit);
        Self::deposit_event(Event::CanaryOpened {
            gateway,
            epoch,
            defect,
            fined,
            amount,
        });
        Ok(())
    }

    /// Nobody shall learn from an opening what to vote, and nothing is excused of what nobody had to look at.
    fn ensure_may_open(audit: &Audit, gateway: &DeviceId, epoch: Epoch) -> Result<(), Error<T>> {
        let current = T::Clock::current();
        match audit.stage {
            Stage::Voting(_) => Err(Error::<T>::TooEarly),
            Stage::Proven(_) | Stage::LeavesDue { .. } | Stage::Accepted { .. }
                if audit.until >= current && T::Commitments::is_at_stake(gateway, epoch) =>
            {
                Ok(())
            }
            _ => Err(Error::<T>::TooLate),
        }
    }

    /// Refuses unless all that was pledged is of the canary's own gateway and customers.
    fn ensure_is_own(name: &CanaryName, pledged: &Pledged) -> Result<(), Error<T>> {
        let is_own = pledged.leaves.iter().all(|leaf| {
            let body = &leaf.body;
            name.customers.contains(&body.customer)
                && (body.gateway, body.epoch) == (pledged.gateway, pledged.epoch)
        });
        is_own.then_some(()).ok_or(Error::<T>::NotPledged)
    }

    /// What is wrong with a leaf that is shown, when it may be excused: its own content refutes it, and nothing else is false.
    fn excusable(
        commitment: &UsageCommitment,
        tree: TreeKind,
        shown: &OpenedLeaf,
    ) -> Result<Defect, Error<T>> {
        let known = Self::known(commitment.epoch).ok_or(Error::<T>::TooOld)?;
        let leaf = FraudProof::Leaf {
            tree,
            leaf: shown.clone(),
        };
        match verify::<HostKeccak>(&leaf, commitment, &known) {
            Ok(defect) if defect.class() == DefectClass::Leaf => Ok(defect),
            Ok(_) => Err(Error::<T>::NotPledged),
            Err(NotFraud::Honest) => Err(Error::<T>::NothingWrong),
            Err(_) => Err(Error::<T>::ProofInvalid),
        }
    }

    /// What canaries will have charged with so much more, if that is within their part of the take.
    fn spend(amount: Planck) -> Result<Planck, Error<T>> {
        let spent = CanarySpent::<T>::get().checked_add(amount);
        let share = T::CanaryShare::get().min(MAX_SHARE);
        let most = apply(share, T::Take::take());
        spent
            .filter(|spent| *spent <= most)
            .ok_or(Error::<T>::AboveCanaryShare)
    }

    /// Whether a leaf was among those that every auditor of a commitment had to look at.
    pub(crate) fn is_sampled(
        audit: &Audit,
        commitment: &UsageCommitment,
        tree: TreeKind,
        shown: &OpenedLeaf,
    ) -> bool {
        let Some(drawn) = Windows::<T>::get(audit.window) else {
            return false;
        };
        let committed = Self::committed(commitment, tree);
        match leaves::<HostKeccak>(&drawn.seed, commitment, audit.draws) {
            Sample::Whole => true,
            Sample::Drawn(draws) => draws
                .iter()
                .any(|draw| draw.tree == tree && shown.is_at(committed, draw.at)),
        }
    }

    /// Takes the fee from those who passed a commitment without having looked, and that of their next audits.
    pub(crate) fn fine_those_who_passed(
        audit: &mut Audit,
        gateway: &DeviceId,
        epoch: Epoch,
    ) -> u32 {
        let passed = core::mem::take(&mut audit.passed);
        for Passed { auditor, .. } in &passed {
            Self::fine(auditor, gateway, epoch);
        }
        passed.len() as u32
    }

    pub(crate) fn fine(auditor: &Auditor, gateway: &DeviceId, epoch: Epoch) {
        Fines::<T>::mutate(&auditor.owner, |left| {
            *left = Some(left.unwrap_or(0).saturating_add(crate::decide::FINE));
        });
        Self::deposit_event(Event::AuditorFined {
            auditor: auditor.device,
            owner: auditor.owner.clone(),
            gateway: *gateway,
            epoch,
        });
    }

    /// Gives the fee of a canary's audit to who proved that something is wrong with it: no slash rewards it.
    fn reward_finder(audit: &mut Audit, finder: Auditor) {
        let mut passed = audit.passed.iter();
        if passed.any(|passed| passed.auditor.owner == finder.owner) {
            return;
        }
        // Where that many passed it, there is no room, nor a fee that is worth dividing.
        let _ = audit.passed.try_push(Passed {
            auditor: finder,
            is_paid: true,
            has_posted: true,
        });
    }
}
