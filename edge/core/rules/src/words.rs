//! The words of a document: each is checked when it is read, so that an error has its place.

use core::fmt::Display;
use core::marker::PhantomData;
use core::str::FromStr;

use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde::de::{Deserialize, Deserializer, Error as _, SeqAccess, Visitor};

use crate::Limits;

/// Something that is written as a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word<T>(pub T);

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(D::Error::custom)
    }
}

/// One text or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct List<T>(pub Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> core::ops::Deref for List<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor(PhantomData))
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: FromStr<Err: Display>> Visitor<'de> for ListVisitor<T> {
    type Value = List<T>;

    fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("a text, or a list of texts")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
        text.parse().map(|one| List(vec![one])).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Word(member)) = members.next_element()? {
            if list.len() >= Limits::LIST {
                let text = format!("more than {} members: write two rules", Limits::LIST);
                return Err(A::Error::custom(text));
            }
            list.push(member);
        }
        Ok(List(list))
    }
}

/// A time in whole seconds, written `90s`, `10m`, `12h` or `7d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Time(pub u32);

impl FromStr for Time {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str =
            "not a time: write a number and s, m, h or d, such as \"90s\" or \"7d\"";
        let unit = match text.as_bytes().last() {
            Some(b's') => 1,
            Some(b'm') => 60,
            Some(b'h') => 3_600,
            Some(b'd') => 86_400,
            _ => return Err(WRONG),
        };
        let digits = &text[..text.len() - 1];
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(WRONG);
        }
        let seconds = digits
            .parse::<u32>()
            .ok()
            .and_then(|number| number.checked_mul(unit));
        match seconds {
            Some(seconds) if seconds <= 366 * 86_400 => Ok(Self(seconds)),
            _ => Err("a time longer than a year: write \"366d\" at most"),
        }
    }
}

/// The seconds of a time as documents write it.
///
/// Errors: what is no time, or longer than a year.
pub fn seconds(text: &str) -> Result<u32, &'static str> {
    text.parse().map(|time: Time| time.0)
}

/// A method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MethodWord(pub Method);

impl FromStr for MethodWord {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "not a method: write it in capitals, such as \"GET\"";
        let method = Method::from_bytes(text.as_bytes()).map_err(|_| WRONG)?;
        let is_loud = text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte == b'-');
        is_loud.then_some(Self(method)).ok_or(WRONG)
    }
}

/// The name of a field, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FieldWord(pub String);

impl FieldWord {
    pub fn name(&self) -> Option<HeaderName> {
        HeaderName::from_bytes(self.0.as_bytes()).ok()
    }
}

impl FromStr for FieldWord {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = HeaderName::from_bytes(text.as_bytes())
            .map_err(|_| "not the name of a field: letters, digits and hyphens only")?;
        Ok(Self(name.as_str().to_owned()))
    }
}

/// The value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ValueWord(pub HeaderValue);

impl FromStr for ValueWord {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str =
            "not the value of a field: one line of at most 2,048 visible characters";
        let value = HeaderValue::from_str(text).map_err(|_| WRONG)?;
        (text.len() <= 2_048).then_some(Self(value)).ok_or(WRONG)
    }
}

/// Reads a status of a document.
pub(crate) fn status(number: u16, allowed: &[u16]) -> Result<StatusCode, String> {
    let listed = || {
        let all: Vec<String> = allowed.iter().map(u16::to_string).collect();
        all.join(", ")
    };
    match StatusCode::from_u16(number) {
        Ok(status) if allowed.contains(&number) => Ok(status),
        _ => Err(format!(
            "status {number} is not one for this: write one of {}",
            listed()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit_and_an_end() {
        for (text, seconds) in [
            ("0s", 0),
            ("90s", 90),
            ("2m", 120),
            ("12h", 43_200),
            ("366d", 31_622_400),
        ] {
            assert_eq!(text.parse(), Ok(Time(seconds)));
        }
        for text in [
            "",
            "s",
            "1",
            "1.5h",
            "-1s",
            "1w",
            "367d",
            "99999999999d",
            "1 h",
        ] {
            assert!(text.parse::<Time>().is_err(), "{text}");
        }
    }
}
