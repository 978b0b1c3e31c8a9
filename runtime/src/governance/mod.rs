//! Which referenda there are and what each may decide.

pub mod tracks;

pub use tracks::Tracks;
