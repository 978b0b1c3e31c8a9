//! Closes an era: claims first, since a sub-pool's scale depends on all of them, then grants, a bounded number of nodes
//! per block.

use crate::{
    types::{Basis, Brought, Claim, Closing, EraBooks, EraEarning, Step, MAX_ERAS},
    Claims, Close, Config, Event, History, LastEra, Matured, Pallet, Period, PeriodStart,
    WeightInfo,
};
use alloc::vec::Vec;
use core::cmp::Reverse;
use frame_support::{
    traits::Get,
    weights::{Weight, WeightMeter},
};
use pallet_edge_traits::{EpochClock, NodeWalk, OnEpoch, OnMatured, ScoreInspect, StakeInspect};
use selvedge_primitives_math::yields::{activity, base, scale, scale_down};
use selvedge_primitives_types::{DeviceId, Epoch, Era, Planck, Ppm, Role, Score, StakeId};
use sp_core::crypto::AccountId32;
use sp_runtime::traits::Convert;

/// Nodes of one page: what a close takes on before it looks at the weight again.
const PAGE: u32 = 32;
const DAY_MILLIS: u64 = 24 * 60 * 60 * 1_000;

impl<T: Config> OnMatured for Pallet<T> {
    fn on_matured(device: &DeviceId, epoch: Epoch, amount: Planck, returnable: Planck) {
        let Some(stake) = T::Stakes::stake_at(device, epoch) else {
            return;
        };
        // Counted in the era in which it matures: the era of the use was closed long before. By the rates of now: those
        // that divide the charge, whatever a referendum changes before the era is closed.
        Matured::<T>::mutate(Period::<T>::get(), stake, |sum| {
            sum.amount = sum.amount.saturating_add(amount);
            sum.returnable = sum.returnable.saturating_add(returnable);
        });
    }
}

impl<T: Config> OnEpoch for Pallet<T> {
    fn on_epoch(ended: Epoch, began: Epoch) -> Weight {
        let era = T::Clock::era_of(ended);
        if era == T::Clock::era_of(began) || Close::<T>::exists() {
            return T::DbWeight::get().reads(2);
        }
        let period = Period::<T>::get();
        Period::<T>::put(period.wrapping_add(1));
        let from = PeriodStart::<T>::get();
        PeriodStart::<T>::put(began);
        let elapsed = T::Clock::start_of(began)
            .0
            .saturating_sub(T::Clock::start_of(from).0);
        let (claims, granted) = Default::default();
        let books = EraBooks {
            era,
            emission: Self::emission(elapsed),
            claims,
            granted,
            nodes: 0,
        };
        let step = Step::Claim(NodeWalk::default());
        Close::<T>::put(Closing {
            period,
            from,
            to: ended,
            step,
            books,
        });
        Weight::from_parts(20_000_000, 4_000).saturating_add(T::DbWeight::get().reads_writes(12, 3))
    }
}

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
        // An era is paid by its own scores.
        if meter.try_consume(read).is_err() || T::Scores::is_pending() {
            return;
        }
        let mut nodes = 0;
        while nodes < T::NodesPerBlock::get() {
            let limit = PAGE.min(T::NodesPerBlock::get() - nodes);
            let page = T::WeightInfo::claims(limit).max(T::WeightInfo::grants(limit));
            if meter.try_consume(page).is_err() {
                break;
            }
            nodes += limit;
            if Self::advance(&mut closing, limit) {
                Close::<T>::kill();
                return Self::finish(closing.books);
            }
        }
        Close::<T>::put(closing);
    }

    fn finish(books: EraBooks) {
        LastEra::<T>::put(books);
        Self::deposit_event(Event::EraPaid {
            era: books.era,
            emission: books.emission.total(),
            granted: books.granted.total(),
            nodes: books.nodes,
        });
    }

    /// Takes one page of the current step; returns whether the close is done.
    pub(crate) fn advance(closing: &mut Closing, limit: u32) -> bool {
        match &mut closing.step {
            Step::Claim(walk) => {
                let page = walk.page::<AccountId32, T::Stakes>(limit);
                let is_done = walk.is_done();
                page.into_iter()
                    .for_each(|(role, device)| Self::note(closing, role, device));
                if is_done {
                    closing.step = Step::Grant;
                }
            }
            Step::Grant => {
                let page: Vec<_> = Claims::<T>::drain().take(limit as usize).collect();
                if page.is_empty() {
                    closing.step = Step::Clear;
                }
                page.into_iter()
                    .for_each(|(stake, claim)| Self::pay(closing, stake, claim));
            }
            Step::Clear => {
                let rest = Matured::<T>::clear_prefix(closing.period, limit, None);
                return rest.maybe_cursor.is_none();
            }
        }
        false
    }

    /// Notes what the stake of a node claims.
    fn note(closing: &mut Closing, role: Role, device: DeviceId) {
        let Closing {
            from, to, period, ..
        } = *closing;
        let stake = T::Stakes::stake_at(&device, to);
        let (Some(stake), Some(owner)) = (stake, T::Stakes::owner_at(&device, to)) else {
            return;
        };
        let epochs = T::Stakes::carried_epochs(&device, stake, from, to);
        let millis = epochs.saturating_mul(T::Clock::length().0);
        let brought = Matured::<T>::take(period, stake);
        let basis = Self::basis(role, device, stake, millis, brought);
        closing.books.claims.add(role, basis.base, basis.activity());
        Claims::<T>::insert(stake, Claim { owner, basis });
    }

    fn basis(role: Role, device: DeviceId, stake: StakeId, millis: u64, brought: Brought) -> Basis {
        let terms = T::Terms::convert(role);
        let amount = T::Stakes::amount_of(stake);
        let (quality, service) = (T::Scores::quality(stake), T::Scores::service(stake));
        let tenure_days = Self::tenure(&device);
        let boost = Ppm(T::Stakes::boost_of(stake));
        let allowed = match role {
            // At most at full service, without tenure and boost: with its base it stays below the ceiling of its role.
            Role::Validator => {
                activity(&terms, amount, service.min(Score::ONE), 0, Ppm::ONE, millis)
            }
            _ => activity(&terms, amount, service, tenure_days, boost, millis),
        };
        Basis {
            device,
            role,
            stake: amount,
            millis,
            apr: terms.apr,
            beta: terms.beta,
            quality,
            service,
            tenure_days,
            boost,
            brought,
            base: base(&terms, amount, quality, millis),
            allowed,
        }
    }

    fn tenure(device: &DeviceId) -> u32 {
        let now = T::Clock::now();
        let since = T::Stakes::assigned_since(device).unwrap_or(now);
        let days = now.0.saturating_sub(since.0) / DAY_MILLIS;
        days.try_into().unwrap_or(u32::MAX)
    }

    /// Grants a claim, scaled down with its sub-pool.
    fn pay(closing: &mut Closing, stake: StakeId, claim: Claim) {
        let basis = claim.basis;
        let (base_pool, activity_pool) = closing.books.emission.of(basis.role);
        let (base_claims, activity_claims) = closing.books.claims.of(basis.role);
        let base = scale_down(basis.base, base_claims, base_pool);
        let activity = scale_down(basis.activity(), activity_claims, activity_pool);
        closing.books.granted.add(basis.role, base, activity);
        closing.books.nodes = closing.books.nodes.saturating_add(1);
        Self::grant(&claim.owner, base.saturating_add(activity));
        let era = closing.books.era;
        let earning = EraEarning {
            era,
            base,
            activity,
            basis,
            base_scale: scale(base_claims, base_pool),
            activity_scale: scale(activity_claims, activity_pool),
        };
        History::<T>::insert(stake, slot(era), earning);
    }

    /// What a stake earned in its last eras, newest first, at most 84.
    pub fn earnings_of(stake: StakeId) -> Vec<EraEarning> {
        let mut eras: Vec<_> = History::<T>::iter_prefix_values(stake).collect();
        eras.sort_unstable_by_key(|earning| Reverse(earning.era));
        eras
    }
}

/// Where an era's earning is kept: what was earned [`MAX_ERAS`] eras before gives its place to it.
pub(crate) fn slot(era: Era) -> u32 {
    (era.0 % u64::from(MAX_ERAS)) as u32
}
