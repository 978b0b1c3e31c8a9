//! A store on a real disk: what survives, what leaves, what is refused.

mod concurrency;
mod crash;
mod decay;
mod disk_full;
mod quota;
mod roundtrip;
mod shelf;
mod testkit;
