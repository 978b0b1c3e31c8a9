//! A runtime of system and driver; the chain's answers and what is sent to it are thread-local.

pub(crate) mod net;

use crate::{self as pallet_edge_driver, ConfigView, EntryPage, SubmitError, SubmitUsage};
use frame_support::{derive_impl, parameter_types, traits::Hooks};
use net::Net;
use pallet_edge_traits::{DeviceInfo, DeviceInspect, HostChecks, Job, Settlement};
use selvedge_primitives_types::{
    agent::{
        AgentEndpoint, ClockConfig, HostCheckVerdict, NodeConfig, ServiceConfig, ServiceState,
    },
    Account, DeviceId, Epoch, Millis, PriceList, Prices, Region, Role, Score, ServiceId,
    Signature64, UsageCommitment,
};
use sp_core::{
    crypto::AccountId32,
    offchain::{OffchainDbExt, OffchainWorkerExt},
};
use sp_runtime::{traits::IdentityLookup, BuildStorage};
use std::cell::{Cell, RefCell};

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(RuntimeCall, RuntimeEvent, RuntimeError, RuntimeOrigin, RuntimeTask)]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    #[runtime::pallet_index(1)]
    pub type EdgeDriver = pallet_edge_driver;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
    type AccountId = AccountId32;
    type Lookup = IdentityLookup<AccountId32>;
}

parameter_types! {
    pub const TotalDeadline: u64 = 1_200;
    pub const RequestDeadline: u64 = 400;
    pub const ResubmitAfter: u32 = 5;
}

impl crate::Config for Test {
    type View = Chain;
    type Devices = Chain;
    type Settlement = Chain;
    type HostChecks = Chain;
    type Submit = Chain;
    type TotalDeadline = TotalDeadline;
    type RequestDeadline = RequestDeadline;
    type ResubmitAfter = ResubmitAfter;
}

/// A transaction that was sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Sent {
    Commit(UsageCommitment),
    Settle(DeviceId, Epoch, EntryPage),
    Credit(DeviceId, Epoch, EntryPage),
    Refund(DeviceId, Epoch, EntryPage),
    AttestHost(HostCheckVerdict, Signature64),
}

type Due = (ServiceId, Vec<u8>, Vec<u8>, Epoch);

thread_local! {
    static JOBS: RefCell<Vec<Job>> = const { RefCell::new(Vec::new()) };
    static DUE: RefCell<Vec<Due>> = const { RefCell::new(Vec::new()) };
    static SENT: RefCell<Vec<Sent>> = const { RefCell::new(Vec::new()) };
    static AGENT_KEY: Cell<[u8; 32]> = const { Cell::new(KEY) };
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
            now: Millis(430_000),
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
            state: ServiceState::Active,
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
            public_url: vec![],
            capacity: 1,
            agent_key: AGENT_KEY.get(),
            draining: false,
        })
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
        submit(Sent::Commit(commitment))
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
}

pub(crate) fn device(n: u8) -> DeviceId {
    DeviceId([n; 32])
}

/// The endpoint of the n-th daemon, as the node's operator wrote it down.
pub(crate) fn endpoint(n: u8) -> AgentEndpoint {
    AgentEndpoint {
        device: device(n),
        url: format!("http://127.0.0.1:{}", 9800 + u16::from(n)).into_bytes(),
        token: TOKEN.as_bytes().to_vec(),
        agent_key: KEY,
    }
}

pub(crate) fn set_jobs(jobs: &[Job]) {
    JOBS.set(jobs.to_vec());
}
pub(crate) fn set_due(due: Vec<Due>) {
    DUE.set(due);
}
pub(crate) fn set_registered(registered: bool, agent_key: [u8; 32]) {
    REGISTERED.set(registered);
    AGENT_KEY.set(agent_key);
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

/// Runs the worker of a block.
pub(crate) fn work(block: u64) {
    System::set_block_number(block);
    EdgeDriver::offchain_worker(block);
}

/// Runs a test beside a network of daemons.
pub(crate) fn run(test: impl FnOnce(Net)) {
    set_jobs(&[]);
    set_due(vec![]);
    set_registered(true, KEY);
    set_refuses(false);
    set_lease(500);
    set_host_len(8);
    take_sent();
    let net = Net::default();
    let storage = frame_system::GenesisConfig::<Test>::default()
        .build_storage()
        .unwrap();
    let mut ext = sp_io::TestExternalities::new(storage);
    ext.register_extension(OffchainWorkerExt::new(net.clone()));
    ext.register_extension(OffchainDbExt::new(net.clone()));
    ext.execute_with(|| test(net));
}
