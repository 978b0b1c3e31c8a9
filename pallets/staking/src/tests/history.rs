//! What is remembered of past epochs, and for how long.

use crate::{history::SWEEP, mock::*, *};
use frame_support::assert_ok;
use pallet_edge_traits::StakeInspect;

#[test]
fn counts_of_the_past_stay_as_they_were() {
    run(|| {
        staked(1, 1, Role::Cache);
        pass(2 * EPOCH);
        staked(2, 2, Role::Cache);
        pass(EPOCH);
        assert_ok!(unassign(0, 1));
        pass(3 * EPOCH);
        let counts: Vec<_> = (0..8)
            .map(|epoch| NodeStaking::active_count(Role::Cache, Epoch(epoch)))
            .collect();
        assert_eq!(counts, [0, 1, 1, 2, 1, 1, 1, 1]);
    });
}

#[test]
fn a_jump_over_epochs_counts_them_too() {
    run(|| {
        staked(1, 1, Role::Cache);
        pass(8 * EPOCH);
        assert_eq!(NodeStaking::active_count(Role::Cache, Epoch(4)), 1);
        assert!(NodeStaking::is_active(&device(1), Role::Cache, Epoch(4)));
        assert_ok!(unassign(0, 1));
        pass(8 * EPOCH);
        assert!(NodeStaking::active_devices(Role::Cache, 9).is_empty());
        assert_eq!(NodeStaking::active_count(Role::Cache, Epoch(16)), 0);
    });
}

#[test]
fn changes_beyond_the_depth_are_forgotten() {
    run(|| {
        staked(1, 1, Role::Cache);
        for _ in 0..30 {
            pass(EPOCH);
            assert_ok!(unassign(0, 1));
            pass(EPOCH);
            assert_ok!(assign(0, 1, 1));
            NodeStaking::check_invariants().unwrap();
        }
        assert!(Counts::<Test>::get(Role::Cache).len() <= 13);
        assert!(Assignments::<Test>::get(device(1)).len() <= 7);
        let now = Clock::current();
        let counted: Vec<_> = (1..8)
            .map(|ago| NodeStaking::active_count(Role::Cache, now.minus(ago)))
            .collect();
        assert_eq!(counted, [1, 0, 1, 0, 1, 0, 1]);
    });
}

#[test]
fn the_sweep_forgets_devices_that_left() {
    run(|| {
        for id in 1..=6 {
            staked(id, id, Role::Cache);
        }
        pass(EPOCH);
        for id in 1..=6 {
            assert_ok!(unassign(u64::from(id) - 1, id));
        }
        pass(EPOCH);
        assert_eq!(Assignments::<Test>::iter().count(), 6);
        pass(9 * EPOCH);
        assert_eq!(Assignments::<Test>::iter().count(), 6);
        pass(EPOCH);
        assert_eq!(Assignments::<Test>::iter().count(), 0);
    });
}

#[test]
fn the_sweep_takes_a_bounded_step_and_goes_on() {
    run(|| {
        let gone = Span {
            stake: StakeId(9),
            owner: account(1),
            role: Role::Cache,
            from: Epoch(0),
            until: Some(Epoch(1)),
            since: Millis(0),
        };
        let total = 2 * SWEEP + 5;
        for id in 0..total {
            let device = DeviceId([id as u8 + 1; 32]);
            Assignments::<Test>::insert(device, BoundedVec::truncate_from(vec![gone.clone()]));
        }
        pass(11 * EPOCH);
        assert_eq!(Assignments::<Test>::iter().count(), total - SWEEP);
        pass(EPOCH);
        assert_eq!(Assignments::<Test>::iter().count(), 5);
        pass(EPOCH);
        assert_eq!(Assignments::<Test>::iter().count(), 0);
        assert_eq!(Swept::<Test>::get(), None);
    });
}

#[test]
fn pages_show_every_device_once() {
    run(|| {
        for id in 1..=6 {
            staked(id, id, Role::Cache);
        }
        pass(EPOCH);
        let mut seen = Vec::new();
        loop {
            let page = NodeStaking::active_page(Role::Cache, seen.last().copied(), 4);
            if page.is_empty() {
                break;
            }
            seen.extend(page);
        }
        seen.sort_unstable();
        assert_eq!(seen, NodeStaking::active_devices(Role::Cache, 9));
        assert_eq!(NodeStaking::active_devices(Role::Cache, 2), seen[..2]);
    });
}

#[test]
fn epochs_with_a_stake_are_counted_within_the_range() {
    run(|| {
        staked(1, 1, Role::Cache);
        pass(3 * EPOCH);
        assert_ok!(unassign(0, 1));
        pass(2 * EPOCH);
        assert_ok!(assign(0, 1, 1));
        pass(2 * EPOCH);
        // Active in 1, 2, 3 and from 6 on.
        for (from, to, epochs) in [
            (0, 0, 0),
            (0, 1, 1),
            (0, 5, 3),
            (2, 6, 3),
            (4, 5, 0),
            (6, 9, 4),
        ] {
            let (from, to) = (Epoch(from), Epoch(to));
            assert_eq!(
                NodeStaking::carried_epochs(&device(1), StakeId(0), from, to),
                epochs
            );
            assert_eq!(
                NodeStaking::carried_epochs(&device(1), StakeId(1), from, to),
                0
            );
        }
    });
}

#[test]
fn only_epochs_without_a_device_are_an_absence() {
    run(|| {
        staked(1, 1, Role::Cache);
        register(2, 1, Role::Cache);
        pass(2 * EPOCH);
        assert_ok!(unassign(0, 1));
        assert_ok!(assign(0, 2, 1));
        assert_eq!(Absences::take(), [], "it moves without a gap");
        pass(EPOCH);
        assert_ok!(unassign(0, 1));
        pass(3 * EPOCH);
        // Active again from 7 on, and not since 4.
        assert_ok!(assign(0, 1, 1));
        assert_eq!(Absences::take(), [(StakeId(0), Epoch(4), Epoch(7))]);
    });
}
