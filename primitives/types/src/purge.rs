//! Purges: what a customer or a gateway asks for, the place it gets in the order of its service, and who has put it into
//! effect.
//!
//! ```text
//! customer ── SignedPurgeRequest ──> a gateway ──> first owner of the service: number, SignedPurgeOrder
//!                                       '── the order ──> every gateway and cache: PurgeAck
//! customer <── PurgeReceipt ──────────── '
//! ```
//!
//! What an unsafe request made invalid (RFC 9111 §4.4) goes the same way; the gateway that forwarded it is the author.

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
    /// Single keys that unsafe requests made invalid. The only purge that a gateway may ask for, and nobody else does.
    #[codec(index = 5)]
    Keys(InvalidKeys),
}

/// Keys that unsafe requests through one gateway made invalid, each named by its id.
///
/// One may contain earlier ones of its gateway, so that these need not be kept.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct InvalidKeys {
    /// How many of an id's leading bits count: [`Self::EXACT`]; or [`Self::COARSE`] when there were too many keys at
    /// once, and all that share these bits with one of them go.
    pub bits: u8,
    /// Each id, as a number of so many bits, and the number that its purge has: 0 for that of the order itself.
    pub keys: Vec<(u64, u64)>,
    /// The numbers of the gateway's orders that this one contains.
    pub replaces: Vec<u64>,
}

impl InvalidKeys {
    /// Ids are told apart.
    pub const EXACT: u8 = 64;
    /// 1,024 shares of all ids are told apart, so that any number of keys fits.
    pub const COARSE: u8 = 10;
    /// Keys in one request.
    pub const MAX_KEYS: usize = 1_024;
    /// Orders that one may contain.
    pub const MAX_REPLACED: usize = 1_024;

    fn is_bounded(&self) -> bool {
        let is_id = |id: u64| match self.bits {
            Self::EXACT => true,
            Self::COARSE => id >> Self::COARSE == 0,
            _ => false,
        };
        (1..=Self::MAX_KEYS).contains(&self.keys.len())
            && self.replaces.len() <= Self::MAX_REPLACED
            && self.keys.iter().all(|(id, _)| is_id(*id))
    }
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

/// What is asked for: [`crate::Domain::PurgeRequest`] by a customer, [`crate::Domain::Invalidation`] by a gateway.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct PurgeRequest {
    /// The service.
    pub service: ServiceId,
    /// What is purged.
    pub kind: PurgeKind,
    /// How.
    pub mode: PurgeMode,
    /// When it was signed, by its author's clock.
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
            PurgeKind::Keys(keys) => keys.is_bounded(),
        }
    }
}

/// Who asks for a purge, with the signature that says so. A customer's has the encoding of its [`CustomerSignature`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum PurgeAuthor {
    /// The account that owns the service, by ed25519.
    #[codec(index = 0)]
    Ed25519(Signature64),
    /// The account that owns the service, by sr25519.
    #[codec(index = 1)]
    Sr25519(Signature64),
    /// A registered gateway, by its device key: for [`PurgeKind::Keys`], hard, and for nothing else.
    #[codec(index = 2)]
    Gateway(DeviceId, Signature64),
}

impl PurgeAuthor {
    /// The customer's signature; `None` when a gateway is the author.
    pub fn customer(&self) -> Option<CustomerSignature> {
        match self {
            Self::Ed25519(signature) => Some(CustomerSignature::Ed25519(*signature)),
            Self::Sr25519(signature) => Some(CustomerSignature::Sr25519(*signature)),
            Self::Gateway(..) => None,
        }
    }

    /// The gateway; `None` when the customer is the author.
    pub fn gateway(&self) -> Option<&DeviceId> {
        match self {
            Self::Gateway(device, _) => Some(device),
            Self::Ed25519(_) | Self::Sr25519(_) => None,
        }
    }
}

impl From<CustomerSignature> for PurgeAuthor {
    fn from(signature: CustomerSignature) -> Self {
        match signature {
            CustomerSignature::Ed25519(signature) => Self::Ed25519(signature),
            CustomerSignature::Sr25519(signature) => Self::Sr25519(signature),
        }
    }
}

/// A request with its author.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SignedPurgeRequest {
    /// The request.
    pub request: PurgeRequest,
    /// Who asks.
    pub author: PurgeAuthor,
}

impl SignedPurgeRequest {
    /// Whether its author may ask for such a thing at all, whoever it is.
    pub fn is_fitting(&self) -> bool {
        let request = &self.request;
        match (&request.kind, self.author.gateway()) {
            (PurgeKind::Keys(_), Some(_)) => request.mode == PurgeMode::Hard,
            (PurgeKind::Keys(_), None) | (_, Some(_)) => false,
            (_, None) => true,
        }
    }
}

/// A request with its place in the order of its service: [`crate::Domain::PurgeOrder`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct PurgeOrder {
    /// What was asked for.
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

    /// What was asked for.
    pub fn request(&self) -> &PurgeRequest {
        &self.order.signed.request
    }

    /// The keys, where it is about such.
    pub fn keys(&self) -> Option<&InvalidKeys> {
        match &self.request().kind {
            PurgeKind::Keys(keys) => Some(keys),
            _ => None,
        }
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
    /// It is not signed by a registered gateway that may ask for it.
    #[codec(index = 10)]
    NotTheGateway,
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
            Self::NotTheGateway => "no registered gateway that may purge this has signed it",
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
    fn keys_are_bounded_and_only_a_gateways() {
        let signed = |bits, id, count, author: PurgeAuthor, mode| SignedPurgeRequest {
            request: PurgeRequest {
                service: ServiceId(1),
                kind: PurgeKind::Keys(InvalidKeys {
                    bits,
                    keys: alloc::vec![(id, 0); count],
                    replaces: Vec::new(),
                }),
                mode,
                issued: Millis(1),
                nonce: [0; 16],
            },
            author,
        };
        let gateway = || PurgeAuthor::Gateway(DeviceId([1; 32]), Signature64([2; 64]));
        for (bits, id, count, expected) in [
            (64, u64::MAX, 1, true),
            (64, 1, 0, false),
            (64, 1, 1_024, true),
            (64, 1, 1_025, false),
            (10, 1_023, 1, true),
            (10, 1_024, 1, false),
            (1, 0, 1, false),
            (0, 0, 1, false),
        ] {
            let signed = signed(bits, id, count, gateway(), PurgeMode::Hard);
            assert_eq!(signed.request.is_bounded(), expected, "{bits} {id} {count}");
            assert!(signed.is_fitting());
        }
        assert!(!signed(64, 1, 1, gateway(), PurgeMode::Soft).is_fitting());
        let customer = PurgeAuthor::Sr25519(Signature64([2; 64]));
        assert!(!signed(64, 1, 1, customer.clone(), PurgeMode::Hard).is_fitting());
        let mut other = signed(64, 1, 1, customer, PurgeMode::Hard);
        other.request.kind = PurgeKind::Everything;
        assert!(other.is_fitting());
        other.author = gateway();
        assert!(!other.is_fitting());
    }

    #[test]
    fn the_bytes_are_fixed_for_good() {
        let order = |kind, author| SignedPurgeOrder {
            order: PurgeOrder {
                signed: SignedPurgeRequest {
                    request: PurgeRequest {
                        service: ServiceId(7),
                        kind,
                        mode: PurgeMode::Hard,
                        issued: Millis(5),
                        nonce: [1; 16],
                    },
                    author,
                },
                number: 9,
                after: 8,
                owner: DeviceId([3; 32]),
            },
            signature: Signature64([4; 64]),
        };
        let bytes = |kind: &[u8], author: &[u8]| {
            let mut bytes = Vec::new();
            bytes.extend(7u64.to_le_bytes());
            bytes.extend(kind);
            bytes.push(1);
            bytes.extend(5u64.to_le_bytes());
            bytes.extend([1; 16]);
            bytes.extend(author);
            bytes.extend([2; 64]);
            bytes.extend(9u64.to_le_bytes());
            bytes.extend(8u64.to_le_bytes());
            bytes.extend([3; 32]);
            bytes.extend([4; 64]);
            bytes
        };
        let signature = Signature64([2; 64]);
        for (customer, scheme) in [
            (CustomerSignature::Ed25519(signature), 0),
            (CustomerSignature::Sr25519(signature), 1),
        ] {
            let order = order(PurgeKind::Tag(b"ab".to_vec()), customer.into());
            assert_eq!(order.encode(), bytes(&[3, 8, b'a', b'b'], &[scheme]));
        }
        let keys = PurgeKind::Keys(InvalidKeys {
            bits: 64,
            keys: alloc::vec![(6, 0)],
            replaces: alloc::vec![5],
        });
        let mut kind = alloc::vec![5, 64, 4];
        kind.extend(6u64.to_le_bytes());
        kind.extend(0u64.to_le_bytes());
        kind.push(4);
        kind.extend(5u64.to_le_bytes());
        let mut author = alloc::vec![2];
        author.extend([8; 32]);
        let gateway = PurgeAuthor::Gateway(DeviceId([8; 32]), signature);
        assert_eq!(order(keys, gateway).encode(), bytes(&kind, &author));
    }
}
