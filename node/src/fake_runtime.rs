//! The runtime as the node sees it: opaque blocks, and the list of runtime APIs it may call.
//!
//! The node never links the runtime; its code comes from the chain spec and runs as WebAssembly.
//! The macro below needs an implementation to make the client's API type from, but the client only
//! ever uses that type to encode calls: no body here is reachable.
#![allow(
    clippy::unimplemented,
    dead_code,
    reason = "only the types that the macro makes are used; see the module documentation"
)]

use pallet_transaction_payment_rpc_runtime_api::{FeeDetails, RuntimeDispatchInfo};
use sp_consensus_babe as babe;
use sp_consensus_grandpa as grandpa;
use sp_core::{crypto::KeyTypeId, OpaqueMetadata};
use sp_runtime::{
    generic,
    traits::{BlakeTwo256, Block as BlockT, NumberFor},
    transaction_validity::{TransactionSource, TransactionValidity},
    AccountId32, ApplyExtrinsicResult, ExtrinsicInclusionMode, OpaqueExtrinsic,
};
use sp_weights::Weight;

use selvedge_client_rpc::Nonce;
use selvedge_primitives_runtime_api as edge;
use selvedge_primitives_types::{
    Account, DeviceId, Epoch, Planck, PriceList, ServiceId, StakeId, UsageCommitment,
};

/// A block number.
pub(crate) type BlockNumber = u32;

/// A block header.
pub(crate) type Header = generic::Header<BlockNumber, BlakeTwo256>;

/// A block whose extrinsics only the runtime can read.
pub(crate) type Block = generic::Block<Header, OpaqueExtrinsic>;

/// Carries the API type only; no value of it exists.
struct Runtime;

sp_api::impl_runtime_apis! {
    impl sp_api::Core<Block> for Runtime {
        fn version() -> sp_version::RuntimeVersion {
            unimplemented!()
        }

        fn execute_block(_: <Block as BlockT>::LazyBlock) {
            unimplemented!()
        }

        fn initialize_block(_: &<Block as BlockT>::Header) -> ExtrinsicInclusionMode {
            unimplemented!()
        }
    }

    impl sp_api::Metadata<Block> for Runtime {
        fn metadata() -> OpaqueMetadata {
            unimplemented!()
        }

        fn metadata_at_version(_: u32) -> Option<OpaqueMetadata> {
            unimplemented!()
        }

        fn metadata_versions() -> Vec<u32> {
            unimplemented!()
        }
    }

    impl sp_block_builder::BlockBuilder<Block> for Runtime {
        fn apply_extrinsic(_: <Block as BlockT>::Extrinsic) -> ApplyExtrinsicResult {
            unimplemented!()
        }

        fn finalize_block() -> <Block as BlockT>::Header {
            unimplemented!()
        }

        fn inherent_extrinsics(
            _: sp_inherents::InherentData,
        ) -> Vec<<Block as BlockT>::Extrinsic> {
            unimplemented!()
        }

        fn check_inherents(
            _: <Block as BlockT>::LazyBlock,
            _: sp_inherents::InherentData,
        ) -> sp_inherents::CheckInherentsResult {
            unimplemented!()
        }
    }

    impl sp_transaction_pool::runtime_api::TaggedTransactionQueue<Block> for Runtime {
        fn validate_transaction(
            _: TransactionSource,
            _: <Block as BlockT>::Extrinsic,
            _: <Block as BlockT>::Hash,
        ) -> TransactionValidity {
            unimplemented!()
        }
    }

    impl sp_offchain::OffchainWorkerApi<Block> for Runtime {
        fn offchain_worker(_: &<Block as BlockT>::Header) {
            unimplemented!()
        }
    }

    impl sp_session::SessionKeys<Block> for Runtime {
        fn generate_session_keys(
            _: Vec<u8>,
            _: Option<Vec<u8>>,
        ) -> sp_session::OpaqueGeneratedSessionKeys {
            unimplemented!()
        }

        fn decode_session_keys(_: Vec<u8>) -> Option<Vec<(Vec<u8>, KeyTypeId)>> {
            unimplemented!()
        }
    }

    impl babe::BabeApi<Block> for Runtime {
        fn configuration() -> babe::BabeConfiguration {
            unimplemented!()
        }

        fn current_epoch_start() -> babe::Slot {
            unimplemented!()
        }

        fn current_epoch() -> babe::Epoch {
            unimplemented!()
        }

        fn next_epoch() -> babe::Epoch {
            unimplemented!()
        }

        fn generate_key_ownership_proof(
            _: babe::Slot,
            _: babe::AuthorityId,
        ) -> Option<babe::OpaqueKeyOwnershipProof> {
            unimplemented!()
        }

        fn submit_report_equivocation_unsigned_extrinsic(
            _: babe::EquivocationProof<<Block as BlockT>::Header>,
            _: babe::OpaqueKeyOwnershipProof,
        ) -> Option<()> {
            unimplemented!()
        }
    }

    impl grandpa::GrandpaApi<Block> for Runtime {
        fn grandpa_authorities() -> grandpa::AuthorityList {
            unimplemented!()
        }

        fn current_set_id() -> grandpa::SetId {
            unimplemented!()
        }

        fn generate_key_ownership_proof(
            _: grandpa::SetId,
            _: grandpa::AuthorityId,
        ) -> Option<grandpa::OpaqueKeyOwnershipProof> {
            unimplemented!()
        }

        fn submit_report_equivocation_unsigned_extrinsic(
            _: grandpa::EquivocationProof<<Block as BlockT>::Hash, NumberFor<Block>>,
            _: grandpa::OpaqueKeyOwnershipProof,
        ) -> Option<()> {
            unimplemented!()
        }
    }

    impl sp_authority_discovery::AuthorityDiscoveryApi<Block> for Runtime {
        fn authorities() -> Vec<sp_authority_discovery::AuthorityId> {
            unimplemented!()
        }
    }

    impl frame_system_rpc_runtime_api::AccountNonceApi<Block, AccountId32, Nonce> for Runtime {
        fn account_nonce(_: AccountId32) -> Nonce {
            unimplemented!()
        }
    }

    impl pallet_transaction_payment_rpc_runtime_api::TransactionPaymentApi<Block, Planck>
        for Runtime
    {
        fn query_info(_: <Block as BlockT>::Extrinsic, _: u32) -> RuntimeDispatchInfo<Planck> {
            unimplemented!()
        }

        fn query_fee_details(_: <Block as BlockT>::Extrinsic, _: u32) -> FeeDetails<Planck> {
            unimplemented!()
        }

        fn query_weight_to_fee(_: Weight) -> Planck {
            unimplemented!()
        }

        fn query_length_to_fee(_: u32) -> Planck {
            unimplemented!()
        }
    }

    #[api_version(2)]
    impl edge::BillingApi<Block> for Runtime {
        fn clock() -> edge::ClockView {
            unimplemented!()
        }

        fn account(_: Account) -> Option<edge::AccountView> {
            unimplemented!()
        }

        fn services(_: Account) -> Vec<edge::ServiceView> {
            unimplemented!()
        }

        fn invoice_head(_: Account, _: Epoch) -> Option<edge::InvoiceHead> {
            unimplemented!()
        }

        fn commitment(
            _: DeviceId,
            _: Epoch,
        ) -> Option<(UsageCommitment, edge::CommitmentStatus)> {
            unimplemented!()
        }

        fn price_lists() -> Vec<(PriceList, Epoch)> {
            unimplemented!()
        }

        fn content(_: ServiceId) -> Option<edge::ContentView> {
            unimplemented!()
        }
    }

    #[api_version(3)]
    impl edge::NodesApi<Block> for Runtime {
        fn node(_: DeviceId) -> Option<edge::NodeView> {
            unimplemented!()
        }

        fn devices(_: Option<DeviceId>, _: u32) -> Vec<DeviceId> {
            unimplemented!()
        }

        fn earnings(_: Account) -> edge::Earnings {
            unimplemented!()
        }

        fn explain_score(_: DeviceId) -> Option<edge::ScoreExplanation> {
            unimplemented!()
        }

        fn explain_earnings(_: StakeId) -> Vec<edge::EraEarningsExplanation> {
            unimplemented!()
        }
    }

    impl sp_genesis_builder::GenesisBuilder<Block> for Runtime {
        fn build_state(_: Vec<u8>) -> sp_genesis_builder::Result {
            unimplemented!()
        }

        fn get_preset(_: &Option<sp_genesis_builder::PresetId>) -> Option<Vec<u8>> {
            unimplemented!()
        }

        fn preset_names() -> Vec<sp_genesis_builder::PresetId> {
            unimplemented!()
        }
    }
}
