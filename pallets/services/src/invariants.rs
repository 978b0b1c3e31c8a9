//! Recomputes the numbered invariants of the README from storage.

use crate::{
    types::{Content, Moves},
    Config, Contents, History, HoldReason, KeptBytes, LatestPrices, NextId, Owned, Pallet,
    PinCount, PriceLists, ProvenHosts, Services, Unproven,
};
use alloc::collections::BTreeMap;
use frame_support::{ensure, traits::fungible::InspectHold};
use frame_system::pallet_prelude::BlockNumberFor;
use pallet_edge_traits::EpochClock;
use selvedge_primitives_types::{ContentRef, Planck, ServiceId};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
    /// Checks every invariant; the error names the first one that is broken.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        Self::check_owners()?;
        Self::check_hosts()?;
        Self::check_terms()?;
        Self::check_prices()?;
        Self::check_content()
    }

    fn check_owners() -> Result<(), TryRuntimeError> {
        let mut held: BTreeMap<T::AccountId, Planck> = BTreeMap::new();
        let mut services = 0usize;
        for (id, record) in Services::<T>::iter() {
            services += 1;
            ensure!(
                id < NextId::<T>::get(),
                "invariant 1: a service has an id never given out"
            );
            let listed = Owned::<T>::get(&record.owner)
                .iter()
                .filter(|one| **one == id)
                .count();
            ensure!(
                listed == 1,
                "invariant 1: a service is not listed once under its owner"
            );
            let sum = held.entry(record.owner.clone()).or_default();
            let pins = Contents::<T>::get(id).held();
            *sum = sum.saturating_add(record.held()).saturating_add(pins);
        }
        let listed: usize = Owned::<T>::iter().map(|(_, list)| list.len()).sum();
        ensure!(
            listed == services,
            "invariant 1: an owner lists a service that is gone"
        );
        for (owner, sum) in held {
            let on_hold = T::Currency::balance_on_hold(&HoldReason::Deposit.into(), &owner);
            ensure!(
                on_hold == sum,
                "invariant 2: the hold differs from the deposits"
            );
        }
        Ok(())
    }

    fn check_hosts() -> Result<(), TryRuntimeError> {
        for (id, record) in Services::<T>::iter() {
            for host in &record.hosts {
                let proven = ProvenHosts::<T>::get(&host.name) == Some(id);
                let unproven = Unproven::<T>::contains_key(id, &host.name);
                ensure!(
                    proven != unproven,
                    "invariant 3: a host is not proven or unproven"
                );
            }
        }
        let lists = |id, name: &[u8]| {
            Services::<T>::get(id).is_some_and(|record| record.position(name).is_some())
        };
        for (name, id) in ProvenHosts::<T>::iter() {
            ensure!(
                lists(id, &name),
                "invariant 3: a proven host belongs to no service"
            );
        }
        for (id, name, _) in Unproven::<T>::iter() {
            ensure!(
                lists(id, &name),
                "invariant 3: an unproven host belongs to no service"
            );
        }
        Ok(())
    }

    fn check_terms() -> Result<(), TryRuntimeError> {
        let next = T::Clock::current().next();
        for id in Services::<T>::iter_keys() {
            let history = History::<T>::get(id);
            ensure!(!history.is_empty(), "invariant 4: a service has no terms");
            for pair in history.windows(2) {
                ensure!(
                    pair[0].from < pair[1].from,
                    "invariant 4: terms are out of order"
                );
                ensure!(
                    !pair[0].same_as(&pair[1]),
                    "invariant 4: a change changes nothing"
                );
            }
            for terms in &history {
                ensure!(
                    terms.from <= next,
                    "invariant 4: terms begin after the next epoch"
                );
                ensure!(terms.cap > 0, "invariant 4: a cap is zero");
                let list = PriceLists::<T>::get(terms.price_version);
                ensure!(
                    list.is_some_and(|list| list.effective <= terms.from),
                    "invariant 4: a pinned price list is not in force"
                );
            }
        }
        for id in History::<T>::iter_keys() {
            ensure!(
                Services::<T>::contains_key(id),
                "invariant 4: terms of no service"
            );
        }
        Ok(())
    }

    fn check_prices() -> Result<(), TryRuntimeError> {
        let latest = LatestPrices::<T>::get();
        let count = PriceLists::<T>::iter_keys().count();
        let known = (1..=latest).all(PriceLists::<T>::contains_key);
        ensure!(
            known && count == latest as usize,
            "invariant 5: price lists have a gap"
        );
        Ok(())
    }

    fn check_content() -> Result<(), TryRuntimeError> {
        let mut pins = 0usize;
        for (id, content) in Contents::<T>::iter() {
            ensure!(
                Services::<T>::contains_key(id),
                "invariant 6: content of no service"
            );
            pins += content.pins.len();
            Self::check_pins(&content)?;
            Self::check_moves(&content, &content.site, ContentRef::is_site)?;
            Self::check_moves(&content, &content.rules, ContentRef::is_rules)?;
            Self::check_kept(id, content.kept())?;
        }
        ensure!(
            PinCount::<T>::get() as usize == pins,
            "invariant 6: the count of pins is wrong"
        );
        for id in KeptBytes::<T>::iter_keys() {
            ensure!(
                Contents::<T>::contains_key(id),
                "invariant 8: bytes are kept of no content"
            );
        }
        Ok(())
    }

    fn check_pins(content: &Content<BlockNumberFor<T>>) -> Result<(), TryRuntimeError> {
        for pair in content.pins.windows(2) {
            ensure!(
                pair[0].pin.content.root < pair[1].pin.content.root,
                "invariant 6: pins are out of order"
            );
        }
        ensure!(
            content.pins.iter().all(|one| one.pin.check().is_ok()),
            "invariant 6: a pin is of what nobody could keep"
        );
        Ok(())
    }

    fn check_moves(
        content: &Content<BlockNumberFor<T>>,
        moves: &Moves<BlockNumberFor<T>>,
        fits: impl Fn(&ContentRef) -> bool,
    ) -> Result<(), TryRuntimeError> {
        for pair in moves.windows(2) {
            ensure!(
                pair[1].version == pair[0].version.saturating_add(1),
                "invariant 7: versions have a gap"
            );
            ensure!(
                pair[1].root != pair[0].root,
                "invariant 7: a move goes nowhere"
            );
        }
        if moves.last().is_some_and(|latest| latest.root.is_some()) {
            ensure!(
                content.target(moves).is_some_and(|target| fits(&target)),
                "invariant 7: what is in use is not pinned, or of another kind"
            );
        }
        Ok(())
    }

    fn check_kept(id: ServiceId, kept: u64) -> Result<(), TryRuntimeError> {
        let history = KeptBytes::<T>::get(id);
        let last = history.last().map(|latest| latest.last).unwrap_or_default();
        ensure!(
            last == kept,
            "invariant 8: what is kept differs from the pins"
        );
        for pair in history.windows(2) {
            ensure!(
                pair[0].from < pair[1].from,
                "invariant 8: what was kept is out of order"
            );
        }
        let now = T::Clock::current();
        ensure!(
            history
                .iter()
                .all(|one| one.from <= now && one.last <= one.most),
            "invariant 8: more is kept at the end of an epoch than in it, or later than now"
        );
        Ok(())
    }
}
