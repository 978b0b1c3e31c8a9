//! Services, their terms and host names.

use super::{
    acts::{does, signs, Kind},
    cast::Signer,
    money::{anybody, customer},
    plan::Dice,
    world::World,
};
use pallet_edge_services::{types::Service, Call};
use pallet_edge_traits::{EpochClock, HostChecks};
use selvedge_primitives_types::{
    agent::HostCheckVerdict, DeviceId, Domain, Planck, ServiceId, Signature64,
};
use selvedge_runtime::{
    constants::currency::SEL, AccountId, Runtime, RuntimeCall, Services, UsageClock,
};

pub const ACTS: &[Kind] = &[
    signs("create a service", 5, create),
    signs("add a host", 3, add_host),
    signs("remove a host", 2, remove_host),
    signs("set an origin", 1, set_origin),
    signs("set a cap", 6, set_cap),
    signs("pin a price list", 2, set_price_version),
    signs("pause", 3, pause),
    signs("resume", 4, resume),
    signs("remove a service", 1, remove),
    does("attest a host", 3, attest),
];

/// Host names, right and wrong.
const HOSTS: [&str; 8] = [
    "one.localhost",
    "two.localhost",
    "www.example.org",
    "api.example.org",
    "xn--bcher-kva.example",
    "Upper.localhost",
    "127.0.0.1",
    "",
];

/// Base URLs, right and wrong.
const ORIGINS: [&str; 5] = [
    "http://127.0.0.1:8000",
    "https://origin.example.org/base",
    "http://[::1]:80",
    "ftp://example.org",
    "http://user@example.org",
];

/// A service with who may change it most of the time; one that does not exist at times.
fn service(dice: &mut Dice) -> (Signer, ServiceId, Option<Service<AccountId>>) {
    let next = pallet_edge_services::NextId::<Runtime>::get().0;
    let id = match dice.below(20) {
        0 => ServiceId(u64::MAX),
        _ => ServiceId(dice.below(next + 1)),
    };
    let record = pallet_edge_services::Services::<Runtime>::get(id);
    let owner = record.as_ref().and_then(|record| Signer::of(&record.owner));
    let signer = match owner {
        Some(owner) if !dice.one_in(8) => owner,
        _ => anybody(dice),
    };
    (signer, id, record)
}

fn host(dice: &mut Dice) -> Vec<u8> {
    match dice.below(3) {
        0 => format!("site-{}.localhost", dice.below(30)).into_bytes(),
        _ => dice.of_all(&HOSTS).as_bytes().to_vec(),
    }
}

fn cap(dice: &mut Dice) -> Planck {
    match dice.below(10) {
        0 => 0,
        1 => 1,
        2 => Planck::MAX,
        3 => 10_000 * SEL,
        _ => SEL / 2 * Planck::from(1 + dice.below(40)),
    }
}

fn version(dice: &mut Dice) -> u32 {
    let latest = pallet_edge_services::LatestPrices::<Runtime>::get();
    dice.below(u64::from(latest) + 2) as u32
}

fn create(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let hosts = match dice.below(12) {
        0 => vec![b"many.localhost".to_vec(); 17],
        _ => (0..dice.below(4)).map(|_| host(dice)).collect(),
    };
    let call = Call::create_service {
        hosts,
        origin_url: dice.of_all(&ORIGINS).as_bytes().to_vec(),
        cap: cap(dice),
        price_version: if dice.one_in(3) { version(dice) } else { 1 },
    };
    (customer(dice), call.into())
}

fn add_host(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let (signer, service, _) = service(dice);
    let host = host(dice);
    (signer, Call::add_host { service, host }.into())
}

fn remove_host(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let (signer, service, record) = service(dice);
    let listed = record.map(|record| record.hosts.into_inner());
    let host = match listed {
        Some(hosts) if !hosts.is_empty() && !dice.one_in(5) => {
            dice.of_all(&hosts).name.clone().into_inner()
        }
        _ => host(dice),
    };
    (signer, Call::remove_host { service, host }.into())
}

fn set_origin(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let (signer, service, _) = service(dice);
    let origin_url = dice.of_all(&ORIGINS).as_bytes().to_vec();
    let call = Call::set_origin {
        service,
        origin_url,
    };
    (signer, call.into())
}

fn set_cap(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let (signer, service, _) = service(dice);
    let cap = cap(dice);
    (signer, Call::set_cap { service, cap }.into())
}

fn set_price_version(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let (signer, service, _) = service(dice);
    let price_version = version(dice);
    let call = Call::set_price_version {
        service,
        price_version,
    };
    (signer, call.into())
}

fn pause(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let (signer, service, _) = service(dice);
    (signer, Call::pause { service }.into())
}

fn resume(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let (signer, service, _) = service(dice);
    (signer, Call::resume { service }.into())
}

fn remove(_: &World<'_>, dice: &mut Dice) -> (Signer, RuntimeCall) {
    let (signer, service, _) = service(dice);
    (signer, Call::remove_service { service }.into())
}

/// Gateways say what they found: those that were drawn and the others, of this epoch and another,
/// with their signature and without, for free and for a fee.
fn attest(world: &mut World<'_>, dice: &mut Dice) {
    let node = world.any_node(dice);
    let due = Services::due(&node.id());
    let (service, host, epoch) = match due.first() {
        Some((service, host, _, epoch)) if !dice.one_in(6) => (*service, host.clone(), *epoch),
        _ => {
            let (_, service, _) = service(dice);
            (service, host(dice), UsageClock::current())
        }
    };
    let verdict = HostCheckVerdict {
        device: if dice.one_in(10) {
            DeviceId([9; 32])
        } else {
            node.id()
        },
        service,
        host,
        epoch: if dice.one_in(10) { epoch.next() } else { epoch },
        found: !dice.one_in(3),
    };
    let signature = if dice.one_in(8) {
        Signature64::default()
    } else {
        node.sign(Domain::HostCheck, &verdict)
    };
    let HostCheckVerdict {
        device,
        service,
        host,
        epoch,
        found,
    } = verdict;
    let call = Call::attest_host {
        service,
        host,
        device,
        epoch,
        found,
        signature,
    };
    if dice.one_in(3) {
        world.submit(anybody(dice), call);
    } else {
        world.bring(call);
    }
}
