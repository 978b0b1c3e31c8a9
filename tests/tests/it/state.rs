//! The state of a block, as a node tells it over JSON-RPC.

use anyhow::Context;
use selvedge_devnet::client::rpc;
use serde_json::{json, Value};
use sp_io::{hashing::twox_128, TestExternalities};
use std::collections::BTreeMap;

/// Keys asked for at once.
const PAGE: u64 = 1000;

/// Every key of a state with its value.
pub type State = BTreeMap<Vec<u8>, Vec<u8>>;

/// Hash of the newest finalised block.
pub async fn finalised_head(port: u16) -> anyhow::Result<String> {
    let head = rpc(port, "chain_getFinalizedHead", json!([])).await?;
    Ok(head.as_str().context("a hash is text")?.into())
}

/// The whole state after a block; fails when the node does not have it.
pub async fn all(port: u16, block: &str) -> anyhow::Result<State> {
    let mut state = State::new();
    let mut last = Value::Null;
    loop {
        let keys = rpc(port, "state_getKeysPaged", json!(["0x", PAGE, last, block])).await?;
        let keys = keys.as_array().context("keys are a list")?;
        let Some(newest) = keys.last() else {
            return Ok(state);
        };
        last = newest.clone();
        let sets = rpc(port, "state_queryStorageAt", json!([keys, block])).await?;
        for pair in sets[0]["changes"]
            .as_array()
            .context("changes are a list")?
        {
            state.insert(bytes(&pair[0])?, bytes(&pair[1])?);
        }
    }
}

/// The state of the newest finalised block, as the runtime's own code reads it.
pub async fn externalities(port: u16) -> anyhow::Result<TestExternalities> {
    let head = finalised_head(port).await?;
    let mut state = TestExternalities::default();
    for (key, value) in all(port, &head).await? {
        state.insert(key, value);
    }
    Ok(state)
}

/// What the newest finalised block has in a storage value of a pallet; `None` where nothing is stored.
pub async fn value(port: u16, pallet: &str, item: &str) -> anyhow::Result<Option<Vec<u8>>> {
    let head = finalised_head(port).await?;
    value_at(port, pallet, item, &head).await
}

/// What a block has in a storage value of a pallet; `None` where nothing is stored.
pub async fn value_at(
    port: u16,
    pallet: &str,
    item: &str,
    block: &str,
) -> anyhow::Result<Option<Vec<u8>>> {
    let key = [twox_128(pallet.as_bytes()), twox_128(item.as_bytes())].concat();
    let key = format!("0x{}", hex::encode(key));
    match rpc(port, "state_getStorage", json!([key, block])).await? {
        Value::Null => Ok(None),
        value => bytes(&value).map(Some),
    }
}

/// The bytes of a hex text.
pub fn bytes(value: &Value) -> anyhow::Result<Vec<u8>> {
    let text = value
        .as_str()
        .with_context(|| format!("{value} is not bytes"))?;
    Ok(hex::decode(text.trim_start_matches("0x"))?)
}
