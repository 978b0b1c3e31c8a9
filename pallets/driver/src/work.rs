//! Carries out what the chain waits for from one device: commitments, pages, leaves that are due, what
//! it saw of the nodes it was drawn to probe, and answers about host names.

use crate::{
    daemon::Daemon,
    http::Fault,
    memory::{Memory, Try},
    Config, SubmitAudits, SubmitError, SubmitUsage, LOG_TARGET,
};
use alloc::{boxed::Box, vec::Vec};
use core::fmt;
use pallet_edge_traits::{AuditDuties, HostChecks, Job, ProbeDuties, Settlement};
use selvedge_primitives_math::duty::LeafPurpose;
use selvedge_primitives_types::{
    agent::{
        AgentEndpoint, AgentStatus, ClockConfig, HostCheckRequest, HostCheckVerdict, ProbeOrder,
        ProbeResults,
    },
    DeviceId, Epoch, Millis, ProbeReport, ServiceId,
};

/// Jobs of one device in one block.
const MAX_JOBS: u32 = 4;
/// Leaves shown on chain for one device in one block: as many as a commitment owes at once.
const MAX_LEAVES: usize = 8;
/// Host names looked up for one device in one block.
const MAX_HOST_CHECKS: usize = 2;
/// The most closed epochs that a status can list.
const MAX_CLOSED: usize = 64;

/// Why a step ended early.
enum Stop {
    Daemon(Fault),
    Chain(SubmitError),
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Daemon(fault) => fault.fmt(f),
            Self::Chain(error) => error.fmt(f),
        }
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Daemon(fault)
    }
}

impl From<SubmitError> for Stop {
    fn from(error: SubmitError) -> Self {
        Self::Chain(error)
    }
}

/// One device's work in one block.
pub(crate) struct Work<'a> {
    endpoint: &'a AgentEndpoint,
    daemon: &'a Daemon<'a>,
    memory: Memory,
}

impl<'a> Work<'a> {
    pub(crate) fn new(endpoint: &'a AgentEndpoint, daemon: &'a Daemon<'a>, memory: Memory) -> Self {
        Self {
            endpoint,
            daemon,
            memory,
        }
    }

    /// Does the jobs in order. A daemon that fails one is asked for nothing more in this block.
    pub(crate) fn jobs<T: Config>(&mut self, status: &AgentStatus) -> Result<(), Fault> {
        let device = self.endpoint.device;
        for job in T::Settlement::jobs(&device, MAX_JOBS) {
            if self.memory.knows(&Try::Job(job)) || self.has_nothing(job, status) {
                continue;
            }
            match self.carry_out::<T>(job) {
                Ok(()) => log::debug!(target: LOG_TARGET, "{device}: sent {job:?}"),
                // Nothing was used in the epoch, or its trees are not closed yet.
                Err(Stop::Daemon(Fault::Status(404))) => {
                    log::debug!(target: LOG_TARGET, "{device}: has nothing for {job:?} yet");
                    continue;
                }
                Err(Stop::Daemon(fault @ Fault::Garbage(_))) => {
                    log::warn!(target: LOG_TARGET, "{device}: {job:?} is left for later: {fault}");
                }
                Err(Stop::Daemon(fault)) => return Err(fault),
                Err(stop @ Stop::Chain(_)) => {
                    log::warn!(target: LOG_TARGET, "{device}: {job:?} was not sent: {stop}");
                }
            }
            // Also what failed is tried again only after a while: neither garbage nor a refusal
            // turns right in a block.
            self.memory.note(Try::Job(job));
        }
        Ok(())
    }

    /// Whether the status says that there is nothing to commit; it cannot say so when its list is
    /// full.
    fn has_nothing(&self, job: Job, status: &AgentStatus) -> bool {
        match job {
            Job::Commit(epoch) => {
                status.closed.len() < MAX_CLOSED && !status.closed.contains(&epoch)
            }
            Job::Settle(..) | Job::Credit(..) | Job::Refund(..) => false,
        }
    }

    fn carry_out<T: Config>(&self, job: Job) -> Result<(), Stop> {
        let AgentEndpoint {
            device, agent_key, ..
        } = self.endpoint;
        match job {
            Job::Commit(epoch) => {
                let commitment = self.daemon.commitment(epoch)?;
                if (commitment.gateway, commitment.epoch) != (*device, epoch) {
                    return Err(Fault::Garbage("commitment of this device and epoch").into());
                }
                T::Submit::commit(agent_key, commitment)?;
            }
            Job::Settle(epoch, cursor) => {
                let page = self.daemon.settle_page(epoch, cursor)?;
                T::Submit::settle(agent_key, *device, epoch, page)?;
            }
            Job::Credit(epoch, cursor) => {
                let page = self.daemon.credit_page(epoch, cursor)?;
                T::Submit::credit(agent_key, *device, epoch, page)?;
            }
            Job::Refund(epoch, cursor) => {
                // A refund walks the entries that were charged.
                let page = self.daemon.settle_page(epoch, cursor)?;
                T::Submit::refund(agent_key, *device, epoch, page)?;
            }
        }
        Ok(())
    }

    /// Shows the leaves that the chain wants to see of the gateway.
    pub(crate) fn leaves<T: Config>(&mut self) -> Result<(), Fault> {
        let device = self.endpoint.device;
        let due: Vec<_> = T::Audits::leaves_due(&device)
            .into_iter()
            .filter(|duty| duty.purpose != LeafPurpose::Posted)
            .map(|duty| (Try::Leaf(duty.gateway, duty.epoch, duty.draw), duty))
            .filter(|(one, _)| !self.memory.knows(one))
            .take(MAX_LEAVES)
            .collect();
        for (one, duty) in due {
            self.memory.note(one);
            let epoch = duty.epoch;
            let leaf = match self.daemon.open_leaf(epoch, &duty.draw) {
                Ok(leaf) => leaf,
                Err(fault @ (Fault::Status(404) | Fault::Garbage(_))) => {
                    log::warn!(target: LOG_TARGET, "{device}: a leaf of {epoch} is due: {fault}");
                    continue;
                }
                Err(fault) => return Err(fault),
            };
            match T::SubmitAudits::answer(&self.endpoint.agent_key, duty, Box::new(leaf)) {
                Ok(()) => log::debug!(target: LOG_TARGET, "{device}: showed a leaf of {epoch}"),
                Err(error) => {
                    log::warn!(target: LOG_TARGET, "{device}: a leaf of {epoch} was not shown: {error}")
                }
            }
        }
        Ok(())
    }

    /// Orders the probes that the gateway was drawn for, and brings the chain what it saw once
    /// reports are taken.
    ///
    /// The chain is asked who was drawn only every few blocks: it looks at every node for that.
    pub(crate) fn probes<T: Config>(&mut self, clock: &ClockConfig) -> Result<(), Fault> {
        let (device, epoch) = (self.endpoint.device, clock.epoch);
        let elapsed = clock.now.0.saturating_sub(clock.epoch_start.0);
        let within = clock.epoch_length.0.div_ceil(2).saturating_sub(elapsed);
        let tried = match within {
            0 => Try::Report(epoch),
            _ => Try::Order(epoch),
        };
        if self.memory.knows(&tried) {
            return Ok(());
        }
        let nodes = T::Probes::duty(&device);
        if nodes.is_empty() {
            self.memory.note(tried);
            return Ok(());
        }
        let order = ProbeOrder {
            epoch,
            within: Millis(within),
            nodes,
        };
        let results = self.daemon.probes(&order);
        // What is not done yet is asked for again in the next block, before it is too late.
        let is_open = |results: &ProbeResults| within == 0 && !results.is_done;
        if !results.as_ref().is_ok_and(is_open) {
            self.memory.note(tried);
        }
        let results = results?;
        if within > 0 || !results.is_done || results.probes.is_empty() {
            return Ok(());
        }
        let report = ProbeReport {
            prober: device,
            epoch,
            probes: results.probes,
        };
        match T::Submit::report_probes(&self.endpoint.agent_key, report) {
            Ok(()) => log::debug!(target: LOG_TARGET, "{device}: sent its probes of {epoch}"),
            Err(error) => {
                log::warn!(target: LOG_TARGET, "{device}: its probes were not reported: {error}")
            }
        }
        Ok(())
    }

    /// Lets the gateway look up host names it was drawn for, and brings the chain what it found.
    ///
    /// That a record is missing is not sent: it may be there a moment later, and would cost the
    /// chain a transaction.
    pub(crate) fn host_checks<T: Config>(&mut self) -> Result<(), Fault> {
        let device = self.endpoint.device;
        let due: Vec<_> = T::HostChecks::due(&device)
            .into_iter()
            .map(|due| (host_try(due.0, &due.1, due.3), due))
            .filter(|(one, _)| !self.memory.knows(one))
            .take(MAX_HOST_CHECKS)
            .collect();
        for (one, (service, host, expected, epoch)) in due {
            self.memory.note(one);
            let name = alloc::string::String::from_utf8_lossy(&host).into_owned();
            let request = HostCheckRequest {
                host: host.clone(),
                expected,
                service,
                epoch,
            };
            let answer = self.daemon.host_check(&request)?;
            if !answer.found {
                log::debug!(target: LOG_TARGET, "{device}: no ownership record of {name} yet");
                continue;
            }
            let verdict = HostCheckVerdict {
                device,
                service,
                host,
                epoch,
                found: true,
            };
            match T::Submit::attest_host(verdict, answer.signature) {
                Ok(()) => log::debug!(target: LOG_TARGET, "{device}: sent a find of {name}"),
                Err(error) => {
                    log::warn!(target: LOG_TARGET, "{device}: {name} was not attested: {error}")
                }
            }
        }
        Ok(())
    }
}

fn host_try(service: ServiceId, host: &[u8], epoch: Epoch) -> Try {
    Try::Host(service, sp_io::hashing::blake2_256(host), epoch)
}

/// Makes sure that a status is the device's own.
pub(crate) fn ensure_own(status: &AgentStatus, device: &DeviceId) -> Result<(), Fault> {
    if status.device == *device {
        Ok(())
    } else {
        Err(Fault::Garbage("status of this device"))
    }
}
