//! Votes, reveals, leaves on chain and challenges.

use super::{
    audits::{entry, fraud},
    by, row,
    scene::{Scene, CACHE, CUSTOMER, GATEWAY, STRANGER},
    Attempt,
    Fault::*,
    Refusal, Row,
};
use crate::auditors::{device, opened, sign, ALL};
use frame_support::BoundedVec;
use pallet_edge_audits::{
    agent::{answer_payload, post_payload, prove_payload, reveal_payload, seal, vote_payload},
    types::{Auditor, Passed, Stage, Window},
    Audits as AuditOf, Call, Error, Queue, Windows,
};
use pallet_edge_traits::AuditDuties;
use selvedge_primitives_math::{
    draw::{Draw, Place},
    fraud::{FraudProof, OpenedEntry, OpenedLeaf},
    proof::MAX_SIBLINGS,
    TreeKind, UsageTrees,
};
use selvedge_primitives_types::{
    audit::MAX_VERDICTS, AuditVerdict, DeviceId, Epoch, Hash, Signature64, Verdict,
};
use selvedge_runtime::{Audits, Runtime};
use sp_keyring::Sr25519Keyring;
use sp_runtime::{
    transaction_validity::InvalidTransaction::{
        BadProof, BadSigner, Call as Refused, Future, Stale,
    },
    TokenError,
};

/// No device has it.
const NO_DEVICE: DeviceId = DeviceId([9; 32]);
const EPOCH: Epoch = Epoch(0);
const WINDOW: Epoch = Epoch(1);
const SALT: Hash = [5; 32];
/// Audits, and runs nothing else.
const AUDITOR: Sr25519Keyring = Sr25519Keyring::Alice;

fn panel(seed: Hash) -> Window<<Runtime as pallet_edge_audits::Config>::MaxPanel> {
    let mut panel = ALL.map(|key| Auditor {
        owner: key.to_account_id(),
        device: device(key),
    });
    panel.sort_by(|one, other| one.owner.cmp(&other.owner));
    Window {
        seed,
        panel: BoundedVec::truncate_from(panel.to_vec()),
    }
}

/// Sets how far the audit of the first gateway's commitment is, whatever it amounts to.
pub fn stage(scene: &Scene<'_>, stage: Stage, until: u64) {
    let gateway = scene.id(GATEWAY);
    Windows::<Runtime>::insert(WINDOW, panel([1; 32]));
    Queue::<Runtime>::insert(Epoch(until), (EPOCH, gateway), ());
    AuditOf::<Runtime>::mutate(EPOCH, gateway, |audit| {
        let audit = audit.as_mut().expect("it is committed");
        (audit.stage, audit.until) = (stage, Epoch(until));
    });
}

/// Auditors are drawn for what the gateway committed, and it is time to vote.
fn voting(scene: &mut Scene<'_>) -> UsageTrees {
    let trees = scene.committed();
    stage(scene, Stage::Voting(0), 2);
    scene.at(2, 1);
    trees
}

fn pass(gateway: DeviceId) -> Vec<AuditVerdict> {
    vec![AuditVerdict {
        gateway,
        epoch: EPOCH,
        verdict: Verdict::Ok { held: [3; 32] },
    }]
}

fn vote(auditor: DeviceId, round: u8, verdicts: &[AuditVerdict]) -> Call<Runtime> {
    let seal = seal(verdicts, &SALT);
    Call::vote {
        auditor,
        window: WINDOW,
        round,
        seal,
        agent_signature: sign(AUDITOR, &vote_payload(auditor, WINDOW, round, seal)),
    }
}

fn reveal(verdicts: Vec<AuditVerdict>) -> Call<Runtime> {
    let (auditor, seal) = (device(AUDITOR), seal(&verdicts, &SALT));
    Call::reveal {
        auditor,
        window: WINDOW,
        round: 0,
        verdicts: verdicts.try_into().expect("they are as many as may be"),
        salt: SALT,
        agent_signature: sign(AUDITOR, &reveal_payload(auditor, WINDOW, 0, seal)),
    }
}

/// The auditor has sealed these, and it is time to reveal them.
fn sealed(scene: &mut Scene<'_>, verdicts: &[AuditVerdict]) {
    voting(scene);
    scene.bring(vote(device(AUDITOR), 0, verdicts));
    scene.at(2, 2);
}

fn prove(auditor: DeviceId, gateway: DeviceId, entry: OpenedEntry) -> Call<Runtime> {
    let tree = TreeKind::Customers;
    let proof = FraudProof::Entry { tree, entry };
    Call::prove {
        auditor,
        gateway,
        epoch: EPOCH,
        agent_signature: sign(AUDITOR, &prove_payload(auditor, gateway, EPOCH, &proof)),
        proof: proof.into(),
    }
}

/// Auditors have voted on a commitment to a service that there is not, and proofs are heard.
fn false_claim(scene: &mut Scene<'_>) -> OpenedEntry {
    let entry = fraud(scene);
    stage(scene, Stage::Voting(0), 2);
    scene.at(2, 2);
    entry
}

/// The gateway owes leaves until the end of epoch 4; returns one of them, opened, and the trees.
fn owing_of(scene: &mut Scene<'_>) -> (UsageTrees, Draw, OpenedLeaf) {
    let trees = scene.committed();
    scene.at(4, 0);
    let due = Stage::LeavesDue {
        seed: [2; 32],
        shown: 0,
    };
    stage(scene, due, 4);
    let draw = Audits::leaves_due(&scene.id(GATEWAY))[0].draw;
    let leaf = opened(&trees, draw);
    (trees, draw, leaf)
}

fn owing(scene: &mut Scene<'_>) -> (Draw, OpenedLeaf) {
    let (_, draw, leaf) = owing_of(scene);
    (draw, leaf)
}

fn answer(scene: &Scene<'_>, gateway: DeviceId, draw: Draw, leaf: OpenedLeaf) -> Call<Runtime> {
    let payload = answer_payload(gateway, EPOCH, draw, &leaf);
    Call::answer {
        gateway,
        epoch: EPOCH,
        draw,
        agent_signature: scene.node(GATEWAY).sign_as_agent(&payload),
        leaf: leaf.into(),
    }
}

/// Another leaf of the same tree as a draw's, opened.
fn other(trees: &UsageTrees, draw: Draw) -> OpenedLeaf {
    let leaf = opened(trees, draw);
    let all = (0..4).map(|index| {
        let at = Place::Index(index);
        opened(trees, Draw { at, ..draw })
    });
    let mut others = all.filter(|other| *other != leaf);
    others.next().expect("there are four leaves")
}

/// The auditor passed the commitment and has to post a leaf until the end of epoch 4.
fn named(scene: &mut Scene<'_>) -> (UsageTrees, Draw) {
    let trees = scene.committed();
    scene.at(4, 0);
    stage(scene, Stage::Accepted { hold_backs: 1 }, 4);
    AuditOf::<Runtime>::mutate(EPOCH, scene.id(GATEWAY), |audit| {
        let passed = Passed {
            auditor: Auditor {
                owner: AUDITOR.to_account_id(),
                device: device(AUDITOR),
            },
            is_paid: true,
            has_posted: false,
        };
        let audit = audit.as_mut().expect("it is committed");
        audit.passed = BoundedVec::truncate_from(vec![passed]);
    });
    for seed in 0..=255 {
        Windows::<Runtime>::insert(Epoch(3), panel([seed; 32]));
        if let Some(due) = Audits::leaves_due(&device(AUDITOR)).first() {
            return (trees, due.draw);
        }
    }
    panic!("256 seeds name nobody");
}

fn post(auditor: DeviceId, gateway: DeviceId, leaf: OpenedLeaf) -> Call<Runtime> {
    let payload = post_payload(auditor, gateway, EPOCH, &leaf);
    Call::post_leaf {
        auditor,
        gateway,
        epoch: EPOCH,
        agent_signature: sign(AUDITOR, &payload),
        leaf: leaf.into(),
    }
}

fn challenge(scene: &Scene<'_>, at: Place) -> Call<Runtime> {
    Call::challenge_leaf {
        gateway: scene.id(GATEWAY),
        epoch: EPOCH,
        tree: TreeKind::Customers,
        at,
    }
}

fn brought(call: Call<Runtime>) -> Attempt {
    Attempt::Brought(call.into())
}

/// A path of as many nodes as there can be.
fn bloated(mut leaf: OpenedLeaf) -> OpenedLeaf {
    let more = leaf.proof.siblings[0];
    leaf.proof.siblings.resize(MAX_SIBLINGS, more);
    leaf
}

fn pathless(mut leaf: OpenedLeaf) -> OpenedLeaf {
    leaf.proof.siblings.clear();
    leaf
}

pub fn rows() -> Vec<Row> {
    [
        votes(),
        reveals(),
        proofs(),
        answers(),
        posts(),
        challenges(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn votes() -> Vec<Row> {
    let (call, kept_out) = ("vote", Refusal::Invalid);
    vec![
        row(call, NotTheirs, kept_out(BadSigner), |scene| {
            voting(scene);
            brought(vote(scene.id(GATEWAY), 0, &[]))
        }),
        row(call, NotTheirs, kept_out(BadProof), |scene| {
            voting(scene);
            brought(vote(device(ALL[2]), 0, &[]))
        }),
        row(call, Maximum, kept_out(BadSigner), |scene| {
            voting(scene);
            brought(vote(device(AUDITOR), u8::MAX, &[]))
        }),
        row(call, UnknownId, kept_out(BadSigner), |scene| {
            voting(scene);
            brought(vote(NO_DEVICE, 0, &[]))
        }),
        row(call, Repeated, kept_out(Stale), |scene| {
            voting(scene);
            scene.bring(vote(device(AUDITOR), 0, &[]));
            brought(vote(device(AUDITOR), 0, &pass(scene.id(GATEWAY))))
        }),
        row(call, OutOfOrder, kept_out(Future), |scene| {
            voting(scene);
            brought(vote(device(AUDITOR), 1, &[]))
        }),
        row(call, TooEarly, kept_out(Future), |scene| {
            scene.committed();
            stage(scene, Stage::Voting(0), 2);
            brought(vote(device(AUDITOR), 0, &[]))
        }),
        row(call, TooLate, kept_out(Stale), |scene| {
            voting(scene);
            scene.at(2, 2);
            brought(vote(device(AUDITOR), 0, &[]))
        }),
    ]
}

fn reveals() -> Vec<Row> {
    let (call, kept_out) = ("reveal", Refusal::Invalid);
    vec![
        row(call, NotTheirs, kept_out(BadProof), |scene| {
            let verdicts = pass(scene.id(GATEWAY));
            sealed(scene, &verdicts);
            let mut forged = reveal(verdicts);
            if let Call::reveal {
                agent_signature, ..
            } = &mut forged
            {
                *agent_signature = Signature64([0; 64]);
            }
            brought(forged)
        }),
        row(call, Zero, kept_out(Refused), |scene| {
            let verdicts = pass(scene.id(GATEWAY));
            sealed(scene, &verdicts);
            brought(reveal(Vec::new()))
        }),
        row(call, Maximum, kept_out(Refused), |scene| {
            let verdicts = pass(scene.id(GATEWAY));
            sealed(scene, &verdicts);
            brought(reveal(vec![verdicts[0]; MAX_VERDICTS as usize]))
        }),
        row(call, UnknownId, kept_out(BadSigner), |scene| {
            let verdicts = pass(NO_DEVICE);
            sealed(scene, &verdicts);
            brought(reveal(verdicts))
        }),
        row(call, Repeated, kept_out(Stale), |scene| {
            let verdicts = pass(scene.id(GATEWAY));
            sealed(scene, &verdicts);
            scene.bring(reveal(verdicts.clone()));
            brought(reveal(verdicts))
        }),
        row(call, OutOfOrder, kept_out(Stale), |scene| {
            voting(scene);
            scene.at(2, 2);
            brought(reveal(pass(scene.id(GATEWAY))))
        }),
        row(call, OutOfOrder, kept_out(Refused), |scene| {
            let twice = [pass(scene.id(GATEWAY)), pass(scene.id(GATEWAY))].concat();
            sealed(scene, &twice);
            brought(reveal(twice))
        }),
        row(call, TooEarly, kept_out(Future), |scene| {
            let verdicts = pass(scene.id(GATEWAY));
            voting(scene);
            scene.bring(vote(device(AUDITOR), 0, &verdicts));
            brought(reveal(verdicts))
        }),
        row(call, TooLate, kept_out(Stale), |scene| {
            let verdicts = pass(scene.id(GATEWAY));
            sealed(scene, &verdicts);
            scene.at(3, 0);
            brought(reveal(verdicts))
        }),
    ]
}

fn proofs() -> Vec<Row> {
    let (call, kept_out) = ("prove", Refusal::Invalid);
    vec![
        row(call, NotTheirs, kept_out(BadSigner), |scene| {
            let entry = false_claim(scene);
            brought(prove(scene.id(GATEWAY), scene.id(GATEWAY), entry))
        }),
        row(call, Zero, kept_out(Refused), |scene| {
            let trees = voting(scene);
            scene.at(2, 2);
            brought(prove(device(AUDITOR), scene.id(GATEWAY), entry(&trees)))
        }),
        row(call, Maximum, kept_out(Refused), |scene| {
            let mut entry = false_claim(scene);
            let more = entry.proof.siblings[0];
            entry.proof.siblings.resize(MAX_SIBLINGS, more);
            brought(prove(device(AUDITOR), scene.id(GATEWAY), entry))
        }),
        row(call, UnknownId, kept_out(Refused), |scene| {
            let entry = false_claim(scene);
            brought(prove(device(AUDITOR), scene.id(CACHE), entry))
        }),
        row(call, Repeated, kept_out(Stale), |scene| {
            let entry = false_claim(scene);
            let gateway = scene.id(GATEWAY);
            scene.bring(prove(device(AUDITOR), gateway, entry.clone()));
            brought(prove(device(AUDITOR), gateway, entry))
        }),
        row(call, OutOfOrder, kept_out(Refused), |scene| {
            let mut entry = false_claim(scene);
            entry.entry.leaves_root = Hash::default();
            brought(prove(device(AUDITOR), scene.id(GATEWAY), entry))
        }),
        row(call, TooEarly, kept_out(Future), |scene| {
            let entry = fraud(scene);
            stage(scene, Stage::Voting(0), 2);
            scene.at(2, 1);
            brought(prove(device(AUDITOR), scene.id(GATEWAY), entry))
        }),
        row(call, TooEarly, kept_out(Refused), |scene| {
            let trees = scene.trees();
            scene.at(1, 0);
            brought(prove(device(AUDITOR), scene.id(GATEWAY), entry(&trees)))
        }),
        row(call, TooLate, kept_out(Stale), |scene| {
            let entry = false_claim(scene);
            stage(scene, Stage::Accepted { hold_backs: 1 }, 4);
            brought(prove(device(AUDITOR), scene.id(GATEWAY), entry))
        }),
    ]
}

fn answers() -> Vec<Row> {
    let (call, kept_out) = ("answer", Refusal::Invalid);
    vec![
        row(call, NotTheirs, kept_out(BadProof), |scene| {
            let (draw, leaf) = owing(scene);
            let gateway = scene.id(GATEWAY);
            let payload = answer_payload(gateway, EPOCH, draw, &leaf);
            brought(Call::answer {
                gateway,
                epoch: EPOCH,
                draw,
                agent_signature: scene.node(CACHE).sign_as_agent(&payload),
                leaf: leaf.into(),
            })
        }),
        row(call, Zero, kept_out(Refused), |scene| {
            let (draw, leaf) = owing(scene);
            brought(answer(scene, scene.id(GATEWAY), draw, pathless(leaf)))
        }),
        row(call, Maximum, kept_out(Refused), |scene| {
            let (draw, leaf) = owing(scene);
            brought(answer(scene, scene.id(GATEWAY), draw, bloated(leaf)))
        }),
        row(call, UnknownId, kept_out(Refused), |scene| {
            let (draw, leaf) = owing(scene);
            brought(answer(scene, NO_DEVICE, draw, leaf))
        }),
        row(call, Repeated, kept_out(Stale), |scene| {
            let (draw, leaf) = owing(scene);
            let gateway = scene.id(GATEWAY);
            scene.bring(answer(scene, gateway, draw, leaf.clone()));
            brought(answer(scene, gateway, draw, leaf))
        }),
        row(call, OutOfOrder, kept_out(Refused), |scene| {
            let (trees, draw, _) = owing_of(scene);
            brought(answer(scene, scene.id(GATEWAY), draw, other(&trees, draw)))
        }),
        row(call, TooEarly, kept_out(Stale), |scene| {
            let trees = voting(scene);
            let draw = Draw {
                tree: TreeKind::Customers,
                at: Place::Index(0),
            };
            brought(answer(scene, scene.id(GATEWAY), draw, opened(&trees, draw)))
        }),
        row(call, TooLate, kept_out(Stale), |scene| {
            let (draw, leaf) = owing(scene);
            scene.at(5, 0);
            brought(answer(scene, scene.id(GATEWAY), draw, leaf))
        }),
    ]
}

fn posts() -> Vec<Row> {
    let (call, kept_out) = ("post_leaf", Refusal::Invalid);
    vec![
        row(call, NotTheirs, kept_out(BadSigner), |scene| {
            let (trees, draw) = named(scene);
            let gateway = scene.id(GATEWAY);
            brought(post(device(ALL[2]), gateway, opened(&trees, draw)))
        }),
        row(call, Zero, kept_out(Refused), |scene| {
            let (trees, draw) = named(scene);
            let leaf = pathless(opened(&trees, draw));
            brought(post(device(AUDITOR), scene.id(GATEWAY), leaf))
        }),
        row(call, Maximum, kept_out(Refused), |scene| {
            let (trees, draw) = named(scene);
            let leaf = bloated(opened(&trees, draw));
            brought(post(device(AUDITOR), scene.id(GATEWAY), leaf))
        }),
        row(call, UnknownId, kept_out(Refused), |scene| {
            let (trees, draw) = named(scene);
            brought(post(device(AUDITOR), NO_DEVICE, opened(&trees, draw)))
        }),
        row(call, Repeated, kept_out(Stale), |scene| {
            let (trees, draw) = named(scene);
            let gateway = scene.id(GATEWAY);
            scene.bring(post(device(AUDITOR), gateway, opened(&trees, draw)));
            brought(post(device(AUDITOR), gateway, opened(&trees, draw)))
        }),
        row(call, OutOfOrder, kept_out(Refused), |scene| {
            let (trees, draw) = named(scene);
            let leaf = other(&trees, draw);
            brought(post(device(AUDITOR), scene.id(GATEWAY), leaf))
        }),
        row(call, TooEarly, kept_out(Stale), |scene| {
            let trees = voting(scene);
            let draw = Draw {
                tree: TreeKind::Customers,
                at: Place::Index(0),
            };
            let leaf = opened(&trees, draw);
            brought(post(device(AUDITOR), scene.id(GATEWAY), leaf))
        }),
        row(call, TooLate, kept_out(Stale), |scene| {
            let (trees, draw) = named(scene);
            scene.at(5, 0);
            let leaf = opened(&trees, draw);
            brought(post(device(AUDITOR), scene.id(GATEWAY), leaf))
        }),
    ]
}

fn challenges() -> Vec<Row> {
    type Answer = Error<Runtime>;
    let call = "challenge_leaf";
    vec![
        row(call, Zero, TokenError::FundsUnavailable, |scene| {
            scene.committed();
            by(Sr25519Keyring::One, challenge(scene, Place::Index(0)))
        }),
        row(call, Maximum, Answer::NoSuchLeaf, |scene| {
            scene.committed();
            by(STRANGER, challenge(scene, Place::Index(u64::MAX)))
        }),
        row(call, Maximum, Answer::NoSuchLeaf, |scene| {
            scene.committed();
            by(STRANGER, challenge(scene, Place::Amount(u128::MAX)))
        }),
        row(call, Maximum, Answer::TooManyChallenges, |scene| {
            scene.committed();
            for leaf in 0..4 {
                let next = challenge(scene, Place::Index(leaf));
                scene.send(CUSTOMER, next);
            }
            by(STRANGER, challenge(scene, Place::Amount(0)))
        }),
        row(call, UnknownId, Answer::UnknownCommitment, |scene| {
            by(STRANGER, challenge(scene, Place::Index(0)))
        }),
        row(call, Repeated, Answer::AlreadyChallenged, |scene| {
            scene.committed();
            let next = challenge(scene, Place::Index(0));
            scene.send(CUSTOMER, next);
            by(STRANGER, challenge(scene, Place::Index(0)))
        }),
        row(call, OutOfOrder, Answer::NotChallengeable, |scene| {
            scene.voided();
            by(STRANGER, challenge(scene, Place::Index(0)))
        }),
        row(call, TooEarly, Answer::UnknownCommitment, |scene| {
            scene.trees();
            scene.at(1, 0);
            by(STRANGER, challenge(scene, Place::Index(0)))
        }),
        row(call, TooLate, Answer::NotChallengeable, |scene| {
            scene.credited();
            by(STRANGER, challenge(scene, Place::Index(0)))
        }),
    ]
}
