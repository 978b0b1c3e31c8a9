//! Responses on their last way to a cache.
//!
//! A visitor can have the last byte of a response before the cache has stored it. Whoever asks for
//! it again at once, and must have it validated, would find nothing to validate; so who comes in
//! between waits for the cache, if only for a moment.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;

/// The longest that a request waits for the storing of the response before it.
const PATIENCE: Duration = Duration::from_millis(200);

/// The keys whose responses are whole here and not yet stored at their cache.
#[derive(Debug, Default)]
pub struct Landings(Mutex<HashMap<[u8; 16], watch::Receiver<()>>>);

/// A response being stored; it has landed when this is dropped.
#[derive(Debug)]
pub struct Landing {
    landings: Arc<Landings>,
    name: [u8; 16],
    landed: watch::Sender<()>,
}

impl Landing {
    /// A response that is under way.
    pub fn new(landings: &Arc<Landings>, name: [u8; 16]) -> Self {
        Self {
            landings: landings.clone(),
            name,
            landed: watch::Sender::new(()),
        }
    }

    /// All of it is here, and only the cache is waited for.
    pub fn begin(&self) {
        let waiting = self.landed.subscribe();
        self.landings.0.lock().insert(self.name, waiting);
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.landings.0.lock().remove(&self.name);
    }
}

impl Landings {
    /// Waits until a key's response has landed, if one is landing.
    pub async fn wait(&self, name: &[u8; 16]) {
        let landing = self.0.lock().get(name).cloned();
        if let Some(mut landing) = landing {
            // Nothing is ever sent: it ends when the response has landed.
            let _ = tokio::time::timeout(PATIENCE, landing.changed()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_comes_in_between_waits_until_it_has_landed() {
        let landings = Arc::new(Landings::default());
        let name = [1; 16];
        landings.wait(&name).await;
        let landing = Landing::new(&landings, name);
        assert!(landings.0.lock().is_empty(), "nobody waits for a body");
        landing.begin();
        let mut waiting = Box::pin(landings.wait(&name));
        assert!(futures::poll!(&mut waiting).is_pending());
        drop(landing);
        waiting.await;
        assert!(landings.0.lock().is_empty());
    }
}
