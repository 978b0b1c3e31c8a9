//! Bounded loads.

use selvedge_edge_core_routing::{Loads, Placement};
use selvedge_primitives_types::DeviceId;

use crate::nodes::{cache, device, of_blob};

fn placement(caches: u32) -> Placement {
    let nodes: Vec<_> = (0..caches)
        .map(|number| cache(number, ["eu", "us"][number as usize % 2], 1 + number % 4))
        .collect();
    Placement::new(&nodes)
}

/// Places so many blobs one after the other.
fn placed(placement: &Placement, blobs: u64, factor: u8) -> Loads {
    let mut loads = Loads::new();
    for number in 0..blobs {
        for owner in of_blob(number, |target| {
            placement.owners_with(target, factor, &loads)
        }) {
            loads.add(owner, 1);
        }
    }
    loads
}

#[test]
fn nobody_is_given_more_than_five_quarters_of_its_part() {
    let (caches, blobs) = (200, 4_000);
    let placement = placement(caches);
    let loads = placed(&placement, blobs, 1);
    let mut plain = Loads::new();
    for number in 0..blobs {
        plain.add(of_blob(number, |target| placement.owners(target, 1))[0], 1);
    }
    let weights: u64 = (0..caches).map(|number| u64::from(1 + number % 4)).sum();
    let excess = |loads: &Loads, number: u32| {
        let fair = blobs as f64 * f64::from(1 + number % 4) / weights as f64;
        loads.of(&device(number)) as f64 - fair * 1.25
    };
    let worst = |loads| {
        (0..caches)
            .map(|number| excess(loads, number))
            .fold(f64::MIN, f64::max)
    };
    assert!(worst(&loads) <= 1.0, "{}", worst(&loads));
    // Without loads some are, so the bound does something.
    assert!(worst(&plain) > 2.0, "{}", worst(&plain));
    let total: u64 = (0..caches).map(|number| loads.of(&device(number))).sum();
    assert_eq!(total, blobs);
}

#[test]
fn the_same_loads_give_the_same_owners() {
    let placement = placement(100);
    assert_eq!(placed(&placement, 500, 3), placed(&placement, 500, 3));
}

#[test]
fn who_is_full_is_passed_over_and_the_others_keep_their_order() {
    let placement = placement(100);
    let plain: Vec<DeviceId> = of_blob(9, |target| placement.owners(target, 1));
    let mut loads = Loads::new();
    loads.add(plain[0], 10);
    let spilled = of_blob(9, |target| placement.owners_with(target, 1, &loads));
    assert_ne!(spilled, plain);
    assert_eq!(
        of_blob(9, |target| placement.owners_with(target, 1, &Loads::new())),
        plain
    );
}

#[test]
fn when_all_are_full_all_are_asked() {
    let placement = placement(2);
    let mut loads = Loads::new();
    loads.add(device(0), u64::MAX);
    loads.add(device(1), u64::MAX);
    assert_eq!(
        of_blob(1, |target| placement.owners_with(target, 2, &loads)).len(),
        2
    );
}
