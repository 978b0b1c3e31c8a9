//! What auditors, gateways, customers, caches and probers say about what was committed, and the canaries that governance
//! names. The last auditor never answers, in any round.

use super::{
    acts::{does, signs, Kind},
    cast::{Signer, CUSTOMERS},
    money::anybody,
    plan::Dice,
    usage::{self, agent_of, Claim},
    world::World,
};
use crate::auditors::{device, opened, sign, ALL};
use pallet_edge_audits::{
    agent::{answer_payload, post_payload, prove_payload, reveal_payload, seal, vote_payload},
    canary::{name_seal, pledge_seal},
    types::{CanaryName, Opening, Pledged},
    Call,
};
use pallet_edge_claims::Call as ClaimsCall;
use pallet_edge_governance::Origin;
use pallet_edge_reputation::Call as ReputationCall;
use pallet_edge_traits::{AuditDuties, DeviceInspect, EpochClock, HostKeccak};
use selvedge_primitives_math::{
    draw::{Draw, Place},
    duty::{AuditDuty, AuditPhase, LeafDuty, LeafPurpose},
    fraud::{find, FraudProof, OpenedLeaf},
    TreeKind,
};
use selvedge_primitives_types::{
    Account, AuditVerdict, Domain, Epoch, Hash, Leaf, Probe, ProbeReport, Role, ServiceId,
    SignedVoucher, Verdict, Voucher,
};
use selvedge_runtime::{
    constants::currency::SEL, Audits, Billing, Reputation, Runtime, RuntimeCall, UsageClock,
};
use sp_keyring::Sr25519Keyring;

pub const ACTS: &[Kind] = &[
    does("audit", 14, audit),
    does("show a leaf", 8, show),
    does("post a leaf", 3, post),
    does("prove a defect", 5, prove),
    does("challenge a leaf", 4, challenge),
    signs("dispute a line", 4, dispute),
    signs("close a dispute", 2, close_dispute),
    does("redeem a voucher", 3, redeem),
    does("name a canary", 2, name_canary),
    does("pledge and commit", 4, pledge),
    does("open a canary", 3, open_canary),
    does("report probes", 3, report_probes),
];

/// Keeps votes from being guessed; here nobody does.
const SALT: Hash = [5; 32];
/// Pledges for every canary.
const PLEDGER: Signer = Signer::Person(Sr25519Keyring::Dave);

/// What an auditor voted.
pub struct Ballot {
    auditor: Sr25519Keyring,
    window: Epoch,
    round: u8,
    verdicts: Vec<AuditVerdict>,
}

impl Ballot {
    fn is_of(&self, auditor: Sr25519Keyring, duty: &AuditDuty) -> bool {
        (self.auditor, self.window, self.round) == (auditor, duty.window, duty.round)
    }
}

/// A canary that governance named, and what was pledged for it.
pub struct Canary {
    name: CanaryName,
    pledged: Option<Pledged>,
}

/// Auditors who answer at all.
fn auditor(dice: &mut Dice) -> Sr25519Keyring {
    *dice.of_all(&ALL[..3])
}

fn audit(world: &mut World<'_>, dice: &mut Dice) {
    let key = auditor(dice);
    let duties = Audits::audits(&device(key));
    if duties.is_empty() {
        return;
    }
    let one = dice.of_all(&duties);
    match one.phase {
        AuditPhase::Vote => vote(world, key, one, &duties, dice),
        AuditPhase::Reveal => reveal(world, key, one),
        AuditPhase::Look | AuditPhase::Prove => {}
    }
}

fn vote(
    world: &mut World<'_>,
    key: Sr25519Keyring,
    one: &AuditDuty,
    duties: &[AuditDuty],
    dice: &mut Dice,
) {
    let ok = Verdict::Ok { held: [3; 32] };
    let of_vote = duties
        .iter()
        .filter(|duty| (duty.window, duty.round) == (one.window, one.round));
    let verdicts: Vec<_> = of_vote
        .map(|duty| AuditVerdict {
            gateway: duty.gateway,
            epoch: duty.epoch,
            verdict: *dice.of_all(&[ok, ok, ok, ok, ok, Verdict::Bad, Verdict::Withheld]),
        })
        .collect();
    let (auditor, window, round) = (device(key), one.window, one.round);
    let seal = seal(&verdicts, &SALT);
    world.bring(Call::vote {
        auditor,
        window,
        round,
        seal,
        agent_signature: sign(key, &vote_payload(auditor, window, round, seal)),
    });
    world.ballots.push(Ballot {
        auditor: key,
        window,
        round,
        verdicts,
    });
}

fn reveal(world: &mut World<'_>, key: Sr25519Keyring, one: &AuditDuty) {
    let known = world.ballots.iter().find(|ballot| ballot.is_of(key, one));
    let Some(ballot) = known else { return };
    let verdicts = ballot.verdicts.clone();
    let (auditor, window, round) = (device(key), one.window, one.round);
    let payload = reveal_payload(auditor, window, round, seal(&verdicts, &SALT));
    world.bring(Call::reveal {
        auditor,
        window,
        round,
        verdicts: verdicts.try_into().expect("there are few commitments"),
        salt: SALT,
        agent_signature: sign(key, &payload),
    });
}

/// A recent commitment.
fn claim<'a>(world: &'a World<'_>, dice: &mut Dice) -> Option<&'a Claim> {
    let count = world.claims.len() as u64;
    let recent = dice.below(count.clamp(1, 8));
    world.claims.iter().rev().nth(recent as usize)
}

/// What is wrong with a commitment, if anything is and it can be judged.
fn defect(claim: &Claim) -> Option<Box<FraudProof>> {
    let known = Audits::known(claim.epoch)?;
    let record = Billing::commitment(&claim.gateway, claim.epoch)?;
    find::<HostKeccak>(&claim.trees, &record.commitment, &known)
        .ok()
        .flatten()
}

/// Some leaf of a commitment, as if it were wrong.
fn accused(claim: &Claim, dice: &mut Dice) -> Box<FraudProof> {
    let tree = *dice.of_all(&TreeKind::ALL);
    let leaf = any_leaf(claim, tree, dice);
    Box::new(FraudProof::Leaf { tree, leaf })
}

fn any_leaf(claim: &Claim, tree: TreeKind, dice: &mut Dice) -> OpenedLeaf {
    let at = Place::Index(dice.below(claim.trees.leaves().len() as u64));
    opened(&claim.trees, Draw { tree, at })
}

fn prove(world: &mut World<'_>, dice: &mut Dice) {
    let Some(claim) = claim(world, dice) else {
        return;
    };
    let (gateway, epoch) = (claim.gateway, claim.epoch);
    let proof = match defect(claim) {
        Some(proof) if !dice.one_in(6) => proof,
        _ => accused(claim, dice),
    };
    if dice.one_in(2) {
        let report = Call::report_fraud {
            gateway,
            epoch,
            proof,
        };
        return world.submit(anybody(dice), report);
    }
    let key = auditor(dice);
    let auditor = device(key);
    world.bring(Call::prove {
        auditor,
        gateway,
        epoch,
        agent_signature: sign(key, &prove_payload(auditor, gateway, epoch, &proof)),
        proof,
    });
}

/// A gateway shows what it owes, or does not.
fn show(world: &mut World<'_>, dice: &mut Dice) {
    let Some(claim) = claim(world, dice) else {
        return;
    };
    let (gateway, epoch) = (claim.gateway, claim.epoch);
    let due = Audits::leaves_due(&gateway);
    let is_own = |due: &&LeafDuty| due.gateway == gateway && due.epoch == epoch;
    let due: Vec<_> = due.iter().filter(is_own).collect();
    if due.is_empty() {
        return;
    }
    let draw = dice.of_all(&due).draw;
    let leaf = match dice.below(8) {
        0 => any_leaf(claim, draw.tree, dice),
        _ => opened(&claim.trees, draw),
    };
    let payload = answer_payload(gateway, epoch, draw, &leaf);
    let Some(agent) = agent_of(world, &gateway) else {
        return;
    };
    let agent_signature = agent.sign_as_agent(&payload);
    world.bring(Call::answer {
        gateway,
        epoch,
        draw,
        leaf: leaf.into(),
        agent_signature,
    });
}

fn post(world: &mut World<'_>, dice: &mut Dice) {
    let key = auditor(dice);
    let auditor = device(key);
    let due = Audits::leaves_due(&auditor);
    let posts = due.iter().filter(|due| due.purpose == LeafPurpose::Posted);
    for due in posts {
        let (gateway, epoch) = (due.gateway, due.epoch);
        let mut claims = world.claims.iter();
        let Some(claim) = claims.find(|one| (one.gateway, one.epoch) == (gateway, epoch)) else {
            continue;
        };
        let leaf = opened(&claim.trees, due.draw);
        return world.bring(Call::post_leaf {
            auditor,
            gateway,
            epoch,
            agent_signature: sign(key, &post_payload(auditor, gateway, epoch, &leaf)),
            leaf: leaf.into(),
        });
    }
}

fn challenge(world: &mut World<'_>, dice: &mut Dice) {
    let Some(claim) = claim(world, dice) else {
        return;
    };
    let leaves = claim.trees.leaves().len() as u64;
    let at = match dice.below(3) {
        0 => Place::Index(dice.below(leaves + 1)),
        1 => Place::Amount(dice.below(u64::MAX).into()),
        _ => Place::Entry {
            entry: dice.below(4) as u32,
            number: dice.word(),
        },
    };
    let call = Call::challenge_leaf {
        gateway: claim.gateway,
        epoch: claim.epoch,
        tree: *dice.of_all(&TreeKind::ALL),
        at,
    };
    world.submit(anybody(dice), call);
}

fn dispute(world: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let claim = claim(world, dice);
    let (gateway, epoch) = claim.map_or_else(
        || (world.nodes[4].id(), Epoch(0)),
        |claim| (claim.gateway, claim.epoch),
    );
    let call = ClaimsCall::<Runtime>::dispute_line {
        gateway,
        epoch,
        service: ServiceId(dice.below(4)),
        burn: u128::from(dice.below(2)) * SEL / 1_000,
    };
    (*dice.of_all(&CUSTOMERS), call.into())
}

fn close_dispute(world: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let all: Vec<_> = pallet_edge_claims::Disputes::<Runtime>::iter_keys().collect();
    let (epoch, gateway, customer, service) = match all.is_empty() {
        false => dice.of_all(&all).clone(),
        true => {
            let customer = CUSTOMERS[0].account();
            (Epoch(0), world.nodes[4].id(), customer, ServiceId(0))
        }
    };
    let call = ClaimsCall::<Runtime>::close_dispute {
        gateway,
        epoch,
        customer,
        service,
    };
    (anybody(dice), call.into())
}

/// A cache brings what a gateway signed that it owes.
fn redeem(world: &mut World<'_>, dice: &mut Dice) {
    let of = |role: Role| world.nodes.iter().filter(move |node| node.role == role);
    let gateways: Vec<_> = of(Role::Gateway).collect();
    let caches: Vec<_> = of(Role::Cache).collect();
    let gateway = *dice.of_all(&gateways);
    let back = *dice.of_all(&[1, 2, 6, 10, 11, 12, 14]);
    let voucher = Voucher {
        epoch: UsageClock::current().minus(back),
        gateway: gateway.id(),
        cache: dice.of_all(&caches).id(),
        seq: 1 + dice.below(4),
        amount: u128::from(dice.below(200)) * SEL / 10,
        ..Default::default()
    };
    let signature = gateway.sign(Domain::Voucher, &voucher);
    let voucher = SignedVoucher { voucher, signature };
    let call = ClaimsCall::redeem_voucher {
        voucher: voucher.into(),
        shown: None,
    };
    world.submit(anybody(dice), call);
}

fn name_canary(world: &mut World<'_>, dice: &mut Dice) {
    let gateways = [4, 5].map(|place| world.nodes[place].id());
    let customers = CUSTOMERS.map(|customer| Account(customer.account().into()));
    let mut salt = Hash::default();
    salt[..8].copy_from_slice(&dice.word().to_be_bytes());
    let name = CanaryName {
        gateway: *dice.of_all(&gateways),
        customers: customers.to_vec().try_into().expect("they are two"),
        salt,
    };
    let seal = name_seal(&name);
    if dice.one_in(8) {
        world.decide(Origin::Roles, Call::forget_canary { seal });
        return;
    }
    let operator = PLEDGER.account();
    if world.decide(Origin::Roles, Call::name_canary { seal, operator }) {
        world.canaries.push(Canary {
            name,
            pledged: None,
        });
    }
}

/// A canary commits to a leaf that is a planck too dear, mostly after it pledged that.
fn pledge(world: &mut World<'_>, dice: &mut Dice) {
    let named = |canary: &Canary| canary.pledged.is_none();
    let Some(place) = world.canaries.iter().position(named) else {
        return;
    };
    let name = world.canaries[place].name.clone();
    let (gateway, epoch) = (name.gateway, UsageClock::current().minus(1));
    let Some((leaves, bad)) = usage::with_one_too_dear(world, gateway, epoch, dice) else {
        return;
    };
    let pledged = Pledged {
        gateway,
        epoch,
        leaves: vec![bad].try_into().expect("it is one"),
        salt: SALT,
    };
    let (canary, seal) = (name_seal(&name), pledge_seal(&pledged));
    let signer = match dice.below(6) {
        0 => anybody(dice),
        _ => PLEDGER,
    };
    world.submit(signer, Call::pledge { canary, seal });
    if !dice.one_in(6) {
        world.skip(0);
    }
    usage::commit_leaves(world, gateway, epoch, leaves, dice);
    world.canaries[place].pledged = Some(pledged);
}

fn open_canary(world: &mut World<'_>, dice: &mut Dice) {
    if world.canaries.is_empty() {
        return;
    }
    let canary = dice.of_all(&world.canaries);
    let Some(pledged) = canary.pledged.clone() else {
        return;
    };
    let is_its = |claim: &&Claim| (claim.gateway, claim.epoch) == (pledged.gateway, pledged.epoch);
    let Some(claim) = world.claims.iter().find(is_its) else {
        return;
    };
    let tree = *dice.of_all(&TreeKind::ALL);
    let shown = match dice.below(8) {
        0 => Some(any_leaf(claim, tree, dice)),
        _ => find_leaf(claim, tree, &pledged.leaves[0]),
    };
    let Some(shown) = shown else { return };
    let opening = Opening {
        name: canary.name.clone(),
        pledged,
        tree,
        shown,
    };
    let call = Call::open_canary {
        opening: opening.into(),
    };
    world.submit(anybody(dice), call);
}

fn find_leaf(claim: &Claim, tree: TreeKind, leaf: &Leaf) -> Option<OpenedLeaf> {
    let count = claim.trees.leaves().len() as u64;
    let mut all = (0..count).map(|index| {
        let at = Place::Index(index);
        opened(&claim.trees, Draw { tree, at })
    });
    all.find(|opened| opened.leaf == *leaf)
}

/// A gateway reports that nobody answered it.
fn report_probes(world: &mut World<'_>, dice: &mut Dice) {
    let epoch = UsageClock::current();
    let is_gateway = |node: &&super::cast::Node| node.role == Role::Gateway;
    let gateways: Vec<_> = world.nodes.iter().filter(is_gateway).collect();
    let agent = *dice.of_all(&gateways);
    let prober = agent.id();
    if selvedge_runtime::NodeRegistry::device(&prober).is_none() {
        return;
    }
    let silence = |probed| Probe {
        probed,
        answer: None,
        fetch: None,
    };
    let report = ProbeReport {
        prober,
        epoch,
        probes: Reputation::duty_of(&prober)
            .into_iter()
            .map(silence)
            .collect(),
    };
    let signature = agent.sign_agent(Domain::ProbeReport, &report);
    let Ok(probes) = report.probes.try_into() else {
        return;
    };
    world.bring(ReputationCall::report_probes {
        prober,
        epoch,
        signature,
        probes,
    });
}
