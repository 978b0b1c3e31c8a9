//! Pins and pointers on the chain. Every call is signed by the account that owns the service.

use crate::{
    chain::{Chain, Receipt},
    error::Failure,
};
use selvedge_primitives_runtime_api::ContentView;
use selvedge_primitives_types::{Hash, Pin, ServiceId};
use subxt_signer::sr25519::Keypair;

/// What a service keeps, and where its site and rules have been.
pub async fn content(chain: &Chain, service: ServiceId) -> anyhow::Result<ContentView> {
    let content: Option<ContentView> = chain.view("BillingApi_content", &service).await?;
    Ok(content.ok_or_else(|| Failure::NotFound(format!("there is no service #{service}")))?)
}

/// Has the network keep content; waits until that is final.
pub async fn pin(
    chain: &Chain,
    signer: &Keypair,
    service: ServiceId,
    pin: &Pin,
) -> anyhow::Result<Receipt> {
    pin.check()
        .map_err(|invalid| Failure::Input(invalid.to_string()))?;
    submit(chain, "pin", (service, *pin), signer).await
}

/// Has the network keep content no longer; waits until that is final.
pub async fn unpin(
    chain: &Chain,
    signer: &Keypair,
    service: ServiceId,
    root: Hash,
) -> anyhow::Result<Receipt> {
    submit(chain, "unpin", (service, root), signer).await
}

/// Serves a service from a pinned directory, or from its origin; waits until that is final.
pub async fn set_site(
    chain: &Chain,
    signer: &Keypair,
    service: ServiceId,
    root: Option<Hash>,
) -> anyhow::Result<Receipt> {
    submit(chain, "set_site", (service, root), signer).await
}

/// Has requests follow pinned rules, or none; waits until that is final.
pub async fn set_rules(
    chain: &Chain,
    signer: &Keypair,
    service: ServiceId,
    root: Option<Hash>,
) -> anyhow::Result<Receipt> {
    submit(chain, "set_rules", (service, root), signer).await
}

async fn submit(
    chain: &Chain,
    call: &str,
    arguments: impl codec::Encode,
    signer: &Keypair,
) -> anyhow::Result<Receipt> {
    chain
        .submit_encoded("Services", call, &arguments, signer)
        .await
}
