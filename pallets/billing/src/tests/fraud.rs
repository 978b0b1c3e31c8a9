use super::*;
use pallet_edge_traits::{CommitmentVoid, Forfeit};
use selvedge_primitives_math::fraud::Defect;

fn forfeit() -> Result<Forfeit, DispatchError> {
    Billing::forfeit(&GATEWAY, Epoch(10), Defect::WrongPrice)
}

fn is_at_stake() -> bool {
    Billing::is_at_stake(&GATEWAY, Epoch(10))
}

#[test]
fn voids_a_pending_commitment_with_the_defect_as_its_reason() {
    run(|| {
        let trees = committed();
        assert!(is_at_stake());
        let known = Billing::commitment_of(&GATEWAY, Epoch(10));
        assert_eq!(known, Some(commitment(&trees)));
        assert_eq!(forfeit(), Ok(Forfeit::Voided));
        let reason = VoidReason::Fraud(Defect::WrongPrice);
        assert_eq!(
            (status(&trees), void_reason(&trees)),
            (Status::Void, Some(reason))
        );
        assert!(!is_at_stake());
        let (gateway, epoch) = (GATEWAY, Epoch(10));
        let event = Event::CommitmentVoided {
            gateway,
            epoch,
            reason,
        };
        assert_eq!(last_event(), event);
    });
}

#[test]
fn stops_a_settlement_under_way_and_opens_the_refund() {
    run(|| {
        let trees = committed();
        assert_ok!(send(5, settle(&trees, 0, 1)));
        assert_eq!(balance(1), DEPOSIT - 240);
        assert_eq!(forfeit(), Ok(Forfeit::Voided));
        assert_eq!(status(&trees), Status::Refunding(0));
        assert_noop!(send(5, settle(&trees, 1, 1)), Error::<Test>::NotSettling);
        assert_ok!(send(5, refund(&trees, 0, 64)));
        assert_eq!((status(&trees), balance(1)), (Status::Void, DEPOSIT));
    });
}

#[test]
fn refunds_all_of_what_is_held_back() {
    run(|| {
        let trees = settled();
        assert_ok!(send(5, credit(&trees, 0, 64)));
        assert!(is_at_stake());
        assert_eq!(forfeit(), Ok(Forfeit::Voided));
        assert_ok!(send(5, refund(&trees, 0, 64)));
        assert_eq!((balance(1), balance(2)), (DEPOSIT, DEPOSIT));
        assert_eq!(forfeit(), Ok(Forfeit::AlreadyVoid));
    });
}

#[test]
fn takes_nothing_back_once_payment_has_begun() {
    run(|| {
        let trees = settled();
        assert_ok!(send(5, credit(&trees, 0, 64)));
        at(13, 0);
        assert_ok!(send(5, credit(&trees, 0, 1)));
        assert!(!is_at_stake());
        assert_eq!(forfeit(), Ok(Forfeit::AlreadyPaid));
        assert_ok!(send(5, credit(&trees, 1, 2)));
        assert_eq!(status(&trees), Status::Credited);
        assert_eq!(forfeit(), Ok(Forfeit::AlreadyPaid));
    });
}

#[test]
fn refuses_what_was_never_committed() {
    run(|| {
        assert_eq!(forfeit(), Err(Error::<Test>::UnknownCommitment.into()));
        assert_eq!(Billing::commitment_of(&GATEWAY, Epoch(10)), None);
        assert!(!is_at_stake());
    });
}

#[test]
fn is_proven_and_never_ruled() {
    run(|| {
        committed();
        let call = Call::void {
            gateway: GATEWAY,
            epoch: Epoch(10),
            reason: VoidReason::Fraud(Defect::WrongPrice),
        };
        assert_noop!(dispatch(root(), call), Error::<Test>::NotProven);
    });
}
