//! What a node is granted for an era of a year.

use crate::{mock::*, *};
use pallet_edge_mocks::Network;
use selvedge_primitives_math::yields::YEAR_MILLIS;
use selvedge_primitives_types::{Millis, Score};

fn last(id: u8) -> EraEarning {
    NodeYields::earnings_of(stake(id))[0]
}

#[test]
fn base_follows_stake_and_quality() {
    run(|| {
        node(1, Role::Gateway, 1_000 * SEL);
        node(2, Role::Gateway, 2_000 * SEL);
        node(3, Role::Stargate, 1_000 * SEL);
        Network::change(device(2), |node| node.quality = Score(500_000));
        close_at(10);
        // Half of 15 %, half of 15 % of twice the stake at half the quality, half of 20 %.
        assert_eq!(
            (payable(1), payable(2), payable(3)),
            (75 * SEL, 75 * SEL, 100 * SEL)
        );
        assert_eq!(last(1).activity, 0);
    });
}

#[test]
fn activity_follows_charges_up_to_what_the_stake_allows() {
    run(|| {
        node(1, Role::Gateway, 1_000 * SEL);
        node(2, Role::Cache, 1_000 * SEL);
        matured(1, 1_000 * SEL);
        matured(2, 1_000_000 * SEL);
        close_at(10);
        // κ · λ · n of the charges: 0.5 · 0.35 · 0.04 = 0.7 %.
        assert_eq!(
            (last(1).activity, last(1).basis.bound()),
            (7 * SEL, Bound::Charges)
        );
        // Half of 10 % of the stake, at full service, without tenure or boost.
        assert_eq!(
            (last(2).activity, last(2).basis.bound()),
            (50 * SEL, Bound::Stake)
        );
        assert_eq!(payable(2), 100 * SEL);
    });
}

#[test]
fn service_tenure_and_boost_raise_activity() {
    run(|| {
        for id in 1..=4 {
            node(id, Role::Cache, 1_000 * SEL);
            matured(id, 1_000_000 * SEL);
        }
        Network::change(device(1), |node| node.service = Score(1_500_000));
        Network::change(device(2), |node| node.boost = 4_000_000);
        // Two years count as four steps of 180 days.
        Network::change(device(3), |node| node.since = Millis(0));
        Network::change(device(4), |node| node.service = Score(0));
        Network::set_pace(Millis(EPOCH), 20);
        close_at(20);
        let activity = [1, 2, 3, 4].map(|id| last(id).activity / SEL);
        assert_eq!(activity, [150, 400, 140, 0]);
    });
}

#[test]
fn a_validators_yield_stays_at_its_ceiling() {
    run(|| {
        for id in 1..=3 {
            node(id, Role::Validator, 1_000 * SEL);
            matured(id, 1_000_000 * SEL);
        }
        Network::change(device(1), |node| {
            node.service = Score(1_500_000);
            node.boost = 4_000_000;
            node.since = Millis(0);
        });
        Network::change(device(2), |node| node.service = Score(500_000));
        Network::change(device(3), |node| node.quality = Score(0));
        close_at(10);
        // 12 % at most; half of it is base.
        assert_eq!(
            (payable(1), payable(2), payable(3)),
            (120 * SEL, 90 * SEL, 60 * SEL)
        );
    });
}

#[test]
fn only_active_epochs_count() {
    run(|| {
        for id in 1..=3 {
            node(id, Role::Cache, 1_000 * SEL);
        }
        Network::change(device(1), |node| node.from = Epoch(6));
        // Joined with the next era, and left during this one.
        Network::change(device(2), |node| node.from = Epoch(10));
        Network::change(device(3), |node| node.until = Some(Epoch(9)));
        close_at(10);
        // Epochs 6 to 9 of ten.
        assert_eq!((payable(1), payable(2), payable(3)), (20 * SEL, 0, 0));
    });
}

#[test]
fn splitting_a_stake_gains_nothing() {
    run(|| {
        node(1, Role::Cache, 1_000 * SEL);
        for id in 2..=11 {
            node(id, Role::Cache, 100 * SEL);
        }
        close_at(10);
        let split: Planck = (2..=11).map(payable).sum();
        assert!(split <= payable(1));
    });
}

#[test]
fn one_owner_is_granted_for_all_its_nodes() {
    run(|| {
        node(1, Role::Cache, 100 * SEL);
        node(2, Role::Gateway, 100 * SEL);
        Network::change(device(2), |node| node.owner = account(1));
        close_at(10);
        assert_eq!(payable(1), 5 * SEL + 75 * SEL / 10);
        assert_eq!(payable(2), 0);
    });
}

#[test]
fn charges_count_by_the_rates_at_which_they_mature() {
    run(|| {
        let before = Terms::convert(Role::Gateway);
        let after = YieldTerms {
            take: Ppm::percent(30),
            ..before
        };
        node(1, Role::Gateway, 1_000_000 * SEL);
        // 0.7 % before a referendum takes force, 0.5 · 0.35 · 0.19 = 3.325 % from then on.
        matured_by(&before, 1, 1_000 * SEL);
        begin(5);
        matured_by(&after, 1, 1_000 * SEL);
        close_at(10);
        assert_eq!(last(1).activity, 7 * SEL + 33 * SEL + SEL / 4);
        assert_eq!(last(1).basis.brought.amount, 2_000 * SEL);
    });
}

#[test]
fn a_payout_says_what_it_is_made_of() {
    run_with(1_000 * SEL, || {
        node(1, Role::Gateway, 1_000 * SEL);
        Network::change(device(1), |node| {
            node.quality = Score(900_000);
            node.service = Score(1_100_000);
            node.boost = 2_000_000;
            node.since = Millis(0);
        });
        matured(1, 10_000 * SEL);
        close_at(10);
        let earning = last(1);
        let Basis { base, allowed, .. } = earning.basis;
        assert_eq!(
            earning.basis,
            Basis {
                device: device(1),
                role: Role::Gateway,
                stake: 1_000 * SEL,
                millis: YEAR_MILLIS,
                apr: Ppm::percent(15),
                beta: Ppm::percent(50),
                quality: Score(900_000),
                service: Score(1_100_000),
                tenure_days: 365,
                boost: Ppm(2_000_000),
                brought: Brought {
                    amount: 10_000 * SEL,
                    returnable: 70 * SEL,
                },
                base,
                allowed,
            }
        );
        // 7.5 % of the stake: × 0.9, and × 1.1 × (1 + 365 / 1,800) × 2.
        assert_eq!(base, 67_500_000 * SEL / 1_000_000);
        assert_eq!(allowed / (SEL / 1_000), 198_458);
        assert_eq!(earning.basis.bound(), Bound::Charges);
        // 100 are emitted, 35 of them for base yields and 15 for activity.
        assert_eq!((earning.base, earning.base_scale), (35 * SEL, Ppm(518_518)));
        assert_eq!(
            (earning.activity, earning.activity_scale),
            (15 * SEL, Ppm(214_285))
        );
    });
}

#[test]
fn a_stake_that_moves_is_paid_for_what_its_devices_brought() {
    run(|| {
        node(1, Role::Cache, 1_000 * SEL);
        matured(1, 1_000 * SEL);
        // From epoch 4 on it is on another device.
        Network::change(device(1), |node| node.until = Some(Epoch(4)));
        node(2, Role::Cache, 1_000 * SEL);
        Network::change(device(2), |node| {
            node.from = Epoch(4);
            node.stake_id = Some(stake(1));
        });
        begin(6);
        matured(2, 500 * SEL);
        close_at(10);
        let earning = last(1);
        assert_eq!(earning.basis.device, device(2));
        assert_eq!(earning.basis.brought.amount, 1_500 * SEL);
        // Six of ten epochs on the device that carries it at the end.
        assert_eq!(earning.base, 30 * SEL);
        assert_eq!(payable(1), 0);
    });
}
