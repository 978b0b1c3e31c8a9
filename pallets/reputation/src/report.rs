//! Takes the reports of probers: who was drawn, what they may say and when.

use crate::{
    types::{ProbeRound, Probes, PROBERS},
    Config, Error, Event, Pallet, Reported, Round, Seen,
};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::{
    ensure,
    pallet_prelude::{InvalidTransaction, TransactionValidityWithRefund, ValidTransaction},
    traits::Get,
    weights::Weight,
};
use pallet_edge_traits::{
    genesis_hash, is_signed_by_agent, is_signed_by_device, DeviceInfo, DeviceInspect, EpochClock,
    ProbeDuties, StakeInspect,
};
use selvedge_primitives_math::probe::{self, tally, Probed};
use selvedge_primitives_types::{
    probe::MAX_PROBES, Account, DeviceId, Domain, Epoch, Hash, Probe, ProbeAnswerPayload,
    ProbeReport, Prober, Role, Signature64,
};
use sp_core::crypto::AccountId32;

/// Priority of a report in the pool: below every transaction that pays.
const REPORT_PRIORITY: u64 = 1_000;
/// Blocks a report may wait in the pool; the driver sends it again after that.
const REPORT_LONGEVITY: u64 = 32;

impl<MaxProbers: Get<u32>> ProbeRound<MaxProbers> {
    /// The probers drawn for a node.
    pub fn drawn(&self, node: &Probed) -> Vec<Prober> {
        let places = probe::draw(
            &self.digest(&node.device),
            node,
            &self.panel,
            PROBERS as usize,
        );
        places.into_iter().map(|place| self.panel[place]).collect()
    }

    fn digest(&self, device: &DeviceId) -> Hash {
        sp_io::hashing::blake2_256(&(self.seed, self.epoch, device).encode())
    }
}

impl<T: Config> Pallet<T> {
    /// The nodes that a device was drawn to probe in the current epoch, in their order, at most [`MAX_PROBES`]; none
    /// while no round is open. It draws for every active node, so it is for off-chain workers alone.
    pub fn duty_of(prober: &DeviceId) -> Vec<DeviceId> {
        let current = T::Clock::current();
        let Some(round) = Round::<T>::get().filter(|round| round.epoch == current) else {
            return Vec::new();
        };
        if !round.panel.iter().any(|one| one.device == *prober) {
            return Vec::new();
        }
        let roles = Role::ALL.into_iter().filter(|role| is_probed(*role));
        let is_mine = |device: &DeviceId| {
            let info = T::Devices::device(device).filter(|info| !info.draining);
            let info = info.filter(|_| !Self::is_out(device));
            info.is_some_and(|info| {
                let drawn = round.drawn(&probed(*device, &info));
                drawn.iter().any(|one| one.device == *prober)
            })
        };
        let mut mine: Vec<_> = roles
            .flat_map(|role| T::Stakes::active_devices(role, u32::MAX))
            .filter(is_mine)
            .collect();
        // Of more than a report holds, the seed chooses.
        mine.sort_unstable_by_key(|device| round.digest(device));
        mine.truncate(MAX_PROBES as usize);
        mine.sort_unstable();
        mine
    }

    /// Checks everything about a report but its signatures; returns the prober.
    pub(crate) fn check_report(
        prober: &DeviceId,
        epoch: Epoch,
        probes: &[Probe],
    ) -> Result<Prober, Error<T>> {
        let now = T::Clock::current();
        ensure!(epoch >= now, Error::<T>::TooLate);
        ensure!(epoch == now, Error::<T>::TooEarly);
        ensure!(
            2 * T::Clock::elapsed().0 >= T::Clock::length().0,
            Error::<T>::TooEarly
        );
        ensure!(
            !Reported::<T>::contains_key(prober),
            Error::<T>::AlreadyReported
        );
        let is_sorted = probes
            .windows(2)
            .all(|pair| pair[0].probed < pair[1].probed);
        ensure!(is_sorted && !probes.is_empty(), Error::<T>::Malformed);
        // The round is the largest item, so it is read last.
        let round = Round::<T>::get().filter(|round| round.epoch == epoch);
        let round = round.ok_or(Error::<T>::NotOpen)?;
        let own = round.panel.iter().find(|one| one.device == *prober);
        let own = *own.ok_or(Error::<T>::NotDrawn)?;
        for probe in probes {
            let info = T::Devices::device(&probe.probed).ok_or(Error::<T>::NotDrawn)?;
            let is_node = is_probed(info.role)
                && T::Stakes::is_active(&probe.probed, info.role, epoch)
                && round.drawn(&probed(probe.probed, &info)).contains(&own);
            ensure!(is_node, Error::<T>::NotDrawn);
        }
        Ok(own)
    }

    /// Whether a report is its prober's, and every answer in it the probed device's.
    fn is_signed(
        prober: &DeviceId,
        epoch: Epoch,
        probes: &[Probe],
        signature: &Signature64,
    ) -> bool {
        let Some(info) = T::Devices::device(prober) else {
            return false;
        };
        let genesis = genesis_hash::<T>();
        let report = ProbeReport {
            prober: *prober,
            epoch,
            probes: probes.to_vec(),
        };
        let (agent, domain) = (&info.agent_key, Domain::ProbeReport);
        let is_reported = is_signed_by_agent(&genesis, agent, domain, &report, signature);
        is_reported
            && probes.iter().all(|probe| {
                let Some(answer) = probe.answer else {
                    return true;
                };
                let payload = ProbeAnswerPayload {
                    prober: *prober,
                    probed: probe.probed,
                    epoch,
                    nonce: answer.nonce,
                };
                let (device, domain) = (&probe.probed, Domain::ProbeAnswer);
                is_signed_by_device(&genesis, device, domain, &payload, &answer.signature)
            })
    }

    /// Decides whether a report may enter the pool and a block: state first, the signatures last.
    pub(crate) fn authorize_report(
        prober: &DeviceId,
        epoch: Epoch,
        probes: &Probes,
        signature: &Signature64,
    ) -> TransactionValidityWithRefund {
        Self::check_report(prober, epoch, probes).map_err(|error| match error {
            Error::<T>::TooEarly | Error::<T>::NotOpen => InvalidTransaction::Future,
            Error::<T>::TooLate | Error::<T>::AlreadyReported => InvalidTransaction::Stale,
            Error::<T>::NotDrawn => InvalidTransaction::BadSigner,
            _ => InvalidTransaction::Call,
        })?;
        if !Self::is_signed(prober, epoch, probes, signature) {
            return Err(InvalidTransaction::BadProof.into());
        }
        ValidTransaction::with_tag_prefix("SelvedgeProbes")
            .priority(REPORT_PRIORITY)
            .and_provides((prober, epoch))
            .longevity(REPORT_LONGEVITY)
            .propagate(true)
            .build()
            .map(|valid| (valid, Weight::zero()))
    }

    /// Notes what a prober saw.
    pub(crate) fn count_report(own: Prober, epoch: Epoch, probes: &Probes) {
        for probe in probes {
            // Every prober reports once and at most as many as there is room for are drawn.
            let _ = Seen::<T>::try_append(probe.probed, tally::sighting(&own, probe));
        }
        Reported::<T>::insert(own.device, ());
        Self::deposit_event(Event::Probed {
            prober: own.device,
            epoch,
            nodes: probes.len() as u32,
        });
    }
}

impl<T: Config> ProbeDuties for Pallet<T> {
    fn duty(device: &DeviceId) -> Vec<DeviceId> {
        match Reported::<T>::contains_key(device) {
            true => Vec::new(),
            false => Self::duty_of(device),
        }
    }
}

/// Whether nodes of the role are probed. A validator is scored by the blocks it authors.
pub(crate) fn is_probed(role: Role) -> bool {
    role != Role::Validator
}

fn probed(device: DeviceId, info: &DeviceInfo<AccountId32>) -> Probed {
    Probed {
        device,
        operator: Account(info.operator.clone().into()),
        region: info.region,
    }
}
