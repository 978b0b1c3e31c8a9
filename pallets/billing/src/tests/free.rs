//! The free buffer: who has it, how it is leased, and what a gateway may not count into it.

use super::*;
use crate::FreeBuffers;
use pallet_edge_traits::OnEpoch;

/// Epochs of a minute in a month of 365.25 / 12 days.
const EPOCHS: u64 = 43_830;

fn buffer(requests: u64, bytes: u64) -> Usage {
    Usage::ZERO
        .with(UsageClass::Requests, requests)
        .with(UsageClass::EgressBytes, bytes)
}

/// From this epoch on 16 requests and 160 bytes an epoch are free, so 8 and 80 at each gateway.
fn free_from(epoch: u64) {
    FreeBuffer::set(buffer(16 * EPOCHS, 160 * EPOCHS));
    Billing::on_epoch(Epoch(epoch - 1), Epoch(epoch));
}

fn lease(service: u64, epoch: u64) -> Usage {
    Billing::free_lease_of(ServiceId(service), &GATEWAY, Epoch(epoch))
}

/// Settles the use of epoch 11 by customer 1 with so much of it free.
fn settled_with(free: Usage) -> UsageTrees {
    let mut leaf = leaf(GATEWAY, 11, 0, &Used(1, 0, CACHE, 100));
    leaf.body.free = free;
    let trees = UsageTrees::build::<HostKeccak>(vec![leaf]).unwrap();
    at(12, 1);
    commit(&trees);
    at(12, 2);
    assert_ok!(send(5, settle(&trees, 0, 64)));
    trees
}

#[test]
fn it_is_for_whoever_held_the_least_deposit_when_the_epoch_began() {
    run(|| {
        network();
        free_from(10);
        // The deposits came inside of epoch 10.
        assert_eq!(lease(0, 10), Usage::ZERO);
        assert_eq!(lease(0, 11), buffer(8, 80));
        assert_eq!(lease(7, 11), Usage::ZERO, "there is no such service");
        let stranger = Billing::free_lease_of(ServiceId(0), &CACHE, Epoch(11));
        assert_eq!(stranger, Usage::ZERO, "it is no gateway");
        // What is left of a deposit is below the least one from 12 on.
        world(|world| {
            world.services.remove(&ServiceId(1));
            world.services.get_mut(&ServiceId(0)).unwrap().cap = 4;
        });
        at(11, 0);
        assert_ok!(send(
            1,
            Call::withdraw {
                amount: DEPOSIT - 49
            }
        ));
        assert_eq!(state(1), AccountState::Active);
        assert_eq!((lease(0, 11), lease(0, 12)), (buffer(8, 80), Usage::ZERO));
        assert_ok!(send(1, deposit(50)));
        assert_eq!(lease(0, 12), buffer(8, 80));
        // Who is suspended serves nobody, for free neither.
        world(|world| world.services.get_mut(&ServiceId(0)).unwrap().cap = 500);
        assert_ok!(send(
            5,
            Call::poke {
                account: account(1)
            }
        ));
        assert_eq!(lease(0, 12), Usage::ZERO);
    });
}

#[test]
fn a_closed_account_has_none() {
    run(|| {
        network();
        free_from(10);
        world(|world| world.services.clear());
        assert_ok!(send(1, Call::close {}));
        serve(0, 1, CAP);
        assert_eq!(lease(0, 11), Usage::ZERO);
    });
}

#[test]
fn services_share_it_by_their_allowances() {
    run(|| {
        network();
        free_from(10);
        serve(2, 1, 3 * CAP);
        assert_eq!(lease(0, 11), buffer(2, 20));
        assert_eq!(lease(2, 11), buffer(6, 60));
        // Customer 2 has a buffer of its own.
        assert_eq!(lease(1, 11), buffer(8, 80));
        world(|world| world.services.get_mut(&ServiceId(2)).unwrap().active = false);
        assert_eq!(lease(2, 11), Usage::ZERO);
        assert_eq!(lease(0, 11), buffer(8, 80));
    });
}

#[test]
fn it_is_charged_to_nobody_and_pays_nobody() {
    run(|| {
        network();
        free_from(10);
        let trees = settled_with(buffer(8, 80));
        assert_eq!(void_reason(&trees), None);
        let key = (Epoch(11), account(1), (ServiceId(0), GATEWAY));
        let line = crate::InvoiceLines::<Test>::get(key).unwrap();
        assert_eq!((line.free, line.amount), (buffer(8, 80), 150));
        at(14, 0);
        assert_ok!(send(5, credit(&trees, 0, 64)));
        assert_eq!(books(&trees).shares.total(), Some(150));
        assert!(world(|world| world
            .matured
            .iter()
            .all(|(_, _, amount, _)| *amount == 150)));
    });
}

#[test]
fn more_free_usage_than_is_leased_is_a_defect() {
    let over = Usage::ZERO.with(UsageClass::OriginBytes, 1);
    for free in [buffer(9, 0), buffer(0, 81), over] {
        run(|| {
            network();
            free_from(10);
            let trees = settled_with(free);
            assert_eq!(void_reason(&trees), Some(VoidReason::AboveFreeLease));
            assert_eq!(balance(1), DEPOSIT);
        });
    }
}

#[test]
fn a_vote_changes_no_epoch_that_was_served_already() {
    run(|| {
        network();
        free_from(10);
        FreeBuffer::set(Usage::ZERO);
        Billing::on_epoch(Epoch(11), Epoch(12));
        assert_eq!((lease(0, 11), lease(0, 12)), (buffer(8, 80), Usage::ZERO));
        let trees = settled_with(buffer(8, 80));
        assert_eq!(void_reason(&trees), None);
        // As long as an epoch can be settled its buffer is known, however often it changes.
        for epoch in 13..200 {
            FreeBuffer::set(buffer(2 * EPOCHS * epoch, 0));
            Billing::on_epoch(Epoch(epoch - 1), Epoch(epoch));
            assert_eq!(lease(0, epoch).of(UsageClass::Requests), epoch);
            at(epoch, 0);
            assert_ok!(send(
                5,
                Call::poke {
                    account: account(1)
                }
            ));
        }
        assert_eq!(lease(0, 195), buffer(195, 0));
        assert!(FreeBuffers::<Test>::get().len() <= 62);
    });
}
