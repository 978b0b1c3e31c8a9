//! Vouchers and disputes.

use super::{
    by, row,
    scene::{Scene, CACHE, CUSTOMER, GATEWAY, STRANGER},
    Fault::*,
    Table,
};
use frame_support::{assert_ok, traits::Get};
use pallet_edge_billing::types::VoidReason;
use pallet_edge_claims::{Call, Error};
use pallet_edge_governance::Origin;
use pallet_edge_traits::CommitmentFate;
use selvedge_primitives_types::{
    DeviceId, Domain, Epoch, Planck, ServiceId, SignedVoucher, Voucher,
};
use selvedge_runtime::{
    configs::params::{dynamic_params::billing::UnsettledEpochs, StakeLiability},
    constants::currency::SEL,
    Billing, Runtime,
};

type Refused = Error<Runtime>;

/// No gateway has it.
const NO_GATEWAY: DeviceId = DeviceId([9; 32]);

/// What the gateway at a place signs that the first gateway owes the first cache for epoch 0.
fn voucher(scene: &Scene<'_>, signer: usize, seq: u64, amount: Planck) -> Call<Runtime> {
    let voucher = Voucher {
        epoch: Epoch(0),
        gateway: scene.id(GATEWAY),
        cache: scene.id(CACHE),
        seq,
        amount,
        ..Default::default()
    };
    let signature = scene.node(signer).sign(Domain::Voucher, &voucher);
    let voucher = SignedVoucher { voucher, signature };
    Call::redeem_voucher {
        voucher: voucher.into(),
        shown: None,
    }
}

/// Goes to where epoch 0 cannot be committed any more.
fn missing(scene: &mut Scene<'_>) {
    scene.at(UnsettledEpochs::get(), 0);
}

fn dispute(gateway: DeviceId, burn: Planck) -> Call<Runtime> {
    Call::dispute_line {
        gateway,
        epoch: Epoch(0),
        service: ServiceId(0),
        burn,
    }
}

fn close(gateway: DeviceId) -> Call<Runtime> {
    Call::close_dispute {
        gateway,
        epoch: Epoch(0),
        customer: CUSTOMER.to_account_id(),
        service: ServiceId(0),
    }
}

/// A line in hold-back that its customer disputes.
fn disputed(scene: &mut Scene<'_>) {
    scene.settled();
    let dispute = dispute(scene.id(GATEWAY), 1);
    scene.send(CUSTOMER, dispute);
}

pub fn table() -> Table {
    let mut rows = vouchers();
    rows.extend(disputes());
    let by_anyone = "anyone may call it, and whoever it is about has the money";
    Table {
        pallet: "Claims",
        rows,
        never: vec![
            (
                "redeem_voucher",
                &[Maximum],
                "beyond what the stake answers for a voucher is not paid",
            ),
            ("dispute_line", &[Zero], "a line may be looked at alone"),
            ("close_dispute", &[NotTheirs], by_anyone),
            ("close_dispute", &[Zero, Maximum], "it takes no amount"),
            ("close_dispute", &[TooLate], "it happens by itself"),
        ],
    }
}

fn vouchers() -> Vec<super::Row> {
    vec![
        row(
            "redeem_voucher",
            NotTheirs,
            Refused::SignatureInvalid,
            |scene| {
                missing(scene);
                by(STRANGER, voucher(scene, GATEWAY + 1, 1, SEL))
            },
        ),
        row("redeem_voucher", Zero, Refused::NothingDue, |scene| {
            missing(scene);
            by(STRANGER, voucher(scene, GATEWAY, 1, 0))
        }),
        row("redeem_voucher", UnknownId, Refused::NotActive, |scene| {
            missing(scene);
            let mut call = voucher(scene, GATEWAY, 1, SEL);
            if let Call::redeem_voucher { voucher, .. } = &mut call {
                voucher.voucher.gateway = NO_GATEWAY;
            }
            by(STRANGER, call)
        }),
        row("redeem_voucher", Repeated, Refused::Superseded, |scene| {
            missing(scene);
            let call = voucher(scene, GATEWAY, 1, SEL);
            scene.send(STRANGER, call.clone());
            by(STRANGER, call)
        }),
        row("redeem_voucher", OutOfOrder, Refused::Superseded, |scene| {
            missing(scene);
            let later = voucher(scene, GATEWAY, 2, SEL);
            scene.send(STRANGER, later);
            by(STRANGER, voucher(scene, GATEWAY, 1, SEL))
        }),
        row("redeem_voucher", TooEarly, Refused::NotDecided, |scene| {
            scene.at(UnsettledEpochs::get() - 1, 3);
            by(STRANGER, voucher(scene, GATEWAY, 1, SEL))
        }),
        // The time to settle, the hold-back and an era to redeem.
        row("redeem_voucher", TooLate, Refused::TooLate, |scene| {
            scene.at(StakeLiability::get() + 1, 0);
            by(STRANGER, voucher(scene, GATEWAY, 1, SEL))
        }),
    ]
}

fn disputes() -> Vec<super::Row> {
    vec![
        row("dispute_line", NotTheirs, Refused::NoHeldLine, |scene| {
            scene.settled();
            by(STRANGER, dispute(scene.id(GATEWAY), 0))
        }),
        row("dispute_line", Maximum, Refused::AboveHalf, |scene| {
            scene.settled();
            by(CUSTOMER, dispute(scene.id(GATEWAY), Planck::MAX))
        }),
        row("dispute_line", UnknownId, Refused::NoHeldLine, |scene| {
            scene.settled();
            by(CUSTOMER, dispute(NO_GATEWAY, 0))
        }),
        row(
            "dispute_line",
            Repeated,
            Refused::AlreadyDisputed,
            |scene| {
                disputed(scene);
                by(CUSTOMER, dispute(scene.id(GATEWAY), 0))
            },
        ),
        row("dispute_line", OutOfOrder, Refused::NoHeldLine, |scene| {
            scene.voided();
            by(CUSTOMER, dispute(scene.id(GATEWAY), 0))
        }),
        row("dispute_line", TooEarly, Refused::NoHeldLine, |scene| {
            scene.committed();
            by(CUSTOMER, dispute(scene.id(GATEWAY), 0))
        }),
        row("dispute_line", TooLate, Refused::TooLate, |scene| {
            scene.settled();
            let gateway = scene.id(GATEWAY);
            let customer = CUSTOMER.to_account_id();
            let line = Billing::held_line(&customer, ServiceId(0), &gateway, Epoch(0));
            scene.at(line.expect("it was settled").matures.0, 0);
            by(CUSTOMER, dispute(gateway, 0))
        }),
        row(
            "close_dispute",
            UnknownId,
            Refused::UnknownDispute,
            |scene| {
                disputed(scene);
                by(STRANGER, close(NO_GATEWAY))
            },
        ),
        row(
            "close_dispute",
            Repeated,
            Refused::UnknownDispute,
            |scene| {
                disputed(scene);
                let gateway = scene.id(GATEWAY);
                let voided = pallet_edge_billing::Pallet::<Runtime>::void(
                    Origin::Brake.into(),
                    gateway,
                    Epoch(0),
                    VoidReason::Ruled,
                );
                assert_ok!(voided);
                scene.send(STRANGER, close(gateway));
                by(STRANGER, close(gateway))
            },
        ),
        row(
            "close_dispute",
            OutOfOrder,
            Refused::UnknownDispute,
            |scene| {
                scene.settled();
                by(STRANGER, close(scene.id(GATEWAY)))
            },
        ),
        row("close_dispute", TooEarly, Refused::NotDecided, |scene| {
            disputed(scene);
            by(STRANGER, close(scene.id(GATEWAY)))
        }),
    ]
}
