//! Customers' rules: which document is in force for a service, and what it makes of requests.
//!
//! ```text
//! chain: root --> task: kept file, then owners --> parsed --> in force, kept
//!                                                     '-> not parsed: the one before stays, and why
//! request --> plan --> own answer -----------------------------------------> visitor
//!                  '-> changed request --> the ordinary way --> finished ---^
//! ```
//!
//! A service that names rules is not served without any: where this gateway has never had one of its
//! documents, visitors are told to come back.

mod book;
mod compress;
mod finish;
mod load;
mod prefetch;
mod ruled;
mod servers;
mod signing;

pub(crate) use book::Book;
pub(crate) use compress::Coded;
pub(crate) use finish::own_page;
pub(crate) use load::run;
pub(crate) use ruled::Planned;
pub(crate) use servers::{look, Servers};
