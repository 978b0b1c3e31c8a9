//! Content of a service: what the network keeps of it, and what of that is in use.

pub mod chain;
mod pins;
mod pointer;
mod words;

pub use pins::{list, pin, unpin};
pub use pointer::{run as point, Pointer};
pub use words::{PinArgs, PointerCommand, Root, UnpinArgs};
