//! The whole network as its users see it: real programs, real clients, one folder that is thrown away.
//!
//! Needs the programs (`SELVEDGE_BIN_DIR`) and the runtime blob (`SELVEDGE_RUNTIME_WASM`); `scripts/test.sh` builds both
//! and sets both. Without them the tests fail, they do not pass silently.

mod clients;
mod invariants;
mod network;
mod site;
mod traffic;
