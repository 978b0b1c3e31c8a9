//! Wraps the runtime APIs of billing and nodes, so that a client without SCALE reads them as JSON.
//!
//! Every answer names the block it was read at. Without `at` that is the last finalised block: what
//! is shown by default is never taken back.

use std::{marker::PhantomData, str::FromStr, sync::Arc};

use jsonrpsee::{
    core::RpcResult,
    proc_macros::rpc,
    types::{error::INVALID_PARAMS_CODE, ErrorObject, ErrorObjectOwned},
};
use selvedge_primitives_runtime_api::{BillingApi, NodesApi};
use selvedge_primitives_types::{Account, DeviceId, Epoch};
use sp_api::{ApiError, ApiRef, ProvideRuntimeApi};
use sp_blockchain::HeaderBackend;
use sp_core::bytes::from_hex;
use sp_runtime::{
    traits::{Block as BlockT, UniqueSaturatedInto},
    AccountId32,
};

use crate::views::{
    all, AccountView, Answer, BlockView, ClockView, CommitmentView, EarningsView, InvoiceHeadView,
    NodeView, PriceListView, ScoreExplanationView, ScoreView, ServiceView,
};

/// Error code of a call that the runtime at that block cannot answer.
const RUNTIME_CALL_FAILED: i32 = 8002;
/// Error code of a block that this node does not have.
const UNKNOWN_BLOCK: i32 = 8003;

/// The most devices in one answer; the runtime has the same bound.
const MAX_DEVICES: u32 = 1_000;

/// Billing and nodes as JSON. Accounts are SS58 or hex, devices hex.
#[rpc(server)]
pub trait V1Api<Hash> {
    /// The usage clock.
    #[method(name = "selvedge_v1_clock", blocking)]
    fn clock(&self, at: Option<Hash>) -> RpcResult<Answer<ClockView>>;

    /// A prepaid account; `null` if there is none.
    #[method(name = "selvedge_v1_account", blocking)]
    fn account(&self, account: String, at: Option<Hash>) -> RpcResult<Answer<Option<AccountView>>>;

    /// The services of an account.
    #[method(name = "selvedge_v1_services", blocking)]
    fn services(&self, account: String, at: Option<Hash>) -> RpcResult<Answer<Vec<ServiceView>>>;

    /// The head of an account's invoice for an epoch; `null` while the epoch has not ended.
    #[method(name = "selvedge_v1_invoiceHead", blocking)]
    fn invoice_head(
        &self,
        account: String,
        epoch: u64,
        at: Option<Hash>,
    ) -> RpcResult<Answer<Option<InvoiceHeadView>>>;

    /// What a gateway committed for an epoch; `null` if nothing.
    #[method(name = "selvedge_v1_commitment", blocking)]
    fn commitment(
        &self,
        gateway: String,
        epoch: u64,
        at: Option<Hash>,
    ) -> RpcResult<Answer<Option<CommitmentView>>>;

    /// The published price lists.
    #[method(name = "selvedge_v1_priceLists", blocking)]
    fn price_lists(&self, at: Option<Hash>) -> RpcResult<Answer<Vec<PriceListView>>>;

    /// A node's registration, stake, score and earnings of the last eras; `null` if it is not
    /// registered.
    #[method(name = "selvedge_v1_node", blocking)]
    fn node(&self, device: String, at: Option<Hash>) -> RpcResult<Answer<Option<NodeView>>>;

    /// A node's score with its inputs; `null` if it has none.
    #[method(name = "selvedge_v1_score", blocking)]
    fn score(&self, device: String, at: Option<Hash>) -> RpcResult<Answer<Option<ScoreView>>>;

    /// Every component of a node's scores with its inputs; `null` if it is not registered.
    #[method(name = "selvedge_v1_explainScore", blocking)]
    fn explain_score(
        &self,
        device: String,
        at: Option<Hash>,
    ) -> RpcResult<Answer<Option<ScoreExplanationView>>>;

    /// Registered devices after `after` in the order of their ids, at most `limit` and never over
    /// 1,000.
    #[method(name = "selvedge_v1_devices", blocking)]
    fn devices(
        &self,
        after: Option<String>,
        limit: Option<u32>,
        at: Option<Hash>,
    ) -> RpcResult<Answer<Vec<String>>>;

    /// What an account earned.
    #[method(name = "selvedge_v1_earnings", blocking)]
    fn earnings(&self, account: String, at: Option<Hash>) -> RpcResult<Answer<EarningsView>>;
}

/// Serves [`V1Api`] from a client.
pub struct V1Rpc<C, Block> {
    client: Arc<C>,
    _block: PhantomData<Block>,
}

impl<C, Block> V1Rpc<C, Block> {
    pub fn new(client: Arc<C>) -> Self {
        Self {
            client,
            _block: PhantomData,
        }
    }
}

impl<C, Block> V1Rpc<C, Block>
where
    Block: BlockT,
    C: ProvideRuntimeApi<Block> + HeaderBackend<Block>,
{
    fn ask<T>(
        &self,
        at: Option<Block::Hash>,
        call: impl FnOnce(ApiRef<'_, C::Api>, Block::Hash) -> Result<T, ApiError>,
    ) -> RpcResult<Answer<T>> {
        let info = self.client.info();
        let hash = at.unwrap_or(info.finalized_hash);
        let number = self
            .client
            .number(hash)
            .map_err(|error| error_object(UNKNOWN_BLOCK, "cannot look the block up", error))?
            .ok_or_else(|| error_object(UNKNOWN_BLOCK, "this node has no such block", hash))?;
        let finalized = number <= info.finalized_number
            && self
                .client
                .hash(number)
                .is_ok_and(|canonical| canonical == Some(hash));
        let value = call(self.client.runtime_api(), hash).map_err(|error| {
            error_object(
                RUNTIME_CALL_FAILED,
                "the runtime at this block has no answer",
                error,
            )
        })?;
        let block = BlockView {
            number: number.unique_saturated_into(),
            hash: format!("{hash:?}"),
            finalized,
        };
        Ok(Answer { block, value })
    }
}

impl<C, Block> V1ApiServer<Block::Hash> for V1Rpc<C, Block>
where
    Block: BlockT,
    C: ProvideRuntimeApi<Block> + HeaderBackend<Block> + Send + Sync + 'static,
    C::Api: BillingApi<Block> + NodesApi<Block>,
{
    fn clock(&self, at: Option<Block::Hash>) -> RpcResult<Answer<ClockView>> {
        self.ask(at, |api, at| Ok(api.clock(at)?.into()))
    }

    fn account(
        &self,
        account: String,
        at: Option<Block::Hash>,
    ) -> RpcResult<Answer<Option<AccountView>>> {
        let account = parse_account(&account)?;
        self.ask(at, |api, at| Ok(api.account(at, account)?.map(Into::into)))
    }

    fn services(
        &self,
        account: String,
        at: Option<Block::Hash>,
    ) -> RpcResult<Answer<Vec<ServiceView>>> {
        let account = parse_account(&account)?;
        self.ask(at, |api, at| Ok(all(api.services(at, account)?)))
    }

    fn invoice_head(
        &self,
        account: String,
        epoch: u64,
        at: Option<Block::Hash>,
    ) -> RpcResult<Answer<Option<InvoiceHeadView>>> {
        let account = parse_account(&account)?;
        self.ask(at, |api, at| {
            Ok(api.invoice_head(at, account, Epoch(epoch))?.map(Into::into))
        })
    }

    fn commitment(
        &self,
        gateway: String,
        epoch: u64,
        at: Option<Block::Hash>,
    ) -> RpcResult<Answer<Option<CommitmentView>>> {
        let gateway = parse_device(&gateway)?;
        self.ask(at, |api, at| {
            Ok(api.commitment(at, gateway, Epoch(epoch))?.map(Into::into))
        })
    }

    fn price_lists(&self, at: Option<Block::Hash>) -> RpcResult<Answer<Vec<PriceListView>>> {
        self.ask(at, |api, at| Ok(all(api.price_lists(at)?)))
    }

    fn node(&self, device: String, at: Option<Block::Hash>) -> RpcResult<Answer<Option<NodeView>>> {
        let device = parse_device(&device)?;
        self.ask(at, |api, at| Ok(api.node(at, device)?.map(Into::into)))
    }

    fn score(
        &self,
        device: String,
        at: Option<Block::Hash>,
    ) -> RpcResult<Answer<Option<ScoreView>>> {
        let device = parse_device(&device)?;
        self.ask(at, |api, at| {
            Ok(api
                .node(at, device)?
                .and_then(|node| node.score)
                .map(Into::into))
        })
    }

    fn explain_score(
        &self,
        device: String,
        at: Option<Block::Hash>,
    ) -> RpcResult<Answer<Option<ScoreExplanationView>>> {
        let device = parse_device(&device)?;
        self.ask(at, |api, at| {
            Ok(api.explain_score(at, device)?.map(Into::into))
        })
    }

    fn devices(
        &self,
        after: Option<String>,
        limit: Option<u32>,
        at: Option<Block::Hash>,
    ) -> RpcResult<Answer<Vec<String>>> {
        let after = after.as_deref().map(parse_device).transpose()?;
        let limit = limit.unwrap_or(MAX_DEVICES).min(MAX_DEVICES);
        self.ask(at, |api, at| {
            Ok(api
                .devices(at, after, limit)?
                .iter()
                .map(DeviceId::to_string)
                .collect())
        })
    }

    fn earnings(
        &self,
        account: String,
        at: Option<Block::Hash>,
    ) -> RpcResult<Answer<EarningsView>> {
        let account = parse_account(&account)?;
        self.ask(at, |api, at| Ok(api.earnings(at, account)?.into()))
    }
}

fn parse_account(text: &str) -> Result<Account, ErrorObjectOwned> {
    AccountId32::from_str(text)
        .map(|account| Account(account.into()))
        .map_err(|_| invalid("an account is an SS58 address or 32 bytes in hex"))
}

fn parse_device(text: &str) -> Result<DeviceId, ErrorObjectOwned> {
    from_hex(text)
        .ok()
        .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
        .map(DeviceId)
        .ok_or_else(|| invalid("a device id is 32 bytes in hex"))
}

fn invalid(message: &'static str) -> ErrorObjectOwned {
    ErrorObject::owned(INVALID_PARAMS_CODE, message, None::<()>)
}

fn error_object(code: i32, message: &'static str, cause: impl ToString) -> ErrorObjectOwned {
    ErrorObject::owned(code, message, Some(cause.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use selvedge_primitives_runtime_api as api;
    use selvedge_primitives_types::{Era, Millis, PriceList, ServiceId, StakeId};
    use sp_blockchain::{BlockStatus, Info};
    use sp_runtime::{
        generic,
        traits::{BlakeTwo256, Header as _},
        OpaqueExtrinsic,
    };

    type Header = generic::Header<u32, BlakeTwo256>;
    type Block = generic::Block<Header, OpaqueExtrinsic>;
    type Hash = <Block as BlockT>::Hash;

    /// A chain of one finalised and one best block, whose runtime answers with what it was asked.
    struct Chain;

    struct Api;

    impl ProvideRuntimeApi<Block> for Chain {
        type Api = Api;

        fn runtime_api(&self) -> ApiRef<'_, Api> {
            Api.into()
        }
    }

    sp_api::mock_impl_runtime_apis! {
        impl BillingApi<Block> for Api {
            fn clock() -> api::ClockView {
                api::ClockView {
                    epoch: Epoch(9),
                    epoch_start: Millis(540_000),
                    epoch_length: Millis(60_000),
                    era: Era(2),
                    epochs_per_era: 4,
                    now: Millis(570_000),
                }
            }

            fn account(_: Account) -> Option<api::AccountView> {
                None
            }

            fn services(_: Account) -> Vec<api::ServiceView> {
                Vec::new()
            }

            fn invoice_head(customer: Account, epoch: Epoch) -> Option<api::InvoiceHead> {
                Some(api::InvoiceHead {
                    customer,
                    epoch,
                    from: Millis(0),
                    to: Millis(60_000),
                    lines: Vec::new(),
                    prices: Vec::new(),
                    complete: true,
                })
            }

            fn commitment(
                _: DeviceId,
                _: Epoch,
            ) -> Option<(selvedge_primitives_types::UsageCommitment, api::CommitmentStatus)> {
                None
            }

            fn price_lists() -> Vec<(PriceList, Epoch)> {
                Vec::new()
            }

            fn content(_: ServiceId) -> Option<api::ContentView> {
                None
            }
        }

        impl NodesApi<Block> for Api {
            fn node(_: DeviceId) -> Option<api::NodeView> {
                None
            }

            fn devices(after: Option<DeviceId>, limit: u32) -> Vec<DeviceId> {
                let mut last = [0; 32];
                last[..4].copy_from_slice(&limit.to_be_bytes());
                after.into_iter().chain([DeviceId(last)]).collect()
            }

            fn earnings(_: Account) -> api::Earnings {
                api::Earnings::default()
            }

            fn explain_score(_: DeviceId) -> Option<api::ScoreExplanation> {
                None
            }

            fn explain_earnings(_: StakeId) -> Vec<api::EraEarningsExplanation> {
                Vec::new()
            }
        }
    }

    fn hash_of(number: u32) -> Hash {
        Hash::repeat_byte(number as u8)
    }

    impl HeaderBackend<Block> for Chain {
        fn header(&self, _: Hash) -> sp_blockchain::Result<Option<Header>> {
            Ok(Some(Header::new(
                0,
                Default::default(),
                Default::default(),
                Default::default(),
                Default::default(),
            )))
        }

        fn info(&self) -> Info<Block> {
            Info {
                best_hash: hash_of(2),
                best_number: 2,
                genesis_hash: hash_of(0),
                finalized_hash: hash_of(1),
                finalized_number: 1,
                finalized_state: None,
                number_leaves: 1,
                block_gap: None,
            }
        }

        fn status(&self, _: Hash) -> sp_blockchain::Result<BlockStatus> {
            Ok(BlockStatus::InChain)
        }

        fn number(&self, hash: Hash) -> sp_blockchain::Result<Option<u32>> {
            Ok((0..=2).find(|number| hash_of(*number) == hash))
        }

        fn hash(&self, number: u32) -> sp_blockchain::Result<Option<Hash>> {
            Ok((number <= 2).then(|| hash_of(number)))
        }
    }

    fn rpc() -> V1Rpc<Chain, Block> {
        V1Rpc::new(Arc::new(Chain))
    }

    const HEX: &str = "0x0101010101010101010101010101010101010101010101010101010101010101";

    #[test]
    fn the_last_finalised_block_answers_unless_another_is_named() {
        let answer = rpc().clock(None).unwrap();
        assert_eq!(answer.value.epoch, 9);
        assert_eq!((answer.block.number, answer.block.finalized), (1, true));
        let best = rpc().clock(Some(hash_of(2))).unwrap();
        assert_eq!((best.block.number, best.block.finalized), (2, false));
        assert_eq!(best.block.hash, format!("0x{}", "02".repeat(32)));
    }

    #[test]
    fn an_unknown_block_is_told_apart_from_a_missing_answer() {
        let error = rpc().clock(Some(Hash::repeat_byte(9))).unwrap_err();
        assert_eq!(error.code(), UNKNOWN_BLOCK);
        assert_eq!(rpc().account(HEX.into(), None).unwrap().value, None);
    }

    #[test]
    fn an_account_is_an_address_or_hex_and_reaches_the_runtime() {
        let address = AccountId32::new([1; 32]).to_string();
        for account in [HEX, address.as_str()] {
            let head = rpc()
                .invoice_head(account.into(), 4, None)
                .unwrap()
                .value
                .unwrap();
            assert_eq!((head.customer.as_str(), head.epoch), (address.as_str(), 4));
        }
        for bad in ["", "0x12", "not an account"] {
            let error = rpc().earnings(bad.into(), None).unwrap_err();
            assert_eq!(error.code(), INVALID_PARAMS_CODE, "{bad}");
        }
    }

    #[test]
    fn no_call_asks_for_more_devices_than_the_bound() {
        for (limit, asked) in [(None, 1_000u32), (Some(u32::MAX), 1_000), (Some(5), 5)] {
            let devices = rpc().devices(Some(HEX.into()), limit, None).unwrap().value;
            assert_eq!(devices[0], HEX);
            assert!(
                devices[1].starts_with(&format!("0x{asked:08x}")),
                "{limit:?}"
            );
        }
        let error = rpc().node("0x00".into(), None).unwrap_err();
        assert_eq!(error.code(), INVALID_PARAMS_CODE);
        let error = rpc().explain_score("0x00".into(), None).unwrap_err();
        assert_eq!(error.code(), INVALID_PARAMS_CODE);
        let unknown = rpc().explain_score(HEX.into(), None).unwrap();
        assert_eq!(unknown.value, None);
    }
}
