//! A runtime of system and driver.

mod audits;
mod chain;
pub(crate) mod net;

pub(crate) use audits::*;
pub(crate) use chain::*;

use crate as pallet_edge_driver;
use frame_support::{derive_impl, parameter_types, traits::Hooks};
use net::Net;
use selvedge_primitives_types::{agent::AgentEndpoint, DeviceId};
use sp_core::{
    crypto::AccountId32,
    offchain::{OffchainDbExt, OffchainWorkerExt},
};
use sp_keystore::{testing::MemoryKeystore, KeystoreExt};
use sp_runtime::{traits::IdentityLookup, BuildStorage};

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(RuntimeCall, RuntimeEvent, RuntimeError, RuntimeOrigin, RuntimeTask)]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    #[runtime::pallet_index(1)]
    pub type EdgeDriver = pallet_edge_driver;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
    type AccountId = AccountId32;
    type Lookup = IdentityLookup<AccountId32>;
}

parameter_types! {
    pub const TotalDeadline: u64 = 1_200;
    pub const RequestDeadline: u64 = 400;
    pub const ResubmitAfter: u32 = 5;
}

impl crate::Config for Test {
    type AllowPrivate = AllowPrivate;
    type Audits = Chain;
    type View = Chain;
    type Devices = Chain;
    type Settlement = Chain;
    type HostChecks = Chain;
    type Probes = Chain;
    type Submit = Chain;
    type SubmitAudits = Chain;
    type TotalDeadline = TotalDeadline;
    type RequestDeadline = RequestDeadline;
    type ResubmitAfter = ResubmitAfter;
}

pub(crate) fn device(n: u8) -> DeviceId {
    DeviceId([n; 32])
}

/// The endpoint of the n-th daemon, as the node's operator wrote it down.
pub(crate) fn endpoint(n: u8) -> AgentEndpoint {
    AgentEndpoint {
        device: device(n),
        url: format!("http://127.0.0.1:{}", 9800 + u16::from(n)).into_bytes(),
        token: TOKEN.as_bytes().to_vec(),
        agent_key: KEY,
    }
}

/// Runs the worker of a block.
pub(crate) fn work(block: u64) {
    System::set_block_number(block);
    EdgeDriver::offchain_worker(block);
}

/// Runs a test beside a network of daemons.
pub(crate) fn run(test: impl FnOnce(Net)) {
    reset();
    reset_audits();
    let net = Net::default();
    let storage = frame_system::GenesisConfig::<Test>::default()
        .build_storage()
        .unwrap();
    let mut ext = sp_io::TestExternalities::new(storage);
    ext.register_extension(OffchainWorkerExt::new(net.clone()));
    ext.register_extension(OffchainDbExt::new(net.clone()));
    ext.register_extension(KeystoreExt::new(MemoryKeystore::new()));
    ext.execute_with(|| test(net));
}
