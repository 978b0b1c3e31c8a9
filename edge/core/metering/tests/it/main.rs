//! Leases, vouchers and the closing of epochs.

mod closing;
mod lease;
mod testkit;
mod vouchers;
