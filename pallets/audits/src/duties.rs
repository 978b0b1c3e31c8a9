//! Tells a node's off-chain worker what its devices have to do for audits.

use crate::{
    types::{Look, Stage},
    Audits, Challenges, Config, Looks, Pallet, Queue, Suspicions, Votes, Windows,
};
use alloc::vec::Vec;
use pallet_edge_traits::{AuditDuties, CommitmentVoid, DeviceInspect, EpochClock, HostKeccak};
use selvedge_primitives_math::{
    draw::{leaves, Sample, DISPUTED},
    duty::{AuditDuty, AuditPhase, LeafDuty, LeafPurpose},
};
use selvedge_primitives_types::{audit::MAX_VERDICTS, DeviceId, Epoch, Hash, UsageCommitment};
use sp_runtime::AccountId32;

impl<T: Config> Pallet<T> {
    /// What an auditor can do about votes that are taken in the epoch `until`.
    fn phase(auditor: &DeviceId, window: Epoch, round: u8, until: Epoch) -> AuditPhase {
        let current = T::Clock::current();
        if current < until {
            return AuditPhase::Look;
        }
        let has_voted = Votes::<T>::contains_key(current, (window, round, auditor));
        match (Self::is_second_half(), has_voted) {
            (false, false) => AuditPhase::Vote,
            (false, true) => AuditPhase::Look,
            (true, true) => AuditPhase::Reveal,
            (true, false) => AuditPhase::Prove,
        }
    }

    fn audit_duty(auditor: &DeviceId, gateway: DeviceId, epoch: Epoch) -> Option<AuditDuty> {
        let audit = Audits::<T>::get(epoch, gateway)?;
        let Stage::Voting(round) = audit.stage else {
            return None;
        };
        let seed = Self::seed_for(
            auditor,
            &gateway,
            epoch,
            audit.window,
            audit.operator.as_ref(),
            round,
        )?;
        let commitment = T::Commitments::commitment_of(&gateway, epoch)?;
        let sample = leaves::<HostKeccak>(&seed, &commitment, audit.draws);
        let phase = Self::phase(auditor, audit.window, round, audit.until);
        // Nothing is left to say of it.
        if phase == AuditPhase::Prove && Suspicions::<T>::contains_key(epoch, gateway) {
            return None;
        }
        Some(Self::duty(commitment, audit.window, round, sample, phase))
    }

    /// What an auditor has to look at because its customers dispute it.
    fn look_duties(auditor: &DeviceId, gateway: DeviceId, epoch: Epoch) -> Vec<AuditDuty> {
        let looks = Looks::<T>::iter_prefix((epoch, gateway));
        let duty = |(window, look): (Epoch, Look)| {
            let operator = look.operator.as_ref();
            let seed = Self::seed_for(auditor, &gateway, epoch, window, operator, DISPUTED)?;
            let commitment = T::Commitments::commitment_of(&gateway, epoch)?;
            let sample = Sample::Drawn(look.draws(&seed, &gateway, epoch));
            let phase = Self::phase(auditor, window, DISPUTED, window.next());
            Some(Self::duty(commitment, window, DISPUTED, sample, phase))
        };
        looks.filter_map(duty).collect()
    }

    /// What the leaves are drawn by, if the auditor was drawn too.
    fn seed_for(
        auditor: &DeviceId,
        gateway: &DeviceId,
        epoch: Epoch,
        window: Epoch,
        operator: Option<&AccountId32>,
        round: u8,
    ) -> Option<Hash> {
        let drawn = Windows::<T>::get(window)?;
        let member = drawn.member(auditor)?;
        let auditors = drawn.drawn(gateway, epoch, operator, round);
        auditors.contains(&member).then_some(drawn.seed)
    }

    fn duty(
        commitment: UsageCommitment,
        window: Epoch,
        round: u8,
        sample: Sample,
        phase: AuditPhase,
    ) -> AuditDuty {
        let UsageCommitment { gateway, epoch, .. } = commitment;
        let device = T::Devices::device(&gateway);
        AuditDuty {
            window,
            round,
            gateway,
            epoch,
            public_url: device.map(|device| device.public_url).unwrap_or_default(),
            sample,
            phase,
            commitment,
        }
    }

    fn leaves_of_gateway(gateway: DeviceId, epoch: Epoch) -> Vec<LeafDuty> {
        let current = T::Clock::current();
        let Some(commitment) = T::Commitments::commitment_of(&gateway, epoch) else {
            return Vec::new();
        };
        let duty = |draw, purpose, until| LeafDuty {
            gateway,
            epoch,
            draw,
            purpose,
            until,
        };
        let mut duties = Vec::new();
        if let Some(audit) = Audits::<T>::get(epoch, gateway) {
            let owed = Self::owed(&audit, &commitment).into_iter();
            let owed = owed.filter(|(_, is_shown)| !is_shown && audit.until >= current);
            duties.extend(owed.map(|(draw, _)| duty(draw, LeafPurpose::Owed, audit.until)));
        }
        let challenges = Challenges::<T>::get(epoch, gateway).into_iter();
        let open = challenges.filter(|challenge| challenge.until >= current);
        duties.extend(open.map(|one| duty(one.draw, LeafPurpose::Challenged, one.until)));
        duties
    }

    fn leaf_of_auditor(auditor: &DeviceId, gateway: DeviceId, epoch: Epoch) -> Option<LeafDuty> {
        let draw = Self::owed_post(auditor, &gateway, epoch).ok()?;
        Some(LeafDuty {
            gateway,
            epoch,
            draw,
            purpose: LeafPurpose::Posted,
            until: Audits::<T>::get(epoch, gateway)?.until,
        })
    }

    /// Commitments that something is decided about when the current epoch or the next ends.
    fn pending() -> Vec<(Epoch, DeviceId)> {
        let current = T::Clock::current();
        let mut pending: Vec<_> = [current, current.next()]
            .into_iter()
            .flat_map(Queue::<T>::iter_key_prefix)
            .collect();
        pending.sort_unstable();
        pending.dedup();
        pending
    }
}

impl<T: Config> AuditDuties for Pallet<T> {
    fn audits(device: &DeviceId) -> Vec<AuditDuty> {
        let place = |duty: &AuditDuty| (duty.window, duty.round, duty.gateway, duty.epoch);
        let mut duties = Vec::new();
        for (epoch, gateway) in Self::pending() {
            duties.extend(Self::audit_duty(device, gateway, epoch));
            duties.extend(Self::look_duties(device, gateway, epoch));
        }
        duties.sort_unstable_by_key(place);
        duties
            .chunk_by(|a, b| (a.window, a.round) == (b.window, b.round))
            .flat_map(|of_vote| of_vote.iter().take(MAX_VERDICTS as usize).cloned())
            .collect()
    }

    fn leaves_due(device: &DeviceId) -> Vec<LeafDuty> {
        let pending = Self::pending();
        let own = pending.iter().filter(|(_, gateway)| gateway == device);
        let mut duties: Vec<_> = own
            .flat_map(|(epoch, gateway)| Self::leaves_of_gateway(*gateway, *epoch))
            .collect();
        let posts = pending.into_iter();
        duties.extend(
            posts.filter_map(|(epoch, gateway)| Self::leaf_of_auditor(device, gateway, epoch)),
        );
        duties
    }
}
