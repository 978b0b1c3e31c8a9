//! What a publisher says of its own bytes: `Repr-Digest` (RFC 9530 §3).
//!
//! The first fetch of a body that nobody has named yet rests on the word of the gateway that fetched it. Where the origin
//! states a digest, that word is checked against it before anything is signed.

use sfv::{BareItem, Dictionary, ListEntry, Parser, Version};
use sha2::{Digest as _, Sha256, Sha512};

/// Name of the field, in lower case.
pub const REPR_DIGEST: &str = "repr-digest";

/// The bytes are not those that the publisher's digest names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the body does not match the origin's Repr-Digest ({algorithm})")]
pub struct WrongDigest {
    /// The algorithm, as RFC 9530 §5 names it.
    pub algorithm: &'static str,
}

/// A digest that a body has to match.
#[derive(Clone, Debug)]
pub struct PublisherDigest {
    expected: Vec<u8>,
    seen: Seen,
}

#[derive(Clone, Debug)]
enum Seen {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl PublisherDigest {
    /// The strongest digest in the lines of a `Repr-Digest` field; `None` where there is none of an algorithm that
    /// counts (RFC 9530 §5: `sha-512`, `sha-256`), or the field cannot be read and so is as good as absent (RFC 9651 §4.2).
    pub fn read<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Option<Self> {
        let text = lines.into_iter().collect::<Vec<_>>().join(&b", "[..]);
        let members: Dictionary = Parser::new(&text)
            .with_version(Version::Rfc8941)
            .parse()
            .ok()?;
        let of = |name| match members.get::<str>(name)? {
            ListEntry::Item(item) => match &item.bare_item {
                BareItem::ByteSequence(bytes) => Some(bytes.clone()),
                _ => None,
            },
            ListEntry::InnerList(_) => None,
        };
        let strong = of("sha-512").map(|expected| (expected, Seen::Sha512(Sha512::new())));
        let (expected, seen) = strong
            .or_else(|| of("sha-256").map(|expected| (expected, Seen::Sha256(Sha256::new()))))?;
        Some(Self { expected, seen })
    }

    /// Takes the next bytes of the body.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.seen {
            Seen::Sha256(hasher) => hasher.update(bytes),
            Seen::Sha512(hasher) => hasher.update(bytes),
        }
    }

    /// Checks the body at its end.
    ///
    /// Errors: [`WrongDigest`].
    pub fn finish(self) -> Result<(), WrongDigest> {
        let (algorithm, found) = match self.seen {
            Seen::Sha256(hasher) => ("sha-256", hasher.finalize().to_vec()),
            Seen::Sha512(hasher) => ("sha-512", hasher.finalize().to_vec()),
        };
        if found == self.expected {
            Ok(())
        } else {
            Err(WrongDigest { algorithm })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // RFC 9530 Appendix B.1: `{"hello": "world"}` and a line feed.
    const BODY: &[u8] = b"{\"hello\": \"world\"}\n";
    const SHA_256: &str = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";
    const SHA_512: &str = "sha-512=:YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCsyRZOtw8MjkM7iw7yZ/WkppmM44T3qg==:";

    fn check(lines: &[&str], body: &[u8]) -> Option<Result<(), WrongDigest>> {
        let mut digest = PublisherDigest::read(lines.iter().map(|line| line.as_bytes()))?;
        for piece in body.chunks(7) {
            digest.update(piece);
        }
        Some(digest.finish())
    }

    #[test]
    fn rfc_9530_b1_a_body_matches_its_digest() {
        for field in [SHA_256, SHA_512] {
            assert_eq!(check(&[field], BODY), Some(Ok(())), "{field}");
        }
    }

    #[test]
    fn the_strongest_digest_counts_wherever_it_stands() {
        let wrong = "sha-512=:AAAA:";
        let refused = Some(Err(WrongDigest {
            algorithm: "sha-512",
        }));
        assert_eq!(check(&[SHA_256, wrong], BODY), refused);
        assert_eq!(check(&[wrong, SHA_256], BODY), refused);
        assert_eq!(check(&["sha-256=:AAAA:", SHA_512], BODY), Some(Ok(())));
    }

    #[test]
    fn what_cannot_be_read_or_is_of_another_algorithm_is_no_digest() {
        for field in [
            "",
            "md5=:AAAA:",
            "sha-256",
            "sha-256=1",
            "sha-256=:AAAA",
            "sha-256=(:AAAA:)",
            "sha-256=@1",
        ] {
            assert_eq!(check(&[field], BODY), None, "{field}");
        }
    }

    proptest! {
        #[test]
        fn any_other_body_is_refused(at in 0..BODY.len(), bit in 0u8..8, short in 0..BODY.len()) {
            let mut other = BODY.to_vec();
            other[at] ^= 1u8 << bit;
            for body in [&other, &BODY[..short]] {
                prop_assert!(check(&[SHA_256], body).unwrap().is_err());
                prop_assert!(check(&[SHA_512], body).unwrap().is_err());
            }
        }
    }
}
