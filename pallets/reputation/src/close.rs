//! Closes an era: medians first, then scores, a bounded number of nodes per block.

use crate::{
    types::{Closing, ScoreRecord, Step},
    Authored, Blocks, Close, Config, Event, Matured, Medians, Pallet, Sample, Samples, Scores,
    WeightInfo,
};
use alloc::vec::Vec;
use frame_support::{
    traits::{Get, ValidatorSet},
    weights::WeightMeter,
};
use pallet_edge_traits::{DeviceInfo, DeviceInspect, NodeWalk, StakeInspect};
use selvedge_primitives_math::{ratio, score};
use selvedge_primitives_types::{Account, DeviceId, Planck, Region, Role, Score};
use sp_core::crypto::AccountId32;

/// Nodes of one page: what a close takes on before it looks at the weight again.
const PAGE: u32 = 32;

impl<T: Config> Pallet<T> {
    /// Goes on with the close under way for as long as the block has room for a page.
    pub(crate) fn close_some(meter: &mut WeightMeter) {
        let read = T::DbWeight::get().reads(1);
        if meter.try_consume(read).is_err() {
            return;
        }
        let Some(mut closing) = Close::<T>::get() else {
            return;
        };
        let mut nodes = 0;
        while nodes < T::NodesPerBlock::get() {
            let limit = PAGE.min(T::NodesPerBlock::get() - nodes);
            if meter.try_consume(T::WeightInfo::page(limit)).is_err() {
                break;
            }
            nodes += limit;
            if Self::advance(&mut closing, limit) {
                Close::<T>::kill();
                let Closing { era, scored, .. } = closing;
                Self::deposit_event(Event::EraScored { era, nodes: scored });
                return;
            }
        }
        Close::<T>::put(closing);
    }

    /// Takes one page of the current step; returns whether the close is done.
    pub(crate) fn advance(closing: &mut Closing, limit: u32) -> bool {
        match &mut closing.step {
            Step::Sample(walk) => {
                let page = walk.page::<AccountId32, T::Stakes>(limit);
                let is_done = walk.is_done();
                page.into_iter()
                    .for_each(|(role, device)| Self::sample(closing, role, &device));
                if is_done {
                    closing.step = Step::Score(NodeWalk::default());
                }
            }
            Step::Score(walk) => {
                let page = walk.page::<AccountId32, T::Stakes>(limit);
                let is_done = walk.is_done();
                let validators = match page.first() {
                    Some((Role::Validator, _)) => T::Validators::validators(),
                    _ => Vec::new(),
                };
                for (role, device) in page {
                    Self::score(closing, role, &device, &validators);
                }
                if is_done {
                    closing.step = Step::Clear;
                }
            }
            Step::Clear => return Self::clear(closing, limit),
        }
        false
    }

    fn sample(closing: &Closing, role: Role, device: &DeviceId) {
        if role == Role::Validator {
            return;
        }
        let Some(info) = Self::counted(closing, role, device) else {
            return;
        };
        let (value, weight) = Self::work(closing, device);
        let sample = Sample {
            operator: Account(info.operator.into()),
            value,
            weight,
        };
        // Beyond the bound the median is taken over those that came first.
        let _ = Samples::<T>::try_append((role, info.region), sample);
    }

    fn score(closing: &mut Closing, role: Role, device: &DeviceId, validators: &[AccountId32]) {
        let Some(info) = Self::counted(closing, role, device) else {
            return;
        };
        let old = Scores::<T>::get(device).unwrap_or_default();
        let inputs = match role {
            Role::Validator => Self::blocks(closing, device, validators),
            _ => Some(Self::jobs(closing, role, info.region, device)),
        };
        let Some(inputs) = inputs else { return };
        let service = match role {
            Role::Validator => inputs.jobs,
            _ => score::service(inputs.ok, inputs.jobs, inputs.speed),
        };
        let record = ScoreRecord {
            quality: old.quality,
            service: score::smooth(old.service, service),
            era: closing.era,
            ..inputs
        };
        Scores::<T>::insert(device, record);
        closing.scored = closing.scored.saturating_add(1);
    }

    /// The device, if it was active for the whole era and does not drain.
    fn counted(
        closing: &Closing,
        role: Role,
        device: &DeviceId,
    ) -> Option<DeviceInfo<AccountId32>> {
        let Closing { from, to, .. } = closing;
        let active = T::Stakes::active_epochs(device, role, *from, *to);
        let info = T::Devices::device(device)?;
        (active > to.since(*from) && !info.draining).then_some(info)
    }

    /// Matured charges per stake in millionths, and the stake.
    fn work(closing: &Closing, device: &DeviceId) -> (Planck, u64) {
        let stake = T::Stakes::stake_of(device).map_or(0, |(_, amount)| amount);
        let matured = Matured::<T>::get(closing.period, device);
        let value = ratio::mul_div(matured, Score::ONE.0.into(), stake).unwrap_or_default();
        (value, stake.try_into().unwrap_or(u64::MAX))
    }

    fn jobs(closing: &Closing, role: Role, region: Region, device: &DeviceId) -> ScoreRecord {
        let (jobs_per_stake, _) = Self::work(closing, device);
        let regional_median = Self::median(role, region);
        let jobs = score::jobs(jobs_per_stake, regional_median);
        ScoreRecord {
            jobs_per_stake,
            regional_median,
            jobs,
            ..Default::default()
        }
    }

    fn median(role: Role, region: Region) -> Planck {
        if let Some(median) = Medians::<T>::get((role, region)) {
            return median;
        }
        let samples: Vec<_> = Samples::<T>::take((role, region))
            .into_iter()
            .map(Into::into)
            .collect();
        let median = score::weighted_median(&samples).unwrap_or_default();
        Medians::<T>::insert((role, region), median);
        median
    }

    /// Blocks authored over expected; `None` for a validator outside the set.
    fn blocks(
        closing: &Closing,
        device: &DeviceId,
        validators: &[AccountId32],
    ) -> Option<ScoreRecord> {
        let account = AccountId32::from(device.0);
        if !validators.contains(&account) {
            return None;
        }
        let size = validators.len() as u32;
        let blocks = Blocks::<T>::get(closing.period);
        let authored = Authored::<T>::get(closing.period, device);
        let scaled = u128::from(authored) * u128::from(size);
        let ratio = ratio::mul_div(scaled, Score::ONE.0.into(), blocks.into());
        let jobs = ratio.map_or(Score::ONE, |ratio| {
            Score(ratio.min(Score::MAX.0.into()) as u32)
        });
        let blocks = Some((authored, blocks / size));
        Some(ScoreRecord {
            jobs,
            blocks,
            ..Default::default()
        })
    }

    fn clear(closing: &Closing, limit: u32) -> bool {
        let period = closing.period;
        Blocks::<T>::remove(period);
        Matured::<T>::clear_prefix(period, limit, None)
            .maybe_cursor
            .is_none()
            && Authored::<T>::clear_prefix(period, limit, None)
                .maybe_cursor
                .is_none()
            && Medians::<T>::clear(limit, None).maybe_cursor.is_none()
            && Samples::<T>::clear(limit, None).maybe_cursor.is_none()
    }
}
