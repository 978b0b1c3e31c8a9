//! The network: who has what, and how it moves.

pub mod audit;
pub mod era;
pub mod ledger;
pub mod line;
pub mod node;
pub mod settle;
pub mod traffic;
pub mod void;
pub mod world;

pub use ledger::{Account, Defect, Flow, Ledger};
pub use line::{Line, Payer};
pub use node::Node;
pub use world::World;

use selvedge_primitives_math::Keccak256;
use selvedge_primitives_types::Hash;
use sha3::Digest;

/// Which rules are in force, where a change is proposed (ADR 017).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    /// As the design has them.
    Written,
    /// With the proposed changes.
    Proposed,
}

/// Keccak-256.
pub struct Keccak;

impl Keccak256 for Keccak {
    fn hash(bytes: &[u8]) -> Hash {
        sha3::Keccak256::digest(bytes).into()
    }
}
