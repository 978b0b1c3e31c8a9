//! Closes an era: medians first, then scores, a bounded number of nodes per block.

use crate::{
    report::is_probed,
    types::{Closing, Group, Observation, ProbeRecord, Reason, ScoreRecord, Step},
    Authored, Blocks, Close, Config, Event, Matured, Medians, Observations, Out, Pallet,
    ProbeRecords, Sample, Samples, Scores, WeightInfo,
};
use alloc::vec::Vec;
use frame_support::{
    traits::{Get, ValidatorSet},
    weights::WeightMeter,
};
use pallet_edge_traits::{DeviceInfo, DeviceInspect, NodeWalk, StakeInspect};
use selvedge_primitives_math::{probe, ratio, score};
use selvedge_primitives_types::{Account, DeviceId, Planck, Role, Score, StakeId};
use sp_core::crypto::AccountId32;
use sp_runtime::traits::Convert;

/// Nodes of one page: what a close takes on before it looks at the weight again.
const PAGE: u32 = 32;

/// Nodes that a median costs as much as: it sorts up to [`MAX_SAMPLES`](crate::types::MAX_SAMPLES) samples.
const NODES_PER_MEDIAN: u32 = 8;

/// A node that an era says something of.
struct Counted {
    device: DeviceId,
    info: DeviceInfo<AccountId32>,
    /// The stake that the device carried in the last epoch of the era.
    stake: StakeId,
    /// What is staked now.
    amount: Planck,
    /// Whether the device carried it in every epoch of the era.
    is_whole: bool,
    /// What was found of the stake's devices.
    observation: Observation,
}

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
        let Some(node) = Self::counted(closing, role, device) else {
            return;
        };
        let old = Scores::<T>::get(node.stake).unwrap_or_default();
        let (_, usual) = Self::work(closing, &node, &old);
        let Counted {
            info, observation, ..
        } = &node;
        let observed = observation.observed;
        // Who did nothing says nothing about what is usual; a stake that moved, nothing about one place.
        let round_trip = observed.round_trip().filter(|_| node.is_whole);
        let values = [
            (
                Group::Jobs(role, info.region),
                Some(usual).filter(|usual| *usual > 0),
            ),
            (
                Group::Pace(role, info.region),
                observed.pace().map(Into::into),
            ),
            (Group::RoundTrip(info.region), round_trip.map(Into::into)),
        ];
        for (group, value) in values {
            let Some(value) = value else { continue };
            let sample = Sample {
                operator: Account(info.operator.clone().into()),
                value,
                weight: node.amount.try_into().unwrap_or(u64::MAX),
            };
            // Beyond the bound the median is taken over those that came first.
            let _ = Samples::<T>::try_append(group, sample);
        }
    }

    fn score(closing: &mut Closing, role: Role, device: &DeviceId, validators: &[AccountId32]) {
        let Some(node) = Self::counted(closing, role, device) else {
            return;
        };
        let old = Scores::<T>::get(node.stake).unwrap_or_default();
        let record = match role {
            Role::Validator => {
                Self::blocks(closing, device, validators).map(|inputs| ScoreRecord {
                    quality: old.quality,
                    service: score::smooth(old.service, inputs.jobs),
                    ..inputs
                })
            }
            _ => Some(Self::serve(closing, role, &node, old)),
        };
        let Some(record) = record else { return };
        let era = closing.era;
        Scores::<T>::insert(node.stake, ScoreRecord { era, ..record });
        closing.scored = closing.scored.saturating_add(1);
    }

    /// Scores a node that is probed, by its paid work and what was seen of it, and puts it out if it must be.
    fn serve(closing: &Closing, role: Role, node: &Counted, old: ScoreRecord) -> ScoreRecord {
        let region = node.info.region;
        let (jobs_per_stake, usual) = Self::work(closing, node, &old);
        let regional_median = Medians::<T>::get(Group::Jobs(role, region));
        let jobs = score::jobs(usual, regional_median);

        let absent = node.observation.absent;
        let epochs = Self::epochs(closing).try_into().unwrap_or(u32::MAX);
        let observed = node.observation.observed.with_absence(absent, epochs);
        let median_pace = Self::median(Group::Pace(role, region));
        let speed = probe::speed(observed.pace(), median_pace);
        let ok = observed.ok();
        let probes = ProbeRecord {
            era: closing.era,
            observed,
            absent,
            median_pace: median_pace.unwrap_or_default(),
            usual_round_trip: Self::median(Group::RoundTrip(region)).unwrap_or_default(),
            quality: probe::quality(observed.answered(), speed, observed.right()),
            place: Self::place(node),
        };
        ProbeRecords::<T>::insert(node.stake, probes);

        let is_decided = node.is_whole && Self::decide_dispute(closing, &node.device, probes.place);
        if is_decided {
            Self::exclude(node.stake, node.device, Reason::RegionDisproved(region));
        } else if observed.is_unavailable(T::Expected::convert(role), epochs.into()) {
            Self::exclude(node.stake, node.device, Reason::Unavailable);
        }
        ScoreRecord {
            quality: score::smooth(old.quality, probes.quality),
            service: score::smooth(old.service, score::service(ok, jobs, speed)),
            jobs_per_stake,
            usual,
            regional_median,
            jobs,
            ok,
            speed,
            ..Default::default()
        }
    }

    /// What the round trips of an era say about where a device is; of one that carried its stake for a part of it, nothing.
    fn place(node: &Counted) -> probe::Place {
        if !node.is_whole {
            return probe::Place::Unknown;
        }
        probe::place(
            &node.info.region,
            node.observation.observed.round_trip(),
            &node.observation.away,
            |region| Self::median(Group::RoundTrip(*region)),
        )
    }

    fn epochs(closing: &Closing) -> u64 {
        closing.to.next().since(closing.from)
    }

    /// A median of times, which are above zero; `None` when nobody was timed.
    fn median(group: Group) -> Option<u64> {
        let median = Medians::<T>::get(group);
        (median > 0).then(|| median.try_into().unwrap_or(u64::MAX))
    }

    /// The node, if the era says anything of it.
    ///
    /// It says nothing of one that is out; of one that nobody saw, where a granted drain may be why; and of a validator that
    /// drained, or joined in the era.
    fn counted(closing: &Closing, role: Role, device: &DeviceId) -> Option<Counted> {
        let Closing { from, to, .. } = *closing;
        let stake = T::Stakes::stake_at(device, to)?;
        let info = T::Devices::device(device)?;
        if Out::<T>::contains_key(stake) {
            return None;
        }
        let is_whole = T::Stakes::carried_epochs(device, stake, from, to) >= Self::epochs(closing);
        let observation = Observations::<T>::get(closing.period, stake);
        let is_excused = T::Devices::drained(device, from, to);
        let is_counted = match is_probed(role) {
            true => !is_excused || observation.observed.sampled > 0 || observation.absent > 0,
            false => !is_excused && is_whole,
        };
        is_counted.then(|| Counted {
            device: *device,
            info,
            stake,
            amount: T::Stakes::amount_of(stake),
            is_whole,
            observation,
        })
    }

    /// Charges per stake in millionths that matured in the era, and the same smoothed over eras.
    fn work(closing: &Closing, node: &Counted, old: &ScoreRecord) -> (Planck, Planck) {
        let matured = Matured::<T>::get(closing.period, node.stake);
        let value = score::per_stake(matured, node.amount);
        (value, score::usual(old.usual, value))
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
