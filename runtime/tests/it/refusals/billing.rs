//! Prepaid accounts, and usage from the commitment to the claim.

use super::{
    by, row,
    scene::{Scene, CUSTOMER, GATEWAY, OPERATOR, STRANGER},
    Attempt,
    Fault::*,
    Refusal, Table,
};
use pallet_edge_billing::{agent::commit_payload, types::VoidReason, Call, Error};
use pallet_edge_governance::Origin;
use pallet_edge_services::Call as Services;
use selvedge_primitives_types::{DeviceId, Epoch, Planck, Signature64, UsageCommitment};
use selvedge_runtime::{
    configs::params::{dynamic_params::billing, RuntimeParameters},
    constants::currency::SEL,
    AccountId, Runtime,
};
use sp_runtime::{transaction_validity::InvalidTransaction, TokenError};

type Refused = Error<Runtime>;

/// Nobody's.
fn nobody() -> AccountId {
    AccountId::new([0x77; 32])
}

/// No gateway has it.
const NO_GATEWAY: DeviceId = DeviceId([9; 32]);

fn deposit(amount: Planck) -> Call<Runtime> {
    Call::deposit { amount }
}

fn withdraw(amount: Planck) -> Call<Runtime> {
    Call::withdraw { amount }
}

fn poke(account: AccountId) -> Call<Runtime> {
    Call::poke { account }
}

/// The customer's account is closed.
fn closed(scene: &mut Scene<'_>) {
    scene.deposit();
    scene.send(CUSTOMER, Call::close {});
}

fn brought(call: Call<Runtime>) -> Attempt {
    Attempt::Brought(call.into())
}

/// The honest commitment of epoch 0 with something changed before the agent signs it.
fn changed(scene: &mut Scene<'_>, change: impl FnOnce(&mut UsageCommitment)) -> Attempt {
    let trees = scene.trees();
    scene.at(1, 0);
    let mut commitment = trees.commitment(scene.id(GATEWAY), Epoch(0));
    change(&mut commitment);
    let payload = commit_payload(&commitment);
    brought(Call::commit_usage {
        agent_signature: scene.node(GATEWAY).sign_as_agent(&payload),
        commitment: commitment.into(),
    })
}

/// A page with other words than were said.
fn of(page: Call<Runtime>, change: impl FnOnce(&mut DeviceId, &mut Paged)) -> Call<Runtime> {
    let mut page = page;
    if let Call::settle {
        gateway,
        entries,
        proof,
        agent_signature,
        ..
    }
    | Call::credit {
        gateway,
        entries,
        proof,
        agent_signature,
        ..
    }
    | Call::refund {
        gateway,
        entries,
        proof,
        agent_signature,
        ..
    } = &mut page
    {
        let mut paged = Paged {
            start: proof.start,
            is_empty: false,
            signature: None,
        };
        change(gateway, &mut paged);
        proof.start = paged.start;
        *agent_signature = paged.signature;
        if paged.is_empty {
            *entries = Default::default();
            proof.siblings.clear();
        }
    }
    page
}

struct Paged {
    start: u32,
    is_empty: bool,
    signature: Option<Signature64>,
}

fn of_nobody(page: Call<Runtime>) -> Call<Runtime> {
    of(page, |gateway, _| *gateway = NO_GATEWAY)
}

fn emptied(page: Call<Runtime>) -> Call<Runtime> {
    of(page, |_, page| page.is_empty = true)
}

fn at_the_end_of_all(page: Call<Runtime>) -> Call<Runtime> {
    of(page, |_, page| page.start = u32::MAX)
}

fn signed_by_another(page: Call<Runtime>) -> Call<Runtime> {
    of(page, |_, page| page.signature = Some(Signature64([1; 64])))
}

fn void(gateway: DeviceId) -> Attempt {
    let call = Call::<Runtime>::void {
        gateway,
        epoch: Epoch(0),
        reason: VoidReason::Ruled,
    };
    Attempt::Decided(Origin::Brake, call.into())
}

pub fn table() -> Table {
    let mut rows = accounts();
    rows.extend(commitments());
    rows.extend(pages());
    rows.extend(claims());
    rows.extend(referrals());
    rows.extend(first_earnings());
    let any_time = "it may be done at any time";
    let own = "it is about the caller's own account";
    Table {
        pallet: "Billing",
        rows,
        never: vec![
            ("deposit", &[NotTheirs, UnknownId], own),
            ("deposit", &[Repeated], "each is a deposit of its own"),
            ("deposit", &[OutOfOrder, TooEarly, TooLate], any_time),
            ("withdraw", &[NotTheirs], own),
            ("withdraw", &[TooLate], any_time),
            ("close", &[NotTheirs], own),
            ("close", &[Zero, Maximum], "it takes no amount"),
            ("close", &[TooLate], any_time),
            ("poke", &[NotTheirs], "anyone may poke anyone"),
            ("poke", &[Zero, Maximum], "it takes no amount"),
            ("poke", &[Repeated, TooEarly, TooLate], any_time),
            (
                "deposit_referred",
                &[UnknownId],
                "a referrer needs no account yet",
            ),
            ("deposit_referred", &[TooEarly, TooLate], any_time),
            (
                "pay_referrals",
                &[NotTheirs],
                "anyone may have referrers paid",
            ),
            ("pay_referrals", &[Zero, Maximum], "it takes no amount"),
            (
                "pay_referrals",
                &[TooLate],
                "it happens by itself before the commitment is forgotten",
            ),
            ("release_first", &[NotTheirs], "anyone may have anyone paid"),
            ("release_first", &[Zero, Maximum], "it takes no amount"),
            (
                "release_first",
                &[OutOfOrder],
                "it follows the credit, and that is a matter of time",
            ),
            ("release_first", &[TooLate], "earnings wait for ever"),
            (
                "commit_usage",
                &[OutOfOrder],
                "epochs are committed in any order",
            ),
            ("refund", &[TooLate], "a refund waits for ever"),
            ("claim", &[NotTheirs, UnknownId], own),
            ("claim", &[Maximum], "it takes no amount"),
            (
                "claim",
                &[OutOfOrder],
                "it follows the credit, and that is a matter of time",
            ),
            ("claim", &[TooLate], "earnings wait for ever"),
            ("claim_for", &[NotTheirs], "anyone may have anyone paid"),
            ("claim_for", &[Zero, Maximum], "it takes no amount"),
            (
                "claim_for",
                &[OutOfOrder],
                "it follows the credit, and that is a matter of time",
            ),
            ("claim_for", &[TooLate], "earnings wait for ever"),
            (
                "void",
                &[NotTheirs],
                "the void origin may void any commitment",
            ),
            ("void", &[Zero, Maximum], "it takes no amount"),
            (
                "void",
                &[OutOfOrder, TooEarly],
                "a commitment may be void at once",
            ),
        ],
    }
}

fn accounts() -> Vec<super::Row> {
    vec![
        row("deposit", Zero, Refused::DepositTooSmall, |_| {
            by(CUSTOMER, deposit(0))
        }),
        row("deposit", Maximum, TokenError::FundsUnavailable, |_| {
            by(CUSTOMER, deposit(Planck::MAX))
        }),
        row("withdraw", Zero, Refused::AmountZero, |scene| {
            scene.deposit();
            by(CUSTOMER, withdraw(0))
        }),
        row("withdraw", Maximum, Refused::AboveWithdrawable, |scene| {
            scene.deposit();
            by(CUSTOMER, withdraw(Planck::MAX))
        }),
        row("withdraw", UnknownId, Refused::NoAccount, |_| {
            by(STRANGER, withdraw(1))
        }),
        row("withdraw", Repeated, Refused::AboveWithdrawable, |scene| {
            scene.deposit();
            scene.send(CUSTOMER, withdraw(200 * SEL));
            by(CUSTOMER, withdraw(200 * SEL))
        }),
        row("withdraw", OutOfOrder, Refused::AccountClosed, |scene| {
            closed(scene);
            by(CUSTOMER, withdraw(1))
        }),
        // Ten epochs of 10 SEL are reserved.
        row("withdraw", TooEarly, Refused::AboveWithdrawable, |scene| {
            scene.service();
            by(CUSTOMER, withdraw(200 * SEL + 1))
        }),
        row("close", UnknownId, Refused::NoAccount, |_| {
            by(STRANGER, Call::close {})
        }),
        row("close", Repeated, Refused::AccountClosed, |scene| {
            closed(scene);
            by(CUSTOMER, Call::close {})
        }),
        row("close", OutOfOrder, Refused::StillReserved, |scene| {
            scene.service();
            by(CUSTOMER, Call::close {})
        }),
        row("close", TooEarly, Refused::StillReserved, |scene| {
            let service = scene.service();
            scene.send(CUSTOMER, Services::pause { service });
            scene.at(6, 3);
            by(CUSTOMER, Call::close {})
        }),
        row("poke", UnknownId, Refused::NoAccount, |_| {
            by(STRANGER, poke(nobody()))
        }),
        row("poke", OutOfOrder, Refused::AccountClosed, |scene| {
            closed(scene);
            by(STRANGER, poke(CUSTOMER.to_account_id()))
        }),
    ]
}

fn commitments() -> Vec<super::Row> {
    use InvalidTransaction::{BadProof, BadSigner, Future, Stale};
    let kept_out = Refusal::Invalid;
    vec![
        row("commit_usage", NotTheirs, kept_out(BadProof), |scene| {
            let trees = scene.trees();
            scene.at(1, 0);
            let commitment = trees.commitment(scene.id(GATEWAY), Epoch(0));
            let other = scene.node(GATEWAY + 1);
            brought(Call::commit_usage {
                agent_signature: other.sign_as_agent(&commit_payload(&commitment)),
                commitment: commitment.into(),
            })
        }),
        row(
            "commit_usage",
            Zero,
            kept_out(InvalidTransaction::Call),
            |scene| changed(scene, |commitment| commitment.customers.entries = 0),
        ),
        row(
            "commit_usage",
            Maximum,
            kept_out(InvalidTransaction::Call),
            |scene| changed(scene, |commitment| commitment.customers.entries = u32::MAX),
        ),
        row(
            "commit_usage",
            Maximum,
            kept_out(InvalidTransaction::Call),
            |scene| {
                changed(scene, |commitment| {
                    commitment.customers.sum.amount = Planck::MAX
                })
            },
        ),
        row("commit_usage", UnknownId, kept_out(BadSigner), |scene| {
            changed(scene, |commitment| commitment.gateway = NO_GATEWAY)
        }),
        row("commit_usage", Repeated, kept_out(Stale), |scene| {
            let trees = scene.committed();
            brought(scene.commitment(&trees))
        }),
        row("commit_usage", TooEarly, kept_out(Future), |scene| {
            let trees = scene.trees();
            brought(scene.commitment(&trees))
        }),
        row("commit_usage", TooLate, kept_out(Stale), |scene| {
            let trees = scene.trees();
            scene.at(5, 0);
            brought(scene.commitment(&trees))
        }),
        row("void", UnknownId, Refused::UnknownCommitment, |scene| {
            scene.committed();
            void(NO_GATEWAY)
        }),
        row("void", Repeated, Refused::NotVoidable, |scene| {
            scene.voided();
            void(scene.id(GATEWAY))
        }),
        row("void", TooLate, Refused::NotVoidable, |scene| {
            scene.credited();
            void(scene.id(GATEWAY))
        }),
    ]
}

fn pages() -> Vec<super::Row> {
    let bad_proof = || Refusal::Invalid(InvalidTransaction::BadProof);
    vec![
        row("settle", Zero, Refused::ProofInvalid, |scene| {
            let trees = scene.committed();
            scene.at(1, 2);
            by(STRANGER, emptied(scene.settle(&trees, 0, 2)))
        }),
        row("settle", NotTheirs, bad_proof(), |scene| {
            let trees = scene.committed();
            scene.at(1, 2);
            brought(signed_by_another(scene.settle(&trees, 0, 2)))
        }),
        row("settle", Maximum, Refused::PageOutOfOrder, |scene| {
            let trees = scene.committed();
            scene.at(1, 2);
            by(STRANGER, at_the_end_of_all(scene.settle(&trees, 0, 2)))
        }),
        row("settle", UnknownId, Refused::UnknownCommitment, |scene| {
            let trees = scene.committed();
            by(STRANGER, of_nobody(scene.settle(&trees, 0, 2)))
        }),
        row("settle", Repeated, Refused::NotSettling, |scene| {
            let trees = scene.settled();
            by(STRANGER, scene.settle(&trees, 0, 2))
        }),
        row("settle", Repeated, Refused::PageOutOfOrder, |scene| {
            let trees = scene.committed();
            scene.at(1, 2);
            let first = scene.settle(&trees, 0, 1);
            scene.send(STRANGER, first.clone());
            by(STRANGER, first)
        }),
        row("settle", OutOfOrder, Refused::PageOutOfOrder, |scene| {
            let trees = scene.committed();
            scene.at(1, 2);
            by(STRANGER, scene.settle(&trees, 1, 1))
        }),
        row("settle", TooEarly, Refused::NotAccepted, |scene| {
            let trees = scene.committed();
            by(STRANGER, scene.settle(&trees, 0, 2))
        }),
        // The first page that comes too late makes it void; the next is refused.
        row("settle", TooLate, Refused::NotSettling, |scene| {
            let trees = scene.committed();
            scene.at(7, 0);
            let late = scene.settle(&trees, 0, 2);
            scene.send(STRANGER, late.clone());
            by(STRANGER, late)
        }),
        row("credit", Zero, Refused::ProofInvalid, |scene| {
            let trees = scene.settled();
            by(STRANGER, emptied(scene.credit(&trees, 0, 2)))
        }),
        row("credit", NotTheirs, bad_proof(), |scene| {
            let trees = scene.settled();
            brought(signed_by_another(scene.credit(&trees, 0, 2)))
        }),
        row("credit", Maximum, Refused::PageOutOfOrder, |scene| {
            let trees = scene.settled();
            by(STRANGER, at_the_end_of_all(scene.credit(&trees, 0, 2)))
        }),
        row("credit", UnknownId, Refused::UnknownCommitment, |scene| {
            let trees = scene.settled();
            by(STRANGER, of_nobody(scene.credit(&trees, 0, 2)))
        }),
        row("credit", Repeated, Refused::NotCreditable, |scene| {
            let trees = scene.credited();
            by(STRANGER, scene.credit(&trees, 0, 2))
        }),
        row("credit", OutOfOrder, Refused::NotCreditable, |scene| {
            let trees = scene.committed();
            by(STRANGER, scene.credit(&trees, 0, 2))
        }),
        row("credit", OutOfOrder, Refused::PageOutOfOrder, |scene| {
            let trees = scene.settled();
            by(STRANGER, scene.credit(&trees, 1, 1))
        }),
        row("credit", TooEarly, Refused::StillHeldBack, |scene| {
            let trees = scene.settled();
            let credit = scene.credit(&trees, 0, 2);
            scene.send(STRANGER, credit.clone());
            scene.at(4, 3);
            by(STRANGER, credit)
        }),
        // Caches that are not shown within seven epochs of maturity make it void.
        row("credit", TooLate, Refused::NotCreditable, |scene| {
            let trees = scene.settled();
            scene.at(12, 0);
            let late = scene.credit(&trees, 0, 2);
            scene.send(STRANGER, late.clone());
            by(STRANGER, late)
        }),
        row("refund", Zero, Refused::ProofInvalid, |scene| {
            let trees = scene.voided();
            by(STRANGER, emptied(scene.refund(&trees, 0, 2)))
        }),
        row("refund", NotTheirs, bad_proof(), |scene| {
            let trees = scene.voided();
            brought(signed_by_another(scene.refund(&trees, 0, 2)))
        }),
        row("refund", Maximum, Refused::PageOutOfOrder, |scene| {
            let trees = scene.voided();
            by(STRANGER, at_the_end_of_all(scene.refund(&trees, 0, 2)))
        }),
        row("refund", UnknownId, Refused::UnknownCommitment, |scene| {
            let trees = scene.voided();
            by(STRANGER, of_nobody(scene.refund(&trees, 0, 2)))
        }),
        row("refund", Repeated, Refused::NotRefunding, |scene| {
            let trees = scene.voided();
            let refund = scene.refund(&trees, 0, 2);
            scene.send(STRANGER, refund.clone());
            by(STRANGER, refund)
        }),
        row("refund", OutOfOrder, Refused::PageOutOfOrder, |scene| {
            let trees = scene.voided();
            by(STRANGER, scene.refund(&trees, 1, 1))
        }),
        row("refund", TooEarly, Refused::NotRefunding, |scene| {
            let trees = scene.settled();
            by(STRANGER, scene.refund(&trees, 0, 2))
        }),
    ]
}

fn claims() -> Vec<super::Row> {
    vec![
        row("claim", Zero, Refused::NothingToClaim, |_| {
            by(STRANGER, Call::claim {})
        }),
        row("claim", Repeated, Refused::NothingToClaim, |scene| {
            scene.credited();
            scene.send(OPERATOR, Call::claim {});
            by(OPERATOR, Call::claim {})
        }),
        row("claim", TooEarly, Refused::NothingToClaim, |scene| {
            scene.settled();
            by(OPERATOR, Call::claim {})
        }),
        row("claim_for", UnknownId, Refused::NothingToClaim, |_| {
            let account = nobody();
            by(STRANGER, Call::claim_for { account })
        }),
        row("claim_for", Repeated, Refused::NothingToClaim, |scene| {
            scene.credited();
            let account = OPERATOR.to_account_id();
            scene.send(OPERATOR, Call::claim {});
            by(STRANGER, Call::claim_for { account })
        }),
        row("claim_for", TooEarly, Refused::NothingToClaim, |scene| {
            scene.settled();
            let account = OPERATOR.to_account_id();
            by(STRANGER, Call::claim_for { account })
        }),
    ]
}

fn with_referrer(amount: Planck, referrer: AccountId) -> Call<Runtime> {
    Call::deposit_referred { amount, referrer }
}

fn pay_referrals(gateway: DeviceId) -> Call<Runtime> {
    let epoch = Epoch(0);
    Call::pay_referrals { gateway, epoch }
}

fn referrals() -> Vec<super::Row> {
    vec![
        row("deposit_referred", NotTheirs, Refused::OwnReferrer, |_| {
            by(CUSTOMER, with_referrer(SEL, CUSTOMER.to_account_id()))
        }),
        row("deposit_referred", Zero, Refused::DepositTooSmall, |_| {
            by(CUSTOMER, with_referrer(0, nobody()))
        }),
        row(
            "deposit_referred",
            Maximum,
            TokenError::FundsUnavailable,
            |_| by(CUSTOMER, with_referrer(Planck::MAX, nobody())),
        ),
        row(
            "deposit_referred",
            Repeated,
            Refused::AlreadyOpened,
            |scene| {
                scene.send(CUSTOMER, with_referrer(SEL, nobody()));
                by(CUSTOMER, with_referrer(SEL, nobody()))
            },
        ),
        row(
            "deposit_referred",
            OutOfOrder,
            Refused::AlreadyOpened,
            |scene| {
                scene.deposit();
                by(CUSTOMER, with_referrer(SEL, nobody()))
            },
        ),
        row(
            "pay_referrals",
            UnknownId,
            Refused::UnknownCommitment,
            |scene| {
                scene.credited();
                by(STRANGER, pay_referrals(NO_GATEWAY))
            },
        ),
        row(
            "pay_referrals",
            Repeated,
            Refused::NothingToClaim,
            |scene| {
                scene.send(CUSTOMER, with_referrer(SEL, nobody()));
                scene.credited();
                let pay = pay_referrals(scene.id(GATEWAY));
                scene.send(STRANGER, pay.clone());
                by(STRANGER, pay)
            },
        ),
        row("pay_referrals", OutOfOrder, Refused::NotCredited, |scene| {
            scene.send(CUSTOMER, with_referrer(SEL, nobody()));
            scene.voided();
            by(STRANGER, pay_referrals(scene.id(GATEWAY)))
        }),
        row("pay_referrals", TooEarly, Refused::NotCredited, |scene| {
            scene.send(CUSTOMER, with_referrer(SEL, nobody()));
            scene.settled();
            by(STRANGER, pay_referrals(scene.id(GATEWAY)))
        }),
    ]
}

/// What the first gateway earns is kept back for forty minutes.
fn kept_back(scene: &mut Scene<'_>) -> Call<Runtime> {
    let first = billing::Parameters::FirstHoldBack(billing::FirstHoldBack, Some(2_400_000));
    let parameter = RuntimeParameters::Billing(first);
    let origin = Origin::Parameters.into();
    frame_support::assert_ok!(selvedge_runtime::EdgeGovernance::set_parameter(
        origin, parameter
    ));
    scene.credited();
    let owner = OPERATOR.to_account_id();
    let device = scene.id(GATEWAY);
    Call::release_first { device, owner }
}

fn first_earnings() -> Vec<super::Row> {
    vec![
        row("release_first", UnknownId, Refused::NothingToClaim, |_| {
            let (device, owner) = (NO_GATEWAY, nobody());
            by(STRANGER, Call::release_first { device, owner })
        }),
        row(
            "release_first",
            Repeated,
            Refused::NothingToClaim,
            |scene| {
                let release = kept_back(scene);
                // Without probers nobody scores, so that its score is fair.
                scene.at(40, 1);
                scene.send(STRANGER, release.clone());
                by(STRANGER, release)
            },
        ),
        row("release_first", TooEarly, Refused::StillHeldBack, |scene| {
            let release = kept_back(scene);
            by(STRANGER, release)
        }),
    ]
}
