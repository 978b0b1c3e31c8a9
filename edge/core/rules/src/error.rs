//! Why a document is not taken, and why a request is not answered by one.

use core::fmt;

/// Why a document is not taken: where, what, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {reason}")]
pub struct Error {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in characters.
    pub column: usize,
    /// What is wrong there and what would be right.
    pub reason: String,
}

impl Error {
    /// What is wrong at an octet of the document.
    pub(crate) fn at(text: &str, offset: usize, reason: impl fmt::Display) -> Self {
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &text[..offset];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            reason: reason.to_string(),
        }
    }
}

/// Why the rules do not say what a request gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Overrun {
    /// The patterns would need more steps than a request may take.
    #[error("matching the rules takes too many steps for a path of this length")]
    Steps,
    /// The visitor would be sent round in a circle.
    #[error("the rules redirect this address in a circle")]
    Circle,
    /// What a rule makes of the path is no path.
    #[error("a rule makes a path of this address that is not valid")]
    Path,
}
