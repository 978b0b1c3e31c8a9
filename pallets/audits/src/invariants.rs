//! Recomputes what must hold from storage. The numbers are those of the README.

use crate::{
    canary::MAX_SHARE,
    types::{Audit, Stage},
    Audits, CanarySpent, Challenges, ChallengesOf, ClearFrom, Config, Excused, Faults, Frauds,
    HoldReason, Looks, Pallet, Queue, QueueFrom, Suspicions, Votes, Windows,
};
use alloc::{collections::BTreeMap, vec::Vec};
use frame_support::{ensure, traits::fungible::InspectHold};
use pallet_edge_traits::{CommitmentVoid, EpochClock, TakeInspect};
use selvedge_primitives_math::ratio::apply;
use selvedge_primitives_types::{Epoch, Planck};

impl<T: Config> Pallet<T> {
    /// Checks every invariant against the whole storage. For tests, `try_state` and clients.
    pub fn check_invariants() -> Result<(), &'static str> {
        let (from, now) = (ClearFrom::<T>::get(), T::Clock::current());
        for (epoch, gateway, fraud) in Frauds::<T>::iter() {
            ensure!(
                !T::Commitments::is_at_stake(&gateway, epoch),
                "1: a commitment that was proven defective is still at stake"
            );
            ensure!(
                from <= epoch && epoch < now,
                "2: a proof is of an epoch that was cleared or has not ended"
            );
            ensure!(
                fraud.reward <= fraud.taken,
                "3: a reporter got more than was taken"
            );
        }
        for (epoch, gateway, audit) in Audits::<T>::iter() {
            ensure!(
                !audit.is_under_way() || Queue::<T>::contains_key(audit.until, (epoch, gateway)),
                "4: an audit under way is not queued, so it would never end"
            );
            ensure!(
                audit.passed_by_others(),
                "5: an operator passed its own commitment, or one twice"
            );
        }
        for ((epoch, gateway), window, look) in Looks::<T>::iter() {
            ensure!(
                Queue::<T>::contains_key(window.next(), (epoch, gateway)),
                "10: a look at disputed lines is not queued, so it would never end"
            );
            let mut owners: Vec<_> = look.passed.iter().chain(&look.operator).collect();
            owners.sort_unstable();
            ensure!(
                owners.is_sorted_by(|a, b| a < b),
                "5: an operator passed its own commitment, or one twice"
            );
        }
        ensure!(
            Faults::<T>::iter_values().all(|epoch| from <= epoch && epoch < now),
            "11: a fault is of an epoch that was cleared or has not ended"
        );
        for (epoch, gateway, _) in Suspicions::<T>::iter() {
            let audit = Audits::<T>::get(epoch, gateway);
            ensure!(
                audit.is_some_and(|audit| audit.is_waiting()
                    && Queue::<T>::contains_key(audit.until, (epoch, gateway))),
                "12: a defect was shown of an audit that nothing will end, or that was decided"
            );
        }
        ensure!(
            Excused::<T>::iter_keys().all(|(epoch, gateway)| Audits::<T>::contains_key(epoch, gateway))
                && CanarySpent::<T>::get() <= apply(MAX_SHARE, T::Take::take()),
            "13: canaries charge more than their part of the take, or something is excused of nothing"
        );
        Self::check_challenges()?;
        Self::check_windows(now)
    }

    fn check_challenges() -> Result<(), &'static str> {
        let mut open = BTreeMap::<_, (u32, Planck)>::new();
        for (epoch, gateway, challenges) in Challenges::<T>::iter() {
            for challenge in challenges {
                ensure!(
                    Queue::<T>::contains_key(challenge.until, (epoch, gateway)),
                    "6: a challenge is not queued, so it would never end"
                );
                let of_one = open.entry(challenge.challenger).or_default();
                of_one.0 += 1;
                of_one.1 += challenge.bond;
            }
        }
        for (challenger, count) in ChallengesOf::<T>::iter() {
            let (known, bonds) = open.remove(&challenger).unwrap_or_default();
            ensure!(
                known == count,
                "7: the challenges of an account are miscounted"
            );
            let held = T::Currency::balance_on_hold(&HoldReason::LeafChallenge.into(), &challenger);
            ensure!(
                held == bonds,
                "7: what is on hold are not the bonds of open challenges"
            );
        }
        ensure!(
            open.is_empty(),
            "7: the challenges of an account are miscounted"
        );
        Ok(())
    }

    fn check_windows(now: Epoch) -> Result<(), &'static str> {
        for (window, drawn) in Windows::<T>::iter() {
            let owners = drawn.panel.iter().map(|auditor| &auditor.owner);
            ensure!(
                window <= now && owners.is_sorted_by(|a, b| a < b),
                "8: a panel is of a window to come, or names an operator twice"
            );
        }
        let from = QueueFrom::<T>::get();
        ensure!(
            Votes::<T>::iter_keys().all(|(epoch, _)| from <= epoch && epoch <= now),
            "9: a vote is of an epoch that was decided or has not begun"
        );
        ensure!(
            Queue::<T>::iter_keys().all(|(until, _)| from <= until),
            "9: something is queued for an epoch that was decided"
        );
        Ok(())
    }
}

impl Audit {
    fn is_under_way(&self) -> bool {
        matches!(
            self.stage,
            Stage::Voting(_) | Stage::LeavesDue { .. } | Stage::Proven(_)
        )
    }

    /// Whether a defect that was shown may be waiting for its end: votes go on, or it became void for another reason.
    fn is_waiting(&self) -> bool {
        matches!(
            self.stage,
            Stage::Voting(_) | Stage::Proven(_) | Stage::Void
        )
    }

    fn passed_by_others(&self) -> bool {
        let mut owners: Vec<_> = self
            .passed
            .iter()
            .map(|passed| &passed.auditor.owner)
            .collect();
        owners.sort_unstable();
        owners.is_sorted_by(|a, b| a < b)
            && self
                .operator
                .as_ref()
                .is_none_or(|operator| !owners.contains(&operator))
    }
}
