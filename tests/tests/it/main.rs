//! The whole network as its users see it: real programs, real clients, one folder that is thrown away.
//!
//! Needs the programs (`SELVEDGE_BIN_DIR`) and the runtime blob (`SELVEDGE_RUNTIME_WASM`); `scripts/test.sh` builds both
//! and sets both. Without them the tests fail, they do not pass silently.

mod adversaries;
mod agent;
mod books;
mod clients;
mod crashes;
mod double_vote;
mod equivocation;
mod governed;
mod invariants;
mod lazy;
mod lifecycle;
mod network;
mod operated;
mod ownership;
mod parameters;
mod publishing;
mod pulse;
mod site;
mod state;
mod traffic;
mod upgrade;
mod wallet;

/// A place is held by each test while its network runs: networks mostly wait, but more than two at once slow each other down.
static NETWORKS: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(2);

fn env_path(name: &str) -> std::path::PathBuf {
    std::env::var_os(name)
        .map(std::path::PathBuf::from)
        .unwrap_or_else(|| panic!("{name} is not set; run scripts/test.sh"))
}
