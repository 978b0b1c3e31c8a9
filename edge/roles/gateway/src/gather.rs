//! Requests of one gateway that miss the same thing at once: the first asks, and the others wait for
//! what it brings into memory.
//!
//! Without this each of them would have the same bytes sent and verified for itself alone.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;

/// The keys that somebody asks for.
#[derive(Debug, Default)]
pub struct Gatherings(Mutex<HashMap<[u8; 16], watch::Receiver<()>>>);

/// Who comes first, and is waited for until this is dropped.
#[derive(Debug)]
pub struct Gathering {
    all: Arc<Gatherings>,
    name: [u8; 16],
    /// Nothing is ever sent: it is over when this is gone.
    _over: watch::Sender<()>,
}

/// What a request does.
#[derive(Debug)]
pub enum Place {
    /// Asks.
    First(Gathering),
    /// Waits until this closes.
    Later(watch::Receiver<()>),
}

impl Gatherings {
    /// Joins those who ask for a key.
    pub fn join(self: &Arc<Self>, name: [u8; 16]) -> Place {
        let mut waiting = self.0.lock();
        if let Some(over) = waiting.get(&name) {
            return Place::Later(over.clone());
        }
        let (sender, over) = watch::channel(());
        waiting.insert(name, over);
        Place::First(Gathering {
            all: self.clone(),
            name,
            _over: sender,
        })
    }
}

impl Drop for Gathering {
    fn drop(&mut self) {
        self.all.0.lock().remove(&self.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_asks_and_the_others_wait_for_it() {
        let all = Arc::new(Gatherings::default());
        let Place::First(first) = all.join([1; 16]) else {
            panic!("nobody was before");
        };
        let Place::Later(mut over) = all.join([1; 16]) else {
            panic!("two are first");
        };
        assert!(matches!(all.join([2; 16]), Place::First(_)));
        let mut waiting = Box::pin(over.changed());
        assert!(futures::poll!(&mut waiting).is_pending());
        drop(first);
        assert!(waiting.await.is_err());
        assert!(matches!(all.join([1; 16]), Place::First(_)));
        assert!(all.0.lock().is_empty());
    }
}
