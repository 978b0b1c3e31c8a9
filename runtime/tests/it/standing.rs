//! Ways to earn without a machine, from the transactions to the payout: moving a stake to fresh devices, and draining for ever.

use crate::{
    chain::{run, Chain, Device},
    economy::{assign, join, register},
    probes::{gateways, report},
};
use frame_support::assert_ok;
use pallet_edge_driver::SubmitUsage;
use pallet_edge_registry::Call as RegistryCall;
use pallet_edge_staking::Call as StakingCall;
use pallet_edge_traits::EpochClock;
use selvedge_primitives_types::{DeviceId, Era, Planck, Role, StakeId};
use selvedge_runtime::{configs::driver::Submitter, views, Runtime, UsageClock};
use sp_keyring::Sr25519Keyring::{self, Bob, Ferdie};

/// Who runs no machine.
const CHEAT: Sr25519Keyring = Ferdie;
/// Eras that are looked at. The first is none that a node was there for from its begin.
const ERAS: u64 = 6;

/// What a stake was granted, oldest era first.
fn granted(stake: StakeId) -> Vec<(Era, Planck)> {
    let eras = views::explain_earnings(stake).into_iter().rev();
    eras.map(|era| (era.era, era.base + era.activity)).collect()
}

fn total(stake: StakeId) -> Planck {
    granted(stake).iter().map(|(_, amount)| amount).sum()
}

/// Five gateways that probe, a cache that answers them and one that does not; in every epoch the cheat acts first.
/// Returns the honest stake and the cheat's.
fn eras(chain: &mut Chain, mut act: impl FnMut(&mut Chain, u64, StakeId)) -> (StakeId, StakeId) {
    let gateways = gateways(chain);
    let (honest, dead) = (Device::new(6), Device::new(7));
    let stake = join(chain, &honest, Bob, Role::Cache);
    let cheat = join(chain, &dead, CHEAT, Role::Cache);
    assert_ok!(chain.send(CHEAT, register(&Device::new(8), CHEAT, Role::Cache)));
    let mut up = gateways;
    up.push(honest);
    let length = UsageClock::epochs_per_era();
    for epoch in 1..ERAS * length {
        chain.run_to(epoch, 0);
        act(chain, epoch, cheat);
        chain.run_to(epoch, 2);
        for gateway in &up[..5] {
            let report = report(&up, gateway, epoch, DeviceId::default());
            if !report.probes.is_empty() {
                Submitter::report_probes(&gateway.agent_key, report).expect("the pool takes it");
            }
        }
        chain.apply_submitted();
    }
    chain.run_to(ERAS * length, 1);
    (stake, cheat)
}

/// What whoever runs no machine earns ends, and comes to less than half of what the same stake earns with one.
fn assert_it_does_not_pay(honest: StakeId, cheat: StakeId) {
    let (_, last) = *granted(honest).last().expect("it was paid");
    assert!(last > 0);
    assert!(2 * total(cheat) < total(honest));
    let of_last = granted(cheat)
        .into_iter()
        .filter(|(era, _)| era.0 + 2 >= ERAS);
    assert_eq!(of_last.map(|(_, amount)| amount).sum::<Planck>(), 0);
}

#[test]
fn throw_away_devices_earn_less_than_a_machine() {
    run("development", |chain| {
        let devices = [Device::new(7), Device::new(8)];
        let length = UsageClock::epochs_per_era();
        let mut moves = 0;
        let (honest, cheat) = eras(chain, |chain, epoch, stake| {
            // In the first epoch of an era, so that no device is ever there for a whole one.
            if epoch % length == 0 {
                assert_ok!(chain.send(CHEAT, StakingCall::unassign { stake }));
                moves += 1;
                assert_ok!(chain.send(CHEAT, assign(&devices[moves % 2], CHEAT, stake)));
            }
        });
        assert_eq!(moves as u64, ERAS - 1);
        assert_it_does_not_pay(honest, cheat);
        // The device it is on is new, and out all the same.
        let fresh = views::explain_score(devices[moves % 2].id()).expect("it is registered");
        assert!(fresh.out.is_some() && fresh.absent == 0);
    });
}

#[test]
fn draining_for_ever_earns_less_than_a_machine() {
    run("development", |chain| {
        let device = Device::new(7).id();
        let (mut asked, mut granted) = (0, 0);
        let (honest, cheat) = eras(chain, |chain, _, _| {
            let drain = RegistryCall::request_drain { device };
            asked += 1;
            match chain.send(CHEAT, drain) {
                Ok(_) => granted += 1,
                Err(refused) => assert!(
                    [
                        pallet_edge_registry::Error::<Runtime>::AlreadyDraining.into(),
                        pallet_edge_registry::Error::<Runtime>::DrainTooSoon.into(),
                    ]
                    .contains(&refused),
                    "{refused:?}"
                ),
            }
        });
        // One grant of seven eras, for the rest of an epoch and one more.
        assert_eq!((asked, granted), (ERAS * 4 - 1, 1));
        let node = views::node(device).expect("it is registered");
        let drain = node.drain.expect("it was granted");
        assert_eq!(drain.until.since(drain.from), 2);
        assert!(!node.draining && node.next_drain.is_some());
        assert_it_does_not_pay(honest, cheat);
    });
}
