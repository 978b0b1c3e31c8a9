//! Subcommands that Substrate does not bring.

mod create_chain_spec;
mod machine;

pub(crate) use create_chain_spec::CreateChainSpecCmd;
pub(crate) use machine::MachineCmd;
