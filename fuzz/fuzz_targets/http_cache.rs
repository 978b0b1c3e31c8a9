//! Plays arbitrary histories against the caching engine; the judge is the one of its own tests.

#![no_main]

#[path = "../../edge/core/http-cache/tests/it/history/mod.rs"]
mod history;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| history::play(bytes));
