//! What the pallet stores.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use pallet_edge_traits::Forfeit;
use scale_info::TypeInfo;
use selvedge_primitives_math::fraud::Defect;
use selvedge_primitives_types::Planck;

/// A defect that was proven of a commitment; the gravest, if there were several.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Fraud<AccountId> {
    /// What is wrong.
    pub defect: Defect,
    /// What became of the commitment's money when a defect was first proven.
    pub forfeit: Forfeit,
    /// Who proved it.
    pub reporter: AccountId,
    /// Taken from the gateway's stake by all reports together, in planck.
    pub taken: Planck,
    /// The reporters' part of it, in planck.
    pub reward: Planck,
}
