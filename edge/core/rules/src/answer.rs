//! Answers that the rules give by themselves.

use http::{HeaderMap, StatusCode};

/// An answer without asking anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Fields.
    pub headers: HeaderMap,
    /// Body.
    pub body: String,
    /// What led to it.
    pub why: Why,
}

/// Which kind of rule answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// A redirect.
    Redirect,
    /// A rule that denies.
    Denied,
    /// A page of another site links here.
    Hotlink,
    /// A signed address without a signature that counts.
    Unsigned,
    /// More requests than a client may send.
    Limited,
    /// A question of a browser about other sites (the CORS preflight).
    Preflight,
    /// A text of the document.
    Page,
}

impl Why {
    /// A short name in lower case, the same in logs and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Redirect => "rules-redirect",
            Self::Denied => "rules-denied",
            Self::Hotlink => "rules-hotlink",
            Self::Unsigned => "rules-unsigned",
            Self::Limited => "rules-limited",
            Self::Preflight => "rules-preflight",
            Self::Page => "rules-page",
        }
    }
}
