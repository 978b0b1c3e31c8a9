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

fn broken(number: impl ToString, spoil: impl FnOnce()) {
    externalities().execute_with(|| {
        assert_eq!(Audits::check_invariants(), Ok(()));
        spoil();
        let violation = Audits::check_invariants().expect_err("it is violated");
        let prefix = number.to_string() + ":";
        assert!(violation.starts_with(&prefix), "{violation}");
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

#[test]
fn an_audit_that_nothing_will_end_is_noticed() {
    broken('4', || {
        committed(honest());
        let _ = crate::Queue::<Test>::clear(u32::MAX, None);
    });
}

fn passed(number: u8) -> crate::types::Passed {
    crate::types::Passed {
        auditor: crate::types::Auditor {
            owner: account(40 + number),
            device: auditor(number).0,
        },
        is_paid: true,
        has_posted: false,
    }
}

#[test]
fn a_commitment_passed_by_its_operator_or_twice_by_one_is_noticed() {
    let pass = |numbers: &[u8]| {
        committed(honest());
        crate::Audits::<Test>::mutate(EPOCH, GATEWAY, |audit| {
            let audit = audit.as_mut().unwrap();
            audit.operator = Some(account(43));
            audit.passed = numbers
                .iter()
                .map(|number| passed(*number))
                .collect::<Vec<_>>()
                .try_into()
                .unwrap();
        });
    };
    broken('5', || pass(&[1, 3]));
    broken('5', || pass(&[1, 2, 1]));
}

fn challenged() {
    committed(honest());
    let at = selvedge_primitives_math::draw::Place::Index(0);
    let origin = RuntimeOrigin::signed(account(1));
    Audits::challenge_leaf(origin, GATEWAY, EPOCH, TreeKind::Caches, at).unwrap();
}

#[test]
fn a_challenge_that_nothing_will_end_is_noticed() {
    broken('6', || {
        challenged();
        crate::Audits::<Test>::remove(EPOCH, GATEWAY);
        let _ = crate::Queue::<Test>::clear(u32::MAX, None);
    });
}

#[test]
fn miscounted_challenges_and_missing_bonds_are_noticed() {
    broken('7', || {
        challenged();
        crate::ChallengesOf::<Test>::insert(account(1), 2);
    });
    broken('7', || {
        challenged();
        crate::ChallengesOf::<Test>::remove(account(1));
    });
    broken('7', || {
        challenged();
        crate::Challenges::<Test>::mutate(EPOCH, GATEWAY, |all| all[0].bond += 1);
    });
}

#[test]
fn a_panel_to_come_or_with_an_operator_twice_is_noticed() {
    let window = |numbers: &[u8]| {
        let panel: Vec<_> = numbers
            .iter()
            .map(|number| passed(*number).auditor)
            .collect();
        crate::types::Window {
            seed: [1; 32],
            panel: panel.try_into().unwrap(),
        }
    };
    broken('8', || {
        crate::Windows::<Test>::insert(Epoch(WINDOW), window(&[1, 1]))
    });
    broken('8', || {
        crate::Windows::<Test>::insert(Epoch(WINDOW + 1), window(&[1]))
    });
}

#[test]
fn votes_and_questions_of_epochs_that_were_decided_are_noticed() {
    broken('9', || {
        crate::Votes::<Test>::insert(EPOCH, (EPOCH, 0, GATEWAY), [0; 32])
    });
    broken('9', || {
        crate::Votes::<Test>::insert(Epoch(WINDOW + 1), (EPOCH, 0, GATEWAY), [0; 32])
    });
    broken('9', || {
        crate::Queue::<Test>::insert(EPOCH, (EPOCH, GATEWAY), ())
    });
}

#[test]
fn a_look_at_lines_that_nothing_will_end_or_with_one_twice_is_noticed() {
    use pallet_edge_traits::SampleMore;
    let look = || {
        committed(honest());
        Audits::sample_more(&GATEWAY, EPOCH, 0, 4).unwrap();
    };
    broken(10, || {
        look();
        crate::Audits::<Test>::remove(EPOCH, GATEWAY);
        let _ = crate::Queue::<Test>::clear(u32::MAX, None);
    });
    broken('5', || {
        look();
        crate::Looks::<Test>::mutate((EPOCH, GATEWAY), Epoch(WINDOW), |look| {
            let look = look.as_mut().unwrap();
            look.passed = vec![account(41), account(41)].try_into().unwrap();
        });
    });
}

#[test]
fn a_fault_of_a_cleared_epoch_or_of_one_to_come_is_noticed() {
    broken(11, || {
        crate::Faults::<Test>::insert(account(11), Epoch(WINDOW));
    });
    broken(11, || {
        ClearFrom::<Test>::put(EPOCH.next());
        crate::Faults::<Test>::insert(account(11), EPOCH);
    });
}

#[test]
fn a_defect_that_nothing_will_end_is_noticed() {
    use crate::{types::Suspicion, Suspicions};
    let suspicion = || Suspicion {
        defect: Defect::WrongPrice,
        reporter: account(5),
        auditor: None,
        is_rewarded: true,
        leaf: None,
        is_sampled: false,
    };
    broken(12, || {
        commit_to(honest());
        Suspicions::<Test>::insert(EPOCH, GATEWAY, suspicion());
    });
    broken(12, || {
        LeastAmount::set(u128::MAX);
        committed(honest());
        Suspicions::<Test>::insert(EPOCH, GATEWAY, suspicion());
    });
}

#[test]
fn canaries_that_charge_too_much_or_excuse_nothing_are_noticed() {
    broken(13, || {
        Taken::set(1_000);
        crate::CanarySpent::<Test>::put(51);
    });
    broken(13, || {
        crate::Excused::<Test>::mutate(EPOCH, GATEWAY, |all| all.try_push([1; 32]).unwrap());
    });
}
