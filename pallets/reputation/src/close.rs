//! Closes an era: medians first, then scores, a bounded number of nodes per block.

use crate::{
    types::{Closing, Group, Observation, ProbeRecord, Reason, ScoreRecord, Step},
    Authored, Blocks, Close, Config, Event, Matured, Medians, Observations, Pallet, ProbeRecords,
    Sample, Samples, Scores, WeightInfo,
};
use alloc::vec::Vec;
use frame_support::{
    traits::{Get, ValidatorSet},
    weights::WeightMeter,
};
use pallet_edge_traits::{DeviceInfo, DeviceInspect, NodeWalk, StakeInspect};
use selvedge_primitives_math::{
    probe::{self, Observed},
    ratio, score,
};
use selvedge_primitives_types::{Account, DeviceId, Planck, Region, Role, Score};
use sp_core::crypto::AccountId32;
use sp_runtime::traits::Convert;

/// Nodes of one page: what a close takes on before it looks at the weight again.
const PAGE: u32 = 32;

/// Nodes that a median costs as much as: it sorts up to [`MAX_SAMPLES`](crate::types::MAX_SAMPLES) samples.
const NODES_PER_MEDIAN: u32 = 8;

impl<T: Config> Pallet<T> {
    /// Goes on with the close under way for as long as the block has room for a page, with at most `most` nodes.
    pub(crate) fn close_some(meter: &mut WeightMeter, most: u32) {
        if most == 0 {
            return;
        }
        let read = T::DbWeight::get().reads(1);
        if meter.try_consume(read).is_err() {
            return;
        }
        let Some(mut closing) = Close::<T>::get() else {
            return;
        };
        let mut nodes = 0;
        while nodes < most {
            let limit = PAGE.min(most - nodes);
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
                    closing.step = Step::Median;
                }
            }
            Step::Median => {
                let count = limit.div_ceil(NODES_PER_MEDIAN) as usize;
                let groups: Vec<_> = Samples::<T>::drain().take(count).collect();
                if groups.len() < count {
                    closing.step = Step::Score(NodeWalk::default());
                }
                for (group, samples) in groups {
                    let samples: Vec<_> = samples.into_iter().map(Into::into).collect();
                    let median = score::weighted_median(&samples).unwrap_or_default();
                    Medians::<T>::insert(group, median);
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
        let (jobs, weight) = Self::work(closing, device);
        let observed = Observations::<T>::get(closing.period, device).observed;
        let values = [
            (Group::Jobs(role, info.region), Some(jobs)),
            (
                Group::Pace(role, info.region),
                observed.pace().map(Into::into),
            ),
            (
                Group::RoundTrip(info.region),
                observed.round_trip().map(Into::into),
            ),
        ];
        for (group, value) in values {
            let Some(value) = value else { continue };
            let sample = Sample {
                operator: Account(info.operator.clone().into()),
                value,
                weight,
            };
            // Beyond the bound the median is taken over those that came first.
            let _ = Samples::<T>::try_append(group, sample);
        }
    }

    fn score(closing: &mut Closing, role: Role, device: &DeviceId, validators: &[AccountId32]) {
        let Some(info) = Self::counted(closing, role, device) else {
            return;
        };
        let old = Scores::<T>::get(device).unwrap_or_default();
        let record = match role {
            Role::Validator => {
                Self::blocks(closing, device, validators).map(|inputs| ScoreRecord {
                    quality: old.quality,
                    service: score::smooth(old.service, inputs.jobs),
                    ..inputs
                })
            }
            _ => Some(Self::serve(closing, role, &info, device, old)),
        };
        let Some(record) = record else { return };
        let era = closing.era;
        Scores::<T>::insert(device, ScoreRecord { era, ..record });
        closing.scored = closing.scored.saturating_add(1);
    }

    /// Scores a node that is probed, by its paid work and what was seen of it, and puts it out if it must be.
    fn serve(
        closing: &Closing,
        role: Role,
        info: &DeviceInfo<AccountId32>,
        device: &DeviceId,
        old: ScoreRecord,
    ) -> ScoreRecord {
        let (jobs_per_stake, _) = Self::work(closing, device);
        let regional_median = Medians::<T>::get(Group::Jobs(role, info.region));
        let jobs = score::jobs(jobs_per_stake, regional_median);

        let observation = Observations::<T>::get(closing.period, device);
        let observed = observation.observed;
        let median_pace = Self::median(Group::Pace(role, info.region));
        let speed = probe::speed(observed.pace(), median_pace);
        let ok = observed.ok();
        let probes = Self::probes(closing, info, &observation, median_pace, speed);
        ProbeRecords::<T>::insert(device, probes);

        if Self::decide_dispute(closing, device, probes.place) {
            Self::exclude(*device, Reason::RegionDisproved(info.region));
        } else if Self::is_unavailable(closing, role, &observed) {
            Self::exclude(*device, Reason::Unavailable);
        }
        ScoreRecord {
            quality: score::smooth(old.quality, probes.quality),
            service: score::smooth(old.service, score::service(ok, jobs, speed)),
            jobs_per_stake,
            regional_median,
            jobs,
            ok,
            speed,
            ..Default::default()
        }
    }

    fn probes(
        closing: &Closing,
        info: &DeviceInfo<AccountId32>,
        observation: &Observation,
        median_pace: Option<u64>,
        speed: Score,
    ) -> ProbeRecord {
        let observed = observation.observed;
        let usual = |region: &Region| Self::median(Group::RoundTrip(*region));
        ProbeRecord {
            era: closing.era,
            observed,
            median_pace: median_pace.unwrap_or_default(),
            usual_round_trip: usual(&info.region).unwrap_or_default(),
            quality: probe::quality(observed.answered(), speed, observed.right()),
            place: probe::place(
                &info.region,
                observed.round_trip(),
                &observation.away,
                usual,
            ),
        }
    }

    fn is_unavailable(closing: &Closing, role: Role, observed: &Observed) -> bool {
        let epochs = closing.to.next().since(closing.from);
        observed.is_unavailable(T::Expected::convert(role), epochs)
    }

    /// A median of times, which are above zero; `None` when nobody was timed.
    fn median(group: Group) -> Option<u64> {
        let median = Medians::<T>::get(group);
        (median > 0).then(|| median.try_into().unwrap_or(u64::MAX))
    }

    /// The device, if it was active for the whole era, does not drain and is not out.
    fn counted(
        closing: &Closing,
        role: Role,
        device: &DeviceId,
    ) -> Option<DeviceInfo<AccountId32>> {
        let Closing { from, to, .. } = closing;
        let active = T::Stakes::active_epochs(device, role, *from, *to);
        let info = T::Devices::device(device)?;
        let is_counted = active > to.since(*from) && !info.draining && !Self::is_out(device);
        is_counted.then_some(info)
    }

    /// Matured charges per stake in millionths, and the stake.
    fn work(closing: &Closing, device: &DeviceId) -> (Planck, u64) {
        let stake = T::Stakes::stake_of(device).map_or(0, |(_, amount)| amount);
        let matured = Matured::<T>::get(closing.period, device);
        let value = ratio::mul_div(matured, Score::ONE.0.into(), stake).unwrap_or_default();
        (value, stake.try_into().unwrap_or(u64::MAX))
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
            && Observations::<T>::clear_prefix(period, limit, None)
                .maybe_cursor
                .is_none()
            && Medians::<T>::clear(limit, None).maybe_cursor.is_none()
    }
}
