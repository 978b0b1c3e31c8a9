//! A gateway or a cache: a real log, and the responses that it has.

use selvedge_edge_core_purge::{Log, Offer, Tags, Verdict};
use selvedge_primitives_types::{
    DeviceId, Millis, PurgeAuthor, PurgeKind, PurgeMode, PurgeOrder, PurgeRequest, ServiceId,
    Signature64, SignedPurgeOrder, SignedPurgeRequest,
};

pub(crate) const SERVICE: ServiceId = ServiceId(1);
/// Different URLs.
pub(crate) const KEYS: usize = 3;

pub(crate) fn key(number: usize) -> Vec<u8> {
    format!("http://a.test/{number}").into_bytes()
}

/// A stored response, with when its fetch truly began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    pub(crate) key: usize,
    pub(crate) generation: u64,
    pub(crate) began: u64,
}

/// One node.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) device: DeviceId,
    /// How far its clock is off, in milliseconds.
    pub(crate) skew: i64,
    pub(crate) log: Log,
    pub(crate) records: Vec<Record>,
}

/// A purge as its customer asked for it.
pub(crate) fn request(number: u64, kind: PurgeKind) -> SignedPurgeRequest {
    let mut nonce = [0; 16];
    nonce[..8].copy_from_slice(&number.to_le_bytes());
    SignedPurgeRequest {
        request: PurgeRequest {
            service: SERVICE,
            kind,
            mode: PurgeMode::Hard,
            issued: Millis(number),
            nonce,
        },
        author: PurgeAuthor::Ed25519(Signature64::default()),
    }
}

impl Node {
    /// Gives a purge its place, as the drivers do.
    pub(crate) fn order(
        &mut self,
        now: u64,
        signed: SignedPurgeRequest,
        above: u64,
    ) -> SignedPurgeOrder {
        let before = self.log.ordered(&signed.request).cloned();
        if let Some(order) = before.filter(|order| order.order.number > above) {
            return order;
        }
        let clock = now.saturating_add_signed(self.skew);
        let order = PurgeOrder {
            number: self.log.next_of(&self.device, clock, above),
            after: self.log.last(),
            owner: self.device,
            signed,
        };
        let order = SignedPurgeOrder {
            order,
            signature: Signature64::default(),
        };
        self.log.learn(order.clone());
        order
    }

    /// Takes an order that is spread; the number that supersedes it, if one does.
    pub(crate) fn offer(&mut self, order: SignedPurgeOrder) -> Option<u64> {
        match self.log.offer(order) {
            Offer::Taken | Offer::Known => None,
            Offer::Superseded(number) => Some(number),
        }
    }

    /// Takes orders that it missed, the highest first.
    pub(crate) fn learn(&mut self, mut orders: Vec<SignedPurgeOrder>) {
        orders.sort_by_key(|order| std::cmp::Reverse(order.order.number));
        for order in orders {
            self.log.learn(order);
        }
    }

    /// Takes a response from another node.
    pub(crate) fn receive(&mut self, record: Record, is_heard: bool) {
        if is_heard {
            self.log.hear_of(record.generation);
        }
        self.keep(record);
    }

    pub(crate) fn keep(&mut self, record: Record) {
        // Few are enough, and the oldest are the ones that purges are about.
        if self.records.len() < 24 {
            self.records.push(record);
        }
    }

    pub(crate) fn verdict(&self, record: &Record) -> Verdict {
        let key = key(record.key);
        self.log.verdict(record.generation, &key, &Tags::default())
    }
}
