//! Counting, restarting, closing, and `kill -9` in the midst of each.

mod cache;
mod folder;
mod gateway;
mod kill;
mod testkit;
