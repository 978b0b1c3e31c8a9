//! What an epoch and a day cost the chain: the real runtime in real blocks, with trees, proofs and signatures as in a network.
//!
//! A network of any size joins, serves one epoch, commits, is charged, shown and paid. Counted are transactions, their weight and length,
//! the blocks that they fill, and how the state grows; [`report`] says it per epoch, per day, per node and per customer. To have one more
//! kind of transaction counted, add it to [`phases::ALL`].
//!
//! `scripts/cost-on-chain.sh` runs it in any size; without it a small network is run, and judged by what must hold in every size.

mod phases;
mod report;
mod tally;
mod world;

use std::{env, fs};
pub use tally::{Cost, State};
pub use world::{Size, World};

/// What was counted in one run.
pub struct Outcome {
    /// The network.
    pub size: Size,
    /// What each customer sends to join, together.
    pub joining: Cost,
    /// What each phase sends, in order.
    pub phases: Vec<(&'static str, Cost)>,
    /// What hooks and inherents do while nobody sends anything.
    pub idle: tally::Idle,
    /// Size of the state with nodes, with customers, and after each phase; and that of a chain without them at the same time.
    pub states: Vec<(&'static str, State, State)>,
    /// Lengths of proofs, and how long it takes to check them.
    pub proofs: Vec<report::Proof>,
    /// Epochs in a day, and blocks in an epoch.
    pub pace: (u64, u64),
}

/// Runs a network through one epoch and its whole settlement.
pub fn run(size: Size) -> Outcome {
    let nobody = Size {
        gateways: 0,
        caches: 0,
        customers: 0,
        ..size
    };
    let (mut empty, mut world) = (World::new(nobody), World::new(size));
    let mut states = Vec::new();
    let mut see = |name, world: &mut World, empty: &mut World| {
        states.push((name, world.state(), empty.state()));
    };
    see("nodes", &mut world, &mut empty);
    let joining = world.join_customers();
    empty.join_customers();
    see("customers", &mut world, &mut empty);
    let mut costs = Vec::new();
    for phase in &phases::ALL {
        costs.push((phase.name, world.play(phase)));
        empty.play(phase);
        see(phase.name, &mut world, &mut empty);
    }
    world.judge();
    Outcome {
        size,
        joining,
        phases: costs,
        idle: world.idle(),
        states,
        proofs: report::proofs(),
        pace: world.pace(),
    }
}

/// The small network when nothing else is asked for; then in the size of `COST_*`, with the answers in the files
/// `COST_TEXT` and `COST_JSON`.
#[test]
fn an_epoch_is_committed_charged_shown_and_paid() {
    let size = Size::from_env();
    let outcome = run(size);
    let entries = size.customers * size.reach;
    let pages = |entries: u32| (entries / size.gateways).div_ceil(64) * size.gateways;
    let extrinsics: Vec<_> = outcome
        .phases
        .iter()
        .map(|(_, cost)| cost.extrinsics)
        .collect();
    let caches = pages(size.caches * size.cache_reach);
    // Whoever changes a phase changes what is expected of it here.
    assert_eq!(extrinsics, [size.gateways, pages(entries), caches, caches]);
    assert_eq!(outcome.joining.extrinsics, 2 * size.customers);
    let (text, json) = (report::text(&outcome), report::json(&outcome).to_string());
    for (name, answer) in [("COST_TEXT", text), ("COST_JSON", json)] {
        if let Some(file) = env::var_os(name) {
            fs::write(file, answer).expect("the file can be written");
        }
    }
}
