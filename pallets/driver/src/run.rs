//! One run over all daemons of this node, under one deadline.

use crate::{
    config::Common,
    daemon::{fits, Daemon},
    http::Fault,
    memory::Memory,
    work::{ensure_own, Work},
    Config, LOG_TARGET,
};
use alloc::vec::Vec;
use frame_support::traits::Get;
use pallet_edge_traits::{DeviceInfo, DeviceInspect};
use selvedge_primitives_types::{
    agent::{AgentEndpoint, BlockRef, AGENTS_STORAGE_KEY},
    DeviceId,
};
use sp_core::offchain::{Duration, Timestamp};
use sp_runtime::{
    offchain::{
        storage::StorageValueRef,
        storage_lock::{StorageLock, Time},
    },
    AccountId32,
};

const LOCK_PREFIX: &[u8] = b"selvedge::lock::";

/// The most daemons of one chain node.
pub(crate) const MAX_DAEMONS: usize = 64;

/// Drives every daemon once, beginning with another one in every block so that a slow one cannot starve the others.
pub(crate) fn run<T: Config>(block: BlockRef) {
    let endpoints = endpoints();
    if endpoints.is_empty() {
        return;
    }
    let deadline = sp_io::offchain::timestamp().add(Duration::from_millis(T::TotalDeadline::get()));
    // Longer than any worker can hold it.
    let lock_life = Duration::from_millis(T::TotalDeadline::get().saturating_mul(2));
    let first = block.number as usize % endpoints.len();
    let mut common = None;
    for (turn, endpoint) in endpoints
        .iter()
        .cycle()
        .skip(first)
        .take(endpoints.len())
        .enumerate()
    {
        let device = endpoint.device;
        if sp_io::offchain::timestamp() >= deadline {
            let left = endpoints.len() - turn;
            log::debug!(target: LOG_TARGET, "out of time: {left} daemons wait for the next block");
            return;
        }
        if !is_ours(endpoint, T::Devices::device(&device)) {
            continue;
        }
        // Another block's worker may still be at it. A lock outlives its worker only when the node stops.
        let key = [LOCK_PREFIX, &device.0].concat();
        let mut lock = StorageLock::<Time>::with_deadline(&key, lock_life);
        let Ok(_held) = lock.try_lock() else {
            log::debug!(target: LOG_TARGET, "{device}: an earlier block's worker is at it");
            continue;
        };
        let common = common.get_or_insert_with(|| Common::read::<T>(block));
        if let Err(fault) = drive::<T>(endpoint, common, block, deadline) {
            log::warn!(target: LOG_TARGET, "{device}: {fault}; it is left for the next block");
        }
    }
}

/// Pushes the config to one daemon, then does its work.
fn drive<T: Config>(
    endpoint: &AgentEndpoint,
    common: &Common,
    block: BlockRef,
    deadline: Timestamp,
) -> Result<(), Fault> {
    let device = endpoint.device;
    let patience = Duration::from_millis(T::RequestDeadline::get());
    let daemon = Daemon::new(endpoint, deadline, patience)?;
    let mut status = daemon.status()?;
    ensure_own(&status, &device)?;

    let delta = common.delta::<T>(&device, &status.versions);
    match fits(&delta) {
        Ok(bytes) => {
            status = daemon.push(&bytes)?;
            ensure_own(&status, &device)?;
            if status.versions != delta.versions {
                log::warn!(target: LOG_TARGET, "{device}: did not take the config of block {}", block.number);
            }
        }
        Err(length) => {
            log::warn!(target: LOG_TARGET, "{device}: a config of {length} bytes is too long to push")
        }
    }

    let memory = Memory::read(&device, block.number, T::ResubmitAfter::get());
    let mut work = Work::new(endpoint, &daemon, memory);
    work.jobs::<T>(&status)?;
    work.host_checks::<T>()
}

/// The daemons that the node's operator wrote down; none when there are none or the list cannot be read.
fn endpoints() -> Vec<AgentEndpoint> {
    match StorageValueRef::persistent(AGENTS_STORAGE_KEY).get::<Vec<AgentEndpoint>>() {
        Ok(Some(mut endpoints)) => {
            if endpoints.len() > MAX_DAEMONS {
                log::warn!(target: LOG_TARGET, "only the first {MAX_DAEMONS} daemons are driven");
                endpoints.truncate(MAX_DAEMONS);
            }
            endpoints
        }
        Ok(None) => Vec::new(),
        Err(_) => {
            log::warn!(target: LOG_TARGET, "the list of daemons in the off-chain storage is damaged");
            Vec::new()
        }
    }
}

/// Whether the chain knows the daemon's device under the key this node signs with.
fn is_ours(endpoint: &AgentEndpoint, registered: Option<DeviceInfo<AccountId32>>) -> bool {
    let device: DeviceId = endpoint.device;
    match registered {
        None => {
            log::debug!(target: LOG_TARGET, "{device}: not registered on chain yet");
            false
        }
        Some(info) if info.agent_key != endpoint.agent_key => {
            log::warn!(target: LOG_TARGET, "{device}: registered with another agent key than this node's");
            false
        }
        Some(_) => true,
    }
}
