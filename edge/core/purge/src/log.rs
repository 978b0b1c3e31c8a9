//! The orders of one service that a node has, and what it knows to be missing.
//!
//! An order of a gateway may contain earlier ones of its own, which are then dropped.
//!
//! An order names the one before it, so whoever gets it can tell whether it has missed something.
//! Two nodes compare [`Summary`]s, and tell each other their numbers only when these differ.
//!
//! ```text
//! base          after                top
//!  |  o───────o───────?◂──────o───────|        ? is missing: what is below it is doubtful
//!  dropped             orders         whatever is fetched now gets this generation
//! ```

use std::collections::{BTreeMap, BTreeSet, HashMap};

use selvedge_primitives_types::{DeviceId, PurgeKind, PurgeMode, PurgeRequest, SignedPurgeOrder};

use crate::book::{Book, Floors, Limits, Verdict};
use crate::Tags;

/// Orders that are kept so that others can be told of them.
const MAX_ORDERS: usize = 4_096;
/// Bytes of their texts.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Numbers that are heard of at a time; of more, the lowest count as numbers of nobody.
const MAX_HEARD: usize = 64;

/// Numbers are one of so many kinds, each owner giving one kind: two that do not know of each other give different ones.
const KINDS: u64 = 1_024;

/// What became of an order that came straight from whoever spreads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// It is new and in force.
    Taken,
    /// It was in force already.
    Known,
    /// What was fetched under a higher number, this one, might escape it: it must be ordered again.
    Superseded(u64),
}

/// All orders in a few bytes: equal when two nodes have the same ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Orders up to this number were dropped.
    pub base: u64,
    /// Of the numbers above.
    pub digest: u64,
}

/// The purges of one service with the orders behind them.
#[derive(Clone, Debug)]
pub struct Log {
    book: Book,
    orders: BTreeMap<u64, SignedPurgeOrder>,
    nonces: HashMap<[u8; 16], u64>,
    bytes: usize,
    base: Option<SignedPurgeOrder>,
    missing: BTreeSet<u64>,
    top: u64,
    /// Numbers that somebody has fetched under, and whose orders have not come.
    heard: BTreeSet<u64>,
    /// The highest number without an order that something was fetched under.
    foreign: u64,
    here: u64,
    doubt: u64,
    version: u64,
}

impl Default for Log {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl Log {
    /// No orders.
    pub fn new(limits: Limits) -> Self {
        Self {
            book: Book::new(limits),
            orders: BTreeMap::new(),
            nonces: HashMap::new(),
            bytes: 0,
            base: None,
            missing: BTreeSet::new(),
            top: 0,
            heard: BTreeSet::new(),
            foreign: 0,
            here: 0,
            doubt: 0,
            version: 1,
        }
    }

    /// The highest number heard of: the generation of what is fetched from now on.
    pub fn top(&self) -> u64 {
        self.top
    }

    /// Rises with whatever may make a response less than current.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The number of the last order, 0 without one.
    pub fn last(&self) -> u64 {
        let last = self.orders.last_key_value().map(|(number, _)| *number);
        last.unwrap_or(self.base_number())
    }

    /// Whether an order is in force, on its own or as part of what was dropped.
    pub fn has(&self, number: u64) -> bool {
        number <= self.base_number() || self.orders.contains_key(&number)
    }

    /// The order that a request got.
    pub fn ordered(&self, request: &PurgeRequest) -> Option<&SignedPurgeOrder> {
        let order = self.orders.get(self.nonces.get(&request.nonce)?)?;
        (order.request() == request).then_some(order)
    }

    /// The lowest number that is above all that is known.
    pub fn next(&self, now: u64, above: u64) -> u64 {
        now.max(self.top.saturating_add(1))
            .max(above.saturating_add(1))
    }

    /// The lowest number of an owner's own kind that is above all that is known. Two owners give one number to different
    /// purges only if they are of one kind and know the same; whoever has one of the two calls the other superseded.
    pub fn next_of(&self, owner: &DeviceId, now: u64, above: u64) -> u64 {
        let next = self.next(now, above);
        let kind = u64::from(owner.0[0]) << 8 | u64::from(owner.0[1]);
        let ahead = (kind % KINDS + KINDS - next % KINDS) % KINDS;
        next.saturating_add(ahead)
    }

    /// Takes an order that whoever spreads it offers, unless what was fetched already might escape
    /// it.
    pub fn offer(&mut self, order: SignedPurgeOrder) -> Offer {
        let offer = self.consider(&order);
        if offer == Offer::Taken {
            self.insert(order);
        }
        offer
    }

    /// What [`Self::offer`] would say.
    pub fn consider(&self, order: &SignedPurgeOrder) -> Offer {
        let kept = self.orders.get(&order.order.number);
        if kept.is_some_and(|kept| kept.request() != order.request()) {
            // Two owners gave one number: it is not known because the other is.
            Offer::Superseded(self.top)
        } else if self.has(order.order.number) || self.is_contained(order) {
            Offer::Known
        } else if self.is_in_order(order) {
            Offer::Taken
        } else {
            Offer::Superseded(self.top)
        }
    }

    /// Takes an order that was missed. Says whether it is new.
    ///
    /// What was fetched since under a higher number might escape it: that is doubtful from then on.
    pub fn learn(&mut self, order: SignedPurgeOrder) -> bool {
        if self.has(order.order.number) || self.is_contained(&order) {
            return false;
        }
        let is_in_order = self.is_in_order(&order);
        self.insert(order);
        if !is_in_order {
            self.top = self.top.saturating_add(1);
            (self.foreign, self.doubt) = (self.top, self.top);
        }
        true
    }

    /// Whether nothing with a higher generation was fetched before the order was given. A number is
    /// above those before it of the same owner, and of every order that it names; hence what has a
    /// later number of such a kind was fetched after both.
    fn is_in_order(&self, order: &SignedPurgeOrder) -> bool {
        let number = order.order.number;
        if number > self.top {
            return true;
        }
        let mut later = self.orders.range(number..).map(|(_, order)| &order.order);
        let is_named = later
            .clone()
            .next()
            .is_some_and(|next| next.after == number);
        let heard = self.heard.last().copied().unwrap_or(0);
        heard.max(self.foreign) <= number
            && (is_named || later.all(|next| next.owner == order.order.owner))
    }

    /// Whether a later order of the same gateway contains this one. It must be of the same owner too,
    /// so that what [`Self::is_in_order`] says does not hang on which of the two is kept.
    fn is_contained(&self, order: &SignedPurgeOrder) -> bool {
        let number = order.order.number;
        let mut later = self.orders.range(number.saturating_add(1)..);
        order.keys().is_some() && later.any(|(_, later)| contains(later, order))
    }

    fn insert(&mut self, order: SignedPurgeOrder) {
        let (number, after) = (order.order.number, order.order.after);
        self.missing.remove(&number);
        // It was heard of before it came; what is before it is named by it.
        self.heard.remove(&number);
        if !self.has(after) && after < number && !self.is_replaced(after) {
            self.missing.insert(after);
        }
        self.replace(&order);
        let request = order.request();
        self.book.apply(&request.kind, request.mode, number);
        self.bytes += size(&order);
        // Of a request that two owners ordered the higher place counts.
        let place = self.nonces.entry(request.nonce).or_default();
        *place = number.max(*place);
        self.orders.insert(number, order);
        self.top = self.top.max(number);
        self.version += 1;
        self.bound();
    }

    /// Whether an order says that it contains the one with this number.
    fn is_replaced(&self, number: u64) -> bool {
        let mut later = self.orders.range(number.saturating_add(1)..);
        later.any(|(_, later)| {
            let keys = later.keys();
            keys.is_some_and(|keys| keys.replaces.contains(&number))
        })
    }

    /// Drops the orders that a new one contains.
    fn replace(&mut self, order: &SignedPurgeOrder) {
        let Some(keys) = order.keys() else { return };
        for number in &keys.replaces {
            self.missing.remove(number);
            let old = self.orders.get(number);
            let Some(old) = old.filter(|old| contains(order, old)) else {
                continue;
            };
            self.bytes -= size(old);
            self.nonces.remove(&old.request().nonce);
            self.orders.remove(number);
        }
    }

    /// Everything of before is gone, here only: an operator's tool. Gives the number.
    pub fn purge_here(&mut self, now: u64) -> u64 {
        let number = self.next(now, 0);
        self.restore_here(number);
        number
    }

    /// The same with a number from before a restart.
    pub fn restore_here(&mut self, number: u64) {
        self.book
            .apply(&PurgeKind::Everything, PurgeMode::Hard, number);
        self.top = self.top.max(number);
        self.foreign = self.foreign.max(number);
        self.here = self.here.max(number);
        self.version += 1;
    }

    /// The number of the last purge of this node's operator, 0 without one.
    pub fn here(&self) -> u64 {
        self.here
    }

    /// Somebody trustworthy has fetched under a number that is not known here: what is below it is
    /// doubtful. Says whether that is news.
    pub fn hear_of(&mut self, number: u64) -> bool {
        if number <= self.top {
            return false;
        }
        self.top = number;
        self.heard.insert(number);
        if self.heard.len() > MAX_HEARD {
            let lowest = self.heard.pop_first().unwrap_or(0);
            (self.foreign, self.doubt) = (self.foreign.max(lowest), self.doubt.max(lowest));
        }
        self.version += 1;
        true
    }

    /// The order up to which everything was dropped, as others show it. Says whether it is news.
    pub fn collapse(&mut self, base: SignedPurgeOrder) -> bool {
        let number = base.order.number;
        if number <= self.base_number() {
            return false;
        }
        self.orders = self.orders.split_off(&(number + 1));
        self.missing = self.missing.split_off(&(number + 1));
        self.heard = self.heard.split_off(&(number + 1));
        self.nonces.retain(|_, of| *of > number);
        self.bytes = self.orders.values().map(size).sum();
        self.book.collapse(number);
        self.base = Some(base);
        self.top = self.top.max(number);
        self.version += 1;
        true
    }

    fn bound(&mut self) {
        while self.orders.len() > MAX_ORDERS || self.bytes > MAX_BYTES {
            let middle = self.orders.values().nth(self.orders.len() / 2).cloned();
            let Some(middle) = middle else { return };
            self.collapse(middle);
        }
    }

    fn base_number(&self) -> u64 {
        self.base.as_ref().map_or(0, |base| base.order.number)
    }

    /// What the purges say about a stored response.
    pub fn verdict(&self, generation: u64, key: &[u8], tags: &Tags) -> Verdict {
        let last = |numbers: &BTreeSet<u64>| numbers.last().copied().unwrap_or(0);
        let missed = last(&self.missing).max(last(&self.heard)).max(self.doubt);
        match self.book.verdict(generation, key, tags) {
            Verdict::Current | Verdict::Stale { .. } if generation < missed => Verdict::Doubtful,
            verdict => verdict,
        }
    }

    /// What the purges say about a key, whatever its tags.
    pub fn floors(&self, key: &[u8]) -> Floors {
        self.book.floors(key)
    }

    /// Whether orders are known to be missing.
    pub fn is_whole(&self) -> bool {
        self.missing.is_empty()
    }

    /// Things that customers purged.
    pub fn things(&self) -> usize {
        self.book.things()
    }

    /// Keys that unsafe requests made invalid, and shares of all keys.
    pub fn invalid(&self) -> usize {
        self.book.invalid()
    }

    /// All orders in a few bytes.
    pub fn summary(&self) -> Summary {
        Summary {
            base: self.base_number(),
            digest: self.orders.keys().fold(0, |all, number| all ^ mix(*number)),
        }
    }

    /// The order up to which everything was dropped.
    pub fn base(&self) -> Option<&SignedPurgeOrder> {
        self.base.as_ref()
    }

    /// The numbers of the orders above the base.
    pub fn numbers(&self) -> impl Iterator<Item = u64> + '_ {
        self.orders.keys().copied()
    }

    /// An order above the base.
    pub fn order(&self, number: u64) -> Option<&SignedPurgeOrder> {
        self.orders.get(&number)
    }

    /// The orders above the base, in order.
    pub fn orders(&self) -> impl Iterator<Item = &SignedPurgeOrder> {
        self.orders.values()
    }
}

/// Whether an order contains an earlier one, and is kept in its place.
fn contains(order: &SignedPurgeOrder, old: &SignedPurgeOrder) -> bool {
    let gateway = |order: &SignedPurgeOrder| order.order.signed.author.gateway().copied();
    order
        .keys()
        .is_some_and(|keys| keys.replaces.contains(&old.order.number))
        && gateway(order).is_some()
        && gateway(order) == gateway(old)
        && order.order.owner == old.order.owner
        && order.order.number > old.order.number
}

fn size(order: &SignedPurgeOrder) -> usize {
    let text = match &order.request().kind {
        PurgeKind::Url(text)
        | PurgeKind::Prefix(text)
        | PurgeKind::Host(text)
        | PurgeKind::Tag(text) => text.len(),
        PurgeKind::Everything => 0,
        PurgeKind::Keys(keys) => 16 * keys.keys.len() + 8 * keys.replaces.len(),
    };
    text + size_of::<SignedPurgeOrder>()
}

/// Spreads a number over 64 bits, so that the digests of different sets differ.
fn mix(number: u64) -> u64 {
    let hash = blake3::hash(&number.to_le_bytes());
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash.as_bytes()[..8]);
    u64::from_le_bytes(bytes)
}
