//! Decision: chooses which caches own a key or a blob, by weighted rendezvous hashing.
//!
//! Opens no connection and measures nothing: the caller passes the nodes of the chain's config, and
//! whoever has the same config gets the same answer: every gateway, and every auditor. It does not
//! choose among replicas by load; that is for the one who has measured it (`edge/core/choice`).
//!
//! Every cache has a point on each of 32 rings, and so has every target. A cache is as far from a
//! target as on the ring on which it is nearest, in steps as long as it is heavy; the nearest owns
//! it:
//!
//! ```text
//! points(cache)  = BLAKE3("selvedge/node/v1" ‖ device), 256 octets, 32 numbers of 64 bits
//! points(target) = BLAKE3("selvedge/route/v2" ‖ target), likewise
//! distance       = least over the rings of point(cache) - point(target) mod 2^64
//! place          = distance / weight       the smaller, the nearer to the front
//! ```
//!
//! For a target that nobody has chosen, the distance on a ring is as good as drawn anew for each
//! cache: this is rendezvous hashing. But who is near can be looked up, so that the first of 10,000
//! costs some lookups and not 10,000 hashes ([`Owners::rank`]). Why not otherwise: ADR 023.
//!
//! [`Owners`] are the caches of one region in this order. [`Placement`] spreads the copies of
//! content over operators, regions and networks, and is what [`assignment`] recomputes.
//!
//! Invariants
//! 1. A cache owns a share of the targets that is its share of the weight.
//! 2. A cache that comes or goes, or whose weight changes, moves only targets from or to itself.
//!    (With several copies: and those whose spread it changes.)
//! 3. The order depends on nothing but the target and the caches: not on their order in the config,
//!    the machine or the build. Hence integers, and places that are compared without rounding.
//! 4. A placement of fewer copies is the beginning of one of more.

#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

mod candidate;
mod epochs;
mod loads;
mod network;
mod owners;
mod placement;
mod race;
mod spread;
mod target;

pub use candidate::{Candidate, LEAST_SCORE, MOST_OF_MEDIAN};
pub use epochs::Epochs;
pub use loads::Loads;
pub use owners::Owners;
pub use placement::{assignment, Placement};
pub use target::Target;
