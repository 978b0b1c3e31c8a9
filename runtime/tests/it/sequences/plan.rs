//! Plans: what is done, as words that a seed, a fuzzer or a file may bring, and how they shrink.

use std::fmt;

/// The longest plan.
pub const MAX_STEPS: usize = 4_000;

/// One step. Its lowest 16 bits say what is done; all of it says how, by way of its [`Dice`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word(pub u64);

/// Steps in their order.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Plan(pub Vec<Word>);

impl Plan {
    /// The plan of a seed.
    pub fn from_seed(seed: u64, steps: usize) -> Self {
        let mut dice = Dice(seed);
        let words = (0..steps.min(MAX_STEPS)).map(|_| Word(dice.word()));
        Self(words.collect())
    }

    /// The plan that these bytes are, eight a step; what is left over is no step.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let words = bytes.chunks_exact(8).take(MAX_STEPS);
        let word = |bytes: &[u8]| Word(u64::from_be_bytes(bytes.try_into().expect("eight bytes")));
        Self(words.map(word).collect())
    }

    /// The plan of a line, as [`Display`](fmt::Display) writes it.
    pub fn parse(line: &str) -> Option<Self> {
        let words = line.split_whitespace();
        let words = words.map(|word| u64::from_str_radix(word, 16).map(Word).ok());
        words.collect::<Option<_>>().map(Self)
    }

    /// The shortest plan found that still fails: parts are left out, half of it first and single
    /// steps last, as long as that helps.
    pub fn shrink(self, fails: impl Fn(&Self) -> bool) -> Self {
        let mut plan = self;
        let mut part = plan.0.len().div_ceil(2);
        while part > 0 {
            let mut from = 0;
            let mut is_shorter = false;
            while from < plan.0.len() {
                let mut words = plan.0.clone();
                words.drain(from..(from + part).min(words.len()));
                let shorter = Self(words);
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
        let words = self.0.iter().map(|word| format!("{:016x}", word.0));
        f.write_str(&words.collect::<Vec<_>>().join(" "))
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
        .0
        .iter()
        .flat_map(|word| word.0.to_be_bytes())
        .collect();
    assert_eq!(Plan::from_bytes(&bytes), plan);
    assert_eq!(Plan::parse("12 g"), None);
    assert_ne!(plan, Plan::from_seed(8, 20));
}

#[test]
fn a_plan_shrinks_to_what_it_fails_by() {
    let plan = Plan::from_seed(1, 300);
    let (first, second) = (plan.0[17], plan.0[250]);
    let fails = |plan: &Plan| {
        let mut rest = plan.0.iter();
        rest.any(|word| *word == first) && rest.any(|word| *word == second)
    };
    assert_eq!(plan.shrink(fails), Plan(vec![first, second]));
}
