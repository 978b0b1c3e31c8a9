//! Waiting for something that can be seen.

use std::{
    fmt::Display,
    future::Future,
    time::{Duration, Instant},
};

/// The end of patience: far beyond what anything takes, also on a machine that builds meanwhile.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Looks again and again until `look` gives a value.
///
/// Panics at the [`DEADLINE`] with what was waited for.
pub async fn wait_for<T, F, Fut>(what: impl Display, mut look: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    let start = Instant::now();
    loop {
        if let Some(value) = look().await {
            return value;
        }
        let is_over = start.elapsed() > DEADLINE;
        assert!(!is_over, "{what} did not happen within {DEADLINE:?}");
        tokio::time::sleep(PAUSE).await;
    }
}
