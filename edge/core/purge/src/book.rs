//! What the purges of one service say about a stored response.
//!
//! A purge has a number, a record the highest number that its gateway knew when the fetch began, its
//! generation. A purge is about what was fetched before it: where its number is above the
//! generation. Of several purges of the same thing only the highest counts, so a book holds one
//! [`Marks`] per thing.

use std::collections::{BTreeMap, HashMap};

use selvedge_edge_core_http_cache::CacheKey;
use selvedge_primitives_types::{InvalidKeys, Millis, PurgeKind, PurgeMode};

use crate::invalid::{key_id, share};
use crate::tags::tag_id;
use crate::Tags;

/// Bounds on a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Things that customers purged.
    pub things: usize,
    /// Bytes of their names.
    pub bytes: usize,
    /// Keys that unsafe requests made invalid. They have room of their own, so that these push out
    /// nothing that a customer purged.
    pub keys: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            things: 4_096,
            bytes: 1024 * 1024,
            // As many as the orders that a log keeps.
            keys: 256 * 1024,
        }
    }
}

/// What a stored response is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No purge is about it.
    Current,
    /// A soft purge with this number is about it: it has been stale since.
    Stale {
        /// The highest such number.
        since: u64,
    },
    /// There is an order that is not known here and may be about it: it answers only when the origin
    /// has confirmed it.
    Doubtful,
    /// It is never used again. A record from this number on is not under the purges that say so.
    Gone {
        /// The highest such number.
        below: u64,
    },
}

impl Verdict {
    /// The moment, in milliseconds since the Unix epoch, since which what may still be used with the
    /// origin's word is stale. `None` for what is current, and for what is never used again.
    pub fn stale_since(&self) -> Option<Millis> {
        match self {
            Self::Stale { since } => Some(Millis(*since)),
            Self::Doubtful => Some(Millis(0)),
            Self::Current | Self::Gone { .. } => None,
        }
    }
}

/// The generations that a key's records must have, as far as it can be told without their tags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Floors {
    /// What is below is gone.
    pub hard: u64,
    /// What is below is stale.
    pub soft: u64,
}

/// The highest purges of one thing.
#[derive(Clone, Copy, Debug, Default)]
struct Marks {
    hard: u64,
    soft: u64,
}

impl Marks {
    fn add(&mut self, number: u64, mode: PurgeMode) {
        let mark = match mode {
            PurgeMode::Hard => &mut self.hard,
            PurgeMode::Soft => &mut self.soft,
        };
        *mark = number.max(*mark);
    }

    fn highest(&self) -> u64 {
        self.hard.max(self.soft)
    }
}

/// The purges of one service.
#[derive(Clone, Debug, Default)]
pub struct Book {
    limits: Limits,
    floor: u64,
    everything: Marks,
    urls: HashMap<Box<[u8]>, Marks>,
    prefixes: HashMap<Box<[u8]>, Marks>,
    /// Lengths of prefixes, each with how many have it.
    lengths: BTreeMap<usize, usize>,
    hosts: HashMap<Box<[u8]>, Marks>,
    tags: HashMap<u64, Marks>,
    highest_tag: Marks,
    /// The last purge of each key that an unsafe request made invalid, by id.
    keys: HashMap<u64, u64>,
    /// The same of shares of all ids.
    shares: HashMap<u64, u64>,
    bytes: usize,
}

impl Book {
    /// An empty book.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// Applies a purge. The order in which purges are applied does not matter.
    pub fn apply(&mut self, kind: &PurgeKind, mode: PurgeMode, number: u64) {
        if number <= self.floor {
            return;
        }
        let place = match kind {
            PurgeKind::Everything => {
                self.everything.add(number, mode);
                return;
            }
            PurgeKind::Keys(invalid) => {
                self.apply_keys(invalid, number);
                return;
            }
            PurgeKind::Url(url) => (&mut self.urls, normal(url)),
            PurgeKind::Prefix(prefix) => {
                let prefix = normal(prefix);
                if !self.prefixes.contains_key(&*prefix) {
                    *self.lengths.entry(prefix.len()).or_default() += 1;
                }
                (&mut self.prefixes, prefix)
            }
            PurgeKind::Host(host) => (&mut self.hosts, host.to_ascii_lowercase().into()),
            PurgeKind::Tag(tag) => {
                self.tags
                    .entry(tag_id(tag.trim_ascii()))
                    .or_default()
                    .add(number, mode);
                self.highest_tag.add(number, mode);
                self.bound();
                return;
            }
        };
        let (things, name) = place;
        let length = name.len();
        let marks = things.entry(name).or_insert_with(|| {
            self.bytes += length;
            Marks::default()
        });
        marks.add(number, mode);
        self.bound();
    }

    fn apply_keys(&mut self, invalid: &InvalidKeys, number: u64) {
        let is_exact = invalid.bits == InvalidKeys::EXACT;
        for (id, own) in &invalid.keys {
            let own = if *own == 0 { number } else { number.min(*own) };
            if own <= self.floor {
                continue;
            }
            let places = if is_exact {
                &mut self.keys
            } else {
                &mut self.shares
            };
            let mark = places.entry(*id).or_default();
            *mark = own.max(*mark);
        }
        if self.keys.len() > self.limits.keys {
            // The older half becomes shares: takes too much, and far less than everything.
            let mut numbers: Vec<u64> = self.keys.values().copied().collect();
            let middle = numbers.len() / 2;
            let (_, middle, _) = numbers.select_nth_unstable(middle);
            let middle = *middle;
            let shares = &mut self.shares;
            self.keys.retain(|id, own| {
                let is_kept = *own > middle;
                if !is_kept {
                    let mark = shares.entry(share(*id)).or_default();
                    *mark = (*mark).max(*own);
                }
                is_kept
            });
        }
    }

    /// Forgets single purges up to a number: everything of before is gone.
    pub fn collapse(&mut self, number: u64) {
        if number <= self.floor {
            return;
        }
        self.floor = number;
        let is_above = |marks: &Marks| marks.highest() > number;
        for things in [&mut self.urls, &mut self.prefixes, &mut self.hosts] {
            things.retain(|_, marks| is_above(marks));
        }
        self.tags.retain(|_, marks| is_above(marks));
        for places in [&mut self.keys, &mut self.shares] {
            places.retain(|_, own| *own > number);
        }
        self.bytes = [&self.urls, &self.prefixes, &self.hosts]
            .iter()
            .flat_map(|things| things.keys())
            .map(|name| name.len())
            .sum();
        self.lengths.clear();
        for name in self.prefixes.keys() {
            *self.lengths.entry(name.len()).or_default() += 1;
        }
    }

    /// The number up to which everything of before is gone, because single purges were forgotten.
    pub fn floor(&self) -> u64 {
        self.floor
    }

    /// Things that customers purged.
    pub fn things(&self) -> usize {
        self.urls.len() + self.prefixes.len() + self.hosts.len() + self.tags.len()
    }

    /// Keys that unsafe requests made invalid, and shares of all keys.
    pub fn invalid(&self) -> usize {
        self.keys.len() + self.shares.len()
    }

    /// What the purges say about a key, whatever its tags.
    pub fn floors(&self, key: &[u8]) -> Floors {
        let mut floors = Floors {
            hard: self.floor,
            soft: 0,
        };
        self.each_of_key(key, |marks| floors.take(marks));
        if self.invalid() > 0 {
            let id = key_id(key);
            let own = self.keys.get(&id).max(self.shares.get(&share(id)));
            floors.hard = own.copied().unwrap_or(0).max(floors.hard);
        }
        floors
    }

    /// What the purges say about a stored response.
    pub fn verdict(&self, generation: u64, key: &[u8], tags: &Tags) -> Verdict {
        let mut floors = self.floors(key);
        if tags.has_all() {
            floors.take(&self.highest_tag);
        } else if !self.tags.is_empty() {
            let known = tags.ids().iter().filter_map(|id| self.tags.get(id));
            known.for_each(|marks| floors.take(marks));
        }
        if floors.hard > generation {
            Verdict::Gone { below: floors.hard }
        } else if floors.soft > generation {
            Verdict::Stale { since: floors.soft }
        } else {
            Verdict::Current
        }
    }

    fn each_of_key(&self, key: &[u8], mut see: impl FnMut(&Marks)) {
        see(&self.everything);
        if let Some(marks) = self.urls.get(key) {
            see(marks);
        }
        if !self.hosts.is_empty() {
            if let Some(marks) = self.hosts.get(host_of(key)) {
                see(marks);
            }
        }
        for length in self
            .lengths
            .keys()
            .take_while(|length| **length <= key.len())
        {
            if let Some(marks) = self.prefixes.get(&key[..*length]) {
                see(marks);
            }
        }
    }

    /// Collapses the older half when there is too much.
    fn bound(&mut self) {
        while self.things() > self.limits.things || self.bytes > self.limits.bytes {
            let named = [&self.urls, &self.prefixes, &self.hosts];
            let named = named.iter().flat_map(|things| things.values());
            let mut numbers: Vec<u64> = named
                .chain(self.tags.values())
                .map(Marks::highest)
                .collect();
            numbers.sort_unstable();
            let middle = numbers.get(numbers.len() / 2).copied();
            self.collapse(middle.unwrap_or(self.floor.saturating_add(1)));
        }
    }
}

impl Floors {
    fn take(&mut self, marks: &Marks) {
        self.hard = self.hard.max(marks.hard);
        self.soft = self.soft.max(marks.soft);
    }
}

/// A URL or the beginning of one in the form that keys have; as it is, where it is none.
fn normal(text: &[u8]) -> Box<[u8]> {
    let key = std::str::from_utf8(text).ok().and_then(|text| {
        let (scheme, rest) = text.split_once("://")?;
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        CacheKey::new(scheme, authority, path, usize::MAX).ok()
    });
    match key {
        Some(key) => key.as_bytes().into(),
        None => text.into(),
    }
}

/// The host name in a key, without a port.
fn host_of(key: &[u8]) -> &[u8] {
    let start = key
        .windows(3)
        .position(|three| three == b"://")
        .map_or(key.len(), |at| at + 3);
    let rest = &key[start..];
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b':'));
    &rest[..end.unwrap_or(rest.len())]
}
