//! Arbitrary sequences of calls by arbitrary origins, over blocks and epochs, on the runtime as a
//! node runs it: after every block all invariants hold, no token came or went untold, and nothing
//! panicked; and in the end every commitment can be brought to its own.
//!
//! A plan is a list of words; a seed, a fuzzer's bytes or a line of `kept.txt` make one. What a word
//! does depends on the word and on the state alone, so one seed has one story. A plan that fails is
//! shrunk and printed, to be played again with `scripts/fuzz-runtime.sh --play`, and kept in
//! `kept.txt` once it has a test of its own beside what it was that failed.
//!
//! | Variable | Meaning |
//! |---|---|
//! | `SEQUENCES_SECONDS` | go on with new seeds for so long |
//! | `SEQUENCES_SEED` | the first seed |
//! | `SEQUENCES_STEPS` | steps of a plan |
//! | `SEQUENCES_PLAY` | play this plan alone |

mod acts;
mod audits;
pub mod cast;
mod customers;
mod governance;
mod judge;
mod logs;
mod long;
mod money;
mod nodes;
mod plan;
mod sabotage;
mod stock;
mod story;
mod time;
mod usage;
mod world;

use crate::chain::{genesis_of, run_from};
use acts::Act;
use plan::{Dice, Plan, Word};
use selvedge_runtime::{AccountId, Runtime};
use std::{
    collections::BTreeMap,
    env,
    panic::{catch_unwind, AssertUnwindSafe},
    time::{Duration, Instant},
};
use story::{Story, Tally};
use world::World;

/// Plans that once failed.
const KEPT: &str = include_str!("kept.txt");

/// Steps of a plan that nobody said the length of.
const STEPS: usize = 60;
/// How many fixed seeds there are.
const SEEDS: u64 = 12;

/// What a test does between two steps that no chain would do: it shows that the judges see it.
type Meddle<'a> = &'a dyn Fn(usize, Word);

/// How a plan ended.
struct End {
    story: Story,
    /// The balances at the end; `Err` with what was wrong.
    state: Result<Vec<(AccountId, u128, u128)>, String>,
}

fn play(plan: &Plan) -> End {
    play_with(plan, &|_, _| {})
}

fn play_with(plan: &Plan, meddle: Meddle<'_>) -> End {
    logs::listen();
    let story = Story::default();
    let played = catch_unwind(AssertUnwindSafe(|| {
        run_from(genesis_of(cast::genesis()), |chain| {
            let mut world = World::new(chain, story.clone(), plan.areas);
            for (step, word) in plan.words.iter().enumerate() {
                take(&mut world, step, *word);
                meddle(step, *word);
            }
            governance::let_go(&mut world);
            usage::finish(&mut world);
            frame_system::Account::<Runtime>::iter()
                .map(|(account, info)| (account, info.data.free, info.data.reserved))
                .collect()
        })
    }));
    let state = played.map_err(|panic| match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic
            .downcast_ref::<&str>()
            .unwrap_or(&"no text")
            .to_string(),
    });
    End { story, state }
}

fn take(world: &mut World<'_>, step: usize, word: Word) {
    let kind = acts::choose(word.0, world.areas);
    world.story.begin(step, kind.name);
    let mut dice = Dice::of(word);
    match kind.act {
        Act::Signs(act) => {
            let (signer, call) = act(world, &mut dice);
            world.submit(signer, call);
        }
        Act::Does(act) => act(world, &mut dice),
    }
}

/// Plays a plan; one that fails is shrunk, told and fails the test.
fn check(name: &str, plan: Plan) -> Story {
    let end = play(&plan);
    let Err(wrong) = end.state else {
        return end.story;
    };
    let shortest = plan.shrink(|plan| play(plan).state.is_err());
    let End { story, state } = play(&shortest);
    let now = state.err().unwrap_or_default();
    panic!(
        "{name}: {wrong}\nshrunk to {} steps: {now}\n{story}\nscripts/fuzz-runtime.sh --play \"{shortest}\"",
        shortest.words.len()
    );
}

fn number<N: std::str::FromStr>(name: &str) -> Option<N> {
    let text = env::var(name).ok()?;
    match text.parse() {
        Ok(number) => Some(number),
        Err(_) => panic!("{name} is {text:?}, which is no number"),
    }
}

/// What every run of the fixed seeds does: money comes, is committed to, charged and paid.
const DONE: [(&str, &str); 10] = [
    ("Billing", "deposit"),
    ("Billing", "commit_usage"),
    ("Billing", "settle"),
    ("Billing", "credit"),
    ("Billing", "withdraw"),
    ("Services", "create_service"),
    ("Audits", "vote"),
    ("Audits", "reveal"),
    ("Audits", "challenge_leaf"),
    ("Audits", "answer"),
];

/// The fixed seeds: what the judges see of them is a network in use.
fn fixed(first: u64, steps: usize) {
    let mut tallies = BTreeMap::<_, Tally>::new();
    for seed in first..first + SEEDS {
        let story = check(&format!("seed {seed}"), Plan::from_seed(seed, steps));
        for (call, tally) in story.tally() {
            let all = tallies.entry(call).or_default();
            all.done += tally.done;
            all.refused += tally.refused;
        }
    }
    println!("{tallies:#?}");
    for (pallet, call) in DONE {
        let tally = tallies.get(&(pallet.into(), call.into()));
        assert!(tally.is_some_and(|tally| tally.done > 0), "no {call}");
    }
}

#[test]
fn arbitrary_sequences_keep_the_invariants() {
    let steps = number("SEQUENCES_STEPS").unwrap_or(STEPS);
    let first = number("SEQUENCES_SEED").unwrap_or(0);
    if let Ok(line) = env::var("SEQUENCES_PLAY") {
        let plan = Plan::parse(&line).expect("words of hexadecimal digits");
        println!("{}", check("the plan", plan));
    } else if let Some(seconds) = number("SEQUENCES_SECONDS") {
        let end = Instant::now() + Duration::from_secs(seconds);
        let mut seed: u64 = first;
        while Instant::now() < end {
            check(&format!("seed {seed}"), Plan::from_seed(seed, steps));
            seed += 1;
        }
        println!(
            "{} plans of {steps} steps, up to seed {}",
            seed - first,
            seed - 1
        );
    } else {
        fixed(first, steps);
    }
}

#[test]
fn plans_that_once_failed_still_hold() {
    for line in KEPT.lines().filter(|line| !line.starts_with('#')) {
        let plan = Plan::parse(line).expect("kept plans are words");
        check(line, plan);
    }
}

#[test]
fn one_seed_has_one_story() {
    let plan = Plan::from_seed(42, STEPS);
    let (one, two) = (play(&plan), play(&plan));
    assert_eq!(one.story.trace(), two.story.trace());
    assert_eq!(one.state, two.state);
    assert!(one.state.is_ok());
    let other = play(&Plan::from_seed(43, STEPS));
    assert_ne!(one.state, other.state);
}
