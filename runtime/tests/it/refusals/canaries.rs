//! Names of canaries, pledges and their openings.

use super::{
    auditors::stage,
    by, row,
    scene::{Scene, CUSTOMER, GATEWAY, STRANGER},
    Attempt,
    Fault::*,
    Row,
};
use crate::{auditors::opened, sequences::cast::named};
use frame_support::assert_ok;
use pallet_edge_audits::{
    canary::{name_seal, pledge_seal, MAX_CANARIES},
    types::{CanaryName, Opening, Pledged, Stage},
    Call, Error,
};
use pallet_edge_governance::Origin;
use pallet_edge_traits::HostKeccak;
use selvedge_primitives_math::{
    draw::{Draw, Place},
    proof::MAX_SIBLINGS,
    TreeKind, UsageTrees,
};
use selvedge_primitives_types::{Epoch, Hash, Leaf};
use selvedge_runtime::{Audits, Runtime};
use sp_keyring::Sr25519Keyring;

type Refused = Error<Runtime>;

const EPOCH: Epoch = Epoch(0);
/// Pledges for the canary.
const OPERATOR: Sr25519Keyring = Sr25519Keyring::One;

fn naming(seal: Hash) -> Call<Runtime> {
    Call::name_canary {
        seal,
        operator: OPERATOR.to_account_id(),
    }
}

fn decided(call: Call<Runtime>) -> Attempt {
    Attempt::Decided(Origin::Roles, call.into())
}

fn name(seal: Hash) {
    let operator = OPERATOR.to_account_id();
    assert_ok!(Audits::name_canary(Origin::Roles.into(), seal, operator));
}

/// What the first gateway's name as a canary hides, and what it pledged.
fn secret(scene: &Scene<'_>, leaf: Leaf) -> (CanaryName, Pledged) {
    let gateway = scene.id(GATEWAY);
    let customer = named(&CUSTOMER.to_account_id());
    let name = CanaryName {
        gateway,
        customers: vec![customer].try_into().expect("it is one"),
        salt: [1; 32],
    };
    let pledged = Pledged {
        gateway,
        epoch: EPOCH,
        leaves: vec![leaf].try_into().expect("it is one"),
        salt: [2; 32],
    };
    (name, pledged)
}

/// Usage of the first gateway whose first leaf is a planck too dear, pledged before it is committed to and passed by auditors;
/// in the epoch after their votes.
fn passed(scene: &mut Scene<'_>) -> Opening {
    let (trees, leaf) = committed(scene, true);
    stage(scene, Stage::Accepted { hold_backs: 1 }, 3);
    scene.at(3, 0);
    opening(scene, &trees, leaf)
}

fn committed(scene: &mut Scene<'_>, is_pledged: bool) -> (UsageTrees, Leaf) {
    let mut leaves = scene.trees().leaves().to_vec();
    leaves[0].body.amount += 1;
    let leaf = leaves[0];
    let trees = UsageTrees::build::<HostKeccak>(leaves).expect("distinct leaves");
    let (secret, pledged) = secret(scene, leaf);
    let canary = name_seal(&secret);
    name(canary);
    if is_pledged {
        let seal = pledge_seal(&pledged);
        scene.send(OPERATOR, Call::<Runtime>::pledge { canary, seal });
    }
    scene.at(1, 0);
    let commit = scene.commitment(&trees);
    scene.bring(commit);
    (trees, leaf)
}

fn opening(scene: &Scene<'_>, trees: &UsageTrees, leaf: Leaf) -> Opening {
    let (name, pledged) = secret(scene, leaf);
    let tree = TreeKind::Customers;
    let mut all = (0..4).map(|index| {
        let at = Place::Index(index);
        opened(trees, Draw { tree, at })
    });
    Opening {
        name,
        pledged,
        tree,
        shown: all.find(|one| one.leaf == leaf).expect("it is committed"),
    }
}

fn open(opening: Opening) -> Attempt {
    by(
        STRANGER,
        Call::open_canary {
            opening: opening.into(),
        },
    )
}

pub fn rows() -> Vec<Row> {
    [names(), pledges(), openings()]
        .into_iter()
        .flatten()
        .collect()
}

fn names() -> Vec<Row> {
    vec![
        row("name_canary", Maximum, Refused::TooManyCanaries, |_| {
            (0..MAX_CANARIES as u8).for_each(|number| name([number; 32]));
            decided(naming([255; 32]))
        }),
        row("name_canary", Repeated, Refused::AlreadyNamed, |_| {
            name([1; 32]);
            decided(naming([1; 32]))
        }),
        row("forget_canary", UnknownId, Refused::UnknownCanary, |_| {
            decided(Call::forget_canary { seal: [1; 32] })
        }),
        row("forget_canary", Repeated, Refused::UnknownCanary, |_| {
            name([1; 32]);
            assert_ok!(Audits::forget_canary(Origin::Roles.into(), [1; 32]));
            decided(Call::forget_canary { seal: [1; 32] })
        }),
        row(
            "forget_canary",
            OutOfOrder,
            Refused::UnknownCanary,
            |scene| {
                // It was opened, so everybody knows it.
                let opening = passed(scene);
                let seal = name_seal(&opening.name);
                pallet_edge_audits::Canaries::<Runtime>::remove(seal);
                decided(Call::forget_canary { seal })
            },
        ),
    ]
}

fn pledges() -> Vec<Row> {
    vec![
        row("pledge", NotTheirs, Refused::NotItsOperator, |_| {
            name([1; 32]);
            by(STRANGER, any_pledge())
        }),
        row("pledge", UnknownId, Refused::UnknownCanary, |_| {
            by(OPERATOR, any_pledge())
        }),
        row("pledge", OutOfOrder, Refused::UnknownCanary, |_| {
            name([1; 32]);
            assert_ok!(Audits::forget_canary(Origin::Roles.into(), [1; 32]));
            by(OPERATOR, any_pledge())
        }),
    ]
}

fn any_pledge() -> Call<Runtime> {
    Call::pledge {
        canary: [1; 32],
        seal: [2; 32],
    }
}

fn openings() -> Vec<Row> {
    let call = "open_canary";
    vec![
        row(call, Zero, Refused::ProofInvalid, |scene| {
            let mut opening = passed(scene);
            opening.shown.proof.siblings.clear();
            open(opening)
        }),
        row(call, Maximum, Refused::ProofInvalid, |scene| {
            let mut opening = passed(scene);
            let more = opening.shown.proof.siblings[0];
            opening.shown.proof.siblings.resize(MAX_SIBLINGS, more);
            open(opening)
        }),
        row(call, Maximum, Refused::AboveCanaryShare, |scene| {
            // Nothing was taken of any charge so far.
            open(passed(scene))
        }),
        row(call, UnknownId, Refused::UnknownCanary, |scene| {
            let mut opening = passed(scene);
            opening.name.salt = [9; 32];
            open(opening)
        }),
        row(call, Repeated, Refused::UnknownCanary, |scene| {
            let opening = passed(scene);
            pallet_edge_audits::Canaries::<Runtime>::remove(name_seal(&opening.name));
            open(opening)
        }),
        row(call, OutOfOrder, Refused::UnknownPledge, |scene| {
            let (trees, leaf) = committed(scene, false);
            stage(scene, Stage::Accepted { hold_backs: 1 }, 3);
            scene.at(3, 0);
            open(opening(scene, &trees, leaf))
        }),
        row(call, TooEarly, Refused::TooEarly, |scene| {
            let (trees, leaf) = committed(scene, true);
            stage(scene, Stage::Voting(0), 2);
            scene.at(2, 2);
            open(opening(scene, &trees, leaf))
        }),
        row(call, TooLate, Refused::TooLate, |scene| {
            let opening = passed(scene);
            scene.at(4, 0);
            open(opening)
        }),
    ]
}
