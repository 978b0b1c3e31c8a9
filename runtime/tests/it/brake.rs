//! Time under the brake and over a stop of the chain: deadlines stand still, consensus does not.

use crate::{
    chain::{account, hold_back, run, Chain, SLOT_MILLIS},
    economy::{page, prepaid, status, Network, ACCEPTED, CUSTOMER},
    offences::{index_of_offender, report, OFFENDER},
};
use frame_support::assert_ok;
use pallet_edge_driver::{ConfigView, SubmitError, SubmitUsage};
use pallet_edge_governance::Origin;
use pallet_edge_traits::EpochClock;
use selvedge_primitives_math::TreeKind;
use selvedge_primitives_runtime_api::CommitmentStatus;
use selvedge_primitives_types::{Epoch, Millis};
use selvedge_runtime::{
    configs::driver::{EdgeConfig, Submitter},
    views, AccountId, Billing, Runtime, SafeMode, Session, System, UsageClock,
};

/// Blocks of twelve epochs of the preset: more than any deadline of a commitment.
const TWELVE_EPOCHS: u32 = 240;

fn enter() {
    assert_ok!(SafeMode::force_enter(Origin::Brake.into()));
}

fn leave() {
    assert_ok!(SafeMode::force_exit(Origin::Brake.into()));
}

/// Whatever tells how far the network is: none of it moves while the brake holds.
fn progress() -> (Epoch, Millis, Millis, u64) {
    let view = views::clock();
    let left = view.epoch_start.0 + view.epoch_length.0 - view.now.0;
    let told = EdgeConfig::clock();
    assert_eq!(
        (told.epoch, told.epoch_start, told.now),
        (view.epoch, view.epoch_start, view.now)
    );
    (
        UsageClock::current(),
        UsageClock::now(),
        UsageClock::elapsed(),
        left,
    )
}

/// Twelve epochs' blocks under the brake, which is then released.
fn brake(chain: &mut Chain) {
    enter();
    let before = progress();
    chain.blocks(TWELVE_EPOCHS);
    assert_eq!(progress(), before);
    leave();
}

/// Before the commitment, before its settlement and before its payment the brake holds for longer
/// than each may take: nothing is late, void or lost, and the network goes on from where it was.
#[test]
fn nothing_is_forfeited_under_the_brake() {
    run("local_testnet", |chain| {
        let network = Network::start(chain);
        let (gateway, key) = (network.gateway.id(), network.gateway.agent_key);
        let trees = network.trees(1, 1_000);
        let amount = trees.commitment(gateway, Epoch(1)).customers.sum.amount;
        let record = || Billing::commitment(&gateway, Epoch(1)).expect("it is kept");

        chain.run_to(2, 0);
        brake(chain);
        network.commit(chain, &trees);
        assert_eq!(status(&network, 1), Some(CommitmentStatus::Pending));
        assert_eq!(record().late, 0);

        network.pass(chain);
        let before = prepaid();
        let settle =
            || Submitter::settle(&key, gateway, Epoch(1), page(&trees, TreeKind::Customers));
        assert_eq!(settle(), Ok(()));
        let stopped = chain.submitted().remove(0);
        enter();
        chain.blocks(TWELVE_EPOCHS);
        assert_eq!(settle(), Err(SubmitError::Stopped));
        let filtered = frame_system::Error::<Runtime>::CallFiltered;
        assert_eq!(chain.block([stopped]), [Ok(Err(filtered.into()))]);
        assert_eq!(status(&network, 1), Some(CommitmentStatus::Pending));
        assert_eq!(prepaid(), before);
        leave();
        assert_eq!(settle(), Ok(()));
        chain.apply_submitted();
        assert_eq!(before - prepaid(), amount);

        network.credit(chain, &trees);
        chain.run_to(ACCEPTED + hold_back(), 0);
        brake(chain);
        network.credit(chain, &trees);
        assert_eq!(status(&network, 1), Some(CommitmentStatus::Credited));
        let books = pallet_edge_billing::RunningTotals::<Runtime>::get().books;
        assert_eq!(
            (books.charged, books.escrow, books.refunded),
            (amount, 0, 0)
        );
    });
}

/// An epoch in which the clock stood still was as much longer for those who look at the calendar.
#[test]
fn invoices_tell_block_time() {
    run("local_testnet", |chain| {
        Network::start(chain);
        chain.run_to(2, 1);
        let began = UsageClock::block_time().0;
        brake(chain);
        let stood = u64::from(TWELVE_EPOCHS) * SLOT_MILLIS;
        assert_eq!(UsageClock::block_time().0, began + stood);
        chain.run_to(4, 0);
        let period = |epoch| {
            let head = views::invoice_head(account(CUSTOMER), Epoch(epoch)).expect("it ended");
            (head.from.0, head.to.0)
        };
        let length = UsageClock::length().0;
        for (epoch, lasted) in [(1, length), (2, length + stood), (3, length)] {
            let (from, to) = period(epoch);
            assert_eq!(to - from, lasted, "epoch {epoch}");
        }
        assert_eq!(period(1).1, period(2).0);
        assert_eq!(period(3).1, UsageClock::epoch_start().0);
    });
}

/// Blocks are made, sessions end, and who signs two blocks leaves the set.
#[test]
fn the_brake_stops_neither_blocks_nor_rotation() {
    run("local_testnet", |chain| {
        chain.blocks(3);
        enter();
        let before = progress();
        let (block, session) = (System::block_number(), Session::current_index());
        // The block with the report is not the offender's own: it could not be finalised.
        if chain.next_author() == index_of_offender() {
            chain.block([]);
        }
        let outcome = chain.block([report(chain.slot())]).remove(0);
        assert_ok!(outcome.expect("it is valid"));
        chain.blocks(60);
        assert!(System::block_number() > block + 60);
        assert!(Session::current_index() > session + 2);
        let offender: AccountId = OFFENDER.1.to_account_id();
        assert!(!Session::validators().contains(&offender));
        assert_eq!(Session::validators().len(), 3);
        assert_eq!(progress(), before);
    });
}

/// A brake that nobody releases ends by itself, and time goes on with it.
#[test]
fn time_goes_on_when_the_brake_expires() {
    run("local_testnet", |chain| {
        chain.blocks(2);
        enter();
        pallet_safe_mode::EnteredUntil::<Runtime>::put(System::block_number() + 50);
        let before = UsageClock::now();
        chain.blocks(50);
        assert_eq!(UsageClock::now(), before);
        chain.blocks(10);
        assert!(!SafeMode::is_entered());
        assert_eq!(UsageClock::now(), Millis(before.0 + 10 * SLOT_MILLIS));
    });
}

/// A chain that stood still for a day goes on in the epoch after the one it stopped in, and what
/// was committed can still be settled.
#[test]
fn a_stop_of_the_chain_forfeits_nothing() {
    run("local_testnet", |chain| {
        let network = Network::start(chain);
        let trees = network.trees(1, 1_000);
        chain.run_to(2, 0);
        network.commit(chain, &trees);
        chain.stop(24 * 3_600_000 / SLOT_MILLIS);
        chain.blocks(1);
        assert_eq!(UsageClock::current(), Epoch(3));
        // Its window closed with the stop, and no randomness came before the next closed: nobody is drawn.
        chain.run_to(4, 0);
        chain.blocks(2);
        let before = prepaid();
        network.settle(chain, &trees);
        assert_eq!(status(&network, 1), Some(CommitmentStatus::HeldBack));
        assert!(prepaid() < before);
    });
}
