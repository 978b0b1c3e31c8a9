//! What an auditor says on chain: its vote, the same in the open, proofs, and leaves it is asked
//! for.

use super::{
    address,
    gateway::Remote,
    memory::{Rounds, Sealed, Shown, State},
    Auditor,
};
use crate::{
    memory::{Memory, Try},
    Ballot, Config, SubmitAudits, SubmitError, LOG_TARGET,
};
use alloc::{boxed::Box, vec::Vec};
use frame_support::traits::Get;
use pallet_edge_traits::{AuditDuties, AuditRules, DeviceInspect, HostKeccak};
use selvedge_primitives_math::{
    duty::{AuditDuty, AuditPhase, LeafDuty, LeafPurpose},
    fraud::{open_leaf, OpenedLeaf},
};
use selvedge_primitives_types::{audit::MAX_VERDICTS, AuditVerdict};

impl Auditor {
    /// Proves what can be proven, and votes or reveals when it is time.
    pub(super) fn speak<T: Config>(&self, duties: &[AuditDuty], rounds: &mut Rounds) {
        let Some(first) = duties.first() else { return };
        // Sooner, a proof would tell those who have not looked what to vote.
        if matches!(first.phase, AuditPhase::Reveal | AuditPhase::Prove) {
            for duty in duties {
                self.prove::<T>(duty, rounds);
            }
        }
        match first.phase {
            AuditPhase::Look | AuditPhase::Prove => {}
            AuditPhase::Vote => self.vote::<T>(duties, rounds),
            AuditPhase::Reveal => self.reveal::<T>(first, rounds),
        }
        rounds.write();
    }

    fn prove<T: Config>(&self, duty: &AuditDuty, rounds: &mut Rounds) {
        let State::Proven(proof, sent) = &mut rounds.item(duty).state else {
            return;
        };
        if !self.is_due::<T>(*sent) {
            return;
        }
        *sent = Some(self.block);
        let (gateway, epoch) = (duty.gateway, duty.epoch);
        let done = T::SubmitAudits::prove(&self.key, self.device, gateway, epoch, proof.clone());
        self.tell(done, format_args!("the proof against {gateway} in {epoch}"));
    }

    fn vote<T: Config>(&self, duties: &[AuditDuty], rounds: &mut Rounds) {
        let Some(first) = duties.first() else { return };
        if rounds.round(first).sealed(self.clock.epoch).is_none() {
            let is_open = duties.iter().any(|duty| rounds.item(duty).is_open());
            if is_open && !self.is_last_call() {
                return;
            }
            let verdicts = self.verdicts(duties, rounds);
            rounds.round(first).seal(self.clock.epoch, verdicts);
            // Before it is sent: what is voted for is what can be revealed.
            rounds.write();
        }
        let Some(sealed) = rounds.round(first).sealed(self.clock.epoch) else {
            return;
        };
        if self.is_due::<T>(sealed.voted) {
            sealed.voted = Some(self.block);
            let done = T::SubmitAudits::vote(&self.key, self.ballot(first, sealed));
            self.tell(done, format_args!("its vote of window {}", first.window));
        }
    }

    fn reveal<T: Config>(&self, first: &AuditDuty, rounds: &mut Rounds) {
        let Some(sealed) = rounds.round(first).sealed(self.clock.epoch) else {
            let (device, window) = (self.device, first.window);
            log::warn!(target: LOG_TARGET, "{device}: what it voted of window {window} is lost");
            return;
        };
        if self.is_due::<T>(sealed.revealed) {
            sealed.revealed = Some(self.block);
            let done = T::SubmitAudits::reveal(&self.key, self.ballot(first, sealed));
            self.tell(
                done,
                format_args!("what it voted of window {}", first.window),
            );
        }
    }

    /// What is known of each commitment by now.
    fn verdicts(&self, duties: &[AuditDuty], rounds: &mut Rounds) -> Vec<AuditVerdict> {
        let duties = duties.iter().take(MAX_VERDICTS as usize);
        duties
            .map(|duty| {
                let item = rounds.item(duty);
                if item.is_open() {
                    self.log(duty, item, "withheld");
                }
                AuditVerdict {
                    gateway: duty.gateway,
                    epoch: duty.epoch,
                    verdict: item.verdict(),
                }
            })
            .collect()
    }

    fn ballot(&self, duty: &AuditDuty, sealed: &Sealed) -> Ballot {
        Ballot {
            auditor: self.device,
            window: duty.window,
            round: duty.round,
            verdicts: sealed.verdicts.clone(),
            salt: sealed.salt,
        }
    }

    /// Whether three quarters of the time for votes, the first half of an epoch, are over: what was
    /// not shown by then is withheld.
    fn is_last_call(&self) -> bool {
        let elapsed = self.clock.now.0.saturating_sub(self.clock.epoch_start.0);
        elapsed.saturating_mul(8) >= self.clock.epoch_length.0.saturating_mul(3)
    }

    fn is_due<T: Config>(&self, sent: Option<u32>) -> bool {
        sent.is_none_or(|at| at.abs_diff(self.block) >= T::ResubmitAfter::get())
    }

    fn tell(&self, done: Result<(), SubmitError>, what: core::fmt::Arguments<'_>) {
        let device = self.device;
        match done {
            Ok(()) => log::debug!(target: LOG_TARGET, "{device}: sent {what}"),
            Err(error) => log::warn!(target: LOG_TARGET, "{device}: {what} was not sent: {error}"),
        }
    }

    /// Posts leaves that it is asked to show, as one that did not look could not.
    pub(super) fn post_leaves<T: Config>(&self) {
        let mut memory = Memory::read(&self.device, self.block, T::ResubmitAfter::get());
        let due = T::Audits::leaves_due(&self.device);
        for duty in due
            .iter()
            .filter(|duty| duty.purpose == LeafPurpose::Posted)
        {
            let one = Try::Leaf(duty.gateway, duty.epoch, duty.draw);
            if memory.knows(&one) {
                continue;
            }
            memory.note(one);
            let (gateway, epoch) = (duty.gateway, duty.epoch);
            let Some(leaf) = self.leaf_of::<T>(duty) else {
                log::warn!(target: LOG_TARGET, "{gateway} does not show a leaf of {epoch} to be posted");
                continue;
            };
            let done =
                T::SubmitAudits::post_leaf(&self.key, self.device, gateway, epoch, Box::new(leaf));
            self.tell(done, format_args!("a leaf of {gateway} in {epoch}"));
        }
    }

    /// The leaf as it was looked at; else, if that is not remembered, as the gateway shows it now.
    fn leaf_of<T: Config>(&self, duty: &LeafDuty) -> Option<OpenedLeaf> {
        let commitment = T::Audits::commitment(&duty.gateway, duty.epoch)?;
        let shown = Shown::read(&self.device, &commitment).leaves.into_iter();
        let mut of_draw = shown.filter(|(draw, _)| *draw == duty.draw);
        if let Some((_, leaf)) = of_draw.next() {
            return Some(leaf);
        }
        let info = T::Devices::device(&duty.gateway)?;
        let url = address::base(&info.public_url, T::AllowPrivate::get()).ok()?;
        let openings = Remote::new(url, self.deadline)
            .open(duty.epoch, &[duty.draw])
            .ok()?;
        open_leaf::<HostKeccak>(&openings, &commitment, &duty.draw)
    }
}
