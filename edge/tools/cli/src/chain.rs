//! The chain as this program sees it: runtime APIs read typed, transactions sent by name and checked against the
//! node's own metadata.

use crate::{error::Failure, keys};
use codec::{Decode, DecodeAll, Encode};
use selvedge_primitives_runtime_api::NodeView;
use selvedge_primitives_types::{Account, DeviceId, GenesisHash, StakeId};
use subxt::{
    client::OnlineClientAtBlock,
    dynamic::{self, Value},
    ext::{
        scale_encode::EncodeAsFields,
        scale_type_resolver::{FieldIter, TypeResolver},
        scale_value::{At, Composite},
    },
    extrinsics::ExtrinsicEvents,
    transactions::Payload,
    OnlineClient, SubstrateConfig,
};
use subxt_signer::sr25519::Keypair;

/// Devices asked for at once.
const PAGE: u32 = 100;

/// A connection to a chain node.
pub struct Chain {
    client: OnlineClient<SubstrateConfig>,
}

/// The chain as it was at one block.
pub struct Snapshot {
    block: OnlineClientAtBlock<SubstrateConfig>,
}

/// A governed parameter, as `EdgeGovernance` describes it; numbers are in its unit.
#[derive(Decode)]
pub struct Parameter {
    /// Its area.
    pub area: Vec<u8>,
    /// Its name in the area.
    pub name: Vec<u8>,
    /// Unit of the numbers.
    pub unit: Vec<u8>,
    /// The lowest value it may have.
    pub min: u128,
    /// The highest value it may have.
    pub max: u128,
    /// Its value as long as nobody set one.
    pub default: u128,
    /// The value in force.
    pub current: u128,
    /// Name of the track whose referenda may set it.
    pub track: Vec<u8>,
}

/// Why a view function was not executed: `ViewFunctionDispatchError` of `frame-support`.
#[derive(Debug, Decode)]
enum ViewRefused {
    /// The pallet has none.
    #[codec(index = 0)]
    NotImplemented,
    /// None has this id.
    #[codec(index = 1)]
    NotFound(#[expect(dead_code, reason = "it is printed")] [u8; 32]),
    /// Its arguments are not what it takes.
    #[codec(index = 2)]
    Codec,
}

/// Arguments of a call in their SCALE form, for types that this program shares with the runtime.
struct Encoded(Vec<u8>);

impl EncodeAsFields for Encoded {
    fn encode_as_fields_to<R: TypeResolver>(
        &self,
        _fields: &mut dyn FieldIter<'_, R::TypeId>,
        _types: &R,
        out: &mut Vec<u8>,
    ) -> Result<(), subxt::ext::scale_encode::Error> {
        out.extend_from_slice(&self.0);
        Ok(())
    }
}

/// What a transaction did.
pub struct Receipt {
    /// Hash of the block that holds it.
    pub block: String,
    events: ExtrinsicEvents<SubstrateConfig>,
}

impl Receipt {
    /// A number in the first event of this name that the transaction caused.
    pub fn number(&self, pallet: &str, event: &str, field: &str) -> anyhow::Result<u64> {
        for found in self.events.iter() {
            let found = found?;
            if (found.pallet_name(), found.event_name()) == (pallet, event) {
                let fields: Composite<()> = found.decode_fields_unchecked_as()?;
                // An id is a struct of one number.
                let value = fields.at(field).map(|value| value.at(0).unwrap_or(value));
                if let Some(number) = value.and_then(Value::as_u128) {
                    return Ok(number.try_into()?);
                }
            }
        }
        Err(Failure::AnswerInvalid(format!("no event {pallet}.{event} with {field}")).into())
    }
}

impl Chain {
    /// Connects to a node's JSON-RPC.
    pub async fn connect(url: &str) -> Result<Self, Failure> {
        let client = OnlineClient::from_insecure_url(url)
            .await
            .map_err(|error| Failure::NodeUnreachable {
                url: url.into(),
                cause: error.to_string(),
            })?;
        Ok(Self { client })
    }

    /// The chain's genesis hash, which every device signature binds.
    pub fn genesis(&self) -> GenesisHash {
        self.client.genesis_hash().0
    }

    /// Every registered node.
    pub async fn nodes(&self) -> anyhow::Result<Vec<NodeView>> {
        let mut nodes: Vec<NodeView> = Vec::new();
        let mut after: Option<DeviceId> = None;
        loop {
            let page: Vec<DeviceId> = self.view("NodesApi_devices", &(after, PAGE)).await?;
            for device in &page {
                let node: Option<NodeView> = self.view("NodesApi_node", device).await?;
                nodes.extend(node);
            }
            after = page.last().copied();
            if page.len() < PAGE as usize {
                return Ok(nodes);
            }
        }
    }

    /// The chain at the newest finalised block.
    pub async fn snapshot(&self) -> anyhow::Result<Snapshot> {
        let block = self.client.at_current_block().await?;
        Ok(Snapshot { block })
    }

    /// Calls a runtime API function, such as `NodesApi_node`, at the newest finalised block.
    pub async fn view<R: Decode>(
        &self,
        function: &str,
        arguments: &impl Encode,
    ) -> anyhow::Result<R> {
        self.snapshot().await?.view(function, arguments).await
    }

    /// Every governed parameter, at the newest finalised block.
    pub async fn parameters(&self) -> anyhow::Result<Vec<Parameter>> {
        let snapshot = self.snapshot().await?;
        let (pallet, name) = ("EdgeGovernance", "parameters");
        let metadata = snapshot.block.metadata_ref();
        let function = metadata
            .pallet_by_name(pallet)
            .and_then(|pallet| pallet.view_function_by_name(name))
            .ok_or_else(|| Failure::AnswerInvalid(format!("the chain has no {pallet}::{name}")))?;
        // By hand: subxt 0.50 leaves out the length of the input, and then waits for an answer for ever.
        let arguments = (*function.query_id(), Vec::<u8>::new());
        let answer: Result<Vec<u8>, ViewRefused> = snapshot
            .view("RuntimeViewFunction_execute_view_function", &arguments)
            .await?;
        let bytes = answer.map_err(|refused| {
            Failure::AnswerInvalid(format!("{pallet}::{name} was not executed: {refused:?}"))
        })?;
        Ok(Vec::decode_all(&mut &bytes[..])
            .map_err(|error| Failure::AnswerInvalid(format!("{pallet}::{name}: {error}")))?)
    }

    /// Free balance of an account.
    pub async fn free_balance(&self, account: &Account) -> anyhow::Result<u128> {
        #[derive(subxt::ext::scale_decode::DecodeAsType)]
        #[decode_as_type(crate_path = "subxt::ext::scale_decode")]
        struct Info {
            data: Data,
        }
        #[derive(subxt::ext::scale_decode::DecodeAsType)]
        #[decode_as_type(crate_path = "subxt::ext::scale_decode")]
        struct Data {
            free: u128,
        }
        let address = dynamic::storage::<([u8; 32],), Info>("System", "Account");
        let block = self.client.at_current_block().await?;
        match block.storage().try_fetch(address, (account.0,)).await? {
            Some(value) => Ok(value.decode()?.data.free),
            None => Ok(0),
        }
    }

    /// How often a stake was assigned: the nonce that the next device signs.
    pub async fn assignments(&self, stake: StakeId) -> anyhow::Result<u32> {
        #[derive(subxt::ext::scale_decode::DecodeAsType)]
        #[decode_as_type(crate_path = "subxt::ext::scale_decode")]
        struct Stake {
            assignments: u32,
        }
        let address = dynamic::storage::<(u64,), Stake>("NodeStaking", "Stakes");
        let block = self.client.at_current_block().await?;
        let stored = block.storage().try_fetch(address, (stake.0,)).await?;
        let stored =
            stored.ok_or_else(|| Failure::NotFound(format!("there is no stake #{stake}")))?;
        Ok(stored.decode()?.assignments)
    }

    /// Sends a transaction and waits until it is final.
    pub async fn submit(
        &self,
        pallet: &str,
        call: &str,
        fields: Vec<(&str, Value)>,
        signer: &Keypair,
    ) -> anyhow::Result<Receipt> {
        let payload = dynamic::transaction(pallet, call, Composite::named(fields));
        self.send(&payload, signer).await
    }

    /// Sends a transaction whose arguments are in their SCALE form already, and waits until it is final.
    pub async fn submit_encoded(
        &self,
        pallet: &str,
        call: &str,
        arguments: &impl Encode,
        signer: &Keypair,
    ) -> anyhow::Result<Receipt> {
        let payload = dynamic::transaction(pallet, call, Encoded(arguments.encode()));
        self.send(&payload, signer).await
    }

    async fn send(&self, payload: &impl Payload, signer: &Keypair) -> anyhow::Result<Receipt> {
        let name = format!("{}.{}", payload.pallet_name(), payload.call_name());
        let refused = |reason: String| Failure::Refused {
            call: name.clone(),
            reason,
        };
        let block = self.client.at_current_block().await?;
        let in_block = block
            .transactions()
            .sign_and_submit_then_watch_default(payload, signer)
            .await
            .map_err(|error| refused(advice(&error.to_string(), signer)))?
            .wait_for_finalized()
            .await
            .map_err(|error| refused(error.to_string()))?;
        let events = in_block
            .wait_for_success()
            .await
            .map_err(|error| refused(error.to_string()))?;
        Ok(Receipt {
            block: format!("{:#x}", in_block.block_hash()),
            events,
        })
    }
}

impl Snapshot {
    /// Hash of the block.
    pub fn hash(&self) -> String {
        format!("{:#x}", self.block.block_hash())
    }

    /// Calls a runtime API function, such as `NodesApi_node`.
    pub async fn view<R: Decode>(
        &self,
        function: &str,
        arguments: &impl Encode,
    ) -> anyhow::Result<R> {
        let bytes = self
            .block
            .runtime_apis()
            .call_raw(function, Some(&arguments.encode()))
            .await?;
        let mut input = bytes.as_slice();
        let answer = R::decode(&mut input)
            .map_err(|error| Failure::AnswerInvalid(format!("{function}: {error}")))?;
        if !input.is_empty() {
            return Err(Failure::AnswerInvalid(format!(
                "{function}: {} bytes too many",
                input.len()
            ))
            .into());
        }
        Ok(answer)
    }
}

/// Adds what to do next where the cause is a common one.
fn advice(error: &str, signer: &Keypair) -> String {
    if error.contains("Inability to pay some fees") {
        let address = keys::address(&Account(signer.public_key().0));
        return format!("{address} cannot pay the fee\n  send it some SEL first");
    }
    error.into()
}
