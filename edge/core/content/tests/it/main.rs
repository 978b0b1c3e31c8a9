//! Laws and golden cases of directories.

mod laws;
mod vectors;
