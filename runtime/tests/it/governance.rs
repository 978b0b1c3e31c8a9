//! What referenda may decide, and that nothing goes around them.

use crate::chain::{genesis, run, signed, validate};
use frame_support::{
    assert_noop, assert_ok,
    dispatch::RawOrigin,
    traits::{Contains, EnsureOrigin, Get},
};
use pallet_edge_governance::{Call, Error, Origin};
use pallet_referenda::TracksInfo;
use pallet_tx_pause::RuntimeCallNameOf;
use selvedge_primitives_types::{Ppm, Prices, Role};
use selvedge_runtime::{
    configs::{
        governance::{NeverStopped, UndecidingTimeout, VoteLockingPeriod},
        params::{dynamic_params::*, RoleAmount, RuntimeParameters},
        ranges::check_joint_ranges,
    },
    constants::{
        currency::SEL,
        time::{DAYS, MINUTES},
    },
    governance::{
        origins::{RootOrTreasury, SpendLimit},
        tracks::id,
        Tracks,
    },
    EdgeGovernance, OriginCaller, Parameters, Runtime, RuntimeCall, RuntimeOrigin, SafeMode,
    Services,
};
use sp_keyring::Sr25519Keyring;
use sp_runtime::{
    traits::{BadOrigin, Convert, Dispatchable},
    transaction_validity::{InvalidTransaction, TransactionValidityError},
};

fn set(
    origin: impl Into<RuntimeOrigin>,
    parameter: RuntimeParameters,
) -> frame_support::dispatch::DispatchResult {
    EdgeGovernance::set_parameter(origin.into(), parameter)
}

fn take(percent: u32) -> RuntimeParameters {
    RuntimeParameters::Shares(shares::Parameters::Take(
        shares::Take,
        Some(Ppm::percent(percent)),
    ))
}

fn referral(percent: u32) -> RuntimeParameters {
    let value = Some(Ppm::percent(percent));
    RuntimeParameters::Shares(shares::Parameters::Referral(shares::Referral, value))
}

fn burn(percent: u32) -> RuntimeParameters {
    let value = Some(Ppm::percent(percent));
    RuntimeParameters::Shares(shares::Parameters::Burn(shares::Burn, value))
}

fn cache_stake(amount: u128) -> RuntimeParameters {
    RuntimeParameters::Stakes(stakes::Parameters::CacheStake(
        stakes::CacheStake,
        Some(amount),
    ))
}

#[test]
fn the_defaults_are_sound_together() {
    genesis("development").execute_with(|| {
        assert_eq!(check_joint_ranges(), Ok(()));
        let described = EdgeGovernance::parameters();
        assert!(described.len() > 40);
        for parameter in described {
            assert!(
                parameter.is_within(),
                "{}",
                String::from_utf8_lossy(&parameter.name)
            );
            assert_eq!(parameter.default, parameter.current);
        }
    });
}

#[test]
fn a_track_sets_its_own_parameters_only() {
    genesis("local_testnet").execute_with(|| {
        assert_ok!(set(Origin::Roles, cache_stake(200 * SEL)));
        assert_eq!(RoleAmount::convert(Role::Cache), 200 * SEL);
        assert_ok!(set(Origin::Parameters, take(20)));
        for origin in [
            Origin::Parameters,
            Origin::Prices,
            Origin::TreasurySpend,
            Origin::Brake,
        ] {
            assert_noop!(set(origin, cache_stake(300 * SEL)), BadOrigin);
        }
        for origin in [
            Origin::Roles,
            Origin::Prices,
            Origin::TreasurySpend,
            Origin::Brake,
        ] {
            assert_noop!(set(origin, take(25)), BadOrigin);
        }
        let alice = RawOrigin::Signed(Sr25519Keyring::Alice.to_account_id());
        assert_noop!(set(alice, take(25)), BadOrigin);
        assert_noop!(set(RawOrigin::None, take(25)), BadOrigin);
    });
}

#[test]
fn a_value_outside_its_range_is_refused_whoever_asks() {
    genesis("development").execute_with(|| {
        for parameter in [take(9), take(31), cache_stake(0), cache_stake(u128::MAX)] {
            assert_noop!(
                set(RawOrigin::Root, parameter),
                Error::<Runtime>::OutOfRange
            );
        }
        let gone = RuntimeParameters::Shares(shares::Parameters::Take(shares::Take, None));
        assert_noop!(set(RawOrigin::Root, gone), Error::<Runtime>::ValueMissing);
    });
}

#[test]
fn values_that_are_unsound_together_are_refused() {
    genesis("development").execute_with(|| {
        let joint = Error::<Runtime>::OutOfJointRange;
        // 10 % less 10 % for the referrer and 1 % for auditors leaves nothing.
        assert_noop!(set(RawOrigin::Root, take(10)), joint);
        // 15 % − 10 % − 1 % leaves 4 %, which is all that may be burnt.
        assert_noop!(
            set(RawOrigin::Root, burn(5)),
            Error::<Runtime>::OutOfJointRange
        );
        let late =
            RuntimeParameters::Billing(billing::Parameters::MaxLate(billing::MaxLate, Some(5)));
        assert_noop!(
            set(RawOrigin::Root, late),
            Error::<Runtime>::OutOfJointRange
        );
        let pool = RuntimeParameters::Yields(yields::Parameters::PoolBase(
            yields::PoolBase,
            Some(Ppm::percent(36)),
        ));
        assert_noop!(
            set(RawOrigin::Root, pool),
            Error::<Runtime>::OutOfJointRange
        );
        let cache = RuntimeParameters::Shares(shares::Parameters::StargateShare(
            shares::StargateShare,
            Some(Ppm::percent(30)),
        ));
        assert_ok!(set(RawOrigin::Root, cache));
        // In another order the same end is sound.
        assert_ok!(set(RawOrigin::Root, referral(3)));
        assert_ok!(set(RawOrigin::Root, take(10)));
        assert_eq!(check_joint_ranges(), Ok(()));
    });
}

#[test]
fn the_stock_pallet_takes_nothing_from_anybody_else() {
    genesis("development").execute_with(|| {
        let origins: [RuntimeOrigin; 7] = [
            RawOrigin::Root.into(),
            RawOrigin::None.into(),
            RawOrigin::Signed(Sr25519Keyring::Alice.to_account_id()).into(),
            Origin::Parameters.into(),
            Origin::Roles.into(),
            Origin::Brake.into(),
            Origin::TreasurySpend.into(),
        ];
        for origin in origins {
            assert_noop!(Parameters::set_parameter(origin, take(20)), BadOrigin);
        }
    });
}

#[test]
fn only_the_upgrade_track_carries_root() {
    genesis("development").execute_with(|| {
        assert_eq!(<Tracks as TracksInfo<u128, u32>>::check_integrity(), Ok(()));
        let tracks: Vec<_> = Tracks::tracks().map(|track| track.into_owned()).collect();
        assert_eq!(tracks.len(), 6);
        let origins = [
            (id::UPGRADE, OriginCaller::system(RawOrigin::Root)),
            (id::PARAMETERS, Origin::Parameters.into()),
            (id::PRICES, Origin::Prices.into()),
            (id::TREASURY, Origin::TreasurySpend.into()),
            (id::ROLES, Origin::Roles.into()),
            (id::BRAKE, Origin::Brake.into()),
        ];
        for (id, origin) in origins {
            assert_eq!(Tracks::track_for(&origin), Ok(id));
        }
        for refused in [
            OriginCaller::system(RawOrigin::None),
            OriginCaller::system(RawOrigin::Signed(Sr25519Keyring::Alice.to_account_id())),
            Origin::RangeChecked.into(),
        ] {
            assert_eq!(Tracks::track_for(&refused), Err(()), "{refused:?}");
        }
        let upgrade = &tracks[usize::from(id::UPGRADE)].info;
        assert!(
            upgrade.min_enactment_period > 0,
            "an upgrade can be seen coming"
        );
    });
}

/// The table in `tracks.rs` holds for a day of 24 hours; a network for trials has a shorter one.
#[test]
fn periods_follow_the_day_of_the_network() {
    let periods = |id: u16| {
        let info = Tracks::info(id)
            .expect("there is such a track")
            .into_owned();
        [
            info.prepare_period,
            info.decision_period,
            info.confirm_period,
            info.min_enactment_period,
        ]
    };
    genesis("local_testnet").execute_with(|| {
        assert_eq!(periods(id::UPGRADE), [2, 42, 6, 14]);
        assert_eq!(periods(id::PARAMETERS), [1, 42, 2, 2]);
        assert_eq!(periods(id::BRAKE), [1, 42, 1, 0]);
        assert_eq!(VoteLockingPeriod::get(), 14);
        pallet_edge_chain_params::ReferendumDay::<Runtime>::put(DAYS);
        assert_eq!(periods(id::UPGRADE), [DAYS, 21 * DAYS, 3 * DAYS, 7 * DAYS]);
        assert_eq!(
            periods(id::BRAKE),
            [10 * MINUTES, 21 * DAYS, 30 * MINUTES, 0]
        );
        assert_eq!(VoteLockingPeriod::get(), 7 * DAYS);
        assert_eq!(UndecidingTimeout::get(), 14 * DAYS);
    });
}

#[test]
fn a_parameter_names_the_track_that_sets_it() {
    genesis("development").execute_with(|| {
        for parameter in EdgeGovernance::parameters() {
            let is_stakes = parameter.area == b"Stakes";
            let track = if is_stakes { "roles" } else { "parameters" };
            assert_eq!(parameter.track, track.as_bytes());
        }
    });
}

#[test]
fn prices_are_published_by_their_track() {
    genesis("local_testnet").execute_with(|| {
        let prices = Prices([1; 6]);
        assert_ok!(Services::publish_prices(Origin::Prices.into(), prices));
        assert_noop!(
            Services::publish_prices(Origin::Parameters.into(), prices),
            BadOrigin
        );
    });
}

#[test]
fn the_treasury_track_has_a_limit() {
    genesis("local_testnet").execute_with(|| {
        let limit = RootOrTreasury::try_origin(Origin::TreasurySpend.into());
        assert_eq!(limit.ok(), Some(SpendLimit::get()));
        assert_eq!(
            RootOrTreasury::try_origin(RawOrigin::Root.into()).ok(),
            Some(u128::MAX)
        );
        assert!(RootOrTreasury::try_origin(Origin::Brake.into()).is_err());
    });
}

/// The brake stops money, not consensus, and governance can still let go of it.
#[test]
fn the_brake_stops_what_it_should() {
    run("local_testnet", |chain| {
        let deposit = || pallet_edge_billing::Call::deposit { amount: 10 * SEL };
        assert_ok!(chain.send(Sr25519Keyring::Ferdie, deposit()));
        assert_ok!(SafeMode::force_enter(Origin::Brake.into()));
        let refused = signed(Sr25519Keyring::Ferdie, deposit());
        let outcome = chain.block([refused]).remove(0).expect("it is valid");
        assert_eq!(
            outcome,
            Err(frame_system::Error::<Runtime>::CallFiltered.into())
        );
        let stopped = pallet_balances::Call::transfer_keep_alive {
            dest: Sr25519Keyring::Alice.to_account_id().into(),
            value: SEL,
        };
        assert_noop!(
            RuntimeCall::from(stopped)
                .dispatch(RawOrigin::Signed(Sr25519Keyring::Ferdie.to_account_id()).into())
                .map(drop)
                .map_err(|error| error.error),
            frame_system::Error::<Runtime>::CallFiltered
        );
        chain.blocks(3);
        assert_ok!(SafeMode::force_exit(Origin::Brake.into()));
        assert_ok!(chain.send(Sr25519Keyring::Ferdie, deposit()));
    });
}

#[test]
fn the_brake_never_stops_what_releases_it() {
    let set = RuntimeCall::from(Call::set_parameter {
        parameter: take(20),
    });
    assert!(<NeverStopped as Contains<RuntimeCall>>::contains(&set));
    let time = RuntimeCall::Timestamp(pallet_timestamp::Call::set { now: 1 });
    assert!(<NeverStopped as Contains<RuntimeCall>>::contains(&time));
    let claim = RuntimeCall::from(pallet_edge_billing::Call::claim {});
    assert!(!<NeverStopped as Contains<RuntimeCall>>::contains(&claim));
}

/// What the safe mode lets through for the whole of a pallet, nobody can pause by name either.
#[test]
fn what_cannot_be_stopped_cannot_be_paused() {
    let name = |pallet: &str| {
        let call = |text: &str| {
            text.as_bytes()
                .to_vec()
                .try_into()
                .expect("names are short")
        };
        (call(pallet), call("any"))
    };
    for pallet in [
        "Timestamp",
        "Babe",
        "Grandpa",
        "Session",
        "EdgeGovernance",
        "Referenda",
    ] {
        assert!(<NeverStopped as Contains<RuntimeCallNameOf<Runtime>>>::contains(&name(pallet)));
    }
    for pallet in ["Billing", "Balances", "Services", "NodeStaking", "Utility"] {
        assert!(!<NeverStopped as Contains<RuntimeCallNameOf<Runtime>>>::contains(&name(pallet)));
    }
}

#[test]
fn a_wallet_without_funds_is_told_so() {
    run("development", |_| {
        let poor = signed(
            Sr25519Keyring::One,
            frame_system::Call::remark { remark: vec![] },
        );
        let no_funds = TransactionValidityError::Invalid(InvalidTransaction::Payment);
        assert_eq!(validate(poor), Err(no_funds));
    });
}
