//! Closes the window of each epoch, waits for randomness that nobody knew before, and enrols who may be drawn by it.
//!
//! ```text
//! first quarter over ─▶ Closed ─▶ randomness of a later block ─▶ Enrol, some nodes per block ─▶ Windows
//! ```
//!
//! One window after the other: where the randomness of one has not come when the next closes, nobody is drawn for it.

use crate::{
    types::{Auditor, Turn, TurnStep, Window},
    Config, Enrolled, Event, Pallet, WeightInfo, WindowTurn, Windows,
};
use alloc::vec::Vec;
use frame_support::weights::WeightMeter;
use pallet_edge_traits::{AuditSeed, DeviceInspect, EpochClock, HostKeccak, StakeInspect};
use selvedge_primitives_math::draw::{auditors, committee, redrawn, DISPUTED};
use selvedge_primitives_types::{DeviceId, Epoch, Hash, Role};
use sp_runtime::{
    traits::{Get, UniqueSaturatedInto},
    AccountId32,
};

/// Nodes that a block looks at while a panel is enrolled.
const PAGE: u32 = 32;

/// Windows whose draws are kept: the last question about one, a posted leaf of a redraw, comes four epochs after it.
const KEPT: u64 = 8;

/// The walks over the nodes of a role: from where the seed points to the end, then from the begin. So the seed chooses who
/// is enrolled where there are more than a panel holds.
const WALKS: [(Role, bool); 4] = [
    (Role::Validator, true),
    (Role::Validator, false),
    (Role::Stargate, true),
    (Role::Stargate, false),
];

impl<MaxPanel: Get<u32>> Window<MaxPanel> {
    /// The place of an operator in the panel.
    fn place_of(&self, owner: &AccountId32) -> Option<usize> {
        self.panel
            .binary_search_by(|member| member.owner.cmp(owner))
            .ok()
    }

    /// Operators who may audit a gateway of `operator`: all but itself.
    fn eligible(&self, operator: Option<&AccountId32>) -> u32 {
        let is_member = operator.is_some_and(|operator| self.place_of(operator).is_some());
        self.panel.len() as u32 - u32::from(is_member)
    }

    /// How many auditors a round has; `None` when too few are eligible.
    pub fn auditors(&self, operator: Option<&AccountId32>, round: u8) -> Option<u32> {
        let eligible = self.eligible(operator);
        let first = committee(eligible)?;
        Some(match round {
            0 | DISPUTED => first,
            _ => redrawn(first, eligible),
        })
    }

    /// The auditors of a gateway's epoch in a round, in the order of their owners; none when too few are eligible.
    pub fn drawn(
        &self,
        gateway: &DeviceId,
        epoch: Epoch,
        operator: Option<&AccountId32>,
        round: u8,
    ) -> Vec<&Auditor> {
        let Some(count) = self.auditors(operator, round) else {
            return Vec::new();
        };
        let eligible = self.eligible(operator);
        let own = operator.and_then(|operator| self.place_of(operator));
        auditors::<HostKeccak>(&self.seed, gateway, epoch, round, eligible, count)
            .into_iter()
            .filter_map(|index| {
                let index = index as usize;
                // The places behind the operator's own move up by one.
                let skipped = usize::from(own.is_some_and(|own| index >= own));
                self.panel.get(index + skipped)
            })
            .collect()
    }

    /// Who speaks through a device.
    pub fn member(&self, device: &DeviceId) -> Option<&Auditor> {
        self.panel.iter().find(|member| member.device == *device)
    }
}

impl<T: Config> Pallet<T> {
    /// Takes the current window on by one step, if there is one to take.
    pub(crate) fn turn(meter: &mut WeightMeter) {
        if meter.try_consume(T::WeightInfo::turn(0)).is_err() {
            return;
        }
        let Turn { mut window, step } = WindowTurn::<T>::get();
        let newest = Self::newest_closed();
        let step = match step {
            TurnStep::Open if Some(window) > newest => return,
            TurnStep::Open => {
                window = newest.unwrap_or(window);
                TurnStep::Closed(Self::block())
            }
            // The next window has closed: this one gets no seed in time.
            TurnStep::Closed(_) if Some(window) < newest => {
                window = newest.unwrap_or(window);
                TurnStep::Closed(Self::block())
            }
            TurnStep::Closed(at) => match T::Seed::seed().filter(|(_, since)| *since > at) {
                Some((seed, _)) => TurnStep::Enrol {
                    seed,
                    walk: 0,
                    after: Some(DeviceId(seed)),
                },
                None => return,
            },
            TurnStep::Enrol { seed, walk, after } => {
                if meter.try_consume(T::WeightInfo::turn(PAGE)).is_err() {
                    return;
                }
                let (role, _) = WALKS[usize::from(walk)];
                let page = T::Stakes::active_page(role, after, PAGE);
                let is_last = page.len() < PAGE as usize;
                let last = page.last().copied();
                let is_full = Self::enrol(window, page);
                if is_full || (is_last && usize::from(walk) + 1 == WALKS.len()) {
                    return Self::draw(window, seed);
                }
                match is_last {
                    false => TurnStep::Enrol {
                        seed,
                        walk,
                        after: last,
                    },
                    true => TurnStep::Enrol {
                        seed,
                        walk: walk + 1,
                        after: WALKS[usize::from(walk) + 1].1.then_some(DeviceId(seed)),
                    },
                }
            }
        };
        WindowTurn::<T>::put(Turn { window, step });
    }

    /// The newest window in which no commitment can be made any more.
    fn newest_closed() -> Option<Epoch> {
        let current = T::Clock::current();
        match T::Clock::is_closed(current) {
            true => Some(current),
            false => current.0.checked_sub(1).map(Epoch),
        }
    }

    pub(crate) fn block() -> u64 {
        frame_system::Pallet::<T>::block_number().unique_saturated_into()
    }

    /// Adds the owners of nodes to the panel; returns whether it is full.
    fn enrol(window: Epoch, devices: Vec<DeviceId>) -> bool {
        Enrolled::<T>::mutate(|panel| {
            for device in devices {
                let Some(owner) = T::Stakes::owner_at(&device, window) else {
                    continue;
                };
                if T::Devices::device(&device).is_none() {
                    continue;
                }
                match panel.binary_search_by(|member| member.owner.cmp(&owner)) {
                    Ok(place) => {
                        let known = &mut panel[place].device;
                        *known = device.min(*known);
                    }
                    Err(place) => {
                        if panel.try_insert(place, Auditor { owner, device }).is_err() {
                            return true;
                        }
                    }
                }
            }
            false
        })
    }

    fn draw(window: Epoch, seed: Hash) {
        let panel = Enrolled::<T>::take();
        Self::deposit_event(Event::AuditorsDrawn {
            window,
            panel: panel.len() as u32,
        });
        Windows::<T>::insert(window, Window { seed, panel });
        let old: Vec<_> = Windows::<T>::iter_keys()
            .filter(|known| window.since(*known) >= KEPT)
            .collect();
        old.into_iter().for_each(Windows::<T>::remove);
        WindowTurn::<T>::put(Turn {
            window: window.next(),
            step: TurnStep::Open,
        });
    }
}
