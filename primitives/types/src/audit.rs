//! Audits: what an auditor says of the commitments it was drawn for, first sealed and then in the open.
//!
//! ```text
//! auditor                                             chain
//!   │ first half of the epoch:  blake2_256(verdicts ‖ salt) ─▶ keeps the digest
//!   │ second half:              verdicts, salt ──────────────▶ counts them if they fit the digest
//! ```
//!
//! While votes are taken nobody can copy another's; and since [`Verdict::Ok`] binds the auditor's own id with the leaves it
//! looked at, nobody can either who only saw another's verdicts.

use crate::{DeviceId, Epoch, Hash};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// The most verdicts of one vote. Who is drawn for more commitments leaves out the last ones; their auditors are short by
/// one then.
pub const MAX_VERDICTS: u32 = 256;

/// What an auditor found.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum Verdict {
    /// I hold all entries, serve them until the commitment is credited, and nothing is wrong with the leaves drawn.
    #[codec(index = 0)]
    Ok {
        /// `blake2_256(auditor's device ‖ leaves looked at)`, in the order of the draws, each leaf in SCALE.
        held: Hash,
    },
    /// There is a defect. Counts for nothing unless it is proven.
    #[codec(index = 1)]
    Bad,
    /// The gateway does not show what was drawn.
    #[codec(index = 2)]
    Withheld,
}

/// What an auditor says of one commitment.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct AuditVerdict {
    /// Who committed.
    pub gateway: DeviceId,
    /// The epoch served in.
    pub epoch: Epoch,
    /// What was found.
    pub verdict: Verdict,
}

impl AuditVerdict {
    /// Where it stands among the verdicts of a vote, which are strictly sorted by this.
    pub fn position(&self) -> (DeviceId, Epoch) {
        (self.gateway, self.epoch)
    }
}
