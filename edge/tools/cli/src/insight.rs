//! Asks gateways about a service: figures, log lines, explanations. Each question shows a read token that the account
//! signs.

pub mod figures;
pub mod public;
