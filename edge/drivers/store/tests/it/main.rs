//! A store on a real disk: what survives, what leaves, what is refused.

mod clean;
mod concurrency;
mod content;
mod crash;
mod decay;
mod disk_full;
mod migrate;
mod quota;
mod roundtrip;
mod shelf;
mod testkit;
