use super::*;
use crate::{types::MAX_MOVES, Contents};

fn site(service: ServiceId) -> Option<[u8; 32]> {
    Services::content_of(service).site.map(|site| site.root)
}

#[test]
fn points_at_a_pinned_directory_and_back_at_an_older_one() {
    run(|| {
        let id = create(&[]);
        pin_directory(id, 1);
        pin_directory(id, 2);
        let moves = [Some([1; 32]), Some([2; 32]), Some([1; 32]), None];
        for (version, root) in (1..).zip(moves) {
            assert_ok!(Services::set_site(by(ALICE), id, root));
            let event = Event::SiteSet {
                service: id,
                root,
                version,
            };
            assert_eq!((last_event(), site(id)), (event, root));
        }
        let remembered = Contents::<Test>::get(id).site;
        let roots: Vec<_> = remembered.iter().map(|one| one.root).collect();
        assert_eq!(roots, moves);
        assert!(Services::content_of(id).rules.is_none());
    });
}

#[test]
fn remembers_when_and_at_most_32_moves() {
    run(|| {
        let id = create(&[]);
        pin_directory(id, 1);
        for n in 0..40 {
            go_to(10 + n);
            System::set_block_number(100 + n);
            let root = (n % 2 == 0).then_some([1; 32]);
            assert_ok!(Services::set_site(by(ALICE), id, root));
        }
        let moves = Contents::<Test>::get(id).site;
        assert_eq!(moves.len(), MAX_MOVES as usize);
        let latest = moves.last().unwrap();
        assert_eq!(
            (latest.version, latest.epoch, latest.block),
            (40, Epoch(49), 139)
        );
    });
}

#[test]
fn refuses_what_is_not_pinned_here_and_files() {
    run(|| {
        let (id, other) = (create(&[]), create(&[]));
        pin_directory(other, 1);
        assert_noop!(
            Services::set_site(by(ALICE), id, Some([1; 32])),
            Error::<Test>::NotPinned
        );
        let file = pin_of(2, ContentKind::File);
        assert_ok!(Services::pin(by(ALICE), id, file));
        assert_noop!(
            Services::set_site(by(ALICE), id, Some([2; 32])),
            Error::<Test>::NotADirectory
        );
    });
}

#[test]
fn refuses_strangers_and_the_same_again() {
    run(|| {
        let id = create(&[]);
        pin_directory(id, 1);
        let root = Some([1; 32]);
        assert_noop!(
            Services::set_site(by(BOB), id, root),
            Error::<Test>::NotOwner
        );
        assert_noop!(
            Services::set_site(RuntimeOrigin::root(), id, root),
            BadOrigin
        );
        assert_noop!(
            Services::set_site(by(ALICE), NOBODYS, root),
            Error::<Test>::UnknownService
        );
        assert_noop!(
            Services::set_site(by(ALICE), id, None),
            Error::<Test>::Unchanged
        );
        assert_ok!(Services::set_site(by(ALICE), id, root));
        assert_noop!(
            Services::set_site(by(ALICE), id, root),
            Error::<Test>::Unchanged
        );
    });
}
