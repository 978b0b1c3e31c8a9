//! Audits of a coalition's commitments, by the draw rule of the chain.

use super::{line::Line, Keccak, World};
use selvedge_primitives_math::{
    draw::{self, Draw},
    Keccak256, TreeKind,
};
use selvedge_primitives_types::{DeviceId, Epoch, Hash, Sum};

/// How draws are made: the rule, or what it is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrawRule {
    /// Half from each tree, three quarters by amount.
    Mixed,
    /// By index alone, as audits of receipts usually are.
    ByIndex,
}

/// What a coalition does about audits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conduct {
    /// Its gateways show their leaves to its own auditors alone.
    pub withholds: bool,
    /// Its auditors find nothing wrong with its gateways.
    pub covers: bool,
    /// Its auditors vote without looking.
    pub is_lazy: bool,
}

/// Who was drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Committee {
    /// All of them; none when too few are eligible.
    pub drawn: u32,
    /// The coalition's.
    pub own: u32,
}

/// What an audit ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Accepted.
    Accepted,
    /// Accepted late, with a doubled hold-back.
    Doubted,
    /// Void, since the leaves due on chain did not come.
    Void,
    /// Void, with a proof of fraud.
    Proven,
}

/// The committee of a gateway's epoch; `seed` is what the chain drew, `round` is 1 for the redraw.
pub fn committee(
    world: &World,
    seed: &Hash,
    device: &DeviceId,
    epoch: u64,
    round: u8,
) -> Committee {
    let eligible = world.scenario.auditors;
    let Some(first) = draw::committee(eligible) else {
        return Committee::default();
    };
    let count = match round {
        0 => first,
        _ => draw::redrawn(first, eligible),
    };
    let drawn = draw::auditors::<Keccak>(seed, device, Epoch(epoch), round, eligible, count);
    // The coalition's are the first ones of the register.
    let own = drawn
        .iter()
        .filter(|index| **index < world.scenario.own_auditors)
        .count();
    Committee {
        drawn: count,
        own: own as u32,
    }
}

/// Audits a commitment of the coalition's.
pub fn audit(
    world: &World,
    device: &DeviceId,
    epoch: u64,
    lines: &[Line],
    conduct: Conduct,
) -> Verdict {
    let drawn = seed(world.scenario.audit_seed, epoch);
    let first = committee(world, &drawn, device, epoch, 0);
    let covering = |committee: Committee| if conduct.covers { committee.own } else { 0 };
    if !conduct.withholds {
        let is_seen =
            first.drawn > covering(first) && is_hit(world, device, epoch, lines, draw::DRAWS);
        return if is_seen {
            Verdict::Proven
        } else {
            Verdict::Accepted
        };
    }
    let is_enough = |committee: Committee| covering(committee) >= draw::quorum(committee.drawn);
    if is_enough(first) || is_enough(committee(world, &drawn, device, epoch, 1)) {
        return Verdict::Accepted;
    }
    // Another seed draws the leaves that are due on chain.
    if is_hit(world, device, epoch + 1, lines, draw::LEAVES_ON_CHAIN) {
        Verdict::Void
    } else {
        Verdict::Doubted
    }
}

/// Whether a draw falls on a false leaf.
fn is_hit(world: &World, device: &DeviceId, epoch: u64, lines: &[Line], count: u32) -> bool {
    let Some(total) = lines
        .iter()
        .try_fold(Sum::default(), |sum, line| sum.checked_add(&line.sum()))
    else {
        return true;
    };
    if total.leaves <= count.into() && count == draw::DRAWS {
        return lines.iter().any(|line| line.is_false);
    }
    let seed = seed(world.scenario.audit_seed, epoch);
    let draws = draw::draws::<Keccak>(&seed, device, Epoch(epoch), &total, count);
    let draws: Vec<_> = draws
        .into_iter()
        .map(|draw| match world.draw_rule {
            DrawRule::Mixed => draw,
            DrawRule::ByIndex => by_index(draw, &total),
        })
        .collect();
    opened(lines, &draws).iter().any(|line| line.is_false)
}

/// The lines that draws fall on, in the order of the draws: what stands in the two trees over their
/// leaves.
pub fn opened<'a>(lines: &'a [Line], draws: &[Draw]) -> Vec<&'a Line> {
    let by_customer = sorted(lines, |line| (line.payer, line.cache));
    let by_cache = sorted(lines, |line| (line.cache, line.payer));
    let [of_customers, of_caches] = [&by_customer, &by_cache]
        .map(|order| order.iter().map(|line| line.sum()).collect::<Vec<_>>());
    draws
        .iter()
        .filter_map(|draw| {
            let (order, sums) = match draw.tree {
                TreeKind::Customers => (&by_customer, &of_customers),
                TreeKind::Caches => (&by_cache, &of_caches),
            };
            let (index, _) = draw::locate(sums, draw.at)?;
            order.get(index).copied()
        })
        .collect()
}

fn by_index(draw: Draw, total: &Sum) -> Draw {
    let at = match draw.at {
        draw::Place::Amount(planck) => {
            draw::Place::Index((planck % u128::from(total.leaves)) as u64)
        }
        at => at,
    };
    Draw { at, ..draw }
}

fn sorted<K: Ord>(lines: &[Line], key: impl Fn(&Line) -> K) -> Vec<&Line> {
    let mut order: Vec<_> = lines.iter().collect();
    order.sort_by_key(|line| key(line));
    order
}

/// The seed of an epoch: nobody knows it before the commitments of the epoch are in.
pub fn seed(of: u64, epoch: u64) -> Hash {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&of.to_be_bytes());
    bytes[8..].copy_from_slice(&epoch.to_be_bytes());
    Keccak::hash(&bytes)
}
