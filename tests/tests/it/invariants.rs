//! The numbered invariants, recomputed from the whole state of a finalised block.

use crate::state;

/// Reads the state of the newest finalised block and checks every pallet's invariants against it.
pub async fn check(port: u16) -> anyhow::Result<()> {
    let head = state::finalised_head(port).await?;
    let pairs = state::all(port, &head).await?;
    anyhow::ensure!(
        pairs.len() > 100,
        "a running chain has more than {} keys",
        pairs.len()
    );
    let mut state = sp_io::TestExternalities::default();
    for (key, value) in pairs {
        state.insert(key, value);
    }
    state.execute_with(|| {
        selvedge_runtime::check_invariants().map_err(|error| anyhow::anyhow!("{head}: {error}"))
    })
}
