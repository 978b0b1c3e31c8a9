//! The machine's clock, as the cores want it.

use std::time::{SystemTime, UNIX_EPOCH};

use selvedge_primitives_types::Millis;

/// Now, since the Unix epoch.
pub fn now() -> Millis {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Millis(since.as_millis() as u64)
}
