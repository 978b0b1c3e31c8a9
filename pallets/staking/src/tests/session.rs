//! When the validator set changes, and what can be proven of past ones.

use crate::{mock::*, *};
use frame_support::{assert_ok, traits::KeyOwnerProofSystem};
use pallet_session::historical::SessionManager;
use sp_runtime::{testing::UintAuthorityId, traits::OpaqueKeys, KeyTypeId};

const DUMMY: KeyTypeId = sp_runtime::key_types::DUMMY;

fn rotate() {
    Session::rotate_session();
}

fn plan() -> Option<Vec<(AccountId32, Exposure)>> {
    <NodeStaking as SessionManager<_, _>>::new_session(99)
}

fn join(id: u8, key: u64) {
    staked(id, id, Role::Validator);
    set_keys(id, key);
    pass(EPOCH);
}

#[test]
fn an_unchanged_set_is_not_planned_again() {
    run_with(&[1, 2], || {
        for _ in 0..3 {
            rotate();
            assert!(!pallet_session::QueuedChanged::<Test>::get());
        }
        assert_eq!(Session::validators(), [validator(1), validator(2)]);
        assert_eq!(
            Historical::historical_root(1),
            Historical::historical_root(4)
        );
    });
}

#[test]
fn a_new_validator_serves_two_sessions_after_its_epoch_began() {
    run_with(&[1], || {
        staked(2, 2, Role::Validator);
        set_keys(2, 22);
        assert_eq!(plan(), None);
        pass(EPOCH);
        rotate();
        assert!(pallet_session::QueuedChanged::<Test>::get());
        assert_eq!(Session::validators(), [validator(1)]);
        assert_eq!(ExposureOf::<Test>::convert(validator(2)), None);
        rotate();
        assert_eq!(Session::validators(), [validator(1), validator(2)]);
        let exposure = Exposure {
            stake: StakeId(1),
            amount: 50_000,
        };
        assert_eq!(ExposureOf::<Test>::convert(validator(2)), Some(exposure));
        assert!(!pallet_session::QueuedChanged::<Test>::get());
    });
}

#[test]
fn without_keys_a_stake_validates_nothing() {
    run_with(&[1], || {
        staked(2, 2, Role::Validator);
        pass(EPOCH);
        assert_eq!(plan(), None);
        set_keys(2, 22);
        assert_eq!(plan().map(|set| set.len()), Some(2));
    });
}

#[test]
fn rotated_keys_are_planned_and_can_be_proven() {
    run_with(&[1, 2], || {
        rotate();
        set_keys(2, 77);
        rotate();
        assert!(pallet_session::QueuedChanged::<Test>::get());
        rotate();
        let key = UintAuthorityId(77);
        let raw = Keys { dummy: key }.get_raw(DUMMY).to_vec();
        let proof = Historical::prove((DUMMY, &raw[..])).unwrap();
        let session = proof.session;
        let owner = Historical::check_proof((DUMMY, &raw[..]), proof.clone()).unwrap();
        let exposure = Exposure {
            stake: StakeId(1),
            amount: 50_000,
        };
        assert_eq!(owner, (validator(2), exposure));
        // And from the root of a past session.
        rotate();
        rotate();
        assert!(Session::current_index() > session);
        assert_eq!(
            Historical::check_proof((DUMMY, &raw[..]), proof),
            Some(owner)
        );
    });
}

#[test]
fn a_slash_in_mid_session_does_not_change_what_is_proven() {
    run_with(&[1, 2], || {
        rotate();
        let raw = Keys {
            dummy: UintAuthorityId(2),
        }
        .get_raw(DUMMY)
        .to_vec();
        let proof = Historical::prove((DUMMY, &raw[..])).unwrap();
        assert_eq!(
            Pallet::<Test>::slash_stake(StakeId(1), 40_000, None).taken,
            40_000
        );
        let exposure = Exposure {
            stake: StakeId(1),
            amount: 50_000,
        };
        let owner = Historical::check_proof((DUMMY, &raw[..]), proof);
        assert_eq!(owner, Some((validator(2), exposure)));
    });
}

#[test]
fn the_largest_stakes_win_and_the_older_among_equals() {
    run_with(&[1, 2], || {
        MaxValidators::set(2);
        join(3, 33);
        assert_eq!(plan(), None);
        Stakes::<Test>::mutate(StakeId(2), |entry| entry.as_mut().unwrap().amount += 1);
        let chosen: Vec<_> = plan().unwrap().into_iter().map(|(id, _)| id).collect();
        assert_eq!(chosen, [validator(3), validator(1)]);
        Stakes::<Test>::mutate(StakeId(2), |entry| entry.as_mut().unwrap().amount -= 1);
    });
}

#[test]
fn who_leaves_is_not_planned_and_the_last_one_stays() {
    run_with(&[1, 2], || {
        assert_ok!(unassign(1, 2));
        assert_eq!(plan().map(|set| set.len()), Some(1));
        assert_ok!(unassign(0, 1));
        assert_eq!(plan(), None);
        pass(EPOCH);
        rotate();
        rotate();
        assert!(!Session::validators().is_empty());
    });
}

#[test]
fn roots_of_old_sessions_are_forgotten() {
    run_with(&[1], || {
        for _ in 0..6 {
            rotate();
        }
        // The session that just ended is 5, and three are kept.
        assert!(Historical::historical_root(1).is_none());
        assert!(Historical::historical_root(2).is_some());
    });
}
