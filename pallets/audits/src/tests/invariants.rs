//! Each invariant can fail.

use super::*;
use crate::{types::Fraud, ClearFrom};
use pallet_edge_traits::Forfeit;
use selvedge_primitives_math::fraud::Defect;

fn fraud(taken: u128, reward: u128) -> Fraud<sp_runtime::AccountId32> {
    Fraud {
        defect: Defect::WrongSum,
        forfeit: Forfeit::Voided,
        reporter: account(5),
        taken,
        reward,
    }
}

fn broken(number: char, spoil: impl FnOnce()) {
    externalities().execute_with(|| {
        assert_eq!(Audits::check_invariants(), Ok(()));
        spoil();
        let violation = Audits::check_invariants().expect_err("it is violated");
        assert!(violation.starts_with(number), "{violation}");
    });
}

#[test]
fn money_at_stake_in_spite_of_a_proof_is_noticed() {
    broken('1', || {
        commit_to(honest());
        Frauds::<Test>::insert(EPOCH, GATEWAY, fraud(1, 0));
    });
}

#[test]
fn a_proof_of_a_cleared_epoch_or_of_one_to_come_is_noticed() {
    broken('2', || {
        ClearFrom::<Test>::put(EPOCH.next());
        Frauds::<Test>::insert(EPOCH, GATEWAY, fraud(1, 0));
    });
    broken('2', || {
        Frauds::<Test>::insert(EPOCH.next(), GATEWAY, fraud(1, 0));
    });
}

#[test]
fn a_reward_above_the_slash_is_noticed() {
    broken('3', || {
        Frauds::<Test>::insert(EPOCH, GATEWAY, fraud(1, 2));
    });
}
