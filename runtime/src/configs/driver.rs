//! What the off-chain worker tells its daemons, and how their transactions are made.

use alloc::vec::Vec;
use codec::Encode;
use frame_support::{
    parameter_types,
    traits::{ConstU32, Contains},
};
use frame_system::offchain::{CreateAuthorizedTransaction, SubmitTransaction};
use pallet_edge_billing::{
    agent::{commit_payload, page_payload, Walk},
    types::Page,
    Call as BillingCall,
};
use pallet_edge_chain_params::LocalNames;
use pallet_edge_driver::{sign_with_agent_key, ConfigView, EntryPage, SubmitError, SubmitUsage};
use pallet_edge_reputation::{types::Probes, Call as ReputationCall};
use pallet_edge_services::{types::ServiceSummary, Call as ServicesCall};
use pallet_edge_traits::{DeviceInspect, EpochClock, PrepaidInspect, StakeInspect};
use selvedge_primitives_math::RangeProof;
use selvedge_primitives_types::{
    agent::{ClockConfig, HostCheckVerdict, NodeConfig, ServiceConfig, ServiceState},
    Account, DeviceId, Domain, EntryKey, Epoch, GenesisHash, PriceList, ProbeReport, Role,
    Signature64, UsageCommitment,
};

use super::nodes::MaxNodesPerRole;
use crate::{
    AccountId, Audits, Billing, NodeRegistry, NodeStaking, Reputation, Runtime, RuntimeCall,
    Services, System, UsageClock,
};

/// Epochs for which a daemon keeps leaves after they were credited, so that disputes can be
/// answered.
const KEEP_EPOCHS: u64 = 24;

parameter_types! {
    /// For all daemons of a node and what it audits: below half of a slot of three seconds.
    pub const TotalDeadline: u64 = 1_200;
    pub const RequestDeadline: u64 = 500;
}

impl pallet_edge_driver::Config for Runtime {
    type AllowPrivate = LocalNames<Runtime>;
    type Audits = Audits;
    type Devices = NodeRegistry;
    type HostChecks = Services;
    type Probes = Reputation;
    type RequestDeadline = RequestDeadline;
    /// A transaction that is in no block after four was dropped.
    type ResubmitAfter = ConstU32<4>;
    type Settlement = Billing;
    type Submit = Submitter;
    type SubmitAudits = Submitter;
    type TotalDeadline = TotalDeadline;
    type View = EdgeConfig;
}

/// Hash of the first block, which every signature binds.
pub fn genesis_hash() -> GenesisHash {
    System::block_hash(0).0
}

/// Reads the config of gateways and caches from the pallets.
pub struct EdgeConfig;

impl ConfigView for EdgeConfig {
    fn clock() -> ClockConfig {
        let epoch = UsageClock::current();
        ClockConfig {
            genesis: genesis_hash(),
            epoch,
            epoch_start: UsageClock::epoch_start(),
            epoch_length: UsageClock::length(),
            now: UsageClock::block_time(),
            keep_epochs: KEEP_EPOCHS,
        }
    }

    fn nodes() -> Vec<NodeConfig> {
        Role::ALL
            .into_iter()
            .flat_map(|role| NodeStaking::active_devices(role, MaxNodesPerRole::get()))
            .filter_map(node_config)
            .collect()
    }

    fn services(device: &DeviceId, epoch: Epoch) -> Vec<ServiceConfig> {
        Services::summaries_at(epoch)
            .into_iter()
            .map(|summary| service_config(summary, device, epoch))
            .collect()
    }

    fn prices() -> Vec<PriceList> {
        let next = UsageClock::current().next();
        Services::price_lists()
            .into_iter()
            .filter(|(_, effective)| *effective <= next)
            .map(|(list, _)| list)
            .collect()
    }
}

fn node_config(device: DeviceId) -> Option<NodeConfig> {
    let info = NodeRegistry::device(&device)?;
    Some(NodeConfig {
        device,
        operator: Account(info.operator.into()),
        role: info.role,
        region: info.region,
        endpoint: info.endpoint,
        public_url: info.public_url,
        capacity: info.capacity,
        quality: Reputation::quality_of(&device),
        // One that is out gets nothing new either, until it rejoins.
        draining: info.draining || Reputation::is_out(&device),
    })
}

fn service_config(
    summary: ServiceSummary<AccountId>,
    device: &DeviceId,
    epoch: Epoch,
) -> ServiceConfig {
    let state = if !summary.terms.active {
        ServiceState::Paused
    } else if !Billing::is_funded_at(&summary.owner, epoch) {
        ServiceState::Suspended
    } else {
        ServiceState::Active
    };
    let hosts = summary
        .hosts
        .into_iter()
        .filter(|(_, is_proven)| *is_proven);
    ServiceConfig {
        id: summary.id,
        customer: Account(summary.owner.into()),
        hosts: hosts.map(|(name, _)| name).collect(),
        origin: summary.origin,
        price_version: summary.terms.price_version,
        lease: Billing::lease_of(summary.id, device, epoch),
        free: Billing::free_lease_of(summary.id, device, epoch),
        state,
        content: Services::content_of(summary.id),
    }
}

/// Signs and sends the transactions of agents; those of audits are in [`super::auditor`].
pub struct Submitter;

impl Submitter {
    pub(super) fn send(call: impl Into<RuntimeCall>) -> Result<(), SubmitError> {
        let call = call.into();
        if !<Runtime as frame_system::Config>::BaseCallFilter::contains(&call) {
            return Err(SubmitError::Stopped);
        }
        let transaction =
            <Runtime as CreateAuthorizedTransaction<RuntimeCall>>::create_authorized_transaction(
                call,
            );
        SubmitTransaction::<Runtime, RuntimeCall>::submit_transaction(transaction)
            .map_err(|()| SubmitError::Refused)
    }

    pub(super) fn sign(
        agent_key: &[u8; 32],
        payload: &impl Encode,
    ) -> Result<Signature64, SubmitError> {
        sign_with_agent_key(Domain::Agent, agent_key, &genesis_hash(), payload)
            .ok_or(SubmitError::NoKey)
    }

    /// A page that a call takes, with the agent's signature.
    fn page(
        walk: Walk,
        agent_key: &[u8; 32],
        gateway: DeviceId,
        epoch: Epoch,
        (entries, proof): EntryPage,
    ) -> Result<(Page, RangeProof<EntryKey>, Option<Signature64>), SubmitError> {
        let payload = page_payload(walk, gateway, epoch, &entries, &proof);
        let signature = Self::sign(agent_key, &payload)?;
        let entries = Page::try_from(entries).map_err(|_| SubmitError::Refused)?;
        Ok((entries, proof, Some(signature)))
    }
}

impl SubmitUsage for Submitter {
    fn commit(agent_key: &[u8; 32], commitment: UsageCommitment) -> Result<(), SubmitError> {
        let agent_signature = Self::sign(agent_key, &commit_payload(&commitment))?;
        Self::send(BillingCall::commit_usage {
            commitment: commitment.into(),
            agent_signature,
        })
    }

    fn settle(
        agent_key: &[u8; 32],
        gateway: DeviceId,
        epoch: Epoch,
        page: EntryPage,
    ) -> Result<(), SubmitError> {
        let (entries, proof, agent_signature) =
            Self::page(Walk::Settle, agent_key, gateway, epoch, page)?;
        Self::send(BillingCall::settle {
            gateway,
            epoch,
            entries,
            proof,
            agent_signature,
        })
    }

    fn credit(
        agent_key: &[u8; 32],
        gateway: DeviceId,
        epoch: Epoch,
        page: EntryPage,
    ) -> Result<(), SubmitError> {
        let (entries, proof, agent_signature) =
            Self::page(Walk::Credit, agent_key, gateway, epoch, page)?;
        Self::send(BillingCall::credit {
            gateway,
            epoch,
            entries,
            proof,
            agent_signature,
        })
    }

    fn refund(
        agent_key: &[u8; 32],
        gateway: DeviceId,
        epoch: Epoch,
        page: EntryPage,
    ) -> Result<(), SubmitError> {
        let (entries, proof, agent_signature) =
            Self::page(Walk::Refund, agent_key, gateway, epoch, page)?;
        Self::send(BillingCall::refund {
            gateway,
            epoch,
            entries,
            proof,
            agent_signature,
        })
    }

    fn attest_host(verdict: HostCheckVerdict, signature: Signature64) -> Result<(), SubmitError> {
        let HostCheckVerdict {
            device,
            service,
            host,
            epoch,
            found,
        } = verdict;
        Self::send(ServicesCall::attest_host {
            service,
            host,
            device,
            epoch,
            found,
            signature,
        })
    }

    fn report_probes(agent_key: &[u8; 32], report: ProbeReport) -> Result<(), SubmitError> {
        let domain = Domain::ProbeReport;
        let signature = sign_with_agent_key(domain, agent_key, &genesis_hash(), &report)
            .ok_or(SubmitError::NoKey)?;
        let probes = Probes::try_from(report.probes).map_err(|_| SubmitError::Refused)?;
        Self::send(ReputationCall::report_probes {
            prober: report.prober,
            epoch: report.epoch,
            probes,
            signature,
        })
    }
}
