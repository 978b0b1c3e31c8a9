//! Composes the pallets into Selvedge.
//!
//! It decides nothing itself: parameters, limits and who may change what are in `configs/` and
//! `governance/`, one file per area; rules are in the pallets. The node does not link this crate;
//! it runs the WebAssembly that `selvedge-runtime-wasm` makes of it.

#![cfg_attr(not(feature = "std"), no_std)]
#![recursion_limit = "512"]

extern crate alloc;

use alloc::vec::Vec;
use sp_runtime::{
    generic,
    traits::{BlakeTwo256, IdentifyAccount, Verify},
    MultiAddress, MultiSignature,
};
#[cfg(not(feature = "upgrade-rehearsal"))]
use sp_version::RuntimeVersion;

mod apis;
#[cfg(feature = "runtime-benchmarks")]
#[macro_use]
mod benches;
pub mod configs;
pub mod constants;
pub mod governance;
mod invariants;
pub mod presets;
#[cfg(feature = "upgrade-rehearsal")]
pub mod rehearsal;
pub mod views;

pub use apis::{api, RuntimeApi, RUNTIME_API_VERSIONS};
pub use configs::consensus::SessionKeys;
pub use invariants::check_invariants;
#[cfg(feature = "upgrade-rehearsal")]
pub use rehearsal::{Migrations, VERSION};

/// A signature of any scheme an account may use.
pub type Signature = MultiSignature;
/// An account.
pub type AccountId = <<Signature as Verify>::Signer as IdentifyAccount>::AccountId;
/// An amount in planck.
pub type Balance = u128;
/// Height of a block.
pub type BlockNumber = u32;
/// How often an account signed.
pub type Nonce = u32;
/// A hash of blocks and state.
pub type Hash = sp_core::H256;
/// How a call names an account.
pub type Address = MultiAddress<AccountId, ()>;
/// A block's header.
pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
/// A block.
pub type Block = generic::Block<Header, UncheckedExtrinsic>;

/// What a transaction carries beside its call. Only stock extensions, so that every wallet can
/// sign: the order is part of the signed payload and fixed for good.
pub type TxExtension = (
    frame_system::AuthorizeCall<Runtime>,
    frame_system::CheckNonZeroSender<Runtime>,
    frame_system::CheckSpecVersion<Runtime>,
    frame_system::CheckTxVersion<Runtime>,
    frame_system::CheckGenesis<Runtime>,
    frame_system::CheckMortality<Runtime>,
    frame_system::CheckNonce<Runtime>,
    frame_system::CheckWeight<Runtime>,
    pallet_transaction_payment::ChargeTransactionPayment<Runtime>,
    frame_metadata_hash_extension::CheckMetadataHash<Runtime>,
    frame_system::WeightReclaim<Runtime>,
);

/// A transaction before its signature is checked.
pub type UncheckedExtrinsic =
    generic::UncheckedExtrinsic<Address, RuntimeCall, Signature, TxExtension>;
/// What a signer signs.
pub type SignedPayload = generic::SignedPayload<RuntimeCall, TxExtension>;
/// Executes blocks.
pub type Executive = frame_executive::Executive<
    Runtime,
    Block,
    frame_system::ChainContext<Runtime>,
    Runtime,
    AllPalletsWithSystem,
>;

/// What the block after an upgrade changes in storage; a migration goes when every network has run it.
#[cfg(not(feature = "upgrade-rehearsal"))]
pub type Migrations = ();

/// Version of the runtime.
#[cfg(not(feature = "upgrade-rehearsal"))]
#[sp_version::runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
    spec_name: alloc::borrow::Cow::Borrowed("selvedge"),
    impl_name: alloc::borrow::Cow::Borrowed("selvedge"),
    authoring_version: 1,
    spec_version: 1,
    impl_version: 0,
    apis: RUNTIME_API_VERSIONS,
    transaction_version: 1,
    system_version: 1,
};

/// The pallets. Their indices order hooks and genesis, are part of every encoded call, and are
/// fixed for good.
#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(
        RuntimeCall,
        RuntimeEvent,
        RuntimeError,
        RuntimeOrigin,
        RuntimeFreezeReason,
        RuntimeHoldReason,
        RuntimeSlashReason,
        RuntimeLockId,
        RuntimeTask,
        RuntimeViewFunction
    )]
    pub struct Runtime;

    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    #[runtime::pallet_index(1)]
    pub type ChainParams = pallet_edge_chain_params;
    #[runtime::pallet_index(2)]
    pub type Babe = pallet_babe;
    #[runtime::pallet_index(3)]
    pub type Timestamp = pallet_timestamp;
    #[runtime::pallet_index(4)]
    pub type Balances = pallet_balances;
    #[runtime::pallet_index(5)]
    pub type TransactionPayment = pallet_transaction_payment;
    #[runtime::pallet_index(6)]
    pub type Authorship = pallet_authorship;
    #[runtime::pallet_index(10)]
    pub type NodeRegistry = pallet_edge_registry;
    #[runtime::pallet_index(11)]
    pub type NodeStaking = pallet_edge_staking;
    #[runtime::pallet_index(12)]
    pub type Offences = pallet_offences;
    #[runtime::pallet_index(13)]
    pub type Historical = pallet_session::historical;
    #[runtime::pallet_index(14)]
    pub type Session = pallet_session;
    #[runtime::pallet_index(15)]
    pub type Grandpa = pallet_grandpa;
    #[runtime::pallet_index(16)]
    pub type AuthorityDiscovery = pallet_authority_discovery;

    #[runtime::pallet_index(20)]
    pub type UsageClock = pallet_edge_clock;
    #[runtime::pallet_index(21)]
    pub type Services = pallet_edge_services;
    #[runtime::pallet_index(22)]
    pub type Billing = pallet_edge_billing;
    #[runtime::pallet_index(23)]
    pub type Reputation = pallet_edge_reputation;
    #[runtime::pallet_index(24)]
    pub type NodeYields = pallet_edge_yields;
    #[runtime::pallet_index(25)]
    pub type EdgeDriver = pallet_edge_driver;
    #[runtime::pallet_index(26)]
    pub type Audits = pallet_edge_audits;
    #[runtime::pallet_index(27)]
    pub type Claims = pallet_edge_claims;

    #[runtime::pallet_index(30)]
    pub type Parameters = pallet_parameters;
    #[runtime::pallet_index(31)]
    pub type EdgeGovernance = pallet_edge_governance;
    #[runtime::pallet_index(32)]
    pub type Preimage = pallet_preimage;
    #[runtime::pallet_index(33)]
    pub type Scheduler = pallet_scheduler;
    #[runtime::pallet_index(34)]
    pub type ConvictionVoting = pallet_conviction_voting;
    #[runtime::pallet_index(35)]
    pub type Referenda = pallet_referenda;
    #[runtime::pallet_index(36)]
    pub type Treasury = pallet_treasury;
    #[runtime::pallet_index(37)]
    pub type SafeMode = pallet_safe_mode;
    #[runtime::pallet_index(38)]
    pub type TxPause = pallet_tx_pause;

    #[runtime::pallet_index(50)]
    pub type Utility = pallet_utility;
    #[runtime::pallet_index(51)]
    pub type Proxy = pallet_proxy;
    #[runtime::pallet_index(52)]
    pub type Multisig = pallet_multisig;
    #[runtime::pallet_index(53)]
    pub type Identity = pallet_identity;

    #[runtime::pallet_index(255)]
    pub type Sudo = pallet_sudo;
}
