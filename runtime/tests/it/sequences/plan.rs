//! Plans: what is done, as words that a seed, a fuzzer or a file may bring, and how they shrink.

use super::acts::ALL;
use std::fmt;

/// The longest plan.
pub const MAX_STEPS: usize = 4_000;

/// One step. Its lowest 16 bits say what is done; all of it says how, by way of its [`Dice`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word(pub u64);

/// Steps in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The steps.
    pub words: Vec<Word>,
    /// How many areas of acts there were when it was made: with more, its words would mean something else.
    pub areas: usize,
}

impl Plan {
    /// A plan of what there is now.
    pub fn of(words: Vec<Word>) -> Self {
        Self { words, areas: ALL }
    }

    /// The plan of a seed.
    pub fn from_seed(seed: u64, steps: usize) -> Self {
        let mut dice = Dice(seed);
        let words = (0..steps.min(MAX_STEPS)).map(|_| Word(dice.word()));
        Self::of(words.collect())
    }

    /// The plan that these bytes are, eight a step; what is left over is no step.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let words = bytes.chunks_exact(8).take(MAX_STEPS);
        let word = |bytes: &[u8]| Word(u64::from_be_bytes(bytes.try_into().expect("eight bytes")));
        Self::of(words.map(word).collect())
    }

    /// The plan of a line, as [`Display`](fmt::Display) writes it: the number of areas, a colon and the words.
    pub fn parse(line: &str) -> Option<Self> {
        let (areas, words) = line.split_once(':')?;
        let areas = areas.parse().ok().filter(|areas| *areas <= ALL)?;
        let words = words.split_whitespace();
        let words = words.map(|word| u64::from_str_radix(word, 16).map(Word).ok());
        let words = words.collect::<Option<_>>()?;
        Some(Self { words, areas })
    }

    /// The shortest plan found that still fails: parts are left out, half of it first and single
    /// steps last, as long as that helps.
    pub fn shrink(self, fails: impl Fn(&Self) -> bool) -> Self {
        let mut plan = self;
        let mut part = plan.words.len().div_ceil(2);
        while part > 0 {
            let mut from = 0;
            let mut is_shorter = false;
            while from < plan.words.len() {
                let mut words = plan.words.clone();
                words.drain(from..(from + part).min(words.len()));
                let areas = plan.areas;
                let shorter = Self { words, areas };
                if fails(&shorter) {
                    plan = shorter;
                    is_shorter = true;
                } else {
                    from += part;
                }
            }
            if !is_shorter || part > 1 {
                part /= 2;
            }
        }
        plan
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.words.iter().map(|word| format!("{:016x}", word.0));
        write!(f, "{}: {}", self.areas, words.collect::<Vec<_>>().join(" "))
    }
}

/// Numbers that depend on a seed alone (SplitMix64).
pub struct Dice(u64);

impl Dice {
    /// The dice of a step.
    pub fn of(word: Word) -> Self {
        Self(word.0)
    }

    /// Any number.
    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is above zero.
    pub fn below(&mut self, end: u64) -> u64 {
        self.word() % end
    }

    /// True once in `times`.
    pub fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One of some.
    pub fn of_all<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len() as u64) as usize]
    }
}

#[test]
fn a_plan_is_read_as_it_is_written() {
    let plan = Plan::from_seed(7, 20);
    assert_eq!(Plan::parse(&plan.to_string()), Some(plan.clone()));
    let bytes: Vec<u8> = plan
        .words
        .iter()
        .flat_map(|word| word.0.to_be_bytes())
        .collect();
    assert_eq!(Plan::from_bytes(&bytes), plan);
    assert_eq!(Plan::parse("8: 12 g"), None);
    assert_eq!(Plan::parse("12"), None);
    assert_eq!(Plan::parse("1000: 12"), None);
    assert_ne!(plan, Plan::from_seed(8, 20));
}

#[test]
fn a_plan_shrinks_to_what_it_fails_by() {
    let plan = Plan::from_seed(1, 300);
    let (first, second) = (plan.words[17], plan.words[250]);
    let fails = |plan: &Plan| {
        let mut rest = plan.words.iter();
        rest.any(|word| *word == first) && rest.any(|word| *word == second)
    };
    assert_eq!(plan.shrink(fails), Plan::of(vec![first, second]));
}
