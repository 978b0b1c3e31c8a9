//! What an equivocation costs.

use crate::{mock::*, *};
use frame_support::assert_ok;
use pallet_edge_traits::StakeInspect;
use sp_runtime::Perbill;
use sp_staking::offence::{OffenceDetails, OnOffenceHandler};

fn report(id: u8, stake: u64, reporters: Vec<AccountId32>, percent: u32) {
    let exposure = Exposure {
        stake: StakeId(stake),
        amount: 50_000,
    };
    let details = OffenceDetails {
        offender: (validator(id), exposure),
        reporters,
    };
    <NodeStaking as OnOffenceHandler<_, _, _>>::on_offence(
        &[details],
        &[Perbill::from_percent(percent)],
        0,
    );
}

#[test]
fn the_stake_of_the_session_is_slashed_and_the_validator_chilled() {
    run_with(&[1, 2, 3, 4], || {
        report(2, 1, vec![account(9)], 10);
        assert_eq!((on_hold(2), free(9)), (45_000, FUNDS + 500));
        assert_eq!(free(SLASHES), FUNDS + 4_500);
        assert_eq!(stake(1).device, None);
        assert!(Session::disabled_validators().contains(&1));
        System::assert_last_event(
            Event::<Test>::ValidatorChilled {
                validator: validator(2),
                stake: StakeId(1),
                session: 0,
            }
            .into(),
        );
        Session::rotate_session();
        Session::rotate_session();
        assert_eq!(
            Session::validators(),
            [validator(1), validator(3), validator(4)]
        );
    });
}

#[test]
fn a_fraction_of_nothing_still_chills() {
    run_with(&[1, 2], || {
        report(2, 1, vec![], 0);
        assert_eq!((on_hold(2), stake(1).device), (50_000, None));
    });
}

#[test]
fn a_stake_that_moved_on_still_answers() {
    run_with(&[1, 2], || {
        assert_ok!(unassign(1, 2));
        assert_ok!(NodeStaking::request_unlock(
            RuntimeOrigin::signed(account(2)),
            StakeId(1),
            50_000
        ));
        pass(5 * EPOCH);
        report(2, 1, vec![], 100);
        assert_eq!(on_hold(2), 0);
        assert!(!Stakes::<Test>::contains_key(StakeId(1)));
        // Again, and of a stake that never was.
        report(2, 1, vec![], 100);
        report(2, 77, vec![], 100);
        assert_eq!(free(SLASHES), FUNDS + 50_000);
    });
}

#[test]
fn it_returns_by_a_new_assignment() {
    run_with(&[1, 2], || {
        report(2, 1, vec![], 0);
        pass(EPOCH);
        assert!(!NodeStaking::is_active(
            &device(2),
            Role::Validator,
            Epoch(1)
        ));
        assert_ok!(assign(1, 2, 2));
        pass(EPOCH);
        assert!(NodeStaking::is_active(
            &device(2),
            Role::Validator,
            Epoch(2)
        ));
    });
}
