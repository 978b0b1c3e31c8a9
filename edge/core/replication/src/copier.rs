//! What a cache does that was ordered to copy blobs from other caches.
//!
//! ```text
//! Order ──> waiting ──> under way: Fetch 1 MiB ──> Fetched ──> Fetch ... ──> Kept
//!   | a root is ordered once: more orders add sources      Failed ──> the next source, from where it stopped
//! ```
//!
//! Each request is paid for from a bucket before it is made, so that copies never take more of the line than they may.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use selvedge_primitives_types::{ContentRef, DeviceId, Hash, Millis, ServiceId};

use crate::bucket::Bucket;

/// How a cache goes about copies. Times are in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopierRules {
    /// Bytes asked for in a second.
    pub rate: u64,
    /// As many may be asked for at once after a quiet time; at least one request.
    pub burst: u64,
    /// Bytes of one request.
    pub request: u64,
    /// Copies under way.
    pub concurrency: usize,
    /// Orders, those under way among them.
    pub orders: usize,
    /// Sources of one order.
    pub sources: usize,
    /// How long a request may take.
    pub patience: Millis,
    /// How long it waits after all sources of a copy have failed. Doubles with each time.
    pub retry: Millis,
    /// Times that all sources may fail before the copy is given up.
    pub rounds: u8,
}

impl Default for CopierRules {
    fn default() -> Self {
        const MIB: u64 = 1024 * 1024;
        Self {
            rate: 32 * MIB,
            burst: 8 * MIB,
            request: MIB,
            concurrency: 8,
            orders: 4_096,
            sources: 16,
            patience: Millis(20_000),
            retry: Millis(2_000),
            rounds: 3,
        }
    }
}

/// Why an order is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// There are as many orders as there may be.
    #[error("too many copies are ordered already")]
    Busy,
    /// There is no room for it beside what is ordered already.
    #[error("there is no room for {needed} bytes, only for {room}")]
    Full {
        /// Bytes that are needed.
        needed: u64,
        /// Bytes that are free and not promised to another copy.
        room: u64,
    },
    /// It names nobody to fetch from.
    #[error("an order without sources")]
    NoSource,
    /// The same root was ordered with another length or kind.
    #[error("the root is ordered with another length or kind")]
    Contradiction,
}

/// Why a source did not give what it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchFailure {
    /// It could not be reached, stopped, or was too slow.
    Unreachable,
    /// It does not hold the blob.
    Lacks,
    /// It sent bytes that are not the blob's: it is not asked again.
    WrongBytes,
}

/// Something happened at a cache.
#[derive(Clone, Debug)]
pub enum CopierInput {
    /// Time passed. To come at the deadline that [`CopierOutput::Timeout`] names.
    Tick,
    /// The store has room for so many bytes more.
    Room(u64),
    /// A steward ordered a copy, or this cache finds that it lacks what it should hold.
    Order {
        /// The blob.
        content: ContentRef,
        /// A service that keeps it.
        service: ServiceId,
        /// Who holds it.
        from: Vec<DeviceId>,
        /// Verified bytes from its beginning that the store has already.
        held: u64,
    },
    /// The order is withdrawn.
    Cancel {
        /// The blob.
        root: Hash,
    },
    /// What was asked for came, was verified and is in the store.
    Fetched {
        /// The blob.
        root: Hash,
        /// One past the last byte of the request.
        to: u64,
    },
    /// It did not.
    Failed {
        /// The blob.
        root: Hash,
        /// Who was asked.
        from: DeviceId,
        /// Why.
        why: FetchFailure,
    },
}

/// Something must be done at a cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CopierOutput {
    /// Ask a cache for these bytes, verify them and store them; answer with [`CopierInput::Fetched`] or
    /// [`CopierInput::Failed`].
    Fetch {
        /// The blob.
        content: ContentRef,
        /// A service that keeps it.
        service: ServiceId,
        /// Whom to ask.
        from: DeviceId,
        /// Which bytes; empty only of a blob without any.
        range: Range<u64>,
    },
    /// All of a blob is in the store.
    Kept {
        /// The blob.
        root: Hash,
    },
    /// No source gave it. Its bytes may be dropped.
    GaveUp {
        /// The blob.
        root: Hash,
    },
    /// A source sent bytes that are not the blob's.
    Corrupt {
        /// The blob.
        root: Hash,
        /// The source.
        from: DeviceId,
    },
    /// Nothing is left to do before then.
    Timeout(Millis),
}

#[derive(Clone, Debug)]
struct Order {
    content: ContentRef,
    service: ServiceId,
    from: Vec<DeviceId>,
    /// The source that is asked, or is next.
    turn: usize,
    held: u64,
    /// When the request that is under way has taken too long.
    deadline: Option<Millis>,
    /// Sources that failed since bytes came last.
    failed: usize,
    rounds: u8,
    not_before: Millis,
}

/// The copies of one cache.
#[derive(Clone, Debug)]
pub struct Copier {
    rules: CopierRules,
    orders: BTreeMap<Hash, Order>,
    waiting: VecDeque<Hash>,
    active: Vec<Hash>,
    bucket: Bucket,
    room: u64,
    /// Bytes that orders still lack.
    promised: u64,
    outputs: VecDeque<CopierOutput>,
    now: Millis,
}

impl Copier {
    /// One without orders, for a store with no room until [`CopierInput::Room`] says otherwise.
    pub fn new(rules: CopierRules, now: Millis) -> Self {
        Self {
            bucket: Bucket::new(rules.rate, rules.burst.max(rules.request), now),
            rules,
            orders: BTreeMap::new(),
            waiting: VecDeque::new(),
            active: Vec::new(),
            room: 0,
            promised: 0,
            outputs: VecDeque::new(),
            now,
        }
    }

    /// Takes one input; then [`poll_output`](Self::poll_output) is to be drained to its timeout.
    ///
    /// Errors: an order that is not taken. Nothing has changed then.
    pub fn handle_input(&mut self, now: Millis, input: CopierInput) -> Result<(), Refusal> {
        self.now = now.max(self.now);
        match input {
            CopierInput::Tick => {}
            CopierInput::Room(room) => self.room = room,
            CopierInput::Order {
                content,
                service,
                from,
                held,
            } => self.take(content, service, &from, held)?,
            CopierInput::Cancel { root } => self.drop(&root),
            CopierInput::Fetched { root, to } => self.fetched(&root, to),
            CopierInput::Failed { root, from, why } => self.failed(&root, from, why),
        }
        self.advance();
        Ok(())
    }

    /// What must be done, until [`CopierOutput::Timeout`].
    pub fn poll_output(&mut self) -> CopierOutput {
        match self.outputs.pop_front() {
            Some(output) => output,
            None => CopierOutput::Timeout(self.deadline()),
        }
    }

    /// Orders, those under way among them.
    pub fn len(&self) -> usize {
        self.orders.len()
    }

    /// Whether nothing is ordered.
    pub fn is_empty(&self) -> bool {
        self.orders.is_empty()
    }

    /// Whether a blob is ordered.
    pub fn has(&self, root: &Hash) -> bool {
        self.orders.contains_key(root)
    }

    /// Bytes that orders still lack: room that is taken.
    pub fn promised(&self) -> u64 {
        self.promised
    }

    fn take(
        &mut self,
        content: ContentRef,
        service: ServiceId,
        from: &[DeviceId],
        held: u64,
    ) -> Result<(), Refusal> {
        if from.is_empty() {
            return Err(Refusal::NoSource);
        }
        if let Some(order) = self.orders.get_mut(&content.root) {
            if order.content != content {
                return Err(Refusal::Contradiction);
            }
            for source in from {
                if order.from.len() < self.rules.sources && !order.from.contains(source) {
                    order.from.push(*source);
                }
            }
            return Ok(());
        }
        if self.orders.len() >= self.rules.orders {
            return Err(Refusal::Busy);
        }
        let held = held.min(content.length);
        let needed = content.length - held;
        let room = self.room.saturating_sub(self.promised);
        if needed > room {
            return Err(Refusal::Full { needed, room });
        }
        let mut sources: Vec<DeviceId> = Vec::new();
        for source in from {
            if sources.len() < self.rules.sources && !sources.contains(source) {
                sources.push(*source);
            }
        }
        self.promised += needed;
        let order = Order {
            content,
            service,
            from: sources,
            turn: 0,
            held,
            deadline: None,
            failed: 0,
            rounds: 0,
            not_before: self.now,
        };
        self.orders.insert(content.root, order);
        self.waiting.push_back(content.root);
        Ok(())
    }

    fn drop(&mut self, root: &Hash) {
        if let Some(order) = self.orders.remove(root) {
            self.promised -= order.content.length - order.held;
            self.waiting.retain(|of| of != root);
            self.active.retain(|of| of != root);
        }
    }

    fn fetched(&mut self, root: &Hash, to: u64) {
        let Some(order) = self.orders.get_mut(root) else {
            return;
        };
        // An answer that came after its time may be about bytes that were asked for again.
        let to = to.min(order.content.length);
        if to <= order.held && to < order.content.length || order.deadline.is_none() {
            return;
        }
        let bytes = to - order.held;
        self.promised -= bytes;
        // What came takes room now, which the store will say in its turn.
        self.room = self.room.saturating_sub(bytes);
        (order.held, order.deadline) = (to, None);
        (order.failed, order.rounds) = (0, 0);
        if to == order.content.length {
            let root = *root;
            self.drop(&root);
            self.outputs.push_back(CopierOutput::Kept { root });
        }
    }

    fn failed(&mut self, root: &Hash, from: DeviceId, why: FetchFailure) {
        let Some(order) = self.orders.get_mut(root) else {
            return;
        };
        let is_asked = order.deadline.is_some() && order.from.get(order.turn) == Some(&from);
        if why == FetchFailure::WrongBytes {
            let root = *root;
            self.outputs.push_back(CopierOutput::Corrupt { root, from });
        }
        if !is_asked {
            return;
        }
        order.deadline = None;
        if why == FetchFailure::Unreachable {
            order.turn += 1;
            order.failed += 1;
        } else {
            order.from.remove(order.turn);
        }
        if order.turn >= order.from.len() {
            order.turn = 0;
        }
        if order.from.is_empty() {
            return self.give_up(*root);
        }
        if order.failed >= order.from.len() {
            (order.failed, order.rounds) = (0, order.rounds.saturating_add(1));
            if order.rounds >= self.rules.rounds {
                return self.give_up(*root);
            }
            let wait = self.rules.retry.0 << u32::from(order.rounds - 1).min(8);
            order.not_before = Millis(self.now.0.saturating_add(wait));
            // Others have their turn meanwhile.
            self.active.retain(|of| of != root);
            self.waiting.push_back(*root);
        }
    }

    fn give_up(&mut self, root: Hash) {
        self.drop(&root);
        self.outputs.push_back(CopierOutput::GaveUp { root });
    }

    /// Makes what requests may be made.
    fn advance(&mut self) {
        let now = self.now;
        let is_late = |root: &&Hash| {
            let order = self.orders.get(*root);
            let deadline = order.and_then(|order| order.deadline);
            deadline.is_some_and(|deadline| deadline <= now)
        };
        let late: Vec<Hash> = self.active.iter().filter(is_late).copied().collect();
        for root in late {
            let order = self.orders.get(&root);
            let from = order.and_then(|order| order.from.get(order.turn)).copied();
            if let Some(from) = from {
                self.failed(&root, from, FetchFailure::Unreachable);
            }
        }
        let is_ready = |root: &Hash| {
            let order = self.orders.get(root);
            order.is_some_and(|order| order.not_before <= now)
        };
        while self.active.len() < self.rules.concurrency {
            let Some(place) = self.waiting.iter().position(is_ready) else {
                break;
            };
            self.active.extend(self.waiting.remove(place));
        }
        for _ in 0..self.active.len() {
            // In turns, so that a long blob holds up no other.
            self.active.rotate_left(1);
            let Some(order) = self
                .active
                .last()
                .and_then(|root| self.orders.get_mut(root))
            else {
                continue;
            };
            let Some(from) = order
                .from
                .get(order.turn)
                .filter(|_| order.deadline.is_none())
            else {
                continue;
            };
            let end = order.content.length.min(order.held + self.rules.request);
            if !self.bucket.spend(end - order.held, now) {
                self.active.rotate_right(1);
                break;
            }
            order.deadline = Some(Millis(now.0.saturating_add(self.rules.patience.0)));
            self.outputs.push_back(CopierOutput::Fetch {
                content: order.content,
                service: order.service,
                from: *from,
                range: order.held..end,
            });
        }
    }

    /// When something is due without any input.
    fn deadline(&mut self) -> Millis {
        const IDLE: u64 = 60_000;
        let now = self.now;
        let mut next = Millis(now.0.saturating_add(IDLE));
        let mut is_poor = false;
        for root in &self.active {
            match self.orders.get(root).map(|order| order.deadline) {
                Some(Some(deadline)) => next = next.min(deadline),
                Some(None) => is_poor = true,
                None => {}
            }
        }
        if is_poor {
            let wait = self.bucket.wait(self.rules.request, now);
            next = next.min(Millis(now.0.saturating_add(wait.0.max(1))));
        }
        if self.active.len() < self.rules.concurrency {
            let waiting = self.waiting.iter().filter_map(|root| self.orders.get(root));
            let ready = waiting.map(|order| order.not_before).min();
            next = ready.map_or(next, |ready| next.min(ready));
        }
        next.max(Millis(now.0.saturating_add(1)))
    }
}
