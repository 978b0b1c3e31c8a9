//! Purges: what a customer asks for, the place it gets in the order of its service, and who has put it into effect.
//!
//! ```text
//! customer ── SignedPurgeRequest ──> a gateway ──> first owner of the service: number, SignedPurgeOrder
//!                                       '── the order ──> every gateway and cache: PurgeAck
//! customer <── PurgeReceipt ──────────── '
//! ```

use alloc::vec::Vec;
use codec::{Decode, Encode};

use crate::{CustomerSignature, DeviceId, Millis, ServiceId, Signature64};

/// Which stored responses of a service a purge is about.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum PurgeKind {
    /// All variants under one primary key, `scheme://host/path?query` in its normal form.
    #[codec(index = 0)]
    Url(Vec<u8>),
    /// Every key that begins with this.
    #[codec(index = 1)]
    Prefix(Vec<u8>),
    /// Every key of one host name, lower case, whatever its scheme and port.
    #[codec(index = 2)]
    Host(Vec<u8>),
    /// Responses that the origin gave this tag, in `Cache-Tag` or `Surrogate-Key`.
    #[codec(index = 3)]
    Tag(Vec<u8>),
    /// All of the service.
    #[codec(index = 4)]
    Everything,
}

/// What becomes of what is purged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum PurgeMode {
    /// It is stale from then on: validated before it is used, and used meanwhile or after a failure where the origin's
    /// own words allow that.
    #[codec(index = 0)]
    Soft,
    /// It is never used again.
    #[codec(index = 1)]
    Hard,
}

/// What a customer asks for: [`crate::Domain::PurgeRequest`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct PurgeRequest {
    /// The service.
    pub service: ServiceId,
    /// What is purged.
    pub kind: PurgeKind,
    /// How.
    pub mode: PurgeMode,
    /// When it was signed, by the customer's clock.
    pub issued: Millis,
    /// A number nobody guesses, new for every purge: who sends the same request again gets the same order.
    pub nonce: [u8; 16],
}

impl PurgeRequest {
    /// How far [`Self::issued`] may lie from the clock of whoever takes the request, in milliseconds.
    pub const WINDOW: Millis = Millis(5 * 60 * 1000);
    /// Bytes of the longest URL, prefix, host or tag.
    pub const MAX_TEXT: usize = 8 * 1024;

    /// Whether it was signed about now.
    pub fn is_timely(&self, now: Millis) -> bool {
        self.issued.0.abs_diff(now.0) <= Self::WINDOW.0
    }

    /// Whether its text has a length that counts.
    pub fn is_bounded(&self) -> bool {
        match &self.kind {
            PurgeKind::Url(text)
            | PurgeKind::Prefix(text)
            | PurgeKind::Host(text)
            | PurgeKind::Tag(text) => (1..=Self::MAX_TEXT).contains(&text.len()),
            PurgeKind::Everything => true,
        }
    }
}

/// A request with the signature of the service's customer.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SignedPurgeRequest {
    /// The request.
    pub request: PurgeRequest,
    /// The customer's signature.
    pub signature: CustomerSignature,
}

/// A request with its place in the order of its service: [`crate::Domain::PurgeOrder`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct PurgeOrder {
    /// What the customer asked for.
    pub signed: SignedPurgeRequest,
    /// Its number: above all that its owner knew of, and about the time it was given, in milliseconds since the Unix
    /// epoch. A record whose generation is lower was fetched before the purge.
    pub number: u64,
    /// The number of the order before it, 0 if its owner knew none: who does not know that one has missed something.
    pub after: u64,
    /// The cache that gave the number: the service's first owner, or the next that could be reached.
    pub owner: DeviceId,
}

/// An order with its owner's ed25519 signature.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SignedPurgeOrder {
    /// The order.
    pub order: PurgeOrder,
    /// The owner's signature.
    pub signature: Signature64,
}

impl SignedPurgeOrder {
    /// The service it is about.
    pub fn service(&self) -> ServiceId {
        self.order.signed.request.service
    }

    /// What the customer asked for.
    pub fn request(&self) -> &PurgeRequest {
        &self.order.signed.request
    }
}

/// What a device signs that keeps an order for good and obeys it: [`crate::Domain::PurgeAck`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct PurgeAckPayload {
    /// The order, whole.
    pub order: SignedPurgeOrder,
    /// The device.
    pub device: DeviceId,
}

/// A device's word that it keeps an order for good and obeys it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct PurgeAck {
    /// The device.
    pub device: DeviceId,
    /// Its ed25519 signature over [`PurgeAckPayload`].
    pub signature: Signature64,
}

/// What a customer gets: who obeys the purge, and who has not said so.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct PurgeReceipt {
    /// The order.
    pub order: SignedPurgeOrder,
    /// The word of every device that obeys it.
    pub acks: Vec<PurgeAck>,
    /// Registered gateways and caches that did not answer in time.
    pub missing: Vec<DeviceId>,
}

/// What a node answers to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum PurgeAnswer {
    /// It is kept and obeyed.
    #[codec(index = 0)]
    Taken(Signature64),
    /// The node knows a higher number already, this one: what was fetched under it would escape this order. It must be
    /// ordered again, above.
    #[codec(index = 1)]
    Superseded(u64),
    /// It is not an order that counts.
    #[codec(index = 2)]
    Refused(PurgeRefusal),
}

/// Why a purge is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum PurgeRefusal {
    /// There is no such service, as far as the node knows.
    #[codec(index = 0)]
    UnknownService,
    /// The customer's signature does not verify.
    #[codec(index = 1)]
    NotTheCustomer,
    /// It was signed too long ago, or in the future.
    #[codec(index = 2)]
    Untimely,
    /// The URL, prefix, host or tag is empty or too long.
    #[codec(index = 3)]
    Text,
    /// The order's owner is no registered cache, or did not sign it.
    #[codec(index = 4)]
    NotAnOwner,
    /// The number is not one that an order can have now.
    #[codec(index = 5)]
    Number,
    /// The node cannot keep it: its disk failed.
    #[codec(index = 6)]
    NotKept,
    /// The node has no config of the chain yet.
    #[codec(index = 7)]
    NotReady,
    /// The service was purged too often of late.
    #[codec(index = 8)]
    TooMany,
    /// No cache that could order it answers.
    #[codec(index = 9)]
    NoOwner,
}

impl PurgeRefusal {
    /// The reason in a few words.
    pub fn reason(self) -> &'static str {
        match self {
            Self::UnknownService => "there is no such service",
            Self::NotTheCustomer => "the signature is not of the account that owns the service",
            Self::Untimely => "it was not signed within five minutes of now",
            Self::Text => "the URL, prefix, host or tag is empty or too long",
            Self::NotAnOwner => "the order is not signed by a registered cache",
            Self::Number => "the order's number is not possible now",
            Self::NotKept => "the disk failed",
            Self::NotReady => "there is no config of the chain yet",
            Self::TooMany => "the service was purged too often of late",
            Self::NoOwner => "no cache that orders purges answers",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_timely_about_when_it_was_signed() {
        let request = PurgeRequest {
            service: ServiceId(1),
            kind: PurgeKind::Everything,
            mode: PurgeMode::Hard,
            issued: Millis(1_000_000),
            nonce: [0; 16],
        };
        for (now, expected) in [
            (699_999, false),
            (700_000, true),
            (1_300_000, true),
            (1_300_001, false),
        ] {
            assert_eq!(request.is_timely(Millis(now)), expected, "{now}");
        }
    }

    #[test]
    fn texts_are_bounded() {
        let is_bounded = |length| {
            PurgeRequest {
                service: ServiceId(1),
                kind: PurgeKind::Tag(alloc::vec![b'a'; length]),
                mode: PurgeMode::Soft,
                issued: Millis(1),
                nonce: [0; 16],
            }
            .is_bounded()
        };
        assert!(!is_bounded(0) && is_bounded(1));
        assert!(is_bounded(PurgeRequest::MAX_TEXT) && !is_bounded(PurgeRequest::MAX_TEXT + 1));
    }

    #[test]
    fn the_bytes_are_fixed_for_good() {
        let order = SignedPurgeOrder {
            order: PurgeOrder {
                signed: SignedPurgeRequest {
                    request: PurgeRequest {
                        service: ServiceId(7),
                        kind: PurgeKind::Tag(b"ab".to_vec()),
                        mode: PurgeMode::Hard,
                        issued: Millis(5),
                        nonce: [1; 16],
                    },
                    signature: CustomerSignature::Ed25519(Signature64([2; 64])),
                },
                number: 9,
                after: 8,
                owner: DeviceId([3; 32]),
            },
            signature: Signature64([4; 64]),
        };
        let mut expected = Vec::new();
        expected.extend(7u64.to_le_bytes());
        expected.extend([3, 8, b'a', b'b', 1]);
        expected.extend(5u64.to_le_bytes());
        expected.extend([1; 16]);
        expected.push(0);
        expected.extend([2; 64]);
        expected.extend(9u64.to_le_bytes());
        expected.extend(8u64.to_le_bytes());
        expected.extend([3; 32]);
        expected.extend([4; 64]);
        assert_eq!(order.encode(), expected);
    }
}
