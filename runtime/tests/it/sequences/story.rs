//! What happened: told step by step, and counted by call.

use selvedge_runtime::{RuntimeCall, System};
use sp_runtime::{transaction_validity::TransactionValidityError, DispatchError, DispatchResult};
use std::{cell::RefCell, collections::BTreeMap, fmt, rc::Rc};

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did its work.
    Done,
    /// It was in the block and failed.
    Failed(DispatchError),
    /// It was kept out of the block.
    Invalid(TransactionValidityError),
}

impl Outcome {
    /// How a transaction in a block ended.
    pub fn of(result: DispatchResult) -> Self {
        result.map_or_else(Self::Failed, |()| Self::Done)
    }
}

/// How often a call did its work and did not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// It did its work.
    pub done: u32,
    /// It was refused.
    pub refused: u32,
}

/// What has happened so far. Copies are of one story, so that it outlives a panic.
#[derive(Clone, Default)]
pub struct Story(Rc<RefCell<Inner>>);

#[derive(Default)]
struct Inner {
    lines: Vec<String>,
    trace: Vec<String>,
    tally: BTreeMap<(String, String), Tally>,
}

impl Story {
    /// Tells of one call.
    pub fn tell(
        &self,
        name: frame_support::traits::CallMetadata,
        by: String,
        call: &RuntimeCall,
        outcome: Outcome,
    ) {
        let mut inner = self.0.borrow_mut();
        let key = (name.pallet_name.into(), name.function_name.into());
        let tally = inner.tally.entry(key).or_default();
        match &outcome {
            Outcome::Done => tally.done += 1,
            _ => tally.refused += 1,
        }
        let block = System::block_number();
        let line = format!("block {block}: {by}: {call:?}: {outcome:?}");
        inner.lines.push(line);
        let (pallet, call) = (name.pallet_name, name.function_name);
        inner
            .trace
            .push(format!("{block} {by} {pallet} {call} {outcome:?}"));
    }

    /// Tells of a step before it is taken.
    pub fn begin(&self, step: usize, name: &str) {
        let line = format!("step {step}: {name}");
        self.0.borrow_mut().lines.push(line);
    }

    /// Who made which call in which block, and how it ended; without what was signed, since sr25519
    /// signatures are never twice the same.
    pub fn trace(&self) -> Vec<String> {
        self.0.borrow().trace.clone()
    }

    /// How often each call did its work and did not, by pallet and call.
    pub fn tally(&self) -> BTreeMap<(String, String), Tally> {
        self.0.borrow().tally.clone()
    }
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.borrow().lines.join("\n"))
    }
}
