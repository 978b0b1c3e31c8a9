//! Whether finality went on all the time.

use selvedge_devnet::client;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::task::JoinHandle;

/// How often a node is asked.
const PERIOD: Duration = Duration::from_millis(500);

/// Watches a node's newest finalised block until it is dropped.
pub struct Pulse {
    longest: Arc<Mutex<Duration>>,
    watching: JoinHandle<()>,
}

impl Pulse {
    /// Begins to watch.
    pub fn watch(port: u16) -> Self {
        let longest = Arc::new(Mutex::new(Duration::ZERO));
        let noted = longest.clone();
        let watching = tokio::spawn(async move {
            let (mut highest, mut since) = (0, Instant::now());
            let mut ticks = tokio::time::interval(PERIOD);
            loop {
                ticks.tick().await;
                // A node that does not answer finalises nothing that anybody knows of.
                let now = client::finalised(port).await.unwrap_or(highest);
                let mut longest = noted.lock().unwrap_or_else(PoisonError::into_inner);
                *longest = (*longest).max(since.elapsed());
                if now > highest {
                    (highest, since) = (now, Instant::now());
                }
            }
        });
        Self { longest, watching }
    }

    /// The longest that no block became final, so far.
    pub fn longest(&self) -> Duration {
        *self.longest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.watching.abort();
    }
}
