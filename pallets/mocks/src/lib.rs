//! Answers the pallets' questions in tests: a network whose clock, devices, stakes and scores the test sets.
//!
//! Everything lives in the test's own thread; [`Network::reset`] begins anew.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

use core::cell::RefCell;
use pallet_edge_traits::{
    DeviceInfo, DeviceInspect, EpochClock, ScoreInspect, Slashed, StakeInspect, StakeRetire,
    StakeSlash,
};
use selvedge_primitives_types::{
    DeviceId, Epoch, Millis, Planck, Ppm, Region, Role, Score, StakeId,
};
use sp_core::crypto::AccountId32;
use std::collections::BTreeMap;

/// A device with its stake, as the test wants it to be.
#[derive(Clone, Debug)]
pub struct Node {
    /// Operator and owner of the stake.
    pub owner: AccountId32,
    /// Its role.
    pub role: Role,
    /// Its region.
    pub region: Region,
    /// Its stake, in planck.
    pub stake: Planck,
    /// First active epoch.
    pub from: Epoch,
    /// First epoch in which it is active no longer.
    pub until: Option<Epoch>,
    /// When its stake was assigned.
    pub since: Millis,
    /// Multiplier of its activity yield, in millionths.
    pub boost: u32,
    /// The stake it carries; the first byte of its device by default.
    pub stake_id: Option<StakeId>,
    /// Whether it drains.
    pub draining: bool,
    /// Epochs in which it drained, first and last.
    pub drained: Option<(Epoch, Epoch)>,
    /// Whether it has left the register.
    pub retired: bool,
    /// The key of its agent.
    pub agent_key: [u8; 32],
    /// Its quality.
    pub quality: Score,
    /// Its service score.
    pub service: Score,
}

impl Node {
    /// A node of this owner and role, active since epoch 0 in `eu-west`, of which nothing else is known.
    pub fn new(owner: AccountId32, role: Role, stake: Planck) -> Self {
        Self {
            owner,
            role,
            region: Region(*b"eu-west\0"),
            stake,
            from: Epoch(0),
            until: None,
            since: Millis(0),
            boost: 1_000_000,
            stake_id: None,
            draining: false,
            drained: None,
            retired: false,
            agent_key: [1; 32],
            quality: Score::ONE,
            service: Score::ONE,
        }
    }

    fn is_active(&self, epoch: Epoch) -> bool {
        self.from <= epoch && self.until.is_none_or(|until| epoch < until)
    }

    fn stake_on(&self, device: &DeviceId) -> StakeId {
        self.stake_id.unwrap_or(StakeId(device.0[0].into()))
    }
}

struct State {
    now: Millis,
    length: Millis,
    epochs_per_era: u64,
    pending: bool,
    nodes: BTreeMap<DeviceId, Node>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            now: Millis(0),
            length: Millis(3_600_000),
            epochs_per_era: 24,
            pending: false,
            nodes: BTreeMap::new(),
        }
    }
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

/// Clock, register, staking and scores in one.
pub struct Network;

impl Network {
    /// Forgets every node and sets the clock to epoch 0 of an hour, in eras of 24 epochs.
    pub fn reset() {
        STATE.take();
    }

    /// Sets the pace of the clock.
    pub fn set_pace(length: Millis, epochs_per_era: u64) {
        STATE.with_borrow_mut(|state| {
            state.length = length;
            state.epochs_per_era = epochs_per_era;
        });
    }

    /// Sets the time.
    pub fn set_now(now: Millis) {
        STATE.with_borrow_mut(|state| state.now = now);
    }

    /// Says whether scores are still being made.
    pub fn set_pending(pending: bool) {
        STATE.with_borrow_mut(|state| state.pending = pending);
    }

    /// Adds a node, or replaces it.
    pub fn set(device: DeviceId, node: Node) {
        STATE.with_borrow_mut(|state| state.nodes.insert(device, node));
    }

    /// Changes a node; panics if there is none.
    pub fn change(device: DeviceId, change: impl FnOnce(&mut Node)) {
        STATE.with_borrow_mut(|state| {
            change(
                state
                    .nodes
                    .get_mut(&device)
                    .expect("the test has set the node"),
            );
        });
    }

    /// Takes a device off the register; which stake it carried is still known.
    pub fn retire(device: DeviceId) {
        Self::change(device, |node| node.retired = true);
    }

    /// Removes a node.
    pub fn remove(device: DeviceId) {
        STATE.with_borrow_mut(|state| state.nodes.remove(&device));
    }

    fn node(device: &DeviceId) -> Option<Node> {
        STATE.with_borrow(|state| state.nodes.get(device).cloned())
    }

    fn carrier(stake: StakeId) -> Option<Node> {
        STATE.with_borrow(|state| {
            let mut nodes = state.nodes.iter();
            nodes
                .find(|(device, node)| node.stake_on(device) == stake)
                .map(|(_, node)| node.clone())
        })
    }

    fn active(role: Role, epoch: Epoch) -> Vec<DeviceId> {
        STATE.with_borrow(|state| {
            let nodes = state.nodes.iter();
            nodes
                .filter(|(_, node)| node.role == role && node.is_active(epoch))
                .map(|(device, _)| *device)
                .collect()
        })
    }
}

impl EpochClock for Network {
    fn current() -> Epoch {
        STATE.with_borrow(|state| Epoch(state.now.0 / state.length.0))
    }

    fn now() -> Millis {
        STATE.with_borrow(|state| state.now)
    }

    fn start_of(epoch: Epoch) -> Millis {
        STATE.with_borrow(|state| Millis(epoch.0 * state.length.0))
    }

    fn length() -> Millis {
        STATE.with_borrow(|state| state.length)
    }

    fn epochs_per_era() -> u64 {
        STATE.with_borrow(|state| state.epochs_per_era)
    }
}

impl DeviceInspect<AccountId32> for Network {
    fn device(device: &DeviceId) -> Option<DeviceInfo<AccountId32>> {
        let node = Self::node(device).filter(|node| !node.retired)?;
        Some(DeviceInfo {
            operator: node.owner,
            role: node.role,
            region: node.region,
            endpoint: b"node.example:443".to_vec(),
            public_url: b"https://node.example".to_vec(),
            capacity: 1,
            agent_key: node.agent_key,
            draining: node.draining,
        })
    }

    fn drained(device: &DeviceId, from: Epoch, to: Epoch) -> bool {
        let node = Self::node(device);
        node.is_some_and(|node| {
            node.drained
                .is_some_and(|(first, last)| first <= to && from <= last)
        })
    }
}

impl StakeInspect<AccountId32> for Network {
    fn is_active(device: &DeviceId, role: Role, epoch: Epoch) -> bool {
        Self::node(device).is_some_and(|node| node.role == role && node.is_active(epoch))
    }

    fn owner_at(device: &DeviceId, epoch: Epoch) -> Option<AccountId32> {
        Self::node(device)
            .filter(|node| node.is_active(epoch))
            .map(|node| node.owner)
    }

    fn stake_of(device: &DeviceId) -> Option<(StakeId, Planck)> {
        Self::node(device).map(|node| (node.stake_on(device), node.stake))
    }

    fn stake_at(device: &DeviceId, epoch: Epoch) -> Option<StakeId> {
        Self::node(device)
            .filter(|node| node.is_active(epoch))
            .map(|node| node.stake_on(device))
    }

    fn amount_of(stake: StakeId) -> Planck {
        Self::carrier(stake).map_or(0, |node| node.stake)
    }

    fn active_count(role: Role, epoch: Epoch) -> u32 {
        Self::active(role, epoch).len() as u32
    }

    fn active_devices(role: Role, limit: u32) -> Vec<DeviceId> {
        let mut devices = Self::active(role, <Self as EpochClock>::current());
        devices.truncate(limit as usize);
        devices
    }

    fn assigned_since(device: &DeviceId) -> Option<Millis> {
        Self::node(device).map(|node| node.since)
    }

    fn boost_of(stake: StakeId) -> u32 {
        Self::carrier(stake).map_or(1_000_000, |node| node.boost)
    }
}

/// A reporter gets a tenth.
impl StakeSlash<AccountId32> for Network {
    fn slash_at_least(
        device: &DeviceId,
        epoch: Epoch,
        part: Ppm,
        least: Planck,
        reporter: Option<&AccountId32>,
    ) -> Slashed {
        STATE.with_borrow_mut(|state| {
            let node = state.nodes.get_mut(device);
            node.filter(|node| node.is_active(epoch))
                .map_or(Slashed::default(), |node| {
                    let due = node.stake * Planck::from(part.0) / 1_000_000;
                    let taken = due.max(least).min(node.stake);
                    node.stake -= taken;
                    let reward = reporter.map_or(0, |_| taken / 10);
                    Slashed { taken, reward }
                })
        })
    }
}

impl StakeRetire for Network {
    fn retire(device: &DeviceId, _epoch: Epoch) {
        let next = Self::current().next();
        STATE.with_borrow_mut(|state| {
            if let Some(node) = state.nodes.get_mut(device) {
                node.until = Some(node.until.map_or(next, |until| until.min(next)));
            }
        });
    }
}

impl ScoreInspect for Network {
    fn quality(stake: StakeId) -> Score {
        Self::carrier(stake).map_or(Score::ONE, |node| node.quality)
    }

    fn service(stake: StakeId) -> Score {
        Self::carrier(stake).map_or(Score::ONE, |node| node.service)
    }

    fn is_pending() -> bool {
        STATE.with_borrow(|state| state.pending)
    }
}
