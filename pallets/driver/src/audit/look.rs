//! Looks at one commitment: at every leaf where there are not too many, else at those that were
//! drawn, some at a time.

use super::{address::Unreachable, gateway::Remote, memory::State};
use crate::http::Fault;
use alloc::{boxed::Box, vec::Vec};
use core::fmt;
use pallet_edge_traits::HostKeccak;
use selvedge_primitives_math::{
    draw::{find as find_drawn, Draw, Sample},
    duty::AuditDuty,
    fraud::{find, held, sample, Context, Flaw, FraudProof, Withheld},
    TreeKind, UsageTrees,
};
use selvedge_primitives_types::{DeviceId, Hash, Leaf};

/// Leaves up to which all are looked at.
pub(crate) const WHOLE: u64 = 16_384;

/// Draws of one exchange: a gateway with a million leaves shows them in 250 kB.
pub(crate) const AT_ONCE: usize = 11;

/// What was found.
pub(super) enum Found {
    /// Nothing is wrong; states the leaves that were looked at.
    Sound(Hash),
    /// A defect, proven.
    Defective(Box<FraudProof>),
    /// Nothing wrong so far, and there is more to look at.
    Part,
}

/// Why nothing was found out.
pub(super) enum Miss {
    Address(Unreachable),
    Exchange(Fault),
    Withheld(Withheld),
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(error) => error.fmt(f),
            Self::Exchange(fault) => fault.fmt(f),
            Self::Withheld(withheld) => withheld.fmt(f),
        }
    }
}

impl From<Fault> for Miss {
    fn from(fault: Fault) -> Self {
        Self::Exchange(fault)
    }
}

/// Looks on from where `state` says it stopped.
pub(super) fn look(
    remote: &mut Remote<'_>,
    duty: &AuditDuty,
    known: &impl Context,
    auditor: &DeviceId,
    state: &mut State,
) -> Result<Found, Miss> {
    let count = duty.commitment.customers.sum.leaves;
    if matches!(state, State::Fresh) && count > WHOLE {
        *state = State::Drawn(Vec::new());
    }
    match (state, &duty.sample) {
        (State::Drawn(looked), Sample::Drawn(draws)) => {
            drawn(remote, duty, known, auditor, draws, looked)
        }
        (state, _) => {
            let found = whole(remote, duty, known, auditor);
            let is_too_much = matches!(found, Err(Miss::Exchange(Fault::TooSlow | Fault::TooLong)));
            // Not enough time for all of them: those that were drawn have to do.
            if is_too_much && matches!(duty.sample, Sample::Drawn(_)) {
                *state = State::Drawn(Vec::new());
            }
            found
        }
    }
}

fn whole(
    remote: &mut Remote<'_>,
    duty: &AuditDuty,
    known: &impl Context,
    auditor: &DeviceId,
) -> Result<Found, Miss> {
    let count = duty.commitment.customers.sum.leaves.min(WHOLE) as usize;
    let leaves = remote.leaves(duty.epoch, count)?;
    let Ok(trees) = UsageTrees::build::<HostKeccak>(leaves) else {
        return Err(Fault::Garbage("list of leaves that form trees").into());
    };
    match find::<HostKeccak>(&trees, &duty.commitment, known) {
        Ok(None) => Ok(Found::Sound(state_held(auditor, &looked_at(&trees, duty)))),
        Ok(Some(proof)) => Ok(Found::Defective(proof)),
        Err(withheld) => Err(Miss::Withheld(withheld)),
    }
}

/// The leaves an auditor states to have held, which do not depend on whether it looked at others
/// too.
fn looked_at(trees: &UsageTrees, duty: &AuditDuty) -> Vec<Leaf> {
    match &duty.sample {
        Sample::Whole => (0..trees.entries(TreeKind::Customers).len())
            .flat_map(|entry| trees.leaves_of(TreeKind::Customers, entry))
            .collect(),
        Sample::Drawn(draws) => draws
            .iter()
            .filter_map(|draw| {
                let (entry, leaf) = find_drawn(trees, draw)?;
                trees.leaves_of(draw.tree, entry).get(leaf).copied()
            })
            .collect(),
    }
}

fn drawn(
    remote: &mut Remote<'_>,
    duty: &AuditDuty,
    known: &impl Context,
    auditor: &DeviceId,
    draws: &[Draw],
    looked: &mut Vec<Leaf>,
) -> Result<Found, Miss> {
    while looked.len() < draws.len() {
        if !looked.is_empty() && remote.is_late() {
            return Ok(Found::Part);
        }
        let end = draws.len().min(looked.len() + AT_ONCE);
        let next = &draws[looked.len()..end];
        let openings = remote.open(duty.epoch, next)?;
        match sample::<HostKeccak>(&openings, &duty.commitment, known, next) {
            // The chain draws no place beyond a commitment's end.
            Ok(leaves) if leaves.len() == next.len() => looked.extend(leaves),
            Ok(_) => return Err(Fault::Garbage("leaf for every draw").into()),
            Err(Flaw::Defect(proof)) => return Ok(Found::Defective(proof)),
            Err(Flaw::Withheld(withheld)) => return Err(Miss::Withheld(withheld)),
        }
    }
    Ok(Found::Sound(state_held(auditor, looked)))
}

fn state_held(auditor: &DeviceId, leaves: &[Leaf]) -> Hash {
    held(auditor, leaves, sp_io::hashing::blake2_256)
}
