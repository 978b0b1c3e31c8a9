//! An honest gateway is accepted whatever its auditors do or leave undone, and loses nothing.

use super::*;
use crate::types::Stage;
use pallet_edge_traits::{Acceptance, AuditDuties};
use selvedge_primitives_types::Verdict;

/// Whether a bit of a number is set: what an auditor does in a round.
fn does(what: u32, number: u8) -> bool {
    what >> (number % 16) & 1 == 1
}

/// Each drawn auditor passes it, slanders it, or is silent.
fn vote_as(epoch: u64, round: u8, passes: u32, speaks: u32) {
    run_to(epoch, 1);
    let drawn = drawn(round);
    let said = |number: u8| match does(passes, number) {
        true => pass(),
        false => verdict(Verdict::Bad),
    };
    let speakers: Vec<_> = drawn
        .into_iter()
        .filter(|number| does(speaks, *number))
        .collect();
    speakers
        .iter()
        .for_each(|number| send(vote(*number, round, &said(*number))));
    run_to(epoch, 5);
    speakers
        .iter()
        .for_each(|number| send(reveal(*number, round, said(*number))));
}

#[test]
fn neither_lazy_nor_absent_nor_lying_auditors_void_it() {
    let mut seen = [0; 3];
    for case in 0..96u32 {
        run(|| {
            let random = sp_io::hashing::blake2_256(&case.to_le_bytes());
            let part = |at: usize| u32::from_le_bytes(random[at..at + 4].try_into().unwrap());
            let auditors = 3 + (part(16) % 12) as u8;
            let trees = under_audit(auditors, honest());
            vote_as(VOTING, 0, part(0) | part(4), part(8) | part(12));
            begin(AGAIN);
            if stage() == Stage::Voting(1) {
                vote_as(AGAIN, 1, part(20) | part(24), part(28) | part(4));
                begin(AGAIN + 1);
                seen[0] += 1;
            }
            let mut hold_backs = 1;
            if matches!(stage(), Stage::LeavesDue { .. }) {
                hold_backs = 2;
                seen[1] += 1;
                while let Some(due) = Audits::leaves_due(&GATEWAY).first() {
                    send(answer(due.draw, opened(&trees, due.draw)));
                }
            }
            assert_eq!(
                acceptance(),
                Acceptance::Accepted { hold_backs },
                "case {case}"
            );
            seen[2] += 1;
            begin(LEAVES + 2);
            assert_eq!(
                (stake(), money(GATEWAY, EPOCH)),
                (STAKE, Some(Money::AtStake))
            );
        });
    }
    assert!(seen.iter().all(|times| *times > 5), "{seen:?}");
}

#[test]
fn honest_auditors_accept_it_at_once() {
    for auditors in 3..=12 {
        run(|| {
            under_audit(auditors, honest());
            cast(VOTING, 0, &drawn(0), &pass());
            begin(AGAIN);
            assert_eq!(acceptance(), Acceptance::Accepted { hold_backs: 1 });
            assert_eq!(payees().len(), usize::from(auditors.min(5)));
        });
    }
}
