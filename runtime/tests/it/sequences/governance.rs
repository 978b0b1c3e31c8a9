//! What referenda decide: parameters, price lists, the treasury's spends, the brake, void
//! commitments.

use super::{
    acts::{does, Kind},
    money::{account, amount},
    plan::Dice,
    world::World,
};
use codec::Decode;
use pallet_edge_billing::types::VoidReason;
use pallet_edge_governance::{Origin, ParameterDescription};
use selvedge_primitives_types::{Epoch, Prices};
use selvedge_runtime::{
    configs::params::RuntimeParameters, constants::currency::SEL, governance::origins::SpendLimit,
    presets::PRICES, EdgeGovernance, Runtime, SafeMode,
};

pub const ACTS: &[Kind] = &[
    does("set a parameter", 6, set_parameter),
    does("publish prices", 2, publish),
    does("void a commitment", 4, void),
    does("pull or release the brake", 2, brake),
    does("pause or resume a call", 1, pause),
    does("spend of the treasury", 2, spend),
    does("cancel a referendum", 1, cancel),
];

const ORIGINS: [Origin; 5] = [
    Origin::Parameters,
    Origin::Prices,
    Origin::TreasurySpend,
    Origin::Roles,
    Origin::Brake,
];

/// The origin that may, or now and then another.
fn origin(right: Origin, dice: &mut Dice) -> Origin {
    if dice.one_in(10) {
        dice.of_all(&ORIGINS).clone()
    } else {
        right
    }
}

/// A parameter as it is encoded: area, number in its area, a value or none. Values are little-endian,
/// so that 16 bytes hold one of every width.
fn encoded(all: &[ParameterDescription], place: usize, value: Option<u128>) -> RuntimeParameters {
    let mut areas: Vec<_> = all.iter().map(|one| &one.area).collect();
    areas.dedup();
    let area = areas.iter().position(|area| **area == all[place].area);
    let first = all.iter().position(|one| one.area == all[place].area);
    let mut bytes = vec![
        area.expect("it is in its area") as u8,
        (place - first.expect("the area has a first one")) as u8,
        u8::from(value.is_some()),
    ];
    bytes.extend(value.unwrap_or_default().to_le_bytes());
    RuntimeParameters::decode(&mut &bytes[..]).expect("areas and numbers are as they are described")
}

fn set_parameter(world: &mut World<'_>, dice: &mut Dice) {
    let all = EdgeGovernance::parameters();
    let place = dice.below(all.len() as u64) as usize;
    let one = &all[place];
    let value = match dice.below(10) {
        0 => one.min.saturating_sub(1),
        1 => one.max + 1,
        2 => one.min,
        3 => one.max,
        4 | 5 => one.default,
        6 => one.current.saturating_add(1),
        7 => one.current.saturating_sub(1),
        _ => one.min + (one.max - one.min) / 100 * u128::from(dice.below(100)),
    };
    let value = (!dice.one_in(20)).then_some(value);
    let parameter = encoded(&all, place, value);
    let right = if one.area == b"Stakes" {
        Origin::Roles
    } else {
        Origin::Parameters
    };
    let call = pallet_edge_governance::Call::set_parameter { parameter };
    if world.decide(origin(right, dice), call) {
        let now = EdgeGovernance::parameters().swap_remove(place);
        assert_eq!(Some(now.current), value, "another parameter was set");
    }
}

fn publish(world: &mut World<'_>, dice: &mut Dice) {
    let scaled = |times: u64| Prices(PRICES.0.map(|price| price.saturating_mul(times)));
    let prices = match dice.below(5) {
        0 => Prices([0; 6]),
        1 => Prices([u64::MAX; 6]),
        2 => Prices([1; 6]),
        _ => scaled(1 + dice.below(5)),
    };
    let call = pallet_edge_services::Call::publish_prices { prices };
    world.decide(origin(Origin::Prices, dice), call);
}

fn void(world: &mut World<'_>, dice: &mut Dice) {
    let records: Vec<_> = pallet_edge_billing::Commitments::<Runtime>::iter_keys().collect();
    let (epoch, gateway) = if records.is_empty() || dice.one_in(12) {
        (Epoch(dice.below(4)), world.any_node(dice).id())
    } else {
        *dice.of_all(&records)
    };
    let call = pallet_edge_billing::Call::void {
        gateway,
        epoch,
        reason: VoidReason::Ruled,
    };
    world.decide(origin(Origin::Brake, dice), call);
}

/// It is released more readily than it is pulled: under it there is little to see.
fn brake(world: &mut World<'_>, dice: &mut Dice) {
    use pallet_safe_mode::Call;
    let call: Call<Runtime> = match (SafeMode::is_entered(), dice.below(8)) {
        (true, 0) => Call::force_extend {},
        (true, _) => Call::force_exit {},
        (false, 0..4) => Call::force_enter {},
        (false, _) => Call::force_exit {},
    };
    world.decide(origin(Origin::Brake, dice), call);
}

fn pause(world: &mut World<'_>, dice: &mut Dice) {
    use pallet_tx_pause::{Call, PausedCalls};
    let paused: Vec<_> = PausedCalls::<Runtime>::iter_keys().collect();
    if !paused.is_empty() && !dice.one_in(4) {
        let ident = dice.of_all(&paused).clone();
        world.decide(Origin::Brake, Call::unpause { ident });
        return;
    }
    let names = [
        ("Billing", "settle"),
        ("Billing", "withdraw"),
        ("NodeStaking", "assign"),
        ("Services", "set_cap"),
        ("Balances", "burn"),
        ("Session", "set_keys"),
    ];
    let (pallet, call) = *dice.of_all(&names);
    let text = |text: &str| {
        let bytes = text.as_bytes().to_vec();
        bytes.try_into().expect("names are short")
    };
    let full_name = (text(pallet), text(call));
    world.decide(origin(Origin::Brake, dice), Call::pause { full_name });
}

fn spend(world: &mut World<'_>, dice: &mut Dice) {
    let amount = match dice.below(3) {
        0 => SEL,
        _ => amount(dice, SpendLimit::get()),
    };
    let call = pallet_treasury::Call::spend {
        asset_kind: Box::new(()),
        amount,
        beneficiary: Box::new(account(dice)),
        valid_from: None,
    };
    world.decide(origin(Origin::TreasurySpend, dice), call);
}

fn cancel(world: &mut World<'_>, dice: &mut Dice) {
    let index = dice.below(3) as u32;
    let call = pallet_referenda::Call::cancel { index };
    world.decide(origin(Origin::Brake, dice), call);
}

/// Lets go of the brake and of every call that is paused.
pub fn let_go(world: &mut World<'_>) {
    world.decide(Origin::Brake, pallet_safe_mode::Call::force_exit {});
    let paused: Vec<_> = pallet_tx_pause::PausedCalls::<Runtime>::iter_keys().collect();
    for ident in paused {
        world.decide(Origin::Brake, pallet_tx_pause::Call::unpause { ident });
    }
}
