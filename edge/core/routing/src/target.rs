//! What is to be owned, and where it is on the rings.

use selvedge_primitives_types::{DeviceId, ServiceId};

/// Rings on which caches and targets have a point.
///
/// A cache's share of the targets differs from its share of the weight by about 0.6 / `RINGS` of it
/// (standard deviation), since a cache next to another is hidden by it on that ring.
pub(crate) const RINGS: usize = 32;

/// A point on each ring.
pub(crate) type Points = [u64; RINGS];

/// What is to be owned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// A record and all its variants, by service and primary key.
    Key {
        /// The service.
        service: ServiceId,
        /// The primary cache key.
        key: &'a [u8],
    },
    /// The order of a service's purges.
    Service(ServiceId),
    /// Content that is named by its hash.
    Content(&'a [u8; 32]),
}

impl Target<'_> {
    pub(crate) fn points(&self) -> Points {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"selvedge/route/v2");
        match self {
            Self::Key { service, key } => hasher
                .update(&[0])
                .update(&service.0.to_le_bytes())
                .update(key),
            Self::Service(service) => hasher.update(&[1]).update(&service.0.to_le_bytes()),
            Self::Content(root) => hasher.update(&[2]).update(*root),
        };
        drawn(&hasher)
    }
}

pub(crate) fn points_of(device: &DeviceId) -> Points {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"selvedge/node/v1").update(&device.0);
    drawn(&hasher)
}

fn drawn(hasher: &blake3::Hasher) -> Points {
    let mut octets = [0; RINGS * 8];
    hasher.finalize_xof().fill(&mut octets);
    let (numbers, _) = octets.as_chunks::<8>();
    std::array::from_fn(|ring| numbers.get(ring).map_or(0, |n| u64::from_le_bytes(*n)))
}
