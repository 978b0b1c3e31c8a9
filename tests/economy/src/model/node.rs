//! A stake with the device that carries it.

use selvedge_primitives_types::{Account as Operator, DeviceId, Planck, Ppm, Role, Score};

/// A node.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its device.
    pub device: DeviceId,
    /// Whether it is the coalition's.
    pub is_own: bool,
    /// Who operates it, as the register has it.
    pub operator: Operator,
    /// What it is staked for.
    pub role: Role,
    /// What stands behind it.
    pub stake: Planck,
    /// How well it is there.
    pub quality: Score,
    /// How well it serves.
    pub service: Score,
    /// Since when it serves, in days.
    pub days: u32,
    /// Factor of a commitment lock, from 1.
    pub boost: Ppm,
    /// Whether it takes part.
    pub is_active: bool,
    /// Whether it is on its way out.
    pub is_draining: bool,
    /// Epochs of the current era in which its device did not carry the stake yet.
    pub absent: u64,
    /// Part of the probes that it answers.
    pub answers: Ppm,
    /// Whether somebody pays for its machine.
    pub runs: bool,
    /// Whether visitors are sent to it.
    pub is_used: bool,
    /// Charges that matured in this era on leaves that name it.
    pub matured: Planck,
    /// The most that these may return, by the rates at which they matured; as proposed.
    pub entitled: Planck,
    /// Charges per stake, smoothed over eras like scores are.
    pub usual: u128,
}

impl Node {
    /// A node that does what is expected, and has done so for long.
    pub fn new(number: u32, is_own: bool, operator: u32, role: Role, stake: Planck) -> Self {
        Self {
            device: DeviceId(numbered(role as u8 + 1, number)),
            is_own,
            operator: Operator(numbered(0xff, operator)),
            role,
            stake,
            quality: Score::ONE,
            service: Score::ONE,
            days: 0,
            boost: Ppm::ONE,
            is_active: true,
            is_draining: false,
            absent: 0,
            answers: Ppm::ONE,
            runs: true,
            is_used: true,
            matured: 0,
            entitled: 0,
            usual: 0,
        }
    }

    /// Availability that its role is expected to have.
    pub fn expected(role: Role) -> Ppm {
        match role {
            Role::Validator => Ppm(999_000),
            Role::Stargate => Ppm(999_900),
            Role::Gateway => Ppm(990_000),
            Role::Cache => Ppm(200_000),
        }
    }

    /// Index into figures that gateways, caches and stargates have.
    pub fn slot(role: Role) -> usize {
        match role {
            Role::Gateway => 0,
            Role::Cache => 1,
            Role::Stargate | Role::Validator => 2,
        }
    }
}

fn numbered(kind: u8, number: u32) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = kind;
    bytes[1..5].copy_from_slice(&number.to_be_bytes());
    bytes
}
