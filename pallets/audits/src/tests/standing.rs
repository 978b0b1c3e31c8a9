//! More leaves are drawn of gateways that are young, and of operators that were at fault.

use super::*;
use crate::{Audits as AuditOf, Faults};
use frame_support::assert_ok;
use pallet_edge_mocks::Network;
use pallet_edge_traits::EpochClock;

fn draws() -> u32 {
    AuditOf::<Test>::get(EPOCH, GATEWAY).unwrap().draws
}

fn fault(epoch: Epoch) {
    Faults::<Test>::insert(account(11), epoch);
}

#[test]
fn a_gateway_is_young_until_its_stake_was_on_it_for_long_enough() {
    for (age, drawn) in [(0, 88), (999, 88), (1_000, 44), (u64::MAX, 44)] {
        run(|| {
            YoungFor::set(1_000);
            let now = Network::now().0;
            let since = selvedge_primitives_types::Millis(now.saturating_sub(age));
            Network::change(GATEWAY, |node| node.since = since);
            committed(honest());
            assert_eq!(draws(), drawn, "assigned {age} ms ago");
        });
    }
}

#[test]
fn who_was_at_fault_and_is_young_has_four_times_as_many() {
    run(|| {
        YoungFor::set(u64::MAX);
        fault(EPOCH);
        committed(honest());
        assert_eq!(draws(), 176);
        Faults::<Test>::remove(account(11));
        // What was drawn of a commitment does not change.
        assert_eq!(draws(), 176);
    });
}

#[test]
fn a_proven_defect_is_a_fault_until_its_audit_is_forgotten() {
    run(|| {
        LeastAmount::set(u128::MAX);
        let trees = committed(inflated());
        assert_ok!(Audits::report_fraud(
            RuntimeOrigin::signed(account(5)),
            GATEWAY,
            EPOCH,
            proof_of_inflation(&trees).into()
        ));
        assert_eq!(Faults::<Test>::get(account(11)), Some(EPOCH));
        begin(EPOCH.0 + HISTORY - 1);
        assert_eq!(Faults::<Test>::get(account(11)), Some(EPOCH));
        begin(EPOCH.0 + HISTORY);
        assert_eq!(Faults::<Test>::get(account(11)), None);
    });
}

#[test]
fn leaves_that_were_withheld_are_a_fault() {
    run(|| {
        committed(honest());
        Audits::punish(&GATEWAY, EPOCH, None);
        assert_eq!(Faults::<Test>::get(account(11)), Some(EPOCH));
    });
}

/// A later fault outlives an earlier one.
#[test]
fn the_last_fault_counts() {
    run(|| {
        committed(honest());
        fault(EPOCH.next());
        Audits::note_fault(&GATEWAY, EPOCH);
        assert_eq!(Faults::<Test>::get(account(11)), Some(EPOCH.next()));
        let audit = AuditOf::<Test>::get(EPOCH, GATEWAY).unwrap();
        Audits::forget_fault(EPOCH, audit);
        assert_eq!(Faults::<Test>::get(account(11)), Some(EPOCH.next()));
        Faults::<Test>::remove(account(11));
    });
}
