//! Counts what transactions and hooks take, and how large the state is.

use crate::chain::{apply, Chain};
use codec::Encode;
use frame_support::{dispatch::DispatchClass, weights::Weight};
use selvedge_runtime::{configs::system::RuntimeBlockWeights, System, UncheckedExtrinsic};
use sp_io::TestExternalities;
use sp_runtime::transaction_validity::{InvalidTransaction, TransactionValidityError};
use std::time::{Duration, Instant};

/// What transactions took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// How many.
    pub extrinsics: u32,
    /// Their weight as it was charged to the blocks, what is given back taken off.
    pub weight: Weight,
    /// Their length in bytes.
    pub length: u64,
    /// Blocks that they filled, the last one in part.
    pub blocks: u32,
    /// How long this machine took for them, natively.
    pub time: Duration,
}

impl Cost {
    /// Both together.
    pub fn plus(self, other: Self) -> Self {
        Self {
            extrinsics: self.extrinsics + other.extrinsics,
            weight: self.weight + other.weight,
            length: self.length + other.length,
            blocks: self.blocks + other.blocks,
            time: self.time + other.time,
        }
    }

    /// All that is the same in every run.
    pub fn fixed(&self) -> (u32, Weight, u64, u32) {
        (self.extrinsics, self.weight, self.length, self.blocks)
    }
}

/// Puts transactions into blocks, as many into each as fit.
pub struct Packer<'a> {
    chain: &'a mut Chain,
    cost: Cost,
}

impl<'a> Packer<'a> {
    /// Begins a block.
    pub fn new(chain: &'a mut Chain) -> Self {
        chain.begin();
        let cost = Cost {
            blocks: 1,
            ..Cost::default()
        };
        Self { chain, cost }
    }

    /// Applies a transaction in this block or, when it is full, in the next; it must succeed.
    pub fn send(&mut self, transaction: UncheckedExtrinsic) {
        self.cost.length += transaction.encoded_size() as u64;
        self.cost.extrinsics += 1;
        let full = TransactionValidityError::Invalid(InvalidTransaction::ExhaustsResources);
        let mut before = charged();
        let start = Instant::now();
        let mut outcome = apply(transaction.clone());
        if outcome == Err(full) {
            self.chain.end();
            self.chain.begin();
            self.cost.blocks += 1;
            before = charged();
            outcome = apply(transaction);
        }
        self.cost.time += start.elapsed();
        assert_eq!(outcome, Ok(Ok(())));
        self.cost.weight += charged() - before;
    }

    /// Sends what agents have put into the pool.
    pub fn send_submitted(&mut self) {
        for transaction in self.chain.submitted() {
            self.send(transaction);
        }
    }

    /// Ends the last block.
    pub fn finish(self) -> Cost {
        self.chain.end();
        self.cost
    }
}

/// What transactions were charged in this block. The first one sets off what inherents and polls take, which is not its own.
fn charged() -> Weight {
    let weight = System::block_weight();
    *weight.get(DispatchClass::Normal) + *weight.get(DispatchClass::Operational)
}

/// What blocks take that nobody sends anything in, in picoseconds of weight.
///
/// Blocks that end a session are counted apart: the SDK claims a whole block for each, whatever it takes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Idle {
    /// Epochs that have passed.
    pub epochs: u64,
    /// Blocks that ended a session.
    pub sessions: u64,
    /// Other blocks.
    pub blocks: u64,
    /// What these took together.
    pub all: u64,
    /// The least that one took.
    pub least: u64,
    /// The most that one took.
    pub most: u64,
}

impl Idle {
    /// Makes a block, and counts what its inherents and hooks take.
    pub fn block(&mut self, chain: &mut Chain) {
        let mandatory = || {
            System::block_weight()
                .get(DispatchClass::Mandatory)
                .ref_time()
        };
        chain.begin();
        let ends_session = mandatory() >= RuntimeBlockWeights::get().max_block.ref_time();
        chain.end();
        if ends_session {
            self.sessions += 1;
            return;
        }
        let weight = mandatory();
        let is_first = self.blocks == 0;
        self.least = if is_first {
            weight
        } else {
            self.least.min(weight)
        };
        self.most = self.most.max(weight);
        self.all += weight;
        self.blocks += 1;
    }

    /// What an epoch of `blocks` blocks takes: as many of the least, and what was above it in an epoch's blocks.
    pub fn of_epoch(&self, blocks: u64) -> Weight {
        let above = (self.all - self.least * self.blocks) / self.epochs.max(1);
        Weight::from_parts(self.least * blocks + above, 0)
    }
}

/// Size of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// Octets of all nodes of its trie.
    pub trie: u64,
    /// Nodes of its trie.
    pub nodes: u64,
    /// Octets of keys and values alone.
    pub plain: u64,
}

impl State {
    /// The size of what was committed.
    pub fn of(state: &mut TestExternalities) -> Self {
        state.commit_all().expect("no storage transaction is open");
        let mut nodes = state.backend.backend_storage().clone();
        let mut size = Self {
            trie: 0,
            nodes: 0,
            plain: 0,
        };
        for (node, references) in nodes.drain().into_values() {
            if references > 0 {
                size.trie += node.len() as u64;
                size.nodes += 1;
            }
        }
        state.execute_with(|| {
            let mut key = Vec::new();
            while let Some(next) = sp_io::storage::next_key(&key) {
                let value = sp_io::storage::get(&next).unwrap_or_default();
                size.plain += (next.len() + value.len()) as u64;
                key = next;
            }
        });
        size
    }
}
