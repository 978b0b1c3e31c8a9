//! Devices and stakes.

use super::{
    by, row,
    scene::{Scene, CACHE, CUSTOMER, GATEWAY, OPERATOR, SPARE, STRANGER},
    Fault::*,
    Table,
};
use crate::sequences::cast::{named, region};
use pallet_edge_registry::{Call as Registry, Error as RegistryError};
use pallet_edge_staking::{Call as Staking, Error as StakingError, Stakes};
use selvedge_primitives_types::{
    signing::{AssignStakePayload, RegisterDevicePayload},
    DeviceId, Domain, Epoch, Planck, Region, Role, Signature64, StakeId,
};
use selvedge_runtime::{constants::currency::SEL, Runtime};
use sp_keyring::Sr25519Keyring::{self, Charlie, One};
use sp_runtime::TokenError;

type Device = RegistryError<Runtime>;
type Stake = StakingError<Runtime>;

/// The stake of the first gateway.
const STAKE: StakeId = StakeId(4);
/// No stake has it.
const NO_STAKE: StakeId = StakeId(u64::MAX);
/// No device has it.
const NO_DEVICE: DeviceId = DeviceId([9; 32]);

/// What registers a device for an operator, with what it signed.
struct Registration {
    device: DeviceId,
    region: Region,
    capacity: u32,
    agent_key: [u8; 32],
    until: Epoch,
    signature: Signature64,
}

impl Registration {
    fn of(scene: &Scene<'_>, place: usize, operator: Sr25519Keyring, until: Epoch) -> Self {
        let node = scene.node(place);
        let payload = RegisterDevicePayload {
            operator: named(&operator.to_account_id()),
            device: node.id(),
            agent_key: node.agent_key(),
            until,
        };
        Self {
            device: node.id(),
            region: region(),
            capacity: 1,
            agent_key: node.agent_key(),
            until,
            signature: node.sign(Domain::RegisterDevice, &payload),
        }
    }

    fn call(self) -> Registry<Runtime> {
        let text = |text: &str| text.as_bytes().to_vec().try_into().expect("it is short");
        Registry::register_device {
            device: self.device,
            role: Role::Gateway,
            region: self.region,
            endpoint: text("127.0.0.1:9000"),
            public_url: text("http://127.0.0.1:9001"),
            capacity: self.capacity,
            agent_key: self.agent_key,
            until: self.until,
            signature: self.signature,
        }
    }
}

/// Registers a device for an operator.
pub fn registers(scene: &Scene<'_>, place: usize, operator: Sr25519Keyring) -> Registry<Runtime> {
    Registration::of(scene, place, operator, Epoch(2)).call()
}

fn spare(scene: &Scene<'_>, until: Epoch) -> Registration {
    Registration::of(scene, SPARE, STRANGER, until)
}

fn update(device: DeviceId, endpoint: &str, capacity: u32) -> Registry<Runtime> {
    let text = |text: &str| text.as_bytes().to_vec().try_into().expect("it is short");
    Registry::update_device {
        device,
        endpoint: text(endpoint),
        public_url: text("http://127.0.0.1:9001"),
        capacity,
    }
}

/// A spare device of the stranger's that was registered in the first epoch.
fn registered(scene: &mut Scene<'_>) -> DeviceId {
    let call = spare(scene, Epoch(0)).call();
    scene.send(STRANGER, call);
    scene.id(SPARE)
}

/// The same, when it has left.
fn retired(scene: &mut Scene<'_>) -> DeviceId {
    let device = registered(scene);
    scene.at(5, 0);
    scene.send(STRANGER, Registry::retire_device { device });
    device
}

pub fn registry() -> Table {
    let rows = vec![
        row(
            "register_device",
            NotTheirs,
            Device::InvalidSignature,
            |scene| {
                let call = spare(scene, Epoch(0)).call();
                by(CUSTOMER, call)
            },
        ),
        row("register_device", Zero, Device::InvalidCapacity, |scene| {
            let capacity = 0;
            let call = Registration {
                capacity,
                ..spare(scene, Epoch(0))
            };
            by(STRANGER, call.call())
        }),
        row("register_device", Zero, Device::InvalidDevice, |scene| {
            let call = Registration {
                device: DeviceId::default(),
                ..spare(scene, Epoch(0))
            };
            by(STRANGER, call.call())
        }),
        row("register_device", Zero, Device::InvalidAgentKey, |scene| {
            let call = Registration {
                agent_key: [0; 32],
                ..spare(scene, Epoch(0))
            };
            by(STRANGER, call.call())
        }),
        row("register_device", Zero, Device::InvalidRegion, |scene| {
            let call = Registration {
                region: Region([0; 8]),
                ..spare(scene, Epoch(0))
            };
            by(STRANGER, call.call())
        }),
        row(
            "register_device",
            Maximum,
            Device::AgreementTooLong,
            |scene| by(STRANGER, spare(scene, Epoch(u64::MAX)).call()),
        ),
        row(
            "register_device",
            UnknownId,
            Device::InvalidSignature,
            |scene| {
                let call = Registration {
                    device: NO_DEVICE,
                    ..spare(scene, Epoch(0))
                };
                by(STRANGER, call.call())
            },
        ),
        row(
            "register_device",
            Repeated,
            Device::AlreadyRegistered,
            |scene| {
                registered(scene);
                by(STRANGER, spare(scene, Epoch(0)).call())
            },
        ),
        row(
            "register_device",
            TooEarly,
            Device::AgreementTooLong,
            |scene| by(STRANGER, spare(scene, Epoch(5)).call()),
        ),
        row("register_device", TooLate, Device::AgreementOver, |scene| {
            let call = spare(scene, Epoch(0)).call();
            scene.at(1, 0);
            by(STRANGER, call)
        }),
        row("update_device", NotTheirs, Device::NotOperator, |scene| {
            by(STRANGER, update(scene.id(GATEWAY), "127.0.0.1:1", 1))
        }),
        row("update_device", Zero, Device::InvalidCapacity, |scene| {
            by(OPERATOR, update(scene.id(GATEWAY), "127.0.0.1:1", 0))
        }),
        row("update_device", Zero, Device::InvalidEndpoint, |scene| {
            by(OPERATOR, update(scene.id(GATEWAY), "", 1))
        }),
        row("update_device", Maximum, Device::InvalidEndpoint, |scene| {
            by(OPERATOR, update(scene.id(GATEWAY), &"1".repeat(256), 1))
        }),
        row("update_device", UnknownId, Device::UnknownDevice, |_| {
            by(OPERATOR, update(NO_DEVICE, "127.0.0.1:1", 1))
        }),
        row(
            "update_device",
            OutOfOrder,
            Device::UnknownDevice,
            |scene| by(STRANGER, update(retired(scene), "127.0.0.1:1", 1)),
        ),
        row("set_agent_key", NotTheirs, Device::NotOperator, |scene| {
            let (device, agent_key) = (scene.id(GATEWAY), [1; 32]);
            by(STRANGER, Registry::set_agent_key { device, agent_key })
        }),
        row("set_agent_key", Zero, Device::InvalidAgentKey, |scene| {
            let (device, agent_key) = (scene.id(GATEWAY), [0; 32]);
            by(OPERATOR, Registry::set_agent_key { device, agent_key })
        }),
        row("set_agent_key", UnknownId, Device::UnknownDevice, |_| {
            let (device, agent_key) = (NO_DEVICE, [1; 32]);
            by(OPERATOR, Registry::set_agent_key { device, agent_key })
        }),
        row(
            "set_agent_key",
            OutOfOrder,
            Device::UnknownDevice,
            |scene| {
                let (device, agent_key) = (retired(scene), [1; 32]);
                by(STRANGER, Registry::set_agent_key { device, agent_key })
            },
        ),
        row("retire_device", NotTheirs, Device::NotOperator, |scene| {
            let device = scene.id(GATEWAY);
            by(STRANGER, Registry::retire_device { device })
        }),
        row("retire_device", UnknownId, Device::UnknownDevice, |_| {
            let device = NO_DEVICE;
            by(STRANGER, Registry::retire_device { device })
        }),
        row("retire_device", Repeated, Device::UnknownDevice, |scene| {
            let device = retired(scene);
            by(STRANGER, Registry::retire_device { device })
        }),
        row(
            "retire_device",
            OutOfOrder,
            Device::StakeAssigned,
            |scene| {
                let device = scene.id(GATEWAY);
                by(OPERATOR, Registry::retire_device { device })
            },
        ),
        row("retire_device", TooEarly, Device::AgreementHolds, |scene| {
            let device = registered(scene);
            scene.at(4, 3);
            by(STRANGER, Registry::retire_device { device })
        }),
        row("request_drain", NotTheirs, Device::NotOperator, |scene| {
            let device = scene.id(GATEWAY);
            by(STRANGER, Registry::request_drain { device })
        }),
        row("request_drain", UnknownId, Device::UnknownDevice, |_| {
            let device = NO_DEVICE;
            by(OPERATOR, Registry::request_drain { device })
        }),
        row(
            "request_drain",
            Repeated,
            Device::AlreadyDraining,
            |scene| {
                let device = scene.id(GATEWAY);
                scene.send(OPERATOR, Registry::request_drain { device });
                by(OPERATOR, Registry::request_drain { device })
            },
        ),
        row(
            "request_drain",
            OutOfOrder,
            Device::UnknownDevice,
            |scene| {
                let device = retired(scene);
                by(STRANGER, Registry::request_drain { device })
            },
        ),
        row("request_drain", OutOfOrder, Device::NoStake, |scene| {
            let device = registered(scene);
            by(STRANGER, Registry::request_drain { device })
        }),
        row("request_drain", TooEarly, Device::DrainTooSoon, |scene| {
            let device = scene.id(GATEWAY);
            scene.send(OPERATOR, Registry::request_drain { device });
            scene.send(OPERATOR, Registry::end_drain { device });
            by(OPERATOR, Registry::request_drain { device })
        }),
        row("end_drain", NotTheirs, Device::NotOperator, |scene| {
            let device = scene.id(GATEWAY);
            by(STRANGER, Registry::end_drain { device })
        }),
        row("end_drain", UnknownId, Device::UnknownDevice, |_| {
            let device = NO_DEVICE;
            by(OPERATOR, Registry::end_drain { device })
        }),
        row("end_drain", Repeated, Device::NotDraining, |scene| {
            let device = scene.id(GATEWAY);
            scene.send(OPERATOR, Registry::request_drain { device });
            scene.send(OPERATOR, Registry::end_drain { device });
            by(OPERATOR, Registry::end_drain { device })
        }),
        row("end_drain", OutOfOrder, Device::NotDraining, |scene| {
            let device = scene.id(GATEWAY);
            by(OPERATOR, Registry::end_drain { device })
        }),
    ];
    let any_time = "a device is managed at any time";
    Table {
        pallet: "NodeRegistry",
        rows,
        never: vec![
            (
                "register_device",
                &[OutOfOrder],
                "it is the first call of all",
            ),
            ("update_device", &[Repeated], "the same again says the same"),
            ("update_device", &[TooEarly, TooLate], any_time),
            ("set_agent_key", &[Maximum], "any key but zero is one"),
            ("set_agent_key", &[Repeated], "the same again says the same"),
            ("set_agent_key", &[TooEarly, TooLate], any_time),
            ("retire_device", &[Zero, Maximum], "it takes no amount"),
            (
                "retire_device",
                &[TooLate],
                "nothing ends what lets it leave",
            ),
            ("request_drain", &[Zero, Maximum], "it takes no amount"),
            ("request_drain", &[TooLate], any_time),
            ("end_drain", &[Zero, Maximum], "it takes no amount"),
            ("end_drain", &[TooEarly, TooLate], any_time),
        ],
    }
}

/// What assigns a stake to a device, with what the device signed for this number of assignments.
fn assign(scene: &Scene<'_>, stake: StakeId, place: usize, nonce: u32) -> Staking<Runtime> {
    let payload = AssignStakePayload {
        stake,
        owner: named(&OPERATOR.to_account_id()),
        device: scene.id(place),
        nonce,
    };
    Staking::assign {
        stake,
        device: scene.id(place),
        signature: scene.node(place).sign(Domain::AssignStake, &payload),
    }
}

/// The first gateway's stake, when it was taken off the device.
fn unassigned(scene: &mut Scene<'_>) -> StakeId {
    scene.send(OPERATOR, Staking::unassign { stake: STAKE });
    STAKE
}

/// A stake of the operator's that was never assigned.
fn another(scene: &mut Scene<'_>, role: Role) -> StakeId {
    let stake = pallet_edge_staking::NextStake::<Runtime>::get();
    scene.send(OPERATOR, Staking::create_stake { role });
    stake
}

fn unlock(stake: StakeId, amount: Planck) -> Staking<Runtime> {
    Staking::request_unlock { stake, amount }
}

fn withdraw(stake: StakeId, chunk: u32) -> Staking<Runtime> {
    Staking::withdraw_unlocked { stake, chunk }
}

fn lock(stake: StakeId, days: u32) -> Staking<Runtime> {
    Staking::commit_lock { stake, days }
}

pub fn staking() -> Table {
    let rows = vec![
        row(
            "create_stake",
            Maximum,
            TokenError::FundsUnavailable,
            |_| {
                let role = Role::Stargate;
                by(One, Staking::create_stake { role })
            },
        ),
        row("assign", NotTheirs, Stake::NotOwner, |scene| {
            by(STRANGER, assign(scene, STAKE, GATEWAY, 1))
        }),
        row("assign", NotTheirs, Stake::NotOperator, |scene| {
            let stake = another(scene, Role::Cache);
            by(OPERATOR, assign(scene, stake, CACHE, 0))
        }),
        row("assign", NotTheirs, Stake::WrongRole, |scene| {
            let stake = another(scene, Role::Cache);
            by(OPERATOR, assign(scene, stake, GATEWAY, 0))
        }),
        row("assign", Zero, Stake::InvalidSignature, |scene| {
            let (stake, device) = (unassigned(scene), scene.id(GATEWAY));
            let signature = Signature64::default();
            let call = Staking::assign {
                stake,
                device,
                signature,
            };
            by(OPERATOR, call)
        }),
        row("assign", UnknownId, Stake::UnknownStake, |scene| {
            by(OPERATOR, assign(scene, NO_STAKE, GATEWAY, 0))
        }),
        row("assign", UnknownId, Stake::UnknownDevice, |scene| {
            let stake = unassigned(scene);
            by(OPERATOR, assign(scene, stake, SPARE, 1))
        }),
        row("assign", Repeated, Stake::AlreadyAssigned, |scene| {
            by(OPERATOR, assign(scene, STAKE, GATEWAY, 1))
        }),
        row("assign", OutOfOrder, Stake::DeviceTaken, |scene| {
            let stake = another(scene, Role::Gateway);
            by(OPERATOR, assign(scene, stake, GATEWAY, 0))
        }),
        row("assign", OutOfOrder, Stake::BelowRoleAmount, |scene| {
            let stake = unassigned(scene);
            scene.send(OPERATOR, unlock(stake, 1));
            by(OPERATOR, assign(scene, stake, GATEWAY, 1))
        }),
        row("assign", TooEarly, Stake::InvalidSignature, |scene| {
            let stake = unassigned(scene);
            by(OPERATOR, assign(scene, stake, GATEWAY, 2))
        }),
        row("assign", TooLate, Stake::InvalidSignature, |scene| {
            let stake = unassigned(scene);
            let call = assign(scene, stake, GATEWAY, 1);
            scene.send(OPERATOR, call.clone());
            unassigned(scene);
            by(OPERATOR, call)
        }),
        row("unassign", NotTheirs, Stake::NotOwner, |_| {
            by(STRANGER, Staking::unassign { stake: STAKE })
        }),
        row("unassign", UnknownId, Stake::UnknownStake, |_| {
            by(OPERATOR, Staking::unassign { stake: NO_STAKE })
        }),
        row("unassign", Repeated, Stake::NotAssigned, |scene| {
            let stake = unassigned(scene);
            by(OPERATOR, Staking::unassign { stake })
        }),
        row("unassign", OutOfOrder, Stake::NotAssigned, |scene| {
            let stake = another(scene, Role::Cache);
            by(OPERATOR, Staking::unassign { stake })
        }),
        row("request_unlock", NotTheirs, Stake::NotOwner, |_| {
            by(STRANGER, unlock(STAKE, 1))
        }),
        row("request_unlock", Zero, Stake::ZeroAmount, |scene| {
            by(OPERATOR, unlock(unassigned(scene), 0))
        }),
        row("request_unlock", Maximum, Stake::AmountTooHigh, |scene| {
            by(OPERATOR, unlock(unassigned(scene), Planck::MAX))
        }),
        row("request_unlock", Maximum, Stake::TooManyChunks, |scene| {
            let stake = unassigned(scene);
            for _ in 0..16 {
                scene.send(OPERATOR, unlock(stake, 1));
            }
            by(OPERATOR, unlock(stake, 1))
        }),
        row("request_unlock", UnknownId, Stake::UnknownStake, |_| {
            by(OPERATOR, unlock(NO_STAKE, 1))
        }),
        row("request_unlock", Repeated, Stake::AmountTooHigh, |scene| {
            let (stake, all) = (unassigned(scene), 25_000 * SEL);
            scene.send(OPERATOR, unlock(stake, all));
            by(OPERATOR, unlock(stake, all))
        }),
        row("request_unlock", OutOfOrder, Stake::StillAssigned, |_| {
            by(OPERATOR, unlock(STAKE, 1))
        }),
        row("request_unlock", TooEarly, Stake::Locked, |scene| {
            let stake = unassigned(scene);
            scene.send(OPERATOR, lock(stake, 1));
            by(OPERATOR, unlock(stake, 1))
        }),
        row("withdraw_unlocked", NotTheirs, Stake::NotOwner, |_| {
            by(STRANGER, withdraw(STAKE, 0))
        }),
        row("withdraw_unlocked", Maximum, Stake::UnknownChunk, |scene| {
            let stake = unassigned(scene);
            scene.send(OPERATOR, unlock(stake, 1));
            by(OPERATOR, withdraw(stake, u32::MAX))
        }),
        row("withdraw_unlocked", UnknownId, Stake::UnknownStake, |_| {
            by(OPERATOR, withdraw(NO_STAKE, 0))
        }),
        row(
            "withdraw_unlocked",
            Repeated,
            Stake::UnknownChunk,
            |scene| {
                let stake = unassigned(scene);
                scene.send(OPERATOR, unlock(stake, 1));
                // Ninety days later.
                Stakes::<Runtime>::mutate(stake, |entry| {
                    let entry = entry.as_mut().expect("there is something on hold");
                    entry.chunks[0].due = Default::default();
                });
                scene.send(OPERATOR, withdraw(stake, 0));
                by(OPERATOR, withdraw(stake, 0))
            },
        ),
        row(
            "withdraw_unlocked",
            OutOfOrder,
            Stake::UnknownChunk,
            |scene| by(OPERATOR, withdraw(unassigned(scene), 0)),
        ),
        row("withdraw_unlocked", TooEarly, Stake::NotDue, |scene| {
            let stake = unassigned(scene);
            scene.send(OPERATOR, unlock(stake, 1));
            by(OPERATOR, withdraw(stake, 0))
        }),
        row("release_express", NotTheirs, Stake::NotOwner, |_| {
            by(STRANGER, Staking::release_express { stake: STAKE })
        }),
        row("release_express", UnknownId, Stake::UnknownStake, |_| {
            by(OPERATOR, Staking::release_express { stake: NO_STAKE })
        }),
        row("release_express", Repeated, Stake::UnknownStake, |scene| {
            let stake = another(scene, Role::Cache);
            scene.send(OPERATOR, Staking::release_express { stake });
            by(OPERATOR, Staking::release_express { stake })
        }),
        row("release_express", OutOfOrder, Stake::StillAssigned, |_| {
            by(OPERATOR, Staking::release_express { stake: STAKE })
        }),
        row("release_express", TooEarly, Stake::StillLiable, |scene| {
            let stake = unassigned(scene);
            scene.at(13, 0);
            by(OPERATOR, Staking::release_express { stake })
        }),
        row("release_express", TooEarly, Stake::Locked, |scene| {
            let stake = another(scene, Role::Cache);
            scene.send(OPERATOR, lock(stake, 1));
            by(OPERATOR, Staking::release_express { stake })
        }),
        row("commit_lock", NotTheirs, Stake::NotOwner, |_| {
            by(Charlie, lock(STAKE, 1))
        }),
        row("commit_lock", Zero, Stake::ZeroAmount, |_| {
            by(OPERATOR, lock(STAKE, 0))
        }),
        row("commit_lock", Maximum, Stake::LockTooLong, |_| {
            by(OPERATOR, lock(STAKE, u32::MAX))
        }),
        row("commit_lock", UnknownId, Stake::UnknownStake, |_| {
            by(OPERATOR, lock(NO_STAKE, 1))
        }),
        row("commit_lock", Repeated, Stake::LockTooLong, |scene| {
            scene.send(OPERATOR, lock(STAKE, 1_460));
            by(OPERATOR, lock(STAKE, 1_460))
        }),
    ];
    let any_time = "it may be done at any time";
    Table {
        pallet: "NodeStaking",
        rows,
        never: vec![
            (
                "create_stake",
                &[NotTheirs, Zero, UnknownId, OutOfOrder, TooEarly, TooLate],
                "it names a role, and nothing else",
            ),
            ("create_stake", &[Repeated], "each is a stake of its own"),
            ("assign", &[Maximum], "it takes no amount"),
            ("unassign", &[Zero, Maximum], "it takes no amount"),
            ("unassign", &[TooEarly, TooLate], any_time),
            (
                "request_unlock",
                &[TooLate],
                "a stake can be unlocked for ever",
            ),
            (
                "withdraw_unlocked",
                &[Zero],
                "chunks are numbered from zero",
            ),
            (
                "withdraw_unlocked",
                &[TooLate],
                "a chunk can be withdrawn for ever",
            ),
            ("release_express", &[Zero, Maximum], "it takes no amount"),
            (
                "release_express",
                &[TooLate],
                "a stake can be released for ever",
            ),
            ("commit_lock", &[OutOfOrder, TooEarly, TooLate], any_time),
        ],
    }
}
