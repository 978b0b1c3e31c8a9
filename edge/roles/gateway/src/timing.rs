//! `Server-Timing` (W3C): where an answer came from and what took how long, for the site's own
//! debugging. It tells durations and no address.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::metrics::Source;

/// The field.
pub const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Which answers tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ServerTiming {
    /// None.
    Off,
    /// Those that did not come from the gateway's memory: a hit's head stays small.
    #[default]
    Misses,
    /// All.
    All,
}

impl ServerTiming {
    /// Whether an answer from this source tells.
    pub fn covers(self, source: Source) -> bool {
        match self {
            Self::Off => false,
            Self::Misses => source != Source::Memory,
            Self::All => true,
        }
    }
}

/// How long an exchange waited for its origin.
#[derive(Debug, Default)]
pub struct Waited(AtomicU64);

impl Waited {
    /// Notes a time, in addition to those before.
    pub fn add(&self, time: Duration) {
        // One that waited at all is never taken for one that did not.
        let micros = (time.as_micros() as u64).max(1);
        self.0.fetch_add(micros, Ordering::Relaxed);
    }

    fn time(&self) -> Option<Duration> {
        let micros = self.0.load(Ordering::Relaxed);
        (micros > 0).then(|| Duration::from_micros(micros))
    }
}

/// Adds the field to those that the origin sent.
pub fn tell(fields: &mut HeaderMap, source: Source, all: Duration, waited: &Waited) {
    let mut text = String::with_capacity(64);
    let origin = waited.time();
    // Writing into a string does not fail.
    let _ = write!(text, "cache;desc={}", source.name());
    if let Some(origin) = origin {
        let _ = write!(text, ", origin;dur={}", InMillis(origin));
    }
    let edge = all.saturating_sub(origin.unwrap_or_default());
    let _ = write!(text, ", edge;dur={}", InMillis(edge));
    if let Ok(value) = HeaderValue::from_str(&text) {
        fields.append(SERVER_TIMING, value);
    }
}

/// The line of a plain memory hit.
pub fn of_hit(text: &mut Vec<u8>, all: Duration) {
    use std::io::Write;
    let name = Source::Memory.name();
    // Writing into memory does not fail.
    let _ = write!(
        text,
        "server-timing: cache;desc={name}, edge;dur={}\r\n",
        InMillis(all)
    );
}

/// Milliseconds with their thousandths.
struct InMillis(Duration);

impl std::fmt::Display for InMillis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let micros = self.0.as_micros();
        write!(f, "{}.{:03}", micros / 1_000, micros % 1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_tells_what_took_how_long() {
        let mut fields = HeaderMap::new();
        fields.insert(SERVER_TIMING, HeaderValue::from_static("db;dur=3"));
        let waited = Waited::default();
        let all = Duration::from_micros(12_345);
        tell(&mut fields, Source::Cache, all, &waited);
        waited.add(Duration::from_millis(2));
        waited.add(Duration::from_millis(10));
        tell(&mut fields, Source::Pass, all, &waited);
        let lines: Vec<_> = fields.get_all(SERVER_TIMING).iter().collect();
        assert_eq!(
            lines,
            [
                "db;dur=3",
                "cache;desc=cache, edge;dur=12.345",
                "cache;desc=pass, origin;dur=12.000, edge;dur=0.345",
            ]
        );
        let mut text = Vec::new();
        of_hit(&mut text, Duration::from_micros(7));
        assert_eq!(
            text,
            b"server-timing: cache;desc=memory, edge;dur=0.007\r\n"
        );
    }

    #[test]
    fn a_setting_covers_what_it_says() {
        for source in Source::ALL {
            assert!(!ServerTiming::Off.covers(source) && ServerTiming::All.covers(source));
            assert_eq!(
                ServerTiming::Misses.covers(source),
                source != Source::Memory
            );
        }
    }
}
