//! Transactions as a wallet signs them, and how each ended, in the runtime's own types.

use crate::state;
use anyhow::Context;
use codec::{Decode, Encode};
use frame_system::{EventRecord, Phase};
use selvedge_devnet::{client, client::rpc, identity::Person, process::wait_for, Network};
use selvedge_runtime::{
    AccountId, Hash, RuntimeCall, RuntimeEvent, SignedPayload, TxExtension, UncheckedExtrinsic,
};
use serde_json::json;
use sp_core::{sr25519, Pair};
use sp_runtime::{generic::Era, DispatchError};
use std::time::Duration;

/// How many blocks a transaction may take to be in one.
const PATIENCE: u64 = 20;

/// How long the next block may take to be final.
const LIMIT: Duration = Duration::from_secs(120);

/// A chain node that takes transactions.
pub struct Wallet {
    port: u16,
}

/// A transaction in a final block.
pub struct Included {
    /// How its call ended.
    pub result: Result<(), DispatchError>,
    /// What it caused.
    pub events: Vec<RuntimeEvent>,
}

impl Included {
    /// Its events, when its call succeeded.
    pub fn succeeded(self) -> anyhow::Result<Vec<RuntimeEvent>> {
        match self.result {
            Ok(()) => Ok(self.events),
            Err(error) => anyhow::bail!("{}", name(error)),
        }
    }

    /// Fails unless the call ended in this error of the runtime.
    pub fn refused(self, expected: impl Into<DispatchError>) -> anyhow::Result<()> {
        let expected = expected.into();
        let error = self.result.err().context("it was not refused")?;
        // The text of an error is not part of what a block holds.
        anyhow::ensure!(
            error.encode() == expected.encode(),
            "{}, not {}",
            name(error),
            name(expected)
        );
        Ok(())
    }
}

fn name(error: DispatchError) -> String {
    match error {
        DispatchError::Module(module) => {
            format!("error {:?} of pallet {}", module.error, module.index)
        }
        other => format!("{other:?}"),
    }
}

impl Wallet {
    /// The first chain node of a network.
    pub fn new(network: &Network) -> Self {
        Self {
            port: network.rpc_port(),
        }
    }

    /// Calls a function of the runtime at the newest finalised block.
    pub async fn view<R: Decode>(
        &self,
        function: &str,
        arguments: &impl Encode,
    ) -> anyhow::Result<R> {
        let head = state::finalised_head(self.port).await?;
        let arguments = format!("0x{}", hex::encode(arguments.encode()));
        let answer = rpc(self.port, "state_call", json!([function, arguments, head])).await?;
        R::decode(&mut &state::bytes(&answer)?[..]).with_context(|| function.to_owned())
    }

    /// Signs a call, sends it and waits until it is final. Fails when the node does not take it.
    pub async fn send(
        &self,
        person: &Person,
        call: impl Into<RuntimeCall>,
    ) -> anyhow::Result<Included> {
        let transaction = self.sign(person, call.into()).await?;
        self.submit(&transaction).await
    }

    /// Sends a transaction and waits until it is final. Fails when the node does not take it.
    pub async fn submit(&self, transaction: &UncheckedExtrinsic) -> anyhow::Result<Included> {
        let bytes = format!("0x{}", hex::encode(transaction.encode()));
        let first = client::finalised(self.port).await? + 1;
        rpc(self.port, "author_submitExtrinsic", json!([bytes])).await?;
        for number in first..first + PATIENCE {
            let port = self.port;
            wait_for(
                &format!("finality of block {number}"),
                LIMIT,
                || async move { Ok((client::finalised(port).await? >= number).then_some(())) },
            )
            .await?;
            let hash = rpc(port, "chain_getBlockHash", json!([number])).await?;
            let hash = hash.as_str().context("a hash is text")?;
            let block = rpc(port, "chain_getBlock", json!([hash])).await?;
            let all = block["block"]["extrinsics"]
                .as_array()
                .context("a block has transactions")?;
            if let Some(index) = all.iter().position(|one| *one == bytes) {
                return self.outcome(hash, index as u32).await;
            }
        }
        anyhow::bail!("it is in none of {PATIENCE} blocks")
    }

    async fn outcome(&self, block: &str, index: u32) -> anyhow::Result<Included> {
        let events = state::value_at(self.port, "System", "Events", block).await?;
        let events = events.context("a block has events")?;
        let events = Vec::<EventRecord<RuntimeEvent, Hash>>::decode(&mut &events[..])?;
        let events: Vec<_> = events
            .into_iter()
            .filter(|record| record.phase == Phase::ApplyExtrinsic(index))
            .map(|record| record.event)
            .collect();
        let result = events.iter().find_map(|event| match event {
            RuntimeEvent::System(frame_system::Event::ExtrinsicSuccess { .. }) => Some(Ok(())),
            RuntimeEvent::System(frame_system::Event::ExtrinsicFailed {
                dispatch_error, ..
            }) => Some(Err(*dispatch_error)),
            _ => None,
        });
        Ok(Included {
            result: result.context("a transaction ends somehow")?,
            events,
        })
    }

    async fn sign(&self, person: &Person, call: RuntimeCall) -> anyhow::Result<UncheckedExtrinsic> {
        let next = rpc(
            self.port,
            "system_accountNextIndex",
            json!([person.address()]),
        )
        .await?;
        let nonce = next.as_u64().context("a nonce is a number")?.try_into()?;
        let version = rpc(self.port, "state_getRuntimeVersion", json!([])).await?;
        let version = |field: &str| -> anyhow::Result<u32> {
            let number = version[field].as_u64();
            Ok(number.with_context(|| field.to_owned())?.try_into()?)
        };
        let genesis = rpc(self.port, "chain_getBlockHash", json!([0])).await?;
        let genesis = Hash::from_slice(&state::bytes(&genesis)?);
        let (spec, transaction) = (version("specVersion")?, version("transactionVersion")?);
        // What is signed beside the call and not sent, in the order of the extensions.
        let implicit = (
            (),
            (),
            spec,
            transaction,
            genesis,
            genesis,
            (),
            (),
            (),
            None,
            (),
        );
        let payload = SignedPayload::from_raw(call, extension(nonce), implicit);
        let pair = sr25519::Pair::from_string(&person.suri(), None)
            .map_err(|error| anyhow::anyhow!("{error:?}"))?;
        let signature = payload.using_encoded(|message| pair.sign(message));
        let (call, extension, _) = payload.deconstruct();
        let account = AccountId::from(person.account());
        Ok(UncheckedExtrinsic::new_signed(
            call,
            account.into(),
            signature.into(),
            extension,
        ))
    }
}

fn extension(nonce: u32) -> TxExtension {
    (
        frame_system::AuthorizeCall::new(),
        frame_system::CheckNonZeroSender::new(),
        frame_system::CheckSpecVersion::new(),
        frame_system::CheckTxVersion::new(),
        frame_system::CheckGenesis::new(),
        frame_system::CheckMortality::from(Era::Immortal),
        frame_system::CheckNonce::from(nonce),
        frame_system::CheckWeight::new(),
        pallet_transaction_payment::ChargeTransactionPayment::from(0),
        frame_metadata_hash_extension::CheckMetadataHash::new(false),
        frame_system::WeightReclaim::new(),
    )
}
