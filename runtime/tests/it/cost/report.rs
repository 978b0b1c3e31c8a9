//! Says what was counted, for people and for programs.

use super::{
    phases::{pages, SERVED},
    Cost, Outcome, State,
};
use codec::Encode;
use frame_support::{
    dispatch::DispatchClass,
    weights::{constants::WEIGHT_REF_TIME_PER_MICROS, Weight},
};
use pallet_edge_traits::HostKeccak;
use selvedge_primitives_math::{
    proof::{verify_entries, verify_leaves},
    TreeKind, UsageTrees,
};
use selvedge_primitives_types::{
    Account, DeviceId, Leaf, LeafBody, ServiceId, Slice, Usage, UsageClass,
};
use selvedge_runtime::configs::system::{RuntimeBlockLength, RuntimeBlockWeights};
use serde_json::{json, Value};
use std::{fmt::Write, time::Instant};

/// How often a proof is checked to time it.
const TRIES: u32 = 100;

/// A proof: how long it is, and how long it takes to check.
pub struct Proof {
    /// What it is of.
    what: String,
    /// Octets of the proof alone.
    length: usize,
    /// Octets of all that is sent with it.
    sent: usize,
    /// Nanoseconds of one check, natively.
    nanos: u128,
}

/// Proofs in trees of one gateway with many customers.
pub fn proofs() -> Vec<Proof> {
    let mut proofs = Vec::new();
    for customers in [100, 10_000] {
        let leaves = (0..customers * 4u64).map(|index| Leaf {
            body: LeafBody {
                epoch: SERVED,
                customer: Account([(index / 4 % 251) as u8; 32]),
                service: ServiceId(index / 4),
                cache: DeviceId([index as u8 % 4 + 1; 32]),
                slice: Slice(index as u16 % 60),
                paid: Usage::ZERO.with(UsageClass::Requests, index + 1),
                amount: u128::from(index),
                ..Default::default()
            },
            ..Default::default()
        });
        let trees = UsageTrees::build::<HostKeccak>(leaves.collect()).expect("honest leaves");
        let tree = trees.commitment(DeviceId::default(), SERVED).customers;
        let kind = TreeKind::Customers;
        let (entries, proof) = pages(&trees, kind)
            .nth(customers as usize / 128)
            .expect("one");
        proofs.push(Proof {
            what: format!("page of {} of {customers} customers", entries.len()),
            length: proof.encoded_size(),
            sent: (&entries, &proof).encoded_size(),
            nanos: timed(|| verify_entries::<HostKeccak>(kind, &tree, &entries, &proof)),
        });
        let index = customers as usize / 2;
        let entry = trees.entries(kind)[index];
        let entry_proof = trees.prove_entries::<HostKeccak>(kind, index as u32, 1);
        let leaves = trees.leaves_of(kind, index);
        let leaf_proof = trees.prove_leaves::<HostKeccak>(kind, index, 0, leaves.len() as u32);
        proofs.push(Proof {
            what: format!(
                "line of a bill, {} leaves, of {customers} customers",
                leaves.len()
            ),
            length: entry_proof.encoded_size() + leaf_proof.encoded_size(),
            sent: (&entry, &entry_proof, &leaves, &leaf_proof).encoded_size(),
            nanos: timed(|| {
                verify_entries::<HostKeccak>(kind, &tree, &[entry], &entry_proof)?;
                verify_leaves::<HostKeccak>(kind, &entry, &leaves, &leaf_proof)
            }),
        });
    }
    proofs
}

fn timed<E: core::fmt::Debug>(check: impl Fn() -> Result<(), E>) -> u128 {
    let start = Instant::now();
    for _ in 0..TRIES {
        check().expect("the proof holds");
    }
    start.elapsed().as_nanos() / u128::from(TRIES)
}

/// Part of the time that the blocks of an epoch have, in millionths.
fn share(outcome: &Outcome, weight: Weight) -> f64 {
    let block = RuntimeBlockWeights::get().max_block.ref_time() as f64;
    weight.ref_time() as f64 / (block * outcome.pace.1 as f64) * 1e6
}

fn together(outcome: &Outcome) -> Cost {
    let phases = outcome.phases.iter().map(|(_, cost)| *cost);
    phases.fold(Cost::default(), Cost::plus)
}

/// How the state grew up to each point beyond that of an empty chain, in octets of its trie, and of keys and values.
fn growth(outcome: &Outcome) -> Vec<(&'static str, i64, i64)> {
    let beyond = |state: &State, empty: &State| {
        let less = |of: fn(&State) -> u64| of(state) as i64 - of(empty) as i64;
        (less(|state| state.trie), less(|state| state.plain))
    };
    let mut before = (0, 0);
    let states = outcome.states.iter().map(|(name, state, empty)| {
        let now = beyond(state, empty);
        let grown = (*name, now.0 - before.0, now.1 - before.1);
        before = now;
        grown
    });
    states.collect()
}

/// How many share in the growth up to a point.
fn sharers(outcome: &Outcome, name: &str) -> i64 {
    let size = &outcome.size;
    let count = match name {
        "nodes" => size.gateways + size.caches,
        "customers" => size.customers,
        "settle" => size.customers * size.reach,
        "commit" => size.gateways,
        _ => size.caches * size.cache_reach,
    };
    count.into()
}

/// For people: tables in Markdown.
pub fn text(outcome: &Outcome) -> String {
    let size = &outcome.size;
    let mut text = format!(
        "{} gateways, {} caches at {} each, {} customers at {} each, {} requests a leaf\n\n\
         | | transactions | weight, ms | of an epoch's blocks, ppm | MiB | full blocks | machine, s |\n|---|---|---|---|---|---|---|\n",
        size.gateways, size.caches, size.cache_reach, size.customers, size.reach, size.requests
    );
    let epoch = together(outcome);
    let mut row = |name: &str, cost: &Cost| {
        // Writing into a string cannot fail.
        let _ = writeln!(
            text,
            "| {name} | {} | {:.1} | {:.1} | {:.3} | {} | {:.2} |",
            cost.extrinsics,
            millis(cost.weight),
            share(outcome, cost.weight),
            cost.length as f64 / f64::from(1 << 20),
            cost.blocks,
            cost.time.as_secs_f64()
        );
    };
    for (name, cost) in &outcome.phases {
        row(name, cost);
    }
    row("an epoch", &epoch);
    row("joining, once", &outcome.joining);
    let (day, blocks) = outcome.pace;
    let idle = &outcome.idle;
    let hooks = idle.of_epoch(blocks);
    let all = epoch.weight + hooks;
    let _ = write!(
        text,
        "\nWithout transactions a block takes {:.1} to {:.1} ms of weight, and the {blocks} blocks of an epoch {:.1} ms; {:.1} of them end\n\
         a session, which claims the whole block. A day of {day} epochs has {} transactions; with hooks they take {:.1} ppm of its blocks.\n\n\
         | state after | trie, bytes more | each | keys and values, each |\n|---|---|---|---|\n",
        millis(Weight::from_parts(idle.least, 0)),
        millis(Weight::from_parts(idle.most, 0)),
        millis(hooks),
        idle.sessions as f64 / idle.epochs.max(1) as f64,
        u64::from(epoch.extrinsics) * day,
        share(outcome, all),
    );
    for (name, trie, plain) in growth(outcome) {
        let count = sharers(outcome, name).max(1) as f64;
        let (each, plain) = (trie as f64 / count, plain as f64 / count);
        let _ = writeln!(text, "| {name} | {trie} | {each:.0} | {plain:.0} |");
    }
    let _ = writeln!(
        text,
        "\n| proof | bytes | with what it proves | check, µs |\n|---|---|---|---|"
    );
    for proof in &outcome.proofs {
        let micros = proof.nanos as f64 / 1e3;
        let _ = writeln!(
            text,
            "| {} | {} | {} | {micros:.0} |",
            proof.what, proof.length, proof.sent
        );
    }
    text
}

fn millis(weight: Weight) -> f64 {
    weight.ref_time() as f64 / (WEIGHT_REF_TIME_PER_MICROS * 1_000) as f64
}

/// For programs: weights in picoseconds, lengths in octets, times in nanoseconds of this machine.
pub fn json(outcome: &Outcome) -> Value {
    let cost = |cost: &Cost| {
        json!({
            "transactions": cost.extrinsics,
            "ref_time": cost.weight.ref_time(),
            "proof_size": cost.weight.proof_size(),
            "length": cost.length,
            "blocks": cost.blocks,
            "nanos": cost.time.as_nanos() as u64,
            "epoch_ppm": share(outcome, cost.weight),
        })
    };
    let named = |(name, one): &(&str, Cost)| {
        let mut value = cost(one);
        value["name"] = json!(name);
        value
    };
    let size = &outcome.size;
    let idle = &outcome.idle;
    let limits = RuntimeBlockWeights::get();
    json!({
        "size": {
            "gateways": size.gateways, "caches": size.caches, "customers": size.customers,
            "reach": size.reach, "cache_reach": size.cache_reach, "requests": size.requests,
        },
        "block": {
            "ref_time": limits.max_block.ref_time(),
            "length": RuntimeBlockLength::get().max.get(DispatchClass::Operational),
            "in_an_epoch": outcome.pace.1,
        },
        "epochs_in_a_day": outcome.pace.0,
        "phases": outcome.phases.iter().map(named).collect::<Vec<_>>(),
        "epoch": cost(&together(outcome)),
        "joining": cost(&outcome.joining),
        "idle": {
            "epochs": idle.epochs, "sessions": idle.sessions, "blocks": idle.blocks,
            "least": idle.least, "most": idle.most, "epoch": idle.of_epoch(outcome.pace.1).ref_time(),
        },
        "state": growth(outcome).iter().map(|(name, trie, plain)| json!({
            "after": name, "trie": trie, "plain": plain, "shared_by": sharers(outcome, name),
        })).collect::<Vec<_>>(),
        "proofs": outcome.proofs.iter().map(|proof| json!({
            "what": proof.what, "length": proof.length, "sent": proof.sent, "nanos": proof.nanos as u64,
        })).collect::<Vec<_>>(),
    })
}
