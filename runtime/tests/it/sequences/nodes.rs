//! Devices, stakes, session keys and offences.

use super::{
    acts::{does, signs, Kind},
    cast::{named, region, Node, Signer},
    money::{amount, anybody},
    plan::Dice,
    world::World,
};
use codec::Encode;
use pallet_edge_registry::{Address, Call as Registry, Devices};
use pallet_edge_staking::{Call as Staking, Stake, Stakes};
use pallet_edge_traits::EpochClock;
use selvedge_primitives_types::{
    signing::{AssignStakePayload, RegisterDevicePayload},
    DeviceId, Domain, Epoch, Region, Role, Signature64, StakeId,
};
use selvedge_runtime::{Runtime, RuntimeCall, SessionKeys, UsageClock};

pub const ACTS: &[Kind] = &[
    signs("register a device", 5, register),
    signs("update a device", 1, update),
    signs("set an agent key", 1, set_agent_key),
    signs("retire a device", 3, retire),
    signs("begin to drain", 1, drain),
    signs("end to drain", 1, end_drain),
    signs("create a stake", 4, create_stake),
    signs("assign a stake", 8, assign),
    signs("unassign a stake", 4, unassign),
    signs("unlock a part", 5, request_unlock),
    signs("withdraw a chunk", 2, withdraw_unlocked),
    signs("release a stake", 2, release_express),
    signs("lock a stake", 1, commit_lock),
    signs("set session keys", 1, set_keys),
    signs("purge session keys", 1, purge_keys),
    does("report an offence", 1, report),
];

fn text(text: &str) -> Address {
    text.as_bytes().to_vec().try_into().expect("it is short")
}

/// Who operates a device, most of the time.
fn operator(device: &DeviceId, dice: &mut Dice) -> Signer {
    let operator = Devices::<Runtime>::get(device).map(|entry| entry.operator);
    match operator.as_ref().and_then(Signer::of) {
        Some(operator) if !dice.one_in(8) => operator,
        _ => anybody(dice),
    }
}

fn register(world: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let node = world.any_node(dice);
    let signer = anybody(dice);
    let now = UsageClock::current();
    let until = match dice.below(6) {
        0 => now.minus(1),
        1 => now.plus(UsageClock::epochs_per_era()),
        2 => now.plus(UsageClock::epochs_per_era() + 1),
        3 => Epoch(u64::MAX),
        _ => now,
    };
    let payload = RegisterDevicePayload {
        operator: named(&signer.account()),
        device: node.id(),
        agent_key: node.agent_key(),
        until,
    };
    let signature = if dice.one_in(8) {
        Signature64::default()
    } else {
        node.sign(Domain::RegisterDevice, &payload)
    };
    let call = Registry::register_device {
        device: node.id(),
        role: if dice.one_in(8) {
            *dice.of_all(&Role::ALL)
        } else {
            node.role
        },
        region: if dice.one_in(10) {
            Region([0; 8])
        } else {
            region()
        },
        endpoint: text(dice.of_all::<&str>(&["127.0.0.1:9000", "node.example.org:1", "nowhere"])),
        public_url: text(
            dice.of_all::<&str>(&["http://127.0.0.1:9001", "https://node.example.org"]),
        ),
        capacity: if dice.one_in(10) { 0 } else { 1 },
        agent_key: node.agent_key(),
        until,
        signature,
    };
    (signer, call.into())
}

fn update(world: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let device = world.any_node(dice).id();
    let call = Registry::update_device {
        device,
        endpoint: text(dice.of_all::<&str>(&["127.0.0.1:9000", "[::1]:443", "no port"])),
        public_url: text(dice.of_all::<&str>(&["http://127.0.0.1:9001", "gopher://example.org"])),
        capacity: *dice.of_all(&[0, 1, 7, u32::MAX]),
    };
    (operator(&device, dice), call.into())
}

fn set_agent_key(world: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let device = world.any_node(dice).id();
    let agent_key = if dice.one_in(5) {
        [0; 32]
    } else {
        world.any_node(dice).agent_key()
    };
    let call = Registry::set_agent_key { device, agent_key };
    (operator(&device, dice), call.into())
}

fn retire(world: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let device = world.any_node(dice).id();
    let call = Registry::retire_device { device };
    (operator(&device, dice), call.into())
}

fn drain(world: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let device = world.any_node(dice).id();
    let call = Registry::request_drain { device };
    (operator(&device, dice), call.into())
}

fn end_drain(world: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let device = world.any_node(dice).id();
    let call = Registry::end_drain { device };
    (operator(&device, dice), call.into())
}

/// A stake with its owner most of the time; one that does not exist at times.
fn stake(dice: &mut Dice) -> (Signer, StakeId, Option<Stake>) {
    let next = pallet_edge_staking::NextStake::<Runtime>::get().0;
    let id = match dice.below(20) {
        0 => StakeId(u64::MAX),
        _ => StakeId(dice.below(next + 1)),
    };
    let entry = Stakes::<Runtime>::get(id);
    let owner = entry.as_ref().and_then(|entry| Signer::of(&entry.owner));
    let signer = match owner {
        Some(owner) if !dice.one_in(10) => owner,
        _ => anybody(dice),
    };
    (signer, id, entry)
}

fn create_stake(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let role = *dice.of_all(&Role::ALL);
    (anybody(dice), Staking::create_stake { role }.into())
}

/// A device that the stake could be assigned to, most of the time.
fn device_for<'a>(world: &'a World<'_>, entry: &Option<Stake>, dice: &mut Dice) -> &'a Node {
    let fits = |node: &&Node| {
        let device = Devices::<Runtime>::get(node.id());
        device.is_some_and(|device| {
            entry
                .as_ref()
                .is_some_and(|entry| entry.owner == device.operator && entry.role == device.role)
        })
    };
    let fitting: Vec<_> = world.nodes.iter().filter(fits).collect();
    if fitting.is_empty() || dice.one_in(10) {
        world.any_node(dice)
    } else {
        dice.of_all::<&Node>(&fitting)
    }
}

fn assign(world: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let (signer, stake, entry) = stake(dice);
    let node = device_for(world, &entry, dice);
    let payload = AssignStakePayload {
        stake,
        owner: named(&signer.account()),
        device: node.id(),
        nonce: entry.map_or(0, |entry| entry.assignments) + u32::from(dice.one_in(10)),
    };
    let call = Staking::assign {
        stake,
        device: node.id(),
        signature: node.sign(Domain::AssignStake, &payload),
    };
    (signer, call.into())
}

fn unassign(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let (signer, stake, _) = stake(dice);
    (signer, Staking::unassign { stake }.into())
}

fn request_unlock(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let (signer, stake, entry) = stake(dice);
    let amount = amount(dice, entry.map_or(0, |entry| entry.amount));
    (signer, Staking::request_unlock { stake, amount }.into())
}

fn withdraw_unlocked(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let (signer, stake, entry) = stake(dice);
    let chunks = entry.map(|entry| entry.chunks.into_inner());
    let chunk = match chunks {
        Some(chunks) if !chunks.is_empty() => dice.of_all(&chunks).id,
        _ => dice.below(3) as u32,
    };
    (signer, Staking::withdraw_unlocked { stake, chunk }.into())
}

fn release_express(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let (signer, stake, _) = stake(dice);
    (signer, Staking::release_express { stake }.into())
}

fn commit_lock(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let (signer, stake, _) = stake(dice);
    let days = *dice.of_all(&[0, 1, 1_460, u32::MAX]);
    (signer, Staking::commit_lock { stake, days }.into())
}

/// New keys, of a seed. Validators' devices set them, and others too.
fn set_keys(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let signer = anybody(dice);
    let seed = format!("//session//{}", dice.below(4)).into_bytes();
    let generated = SessionKeys::generate(&signer.account().encode(), Some(seed));
    let call = pallet_session::Call::set_keys {
        keys: generated.keys,
        proof: generated.proof.encode(),
    };
    (signer, call.into())
}

fn purge_keys(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    (anybody(dice), pallet_session::Call::purge_keys {}.into())
}

fn report(world: &mut World<'_>, _: &mut Dice) {
    world.report();
}
