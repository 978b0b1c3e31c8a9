//! A runtime of the system and this pallet.

use crate as pallet_edge_chain_params;
use frame_support::derive_impl;
use sp_runtime::BuildStorage;

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(RuntimeCall, RuntimeEvent, RuntimeError, RuntimeOrigin, RuntimeTask)]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    #[runtime::pallet_index(1)]
    pub type ChainParams = pallet_edge_chain_params;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
}

impl crate::Config for Test {}

pub(crate) fn build(config: crate::GenesisConfig<Test>) -> sp_io::TestExternalities {
    let genesis = RuntimeGenesisConfig {
        chain_params: config,
        ..Default::default()
    };
    genesis.build_storage().unwrap().into()
}
