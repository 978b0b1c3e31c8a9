//! Books and logs against a naive model.

mod book;
mod log;
mod vectors;
