//! The chain's answers and what is sent to it, thread-local.

use super::device;
use crate::{ConfigView, EntryPage, SubmitError, SubmitUsage};
use pallet_edge_traits::{DeviceInfo, DeviceInspect, HostChecks, Job, ProbeDuties, Settlement};
use selvedge_primitives_types::{
    agent::{ClockConfig, HostCheckVerdict, NodeConfig, ServiceConfig, ServiceState},
    Account, ContentConfig, DeviceId, Epoch, Millis, PriceList, Prices, ProbeReport, Region, Role,
    Score, ServiceId, Signature64, Usage, UsageCommitment,
};
use sp_core::crypto::AccountId32;
use std::cell::{Cell, RefCell};

/// A transaction that was sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Sent {
    Commit(Box<UsageCommitment>),
    Settle(DeviceId, Epoch, EntryPage),
    Credit(DeviceId, Epoch, EntryPage),
    Refund(DeviceId, Epoch, EntryPage),
    AttestHost(HostCheckVerdict, Signature64),
    Report(ProbeReport),
}

type Due = (ServiceId, Vec<u8>, Vec<u8>, Epoch);

thread_local! {
    static JOBS: RefCell<Vec<Job>> = const { RefCell::new(Vec::new()) };
    static DUE: RefCell<Vec<Due>> = const { RefCell::new(Vec::new()) };
    static DUTY: RefCell<Vec<DeviceId>> = const { RefCell::new(Vec::new()) };
    static ELAPSED: Cell<u64> = const { Cell::new(10_000) };
    static ASKED: Cell<usize> = const { Cell::new(0) };
    static SENT: RefCell<Vec<Sent>> = const { RefCell::new(Vec::new()) };
    static AGENT_KEY: Cell<[u8; 32]> = const { Cell::new(KEY) };
    static PUBLIC_URL: RefCell<String> = const { RefCell::new(String::new()) };
    static REGISTERED: Cell<bool> = const { Cell::new(true) };
    static REFUSES: Cell<bool> = const { Cell::new(false) };
    static LEASE: Cell<u128> = const { Cell::new(500) };
    static HOST_LEN: Cell<usize> = const { Cell::new(8) };
}

pub(crate) const KEY: [u8; 32] = [9; 32];
pub(crate) const TOKEN: &str = "a-token";
pub(crate) const EPOCH: Epoch = Epoch(7);

pub struct Chain;

impl ConfigView for Chain {
    fn clock() -> ClockConfig {
        ClockConfig {
            genesis: [1; 32],
            epoch: EPOCH,
            epoch_start: Millis(420_000),
            epoch_length: Millis(60_000),
            now: Millis(420_000 + ELAPSED.get()),
            keep_epochs: 24,
        }
    }
    fn nodes() -> Vec<NodeConfig> {
        vec![NodeConfig {
            device: device(1),
            operator: Account([1; 32]),
            role: Role::Gateway,
            region: Region::parse("eu-west").unwrap(),
            endpoint: b"127.0.0.1:9000".to_vec(),
            public_url: b"http://127.0.0.1:9001".to_vec(),
            capacity: 1,
            quality: Score::ONE,
            draining: false,
        }]
    }
    fn services(device: &DeviceId, epoch: Epoch) -> Vec<ServiceConfig> {
        assert_eq!(epoch, EPOCH);
        vec![ServiceConfig {
            id: ServiceId(u64::from(device.0[0])),
            customer: Account([2; 32]),
            hosts: vec![vec![b'a'; HOST_LEN.get()]],
            origin: b"https://origin.example".to_vec(),
            price_version: 1,
            lease: LEASE.get(),
            free: Usage::ZERO,
            state: ServiceState::Active,
            content: ContentConfig::default(),
        }]
    }
    fn prices() -> Vec<PriceList> {
        vec![PriceList {
            version: 1,
            prices: Prices([1; 6]),
        }]
    }
}

impl DeviceInspect<AccountId32> for Chain {
    fn device(_: &DeviceId) -> Option<DeviceInfo<AccountId32>> {
        REGISTERED.get().then(|| DeviceInfo {
            operator: AccountId32::new([1; 32]),
            role: Role::Gateway,
            region: Region::default(),
            endpoint: vec![],
            public_url: PUBLIC_URL.with_borrow(|url| url.as_bytes().to_vec()),
            capacity: 1,
            agent_key: AGENT_KEY.get(),
            draining: false,
        })
    }

    fn drained(_: &DeviceId, _: Epoch, _: Epoch) -> bool {
        false
    }
}

impl Settlement for Chain {
    fn jobs(_: &DeviceId, limit: u32) -> Vec<Job> {
        JOBS.with_borrow(|jobs| jobs.iter().take(limit as usize).copied().collect())
    }
    fn committed(_: &DeviceId) -> Vec<Epoch> {
        vec![Epoch(5)]
    }
    fn done_through(_: &DeviceId) -> Option<Epoch> {
        Some(Epoch(4))
    }
}

impl HostChecks for Chain {
    fn due(_: &DeviceId) -> Vec<Due> {
        DUE.with_borrow(Clone::clone)
    }
}

impl ProbeDuties for Chain {
    fn duty(_: &DeviceId) -> Vec<DeviceId> {
        ASKED.set(ASKED.get() + 1);
        DUTY.with_borrow(Clone::clone)
    }
}

fn submit(sent: Sent) -> Result<(), SubmitError> {
    if REFUSES.get() {
        return Err(SubmitError::Refused);
    }
    SENT.with_borrow_mut(|all| all.push(sent));
    Ok(())
}

impl SubmitUsage for Chain {
    fn commit(key: &[u8; 32], commitment: UsageCommitment) -> Result<(), SubmitError> {
        assert_eq!(*key, KEY);
        submit(Sent::Commit(Box::new(commitment)))
    }
    fn settle(_: &[u8; 32], g: DeviceId, e: Epoch, page: EntryPage) -> Result<(), SubmitError> {
        submit(Sent::Settle(g, e, page))
    }
    fn credit(_: &[u8; 32], g: DeviceId, e: Epoch, page: EntryPage) -> Result<(), SubmitError> {
        submit(Sent::Credit(g, e, page))
    }
    fn refund(_: &[u8; 32], g: DeviceId, e: Epoch, page: EntryPage) -> Result<(), SubmitError> {
        submit(Sent::Refund(g, e, page))
    }
    fn attest_host(verdict: HostCheckVerdict, s: Signature64) -> Result<(), SubmitError> {
        submit(Sent::AttestHost(verdict, s))
    }
    fn report_probes(key: &[u8; 32], report: ProbeReport) -> Result<(), SubmitError> {
        assert_eq!(*key, KEY);
        submit(Sent::Report(report))
    }
}

pub(crate) fn set_jobs(jobs: &[Job]) {
    JOBS.set(jobs.to_vec());
}
pub(crate) fn set_due(due: Vec<Due>) {
    DUE.set(due);
}
pub(crate) fn set_duty(nodes: &[DeviceId]) {
    DUTY.set(nodes.to_vec());
}
/// How far the epoch of a minute has run, in milliseconds.
pub(crate) fn set_elapsed(millis: u64) {
    ELAPSED.set(millis);
}
/// How often it was asked who is to be probed, since the last look.
pub(crate) fn take_asked() -> usize {
    ASKED.take()
}
pub(crate) fn set_registered(registered: bool, agent_key: [u8; 32]) {
    REGISTERED.set(registered);
    AGENT_KEY.set(agent_key);
}
pub(crate) fn set_public_url(url: &str) {
    PUBLIC_URL.set(url.into());
}
pub(crate) fn set_lease(lease: u128) {
    LEASE.set(lease);
}
pub(crate) fn set_host_len(length: usize) {
    HOST_LEN.set(length);
}
pub(crate) fn set_refuses(refuses: bool) {
    REFUSES.set(refuses);
}
/// What was sent since the last look.
pub(crate) fn take_sent() -> Vec<Sent> {
    SENT.take()
}

/// One registered device, nothing to do, nothing sent.
pub(super) fn reset() {
    set_jobs(&[]);
    set_due(vec![]);
    set_duty(&[]);
    set_elapsed(10_000);
    take_asked();
    set_registered(true, KEY);
    set_public_url("");
    set_refuses(false);
    set_lease(500);
    set_host_len(8);
    take_sent();
}
