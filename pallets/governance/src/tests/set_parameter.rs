use crate::{
    mock::{
        execute,
        params::shares::{self, Parameters as Shares},
        EdgeGovernance, Parameters, RuntimeEvent, RuntimeOrigin, RuntimeParameters, System, Test,
    },
    Error, Event, Origin, ParameterRanges, RangeViolation,
};
use frame_support::{assert_noop, assert_ok, traits::Get};
use sp_runtime::DispatchError::BadOrigin;

fn take(value: u32) -> RuntimeParameters {
    RuntimeParameters::Shares(Shares::Take(shares::Take, Some(value)))
}

fn referral(value: u32) -> RuntimeParameters {
    RuntimeParameters::Shares(Shares::Referral(shares::Referral, Some(value)))
}

#[test]
fn the_track_sets_a_value_inside_its_range() {
    execute(|| {
        assert_ok!(EdgeGovernance::set_parameter(
            Origin::Parameters.into(),
            take(20)
        ));
        assert_eq!(shares::Take::get(), 20);
        assert!(System::events().iter().any(|record| matches!(
            record.event,
            RuntimeEvent::EdgeGovernance(Event::ParameterSet { .. })
        )));
    });
}

#[test]
fn a_value_outside_its_range_is_refused() {
    execute(|| {
        for value in [0, 9, 31, u32::MAX] {
            assert_noop!(
                EdgeGovernance::set_parameter(Origin::Parameters.into(), take(value)),
                Error::<Test>::OutOfRange
            );
        }
    });
}

#[test]
fn a_value_outside_a_joint_range_is_refused() {
    execute(|| {
        assert_noop!(
            EdgeGovernance::set_parameter(Origin::Parameters.into(), take(12)),
            Error::<Test>::OutOfJointRange
        );
        assert_ok!(EdgeGovernance::set_parameter(
            Origin::Parameters.into(),
            referral(5)
        ));
        assert_ok!(EdgeGovernance::set_parameter(
            Origin::Parameters.into(),
            take(12)
        ));
        assert_noop!(
            EdgeGovernance::set_parameter(Origin::Parameters.into(), referral(10)),
            Error::<Test>::OutOfJointRange
        );
    });
}

#[test]
fn a_parameter_is_never_taken_away() {
    execute(|| {
        let nothing = RuntimeParameters::Shares(Shares::Take(shares::Take, None));
        assert_noop!(
            EdgeGovernance::set_parameter(Origin::Parameters.into(), nothing),
            Error::<Test>::ValueMissing
        );
    });
}

#[test]
fn nobody_but_the_track_may_set_it() {
    execute(|| {
        for origin in [
            RuntimeOrigin::signed(1),
            RuntimeOrigin::root(),
            RuntimeOrigin::none(),
            Origin::Prices.into(),
            Origin::TreasurySpend.into(),
            Origin::Roles.into(),
            Origin::Brake.into(),
            Origin::RangeChecked.into(),
        ] {
            assert_noop!(EdgeGovernance::set_parameter(origin, take(20)), BadOrigin);
        }
    });
}

#[test]
fn the_stock_pallet_takes_nobody_elses_word() {
    execute(|| {
        for origin in [
            RuntimeOrigin::signed(1),
            RuntimeOrigin::root(),
            Origin::Parameters.into(),
        ] {
            assert_noop!(Parameters::set_parameter(origin, take(99)), BadOrigin);
        }
    });
}

#[test]
fn the_invariant_can_fail() {
    execute(|| {
        // The stock pallet alone would store it: the check is what keeps it out.
        assert_ok!(Parameters::set_parameter(
            Origin::RangeChecked.into(),
            take(99)
        ));
        assert_eq!(
            crate::mock::Ranges::check(&take(99)),
            Err(RangeViolation::Value)
        );
        let broken = EdgeGovernance::do_try_state().unwrap_err();
        assert!(<&str>::from(broken).starts_with("invariant 1:"));
        assert_ok!(Parameters::set_parameter(
            Origin::RangeChecked.into(),
            take(15)
        ));
    });
}

#[test]
fn ranges_defaults_and_values_can_be_read() {
    execute(|| {
        assert_ok!(EdgeGovernance::set_parameter(
            Origin::Parameters.into(),
            take(20)
        ));
        let all = EdgeGovernance::parameters();
        assert_eq!(all[0].name, b"Take");
        assert_eq!((all[0].min, all[0].max), (10, 30));
        assert_eq!((all[0].default, all[0].current), (15, 20));
        assert_eq!((all[1].default, all[1].current), (10, 10));
    });
}
