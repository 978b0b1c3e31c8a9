//! What a customer signs for the data plane, with the key of the account that pays.
//!
//! A daemon checks it against `ServiceConfig::customer`; the chain never sees it. A wallet signs the bytes of
//! [`Domain::message`](crate::Domain::message) raw; what it puts around them by itself
//! ([`wrapped`]) counts as well.

use alloc::vec::Vec;
use codec::{Decode, Encode};

use crate::{Millis, ServiceId, Signature64};

/// A signature of an account that is a public key of one of these schemes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum CustomerSignature {
    /// ed25519.
    #[codec(index = 0)]
    Ed25519(Signature64),
    /// sr25519, in the signing context `substrate`.
    #[codec(index = 1)]
    Sr25519(Signature64),
}

/// What wallets sign in place of a message that a page gave them: never a bare one, which could be a transaction.
pub fn wrapped(message: &[u8]) -> Vec<u8> {
    [b"<Bytes>", message, b"</Bytes>"].concat()
}

/// What a [`ReadToken`] opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum ReadScope {
    /// Figures of the service.
    #[codec(index = 0)]
    Analytics,
    /// Its access log.
    #[codec(index = 1)]
    Logs,
    /// How a URL of it would be answered, and why.
    #[codec(index = 2)]
    Explain,
}

/// Lets its bearer read about a service for a short time: [`crate::Domain::ReadToken`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ReadToken {
    /// The service.
    pub service: ServiceId,
    /// What may be read.
    pub scope: ReadScope,
    /// Until when; at most [`ReadToken::LONGEST`] ahead.
    pub expires: Millis,
}

impl ReadToken {
    /// How far ahead a token may end, in milliseconds.
    pub const LONGEST: Millis = Millis(15 * 60 * 1000);

    /// Whether it counts at this moment.
    pub fn is_valid(&self, now: Millis) -> bool {
        is_timely(self.expires, now)
    }
}

/// Of every token: it has not ended, and does not end too far ahead.
fn is_timely(expires: Millis, now: Millis) -> bool {
    now < expires && expires.0.saturating_sub(now.0) <= ReadToken::LONGEST.0
}

/// A read token as it is shown: `Authorization: Selvedge ` and its SCALE form in hex.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SignedReadToken {
    /// The token.
    pub token: ReadToken,
    /// The customer's signature.
    pub signature: CustomerSignature,
}

/// Lets its bearer put content into the network for a service, for a short time: [`crate::Domain::PublishToken`].
/// What is put is dropped again unless the service pins it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct PublishToken {
    /// The service.
    pub service: ServiceId,
    /// Until when; at most [`ReadToken::LONGEST`] ahead.
    pub expires: Millis,
}

impl PublishToken {
    /// Whether it counts at this moment.
    pub fn is_valid(&self, now: Millis) -> bool {
        is_timely(self.expires, now)
    }
}

/// A publish token as it is shown: in the way of a [`SignedReadToken`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SignedPublishToken {
    /// The token.
    pub token: PublishToken,
    /// The customer's signature.
    pub signature: CustomerSignature,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_counts_until_it_ends_and_never_for_long() {
        let token = ReadToken {
            service: ServiceId(1),
            scope: ReadScope::Logs,
            expires: Millis(1_000_000),
        };
        assert!(token.is_valid(Millis(999_999)));
        assert!(!token.is_valid(Millis(1_000_000)));
        assert!(token.is_valid(Millis(100_000)));
        assert!(!token.is_valid(Millis(99_999)));
        let (service, expires) = (token.service, token.expires);
        let token = PublishToken { service, expires };
        for (now, counts) in [(999_999, true), (1_000_000, false), (99_999, false)] {
            assert_eq!(token.is_valid(Millis(now)), counts);
        }
    }

    #[test]
    fn the_bytes_are_fixed_for_good() {
        let signed = SignedReadToken {
            token: ReadToken {
                service: ServiceId(7),
                scope: ReadScope::Explain,
                expires: Millis(9),
            },
            signature: CustomerSignature::Sr25519(Signature64([3; 64])),
        };
        let mut expected = [0; 17].to_vec();
        (expected[0], expected[8], expected[9]) = (7, 2, 9);
        expected.push(1);
        expected.extend([3; 64]);
        assert_eq!(signed.encode(), expected);
    }
}
