//! The numbered invariants, recomputed from the whole state of a finalised block.

use anyhow::Context;
use selvedge_devnet::client::rpc;
use serde_json::{json, Value};

/// Keys asked for at once.
const PAGE: u64 = 1000;

/// Reads the state of the newest finalised block and checks every pallet's invariants against it.
pub async fn check(port: u16) -> anyhow::Result<()> {
    let head = rpc(port, "chain_getFinalizedHead", json!([])).await?;
    let mut state = sp_io::TestExternalities::default();
    let mut last = Value::Null;
    let mut count = 0;
    loop {
        let keys = rpc(port, "state_getKeysPaged", json!(["0x", PAGE, last, head])).await?;
        let keys = keys.as_array().context("keys are a list")?.clone();
        let Some(newest) = keys.last() else { break };
        last = newest.clone();
        count += keys.len();
        let sets = rpc(port, "state_queryStorageAt", json!([keys, head])).await?;
        for pair in sets[0]["changes"]
            .as_array()
            .context("changes are a list")?
        {
            state.insert(bytes(&pair[0])?, bytes(&pair[1])?);
        }
    }
    anyhow::ensure!(count > 100, "a running chain has more than {count} keys");
    state.execute_with(|| {
        selvedge_runtime::check_invariants().map_err(|error| anyhow::anyhow!("{head}: {error}"))
    })
}

fn bytes(value: &Value) -> anyhow::Result<Vec<u8>> {
    let text = value
        .as_str()
        .with_context(|| format!("{value} is not bytes"))?;
    Ok(hex::decode(text.trim_start_matches("0x"))?)
}
