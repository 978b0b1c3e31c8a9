//! State and apply: counts use, keeps it within its lease, signs it off and closes epochs.
//!
//! Reads no clock, opens no file and no socket: moments are arguments, and what must be kept or
//! sent is returned. Counters, journals and folders are in `selvedge-edge-drivers-meter`.
//!
//! ```text
//! gateway                                          cache
//!   Book      reserve, spend: charge <= lease
//!   Row       counts per (service, cache, slice)
//!   Issuer    cumulative vouchers  ------------->  Ledger   accept; bounds what is supplied unsigned
//!   Closing   leaves of an epoch   ------------->  Ledger   checks and signs them
//!   Closed    both usage trees: commitment, pages, invoices
//! ```
//!
//! A leaf that its cache did not sign, because it is gone or disagrees, stays in the trees with a
//! signature of zeros and under the name of the cache: the use took place and is charged, and
//! naming another cache or none would take the cache's share away without a trace. Who audits sees
//! the missing signature; the cache holds the vouchers.
//!
//! Invariant 1: the charge of a service in an epoch never exceeds its lease ([`Book`]).
//! Invariant 2: vouchers only grow, and no number is used twice for different contents
//! ([`Issuer`]).
//! Invariant 3: use is rounded once per leaf; a voucher's amount is the sum of the leaves' amounts.

#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

mod clock;
mod close;
mod closed;
mod count;
mod issue;
mod keccak;
mod lease;
mod ledger;
mod sign;

pub use clock::{may_forget, EpochClock};
pub use close::{Answered, CloseError, Closing};
pub use closed::{Closed, Invoice, Page, PAGE};
pub use count::{merge, totals_by_peer, CountKey, Counts, Pricing, Row, Totals};
pub use issue::Issuer;
pub use keccak::Keccak;
pub use lease::{Book, Denied, Reservation, Terms};
pub use ledger::{ExposureLimits, LeafRefusal, Ledger, VoucherError};
pub use sign::{sign_leaf, sign_voucher, verify_leaf, verify_voucher, voucher_digest};

pub use ed25519_dalek::SigningKey;
