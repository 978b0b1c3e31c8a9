//! Each invariant can fail.

use crate::{mock::*, *};
use frame_support::{assert_ok, storage::with_transaction};
use sp_runtime::TransactionOutcome;

fn broken_by(change: impl FnOnce()) -> &'static str {
    with_transaction(|| {
        change();
        TransactionOutcome::Rollback(Ok::<_, sp_runtime::DispatchError>(
            NodeRegistry::check_invariants().unwrap_err(),
        ))
    })
    .unwrap()
}

#[test]
fn a_deposit_that_is_not_on_hold_breaks_the_first() {
    run(|| {
        assert_ok!(register(1, 1));
        let broken = broken_by(|| {
            Devices::<Test>::mutate(device(1), |entry| entry.as_mut().unwrap().deposit += 1)
        });
        assert!(broken.starts_with("invariant 1"));
    });
}

#[test]
fn a_malformed_entry_breaks_the_second() {
    run(|| {
        assert_ok!(register(1, 1));
        let broken = broken_by(|| {
            Devices::<Test>::mutate(device(1), |entry| {
                entry.as_mut().unwrap().endpoint = text("nowhere")
            })
        });
        assert!(broken.starts_with("invariant 2"));
    });
}

#[test]
fn a_drain_of_the_future_breaks_the_third() {
    run(|| {
        assert_ok!(register(1, 1));
        let broken = broken_by(|| {
            Devices::<Test>::mutate(device(1), |entry| {
                entry.as_mut().unwrap().drain = Some(Drain {
                    from: Epoch(1),
                    until: Epoch(2),
                    ended: false,
                });
            })
        });
        assert!(broken.starts_with("invariant 3"));
    });
}
