//! What this network's genesis has in place of the preset's people.

use crate::plan::{Plan, Validator};
use serde_json::{json, Value};
use std::time::Duration;

/// One SEL, in planck.
const SEL: u128 = 1_000_000_000_000;

/// What everybody has at the start: enough for a stake of any role, deposits and fees.
const ENDOWMENT: u128 = 1_000_000 * SEL;

/// A slot of the preset, in milliseconds.
const SLOT_MILLIS: u64 = 3_000;

/// A patch for networks whose usage epochs are as long as this, and BABE epochs half as long, as in the preset.
pub fn epochs_of(length: Duration) -> Value {
    let length = length.as_millis() as u64;
    json!({
        "usageClock": { "epochLengthMs": length },
        "chainParams": { "babeEpochLength": length / 2 / SLOT_MILLIS },
    })
}

/// The patch over the preset: balances, validators, their devices and session keys, and `more` beside them.
pub fn patch(plan: &Plan, more: &Value) -> Value {
    let mut patch = people(plan);
    if let (Value::Object(all), Value::Object(more)) = (&mut patch, more) {
        all.extend(more.clone());
    }
    patch
}

fn people(plan: &Plan) -> Value {
    let people = plan
        .validators
        .iter()
        .map(|validator| &validator.owner)
        .chain(plan.daemons.iter().map(|daemon| &daemon.operator))
        .chain([&plan.customer]);
    let mut balances: Vec<Value> = people
        .map(|person| json!([person.in_genesis(), ENDOWMENT]))
        .collect();
    // A validator's session account is its device's; it pays for changing its own keys.
    balances.extend(
        plan.validators
            .iter()
            .map(|validator| json!([validator.device.ed25519_in_genesis(), 100 * SEL])),
    );
    json!({
        "balances": { "balances": balances },
        "nodeRegistry": { "devices": plan.validators.iter().map(device).collect::<Vec<_>>() },
        "nodeStaking": { "stakes": plan.validators.iter().map(stake).collect::<Vec<_>>() },
        "session": { "keys": plan.validators.iter().map(session_keys).collect::<Vec<_>>() },
    })
}

fn device(validator: &Validator) -> Value {
    json!({
        "operator": validator.owner.in_genesis(),
        "device": validator.device.device_id(),
        "role": "validator",
        "region": "eu-west",
        "endpoint": format!("127.0.0.1:{}", validator.p2p_port),
        "publicUrl": format!("http://127.0.0.1:{}", validator.rpc_port),
        "capacity": 1,
        "agentKey": validator.session.sr25519(),
    })
}

fn stake(validator: &Validator) -> Value {
    json!({
        "owner": validator.owner.in_genesis(),
        "device": validator.device.device_id(),
        "role": "validator",
    })
}

fn session_keys(validator: &Validator) -> Value {
    let account = validator.device.ed25519_in_genesis();
    json!([account, account, {
        "grandpa": validator.session.ed25519_in_genesis(),
        "babe": validator.session.sr25519_in_genesis(),
        "authority_discovery": validator.session.sr25519_in_genesis(),
    }])
}
