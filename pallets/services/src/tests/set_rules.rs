use super::*;
use selvedge_primitives_types::content::MAX_RULES;

fn pin_rules(service: ServiceId, n: u8, length: u64) -> Pin {
    let mut pin = pin_of(n, ContentKind::File);
    (pin.content.length, pin.bytes) = (length, length);
    assert_ok!(Services::pin(by(ALICE), service, pin));
    pin
}

#[test]
fn points_at_a_short_file_and_counts_its_own_versions() {
    run(|| {
        let id = create(&[]);
        let rules = pin_rules(id, 1, MAX_RULES);
        pin_directory(id, 2);
        assert_ok!(Services::set_site(by(ALICE), id, Some([2; 32])));
        assert_ok!(Services::set_rules(by(ALICE), id, Some([1; 32])));
        assert_eq!(
            last_event(),
            Event::RulesSet {
                service: id,
                root: Some([1; 32]),
                version: 1
            }
        );
        let config = Services::content_of(id);
        assert_eq!(config.rules, Some(rules.content));
        assert_eq!(config.site.map(|site| site.root), Some([2; 32]));
    });
}

#[test]
fn refuses_directories_and_long_files() {
    run(|| {
        let id = create(&[]);
        pin_rules(id, 1, MAX_RULES + 1);
        pin_directory(id, 2);
        for root in [[1; 32], [2; 32]] {
            assert_noop!(
                Services::set_rules(by(ALICE), id, Some(root)),
                Error::<Test>::RulesInvalid
            );
        }
        assert_noop!(
            Services::set_rules(by(ALICE), id, Some([3; 32])),
            Error::<Test>::NotPinned
        );
    });
}

#[test]
fn refuses_strangers_and_the_same_again() {
    run(|| {
        let id = create(&[]);
        pin_rules(id, 1, 10);
        let root = Some([1; 32]);
        assert_noop!(
            Services::set_rules(by(BOB), id, root),
            Error::<Test>::NotOwner
        );
        assert_noop!(
            Services::set_rules(RuntimeOrigin::none(), id, root),
            BadOrigin
        );
        assert_noop!(
            Services::set_rules(by(ALICE), NOBODYS, root),
            Error::<Test>::UnknownService
        );
        assert_noop!(
            Services::set_rules(by(ALICE), id, None),
            Error::<Test>::Unchanged
        );
    });
}
