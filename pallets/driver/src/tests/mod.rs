//! What the worker does beside good daemons, bad ones, and with what the chain waits for.

mod audits;
mod config;
mod faults;
mod host_checks;
mod jobs;
mod probes;
mod sign;

pub(crate) use crate::mock::{
    net::{good, longest, Answer, Net},
    *,
};
pub(crate) use codec::{Decode, Encode};
pub(crate) use pallet_edge_traits::Job;
pub(crate) use selvedge_primitives_types::{agent::*, Epoch};

/// A daemon that has nothing but status and config.
pub(crate) fn plain(net: &Net, n: u8) {
    net.serve(
        &endpoint(n),
        good(device(n), vec![], |_| Answer::status(404)),
    );
}

/// The deltas posted since the last look.
pub(crate) fn take_deltas(net: &Net) -> Vec<ConfigDelta> {
    net.take_requests()
        .into_iter()
        .filter(|request| request.path() == "control/v1/config")
        .map(|request| ConfigDelta::decode(&mut &request.body[..]).unwrap())
        .collect()
}
