//! Keys whose responses are not for sharing.
//!
//! They are held by name, since a key may be as long as a visitor likes.

use std::time::{Duration, Instant};

use selvedge_edge_drivers_transport::Memo;
use selvedge_primitives_types::ServiceId;

/// Keys remembered at most.
const MAX_PASSES: usize = 65_536;

/// See the module.
pub(crate) struct Passes(Memo<[u8; 16]>);

impl Default for Passes {
    fn default() -> Self {
        Self(Memo::new(MAX_PASSES))
    }
}

impl Passes {
    /// A key's responses are not for sharing for this long.
    pub(crate) fn remember(&self, service: ServiceId, key: &[u8], time: Duration) {
        self.0.remember(name(service, key), Instant::now(), time);
    }

    /// How much longer a key's responses are not for sharing.
    pub(crate) fn left(&self, service: ServiceId, key: &[u8]) -> Option<Duration> {
        self.0.left(&name(service, key), Instant::now())
    }
}

fn name(service: ServiceId, key: &[u8]) -> [u8; 16] {
    let digest = blake3::Hasher::new()
        .update(&service.0.to_le_bytes())
        .update(key)
        .finalize();
    let mut short = [0; 16];
    short.copy_from_slice(&digest.as_bytes()[..16]);
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_one_service_is_none_of_another() {
        let passes = Passes::default();
        let long = [b'x'; 8 * 1024];
        passes.remember(ServiceId(1), &long, Duration::from_secs(600));
        let left = passes.left(ServiceId(1), &long).unwrap();
        assert!(left <= Duration::from_secs(600) && left > Duration::from_secs(500));
        assert!(passes.left(ServiceId(2), &long).is_none());
        assert!(passes.left(ServiceId(1), &long[1..]).is_none());
    }
}
