//! The numbered invariants, recomputed from the whole state of a finalised block.

use crate::state;

/// Reads the state of the newest finalised block and checks every pallet's invariants against it.
pub async fn check(port: u16) -> anyhow::Result<()> {
    let mut state = state::externalities(port).await?;
    state.execute_with(|| {
        let number = selvedge_runtime::System::block_number();
        anyhow::ensure!(number > 0, "a running chain has blocks");
        selvedge_runtime::check_invariants()
            .map_err(|error| anyhow::anyhow!("block {number}: {error}"))
    })
}
