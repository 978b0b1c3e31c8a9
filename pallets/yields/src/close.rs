//! Closes an era: claims first, since a sub-pool's scale depends on all of them, then grants, a bounded number of nodes
//! per block.

use crate::{
    types::{Claim, Closing, EraBooks, EraEarning, Step},
    Claims, Close, Config, Event, History, LastEra, Matured, Pallet, Period, PeriodStart, Pools,
    WeightInfo,
};
use alloc::vec::Vec;
use frame_support::{
    traits::Get,
    weights::{Weight, WeightMeter},
};
use pallet_edge_traits::{EpochClock, NodeWalk, OnEpoch, OnMatured, ScoreInspect, StakeInspect};
use selvedge_primitives_math::yields::{activity, base, scale_down, YieldTerms};
use selvedge_primitives_types::{DeviceId, Epoch, Planck, Ppm, Role, Score};
use sp_core::crypto::AccountId32;
use sp_runtime::traits::Convert;

/// Nodes of one page: what a close takes on before it looks at the weight again.
const PAGE: u32 = 32;
const DAY_MILLIS: u64 = 24 * 60 * 60 * 1_000;

impl<T: Config> OnMatured for Pallet<T> {
    fn on_matured(device: &DeviceId, _epoch: Epoch, amount: Planck) {
        // Counted in the era in which it matures: the era of the use was closed long before.
        Matured::<T>::mutate(Period::<T>::get(), device, |sum| {
            *sum = sum.saturating_add(amount);
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
                    .for_each(|(device, claim)| Self::pay(closing, device, claim));
            }
            Step::Clear => {
                let rest = Matured::<T>::clear_prefix(closing.period, limit, None);
                return rest.maybe_cursor.is_none();
            }
        }
        false
    }

    /// Notes what a node claims.
    fn note(closing: &mut Closing, role: Role, device: DeviceId) {
        let Some(owner) = T::Stakes::owner_at(&device, closing.to) else {
            return;
        };
        let stake = T::Stakes::stake_of(&device).map_or(0, |(_, amount)| amount);
        let epochs = T::Stakes::active_epochs(&device, role, closing.from, closing.to);
        let millis = epochs.saturating_mul(T::Clock::length().0);
        let matured = Matured::<T>::take(closing.period, device);
        let terms = T::Terms::convert(role);
        let base = base(&terms, stake, T::Scores::quality(&device), millis);
        let activity = match role {
            Role::Validator => Self::authoring(&terms, stake, &device, millis),
            _ => Self::activity(&terms, stake, &device, matured, millis),
        };
        closing.books.claims.add(role, base, activity);
        Claims::<T>::insert(
            device,
            Claim {
                owner,
                role,
                matured,
                base,
                activity,
            },
        );
    }

    fn activity(
        terms: &YieldTerms,
        stake: Planck,
        device: &DeviceId,
        matured: Planck,
        millis: u64,
    ) -> Planck {
        let since = T::Stakes::assigned_since(device).unwrap_or(T::Clock::now());
        let days = T::Clock::now().0.saturating_sub(since.0) / DAY_MILLIS;
        let days = days.try_into().unwrap_or(u32::MAX);
        let boost = Ppm(T::Stakes::boost_of(device));
        activity(
            terms,
            stake,
            T::Scores::service(device),
            days,
            boost,
            matured,
            millis,
        )
    }

    /// The part of a validator's yield that follows its service, at most at full service: together with the base it
    /// stays below the ceiling of its role.
    fn authoring(terms: &YieldTerms, stake: Planck, device: &DeviceId, millis: u64) -> Planck {
        let rest = Ppm(Ppm::ONE.0.saturating_sub(terms.beta.0));
        let service = T::Scores::service(device).min(Score::ONE);
        base(
            &YieldTerms {
                beta: rest,
                ..*terms
            },
            stake,
            service,
            millis,
        )
    }

    /// Grants a claim, scaled down with its sub-pool.
    fn pay(closing: &mut Closing, device: DeviceId, claim: Claim) {
        let EraBooks {
            era,
            emission,
            claims,
            ..
        } = closing.books;
        let Pools {
            validators,
            base,
            activity,
        } = emission;
        let (of_base, of_activity) = match claim.role {
            Role::Validator => (
                (claims.validators, validators),
                (claims.validators, validators),
            ),
            _ => ((claims.base, base), (claims.activity, activity)),
        };
        let base = scale_down(claim.base, of_base.0, of_base.1);
        let activity = scale_down(claim.activity, of_activity.0, of_activity.1);
        closing.books.granted.add(claim.role, base, activity);
        closing.books.nodes = closing.books.nodes.saturating_add(1);
        Self::grant(&claim.owner, base.saturating_add(activity));
        History::<T>::mutate(device, |eras| {
            if eras.is_full() {
                eras.remove(0);
            }
            eras.force_push(EraEarning {
                era,
                matured: claim.matured,
                base,
                activity,
            });
        });
    }
}
