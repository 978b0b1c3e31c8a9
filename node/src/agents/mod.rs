//! The edge daemons that this node's off-chain worker drives: from a file at start, or by RPC while
//! running.
//!
//! The worker reads them from the off-chain *persistent* storage, so they outlive a restart, and
//! signs with keys of this node's keystore. Nothing of this is on chain, except that an operator
//! registers each daemon's key there.

mod directory;
mod entry;

pub(crate) use directory::Directory;
pub(crate) use entry::read_file;
