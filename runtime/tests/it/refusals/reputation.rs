//! Probes, nodes that are out, and disputed regions.

use super::{
    by, row,
    scene::{Scene, CACHE, CUSTOMER, GATEWAY, OPERATOR, SPARE, STRANGER},
    Attempt,
    Fault::*,
    Refusal, Row, Table,
};
use pallet_edge_reputation::{
    types::{Exclusion, Reason},
    Call, Error, Out,
};
use pallet_edge_traits::StakeInspect;
use selvedge_primitives_types::{
    probe::MAX_PROBES, DeviceId, Domain, Epoch, Probe, ProbeReport, Signature64,
};
use selvedge_runtime::{NodeStaking, Reputation, Runtime};
use sp_keyring::Sr25519Keyring;
use sp_runtime::{transaction_validity::InvalidTransaction, TokenError};

type Refused = Error<Runtime>;

/// No device has it.
const NO_DEVICE: DeviceId = DeviceId([9; 32]);

/// A probe that nobody answered.
fn silence(probed: DeviceId) -> Probe {
    Probe {
        probed,
        answer: None,
        fetch: None,
    }
}

/// What the first gateway has to say in epoch 1, of which half has passed: nobody answered it.
fn report(scene: &mut Scene<'_>) -> ProbeReport {
    scene.at(1, 2);
    // Probers are enrolled over some blocks, of which a leap makes few.
    scene.chain.blocks(5);
    let prober = scene.id(GATEWAY);
    let probes: Vec<_> = Reputation::duty_of(&prober)
        .into_iter()
        .map(silence)
        .collect();
    assert!(probes.len() > 1, "it was drawn for several nodes");
    ProbeReport {
        prober,
        epoch: Epoch(1),
        probes,
    }
}

/// A report as the agent of a device signs it.
fn signed(scene: &Scene<'_>, place: usize, report: ProbeReport) -> Call<Runtime> {
    let agent = scene.node(place);
    Call::report_probes {
        prober: report.prober,
        epoch: report.epoch,
        signature: agent.sign_agent(Domain::ProbeReport, &report),
        probes: report.probes.try_into().expect("they are few"),
    }
}

/// The report with something changed before the agent signs it.
fn changed(scene: &mut Scene<'_>, change: impl FnOnce(&mut ProbeReport)) -> Attempt {
    let mut report = report(scene);
    change(&mut report);
    Attempt::Brought(signed(scene, GATEWAY, report).into())
}

fn rejoin(signer: Sr25519Keyring, device: DeviceId) -> Attempt {
    by(signer, Call::rejoin { device })
}

fn dispute(signer: Sr25519Keyring, device: DeviceId) -> Attempt {
    by(signer, Call::dispute_region { device })
}

fn withdraw(signer: Sr25519Keyring, device: DeviceId) -> Attempt {
    by(signer, Call::withdraw_dispute { device })
}

/// The first gateway is out since epoch 1.
fn put_out(scene: &mut Scene<'_>) -> DeviceId {
    scene.at(1, 0);
    let device = scene.id(GATEWAY);
    let (stake, _) = NodeStaking::stake_of(&device).expect("it is active");
    let exclusion = Exclusion {
        device,
        since: Epoch(1),
        reason: Reason::Unavailable,
    };
    Out::<Runtime>::insert(stake, exclusion);
    device
}

/// The first cache's region is disputed.
fn disputed(scene: &mut Scene<'_>) -> DeviceId {
    scene.at(1, 0);
    let device = scene.id(CACHE);
    scene.send(CUSTOMER, Call::dispute_region { device });
    device
}

pub fn table() -> Table {
    Table {
        pallet: "Reputation",
        rows: [probes(), standing(), disputes()]
            .into_iter()
            .flatten()
            .collect(),
        never: vec![
            ("rejoin", &[Zero, Maximum], "it names a device alone"),
            ("rejoin", &[TooLate], "who is out may rejoin at any time"),
            (
                "dispute_region",
                &[NotTheirs],
                "anybody may doubt where a node is",
            ),
            ("dispute_region", &[Maximum], "it names a device alone"),
            (
                "dispute_region",
                &[TooLate],
                "as long as a node serves it may be disputed",
            ),
            (
                "withdraw_dispute",
                &[Zero, Maximum],
                "it names a device alone",
            ),
            (
                "withdraw_dispute",
                &[TooLate],
                "a bond that no era decided about waits for ever",
            ),
        ],
    }
}

fn probes() -> Vec<Row> {
    use InvalidTransaction::{BadProof, BadSigner, Call as Malformed, Future, Stale};
    let call = "report_probes";
    let kept_out = Refusal::Invalid;
    vec![
        row(call, NotTheirs, kept_out(BadProof), |scene| {
            let report = report(scene);
            Attempt::Brought(signed(scene, GATEWAY + 1, report).into())
        }),
        row(call, NotTheirs, kept_out(BadProof), |scene| {
            let report = report(scene);
            let mut call = signed(scene, GATEWAY, report);
            if let Call::report_probes { signature, .. } = &mut call {
                *signature = Signature64([0; 64]);
            }
            Attempt::Brought(call.into())
        }),
        row(call, NotTheirs, kept_out(BadSigner), |scene| {
            // A cache probes nobody.
            let prober = scene.id(CACHE);
            changed(scene, |report| report.prober = prober)
        }),
        row(call, Zero, kept_out(Malformed), |scene| {
            changed(scene, |report| report.probes.clear())
        }),
        row(call, Maximum, kept_out(BadSigner), |scene| {
            changed(scene, |report| {
                let devices = (0..MAX_PROBES as u8).map(|place| DeviceId([place; 32]));
                report.probes = devices.map(silence).collect();
            })
        }),
        row(call, UnknownId, kept_out(BadSigner), |scene| {
            changed(scene, |report| report.probes = vec![silence(NO_DEVICE)])
        }),
        row(call, UnknownId, kept_out(BadSigner), |scene| {
            changed(scene, |report| report.prober = NO_DEVICE)
        }),
        row(call, Repeated, kept_out(Stale), |scene| {
            let report = report(scene);
            let first = signed(scene, GATEWAY, report.clone());
            scene.bring(first);
            Attempt::Brought(signed(scene, GATEWAY, report).into())
        }),
        row(call, OutOfOrder, kept_out(Malformed), |scene| {
            changed(scene, |report| report.probes.reverse())
        }),
        row(call, TooEarly, kept_out(Future), |scene| {
            changed(scene, |report| report.epoch = Epoch(2))
        }),
        row(call, TooEarly, kept_out(Future), |scene| {
            let mut report = report(scene);
            report.epoch = Epoch(2);
            scene.at(2, 1);
            Attempt::Brought(signed(scene, GATEWAY, report).into())
        }),
        row(call, TooLate, kept_out(Stale), |scene| {
            let report = report(scene);
            scene.at(2, 0);
            Attempt::Brought(signed(scene, GATEWAY, report).into())
        }),
    ]
}

fn standing() -> Vec<Row> {
    let call = "rejoin";
    vec![
        row(call, NotTheirs, Refused::NotOperator, |scene| {
            let device = put_out(scene);
            scene.at(2, 0);
            rejoin(STRANGER, device)
        }),
        row(call, UnknownId, Refused::UnknownDevice, |_| {
            rejoin(OPERATOR, NO_DEVICE)
        }),
        row(call, Repeated, Refused::NotOut, |scene| {
            let device = put_out(scene);
            scene.at(2, 0);
            scene.send(OPERATOR, Call::rejoin { device });
            rejoin(OPERATOR, device)
        }),
        row(call, OutOfOrder, Refused::NotOut, |scene| {
            rejoin(OPERATOR, scene.id(GATEWAY))
        }),
        row(call, TooEarly, Refused::TooSoon, |scene| {
            let device = put_out(scene);
            rejoin(OPERATOR, device)
        }),
    ]
}

fn disputes() -> Vec<Row> {
    let (call, withdrawn) = ("dispute_region", "withdraw_dispute");
    vec![
        row(call, Zero, TokenError::FundsUnavailable, |scene| {
            scene.at(1, 0);
            dispute(Sr25519Keyring::One, scene.id(CACHE))
        }),
        row(call, UnknownId, Refused::UnknownDevice, |_| {
            dispute(CUSTOMER, NO_DEVICE)
        }),
        row(call, Repeated, Refused::AlreadyDisputed, |scene| {
            let device = disputed(scene);
            dispute(STRANGER, device)
        }),
        row(call, OutOfOrder, Refused::NotProbed, |scene| {
            let device = put_out(scene);
            dispute(CUSTOMER, device)
        }),
        // Registered, and not staked yet.
        row(call, TooEarly, Refused::NotProbed, |scene| {
            let register = super::nodes::registers(scene, SPARE, STRANGER);
            scene.send(STRANGER, register);
            dispute(CUSTOMER, scene.id(SPARE))
        }),
        row(withdrawn, NotTheirs, Refused::NotDisputant, |scene| {
            let device = disputed(scene);
            withdraw(STRANGER, device)
        }),
        row(withdrawn, UnknownId, Refused::NotDisputed, |_| {
            withdraw(CUSTOMER, NO_DEVICE)
        }),
        row(withdrawn, Repeated, Refused::NotDisputed, |scene| {
            let device = disputed(scene);
            scene.at(10, 0);
            scene.send(CUSTOMER, Call::withdraw_dispute { device });
            withdraw(CUSTOMER, device)
        }),
        row(withdrawn, OutOfOrder, Refused::NotDisputed, |scene| {
            withdraw(CUSTOMER, scene.id(CACHE))
        }),
        row(withdrawn, TooEarly, Refused::StillOpen, |scene| {
            let device = disputed(scene);
            withdraw(CUSTOMER, device)
        }),
    ]
}
