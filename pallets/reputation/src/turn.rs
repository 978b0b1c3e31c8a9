//! Turns from one epoch to the next: finds what the probers of the last one saw together, then enrols those of the new
//! one, a bounded number of nodes per block.
//!
//! ```text
//! epoch begins ─▶ Gather ─▶ Forget ─▶ Enrol ─▶ EnrolRest ─▶ round open: probes are drawn, reports are taken
//! ```
//!
//! A turn that takes longer than an epoch goes on in the next; the epochs it missed have no probes.

use crate::{
    types::{ProbeRound, Turn, TurnStep},
    Config, Enrolled, Observations, Out, Pallet, Period, Reported, Round, Seen, TurnOf, WeightInfo,
};
use alloc::vec::Vec;
use frame_support::{
    traits::Get,
    weights::{Weight, WeightMeter},
    BoundedVec,
};
use pallet_edge_traits::{DeviceInspect, StakeInspect};
use selvedge_primitives_math::probe;
use selvedge_primitives_types::{Account, DeviceId, Epoch, Prober, Role, Sighting};

/// Nodes of one page: what a turn takes on before it looks at the weight again.
const PAGE: u32 = 32;

impl<T: Config> Pallet<T> {
    /// Closes the round of the epoch before; what was seen in it counts for the period that is current now.
    pub(crate) fn begin_turn(ended: Epoch, began: Epoch) -> Weight {
        Round::<T>::kill();
        let turn = TurnOf::<T>::get().unwrap_or(Turn {
            epoch: began,
            seen: ended,
            period: Period::<T>::get(),
            step: TurnStep::Gather,
        });
        let step = match turn.step {
            TurnStep::Gather => TurnStep::Gather,
            _ => TurnStep::Forget,
        };
        Enrolled::<T>::kill();
        TurnOf::<T>::put(Turn {
            epoch: began,
            step,
            ..turn
        });
        T::DbWeight::get().reads_writes(2, 3)
    }

    /// Goes on with the turn under way for as long as the block has room for a page; returns how many nodes the block
    /// may still look at.
    pub(crate) fn turn_some(meter: &mut WeightMeter) -> u32 {
        let mut left = T::NodesPerBlock::get();
        if meter.try_consume(T::DbWeight::get().reads(1)).is_err() {
            return 0;
        }
        let Some(mut turn) = TurnOf::<T>::get() else {
            return left;
        };
        while left > 0 {
            let limit = PAGE.min(left);
            let weight = T::WeightInfo::gather(limit).max(T::WeightInfo::enrol(limit));
            if meter.try_consume(weight).is_err() {
                break;
            }
            left -= limit;
            if Self::advance_turn(&mut turn, limit) {
                TurnOf::<T>::kill();
                return left;
            }
        }
        TurnOf::<T>::put(turn);
        0
    }

    /// Takes one page of the current step; returns whether the round is open.
    pub(crate) fn advance_turn(turn: &mut Turn, limit: u32) -> bool {
        match turn.step {
            TurnStep::Gather => {
                let page: Vec<_> = Seen::<T>::drain().take(limit as usize).collect();
                if page.len() < limit as usize {
                    turn.step = TurnStep::Forget;
                }
                page.into_iter()
                    .for_each(|(device, seen)| Self::gather(turn, &device, &seen));
            }
            TurnStep::Forget => {
                if Reported::<T>::clear(limit, None).maybe_cursor.is_none() {
                    turn.step = TurnStep::Enrol(DeviceId(T::ProbeSeed::get()));
                }
            }
            TurnStep::Enrol(after) => {
                let page = T::Stakes::active_page(Role::Gateway, Some(after), limit);
                turn.step = match page.last() {
                    Some(last) if page.len() == limit as usize => TurnStep::Enrol(*last),
                    _ => TurnStep::EnrolRest(None),
                };
                if Self::enrol(page) {
                    return Self::open(turn.epoch);
                }
            }
            TurnStep::EnrolRest(after) => {
                let page = T::Stakes::active_page(Role::Gateway, after, limit);
                let is_last = page.len() < limit as usize;
                turn.step = TurnStep::EnrolRest(page.last().copied());
                if Self::enrol(page) || is_last {
                    return Self::open(turn.epoch);
                }
            }
        }
        false
    }

    /// Counts what was seen of a node in an epoch, for the stake that it carried in it. Nothing is counted of one that
    /// drained in it or is out.
    fn gather(turn: &Turn, device: &DeviceId, seen: &[Sighting]) {
        let Some(stake) = T::Stakes::stake_at(device, turn.seen) else {
            return;
        };
        if T::Devices::drained(device, turn.seen, turn.seen) || Out::<T>::contains_key(stake) {
            return;
        }
        // Of a device that was retired meanwhile all counts but where it was: its stake may be on another.
        let home = T::Devices::device(device).map(|info| info.region);
        let Some(finding) = probe::find(&home.unwrap_or_default(), seen) else {
            return;
        };
        Observations::<T>::mutate(turn.period, stake, |observation| {
            observation.observed.add(&finding);
            let is_away = |one: &&Sighting| {
                home.is_some_and(|home| one.region != home) && one.round_trip.is_some()
            };
            for sighting in seen.iter().filter(is_away) {
                if observation.away.is_full() {
                    observation.away.remove(0);
                }
                let _ = observation.away.try_push(*sighting);
            }
        });
    }

    /// Adds gateways to the panel; returns whether it is full.
    fn enrol(gateways: Vec<DeviceId>) -> bool {
        Enrolled::<T>::mutate(|panel| {
            for device in gateways {
                let is_known = panel.iter().any(|prober| prober.device == device);
                if let Some(prober) = Self::prober(device).filter(|_| !is_known) {
                    if panel.try_push(prober).is_err() {
                        return true;
                    }
                }
            }
            panel.is_full()
        })
    }

    fn prober(device: DeviceId) -> Option<Prober> {
        let info = T::Devices::device(&device)?;
        let (_, stake) = T::Stakes::stake_of(&device)?;
        let is_fit = !info.draining && stake > 0 && !Self::is_out(&device);
        is_fit.then(|| Prober {
            region: info.region,
            operator: Account(info.operator.into()),
            device,
            weight: stake.try_into().unwrap_or(u64::MAX),
        })
    }

    fn open(epoch: Epoch) -> bool {
        let mut panel = Enrolled::<T>::take().into_inner();
        panel.sort_unstable();
        Round::<T>::put(ProbeRound {
            epoch,
            seed: T::ProbeSeed::get(),
            panel: BoundedVec::truncate_from(panel),
        });
        true
    }
}
