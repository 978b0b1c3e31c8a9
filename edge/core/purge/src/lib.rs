//! State + apply: keeps the purges of a service in order, and says which stored responses they leave
//! usable.
//!
//! Reads no clock, checks no signature and sends nothing: the caller has verified an order before it
//! comes here, and carries orders between nodes.
//!
//! - [`Book`]: what the purges say about a stored response: a [`Verdict`].
//! - [`Log`]: the orders behind a book, what is missing among them, and what two nodes must tell
//!   each other so that both have the same.
//! - [`Pending`] and [`Page`]: how what unsafe requests made invalid gets into few orders.
//! - [`PurgeSync`]: the words in which two nodes compare theirs.
//! - [`Tags`]: what a response says it may be purged by.
//!
//! Invariants
//! 1. A response whose fetch began before a purge that is about it is never [`Verdict::Current`]
//!    again, whatever is applied later and in whichever order.
//! 2. A book is bounded. What no longer fits becomes a purge of everything: too much may go, never
//!    too little.
//! 3. Whoever knows that an order exists that it does not have calls what may be under it
//!    [`Verdict::Doubtful`].

#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

mod book;
mod exchange;
mod invalid;
mod log;
mod tags;

pub use book::{Book, Floors, Limits, Verdict};
pub use exchange::{OrderPurge, PurgeHave, PurgeNews, PurgeSummary, PurgeSync};
pub use invalid::{key_id, Page, Pending};
pub use log::{Log, Offer, Summary};
pub use tags::{tag_id, Tags, TAG_FIELDS};
