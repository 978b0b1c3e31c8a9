//! Tags: names that an origin gives a response so that many can be purged by one of them.

use http::{HeaderMap, HeaderName};

/// The response fields that tags are read from, and that no visitor gets.
pub const TAG_FIELDS: [HeaderName; 2] = [
    HeaderName::from_static("cache-tag"),
    HeaderName::from_static("surrogate-key"),
];
/// Tags of one response that are told apart; one with more has every tag.
const MAX_TAGS: usize = 256;
/// Bytes of a tag; a longer one stands for every tag.
const MAX_TAG: usize = 1_024;

/// The tags of a response: 8 bytes each. Two tags may share them, once in 2^64 pairs; then a purge
/// takes too much.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags {
    ids: Box<[u64]>,
    has_all: bool,
}

/// What stands for a tag.
pub fn tag_id(tag: &[u8]) -> u64 {
    let mut id = [0; 8];
    id.copy_from_slice(&blake3::hash(tag).as_bytes()[..8]);
    u64::from_le_bytes(id)
}

impl Tags {
    /// The tags in a response's fields.
    pub fn of(headers: &HeaderMap) -> Self {
        let [cache_tag, surrogate_key] = &TAG_FIELDS;
        let values = |name| headers.get_all(name).iter().map(|value| value.as_bytes());
        Self::read(values(cache_tag), values(surrogate_key))
    }

    /// Reads the values of `Cache-Tag`, separated by commas, and of `Surrogate-Key`, separated by
    /// spaces. Tags are told apart by case.
    pub fn read<'a>(
        cache_tag: impl IntoIterator<Item = &'a [u8]>,
        surrogate_key: impl IntoIterator<Item = &'a [u8]>,
    ) -> Self {
        let by_comma = cache_tag
            .into_iter()
            .flat_map(|value| value.split(|byte| *byte == b','));
        let by_space = surrogate_key
            .into_iter()
            .flat_map(|value| value.split(|byte| matches!(byte, b' ' | b'\t')));
        let (mut ids, mut has_all) = (Vec::new(), false);
        let tags = by_comma.chain(by_space).map(<[u8]>::trim_ascii);
        for tag in tags.filter(|tag| !tag.is_empty()) {
            if tag.len() > MAX_TAG || ids.len() == MAX_TAGS {
                has_all = true;
                break;
            }
            let id = tag_id(tag);
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        Self {
            ids: if has_all { Box::default() } else { ids.into() },
            has_all,
        }
    }

    /// What stands for each tag.
    pub fn ids(&self) -> &[u64] {
        &self.ids
    }

    /// Whether it counts as having every tag.
    pub fn has_all(&self) -> bool {
        self.has_all
    }

    /// Memory that it takes beyond itself, in bytes.
    pub fn size(&self) -> usize {
        self.ids.len() * 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(tags: &[&str]) -> Vec<u64> {
        tags.iter().map(|tag| tag_id(tag.as_bytes())).collect()
    }

    #[test]
    fn tags_are_read_as_their_fields_separate_them() {
        let tags = Tags::read(
            [&b"one, two words ,,\ttwo words"[..], b"three"],
            [&b" four  five one"[..]],
        );
        assert_eq!(
            tags.ids(),
            ids(&["one", "two words", "three", "four", "five"])
        );
        assert!(!tags.has_all());
        assert_eq!(Tags::read([], []), Tags::default());
    }

    #[test]
    fn more_tags_than_are_told_apart_are_all_tags() {
        let many: Vec<String> = (0..=MAX_TAGS).map(|n| n.to_string()).collect();
        let fits = many[..MAX_TAGS].join(",");
        assert_eq!(Tags::read([fits.as_bytes()], []).ids().len(), MAX_TAGS);
        let too_many = many.join(",");
        let long = "x".repeat(MAX_TAG + 1);
        for value in [too_many, long] {
            let tags = Tags::read([value.as_bytes()], []);
            assert!(tags.has_all() && tags.ids().is_empty());
        }
    }
}
