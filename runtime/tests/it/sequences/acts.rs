//! All that a step can be, with how often it is.

use super::{
    audits,
    cast::Signer,
    customers, governance, money, nodes,
    plan::{Dice, Word},
    stock, time, usage,
    world::World,
};
use selvedge_runtime::RuntimeCall;

/// What an act does.
#[derive(Clone, Copy)]
pub enum Act {
    /// Signs a call. It may be put into a batch or go through a proxy.
    Signs(fn(&World<'_>, &mut Dice) -> (Signer, RuntimeCall)),
    /// Anything else.
    Does(fn(&mut World<'_>, &mut Dice)),
}

/// An act, by name.
#[derive(Clone, Copy)]
pub struct Kind {
    /// How a failing plan names it.
    pub name: &'static str,
    weight: u32,
    /// What it does.
    pub act: Act,
}

/// An act that signs a call, `weight` times as often as one of weight 1.
pub const fn signs(
    name: &'static str,
    weight: u32,
    act: fn(&World<'_>, &mut Dice) -> (Signer, RuntimeCall),
) -> Kind {
    Kind {
        name,
        weight,
        act: Act::Signs(act),
    }
}

/// Any other act.
pub const fn does(name: &'static str, weight: u32, act: fn(&mut World<'_>, &mut Dice)) -> Kind {
    Kind {
        name,
        weight,
        act: Act::Does(act),
    }
}

/// All acts, by area. A plan says how many areas there were when it was made: with another it would mean something else.
const AREAS: [&[Kind]; 8] = [
    time::ACTS,
    usage::ACTS,
    money::ACTS,
    customers::ACTS,
    nodes::ACTS,
    governance::ACTS,
    stock::ACTS,
    audits::ACTS,
];

/// How many areas there are.
pub const ALL: usize = AREAS.len();

/// The act that the lowest 16 bits of a word name among those of the first areas.
pub fn choose(word: u64, areas: usize) -> Kind {
    pick(word & 0xffff, areas, |_| true)
}

/// A word that names this act.
pub fn word_of(name: &str) -> Word {
    let words = (0..=0xffff).map(Word);
    let mut named = words.filter(|word| choose(word.0, ALL).name == name);
    named.next().expect("there is such an act")
}

/// An act that signs a call.
pub fn choose_signed(
    dice: &mut Dice,
    areas: usize,
) -> fn(&World<'_>, &mut Dice) -> (Signer, RuntimeCall) {
    let kind = pick(dice.below(1 << 16), areas, |kind| {
        // No batch of batches: it shows nothing new and grows without end.
        matches!(kind.act, Act::Signs(_)) && !stock::WRAPPERS.contains(&kind.name)
    });
    match kind.act {
        Act::Signs(act) => act,
        Act::Does(_) => unreachable!("only those that sign were picked from"),
    }
}

fn pick(point: u64, areas: usize, wanted: impl Fn(&Kind) -> bool) -> Kind {
    let kinds = || {
        let areas = AREAS.into_iter().take(areas);
        areas.flatten().filter(|kind| wanted(kind))
    };
    let total: u32 = kinds().map(|kind| kind.weight).sum();
    let mut left = (point as u32 * total) >> 16;
    for kind in kinds() {
        if left < kind.weight {
            return *kind;
        }
        left -= kind.weight;
    }
    unreachable!("a 16 bit number times a total is below the total, shifted")
}
