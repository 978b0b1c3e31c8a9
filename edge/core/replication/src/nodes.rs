//! The caches as the steward sees them: which are there, whose word counts, and what is on its way to and from each.

use std::collections::{BTreeMap, HashMap};

use selvedge_primitives_types::{DeviceId, Millis, Region};

use crate::message::Cache;
use crate::rules::{Limits, Rules};

/// A cache's place in the table: below [`Limits::MAX_CACHES`].
pub(crate) type Index = u16;

/// What silence says of a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It answers.
    Live,
    /// It has missed heartbeats: it may be restarting.
    Suspect,
    /// It was silent for longer than a restart takes.
    Lost,
}

/// Places that a note can name.
const MAX_PLACES: usize = 1 << 14;

/// One cache.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) device: DeviceId,
    pub(crate) region: Region,
    /// Since when it drains.
    pub(crate) drains: Option<Millis>,
    pub(crate) is_registered: bool,
    pub(crate) standing: Standing,
    /// Until when its word does not count.
    pub(crate) distrusted: Option<Millis>,
    /// Until when it takes nothing.
    pub(crate) full: Millis,
    /// Bytes of copies on their way to it.
    pub(crate) incoming: u64,
    /// Bytes of copies that it is the first source of.
    pub(crate) outgoing: u64,
    /// When it was asked what it has not answered yet.
    pub(crate) asked: Option<Millis>,
    /// When it is asked next.
    pub(crate) next_ask: Millis,
    /// Slots that it is to be asked about.
    pub(crate) due: Vec<u32>,
    /// The first pass over all blobs that sees it as it is now.
    pub(crate) touched: u64,
    /// The first survey that asks it about all blobs, because it drains and owns none any more.
    pub(crate) survey: u64,
    heard: Millis,
    strikes: u8,
    struck: Millis,
}

impl Node {
    /// Whether what it says that it holds counts as a copy.
    pub(crate) fn counts(&self) -> bool {
        self.is_registered && self.standing != Standing::Lost && self.distrusted.is_none()
    }

    /// Whether it answers, and is believed.
    pub(crate) fn is_live(&self) -> bool {
        self.is_registered && self.standing == Standing::Live && self.distrusted.is_none()
    }

    /// Whether copies may belong to it.
    pub(crate) fn may_own(&self) -> bool {
        self.counts() && self.drains.is_none()
    }
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Nodes {
    list: Vec<Node>,
    by_device: HashMap<DeviceId, Index>,
    /// Places that no note names any more.
    free: Vec<Index>,
    /// Places of caches that left, with the pass that forgets what they held.
    retired: Vec<(u64, Index)>,
    regions: BTreeMap<Region, usize>,
    draining: Vec<Index>,
    cut_off: Option<Millis>,
}

impl Nodes {
    pub(crate) fn find(&self, device: &DeviceId) -> Option<Index> {
        self.by_device.get(device).copied()
    }

    pub(crate) fn at(&self, index: Index) -> &Node {
        &self.list[usize::from(index)]
    }

    pub(crate) fn at_mut(&mut self, index: Index) -> &mut Node {
        &mut self.list[usize::from(index)]
    }

    pub(crate) fn indices(&self) -> impl Iterator<Item = Index> {
        0..self.list.len() as Index
    }

    pub(crate) fn registered(&self) -> impl Iterator<Item = &Node> {
        self.list.iter().filter(|node| node.is_registered)
    }

    /// Regions that have caches.
    pub(crate) fn regions(&self) -> impl Iterator<Item = Region> + '_ {
        self.regions.keys().copied()
    }

    /// Those that drain.
    pub(crate) fn draining(&self) -> impl Iterator<Item = Index> + '_ {
        self.draining.iter().copied()
    }

    /// Whether most of those that ought to answer do not.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.cut_off.is_some()
    }

    /// Caches that nothing may belong to.
    pub(crate) fn unfit(&self) -> usize {
        self.registered().filter(|node| !node.may_own()).count()
    }

    /// Takes the chain's caches. Those that changed are looked at from pass `pass` on, those that drain
    /// are asked about all blobs by the survey `survey`. Says how many did not fit.
    pub(crate) fn replace(
        &mut self,
        caches: &[Cache],
        now: Millis,
        (pass, survey): (u64, u64),
        limits: &Limits,
    ) -> usize {
        let mut is_left = vec![true; self.list.len()];
        let limit = limits.caches.min(Limits::MAX_CACHES);
        let mut refused = 0;
        self.regions.clear();
        self.draining.clear();
        for cache in caches {
            let index = match self.find(&cache.device) {
                Some(index) => index,
                None if self.by_device.len() >= limit || self.has_no_place() => {
                    refused += 1;
                    continue;
                }
                None => self.add(cache, now, pass),
            };
            if let Some(is_left) = is_left.get_mut(usize::from(index)) {
                *is_left = false;
            }
            *self.regions.entry(cache.region).or_default() += 1;
            if cache.draining {
                self.draining.push(index);
            }
            let node = self.at_mut(index);
            if node.drains.is_none() && cache.draining {
                node.survey = survey;
            }
            if node.drains.is_some() != cache.draining || node.region != cache.region {
                node.touched = pass;
            }
            node.region = cache.region;
            node.drains = match cache.draining {
                true => node.drains.or(Some(now)),
                false => None,
            };
        }
        for (index, _) in is_left.iter().enumerate().filter(|(_, is_left)| **is_left) {
            let node = &mut self.list[index];
            if node.is_registered {
                (node.is_registered, node.touched) = (false, pass);
                node.due = Vec::new();
                self.by_device.remove(&node.device);
                self.retired.push((pass, index as Index));
            }
        }
        refused
    }

    /// Whether all places are taken, by caches or by notes about such as left.
    fn has_no_place(&self) -> bool {
        self.free.is_empty() && self.list.len() >= MAX_PLACES
    }

    fn add(&mut self, cache: &Cache, now: Millis, pass: u64) -> Index {
        let node = Node {
            device: cache.device,
            region: cache.region,
            drains: None,
            is_registered: true,
            standing: Standing::Live,
            distrusted: None,
            full: Millis(0),
            incoming: 0,
            outgoing: 0,
            asked: None,
            next_ask: now,
            due: Vec::new(),
            touched: pass,
            survey: 0,
            heard: now,
            strikes: 0,
            struck: Millis(0),
        };
        let index = match self.free.pop() {
            Some(index) => {
                self.list[usize::from(index)] = node;
                index
            }
            None => {
                self.list.push(node);
                (self.list.len() - 1) as Index
            }
        };
        self.by_device.insert(cache.device, index);
        index
    }

    /// A pass over all blobs has ended: what those held that had left before it began is forgotten.
    pub(crate) fn passed(&mut self, pass: u64) {
        let free = &mut self.free;
        self.retired.retain(|(of, index)| {
            let is_kept = *of > pass;
            if !is_kept {
                free.push(*index);
            }
            is_kept
        });
    }

    /// A cache answered. Says whether it had been lost.
    pub(crate) fn heard(&mut self, index: Index, now: Millis, pass: u64) -> bool {
        let node = self.at_mut(index);
        let was_lost = node.standing == Standing::Lost;
        (node.heard, node.standing, node.asked) = (now, Standing::Live, None);
        if was_lost {
            node.touched = pass;
        }
        was_lost
    }

    /// Nobody was listening for so long: that is nobody's silence.
    pub(crate) fn skip(&mut self, gap: u64) {
        for node in &mut self.list {
            node.heard.0 = node.heard.0.saturating_add(gap);
            node.asked = None;
        }
    }

    /// Judges silence anew. Says whether a cache's copies count no more, or again.
    pub(crate) fn refresh(&mut self, now: Millis, rules: &Rules, pass: u64) -> bool {
        let silence = |node: &Node| now.0.saturating_sub(node.heard.0);
        let expected = || {
            let nodes = self.list.iter().filter(|node| node.is_registered);
            nodes.filter(|node| node.drains.is_none() && node.standing != Standing::Lost)
        };
        let silent = expected().filter(|node| silence(node) > rules.suspect.0);
        let is_cut_off = silent.count() * 2 > expected().count();
        match (self.cut_off, is_cut_off) {
            (None, true) => self.cut_off = Some(now),
            (Some(_), false) => {
                // Those that the steward could not reach either get all of their time again.
                self.cut_off = None;
                let least = Millis(now.0.saturating_sub(rules.suspect.0));
                for node in &mut self.list {
                    if node.standing != Standing::Lost {
                        node.heard = node.heard.max(least);
                    }
                }
            }
            _ => {}
        }
        let factor = if is_cut_off { rules.cut_off.max(1) } else { 1 };
        let grace = rules.grace.0.saturating_mul(factor);
        let mut has_changed = false;
        for node in self.list.iter_mut().filter(|node| node.is_registered) {
            let silence = now.0.saturating_sub(node.heard.0);
            let standing = match node.standing {
                // Only an answer brings it back.
                Standing::Lost => Standing::Lost,
                _ if silence > grace => Standing::Lost,
                _ if silence > rules.suspect.0 => Standing::Suspect,
                _ => Standing::Live,
            };
            let is_over = node.distrusted.is_some_and(|until| until <= now);
            if is_over {
                node.distrusted = None;
            }
            if is_over || standing == Standing::Lost && node.standing != standing {
                node.touched = pass;
                has_changed = true;
            }
            node.standing = standing;
        }
        has_changed
    }

    /// A cache did not hold what it said it did. Says whether its word counts no more from now on.
    pub(crate) fn strike(&mut self, index: Index, now: Millis, rules: &Rules, pass: u64) -> bool {
        let node = self.at_mut(index);
        if now.0.saturating_sub(node.struck.0) > rules.distrust.0 {
            node.strikes = 0;
        }
        node.strikes = node.strikes.saturating_add(1);
        node.struck = now;
        if node.strikes < rules.strikes || node.distrusted.is_some() {
            return false;
        }
        // One more is enough once this is over.
        node.strikes = rules.strikes.saturating_sub(1);
        node.distrusted = Some(Millis(now.0.saturating_add(rules.distrust.0)));
        node.touched = pass;
        true
    }
}
