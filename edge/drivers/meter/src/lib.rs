//! Keeps counters, vouchers and leaves in shared mappings and journals.
//!
//! Holds no rule: leases, vouchers, leaves and trees are those of `selvedge-edge-core-metering`.
//! Calls block, some on a disk: an asynchronous caller makes `set_epoch`, `tick`, `closing`,
//! `close`, `closed` and `forget` in `spawn_blocking`. Counting writes to memory; only the first
//! count of every 4,096th new (service, peer, slice) waits for the disk.
//!
//! ```text
//! lock                            locked while a process has the folder open
//! owner                           "SLVGOWN1" ‖ device 32 ‖ genesis hash 32
//! vouchers.journal                records, see below
//! epoch-<n>.<segment>.counts      counters of an epoch that is not closed
//! epoch-<n>.leaves                leaves of a closed epoch
//! done                            epochs the chain is done with, each with the epoch that was heard in
//! <name>.new                      a file that is being written
//!
//! counts    0 "SLVGCNT2" ‖ epoch u64 ‖ slots u64 ‖ device 32 ‖ blake3 of these, zeros to 4096
//!           4096 slots of 272 bytes, as 34 words:
//!               0      mark: first word of the blake3 of words 1 to 16, 0 while the slot is free
//!               1      service
//!               2      slice, price version << 32
//!               3-6    peer: cache at a gateway, gateway at a cache
//!               7-10   customer
//!               11-16  prices
//!               17-22  paid usage       23-28  free usage
//!               29     answered         30     failed      31  sum of times to first byte, µs
//!               32     paid octets ahead                   33  free octets ahead
//! journal   "SLVGVCH1", then records: length u32 ‖ first 8 bytes of blake3 of the payload ‖ payload;
//!           a payload is the SCALE form of a signed voucher
//! done      "SLVGDON1" ‖ SCALE of a map from epoch to epoch
//! leaves    "SLVGLVS1" ‖ epoch u64 ‖ device 32 ‖ SCALE(leaves) ‖ blake3 of all before
//! ```
//!
//! All numbers are little-endian.
//!
//! **What a crash leaves.** `kill -9` loses nothing counted: the counters live in pages that the
//! kernel owns, and each is raised by one atomic addition. A slot's key is written before its mark,
//! and counted in after it; a slot whose mark does not fit its key was never counted in. Octets
//! ahead are those that were sent and whose arrival is not known yet ([`Tally::ahead`]): a process
//! that ends by itself counts or drops each of them, and after a `kill -9` the next one counts what
//! is left, because the system goes on sending for the dead. A loss of power takes at most what was counted since the last [`GatewayMeter::tick`], in the customer's
//! favour. A voucher is on the disk before it is sent, and one fdatasync covers all of an interval;
//! a torn record at the journal's end was never sent and is cut off. Files appear whole: they are
//! written beside, synced and renamed. An epoch's leaves are on the disk before its counters are
//! removed; at a start with both, the counters go. Leaves once written never change.

#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

#[cfg(target_endian = "big")]
compile_error!("the counters are little-endian words that are added to in place");

mod cache;
mod counts;
mod done;
mod error;
mod folder;
mod gateway;
mod journal;
mod leaves;
mod segment;
mod tally;

pub use cache::CacheMeter;
pub use error::MeterError;
pub use gateway::GatewayMeter;
pub use tally::Tally;

pub use selvedge_edge_core_metering as rules;
