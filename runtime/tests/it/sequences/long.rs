//! What comes to its end only after a day of epochs, on the way judged block by block.

use super::{cast, cast::Signer, logs, story::Story, world::World};
use crate::chain::{genesis_of, run_from};
use pallet_edge_governance::{Call as Governance, Origin};
use pallet_edge_services::Call as Services;
use pallet_edge_staking::Call as Staking;
use pallet_edge_traits::EpochClock;
use selvedge_primitives_types::{ServiceId, StakeId};
use selvedge_runtime::{
    configs::params::{
        dynamic_params::stakes::{OffenceWindow, Parameters, UnlockPeriod},
        RuntimeParameters, DAY_MILLIS,
    },
    constants::currency::SEL,
    UsageClock,
};
use sp_keyring::Sr25519Keyring::{Charlie, Dave, Ferdie};

/// Stakes of the second gateway and the first cache.
const GATEWAY: StakeId = StakeId(5);
const CACHE: StakeId = StakeId(6);

fn run_to(world: &mut World<'_>, epoch: u64) {
    while UsageClock::current().0 < epoch {
        world.end_epoch();
    }
}

#[test]
fn chunks_stakes_and_services_are_let_go_in_time() {
    logs::listen();
    let story = Story::default();
    run_from(genesis_of(cast::genesis()), |chain| {
        let mut world = World::new(chain, story.clone(), super::acts::ALL);
        for parameter in [
            Parameters::UnlockPeriod(UnlockPeriod, Some(DAY_MILLIS)),
            Parameters::OffenceWindow(OffenceWindow, Some(DAY_MILLIS / 24)),
        ] {
            let parameter = RuntimeParameters::Stakes(parameter);
            assert!(world.decide(Origin::Roles, Governance::set_parameter { parameter }));
        }
        let [charlie, dave, ferdie] = [Charlie, Dave, Ferdie].map(Signer::Person);
        world.submit(charlie, Staking::unassign { stake: GATEWAY });
        let amount = 1_000 * SEL;
        let unlock = Staking::request_unlock {
            stake: GATEWAY,
            amount,
        };
        world.submit(charlie, unlock);
        world.submit(dave, Staking::unassign { stake: CACHE });
        let service = ServiceId(0);
        world.submit(ferdie, Services::pause { service });

        // An hour after the epoch in which it left.
        run_to(&mut world, 61);
        world.submit(dave, Staking::release_express { stake: CACHE });
        // As long as claims about it may come.
        run_to(&mut world, 169);
        world.submit(ferdie, Services::remove_service { service });
        // A day of minutes.
        run_to(&mut world, 24 * 60 + 1);
        let chunk = 0;
        let withdraw = Staking::withdraw_unlocked {
            stake: GATEWAY,
            chunk,
        };
        world.submit(charlie, withdraw);
        world.close();
    });
    let tally = story.tally();
    for (pallet, call) in [
        ("NodeStaking", "release_express"),
        ("NodeStaking", "withdraw_unlocked"),
        ("Services", "remove_service"),
    ] {
        let tally = tally.get(&(pallet.into(), call.into()));
        assert!(
            tally.is_some_and(|tally| tally.done == 1),
            "{call}\n{story}"
        );
    }
}
