//! One run over all daemons of this node and what it audits, under one deadline.

use crate::{
    audit,
    config::Common,
    daemon::Daemon,
    http::Fault,
    memory::Memory,
    work::{ensure_own, Work},
    Config, LOG_TARGET,
};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::traits::Get;
use pallet_edge_traits::{DeviceInfo, DeviceInspect, HostChecks};
use selvedge_primitives_types::{
    agent::{AgentEndpoint, BlockRef, AGENTS_STORAGE_KEY},
    DeviceId, Role,
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

/// Drives this node's daemons and audits what others committed.
pub(crate) fn run<T: Config>(block: BlockRef) {
    let total = Duration::from_millis(T::TotalDeadline::get());
    let run = Run {
        block,
        deadline: sp_io::offchain::timestamp().add(total),
    };
    // In turns, so that neither uses up the other's time for ever.
    if block.number % 2 == 1 {
        audit::run::<T>(block.number, run.deadline);
        run.daemons::<T>();
    } else {
        run.daemons::<T>();
        audit::run::<T>(block.number, run.deadline);
    }
}

/// The block a worker runs for, and when it must be done.
struct Run {
    block: BlockRef,
    deadline: Timestamp,
}

impl Run {
    /// Drives every daemon once, beginning with another one in every block so that a slow one cannot
    /// starve the others.
    ///
    /// Probes come after everyone's config and money. Looking host names up comes last: the DNS may
    /// use up what time is left.
    fn daemons<T: Config>(&self) {
        let endpoints = endpoints();
        if endpoints.is_empty() {
            return;
        }
        let first = self.block.number as usize % endpoints.len();
        let in_turn = endpoints.iter().cycle().skip(first).take(endpoints.len());
        let ours = in_turn.filter(|one| is_ours(one, T::Devices::device(&one.device)));

        let mut common = None;
        let mut served = Vec::new();
        for endpoint in ours {
            let done = self.exclusively::<T>(endpoint, |daemon| {
                let common = common.get_or_insert_with(|| Common::read::<T>(self.block));
                self.push_and_work::<T>(endpoint, daemon, common)
            });
            if done {
                served.push(endpoint);
            }
        }
        let Some(common) = common else { return };
        for endpoint in served.iter().filter(|one| is_gateway::<T>(&one.device)) {
            self.exclusively::<T>(endpoint, |daemon| {
                Work::new(endpoint, daemon, self.memory::<T>(endpoint)).probes::<T>(common.clock())
            });
        }
        for endpoint in served {
            if T::HostChecks::due(&endpoint.device).is_empty() {
                continue;
            }
            self.exclusively::<T>(endpoint, |daemon| {
                Work::new(endpoint, daemon, self.memory::<T>(endpoint)).host_checks::<T>()
            });
        }
    }

    /// Does something with a daemon, unless the time is up or another block's worker is at it; says
    /// whether it went well.
    fn exclusively<T: Config>(
        &self,
        endpoint: &AgentEndpoint,
        task: impl FnOnce(&Daemon<'_>) -> Result<(), Fault>,
    ) -> bool {
        let device = endpoint.device;
        if sp_io::offchain::timestamp() >= self.deadline {
            log::debug!(target: LOG_TARGET, "{device}: out of time, it waits for the next block");
            return false;
        }
        // Longer than a worker can hold it: a lock outlives its worker only when the node stops.
        let life = Duration::from_millis(T::TotalDeadline::get().saturating_mul(2));
        let key = [LOCK_PREFIX, &device.0].concat();
        let mut lock = StorageLock::<Time>::with_deadline(&key, life);
        let Ok(_held) = lock.try_lock() else {
            log::debug!(target: LOG_TARGET, "{device}: an earlier block's worker is at it");
            return false;
        };
        let patience = Duration::from_millis(T::RequestDeadline::get());
        let result = Daemon::new(endpoint, self.deadline, patience).and_then(|one| task(&one));
        if let Err(fault) = result {
            log::warn!(target: LOG_TARGET, "{device}: {fault}; it is left for the next block");
        }
        result.is_ok()
    }

    /// Pushes the config to one daemon, then does its jobs.
    fn push_and_work<T: Config>(
        &self,
        endpoint: &AgentEndpoint,
        daemon: &Daemon<'_>,
        common: &Common,
    ) -> Result<(), Fault> {
        let device = endpoint.device;
        let mut status = daemon.status()?;
        ensure_own(&status, &device)?;
        match common.delta::<T>(&device, &status.versions) {
            Ok(delta) => {
                status = daemon.push(&delta.encode())?;
                ensure_own(&status, &device)?;
                if status.versions != delta.versions {
                    let number = self.block.number;
                    log::warn!(target: LOG_TARGET, "{device}: did not take config {number}");
                }
            }
            Err(length) => {
                log::warn!(target: LOG_TARGET, "{device}: a config of {length} bytes is too long")
            }
        }
        let mut work = Work::new(endpoint, daemon, self.memory::<T>(endpoint));
        work.jobs::<T>(&status)?;
        work.leaves::<T>()
    }

    fn memory<T: Config>(&self, endpoint: &AgentEndpoint) -> Memory {
        Memory::read(&endpoint.device, self.block.number, T::ResubmitAfter::get())
    }
}

fn is_gateway<T: Config>(device: &DeviceId) -> bool {
    T::Devices::device(device).is_some_and(|info| info.role == Role::Gateway)
}

/// The daemons that the node's operator wrote down; none when there are none or the list cannot be
/// read.
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
            log::warn!(target: LOG_TARGET, "the stored list of daemons is damaged");
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
            log::warn!(target: LOG_TARGET, "{device}: registered with another node's agent key");
            false
        }
        Some(_) => true,
    }
}
