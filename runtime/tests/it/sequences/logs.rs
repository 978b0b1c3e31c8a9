//! What the runtime complains of in its log: state that cannot be decoded, a case that was thought
//! to be impossible.

use log::{LevelFilter, Log, Metadata, Record};
use std::{cell::RefCell, sync::Once};

thread_local! {
    static COMPLAINTS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Staking says so when validators leave until nobody is left to choose, and keeps the set.
const EXPECTED: &str = "runtime::node-staking";

struct Complaints;

impl Log for Complaints {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() != EXPECTED
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let text = format!("{}: {}", record.target(), record.args());
            COMPLAINTS.with_borrow_mut(|complaints| complaints.push(text));
        }
    }

    fn flush(&self) {}
}

/// Listens from now on, on every thread.
pub fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&Complaints).expect("nothing else listens");
        log::set_max_level(LevelFilter::Error);
    });
    COMPLAINTS.take();
}

/// What was complained of on this thread since the last call.
pub fn complaints() -> Vec<String> {
    COMPLAINTS.take()
}
