//! The clock, the register and the accounts that the tests of staking set.

use super::*;
use core::cell::{Cell, RefCell};
use pallet_edge_traits::{DeviceInfo, OnAbsence, OnEpoch};
use pallet_session::SessionInterface;
use selvedge_primitives_types::{signing::AssignStakePayload, Account, Domain, Region};
use sp_core::{ed25519, Pair};
use std::collections::BTreeMap;

thread_local! {
    static NOW: Cell<u64> = const { Cell::new(0) };
    static ABSENCES: RefCell<Vec<(StakeId, Epoch, Epoch)>> = const { RefCell::new(Vec::new()) };
    static DEVICES: RefCell<BTreeMap<DeviceId, DeviceInfo<AccountId32>>> =
        const { RefCell::new(BTreeMap::new()) };
}

/// Hours since the first block.
pub struct Clock;

impl EpochClock for Clock {
    fn current() -> Epoch {
        Epoch(NOW.get().saturating_sub(FirstBlock::get()) / EPOCH)
    }
    fn now() -> Millis {
        Millis(NOW.get())
    }
    fn start_of(epoch: Epoch) -> Millis {
        Millis(FirstBlock::get() + epoch.0 * EPOCH)
    }
    fn length() -> Millis {
        Millis(EPOCH)
    }
    fn epochs_per_era() -> u64 {
        24
    }
}

/// Devices the test registered.
pub struct Devices;

impl DeviceInspect<AccountId32> for Devices {
    fn device(device: &DeviceId) -> Option<DeviceInfo<AccountId32>> {
        DEVICES.with_borrow(|devices| devices.get(device).cloned())
    }

    fn drained(_: &DeviceId, _: Epoch, _: Epoch) -> bool {
        false
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn set_device(device: DeviceId, info: DeviceInfo<AccountId32>) {
        DEVICES.with_borrow_mut(|devices| devices.insert(device, info));
    }
}

/// Remembers the absences it is told of.
pub struct Absences;

impl Absences {
    /// Since the last look.
    pub(crate) fn take() -> Vec<(StakeId, Epoch, Epoch)> {
        ABSENCES.take()
    }
}

impl OnAbsence for Absences {
    fn on_absence(stake: StakeId, from: Epoch, until: Epoch) {
        ABSENCES.with_borrow_mut(|absences| absences.push((stake, from, until)));
    }
}

/// Moves the time on, telling staking of the epochs that begin.
pub(crate) fn pass(millis: u64) {
    let ended = Clock::current();
    NOW.set(NOW.get() + millis);
    let began = Clock::current();
    if began > ended {
        NodeStaking::on_epoch(ended, began);
    }
}

pub(crate) fn account(id: u8) -> AccountId32 {
    AccountId32::new([id; 32])
}

fn signer(id: u8) -> ed25519::Pair {
    ed25519::Pair::from_seed(&[id; 32])
}

pub(crate) fn device(id: u8) -> DeviceId {
    DeviceId(signer(id).public().0)
}

pub(crate) fn validator(id: u8) -> AccountId32 {
    AccountId32::new(device(id).0)
}

/// Registers device `id` for operator `operator`.
pub(crate) fn register(id: u8, operator: u8, role: Role) {
    let info = DeviceInfo {
        operator: account(operator),
        role,
        region: Region(*b"eu-west\0"),
        endpoint: vec![],
        public_url: vec![],
        capacity: 1,
        agent_key: [1; 32],
        draining: false,
    };
    DEVICES.with_borrow_mut(|devices| devices.insert(device(id), info));
}

/// The device's signature that it carries the stake as its `nonce`-th assignment.
pub(crate) fn agreed(id: u8, stake: u64, owner: u8, nonce: u32) -> Signature64 {
    let payload = AssignStakePayload {
        stake: StakeId(stake),
        owner: Account([owner; 32]),
        device: device(id),
        nonce,
    };
    Signature64(
        signer(id)
            .sign(&Domain::AssignStake.message(&GENESIS, &payload))
            .0,
    )
}

pub(crate) fn create(owner: u8, role: Role) -> StakeId {
    let id = NextStake::<Test>::get();
    NodeStaking::create_stake(RuntimeOrigin::signed(account(owner)), role).unwrap();
    id
}

/// Assigns with the device's honest signature for the stake's current nonce.
pub(crate) fn assign(stake: u64, id: u8, owner: u8) -> DispatchResult {
    let nonce = Stakes::<Test>::get(StakeId(stake)).map_or(0, |entry| entry.assignments);
    let signature = agreed(id, stake, owner, nonce);
    NodeStaking::assign(
        RuntimeOrigin::signed(account(owner)),
        StakeId(stake),
        device(id),
        signature,
    )
}

pub(crate) fn unassign(stake: u64, owner: u8) -> DispatchResult {
    NodeStaking::unassign(RuntimeOrigin::signed(account(owner)), StakeId(stake))
}

/// Registers a device, creates its stake and assigns it.
pub(crate) fn staked(id: u8, owner: u8, role: Role) -> StakeId {
    register(id, owner, role);
    let stake = create(owner, role);
    assign(stake.0, id, owner).unwrap();
    stake
}

pub(crate) fn set_keys(id: u8, key: u64) {
    <Session as SessionInterface>::set_keys(
        &validator(id),
        Keys {
            dummy: UintAuthorityId(key),
        },
    )
    .unwrap();
}

pub(crate) fn on_hold(owner: u8) -> u128 {
    Balances::balance_on_hold(&HoldReason::Stake.into(), &account(owner))
}

pub(crate) fn free(owner: u8) -> u128 {
    Balances::free_balance(account(owner))
}

pub(crate) fn stake(id: u64) -> Stake {
    Stakes::<Test>::get(StakeId(id)).unwrap()
}

/// Begins at time zero with no device.
pub(crate) fn reset() {
    NOW.set(0);
    DEVICES.take();
    Absences::take();
    MaxValidators::set(4);
    GatewayAmount::set(25_000);
    FirstBlock::set(0);
}
