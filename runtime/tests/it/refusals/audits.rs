//! Proofs of fraud, and what agents and challengers send about audits.

use super::{
    auditors, by, canaries, row,
    scene::{Scene, CACHE, GATEWAY, STRANGER},
    Attempt,
    Fault::*,
    Table,
};
use pallet_edge_audits::{Call, Error};
use pallet_edge_traits::HostKeccak;
use selvedge_primitives_math::{
    fraud::{FraudProof, OpenedEntry},
    proof::MAX_SIBLINGS,
    TreeKind, UsageTrees,
};
use selvedge_primitives_types::{DeviceId, Epoch, Hash};
use selvedge_runtime::Runtime;

type Refused = Error<Runtime>;

/// An entry of a commitment, as if it were a defect.
pub fn entry(trees: &UsageTrees) -> OpenedEntry {
    let tree = TreeKind::Customers;
    OpenedEntry {
        entry: trees.entries(tree)[0],
        proof: trees.prove_entries::<HostKeccak>(tree, 0, 1),
    }
}

fn report(gateway: DeviceId, entry: OpenedEntry) -> Attempt {
    let proof = FraudProof::Entry {
        tree: TreeKind::Customers,
        entry,
    };
    let call = Call::report_fraud {
        gateway,
        epoch: Epoch(0),
        proof: proof.into(),
    };
    by(STRANGER, call)
}

/// The gateway has committed to a service that there is not.
pub fn fraud(scene: &mut Scene<'_>) -> OpenedEntry {
    let mut leaves = scene.trees().leaves().to_vec();
    for leaf in &mut leaves {
        leaf.body.service.0 += 1_000;
    }
    let trees = UsageTrees::build::<HostKeccak>(leaves).expect("distinct leaves");
    scene.at(1, 0);
    let commit = scene.commitment(&trees);
    scene.bring(commit);
    entry(&trees)
}

pub fn table() -> Table {
    let mut rows = vec![
        row("report_fraud", Zero, Refused::NothingWrong, |scene| {
            let trees = scene.committed();
            report(scene.id(GATEWAY), entry(&trees))
        }),
        row("report_fraud", Zero, Refused::ProofInvalid, |scene| {
            let mut entry = fraud(scene);
            entry.proof.siblings.clear();
            report(scene.id(GATEWAY), entry)
        }),
        row("report_fraud", Maximum, Refused::ProofInvalid, |scene| {
            let mut entry = fraud(scene);
            let more = entry.proof.siblings[0];
            entry.proof.siblings.resize(MAX_SIBLINGS, more);
            report(scene.id(GATEWAY), entry)
        }),
        row(
            "report_fraud",
            UnknownId,
            Refused::UnknownCommitment,
            |scene| {
                let entry = fraud(scene);
                report(scene.id(CACHE), entry)
            },
        ),
        row(
            "report_fraud",
            Repeated,
            Refused::AlreadyReported,
            |scene| {
                let entry = fraud(scene);
                let gateway = scene.id(GATEWAY);
                let Attempt::Signed(reporter, call) = report(gateway, entry.clone()) else {
                    unreachable!("a report is signed");
                };
                scene.send(reporter, call);
                report(gateway, entry)
            },
        ),
        row("report_fraud", OutOfOrder, Refused::ProofInvalid, |scene| {
            let mut entry = fraud(scene);
            entry.entry.leaves_root = Hash::default();
            report(scene.id(GATEWAY), entry)
        }),
        row(
            "report_fraud",
            TooEarly,
            Refused::UnknownCommitment,
            |scene| {
                let trees = scene.trees();
                scene.at(1, 0);
                report(scene.id(GATEWAY), entry(&trees))
            },
        ),
        row("report_fraud", TooLate, Refused::TooOld, |scene| {
            let entry = fraud(scene);
            scene.at(168, 0);
            report(scene.id(GATEWAY), entry)
        }),
    ];
    rows.extend(auditors::rows());
    rows.extend(canaries::rows());
    Table {
        pallet: "Audits",
        rows,
        never: vec![
            (
                "report_fraud",
                &[NotTheirs],
                "anybody may prove what is wrong",
            ),
            ("vote", &[Zero], "a seal may be any bytes"),
            (
                "name_canary",
                &[NotTheirs, Zero, UnknownId, OutOfOrder, TooEarly, TooLate],
                "a seal may be any bytes, and hides what it names",
            ),
            (
                "forget_canary",
                &[NotTheirs, Zero, Maximum, TooEarly, TooLate],
                "a seal may be any bytes, and a name may go at any time",
            ),
            (
                "pledge",
                &[Zero, Maximum, Repeated, TooEarly, TooLate],
                "a seal may be any bytes, and the oldest pledge makes room",
            ),
            (
                "open_canary",
                &[NotTheirs],
                "anybody who knows what was hidden may show it",
            ),
            (
                "challenge_leaf",
                &[NotTheirs],
                "anybody may force a leaf on chain",
            ),
        ],
    }
}
