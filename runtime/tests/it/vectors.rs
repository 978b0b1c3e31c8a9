//! The numbers that every encoded call, event and error depends on. `APPROVE_VECTORS=1` writes the
//! file anew; without it a difference is a failure.
//!
//! Lines may be added. A line that changes breaks wallets, proxies and whatever is scheduled.

use crate::metadata::metadata;
use scale_info::TypeDef;
use serde_json::{json, Map, Value};
use std::{env, fs, path::PathBuf};

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots/indices.json")
}

/// Names of a variant type with their indices.
fn variants(metadata: &frame_metadata::v14::RuntimeMetadataV14, id: Option<u32>) -> Value {
    let Some(id) = id else { return Value::Null };
    let kind = metadata.types.resolve(id).expect("the registry is whole");
    let TypeDef::Variant(kind) = &kind.type_def else {
        return Value::Null;
    };
    let names = kind
        .variants
        .iter()
        .map(|variant| (variant.name.clone(), json!(variant.index)));
    Value::Object(names.collect())
}

fn indices() -> Value {
    let metadata = metadata();
    let pallets: Map<_, _> = metadata
        .pallets
        .iter()
        .map(|pallet| {
            let entry = json!({
                "index": pallet.index,
                "calls": variants(&metadata, pallet.calls.as_ref().map(|calls| calls.ty.id)),
                "events": variants(&metadata, pallet.event.as_ref().map(|event| event.ty.id)),
                "errors": variants(&metadata, pallet.error.as_ref().map(|error| error.ty.id)),
            });
            (pallet.name.clone(), entry)
        })
        .collect();
    Value::Object(pallets)
}

#[test]
fn vectors_indices_are_the_approved_ones() {
    let text = serde_json::to_string_pretty(&indices()).expect("it is JSON") + "\n";
    if env::var_os("APPROVE_VECTORS").is_some() {
        fs::write(file(), &text).expect("the snapshot can be written");
    }
    let approved = fs::read_to_string(file()).expect("the snapshot is committed");
    assert!(
        approved == text,
        "indices changed; see {} and approve",
        file().display()
    );
}

#[test]
fn pallets_have_the_indices_of_the_plan() {
    let plan = [
        ("System", 0),
        ("ChainParams", 1),
        ("Babe", 2),
        ("Timestamp", 3),
        ("Balances", 4),
        ("TransactionPayment", 5),
        ("Authorship", 6),
        ("NodeRegistry", 10),
        ("NodeStaking", 11),
        ("Offences", 12),
        ("Historical", 13),
        ("Session", 14),
        ("Grandpa", 15),
        ("AuthorityDiscovery", 16),
        ("UsageClock", 20),
        ("Services", 21),
        ("Billing", 22),
        ("Reputation", 23),
        ("NodeYields", 24),
        ("EdgeDriver", 25),
        ("Audits", 26),
        ("Claims", 27),
        ("Parameters", 30),
        ("EdgeGovernance", 31),
        ("Preimage", 32),
        ("Scheduler", 33),
        ("ConvictionVoting", 34),
        ("Referenda", 35),
        ("Treasury", 36),
        ("SafeMode", 37),
        ("TxPause", 38),
        ("Utility", 50),
        ("Proxy", 51),
        ("Multisig", 52),
        ("Identity", 53),
        ("Sudo", 255),
    ];
    let metadata = metadata();
    let found: Vec<_> = metadata
        .pallets
        .iter()
        .map(|pallet| (pallet.name.as_str(), pallet.index))
        .collect();
    assert_eq!(found, plan);
}
