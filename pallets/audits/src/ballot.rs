//! Takes votes and reveals: who was drawn, what it may say and when.
//!
//! A vote is of a window and a round and covers all commitments that the auditor was drawn for in them; it is given in the
//! first half of an epoch and revealed in the second. Those of the first round are taken in the epoch after the window's.

use crate::{
    agent::seal,
    types::{Audit, Auditor, Passed, Stage, Verdicts, Window},
    Audits, Config, Error, Event, Looks, Pallet, Votes, Windows,
};
use alloc::vec::Vec;
use frame_support::ensure;
use pallet_edge_traits::EpochClock;
use selvedge_primitives_math::draw::DISPUTED;
use selvedge_primitives_types::{AuditVerdict, DeviceId, Epoch, Hash, Verdict};

/// Epochs after its window in which the last redraw of it can be voted on. Where blocks were few, decisions come late.
pub(crate) const LAST_REDRAW: u64 = 5;

impl<T: Config> Pallet<T> {
    /// The epoch in which votes of a window's round are taken, if it is this one.
    fn ensure_is_turn(window: Epoch, round: u8) -> Result<Epoch, Error<T>> {
        let (first, last) = match round {
            0 | DISPUTED => (window.next(), window.next()),
            1 => (window.plus(2), window.plus(LAST_REDRAW)),
            _ => return Err(Error::<T>::NotDrawn),
        };
        let current = T::Clock::current();
        ensure!(current >= first, Error::<T>::TooEarly);
        ensure!(current <= last, Error::<T>::TooLate);
        Ok(current)
    }

    pub(crate) fn is_second_half() -> bool {
        2 * T::Clock::elapsed().0 >= T::Clock::length().0
    }

    pub(crate) fn ensure_may_vote(
        auditor: &DeviceId,
        window: Epoch,
        round: u8,
    ) -> Result<(), Error<T>> {
        let current = Self::ensure_is_turn(window, round)?;
        ensure!(!Self::is_second_half(), Error::<T>::TooLate);
        ensure!(
            !Votes::<T>::contains_key(current, (window, round, auditor)),
            Error::<T>::AlreadyVoted
        );
        let drawn = Windows::<T>::get(window).ok_or(Error::<T>::NotUnderAudit)?;
        ensure!(drawn.member(auditor).is_some(), Error::<T>::NotDrawn);
        Ok(())
    }

    pub(crate) fn do_vote(
        auditor: DeviceId,
        window: Epoch,
        round: u8,
        seal: Hash,
    ) -> Result<(), Error<T>> {
        Self::ensure_may_vote(&auditor, window, round)?;
        Votes::<T>::insert(T::Clock::current(), (window, round, auditor), seal);
        Self::deposit_event(Event::Voted {
            auditor,
            window,
            round,
        });
        Ok(())
    }

    /// Checks everything about a reveal but its signature; returns who speaks.
    pub(crate) fn ensure_may_reveal(
        auditor: &DeviceId,
        window: Epoch,
        round: u8,
        verdicts: &Verdicts,
        salt: &Hash,
    ) -> Result<Auditor, Error<T>> {
        let current = Self::ensure_is_turn(window, round)?;
        ensure!(Self::is_second_half(), Error::<T>::TooEarly);
        let vote = Votes::<T>::get(current, (window, round, auditor));
        let vote = vote.ok_or(Error::<T>::NotVoted)?;
        ensure!(vote == seal(verdicts, salt), Error::<T>::OtherVote);
        let is_sorted = verdicts
            .windows(2)
            .all(|pair| pair[0].position() < pair[1].position());
        ensure!(is_sorted, Error::<T>::Malformed);
        let drawn = Windows::<T>::get(window).ok_or(Error::<T>::NotUnderAudit)?;
        let member = drawn.member(auditor).ok_or(Error::<T>::NotDrawn)?;
        for verdict in verdicts {
            Self::ensure_drawn(&drawn, member, verdict, window, round)?;
        }
        Ok(member.clone())
    }

    /// What became of the commitment since the vote is no reason to refuse: the auditor could not know it.
    fn ensure_drawn(
        drawn: &Window<T::MaxPanel>,
        member: &Auditor,
        verdict: &AuditVerdict,
        window: Epoch,
        round: u8,
    ) -> Result<(), Error<T>> {
        let AuditVerdict { gateway, epoch, .. } = verdict;
        let operator = match round {
            DISPUTED => Looks::<T>::get((epoch, gateway), window).map(|look| look.operator),
            _ => Audits::<T>::get(epoch, gateway)
                .filter(|audit| audit.window == window)
                .map(|audit| audit.operator),
        };
        let operator = operator.ok_or(Error::<T>::NotDrawn)?;
        let is_drawn = drawn
            .drawn(gateway, *epoch, operator.as_ref(), round)
            .contains(&member);
        is_drawn.then_some(()).ok_or(Error::<T>::NotDrawn)
    }

    pub(crate) fn do_reveal(
        auditor: DeviceId,
        window: Epoch,
        round: u8,
        verdicts: Verdicts,
        salt: &Hash,
    ) -> Result<(), Error<T>> {
        let member = Self::ensure_may_reveal(&auditor, window, round, &verdicts, salt)?;
        let current = T::Clock::current();
        Votes::<T>::remove(current, (window, round, auditor));
        let mut passed = 0;
        for AuditVerdict {
            gateway,
            epoch,
            verdict,
        } in &verdicts
        {
            if !matches!(verdict, Verdict::Ok { .. }) {
                continue;
            }
            if round == DISPUTED {
                Looks::<T>::mutate((epoch, gateway), window, |look| {
                    let look = look.as_mut();
                    let is_room =
                        look.map(|look| look.passed.try_push(member.owner.clone()).is_ok());
                    passed += u32::from(is_room == Some(true));
                });
                continue;
            }
            Audits::<T>::mutate(epoch, gateway, |audit| {
                let Some(audit) = audit
                    .as_mut()
                    .filter(|audit| audit.votes_in(current, round))
                else {
                    return;
                };
                let passing = Passed {
                    auditor: member.clone(),
                    is_paid: false,
                    has_posted: false,
                };
                // Everybody reveals once, and no more are drawn than there is room for.
                passed += u32::from(audit.passed.try_push(passing).is_ok());
            });
        }
        Self::deposit_event(Event::Revealed {
            auditor,
            window,
            round,
            verdicts: verdicts.len() as u32,
            passed,
        });
        Ok(())
    }

    /// The member that a device speaks for, if it was drawn for a commitment that is under audit, or to look at disputed
    /// lines of it.
    pub(crate) fn drawn_auditor(
        auditor: &DeviceId,
        gateway: &DeviceId,
        epoch: Epoch,
    ) -> Result<Auditor, Error<T>> {
        let audit = Audits::<T>::get(epoch, gateway).ok_or(Error::<T>::UnknownCommitment)?;
        let mut rounds: Vec<_> = Looks::<T>::iter_key_prefix((epoch, gateway))
            .map(|window| (window, DISPUTED))
            .collect();
        if let Stage::Voting(last) | Stage::Proven(last) = audit.stage {
            rounds.extend((0..=last).map(|round| (audit.window, round)));
        }
        ensure!(!rounds.is_empty(), Error::<T>::NotUnderAudit);
        for (window, round) in rounds {
            let Some(drawn) = Windows::<T>::get(window) else {
                continue;
            };
            let auditors = drawn.drawn(gateway, epoch, audit.operator.as_ref(), round);
            let mut speaking = auditors.into_iter();
            if let Some(member) = speaking.find(|member| member.device == *auditor) {
                return Ok(member.clone());
            }
        }
        Err(Error::<T>::NotDrawn)
    }
}

impl Audit {
    /// Whether votes of this round about it are taken in the epoch.
    pub(crate) fn votes_in(&self, epoch: Epoch, round: u8) -> bool {
        self.stage == Stage::Voting(round) && self.until == epoch
    }
}
