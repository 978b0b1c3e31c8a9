//! What the pallet stores.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
    traits::{ConstU32, Get},
    BoundedVec, CloneNoBound, DebugNoBound, PartialEqNoBound,
};
use pallet_edge_traits::Forfeit;
use scale_info::TypeInfo;
use selvedge_primitives_math::{
    draw::{Draw, AUDITORS},
    fraud::{Defect, OpenedLeaf},
    TreeKind,
};
use selvedge_primitives_types::{
    audit::MAX_VERDICTS, Account, AuditVerdict, DeviceId, Epoch, Hash, Leaf, Planck,
};
use sp_runtime::AccountId32;

/// Auditors of one commitment at most: those of a redraw, `2 × 5 + 1`.
pub const MAX_AUDITORS: u32 = 2 * AUDITORS + 1;

/// Challenges that may be open at once of one commitment.
pub const MAX_CHALLENGES: u32 = 4;

/// Challenges that one account may have open at once.
pub const MAX_CHALLENGES_OF: u32 = 16;

/// False leaves of one commitment that a canary may pledge.
pub const MAX_PLEDGED: u32 = 4;

/// Pledges of a canary that are kept: those of the epochs that may be unsettled at once, and some more.
pub const MAX_PLEDGES: u32 = 16;

/// Customers of a canary.
pub const MAX_CANARY_CUSTOMERS: u32 = 8;

/// Disputed lines of a commitment that the auditors of one window look at.
pub const MAX_LINES: u32 = 4;

/// What an auditor reveals, strictly sorted by gateway and epoch.
pub type Verdicts = BoundedVec<AuditVerdict, ConstU32<MAX_VERDICTS>>;

/// A defect that was proven of a commitment; the gravest, if there were several.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Fraud<AccountId> {
    /// What is wrong.
    pub defect: Defect,
    /// What became of the commitment's money when a defect was first proven.
    pub forfeit: Forfeit,
    /// Who proved it; the gateway's own operator when the gateway showed it itself.
    pub reporter: AccountId,
    /// Taken from the gateway's stake by all reports together, in planck.
    pub taken: Planck,
    /// The reporters' part of it, in planck.
    pub reward: Planck,
}

/// An operator who may be drawn as an auditor, and the device that speaks for it.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Auditor {
    /// Owner of a stake of a validator or a stargate.
    pub owner: AccountId32,
    /// The one with the lowest id among its devices.
    pub device: DeviceId,
}

/// What auditors and leaves of the commitments of a window are drawn from.
#[derive(CloneNoBound, DebugNoBound, PartialEqNoBound, Encode, Decode, MaxEncodedLen, TypeInfo)]
#[scale_info(skip_type_params(MaxPanel))]
#[codec(mel_bound())]
pub struct Window<MaxPanel: Get<u32>> {
    /// Randomness that was fixed after the window had closed.
    pub seed: Hash,
    /// Who may be drawn, in the order of the owners.
    pub panel: BoundedVec<Auditor, MaxPanel>,
}

/// How far a window has come.
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
pub enum TurnStep {
    /// Commitments may still be made in it.
    #[codec(index = 0)]
    Open,
    /// It closed in this block; waits for randomness that is fixed after it.
    #[codec(index = 1)]
    Closed(u64),
    /// Its panel is being enrolled.
    #[codec(index = 2)]
    Enrol {
        /// The randomness.
        seed: Hash,
        /// Which of the walks over nodes is under way.
        walk: u8,
        /// The last device it met.
        after: Option<DeviceId>,
    },
}

/// The window that is worked on.
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
pub struct Turn {
    /// The epoch in whose first quarter its commitments are made.
    pub window: Epoch,
    /// How far it has come.
    pub step: TurnStep,
}

/// How far the audit of a commitment has come.
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
pub enum Stage {
    /// Nobody is drawn, for its amount does not pay for a look: only challenges are open.
    #[codec(index = 0)]
    Open,
    /// Auditors of this round vote in the epoch `until`.
    #[codec(index = 1)]
    Voting(u8),
    /// Its gateway owes the leaves that are drawn by this seed, until the epoch `until` ends.
    #[codec(index = 2)]
    LeavesDue {
        /// What they are drawn by.
        seed: Hash,
        /// Those that were shown, one bit for each draw.
        shown: u8,
    },
    /// It may be charged.
    #[codec(index = 3)]
    Accepted {
        /// Hold-backs that its money waits for.
        hold_backs: u8,
    },
    /// A defect was proven, or leaves that were due did not come.
    #[codec(index = 4)]
    Void,
    /// A defect was shown while auditors of this round voted: until the epoch `until` ends it may turn out to be a canary's.
    #[codec(index = 5)]
    Proven(u8),
}

/// An auditor who passed a commitment.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Passed {
    /// Who.
    pub auditor: Auditor,
    /// Whether it has a part of the fee. Set when the commitment is accepted.
    pub is_paid: bool,
    /// Whether it posted a leaf that it was asked for.
    pub has_posted: bool,
}

/// The audit of one commitment.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Audit {
    /// The window it was made in.
    pub window: Epoch,
    /// Owner of the gateway's stake in the epoch served in: it audits nothing of its own.
    pub operator: Option<AccountId32>,
    /// How far it has come.
    pub stage: Stage,
    /// When this epoch ends, the stage does; in an accepted one, the time for posting leaves.
    pub until: Epoch,
    /// Who passed it in the last round.
    pub passed: BoundedVec<Passed, ConstU32<MAX_AUDITORS>>,
    /// Leaves that are drawn of it.
    pub draws: u32,
    /// The block it was made in.
    pub block: u64,
}

/// A defect that was shown of a commitment which may be a canary's.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Suspicion {
    /// What is wrong.
    pub defect: Defect,
    /// Who showed it; the gateway's own operator when the gateway did.
    pub reporter: AccountId32,
    /// The auditor who showed it, if one did.
    pub auditor: Option<Auditor>,
    /// Whether the reporter has a share of the slash.
    pub is_rewarded: bool,
    /// Name of the leaf that it is a defect of, if it is one of a leaf.
    pub leaf: Option<Hash>,
    /// Whether that leaf was one that auditors had to look at.
    pub is_sampled: bool,
}

/// What a canary's operator said before it committed.
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
pub struct Pledge {
    /// [`pledge_seal`](crate::canary::pledge_seal) of what is pledged.
    pub seal: Hash,
    /// The block it was said in.
    pub block: u64,
}

/// A canary that governance named without saying which gateway it is.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Canary {
    /// Who pledges for it: an account that nothing connects with the gateway.
    pub operator: AccountId32,
    /// The latest pledges.
    pub pledges: BoundedVec<Pledge, ConstU32<MAX_PLEDGES>>,
}

/// What the name of a canary hides.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct CanaryName {
    /// The gateway.
    pub gateway: DeviceId,
    /// Whom its false leaves may charge.
    pub customers: BoundedVec<Account, ConstU32<MAX_CANARY_CUSTOMERS>>,
    /// What keeps others from finding it by trying.
    pub salt: Hash,
}

/// What a pledge hides.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Pledged {
    /// The gateway.
    pub gateway: DeviceId,
    /// The epoch served in.
    pub epoch: Epoch,
    /// The false leaves.
    pub leaves: BoundedVec<Leaf, ConstU32<MAX_PLEDGED>>,
    /// What keeps others from finding them by trying.
    pub salt: Hash,
}

/// Shows that a false commitment was a canary's.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Opening {
    /// The name that governance gave.
    pub name: CanaryName,
    /// What was pledged.
    pub pledged: Pledged,
    /// The tree in which one of the leaves is shown.
    pub tree: TreeKind,
    /// That leaf: best one that the auditors had to look at.
    pub shown: OpenedLeaf,
}

/// A disputed line.
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
pub struct Line {
    /// Index of its entry in the tree by customer.
    pub entry: u32,
    /// Leaves that are drawn of it.
    pub draws: u32,
}

/// Disputed lines of a commitment that the auditors of a window look at.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Look {
    /// Owner of the gateway's stake in the epoch served in: it looks at nothing of its own.
    pub operator: Option<AccountId32>,
    /// The lines.
    pub lines: BoundedVec<Line, ConstU32<MAX_LINES>>,
    /// Who found nothing wrong with them.
    pub passed: BoundedVec<AccountId32, ConstU32<AUDITORS>>,
}

/// A leaf that somebody forces on chain.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Challenge {
    /// Who.
    pub challenger: AccountId32,
    /// Which leaf.
    pub draw: Draw,
    /// What is on hold for it, in planck.
    pub bond: Planck,
    /// The last epoch in which it can be shown.
    pub until: Epoch,
}
