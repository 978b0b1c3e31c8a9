//! A cache: a real copier above a disk that is a set of names.

use std::collections::{BTreeMap, BTreeSet};

use selvedge_edge_core_replication::{
    Copier, CopierInput, CopierOutput, CopierRules, CopyFailure, FetchFailure, Refusal,
};
use selvedge_primitives_types::{ContentRef, DeviceId, Hash, Millis, Region, ServiceId};

use crate::content::message::Message;

/// One cache.
#[derive(Debug)]
pub(crate) struct SimCache {
    pub(crate) device: DeviceId,
    pub(crate) region: Region,
    copier: Copier,
    rules: CopierRules,
    pub(crate) holds: BTreeSet<Hash>,
    /// Verified bytes of what is not whole yet.
    partial: BTreeMap<Hash, u64>,
    /// Gateways that wait for a copy.
    orders: BTreeMap<Hash, usize>,
    pub(crate) is_up: bool,
    /// Gone for good.
    pub(crate) is_dead: bool,
    /// Has nothing, and says that it has everything.
    pub(crate) lies: bool,
    pub(crate) is_registered: bool,
    pub(crate) drains: bool,
    /// Bytes that it sends in a millisecond.
    pub(crate) line: u64,
    /// When its line is free.
    pub(crate) line_free: u64,
    /// When it wakes next.
    pub(crate) wakes: u64,
}

/// What leaves a cache.
pub(crate) enum Leaves {
    Send {
        to: Peer,
        message: Message,
    },
    /// A blob is whole.
    Kept(Hash),
    /// Wake it then.
    Wake(u64),
    /// It asked for so many bytes.
    Asked(u64),
}

/// Whom a message is for.
pub(crate) enum Peer {
    Number(usize),
    Device(DeviceId),
}

impl SimCache {
    pub(crate) fn new(device: DeviceId, region: Region, rules: CopierRules, line: u64) -> Self {
        let mut cache = Self {
            device,
            region,
            copier: Copier::new(rules.clone(), Millis(0)),
            rules,
            holds: BTreeSet::new(),
            partial: BTreeMap::new(),
            orders: BTreeMap::new(),
            is_up: true,
            is_dead: false,
            lies: false,
            is_registered: true,
            drains: false,
            line,
            line_free: 0,
            wakes: 0,
        };
        cache.restart(0);
        cache
    }

    /// Whether it holds a blob for good.
    pub(crate) fn has(&self, root: &Hash) -> bool {
        !self.is_dead && self.is_registered && !self.lies && self.holds.contains(root)
    }

    /// Comes up: what it was ordered is forgotten, what it has is not.
    pub(crate) fn restart(&mut self, now: u64) {
        self.copier = Copier::new(self.rules.clone(), Millis(now));
        let room = CopierInput::Room(1 << 40);
        self.copier.handle_input(Millis(now), room).unwrap_or(());
        self.orders.clear();
    }

    pub(crate) fn empty(&mut self) {
        self.holds.clear();
        self.partial.clear();
    }

    /// Takes an order of a gateway; the answer, if there is one at once.
    pub(crate) fn order(
        &mut self,
        now: u64,
        gateway: usize,
        content: ContentRef,
        service: ServiceId,
        from: Vec<DeviceId>,
    ) -> Option<Message> {
        let root = content.root;
        if self.holds.contains(&root) {
            return Some(Message::Copied {
                root,
                failure: None,
            });
        }
        let order = CopierInput::Order {
            content,
            service,
            from,
            held: self.partial.get(&root).copied().unwrap_or(0),
        };
        match self.copier.handle_input(Millis(now), order) {
            Ok(()) => {
                self.orders.insert(root, gateway);
                None
            }
            Err(refusal) => {
                let failure = match refusal {
                    Refusal::Full { .. } => CopyFailure::Full,
                    _ => CopyFailure::Failed,
                };
                Some(Message::Copied {
                    root,
                    failure: Some(failure),
                })
            }
        }
    }

    pub(crate) fn input(&mut self, now: u64, input: CopierInput) {
        if let CopierInput::Fetched { root, to } = &input {
            if self.copier.has(root) {
                self.partial.insert(*root, *to);
            }
        }
        // Only orders are refused.
        self.copier.handle_input(Millis(now), input).unwrap_or(());
    }

    /// What its copier wants done.
    pub(crate) fn drain(&mut self, now: u64) -> Vec<Leaves> {
        let mut leaves = Vec::new();
        loop {
            match self.copier.poll_output() {
                CopierOutput::Timeout(at) => {
                    if self.wakes <= now || at.0 < self.wakes {
                        self.wakes = at.0;
                        leaves.push(Leaves::Wake(at.0));
                    }
                    return leaves;
                }
                CopierOutput::Fetch {
                    content,
                    from,
                    range,
                    ..
                } => {
                    leaves.push(Leaves::Asked(range.end - range.start));
                    leaves.push(Leaves::Send {
                        to: Peer::Device(from),
                        message: Message::Fetch {
                            root: content.root,
                            range,
                        },
                    });
                }
                CopierOutput::Kept { root } => {
                    self.partial.remove(&root);
                    self.holds.insert(root);
                    leaves.push(Leaves::Kept(root));
                    leaves.extend(self.tell(root, None));
                }
                CopierOutput::GaveUp { root } => {
                    leaves.extend(self.tell(root, Some(CopyFailure::Failed)));
                }
                CopierOutput::Corrupt { .. } => {}
            }
        }
    }

    fn tell(&mut self, root: Hash, failure: Option<CopyFailure>) -> Option<Leaves> {
        let gateway = self.orders.remove(&root)?;
        Some(Leaves::Send {
            to: Peer::Number(gateway),
            message: Message::Copied { root, failure },
        })
    }

    /// What a source answers to a request, and whether its bytes take the line.
    pub(crate) fn give(&self, root: Hash, to: u64) -> Message {
        if self.lies {
            let why = FetchFailure::WrongBytes;
            return Message::NotGiven { root, why };
        }
        if !self.holds.contains(&root) {
            let why = FetchFailure::Lacks;
            return Message::NotGiven { root, why };
        }
        Message::Given { root, to }
    }
}
