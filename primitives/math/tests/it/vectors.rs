//! The committed usage trees. `APPROVE_VECTORS=1` writes the file anew; without it a difference is
//! a failure.

use crate::{
    bill::{scene, Scene, CUSTOMER, EPOCHS},
    fraud::{one_of_each, usual, Chain, PRICES},
    testkit::{blake2_256, build, leaf, Keccak, EPOCH, GATEWAY},
};
use codec::Encode;
use selvedge_primitives_math::{
    bill::{Bill, Item, ItemKind},
    draw::draws,
    fraud::{held, sample, Openings},
    proof::{verify_entries, verify_leaves},
    tree::{entry_node, leaf_digest, leaf_node},
    TreeKind,
};
use selvedge_primitives_types::DeviceId;
use serde_json::{json, Value};
use std::{env, fs, path::PathBuf};

/// One proof of each defect, with the terms it is one under.
fn fraud() -> Value {
    let cases = one_of_each();
    let cases = cases.iter().map(|(chain, defect, proof, commitment)| {
        json!({
            "defect": format!("{defect:?}"),
            "class": format!("{:?}", defect.class()),
            "verdict": hex(defect.encode()),
            "proof": hex(proof.encode()),
            "commitment": hex(commitment.encode()),
            "context": {
                "services": chain.services,
                "lease": chain.lease.to_string(),
                "price_version": chain.price_version,
                "caches": chain.caches,
                "storage": chain.storage.to_string(),
            },
        })
    });
    json!({
        "prices": PRICES.0.map(|price| price.to_string()),
        "cases": cases.collect::<Vec<_>>(),
    })
}

/// An audit of an epoch by draws: what the gateway shows, and what the auditor states it held.
fn audit() -> Value {
    let trees = crate::fraud::build(usual());
    let commitment = trees.commitment(GATEWAY, EPOCH);
    let (seed, auditor) = ([3; 32], DeviceId([5; 32]));
    let draws = draws::<Keccak>(&seed, &GATEWAY, EPOCH, &commitment.customers.sum, 6);
    let openings = Openings::of::<Keccak>(&trees, &commitment, &draws);
    let chain = Chain::default();
    let leaves = sample::<Keccak>(&openings, &commitment, &chain, &draws).unwrap();
    json!({
        "commitment": hex(commitment.encode()),
        "seed": hex(seed),
        "draws": hex(draws.encode()),
        "openings": hex(openings.encode()),
        "leaves": leaves.iter().map(|leaf| hex(leaf.encode())).collect::<Vec<_>>(),
        "auditor": hex(auditor.0),
        "held": hex(held(&auditor, &leaves, blake2_256)),
    })
}

fn hex(value: impl AsRef<[u8]>) -> String {
    format!("0x{}", hex::encode(value))
}

fn usage_tree() -> Value {
    let mut leaves: Vec<_> = (0u8..3)
        .flat_map(|customer| (0..2).map(move |slice| (customer, slice)))
        .flat_map(|(customer, slice)| {
            (0..=customer).map(move |cache| leaf(customer + 1, customer.into(), cache, slice))
        })
        .collect();
    for leaf in leaves
        .iter_mut()
        .filter(|leaf| leaf.body.cache == DeviceId::default())
    {
        leaf.cache_signature = Default::default();
        leaf.body.vouchers_root = Default::default();
    }
    let trees = build(leaves);
    let commitment = trees.commitment(GATEWAY, EPOCH);

    let tree = |kind: TreeKind, name: &str| {
        let committed = match kind {
            TreeKind::Customers => commitment.customers,
            TreeKind::Caches => commitment.caches,
        };
        let entries = trees.entries(kind);
        let (start, len) = (1u32, 2u32);
        let run = &entries[start as usize..(start + len) as usize];
        let entry_proof = trees.prove_entries::<Keccak>(kind, start, len);
        verify_entries::<Keccak>(kind, &committed, run, &entry_proof).unwrap();
        let long = entries
            .iter()
            .rposition(|entry| entry.sum.leaves > 2)
            .unwrap();
        let own = trees.leaves_of(kind, long);
        let leaf_proof = trees.prove_leaves::<Keccak>(kind, long, 1, 2);
        verify_leaves::<Keccak>(kind, &entries[long], &own[1..3], &leaf_proof).unwrap();
        json!({
            "kind": name,
            "root": hex(committed.root),
            "commitment": hex(committed.encode()),
            "entries": entries.iter().enumerate().map(|(index, entry)| json!({
                "key": hex(entry.key.0),
                "entry": hex(entry.encode()),
                "node": hex(entry_node::<Keccak>(kind, entry).encode()),
                "leaf_digests": trees.leaves_of(kind, index).iter()
                    .map(|leaf| hex(leaf_digest::<Keccak>(leaf))).collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
            "entry_proof": { "start": start, "len": len, "proof": hex(entry_proof.encode()) },
            "leaf_proof": {
                "entry": long, "start": 1, "len": 2, "proof": hex(leaf_proof.encode()),
            },
        })
    };
    json!({
        "leaves": trees.leaves().iter().map(|leaf| json!({
            "leaf": hex(leaf.encode()),
            "customer": hex(leaf.body.customer.0),
            "service": leaf.body.service.0.to_string(),
            "cache": hex(leaf.body.cache.0),
            "slice": leaf.body.slice.0,
            "paid": leaf.body.paid.0.map(|units| units.to_string()),
            "free": leaf.body.free.0.map(|units| units.to_string()),
            "amount": leaf.body.amount.to_string(),
            "digest": hex(leaf_digest::<Keccak>(leaf)),
            "customers_node": hex(leaf_node::<Keccak>(TreeKind::Customers, leaf).encode()),
            "caches_node": hex(leaf_node::<Keccak>(TreeKind::Caches, leaf).encode()),
        })).collect::<Vec<_>>(),
        "commitment": hex(commitment.encode()),
        "trees": [tree(TreeKind::Customers, "customers"), tree(TreeKind::Caches, "caches")],
    })
}

/// A month's heads and evidence, the bill they make, and what is said of each of some changes.
fn bill() -> Value {
    let scene = scene();
    let evidence = scene
        .shown
        .iter()
        .map(|((epoch, service, gateway), shown)| {
            json!({
                "epoch": epoch.0,
                "service": service.0.to_string(),
                "gateway": hex(gateway.0),
                "evidence": hex(shown.encode()),
            })
        });
    json!({
        "customer": hex(CUSTOMER.0),
        "epochs": [EPOCHS.start().0, EPOCHS.end().0],
        "heads": scene.heads.iter().map(|head| hex(head.encode())).collect::<Vec<_>>(),
        "evidence": evidence.collect::<Vec<_>>(),
        "bill": billed(&scene.bill()),
        "changes": changes(&scene),
    })
}

fn billed(bill: &Bill) -> Value {
    let totals = &bill.totals;
    json!({
        "heads": hex(bill.heads),
        "items": bill.items.iter().map(item).collect::<Vec<_>>(),
        "lines": bill.lines.iter().map(|line| json!({
            "epoch": line.epoch.0,
            "service": line.service.0.to_string(),
            "gateway": hex(line.gateway.0),
            "amount": line.amount.to_string(),
            "finality": format!("{:?}", line.finality),
            "leaves": line.outcome.unwrap().leaves,
            "price_version": line.outcome.unwrap().prices.version,
        })).collect::<Vec<_>>(),
        "totals": {
            "charged": totals.charged.to_string(),
            "refunded": totals.refunded.to_string(),
            "due": totals.due.to_string(),
            "settled": totals.settled.to_string(),
            "unverified": totals.unverified.to_string(),
            "free": totals.free.to_string(),
        },
        "incomplete": bill.incomplete.iter().map(|epoch| epoch.0).collect::<Vec<_>>(),
    })
}

fn item(item: &Item) -> Value {
    let mut value = match item.kind {
        ItemKind::Charge {
            class,
            units,
            version,
            price,
            amount,
        } => json!({
            "charge": class.name(), "units": units.to_string(), "price_version": version,
            "price": price.to_string(), "amount": amount.to_string(),
        }),
        ItemKind::Free {
            class,
            units,
            version,
            price,
            credit,
        } => json!({
            "free": class.name(), "units": units.to_string(), "price_version": version,
            "price": price.to_string(), "credit": credit.to_string(),
        }),
        ItemKind::Rounding(amount) => json!({ "rounding": amount.to_string() }),
        ItemKind::Refund(amount) => json!({ "refund": amount.to_string() }),
    };
    value["service"] = json!(item.service.0.to_string());
    value["day"] = json!(item.day.0);
    value
}

/// Changes of the first epoch's head or of the evidence of its first line, each with the reason why that line is not verified.
fn changes(scene: &Scene) -> Vec<Value> {
    type Change = fn(&mut Scene);
    let first = |scene: &Scene| {
        let (head, line) = (&scene.heads[0], &scene.heads[0].lines[0]);
        (head.epoch, line.service, line.gateway)
    };
    let cases: [Change; 9] = [
        |scene| drop(scene.shown.pop_first()),
        |scene| scene.heads[0].lines[0].commitment.epoch.0 += 1,
        |scene| scene.heads[0].lines[0].entry += 1,
        |scene| scene.heads[0].lines[0].amount += 1,
        |scene| {
            scene
                .shown
                .first_entry()
                .unwrap()
                .get_mut()
                .entry
                .leaves_root[31] ^= 1
        },
        |scene| {
            scene.shown.first_entry().unwrap().get_mut().pages[1].leaves[2]
                .body
                .paid
                .0[1] += 1
        },
        |scene| drop(scene.shown.first_entry().unwrap().get_mut().pages.pop()),
        |scene| scene.heads[0].prices[0].version = 9,
        |scene| scene.heads[0].prices[0].prices.0[0] += 1 << 31,
    ];
    let cases = cases.iter().map(|change| {
        let mut changed = scene.clone();
        change(&mut changed);
        let reason = changed.bill().lines[0].outcome.unwrap_err();
        let name = format!("{reason:?}");
        let name = name.split(|letter: char| !letter.is_alphanumeric()).next();
        json!({
            "head": hex(changed.heads[0].encode()),
            "evidence": changed.shown.get(&first(scene)).map(|shown| hex(shown.encode())),
            "reason": name,
        })
    });
    cases.collect()
}

#[test]
fn the_committed_bill_is_reproduced() {
    compare("bill.json", bill());
}

#[test]
fn the_committed_usage_tree_is_reproduced() {
    compare("usage-tree.json", usage_tree());
}

#[test]
fn the_committed_fraud_proofs_are_reproduced() {
    compare("fraud.json", fraud());
}

#[test]
fn the_committed_audit_is_reproduced() {
    compare("audit.json", audit());
}

fn compare(name: &str, now: Value) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../vectors")
        .join(name);
    if env::var_os("APPROVE_VECTORS").is_some_and(|value| value == "1") {
        let text = serde_json::to_string_pretty(&now).unwrap() + "\n";
        fs::write(&path, text).unwrap();
    }
    let committed: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(
        committed, now,
        "the wire format changed: see vectors/README.md"
    );
}
