//! Which referenda there are and what each may decide.

pub mod origins;
pub mod tracks;

pub use tracks::Tracks;
