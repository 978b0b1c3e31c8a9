use super::*;
use crate::{
    mock::{MaxPins, PinDeposit},
    types::MAX_KEPT,
    KeptBytes,
};
use pallet_edge_traits::ServiceInspect;
use selvedge_primitives_types::content::{MAX_CONTENT, MAX_DIRECTORY, MAX_PINNED};

fn file(n: u8) -> Pin {
    pin_of(n, ContentKind::File)
}

#[test]
fn holds_a_deposit_and_tells_nodes_at_once() {
    run(|| {
        let id = create(&[]);
        let (second, first) = (file(9), file(2));
        for pin in [second, first] {
            assert_ok!(Services::pin(by(ALICE), id, pin));
            let event = Event::ContentPinned { service: id, pin };
            assert_eq!(last_event(), event);
        }
        assert_eq!(on_hold(&ALICE), 100 + 7 + 7);
        let config = Services::content_of(id);
        assert_eq!(config.pins, [first, second], "sorted");
        assert_eq!((config.site, config.rules), (None, None));
    });
}

#[test]
fn pinned_again_it_moves_to_another_number_of_places() {
    run(|| {
        let id = create(&[]);
        let mut pin = pin_directory(id, 1);
        assert_ok!(Services::set_site(by(ALICE), id, Some([1; 32])));
        PinDeposit::set(&1_000_000);
        (pin.factor, pin.bytes) = (5, 2_000);
        assert_ok!(Services::pin(by(ALICE), id, pin));
        assert_eq!(Services::content_of(id).pins, [pin]);
        assert_eq!(on_hold(&ALICE), 107, "its deposit stays as it was");
        assert_noop!(Services::pin(by(ALICE), id, pin), Error::<Test>::Unchanged);
        pin.content.kind = ContentKind::File;
        assert_noop!(
            Services::pin(by(ALICE), id, pin),
            Error::<Test>::PinnedOtherwise
        );
    });
}

#[test]
fn refuses_what_nobody_could_keep() {
    run(|| {
        let id = create(&[]);
        let refused = |change: &dyn Fn(&mut Pin), error: Error<Test>| {
            let mut pin = pin_of(1, ContentKind::Directory);
            change(&mut pin);
            assert_noop!(Services::pin(by(ALICE), id, pin), error);
        };
        refused(&|pin| pin.factor = 0, Error::FactorInvalid);
        refused(&|pin| pin.factor = 17, Error::FactorInvalid);
        refused(
            &|pin| pin.content.length = MAX_DIRECTORY + 1,
            Error::LengthInvalid,
        );
        refused(
            &|pin| {
                pin.content.kind = ContentKind::File;
                pin.content.length = MAX_CONTENT + 1;
            },
            Error::LengthInvalid,
        );
        refused(&|pin| pin.bytes = 999, Error::BytesInvalid);
        refused(&|pin| pin.bytes = MAX_PINNED + 1, Error::BytesInvalid);
    });
}

#[test]
fn refuses_strangers_and_who_cannot_pay_the_deposit() {
    run(|| {
        let id = create(&[]);
        assert_noop!(Services::pin(by(BOB), id, file(1)), Error::<Test>::NotOwner);
        assert_noop!(Services::pin(RuntimeOrigin::none(), id, file(1)), BadOrigin);
        assert_noop!(
            Services::pin(by(ALICE), NOBODYS, file(1)),
            Error::<Test>::UnknownService
        );
        PinDeposit::set(&FREE);
        frame_support::assert_err!(
            Services::pin(by(ALICE), id, file(1)),
            sp_runtime::TokenError::FundsUnavailable
        );
    });
}

#[test]
fn a_service_has_at_most_64_pins_and_the_network_what_nodes_can_be_told() {
    run(|| {
        let (id, other) = (create(&[]), create(&[]));
        for n in 0..64 {
            assert_ok!(Services::pin(by(ALICE), id, file(n)));
        }
        assert_noop!(
            Services::pin(by(ALICE), id, file(64)),
            Error::<Test>::TooManyPins
        );
        MaxPins::set(&65);
        assert_ok!(Services::pin(by(ALICE), other, file(1)));
        assert_noop!(
            Services::pin(by(ALICE), other, file(2)),
            Error::<Test>::NetworkFull
        );
        let mut again = file(1);
        again.factor = 2;
        assert_ok!(Services::pin(by(ALICE), other, again));
        assert_ok!(Services::unpin(by(ALICE), id, [0; 32]));
        assert_ok!(Services::pin(by(ALICE), other, file(2)));
    });
}

#[test]
fn what_stood_at_any_moment_of_an_epoch_counts_for_it() {
    run(|| {
        let id = create(&[]);
        let kept = |epoch| Services::kept_at(id, Epoch(epoch));
        pin_directory(id, 1);
        assert_eq!((kept(9), kept(10), kept(11)), (0, 3_000, 3_000));
        go_to(12);
        pin_directory(id, 2);
        assert_ok!(Services::unpin(by(ALICE), id, [1; 32]));
        assert_eq!((kept(11), kept(12), kept(13)), (3_000, 6_000, 3_000));
        go_to(14);
        assert_ok!(Services::unpin(by(ALICE), id, [2; 32]));
        assert_eq!((kept(13), kept(14), kept(15)), (3_000, 3_000, 0));
        assert_eq!(Services::kept_at(NOBODYS, Epoch(12)), 0);
    });
}

#[test]
fn a_full_history_refuses_until_old_entries_may_be_forgotten() {
    run(|| {
        let id = create(&[]);
        // HistoryDepth is 30 epochs, so that one change per epoch never fills it.
        for epoch in 11..100 {
            let mut pin = file(1);
            pin.bytes += epoch;
            assert_ok!(Services::pin(by(ALICE), id, pin));
            go_to(epoch);
        }
        let oldest = KeptBytes::<Test>::get(id)[0];
        assert!(oldest.from <= Epoch(99 - 30), "{oldest:?}");
        assert!(KeptBytes::<Test>::get(id).len() <= 33);
        let last = KeptBytes::<Test>::get(id).last().unwrap().last;
        let full: Vec<_> = (0..u64::from(MAX_KEPT))
            .map(|n| crate::types::Kept {
                from: Epoch(98),
                most: last + n,
                last,
            })
            .collect();
        let kept = KeptBytes::<Test>::get(id);
        KeptBytes::<Test>::insert(id, crate::types::KeptHistory::truncate_from(full));
        assert_noop!(
            Services::pin(by(ALICE), id, file(2)),
            Error::<Test>::TooManyChanges
        );
        KeptBytes::<Test>::insert(id, kept);
    });
}
