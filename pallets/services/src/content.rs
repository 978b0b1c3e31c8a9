//! Pins content, moves the pointers at it, and keeps what the pins came to in the epochs that claims
//! may still be about.

use crate::{
    types::{Content, Kept, KeptHistory, Move, Moves, Pinned, MAX_MOVES},
    Config, Contents, Error, Event, KeptBytes, Pallet, PinCount,
};
use frame_support::{ensure, traits::Get};
use frame_system::pallet_prelude::BlockNumberFor;
use pallet_edge_traits::EpochClock;
use selvedge_primitives_types::{ContentRef, Epoch, Hash, Pin, PinInvalid, ServiceId};
use sp_runtime::DispatchResult;

/// Bytes that pins kept at any moment of an epoch, in all places together.
pub(crate) fn most_in(history: &[Kept], epoch: Epoch) -> u64 {
    match history.iter().rev().find(|kept| kept.from <= epoch) {
        Some(kept) if kept.from == epoch => kept.most,
        Some(kept) => kept.last,
        None => 0,
    }
}

/// Notes that pins come to `total` bytes from now on, `more` of which are new.
///
/// Whatever was added in an epoch counts for all of it, and so does what was taken away: somebody
/// may have kept either. What only answers for epochs before `horizon` is forgotten first. Returns
/// `false` when the history is full.
pub(crate) fn note(
    history: &mut KeptHistory,
    now: Epoch,
    horizon: Epoch,
    total: u64,
    more: u64,
) -> bool {
    if let Some(latest) = history.last_mut().filter(|latest| latest.from == now) {
        latest.most = latest.most.saturating_add(more);
        latest.last = total;
        return true;
    }
    let before = history.last().map(|latest| latest.last).unwrap_or_default();
    if let Some(oldest) = history.iter().rposition(|kept| kept.from <= horizon) {
        history.drain(..oldest);
    }
    let kept = Kept {
        from: now,
        most: before.saturating_add(more),
        last: total,
    };
    history.try_push(kept).is_ok()
}

/// Moves a pointer and forgets its oldest move when there is no room; returns the new version.
fn push<BlockNumber>(
    moves: &mut Moves<BlockNumber>,
    root: Option<Hash>,
    epoch: Epoch,
    block: BlockNumber,
) -> u32 {
    let version = moves
        .last()
        .map(|latest| latest.version)
        .unwrap_or_default()
        .saturating_add(1);
    let mut all = core::mem::take(moves).into_inner();
    if all.len() >= MAX_MOVES as usize {
        all.remove(0);
    }
    all.push(Move {
        version,
        root,
        epoch,
        block,
    });
    *moves = Moves::truncate_from(all);
    version
}

/// What a service points at.
#[derive(Clone, Copy)]
pub(crate) enum Pointer {
    Site,
    Rules,
}

impl Pointer {
    fn moves<BlockNumber>(self, content: &mut Content<BlockNumber>) -> &mut Moves<BlockNumber> {
        match self {
            Self::Site => &mut content.site,
            Self::Rules => &mut content.rules,
        }
    }

    fn ensure_fits<T: Config>(self, content: &ContentRef) -> Result<(), Error<T>> {
        match self {
            Self::Site => ensure!(content.is_site(), Error::<T>::NotADirectory),
            Self::Rules => ensure!(content.is_rules(), Error::<T>::RulesInvalid),
        }
        Ok(())
    }

    fn event<T: Config>(self, service: ServiceId, root: Option<Hash>, version: u32) -> Event<T> {
        match self {
            Self::Site => Event::SiteSet {
                service,
                root,
                version,
            },
            Self::Rules => Event::RulesSet {
                service,
                root,
                version,
            },
        }
    }
}

impl<T: Config> Pallet<T> {
    pub(crate) fn do_pin(who: T::AccountId, service: ServiceId, pin: Pin) -> DispatchResult {
        Self::owned_by(service, &who)?;
        pin.check().map_err(|invalid| match invalid {
            PinInvalid::Factor => Error::<T>::FactorInvalid,
            PinInvalid::Length => Error::<T>::LengthInvalid,
            PinInvalid::Bytes => Error::<T>::BytesInvalid,
        })?;
        let mut content = Contents::<T>::get(service);
        let before = match content.position(&pin.content.root) {
            Ok(place) => {
                let old = &mut content.pins[place].pin;
                ensure!(old.content == pin.content, Error::<T>::PinnedOtherwise);
                ensure!(*old != pin, Error::<T>::Unchanged);
                core::mem::replace(old, pin).kept()
            }
            Err(place) => {
                let deposit = T::PinDeposit::get();
                let pinned = Pinned {
                    pin,
                    deposit,
                    epoch: T::Clock::current(),
                    block: frame_system::Pallet::<T>::block_number(),
                };
                let count = PinCount::<T>::get();
                ensure!(!content.pins.is_full(), Error::<T>::TooManyPins);
                ensure!(count < T::MaxPins::get(), Error::<T>::NetworkFull);
                content
                    .pins
                    .try_insert(place, pinned)
                    .map_err(|_| Error::<T>::TooManyPins)?;
                PinCount::<T>::put(count.saturating_add(1));
                Self::hold(&who, deposit)?;
                0
            }
        };
        let more = pin.kept().saturating_sub(before);
        Self::store_content(service, content, more)?;
        Self::deposit_event(Event::ContentPinned { service, pin });
        Ok(())
    }

    pub(crate) fn do_unpin(who: T::AccountId, service: ServiceId, root: Hash) -> DispatchResult {
        Self::owned_by(service, &who)?;
        let mut content = Contents::<T>::get(service);
        let place = content.position(&root).map_err(|_| Error::<T>::NotPinned)?;
        let is_target = |moves: &Moves<BlockNumberFor<T>>| {
            moves.last().is_some_and(|latest| latest.root == Some(root))
        };
        ensure!(
            !is_target(&content.site) && !is_target(&content.rules),
            Error::<T>::StillPointedAt
        );
        let pinned = content.pins.remove(place);
        PinCount::<T>::mutate(|count| *count = count.saturating_sub(1));
        Self::release(&who, pinned.deposit)?;
        Self::store_content(service, content, 0)?;
        Self::deposit_event(Event::ContentUnpinned { service, root });
        Ok(())
    }

    pub(crate) fn do_point(
        who: T::AccountId,
        service: ServiceId,
        pointer: Pointer,
        root: Option<Hash>,
    ) -> DispatchResult {
        Self::owned_by(service, &who)?;
        let mut content = Contents::<T>::get(service);
        if let Some(root) = &root {
            let target = content.pinned(root).ok_or(Error::<T>::NotPinned)?;
            pointer.ensure_fits::<T>(&target)?;
        }
        let moves = pointer.moves(&mut content);
        let current = moves.last().and_then(|latest| latest.root);
        ensure!(current != root, Error::<T>::Unchanged);
        let block = frame_system::Pallet::<T>::block_number();
        let version = push(moves, root, T::Clock::current(), block);
        Contents::<T>::insert(service, content);
        Self::deposit_event(pointer.event(service, root, version));
        Ok(())
    }

    /// Stores content whose pins changed, `more` bytes of which are new.
    fn store_content(
        service: ServiceId,
        content: Content<BlockNumberFor<T>>,
        more: u64,
    ) -> DispatchResult {
        let now = T::Clock::current();
        let horizon = now.minus(T::HistoryDepth::get());
        KeptBytes::<T>::try_mutate(service, |history| {
            note(history, now, horizon, content.kept(), more)
                .then_some(())
                .ok_or(Error::<T>::TooManyChanges)
        })?;
        Contents::<T>::insert(service, content);
        Ok(())
    }

    /// Forgets the content of a service that is removed; returns what was held for it.
    pub(crate) fn forget_content(service: ServiceId) -> u128 {
        let content = Contents::<T>::take(service);
        KeptBytes::<T>::remove(service);
        PinCount::<T>::mutate(|count| *count = count.saturating_sub(content.pins.len() as u32));
        content.held()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(from: u64, most: u64, last: u64) -> Kept {
        Kept {
            from: Epoch(from),
            most,
            last,
        }
    }

    fn history(list: &[Kept]) -> KeptHistory {
        list.to_vec().try_into().unwrap()
    }

    #[test]
    fn what_was_kept_holds_until_pins_change() {
        let history = history(&[kept(3, 10, 10), kept(7, 40, 30)]);
        for (epoch, most) in [(2, 0), (3, 10), (6, 10), (7, 40), (8, 30), (99, 30)] {
            assert_eq!(most_in(&history, Epoch(epoch)), most, "epoch {epoch}");
        }
    }

    #[test]
    fn all_that_stood_in_an_epoch_counts_for_it() {
        let mut list = history(&[kept(1, 10, 10)]);
        let now = Epoch(4);
        assert!(note(&mut list, now, Epoch(0), 30, 20));
        assert!(note(&mut list, now, Epoch(0), 20, 0));
        assert!(note(&mut list, now, Epoch(0), 25, 5));
        assert_eq!(list.to_vec(), [kept(1, 10, 10), kept(4, 35, 25)]);
    }

    #[test]
    fn forgetting_keeps_what_answers_for_the_horizon() {
        let mut list = history(&[kept(1, 1, 1), kept(2, 2, 2), kept(6, 3, 3)]);
        assert!(note(&mut list, Epoch(9), Epoch(5), 4, 1));
        assert_eq!(list.to_vec(), [kept(2, 2, 2), kept(6, 3, 3), kept(9, 4, 4)]);
    }

    #[test]
    fn a_full_history_takes_no_more() {
        let all: alloc::vec::Vec<_> = (0..256).map(|n| kept(n, n, n)).collect();
        let mut list = history(&all);
        assert!(!note(&mut list, Epoch(300), Epoch(0), 9, 0));
        assert!(note(&mut list, Epoch(300), Epoch(1), 9, 0));
    }

    #[test]
    fn a_pointer_remembers_its_latest_moves() {
        let mut moves = Moves::<u64>::default();
        for n in 1..=40u32 {
            let root = (n % 2 == 0).then_some([n as u8; 32]);
            assert_eq!(push(&mut moves, root, Epoch(1), 1), n);
        }
        assert_eq!((moves.len(), moves[0].version), (32, 9));
        assert_eq!(moves.last().map(|latest| latest.root), Some(Some([40; 32])));
    }
}
