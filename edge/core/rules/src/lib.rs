//! Decision: says what a customer's rules make of a request, and of the answer to it.
//!
//! Holds no bytes, opens no socket and reads no clock: the caller passes heads and moments and obeys
//! what comes back. A document is read once, into the form that requests are matched against; what
//! cannot be obeyed is refused then, with the line and column.
//!
//! | Step | Call | Then |
//! |---|---|---|
//! | a document came | [`Rules::parse`] | keep it, or keep the one before and say why |
//! | a request came | [`Rules::plan`] | [`Plan::answer`] is sent at once; else ask for [`Plan::target`] with [`Plan::fields`] |
//! | the origin answered | [`Plan::on_origin`] | decide with these fields whether it is stored |
//! | the answer leaves | [`Plan::on_answer`] | send it |
//!
//! Every rule whose conditions hold applies, in the order of the document: what a later one sets
//! counts, edits of fields add up, and the first one that answers by itself ends it.
//!
//! Invariants
//! 1. Conditions look at what the visitor sent, never at what a rule made of it: nothing is matched
//!    twice, so rewriting ends.
//! 2. What chooses between answers of one address is part of its key: fields that rules set, cookies
//!    that count, the origin that is asked.
//! 3. What does not count in the key is not sent when an answer is fetched for everybody.
//! 4. No rule touches framing, the connection, or what the network itself says of a message.
//! 5. No document takes more memory, and no request more steps, than [`Limits`] says.

#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

mod answer;
mod coding;
mod condition;
mod cors;
mod document;
mod edit;
mod error;
mod key;
mod limiter;
mod loops;
mod origins;
mod pattern;
mod plan;
mod request;
mod signed;
mod store;
mod template;
mod words;

pub use answer::{Answer, Why};
pub use document::{Coding, Compression, Rules};
pub use error::{Error, Overrun};
pub use limiter::{Limiter, Rate};
pub use origins::{Health, Origin};
pub use plan::{Plan, RateMeter, Unmetered};
pub use request::Request;
pub use signed::{sign_cookie, sign_url, Grant, SignError};
pub use store::Store;
pub use words::seconds;

/// The field that carries, between nodes only, what of a request counts beside its address.
pub const KEY_FIELD: &str = "selvedge-key";

/// What a document and a request may take.
pub struct Limits;

impl Limits {
    /// Octets of a document.
    pub const DOCUMENT: usize = 64 * 1024;
    /// Rules.
    pub const RULES: usize = 256;
    /// Members of one list.
    pub const LIST: usize = 64;
    /// Patterns that need a regular expression: `path_regex`, and globs that are neither one path nor
    /// a beginning nor an end.
    pub const EXPRESSIONS: usize = 64;
    /// Octets of one pattern.
    pub const PATTERN: usize = 256;
    /// Octets of a compiled expression.
    pub const EXPRESSION: usize = 32 * 1024;
    /// Octets of a path that rules are matched against.
    pub const PATH: usize = 8 * 1024;
    /// Octets of a path times octets of a pattern, over all expressions that one request is matched
    /// against.
    pub const STEPS: usize = 4 << 20;
    /// Octets of the values that count in a key beside the address.
    pub const KEYED: usize = 1_024;
    /// Octets of a text in a document that visitors get.
    pub const TEXT: usize = 16 * 1024;
    /// Rules that want a signature: verifying is what costs most.
    pub const SIGNED: usize = 8;
    /// Redirects that may follow each other.
    pub const HOPS: usize = 8;
    /// Fields whose values count in keys.
    pub const KEY_FIELDS: usize = 8;
}
