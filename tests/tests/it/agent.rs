//! What the key of an agent signs, sent by somebody who is not its chain node.

use crate::state;
use codec::Encode;
use frame_system::offchain::CreateAuthorizedTransaction;
use selvedge_devnet::{client::rpc, identity::Seed};
use selvedge_primitives_types::{Domain, Signature64};
use selvedge_runtime::{Runtime, RuntimeCall, UncheckedExtrinsic};
use serde_json::json;
use sp_core::{sr25519, Pair};

/// Signs a payload and sends the call that bears the signature, free of charge. Fails with what the node says when it does
/// not take it.
pub async fn send(
    port: u16,
    key: &Seed,
    payload: &impl Encode,
    call: impl FnOnce(Signature64) -> RuntimeCall,
) -> anyhow::Result<()> {
    let genesis = rpc(port, "chain_getBlockHash", json!([0])).await?;
    let mut hash = [0; 32];
    hash.copy_from_slice(&state::bytes(&genesis)?);
    let message = Domain::Agent.message(&hash, payload);
    let pair = sr25519::Pair::from_string(&key.suri(), None)
        .map_err(|error| anyhow::anyhow!("{error:?}"))?;
    let call = call(Signature64(pair.sign(&message).0));
    let transaction: UncheckedExtrinsic =
        <Runtime as CreateAuthorizedTransaction<RuntimeCall>>::create_authorized_transaction(call);
    let bytes = format!("0x{}", hex::encode(transaction.encode()));
    rpc(port, "author_submitExtrinsic", json!([bytes])).await?;
    Ok(())
}
