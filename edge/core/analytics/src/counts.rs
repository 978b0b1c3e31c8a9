//! What was counted in some period.

use crate::{Histogram, Source, StatusClass};

pub(crate) const SOURCES: usize = Source::ALL.len();
pub(crate) const CLASSES: usize = StatusClass::ALL.len();

/// Answers of some period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub(crate) requests: [[u64; CLASSES]; SOURCES],
    pub(crate) bytes: [u64; SOURCES],
    /// Microseconds from a request's head to its answer's.
    pub first_byte: Histogram,
}

impl Counts {
    /// Adds others.
    pub fn merge(&mut self, other: &Self) {
        let mine = self.requests.as_flattened_mut().iter_mut();
        for (mine, theirs) in mine.zip(other.requests.as_flattened()) {
            *mine += theirs;
        }
        for (mine, theirs) in self.bytes.iter_mut().zip(&other.bytes) {
            *mine += theirs;
        }
        self.first_byte.merge(&other.first_byte);
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.requests() == 0 && self.bytes() == 0
    }

    /// Answers.
    pub fn requests(&self) -> u64 {
        self.requests.as_flattened().iter().sum()
    }

    /// Answers from a source.
    pub fn from_source(&self, source: Source) -> u64 {
        self.requests[source.index()].iter().sum()
    }

    /// Answers of a class.
    pub fn of_class(&self, class: StatusClass) -> u64 {
        self.requests
            .iter()
            .map(|classes| classes[class.index()])
            .sum()
    }

    /// Body bytes to visitors, as charged.
    pub fn bytes(&self) -> u64 {
        self.bytes.iter().sum()
    }

    /// Of [`Self::bytes`], those of a source.
    pub fn bytes_from(&self, source: Source) -> u64 {
        self.bytes[source.index()]
    }

    /// The share of answers for which the origin was not asked, of all answers that the gateway did
    /// not give by itself. `None` where there were none.
    pub fn hit_ratio(&self) -> Option<f64> {
        let own = self.from_source(Source::Own);
        ratio(
            Source::ALL.map(|source| (source, self.from_source(source))),
            own,
        )
    }

    /// The same of bytes.
    pub fn byte_hit_ratio(&self) -> Option<f64> {
        let own = self.bytes_from(Source::Own);
        ratio(
            Source::ALL.map(|source| (source, self.bytes_from(source))),
            own,
        )
    }
}

fn ratio(amounts: [(Source, u64); SOURCES], own: u64) -> Option<f64> {
    let all: u64 = amounts.iter().map(|(_, amount)| amount).sum();
    let hits = amounts.iter().filter(|(source, _)| source.is_hit());
    let hits: u64 = hits.map(|(_, amount)| amount).sum();
    (all > own).then(|| hits as f64 / (all - own) as f64)
}
