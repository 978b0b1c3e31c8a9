use selvedge_edge_core_metering::{CloseError, VoucherError};
use selvedge_primitives_types::Epoch;
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why use cannot be kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MeterError {
    /// The file system refused.
    #[error("cannot {what} {}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Another process has the folder open.
    #[error("another process meters in {}", .0.display())]
    InUse(PathBuf),
    /// The folder holds the use of another device or chain, or something else.
    #[error("{} is of another device or chain: point to another folder", .0.display())]
    Foreign(PathBuf),
    /// A file that was written whole is not whole.
    #[error("{} is damaged", .0.display())]
    Damaged(PathBuf),
    /// The chain has not said yet which epoch it is.
    #[error("there is no epoch yet")]
    NoEpoch,
    /// The epoch is earlier than the current one, as after a reorganisation. Counting goes on in
    /// the current one.
    #[error("epoch {0} is over")]
    EpochOver(Epoch),
    /// The epoch is not there to be closed.
    #[error("epoch {0} has nothing to close")]
    NothingToClose(Epoch),
    /// The epoch cannot be closed.
    #[error("epoch {0} cannot be closed")]
    Close(Epoch, #[source] CloseError),
    /// The voucher is not taken.
    #[error("the voucher is not taken")]
    Voucher(#[from] VoucherError),
}

impl MeterError {
    pub(crate) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { what, path, source }
    }
}
