//! Tells a node's off-chain worker what its devices have to do for audits.

use crate::{types::Stage, Audits, Challenges, Config, Pallet, Queue, Votes, Windows};
use alloc::vec::Vec;
use pallet_edge_traits::{AuditDuties, CommitmentVoid, DeviceInspect, EpochClock, HostKeccak};
use selvedge_primitives_math::{
    draw::{leaves, DRAWS},
    duty::{AuditDuty, AuditPhase, LeafDuty, LeafPurpose},
};
use selvedge_primitives_types::{audit::MAX_VERDICTS, DeviceId, Epoch};

impl<T: Config> Pallet<T> {
    /// What an auditor can do about votes that are taken in the epoch `until`; `None` when its time has passed.
    fn phase(auditor: &DeviceId, window: Epoch, round: u8, until: Epoch) -> Option<AuditPhase> {
        let current = T::Clock::current();
        if current < until {
            return Some(AuditPhase::Look);
        }
        let has_voted = Votes::<T>::contains_key(current, (window, round, auditor));
        match (Self::is_second_half(), has_voted) {
            (false, false) => Some(AuditPhase::Vote),
            (false, true) => Some(AuditPhase::Look),
            (true, true) => Some(AuditPhase::Reveal),
            (true, false) => None,
        }
    }

    fn audit_duty(auditor: &DeviceId, gateway: DeviceId, epoch: Epoch) -> Option<AuditDuty> {
        let audit = Audits::<T>::get(epoch, gateway)?;
        let Stage::Voting(round) = audit.stage else {
            return None;
        };
        let window = audit.window;
        let drawn = Windows::<T>::get(window)?;
        let member = drawn.member(auditor)?;
        let is_drawn = drawn
            .drawn(&gateway, epoch, audit.operator.as_ref(), round)
            .contains(&member);
        if !is_drawn {
            return None;
        }
        let commitment = T::Commitments::commitment_of(&gateway, epoch)?;
        Some(AuditDuty {
            window,
            round,
            gateway,
            epoch,
            public_url: T::Devices::device(&gateway)
                .map(|device| device.public_url)
                .unwrap_or_default(),
            sample: leaves::<HostKeccak>(&drawn.seed, &commitment, DRAWS),
            phase: Self::phase(auditor, window, round, audit.until)?,
            commitment,
        })
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
        let mut duties: Vec<_> = Self::pending()
            .into_iter()
            .filter_map(|(epoch, gateway)| Self::audit_duty(device, gateway, epoch))
            .collect();
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
