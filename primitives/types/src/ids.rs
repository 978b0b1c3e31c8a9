//! Ids and units. Each is its own type, so that two of them cannot be mixed up.

use codec::{CompactAs, Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// A 256-bit digest.
pub type Hash = [u8; 32];

/// Hash of the chain's first block: every signed payload binds it, so that nothing signed for one network counts on
/// another.
pub type GenesisHash = [u8; 32];

/// An amount of the token in its smallest unit; 10^12 planck are one SEL.
pub type Planck = u128;

macro_rules! bytes32 {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode, DecodeWithMemTracking,
            MaxEncodedLen, TypeInfo,
        )]
        pub struct $name(pub [u8; 32]);

        #[cfg(feature = "serde")]
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        #[cfg(feature = "serde")]
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(text::Hex32).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("0x")?;
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl From<[u8; 32]> for $name {
            fn from(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }
        }

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }
    };
}

bytes32! {
    /// A device: its ed25519 public key. All zeros is no device.
    DeviceId
}

bytes32! {
    /// An account: the 32 bytes of an `AccountId32`.
    Account
}

impl DeviceId {
    /// Whether this is the all-zero id, which stands for "no device" in tree keys and names nobody.
    pub fn is_none(&self) -> bool {
        self.0 == [0; 32]
    }
}

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode, DecodeWithMemTracking,
            CompactAs, MaxEncodedLen, TypeInfo,
        )]
        #[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number! {
    /// A customer's service, numbered from zero in order of registration.
    ServiceId(u64)
}

number! {
    /// A stake, numbered from zero in order of creation.
    StakeId(u64)
}

number! {
    /// A usage epoch: `floor((now - genesis) / length)` of block timestamps. Never a BABE epoch.
    Epoch(u64)
}

number! {
    /// An era: a fixed number of usage epochs.
    Era(u64)
}

number! {
    /// A sixtieth of an epoch, 0 to 59.
    Slice(u16)
}

number! {
    /// Milliseconds; as a moment, since the Unix epoch.
    Millis(u64)
}

impl Epoch {
    /// The epoch after this one.
    pub fn next(self) -> Self {
        self.plus(1)
    }

    /// The epoch `count` after this one, saturating.
    pub fn plus(self, count: u64) -> Self {
        Self(self.0.saturating_add(count))
    }

    /// The epoch `count` before this one, or epoch 0.
    pub fn minus(self, count: u64) -> Self {
        Self(self.0.saturating_sub(count))
    }

    /// How many epochs lie between `earlier` and this one; 0 when `earlier` is later.
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl Slice {
    /// Slices in an epoch.
    pub const PER_EPOCH: u16 = 60;

    /// Whether the slice lies inside an epoch.
    pub fn is_valid(self) -> bool {
        self.0 < Self::PER_EPOCH
    }
}

/// A region: up to eight ASCII characters, padded with zeros, such as `eu-west`.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Region(pub [u8; 8]);

impl Region {
    /// Reads a region from text.
    ///
    /// Returns `None` unless it has one to eight characters out of `a-z`, `0-9` and `-`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 8];
        bytes
            .get_mut(..text.len())?
            .copy_from_slice(text.as_bytes());
        let region = Self(bytes);
        region.is_valid().then_some(region)
    }

    /// Whether the bytes are a region that [`Region::parse`] would have made.
    pub fn is_valid(&self) -> bool {
        let name = self.name();
        !name.is_empty()
            && self.0[name.len()..].iter().all(|byte| *byte == 0)
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    }

    /// The region's name without padding; empty when the bytes are not text.
    pub fn name(&self) -> &str {
        let end = self
            .0
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(self.0.len());
        core::str::from_utf8(&self.0[..end]).unwrap_or_default()
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Region({})", self.name())
    }
}

#[cfg(feature = "serde")]
impl Serialize for Region {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> Deserialize<'de> for Region {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(text::RegionName)
    }
}

/// Reads ids from text: genesis files and configurations are written by people.
#[cfg(feature = "serde")]
mod text {
    use super::Region;
    use core::fmt;
    use serde::de::{Error, Visitor};

    pub(super) struct Hex32;

    impl Visitor<'_> for Hex32 {
        type Value = [u8; 32];

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("0x and 64 hex digits")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            let invalid = || E::invalid_value(serde::de::Unexpected::Str(text), &self);
            let digits = text.strip_prefix("0x").ok_or_else(invalid)?.as_bytes();
            if digits.len() != 64 {
                return Err(invalid());
            }
            let mut bytes = [0; 32];
            for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
                let value = |digit: u8| char::from(digit).to_digit(16).ok_or_else(invalid);
                *byte = (value(pair[0])? << 4 | value(pair[1])?) as u8;
            }
            Ok(bytes)
        }
    }

    pub(super) struct RegionName;

    impl Visitor<'_> for RegionName {
        type Value = Region;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("one to eight of a-z, 0-9 and -")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Region, E> {
            Region::parse(text)
                .ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_one_to_eight_plain_characters() {
        assert_eq!(
            Region::parse("eu-west").map(|region| region.name().len()),
            Some(7)
        );
        assert!(Region::parse("us-east1").is_some());
        for bad in ["", "EU", "eu west", "eu-west-12", "eu\0west"] {
            assert_eq!(Region::parse(bad), None, "{bad:?}");
        }
        assert!(!Region(*b"eu\0west\0").is_valid());
    }

    #[cfg(feature = "serde")]
    #[test]
    fn ids_are_text_to_people() {
        let device = DeviceId([0xab; 32]);
        let text = serde_json::to_string(&device).unwrap();
        assert_eq!(text, format!("\"0x{}\"", "ab".repeat(32)));
        assert_eq!(serde_json::from_str::<DeviceId>(&text).unwrap(), device);
        assert_eq!(
            serde_json::from_str::<Region>("\"eu-west\"").unwrap(),
            Region::parse("eu-west").unwrap()
        );
        for bad in ["\"0x12\"", "\"abcd\"", "7"] {
            assert!(serde_json::from_str::<DeviceId>(bad).is_err(), "{bad}");
        }
        assert!(serde_json::from_str::<Region>("\"EU\"").is_err());
    }
}
