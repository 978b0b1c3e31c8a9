//! What this network's genesis has in place of the preset's people.

use crate::plan::{Plan, Validator};
use serde_json::{json, Value};

/// One SEL, in planck.
const SEL: u128 = 1_000_000_000_000;

/// What everybody has at the start: enough for a stake of any role, deposits and fees.
const ENDOWMENT: u128 = 1_000_000 * SEL;

/// The patch over the preset: balances, validators, their devices and session keys.
pub fn patch(plan: &Plan) -> Value {
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
