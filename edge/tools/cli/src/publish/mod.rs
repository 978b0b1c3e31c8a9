//! Content: what of a folder is put, how it gets to the gateways, and how it is got back and checked.

pub mod gateway;
pub mod hash;
pub mod keep;
pub mod read;
pub mod select;
pub mod target;
pub mod upload;
