//! The hash function of the usage trees, passed in so that each side uses its fastest.

use selvedge_primitives_types::Hash;

/// Keccak-256, as Ethereum uses it (not SHA3-256).
///
/// The runtime passes the host function, the edge a native implementation.
pub trait Keccak256 {
    /// Digest of `bytes`.
    fn hash(bytes: &[u8]) -> Hash;
}
