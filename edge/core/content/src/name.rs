//! One component of a path.

use std::borrow::Borrow;
use std::fmt;

use crate::walk::PathError;

/// The most octets of a name.
pub const MAX_NAME: usize = 255;

/// Why something is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// It has no octets.
    #[error("a name is empty")]
    Empty,
    /// It has more than [`MAX_NAME`] octets.
    #[error("a name has {0} octets, and at most {MAX_NAME} are allowed")]
    TooLong(usize),
    /// It is `.` or `..`, which name other folders.
    #[error("`.` and `..` are no names")]
    Dots,
    /// It has a character that separates names or controls what prints it.
    #[error("a name has the character {0:?}, which is not allowed")]
    Character(char),
    /// It is not UTF-8.
    #[error("a name is not UTF-8")]
    NotUtf8,
}

/// One component of a path: 1 to [`MAX_NAME`] octets of UTF-8 without `/` and control characters, and neither
/// `.` nor `..`. Names are ordered by their octets and told apart by them: nothing is normalised.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// Checks a component.
    pub fn new(name: &str) -> Result<Self, NameError> {
        // The length first: a name of a megabyte costs nothing.
        match name {
            "" => Err(NameError::Empty),
            _ if name.len() > MAX_NAME => Err(NameError::TooLong(name.len())),
            "." | ".." => Err(NameError::Dots),
            _ => match name.chars().find(|c| *c == '/' || c.is_control()) {
                Some(character) => Err(NameError::Character(character)),
                None => Ok(Self(name.to_owned())),
            },
        }
    }

    /// Checks a component that may not even be UTF-8.
    pub fn from_octets(name: &[u8]) -> Result<Self, NameError> {
        if name.len() > MAX_NAME {
            return Err(NameError::TooLong(name.len()));
        }
        Self::new(std::str::from_utf8(name).map_err(|_| NameError::NotUtf8)?)
    }

    /// Checks a component of a URL's path (RFC 3986 §2.1). What is escaped is data: an escaped `/` separates nothing,
    /// and is refused as a part of the name.
    pub fn from_escaped(part: &str) -> Result<Self, PathError> {
        // Three octets to one at most: a name of a megabyte costs nothing here either.
        if part.len() > 3 * MAX_NAME {
            return Err(NameError::TooLong(part.len() / 3).into());
        }
        let mut octets = Vec::with_capacity(part.len());
        let mut rest = part.bytes();
        while let Some(octet) = rest.next() {
            if octet != b'%' {
                octets.push(octet);
                continue;
            }
            let mut digit = || {
                let digit = rest.next().map(char::from)?;
                digit.to_digit(16).map(|value| value as u8)
            };
            let (high, low) = (digit(), digit());
            octets.push(16 * high.ok_or(PathError::Escape)? + low.ok_or(PathError::Escape)?);
        }
        Ok(Self::from_octets(&octets)?)
    }

    /// It as a component of a URL's path: whatever is not unreserved (RFC 3986 §2.3) is escaped.
    pub fn to_escaped(&self) -> String {
        let mut escaped = String::with_capacity(self.0.len());
        for octet in self.0.bytes() {
            match octet {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    escaped.push(octet.into());
                }
                _ => escaped.push_str(&format!("%{octet:02X}")),
            }
        }
        escaped
    }

    /// Its characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_in_its_folder() {
        for name in [
            "a",
            "...",
            ".well-known",
            "größe.txt",
            "a b",
            "-",
            "~",
            "C:",
        ] {
            assert_eq!(Name::new(name).unwrap().as_str(), name);
        }
        assert_eq!(Name::new(""), Err(NameError::Empty));
        for name in [".", ".."] {
            assert_eq!(Name::new(name), Err(NameError::Dots));
        }
        for (name, character) in [
            ("../x", '/'),
            ("/", '/'),
            ("a\0", '\0'),
            ("a\nb", '\n'),
            ("a\u{7f}", '\u{7f}'),
            ("a\u{85}", '\u{85}'),
        ] {
            assert_eq!(Name::new(name), Err(NameError::Character(character)));
        }
        assert_eq!(Name::from_octets(b"a\xff"), Err(NameError::NotUtf8));
    }

    #[test]
    fn what_is_escaped_is_read_back() {
        for (name, escaped) in [
            ("a-b_c.d~", "a-b_c.d~"),
            ("a b", "a%20b"),
            ("50%", "50%25"),
            ("größe?", "gr%C3%B6%C3%9Fe%3F"),
        ] {
            let name = Name::new(name).unwrap();
            assert_eq!(name.to_escaped(), escaped);
            assert_eq!(Name::from_escaped(escaped), Ok(name));
        }
        let longest = Name::new(&"%".repeat(MAX_NAME)).unwrap();
        assert_eq!(Name::from_escaped(&longest.to_escaped()), Ok(longest));
        let long = "%25".repeat(MAX_NAME) + "a";
        assert!(Name::from_escaped(&long).is_err());
    }

    #[test]
    fn a_name_has_a_length() {
        assert!(Name::new(&"a".repeat(MAX_NAME)).is_ok());
        for length in [MAX_NAME + 1, 1 << 20] {
            let name = "a".repeat(length);
            assert_eq!(Name::new(&name), Err(NameError::TooLong(length)));
            let octets = vec![0xff; length];
            assert_eq!(Name::from_octets(&octets), Err(NameError::TooLong(length)));
        }
    }
}
