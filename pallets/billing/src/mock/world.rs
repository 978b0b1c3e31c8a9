//! What other pallets answer: a world that a test sets up.

use super::{account, AccountId};
use pallet_edge_traits::{
    Acceptance, CommitmentAudit, DeviceInfo, DeviceInspect, Disputed, EpochClock, OnMatured,
    ScoreInspect, ServiceInspect, ServiceTerms, StakeInspect,
};
use selvedge_primitives_math::yields::YieldTerms;
use selvedge_primitives_types::{
    DeviceId, Epoch, Millis, Planck, Ppm, Prices, Region, Role, Score, ServiceId, StakeId,
};
use sp_runtime::traits::Convert;
use std::{cell::RefCell, collections::BTreeMap};

/// What the other pallets would answer. Terms hold from epoch 0 on unless a test changes them.
#[derive(Clone, Default)]
pub struct World {
    pub(crate) epoch: u64,
    /// Quarters of the current epoch that have run.
    pub(crate) quarters: u64,
    pub(crate) active: BTreeMap<(Role, DeviceId), AccountId>,
    pub(crate) agents: BTreeMap<DeviceId, [u8; 32]>,
    pub(crate) services: BTreeMap<ServiceId, ServiceTerms<AccountId>>,
    pub(crate) prices: BTreeMap<u32, Prices>,
    /// Bytes that the pins of every service come to.
    pub(crate) kept: u64,
    /// Highest allowances of anybody's former services that may still be charged.
    pub(crate) former_caps: Planck,
    /// What matured through whom, and what activity may return of it.
    pub(crate) matured: Vec<(DeviceId, Epoch, Planck, Planck)>,
    /// What is left of every stake.
    pub(crate) stake: Planck,
    /// When a device's stake was assigned, if anybody knows.
    pub(crate) since: BTreeMap<DeviceId, Millis>,
    /// Quality of every node.
    pub(crate) quality: Score,
    /// What customers want burnt of every commitment.
    pub(crate) to_burn: Planck,
    /// What audits say; without it whatever was committed is accepted when its window closes.
    pub(crate) acceptance: Option<Acceptance>,
    pub(crate) challenged: bool,
    pub(crate) payees: Vec<AccountId>,
    pub(crate) audited: Vec<(DeviceId, Epoch, Epoch, Planck)>,
}

thread_local!(static WORLD: RefCell<World> = RefCell::default());

/// What every stake is in the mock.
pub(crate) const STAKE: Planck = 1_000_000;

/// Length of an epoch in the mock.
pub(crate) const LENGTH: u64 = 60_000;

/// Reads or changes what the other pallets answer.
pub(crate) fn world<R>(with: impl FnOnce(&mut World) -> R) -> R {
    WORLD.with(|world| with(&mut world.borrow_mut()))
}

impl EpochClock for World {
    fn current() -> Epoch {
        Epoch(world(|world| world.epoch))
    }
    fn now() -> Millis {
        Millis(Self::start_of(Self::current()).0 + world(|world| world.quarters) * LENGTH / 4)
    }
    fn start_of(epoch: Epoch) -> Millis {
        Millis(1_000_000 + epoch.0 * LENGTH)
    }
    fn length() -> Millis {
        Millis(LENGTH)
    }
    fn epochs_per_era() -> u64 {
        4
    }
}

impl DeviceInspect<AccountId> for World {
    fn device(device: &DeviceId) -> Option<DeviceInfo<AccountId>> {
        let agent_key = world(|world| world.agents.get(device).copied())?;
        Some(DeviceInfo {
            operator: account(100),
            role: Role::Gateway,
            region: Region::parse("eu")?,
            endpoint: Vec::new(),
            public_url: Vec::new(),
            capacity: 1,
            agent_key,
            draining: false,
        })
    }
    fn drained(_device: &DeviceId, _from: Epoch, _to: Epoch) -> bool {
        false
    }
}

impl StakeInspect<AccountId> for World {
    fn is_active(device: &DeviceId, role: Role, _epoch: Epoch) -> bool {
        world(|world| world.active.contains_key(&(role, *device)))
    }
    fn owner_at(device: &DeviceId, _epoch: Epoch) -> Option<AccountId> {
        let of = |(key, owner): (&(Role, DeviceId), &AccountId)| {
            (key.1 == *device).then(|| owner.clone())
        };
        world(|world| world.active.iter().find_map(of))
    }
    fn stake_of(_device: &DeviceId) -> Option<(StakeId, Planck)> {
        world(|world| Some((StakeId(0), world.stake)))
    }
    fn stake_at(_device: &DeviceId, _epoch: Epoch) -> Option<StakeId> {
        None
    }
    fn amount_of(_stake: StakeId) -> Planck {
        0
    }
    fn active_count(role: Role, _epoch: Epoch) -> u32 {
        world(|world| world.active.keys().filter(|key| key.0 == role).count() as u32)
    }
    fn active_devices(_role: Role, _limit: u32) -> Vec<DeviceId> {
        Vec::new()
    }
    fn assigned_since(_device: &DeviceId) -> Option<Millis> {
        None
    }
    fn boost_of(_stake: StakeId) -> u32 {
        1_000_000
    }
    fn assigned_at(device: &DeviceId, _epoch: Epoch) -> Option<Millis> {
        world(|world| world.since.get(device).copied())
    }
    fn held_at(_device: &DeviceId, _epoch: Epoch) -> Planck {
        world(|world| world.stake)
    }
}

impl ScoreInspect for World {
    fn quality(_stake: StakeId) -> Score {
        world(|world| world.quality)
    }
    fn service(_stake: StakeId) -> Score {
        world(|world| world.quality)
    }
    fn is_pending() -> bool {
        false
    }
}

impl Disputed for World {
    fn to_burn(_gateway: &DeviceId, _epoch: Epoch) -> Planck {
        world(|world| world.to_burn)
    }
}

impl ServiceInspect<AccountId> for World {
    fn terms_at(service: ServiceId, _epoch: Epoch) -> Option<ServiceTerms<AccountId>> {
        world(|world| world.services.get(&service).cloned())
    }
    fn caps_of(owner: &AccountId, _from: Epoch, _to: Epoch) -> Planck {
        let of = |terms: &&ServiceTerms<AccountId>| terms.owner == *owner && terms.active;
        world(|world| {
            let caps = world.services.values().filter(of).map(|terms| terms.cap);
            world.former_caps + caps.sum::<Planck>()
        })
    }
    fn prices(version: u32) -> Option<Prices> {
        world(|world| world.prices.get(&version).copied())
    }
    fn kept_at(_service: ServiceId, _epoch: Epoch) -> u64 {
        world(|world| world.kept)
    }
}

impl CommitmentAudit<AccountId> for World {
    fn on_commit(gateway: &DeviceId, epoch: Epoch, window: Epoch, amount: Planck) {
        world(|world| world.audited.push((*gateway, epoch, window, amount)));
    }
    fn acceptance(_: &DeviceId, _: Epoch, window: Epoch) -> Acceptance {
        let at_close = || match Self::is_closed(window) {
            true => Acceptance::Accepted { hold_backs: 1 },
            false => Acceptance::Undecided,
        };
        world(|world| world.acceptance).unwrap_or_else(at_close)
    }
    fn is_challenged(_: &DeviceId, _: Epoch) -> bool {
        world(|world| world.challenged)
    }
    fn payees(_: &DeviceId, _: Epoch) -> Vec<AccountId> {
        world(|world| world.payees.clone())
    }
}

impl OnMatured for World {
    fn on_matured(device: &DeviceId, epoch: Epoch, amount: Planck, returnable: Planck) {
        world(|world| world.matured.push((*device, epoch, amount, returnable)));
    }
}

impl Convert<Role, YieldTerms> for World {
    fn convert(role: Role) -> YieldTerms {
        let lambda = match role {
            Role::Validator => 0,
            Role::Stargate => 10,
            Role::Gateway => 35,
            Role::Cache => 55,
        };
        YieldTerms {
            beta: Ppm::percent(50),
            kappa: Ppm::percent(50),
            apr: Ppm::percent(10),
            lambda: Ppm::percent(lambda),
            take: Ppm::percent(15),
            referral: Ppm::percent(10),
            audit: Ppm::percent(1),
        }
    }
}

#[cfg(feature = "runtime-benchmarks")]
impl pallet_edge_traits::BenchmarkNodes<AccountId> for World {
    fn add_node(device: DeviceId, role: Role, owner: &AccountId, agent_key: [u8; 32]) {
        world(|world| {
            world.active.insert((role, device), owner.clone());
            world.agents.insert(device, agent_key);
        });
    }
}

#[cfg(feature = "runtime-benchmarks")]
impl crate::benchmarking::BenchmarkHelper for World {
    fn set_clock(epoch: Epoch, quarters: u64) {
        world(|world| (world.epoch, world.quarters) = (epoch.0, quarters));
    }
    fn add_service(owner: &AccountId, cap: Planck) -> ServiceId {
        let terms = ServiceTerms {
            owner: owner.clone(),
            cap,
            price_version: 1,
            active: true,
        };
        world(|world| {
            let id = ServiceId(world.services.len() as u64);
            world.prices.insert(1, Prices([1 << 32, 0, 0, 0, 0, 0]));
            world.services.insert(id, terms);
            world.kept = 1;
            id
        })
    }
}
