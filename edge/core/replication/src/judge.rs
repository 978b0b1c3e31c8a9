//! Which copies of a blob are missing, and which are spare.

use selvedge_primitives_types::{DeviceId, Hash, Millis, Region};

use crate::nodes::{Index, Nodes};
use crate::objects::{Note, MAX_COPIES};
use crate::placement::Placement;
use crate::queue::urgency;
use crate::steward::Steward;

/// How one blob stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Judgement {
    /// Caches that should hold it, in order.
    pub(crate) wanted: Vec<Index>,
    /// Those of them that said they lack it, and must get it.
    pub(crate) missing: Vec<Index>,
    /// How many said they lack it, whether or not they must get it.
    lacking: usize,
    /// Caches whose copies count.
    pub(crate) holders: Vec<Index>,
    /// Of these, those that stay.
    pub(crate) firm: usize,
    /// Copies that were promised, as far as there are caches.
    pub(crate) promised: usize,
    /// Caches that should hold it, and have not said whether they do.
    pub(crate) open: Vec<Index>,
    /// Requests for it, decayed.
    heat: u32,
}

impl Judgement {
    /// Whether all that should hold it do.
    pub(crate) fn is_whole(&self) -> bool {
        self.lacking == 0 && self.open.is_empty()
    }

    /// Whether fewer copies are known than were promised.
    pub(crate) fn is_short(&self) -> bool {
        self.holders.len() < self.promised
    }

    /// When its missing copies are due.
    pub(crate) fn urgency(&self) -> u32 {
        urgency(!self.is_short(), self.firm, self.heat)
    }
}

impl<P: Placement> Steward<P> {
    /// Judges a blob; `None` when there is none in the slot.
    pub(crate) fn judge(&self, slot: u32, now: Millis) -> Option<Judgement> {
        let entry = self.objects.at(slot)?;
        let nodes = &self.nodes;
        let holds = |index: Index| entry.note(index) == Some(Note::Holds);
        let may_own = |index: Index| {
            let node = nodes.at(index);
            let is_refused = entry.note(index) == Some(Note::Disproved)
                || node.full > now
                || self.flights.is_given_up(slot, index, now, &self.rules);
            let is_kept = holds(index) || self.flights.has(slot, index);
            node.may_own() && (is_kept || !is_refused)
        };
        let content = entry.content();
        let factor = usize::from(entry.factor()).min(MAX_COPIES);
        let heat = self.heat.total(slot, now, self.rules.half_life.0);
        let mut judgement = Judgement {
            wanted: self.owners(&content.root, factor, may_own),
            heat,
            ..Judgement::default()
        };
        judgement.promised = judgement.wanted.len();
        self.add_hot(&mut judgement, slot, &content.root, now, may_own);

        for (index, note) in entry.notes() {
            if note == Note::Holds && nodes.at(index).counts() {
                judgement.holders.push(index);
            }
        }
        let leaves = |index: &&Index| nodes.at(**index).drains.is_some();
        let leaving = judgement.holders.iter().filter(leaves).count();
        judgement.firm = judgement.holders.len() - leaving;
        for index in &judgement.wanted {
            match entry.note(*index) {
                Some(Note::Holds) => {}
                Some(_) => judgement.missing.push(*index),
                None => judgement.open.push(*index),
            }
        }
        judgement.lacking = judgement.missing.len();
        // Those that drain, and may hold it.
        let is_unasked = |index: &Index| {
            let node = nodes.at(*index);
            let is_open = node.survey > self.survey.done;
            is_open && node.is_live() && entry.note(*index).is_none()
        };
        let unasked = nodes.draining().filter(is_unasked).count();
        self.excuse(&mut judgement, unasked, now);
        Some(judgement)
    }

    /// A cache that drains stands for one that lacks the blob, as long as another holds it too and it
    /// drains for no longer than that is granted: most drains end with the cache back.
    fn excuse(&self, judgement: &mut Judgement, unasked: usize, now: Millis) {
        let stands = |index: &&Index| {
            let since = self.nodes.at(**index).drains;
            since.is_some_and(|since| now.0.saturating_sub(since.0) < self.rules.drain.0)
        };
        let standing = judgement.holders.iter().filter(stands).count() + unasked;
        // Who has not answered yet may well hold it.
        let is_alone = judgement.firm == 0 && judgement.open.is_empty() && unasked == 0;
        let least = usize::from(is_alone);
        let missing = &mut judgement.missing;
        missing.truncate(
            missing
                .len()
                .saturating_sub(standing)
                .max(least.min(missing.len())),
        );
    }

    /// The first `count` caches for a blob that may own it.
    fn owners(&self, root: &Hash, count: usize, may_own: impl Fn(Index) -> bool) -> Vec<Index> {
        let Some(placement) = self.placement.as_ref().filter(|_| count > 0) else {
            return Vec::new();
        };
        // Those that may not are at most the unfit, and few besides: full, or refused for this blob.
        let mut asked = count + self.nodes.unfit().min(MAX_COPIES * 4) + 2;
        loop {
            let order = placement.owners(root, asked);
            let is_all = order.len() < asked;
            let found = fit(&self.nodes, order, count, &may_own);
            if found.len() == count || is_all || asked > self.nodes.unfit() + MAX_COPIES * 2 {
                return found;
            }
            asked *= 2;
        }
    }

    /// Adds a copy in each region that asks for it.
    fn add_hot(
        &self,
        judgement: &mut Judgement,
        slot: u32,
        root: &Hash,
        now: Millis,
        may_own: impl Fn(Index) -> bool,
    ) {
        if judgement.heat < self.rules.region_heat {
            return;
        }
        let Some(placement) = &self.placement else {
            return;
        };
        let demand = self.heat.regions(slot, now, self.rules.half_life.0);
        let demand: Vec<(Region, u32)> = demand.collect();
        let is_everywhere = judgement.heat >= self.rules.everywhere_heat;
        for region in self.nodes.regions() {
            let requests = demand.iter().find(|(of, _)| *of == region);
            let is_hot = requests.is_some_and(|(_, requests)| *requests >= self.rules.region_heat);
            let has_one = |index: &Index| self.nodes.at(*index).region == region;
            if !is_hot && !is_everywhere
                || judgement.wanted.iter().any(has_one)
                || judgement.wanted.len() >= MAX_COPIES
            {
                continue;
            }
            let order = placement.owners_in(root, region, MAX_COPIES);
            judgement
                .wanted
                .extend(fit(&self.nodes, order, 1, &may_own));
        }
    }
}

/// The first of an order that are known and may own.
fn fit(
    nodes: &Nodes,
    order: Vec<DeviceId>,
    count: usize,
    may_own: &impl Fn(Index) -> bool,
) -> Vec<Index> {
    let known = order.iter().filter_map(|device| nodes.find(device));
    known.filter(|index| may_own(*index)).take(count).collect()
}
