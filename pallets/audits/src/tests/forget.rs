//! What epochs forget.

use super::*;
use crate::{types::Fraud, ClearFrom};
use pallet_edge_traits::Forfeit;
use selvedge_primitives_math::fraud::Defect;

/// Keeps `count` proofs of an epoch.
fn keep(epoch: u64, count: u8) {
    for number in 0..count {
        let fraud = Fraud {
            defect: Defect::WrongSum,
            forfeit: Forfeit::Voided,
            reporter: account(5),
            taken: 0,
            reward: 0,
        };
        Frauds::<Test>::insert(Epoch(epoch), DeviceId([number; 32]), fraud);
    }
}

fn kept(epoch: u64) -> usize {
    Frauds::<Test>::iter_prefix(Epoch(epoch)).count()
}

#[test]
fn a_proof_is_forgotten_when_its_epoch_cannot_be_judged_any_more() {
    run(|| {
        keep(10, 2);
        begin(10 + HISTORY - 1);
        assert_eq!(kept(10), 2);
        begin(10 + HISTORY);
        assert_eq!((kept(10), ClearFrom::<Test>::get()), (0, Epoch(11)));
    });
}

#[test]
fn the_work_of_a_block_is_bounded() {
    run(|| {
        keep(10, 100);
        begin(10 + HISTORY);
        assert_eq!((kept(10), ClearFrom::<Test>::get()), (68, Epoch(10)));
        begin(10 + HISTORY + 3);
        assert_eq!((kept(10), ClearFrom::<Test>::get()), (0, Epoch(14)));
    });
}
