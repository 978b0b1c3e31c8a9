//! Every numbered invariant of the pallets, recomputed from the whole state.

use crate::{
    configs::ranges::check_joint_ranges, Audits, Billing, ChainParams, Claims, EdgeGovernance,
    NodeRegistry, NodeStaking, NodeYields, Reputation, Services, UsageClock,
};
use sp_runtime::TryRuntimeError;

/// Checks every invariant against the state; says which one is broken.
///
/// It walks the whole state: for tests and for tools that look at a block from outside.
pub fn check_invariants() -> Result<(), &'static str> {
    let plain = |error: TryRuntimeError| -> &'static str { error.into() };
    ChainParams::check_invariants()?;
    UsageClock::check_invariants()?;
    NodeRegistry::check_invariants()?;
    NodeStaking::check_invariants()?;
    Services::do_try_state().map_err(plain)?;
    Billing::check_invariants()?;
    Audits::check_invariants()?;
    Claims::check_invariants()?;
    Reputation::check_invariants()?;
    NodeYields::check_invariants()?;
    EdgeGovernance::do_try_state().map_err(plain)?;
    check_joint_ranges()
}
