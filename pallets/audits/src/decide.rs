//! Ends the stages of audits: when the epoch that one lasts until is over, a bounded number per block.
//!
//! ```text
//! Voting(0) ──short──▶ Voting(1) ──short──▶ LeavesDue ──not all──▶ Void, slashed, retired
//!   │ └── quorum ──────┬───┴── quorum ──▶ Accepted ◀── all, held back twice as long
//!   └─ defect shown ───┴▶ Proven ──▶ Void, slashed; or, of a canary, Accepted
//! ```

use crate::{
    types::{Audit, Stage},
    Audits, Config, Event, Fines, Pallet, Queue, QueueFrom, Votes, WeightInfo, Windows,
};
use frame_support::{
    defensive,
    storage::{with_transaction, TransactionOutcome},
    traits::Get,
    weights::WeightMeter,
};
use pallet_edge_traits::{CommitmentVoid, EpochClock, Slashed, StakeRetire, StakeSlash};
use selvedge_primitives_math::draw::{quorum, LEAVES_ON_CHAIN};
use selvedge_primitives_types::{DeviceId, Epoch};
use sp_runtime::{AccountId32, DispatchError};

/// Stages that a block ends at most.
const PER_BLOCK: u32 = 64;
/// Votes that were never revealed and are forgotten in one step.
const VOTES_PER_STEP: u32 = 64;

/// Audits whose fee an auditor loses when it does not post a leaf: as many as one in which it is asked for one.
pub(crate) const FINE: u32 = selvedge_primitives_math::draw::POST_ONE_IN;

/// Every leaf that a gateway owes was shown: one bit for each.
pub(crate) const ALL_SHOWN: u8 = u8::MAX;
const _: () = assert!(LEAVES_ON_CHAIN == u8::BITS);

impl<T: Config> Pallet<T> {
    /// Ends what has to be ended, for as long as the block has room.
    pub(crate) fn end_stages(meter: &mut WeightMeter) {
        if meter
            .try_consume(T::DbWeight::get().reads_writes(2, 1))
            .is_err()
        {
            return;
        }
        let current = T::Clock::current();
        let before = QueueFrom::<T>::get();
        let mut from = before;
        for _ in 0..PER_BLOCK {
            if from >= current || meter.try_consume(T::WeightInfo::end_stage()).is_err() {
                break;
            }
            match Queue::<T>::drain_prefix(from).next() {
                Some(((epoch, gateway), ())) => Self::end_stage(from, gateway, epoch),
                None => {
                    let cleared = Votes::<T>::clear_prefix(from, VOTES_PER_STEP, None);
                    if cleared.maybe_cursor.is_none() {
                        from = from.next();
                    }
                }
            }
        }
        if from != before {
            QueueFrom::<T>::put(from);
        }
    }

    /// Has a commitment looked at when an epoch is over.
    pub(crate) fn queue(until: Epoch, gateway: &DeviceId, epoch: Epoch) {
        Queue::<T>::insert(until, (epoch, gateway), ());
    }

    /// The next epoch of which most is still to come.
    pub(crate) fn coming_epoch() -> Epoch {
        let current = T::Clock::current();
        match T::Clock::is_closed(current) {
            true => current.next(),
            false => current,
        }
    }

    pub(crate) fn end_stage(ended: Epoch, gateway: DeviceId, epoch: Epoch) {
        Self::end_looks(ended, &gateway, epoch);
        Self::end_challenges(ended, &gateway, epoch);
        if Self::end_suspicion(ended, gateway, epoch) {
            return;
        }
        let Some(mut audit) = Audits::<T>::get(epoch, gateway) else {
            return;
        };
        if audit.until != ended {
            return;
        }
        match audit.stage {
            Stage::Voting(round) => Self::count_votes(&mut audit, round, &gateway, epoch),
            Stage::LeavesDue { .. } => {
                audit.stage = Stage::Void;
                Self::punish(&gateway, epoch, None);
            }
            Stage::Accepted { .. } => Self::fine_silent(&mut audit, &gateway, epoch),
            // Of what was shown one knows by now.
            Stage::Open | Stage::Void | Stage::Proven(_) => return,
        }
        Audits::<T>::insert(epoch, gateway, audit);
    }

    fn count_votes(audit: &mut Audit, round: u8, gateway: &DeviceId, epoch: Epoch) {
        let drawn = Windows::<T>::get(audit.window);
        let auditors = drawn
            .as_ref()
            .and_then(|drawn| drawn.auditors(audit.operator.as_ref(), round));
        let (Some(drawn), Some(auditors)) = (drawn, auditors) else {
            // Nobody was drawn, so nobody could look: challenges alone are open.
            return Self::accept(audit, 2, gateway, epoch);
        };
        if audit.passed.len() as u32 >= quorum(auditors) {
            return Self::accept(audit, 1, gateway, epoch);
        }
        audit.passed.clear();
        audit.until = Self::coming_epoch();
        if round == 0 {
            audit.stage = Stage::Voting(1);
            Self::deposit_event(Event::AuditorsRedrawn {
                gateway: *gateway,
                epoch,
                until: audit.until,
            });
        } else {
            // Drawn by newer randomness than the auditors' leaves: who hid those cannot know that these miss.
            let newer = Windows::<T>::get(audit.until.minus(1));
            let seed = newer.map_or(drawn.seed, |newer| newer.seed);
            audit.stage = Stage::LeavesDue { seed, shown: 0 };
            Self::deposit_event(Event::LeavesDemanded {
                gateway: *gateway,
                epoch,
                until: audit.until,
            });
        }
        Self::queue(audit.until, gateway, epoch);
    }

    /// Lets a commitment be charged, and settles who is paid for it.
    pub(crate) fn accept(audit: &mut Audit, hold_backs: u8, gateway: &DeviceId, epoch: Epoch) {
        for passed in audit.passed.iter_mut() {
            passed.is_paid = !Self::serves_fine(&passed.auditor.owner);
        }
        audit.stage = Stage::Accepted { hold_backs };
        if !audit.passed.is_empty() {
            // A later seed than any auditor could know when it revealed names who has to post a leaf.
            audit.until = T::Clock::current().next();
            Self::queue(audit.until, gateway, epoch);
        }
        Self::deposit_event(Event::CommitmentAccepted {
            gateway: *gateway,
            epoch,
            auditors: audit.passed.len() as u32,
            hold_backs,
        });
    }

    /// Takes one audit off what an operator was fined, if it was.
    fn serves_fine(owner: &AccountId32) -> bool {
        Fines::<T>::mutate_exists(owner, |left| {
            let fined = left.take();
            *left = fined.map(|left| left - 1).filter(|left| *left > 0);
            fined.is_some()
        })
    }

    /// Voids a commitment whose leaves were due and did not come: its gateway loses a part of its stake, or as much as it
    /// claimed, whichever is more, and serves no more until its stake is assigned anew.
    pub(crate) fn punish(gateway: &DeviceId, epoch: Epoch, challenger: Option<&AccountId32>) {
        // Ended otherwise meanwhile, so nothing was due any more.
        if !T::Commitments::is_at_stake(gateway, epoch) {
            return;
        }
        let Some(commitment) = T::Commitments::commitment_of(gateway, epoch) else {
            return;
        };
        let slashed = with_transaction(|| {
            if let Err(error) = T::Commitments::withhold(gateway, epoch) {
                return TransactionOutcome::Rollback(Err::<Slashed, DispatchError>(error));
            }
            let (part, amount) = (T::WithheldSlash::get(), commitment.customers.sum.amount);
            let slashed = T::Slash::slash_at_least(gateway, epoch, part, amount, challenger);
            T::Slash::retire(gateway, epoch);
            TransactionOutcome::Commit(Ok(slashed))
        });
        let Ok(Slashed { taken, reward }) = slashed else {
            defensive!("a commitment at stake can be voided");
            return;
        };
        Self::note_fault(gateway, epoch);
        Self::deposit_event(Event::LeavesWithheld {
            gateway: *gateway,
            epoch,
            challenger: challenger.cloned(),
            taken,
            reward,
        });
    }
}
