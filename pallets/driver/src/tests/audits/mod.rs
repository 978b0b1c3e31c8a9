//! What an auditor does beside honest gateways and bad ones.

mod faults;
mod leaves;
mod votes;

use super::*;
use pallet_edge_traits::HostKeccak;
use selvedge_primitives_math::{
    draw::{draws, Sample, DRAWS},
    duty::{AuditDuty, AuditPhase},
    fraud::{held, Openings},
    UsageTrees,
};
use selvedge_primitives_types::{
    DeviceId, Hash, Leaf, LeafBody, ServiceId, Slice, Usage, UsageClass, UsageCommitment, Verdict,
};
use sp_core::crypto::KeyTypeId;

const SERVED: Epoch = Epoch(5);
const WINDOW: Epoch = Epoch(6);
/// The auditor's device.
const AUDITOR: DeviceId = DeviceId([77; 32]);

fn leaf(gateway: u8, service: u64) -> Leaf {
    let body = LeafBody {
        gateway: device(gateway),
        epoch: SERVED,
        customer: owner_of(ServiceId(service)),
        service: ServiceId(service),
        slice: Slice(3),
        price_version: 1,
        paid: Usage::ZERO.with(UsageClass::Requests, 5),
        amount: 5,
        ..Default::default()
    };
    Leaf {
        body,
        ..Default::default()
    }
}

fn trees(gateway: u8, count: u64) -> UsageTrees {
    build((0..count).map(|service| leaf(gateway, service)).collect())
}

fn build(leaves: Vec<Leaf>) -> UsageTrees {
    UsageTrees::build::<HostKeccak>(leaves).unwrap()
}

fn commitment(trees: &UsageTrees) -> UsageCommitment {
    trees.commitment(trees.leaves()[0].body.gateway, SERVED)
}

fn url(gateway: u8) -> String {
    format!("http://127.0.0.1:{}", 9_100 + u16::from(gateway))
}

fn duty(trees: &UsageTrees, phase: AuditPhase) -> AuditDuty {
    let commitment = commitment(trees);
    let gateway = commitment.gateway;
    let total = &commitment.customers.sum;
    let sample = match total.leaves {
        0..=44 => Sample::Whole,
        _ => Sample::Drawn(draws::<HostKeccak>(
            &[3; 32], &gateway, SERVED, total, DRAWS,
        )),
    };
    AuditDuty {
        window: WINDOW,
        round: 0,
        gateway,
        epoch: SERVED,
        commitment,
        public_url: url(gateway.0[0]).into_bytes(),
        sample,
        phase,
    }
}

/// What an auditor states of a gateway's drawn leaves.
fn stated(trees: &UsageTrees, duty: &AuditDuty) -> Verdict {
    let leaves: Vec<Leaf> = match &duty.sample {
        Sample::Whole => {
            let mut all = trees.leaves().to_vec();
            all.sort_by_key(Leaf::customer_position);
            all
        }
        Sample::Drawn(draws) => draws
            .iter()
            .map(|draw| {
                let (entry, leaf) = selvedge_primitives_math::draw::find(trees, draw).unwrap();
                trees.leaves_of(draw.tree, entry)[leaf]
            })
            .collect(),
    };
    let held: Hash = held(&AUDITOR, &leaves, sp_io::hashing::blake2_256);
    Verdict::Ok { held }
}

/// A gateway that shows all it has.
fn honest(trees: UsageTrees) -> impl FnMut(&net::Request) -> Option<Answer> + Send {
    move |request| {
        let is_scale = ("accept".to_string(), "application/octet-stream".to_string());
        assert!(request.headers.contains(&is_scale));
        assert!(!request
            .headers
            .iter()
            .any(|(name, _)| name == "authorization"));
        let leaves = format!("audit/v1/{SERVED}/leaves?limit={}", trees.leaves().len());
        match request.path() {
            path if path == leaves => Answer::ok(trees.leaves()),
            "audit/v1/5/open" => {
                let draws = Vec::decode(&mut &request.body[..]).unwrap();
                let commitment = commitment(&trees);
                Answer::ok(Openings::of::<HostKeccak>(&trees, &commitment, &draws))
            }
            _ => Answer::status(404),
        }
    }
}

/// Runs a test on the node of an auditor.
fn audited(test: impl FnOnce(Net)) {
    run(|net| {
        let secret = Some(b"//Auditor".to_vec());
        let key = sp_io::crypto::sr25519_generate(KeyTypeId(AGENT_KEY_TYPE), secret);
        set_registered(true, key.0);
        set_auditors(&[AUDITOR]);
        set_elapsed(5_000);
        test(net)
    });
}

fn set_phase(phase: AuditPhase, trees: &[&UsageTrees]) {
    set_audits(trees.iter().map(|trees| duty(trees, phase)).collect());
}

/// The vote that was sent, if one was.
fn voted() -> Option<crate::Ballot> {
    take_said().into_iter().find_map(|said| match said {
        Said::Vote(ballot) => Some(ballot),
        _ => None,
    })
}

fn verdicts(ballot: &crate::Ballot) -> Vec<Verdict> {
    ballot.verdicts.iter().map(|one| one.verdict).collect()
}
