//! What can go wrong, said so that a person knows what to do next, and the exit codes.

use thiserror::Error;

/// A failure with a cause that a user can act on.
#[derive(Debug, Error)]
pub enum Failure {
    /// No node answers at the URL.
    #[error("no chain node answers at {url}: {cause}\n  start one, or name another with --url or SELVEDGE_URL")]
    NodeUnreachable { url: String, cause: String },
    /// The command needs a key and none was given.
    #[error("this command signs and no key was given\n  give one with --suri, --key-file, SELVEDGE_SURI or SELVEDGE_KEY_FILE")]
    KeyMissing,
    /// The key cannot be read.
    #[error("the key cannot be used: {0}")]
    KeyInvalid(String),
    /// The text is not an account.
    #[error("{0:?} is not an account: use an SS58 address or 0x and 64 hex digits")]
    AccountInvalid(String),
    /// The text is not a device id.
    #[error("{0:?} is not a device id: use 0x and 64 hex digits, as `selvedge-edge key show` prints them")]
    DeviceInvalid(String),
    /// Other input that makes no sense.
    #[error("{0}")]
    Input(String),
    /// What was asked for is not there.
    #[error("{0}")]
    NotFound(String),
    /// The chain refused the transaction.
    #[error("the chain refused {call}: {reason}")]
    Refused { call: String, reason: String },
    /// A proof does not hold: the bill must not be trusted.
    #[error("the bill does not check out: {0}\n  keep the output, and dispute the line before it matures")]
    ProofInvalid(String),
    /// The gateway that owes a proof does not give it.
    #[error("{url} did not give the proof: {cause}\n  try again; withheld data can be forced onto the chain by a challenge")]
    ProofUnavailable {
        url: String,
        cause: String,
        /// Whether nothing answers there at all.
        silent: bool,
    },
    /// Lines or epochs of a bill have nothing behind them.
    #[error("the bill is not whole: {0}\n  what is there checks out; run it again, or dispute lines whose proof is withheld")]
    BillIncomplete(String),
    /// A folder with a bill cannot be used.
    #[error("{path}: {cause}")]
    Folder { path: String, cause: String },
    /// A gateway does not answer a question about a service.
    #[error("the gateway at {url} does not answer: {cause}\n  it may be starting, or its public address may not be reachable from here; the others go on")]
    GatewaySilent { url: String, cause: String },
    /// A gateway does not take the token.
    #[error("the gateway at {url} refuses: {reason}\n  use the key of the account that owns the service, with --suri or --key-file")]
    GatewayRefused { url: String, reason: String },
    /// The gateway refused the purge.
    #[error("the purge was refused: {0}")]
    Purge(String),
    /// A purge's receipt does not hold.
    #[error("the receipt does not check out: {0}")]
    ReceiptInvalid(String),
    /// A gateway gives bytes that are not those of the root.
    #[error("{url} gives something else than was asked for: {cause}\n  nothing of it was kept")]
    ContentInvalid { url: String, cause: String },
    /// A gateway does not do what it was asked.
    #[error("{url} did not answer: {cause}")]
    GatewayFailed { url: String, cause: String },
    /// The node answers with something this program does not understand.
    #[error("the node's answer cannot be read: {0}\n  this program and the chain's runtime may be of different versions")]
    AnswerInvalid(String),
}

/// Exit codes: 0 done, 1 other failure, 2 wrong use (also clap's), 3 not found, 4 refused by the chain or a gateway, 5 proof,
/// receipt or content does not hold, 6 node or gateway unreachable.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    match error.downcast_ref::<Failure>() {
        Some(
            Failure::KeyMissing
            | Failure::KeyInvalid(_)
            | Failure::AccountInvalid(_)
            | Failure::DeviceInvalid(_)
            | Failure::Input(_)
            | Failure::Folder { .. },
        ) => 2,
        Some(Failure::NotFound(_)) => 3,
        Some(Failure::Refused { .. } | Failure::GatewayRefused { .. } | Failure::Purge(_)) => 4,
        Some(
            Failure::ProofInvalid(_) | Failure::ReceiptInvalid(_) | Failure::ContentInvalid { .. },
        ) => 5,
        Some(
            Failure::NodeUnreachable { .. }
            | Failure::ProofUnavailable { .. }
            | Failure::BillIncomplete(_)
            | Failure::GatewaySilent { .. }
            | Failure::GatewayFailed { .. },
        ) => 6,
        Some(Failure::AnswerInvalid(_)) | None => 1,
    }
}
