//! Remembers what an auditor found, the salt of its vote and what it said, until long after it has
//! revealed it.
//!
//! It lies in the node's off-chain persistent storage, under `selvedge::audits::` and the device, and
//! the leaves that were looked at under `selvedge::audited::`, the device and the commitment's digest, that of a look at
//! disputed lines with its window.
//! A vote is written before it is sent: what was voted for is what is revealed, whatever happens in
//! between.

use alloc::{boxed::Box, vec::Vec};
use codec::{Decode, DecodeAll, Encode};
use selvedge_primitives_math::{
    draw::{Draw, DISPUTED},
    duty::AuditDuty,
    fraud::{FraudProof, OpenedLeaf},
};
use selvedge_primitives_types::{AuditVerdict, DeviceId, Epoch, Hash, UsageCommitment, Verdict};
use sp_runtime::offchain::storage::StorageValueRef;

const PREFIX: &[u8] = b"selvedge::audits::";
const SHOWN_PREFIX: &[u8] = b"selvedge::audited::";

/// Epochs after its window for which a round is remembered: longer than it can be voted on.
const KEPT: u64 = 6;

/// How far the look at a commitment has come.
#[derive(Encode, Decode)]
pub(super) enum State {
    #[codec(index = 0)]
    Fresh,
    /// Drawn leaves are looked at; [`Shown`] has those that were.
    #[codec(index = 1)]
    Drawn,
    #[codec(index = 2)]
    Looked(Verdict),
    /// A defect, and the block in which its proof was sent.
    #[codec(index = 3)]
    Proven(Box<FraudProof>, Option<u32>),
}

/// A commitment to look at, and what it cost so far.
#[derive(Encode, Decode)]
pub(super) struct Item {
    /// Names it: what was found is of this very one, also when a reorganisation brings another.
    commitment: Hash,
    pub(super) attempts: u32,
    pub(super) leaves: u64,
    pub(super) octets: u64,
    pub(super) millis: u64,
    pub(super) state: State,
}

impl Item {
    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, State::Fresh | State::Drawn)
    }

    /// What is to be said of it; nothing is known of what was not shown in time.
    pub(super) fn verdict(&self) -> Verdict {
        match self.state {
            State::Looked(verdict) => verdict,
            State::Proven(..) => Verdict::Bad,
            State::Fresh | State::Drawn => Verdict::Withheld,
        }
    }
}

/// A vote as it is revealed.
#[derive(Clone, Encode, Decode)]
pub(super) struct Sealed {
    /// When it is given.
    pub(super) epoch: Epoch,
    pub(super) verdicts: Vec<AuditVerdict>,
    pub(super) salt: Hash,
    /// Blocks in which vote and reveal were sent last.
    pub(super) voted: Option<u32>,
    pub(super) revealed: Option<u32>,
}

/// What an auditor was drawn for in a round of a window.
#[derive(Encode, Decode)]
pub(super) struct Round {
    window: Epoch,
    round: u8,
    items: Vec<Item>,
    sealed: Option<Sealed>,
}

impl Round {
    fn item(&mut self, commitment: Hash) -> &mut Item {
        let known = |item: &Item| item.commitment == commitment;
        let place = self.items.iter().position(known).unwrap_or_else(|| {
            self.items.push(Item {
                commitment,
                attempts: 0,
                leaves: 0,
                octets: 0,
                millis: 0,
                state: State::Fresh,
            });
            self.items.len() - 1
        });
        &mut self.items[place]
    }

    /// The vote of this epoch, if it was given.
    pub(super) fn sealed(&mut self, epoch: Epoch) -> Option<&mut Sealed> {
        self.sealed.as_mut().filter(|sealed| sealed.epoch == epoch)
    }

    /// Takes these verdicts for the vote of the epoch, under a salt of its own: another vote's may
    /// be known.
    pub(super) fn seal(&mut self, epoch: Epoch, verdicts: Vec<AuditVerdict>) {
        self.sealed = Some(Sealed {
            epoch,
            verdicts,
            salt: sp_io::offchain::random_seed(),
            voted: None,
            revealed: None,
        });
    }
}

/// Leaves of a commitment that an auditor looked at and states to have held, with what proves them: it
/// may be asked to show one.
pub(super) struct Shown {
    key: Vec<u8>,
    pub(super) leaves: Vec<(Draw, OpenedLeaf)>,
}

impl Shown {
    /// Those that the rounds of its audit share.
    pub(super) fn read(auditor: &DeviceId, commitment: &UsageCommitment) -> Self {
        Self::read_named(auditor, &digest(commitment))
    }

    /// Those of a duty: a look at disputed lines has leaves of its own.
    pub(super) fn read_for(auditor: &DeviceId, duty: &AuditDuty) -> Self {
        let name = Self::name(&digest(&duty.commitment), duty.window, duty.round);
        Self::read_named(auditor, &name)
    }

    fn read_named(auditor: &DeviceId, name: &Hash) -> Self {
        let key = Self::key(auditor, name);
        let stored = StorageValueRef::persistent(&key).get();
        let leaves = stored.ok().flatten().unwrap_or_default();
        Self { key, leaves }
    }

    pub(super) fn write(&self) {
        StorageValueRef::persistent(&self.key).set(&self.leaves);
    }

    fn forget(auditor: &DeviceId, name: &Hash) {
        StorageValueRef::persistent(&Self::key(auditor, name)).clear();
    }

    fn name(commitment: &Hash, window: Epoch, round: u8) -> Hash {
        match round {
            DISPUTED => (commitment, window).using_encoded(sp_io::hashing::blake2_256),
            _ => *commitment,
        }
    }

    fn key(auditor: &DeviceId, name: &Hash) -> Vec<u8> {
        [SHOWN_PREFIX, &auditor.0, name].concat()
    }
}

fn digest(commitment: &UsageCommitment) -> Hash {
    commitment.using_encoded(sp_io::hashing::blake2_256)
}

/// All that one auditor remembers.
pub(super) struct Rounds {
    key: Vec<u8>,
    rounds: Vec<Round>,
}

impl Rounds {
    /// Reads what is not older than [`KEPT`] epochs. What cannot be read is as lost as if it had
    /// never been written: the auditor's own vote is missing then.
    pub(super) fn read(device: &DeviceId, now: Epoch) -> Self {
        let key = [PREFIX, &device.0].concat();
        let stored = StorageValueRef::persistent(&key).get::<Vec<u8>>();
        let stored = stored.ok().flatten().unwrap_or_default();
        let mut rounds = Vec::<Round>::decode_all(&mut &stored[..]).unwrap_or_default();
        let old: Vec<_> = rounds
            .extract_if(.., |round| now.since(round.window) > KEPT)
            .collect();
        let read = Self { key, rounds };
        if !old.is_empty() {
            for round in &old {
                for item in &round.items {
                    let name = Shown::name(&item.commitment, round.window, round.round);
                    Shown::forget(device, &name);
                }
            }
            read.write();
        }
        read
    }

    pub(super) fn write(&self) {
        StorageValueRef::persistent(&self.key).set(&self.rounds.encode());
    }

    pub(super) fn round(&mut self, duty: &AuditDuty) -> &mut Round {
        let known = |round: &Round| (round.window, round.round) == (duty.window, duty.round);
        let place = self.rounds.iter().position(known).unwrap_or_else(|| {
            self.rounds.push(Round {
                window: duty.window,
                round: duty.round,
                items: Vec::new(),
                sealed: None,
            });
            self.rounds.len() - 1
        });
        &mut self.rounds[place]
    }

    pub(super) fn item(&mut self, duty: &AuditDuty) -> &mut Item {
        self.round(duty).item(digest(&duty.commitment))
    }
}
