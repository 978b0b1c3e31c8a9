//! Whatever happens in whatever order, the invariants hold and no token is lost.

use crate::{mock::*, *};
use pallet_edge_traits::{StakeInspect, StakeSlash};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Op {
    Create(u8, Role),
    Assign(u64, u8),
    Unassign(u64),
    Unlock(u64, Planck),
    Withdraw(u64, u32),
    Express(u64),
    Lock(u64, u32),
    Slash(u8, u64, Ppm),
    Pass(u64),
}

fn op() -> impl Strategy<Value = Op> {
    let (stake, device) = (0..6u64, 1..=6u8);
    let role = prop_oneof![
        Just(Role::Cache),
        Just(Role::Gateway),
        Just(Role::Validator)
    ];
    prop_oneof![
        2 => (1..=3u8, role).prop_map(|(owner, role)| Op::Create(owner, role)),
        6 => (stake.clone(), device.clone()).prop_map(|(stake, device)| Op::Assign(stake, device)),
        3 => stake.clone().prop_map(Op::Unassign),
        2 => (stake.clone(), 0..60_000u128).prop_map(|(stake, amount)| Op::Unlock(stake, amount)),
        2 => (stake.clone(), 0..3u32).prop_map(|(stake, chunk)| Op::Withdraw(stake, chunk)),
        1 => stake.clone().prop_map(Op::Express),
        1 => (stake, 0..40u32).prop_map(|(stake, days)| Op::Lock(stake, days)),
        1 => (device, 0..5u64, 0..=1_000_000u32)
            .prop_map(|(device, ago, part)| Op::Slash(device, ago, Ppm(part))),
        4 => prop_oneof![0..3 * EPOCH, 0..100 * types::DAY.0].prop_map(Op::Pass),
    ]
}

/// Does it as the stake's owner; whether it succeeds is not the point here.
fn apply(op: Op) {
    let origin = |stake: u64| {
        let owner = Stakes::<Test>::get(StakeId(stake)).map_or(account(1), |entry| entry.owner);
        RuntimeOrigin::signed(owner)
    };
    let _ = match op {
        Op::Create(owner, role) => {
            NodeStaking::create_stake(RuntimeOrigin::signed(account(owner)), role)
        }
        Op::Assign(stake, id) => {
            let Some(entry) = Stakes::<Test>::get(StakeId(stake)) else {
                return;
            };
            let owner = <[u8; 32]>::from(entry.owner)[0];
            register(id, owner, entry.role);
            assign(stake, id, owner)
        }
        Op::Unassign(stake) => NodeStaking::unassign(origin(stake), StakeId(stake)),
        Op::Unlock(stake, amount) => {
            NodeStaking::request_unlock(origin(stake), StakeId(stake), amount)
        }
        Op::Withdraw(stake, chunk) => {
            NodeStaking::withdraw_unlocked(origin(stake), StakeId(stake), chunk)
        }
        Op::Express(stake) => NodeStaking::release_express(origin(stake), StakeId(stake)),
        Op::Lock(stake, days) => NodeStaking::commit_lock(origin(stake), StakeId(stake), days),
        Op::Slash(id, ago, part) => {
            let epoch = Clock::current().minus(ago);
            let slashed = NodeStaking::slash(&device(id), epoch, part, Some(&account(3)));
            assert!(slashed.reward <= slashed.taken);
            Ok(())
        }
        Op::Pass(millis) => {
            pass(millis);
            Ok(())
        }
    };
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn keep_the_invariants(ops in prop::collection::vec(op(), 1..80)) {
        run(|| {
            let issued = <Balances as Inspect<AccountId32>>::total_issuance();
            for op in ops {
                apply(op);
                NodeStaking::check_invariants().unwrap();
                for role in Role::ALL {
                    let active = NodeStaking::active_devices(role, u32::MAX);
                    let counted = NodeStaking::active_count(role, Clock::current());
                    assert_eq!(active.len() as u32, counted);
                }
            }
            assert_eq!(<Balances as Inspect<AccountId32>>::total_issuance(), issued);
        });
    }
}
