//! Looks at one commitment: at every leaf where there are not too many, else at those that were
//! drawn, some at a time.

use super::{address::Unreachable, gateway::Remote, memory::State};
use crate::http::Fault;
use alloc::{boxed::Box, vec::Vec};
use core::fmt;
use pallet_edge_traits::HostKeccak;
use selvedge_primitives_math::{
    draw::{Draw, Place, Sample},
    duty::AuditDuty,
    fraud::{
        find, held, open_leaf, sample, Context, Flaw, FraudProof, OpenedLeaf, Shown, Withheld,
    },
    TreeKind, UsageTrees,
};
use selvedge_primitives_types::{DeviceId, Hash};

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

/// Looks on from where `state` says it stopped. The leaves that the auditor states to have held go into
/// `shown`, so that it can show them whatever becomes of the gateway.
pub(super) fn look(
    remote: &mut Remote<'_>,
    duty: &AuditDuty,
    known: &impl Context,
    auditor: &DeviceId,
    state: &mut State,
    shown: &mut Vec<(Draw, OpenedLeaf)>,
) -> Result<Found, Miss> {
    let count = duty.commitment.customers.sum.leaves;
    if matches!(state, State::Fresh) && count > WHOLE {
        *state = State::Drawn;
    }
    let found = match (&state, &duty.sample) {
        (State::Drawn, Sample::Drawn(draws)) => drawn(remote, duty, known, draws, shown),
        _ => whole(remote, duty, known, shown),
    };
    let is_too_much = matches!(found, Err(Miss::Exchange(Fault::TooSlow | Fault::TooLong)));
    // Not enough time for all of them: those that were drawn have to do.
    if is_too_much && matches!(duty.sample, Sample::Drawn(_)) {
        *state = State::Drawn;
    }
    Ok(match found? {
        Some(proof) => Found::Defective(proof),
        None if is_part(duty, shown) => Found::Part,
        None => {
            let leaves = shown.iter().map(|(_, opened)| &opened.leaf);
            Found::Sound(held(auditor, leaves, sp_io::hashing::blake2_256))
        }
    })
}

fn is_part(duty: &AuditDuty, shown: &[(Draw, OpenedLeaf)]) -> bool {
    matches!(&duty.sample, Sample::Drawn(draws) if shown.len() < draws.len())
}

/// Looks at every leaf; returns the proof of a defect.
fn whole(
    remote: &mut Remote<'_>,
    duty: &AuditDuty,
    known: &impl Context,
    shown: &mut Vec<(Draw, OpenedLeaf)>,
) -> Result<Option<Box<FraudProof>>, Miss> {
    let count = duty.commitment.customers.sum.leaves.min(WHOLE);
    let leaves = remote.leaves(duty.epoch, count as usize)?;
    let Ok(trees) = UsageTrees::build::<HostKeccak>(leaves) else {
        return Err(Fault::Garbage("list of leaves that form trees").into());
    };
    let found = find::<HostKeccak>(&trees, &duty.commitment, known).map_err(Miss::Withheld)?;
    if found.is_none() {
        let every = |leaf| Draw {
            tree: TreeKind::Customers,
            at: Place::Index(leaf),
        };
        // What is stated does not depend on whether others were looked at too.
        *shown = match &duty.sample {
            Sample::Whole => open(&trees, duty, (0..count).map(every)),
            Sample::Drawn(draws) => open(&trees, duty, draws.iter().copied()),
        };
    }
    Ok(found)
}

/// Looks at drawn leaves as long as there is time; returns the proof of a defect.
fn drawn(
    remote: &mut Remote<'_>,
    duty: &AuditDuty,
    known: &impl Context,
    draws: &[Draw],
    shown: &mut Vec<(Draw, OpenedLeaf)>,
) -> Result<Option<Box<FraudProof>>, Miss> {
    let mut is_first = true;
    while shown.len() < draws.len() && (is_first || !remote.is_late()) {
        is_first = false;
        let end = draws.len().min(shown.len() + AT_ONCE);
        let next = &draws[shown.len()..end];
        let openings = remote.open(duty.epoch, next)?;
        match sample::<HostKeccak>(&openings, &duty.commitment, known, next) {
            Ok(_) => {}
            Err(Flaw::Defect(proof)) => return Ok(Some(proof)),
            Err(Flaw::Withheld(withheld)) => return Err(Miss::Withheld(withheld)),
        }
        let opened = open(&openings, duty, next.iter().copied());
        // The chain draws no place beyond a commitment's end.
        if opened.len() < next.len() {
            return Err(Fault::Garbage("leaf for every draw").into());
        }
        shown.extend(opened);
    }
    Ok(None)
}

fn open(
    shown: &impl Shown<HostKeccak>,
    duty: &AuditDuty,
    draws: impl Iterator<Item = Draw>,
) -> Vec<(Draw, OpenedLeaf)> {
    let opened = |draw| {
        Some((
            draw,
            open_leaf::<HostKeccak>(shown, &duty.commitment, &draw)?,
        ))
    };
    draws.filter_map(opened).collect()
}
