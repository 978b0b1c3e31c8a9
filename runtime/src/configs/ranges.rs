//! The range of every governed number, and the ranges that some have together.
//!
//! The own range keeps a typing error out; the joint ranges keep the economy sound, whatever order
//! the numbers are changed in.

use alloc::vec::Vec;
use core::ops::RangeInclusive;
use frame_support::{
    storage::{with_transaction, TransactionOutcome},
    traits::{dynamic_params::AggregatedKeyValue, Get},
};
use pallet_edge_audits::canary::MAX_SHARE;
use pallet_edge_billing::types::MAX_UNSETTLED;
use pallet_edge_governance::{
    ParameterDescription, ParameterRanges, ParameterStore, RangeViolation,
};
use pallet_edge_staking::types::MAX_ELECTED;
use selvedge_primitives_math::ranges::{self, RangeError, Rates};
use selvedge_primitives_types::Ppm;
use sp_runtime::{DispatchError, DispatchResult};

use super::params::{
    dynamic_params::{audits, billing, services, shares, stakes, yields},
    RuntimeParameters, RuntimeParametersKey, DAY_MILLIS,
};
use crate::{
    constants::currency::{MILLI, SEL},
    governance::{origins::track_of, tracks},
    Parameters, Runtime, RuntimeOrigin,
};

/// Longest hold-back in epochs: twice it, as nobody's audit takes, and the unsettled ones stay below
/// the history that staking and services keep, and below the commitments a gateway may have open.
pub const MAX_HOLD_BACK: u64 = 48;

/// Longest time for redeeming vouchers, in epochs: after the longest hold-back it ends before the nodes of the epoch are
/// forgotten.
pub const MAX_REDEEM: u64 = 30;

/// Checks a value against its range, and all numbers as they would be with it.
pub struct Ranges;

impl ParameterRanges<RuntimeParameters> for Ranges {
    fn check(parameter: &RuntimeParameters) -> Result<(), RangeViolation> {
        if !is_in_own_range(parameter) {
            return Err(RangeViolation::Value);
        }
        let (key, value) = parameter.clone().into_parts();
        // Everything reads the numbers from storage: put the value there, look, and take it back.
        let joint = with_transaction(|| {
            pallet_parameters::Parameters::<Runtime>::set(key, value);
            TransactionOutcome::Rollback(Ok::<_, DispatchError>(check_joint_ranges()))
        });
        match joint {
            Ok(Ok(())) => Ok(()),
            _ => Err(RangeViolation::Joint),
        }
    }

    fn describe() -> Vec<ParameterDescription> {
        describe()
    }
}

/// Stores a parameter with the stock pallet, on governance's word that it is in range.
pub struct Store;

impl ParameterStore<RuntimeParameters> for Store {
    fn store(parameter: RuntimeParameters) -> DispatchResult {
        let origin = RuntimeOrigin::from(pallet_edge_governance::Origin::RangeChecked);
        Parameters::set_parameter(origin, parameter)
    }
}

/// Checks that the numbers in force are sound together; says which are not.
pub fn check_joint_ranges() -> Result<(), &'static str> {
    Rates {
        take: shares::Take::get(),
        stargate: shares::StargateShare::get(),
        cache: shares::CacheShare::get(),
        referral: shares::Referral::get(),
        audit: shares::AuditFee::get(),
        burn: shares::Burn::get(),
        kappa: yields::Kappa::get(),
        beta: yields::Beta::get(),
        lambdas: [
            yields::LambdaGateway::get(),
            yields::LambdaCache::get(),
            yields::LambdaStargate::get(),
        ],
        pools: [
            yields::PoolValidators::get(),
            yields::PoolBase::get(),
            yields::PoolActivity::get(),
        ],
    }
    .check()
    .map_err(RangeError::rule)?;
    ensure(
        audits::TermsSlash::get() <= audits::LeafSlash::get()
            && audits::LeafSlash::get() <= audits::ForgerySlash::get(),
        "a graver defect costs at least as much",
    )?;
    ensure(
        billing::UnsettledEpochs::get() >= u64::from(billing::MaxLate::get()) + 7,
        "what is committed late can still be audited and settled",
    )?;
    ensure(
        billing::HistoryEpochs::get()
            >= billing::UnsettledEpochs::get()
                + 2 * billing::HoldBackEpochs::get()
                + billing::RedeemEpochs::get()
                + 24,
        "invoices are kept for a day after they are final",
    )
}

fn ensure(holds: bool, rule: &'static str) -> Result<(), &'static str> {
    holds.then_some(()).ok_or(rule)
}

/// Declares every parameter's range: the check and the description are made of the same table, and
/// a parameter that is missing here does not compile.
macro_rules! own_ranges {
    ($($area:ident of $module:ident {
        $($name:ident: $range:expr, $unit:literal;)*
    })*) => {
        fn is_in_own_range(parameter: &RuntimeParameters) -> bool {
            match parameter {
                $(RuntimeParameters::$area(parameter) => match parameter {
                    $($module::Parameters::$name(_, value) => within(value, $range),)*
                },)*
            }
        }

        /// Every parameter with its range and the number in force.
        fn in_force() -> Vec<ParameterDescription> {
            alloc::vec![$($({
                let (min, max) = $range.into_inner();
                let [min, max, current] = numbers([min, max, $module::$name::get()]);
                let key = RuntimeParametersKey::$area($module::ParametersKey::$name($module::$name));
                ParameterDescription {
                    track: tracks::name(track_of(&key)).into(),
                    area: stringify!($area).into(),
                    name: stringify!($name).into(),
                    unit: $unit.into(),
                    min,
                    max,
                    default: current,
                    current,
                }
            },)*)*]
        }
    };
}

own_ranges! {
    Stakes of stakes {
        ValidatorStake: ranges::VALIDATOR_STAKE, "planck";
        StargateStake: ranges::STARGATE_STAKE, "planck";
        GatewayStake: ranges::GATEWAY_STAKE, "planck";
        CacheStake: ranges::CACHE_STAKE, "planck";
        MaxValidators: 1..=MAX_ELECTED, "validators";
        UnlockPeriod: DAY_MILLIS..=365 * DAY_MILLIS, "ms";
        ExpressFee: ranges::EXPRESS_FEE, "ppm";
        OffenceWindow: DAY_MILLIS / 24..=28 * DAY_MILLIS, "ms";
        ReporterShare: ranges::REPORTER_SHARE, "ppm";
        ReporterMax: ranges::REPORTER_MAX, "planck";
        DeviceDeposit: ranges::DEVICE_DEPOSIT, "planck";
        DrainEpochs: 1..=12, "epochs";
        DrainRest: 3..=90, "eras";
    }
    Billing of billing {
        MinDeposit: 10 * MILLI..=100 * SEL, "planck";
        UnsettledEpochs: 7..=MAX_UNSETTLED, "epochs";
        WarnEpochs: 1..=24 * 30, "epochs";
        HoldBackEpochs: 1..=MAX_HOLD_BACK, "epochs";
        HistoryEpochs: 48..=24 * 366, "epochs";
        MaxLate: 0..=20, "epochs";
        LatePenalty: Ppm::percent(0)..=Ppm::percent(20), "ppm";
        FirstHoldBack: 0..=60 * DAY_MILLIS, "ms";
        FairScore: Ppm(0)..=Ppm::ONE, "ppm";
        RedeemEpochs: 1..=MAX_REDEEM, "epochs";
        DisputeBond: 100 * MILLI..=1_000 * SEL, "planck";
        DisputeEpochs: 1..=MAX_HOLD_BACK, "epochs";
        FreeEgress: 0..=100 << 30, "octets per month";
        FreeRequests: 0..=1_000_000, "requests per month";
    }
    Shares of shares {
        Take: ranges::TAKE, "ppm";
        StargateShare: ranges::STARGATE_SHARE, "ppm";
        CacheShare: ranges::CACHE_SHARE, "ppm";
        AuditFee: ranges::AUDIT_FEE, "ppm";
        Referral: ranges::REFERRAL, "ppm";
        Burn: ranges::BURN, "ppm";
    }
    Yields of yields {
        Beta: ranges::BETA, "ppm";
        Kappa: ranges::KAPPA, "ppm";
        LambdaGateway: ranges::LAMBDA, "ppm";
        LambdaCache: ranges::LAMBDA, "ppm";
        LambdaStargate: ranges::LAMBDA, "ppm";
        AprValidator: ranges::APR, "ppm per year";
        AprStargate: ranges::APR, "ppm per year";
        AprGateway: ranges::APR, "ppm per year";
        AprCache: ranges::APR, "ppm per year";
        EmissionRate: ranges::EMISSION_RATE, "ppm per year";
        PoolValidators: ranges::POOL, "ppm";
        PoolBase: ranges::POOL, "ppm";
        PoolActivity: ranges::POOL, "ppm";
    }
    Services of services {
        ServiceDeposit: 10 * MILLI..=100 * SEL, "planck";
        HostDeposit: 10 * MILLI..=100 * SEL, "planck";
        PriceNotice: 1..=24 * 90, "epochs";
        ProofPeriod: 1..=24 * 30, "epochs";
        PinDeposit: 10 * MILLI..=100 * SEL, "planck";
    }
    Audits of audits {
        TermsSlash: Ppm::percent(5)..=Ppm::ONE, "ppm";
        LeafSlash: Ppm::percent(5)..=Ppm::ONE, "ppm";
        ForgerySlash: Ppm::percent(5)..=Ppm::ONE, "ppm";
        WithheldSlash: Ppm::percent(5)..=Ppm::ONE, "ppm";
        CheckCost: 0..=SEL, "planck";
        ChallengeBond: 100 * MILLI..=100 * SEL, "planck";
        CanaryShare: Ppm(0)..=MAX_SHARE, "ppm";
    }
}

fn within<V: PartialOrd>(value: &Option<V>, range: RangeInclusive<V>) -> bool {
    value.as_ref().is_some_and(|value| range.contains(value))
}

/// Says what every parameter may be, what it is, and what it would be had nobody set it.
fn describe() -> Vec<ParameterDescription> {
    // Defaults may depend on the chain: look at them where nothing is set, and take that back.
    let defaults = with_transaction(|| {
        let _ = pallet_parameters::Parameters::<Runtime>::clear(u32::MAX, None);
        TransactionOutcome::Rollback(Ok::<_, DispatchError>(in_force()))
    });
    let mut all = in_force();
    for (one, unset) in all.iter_mut().zip(defaults.unwrap_or_default()) {
        one.default = unset.current;
    }
    all
}

/// A parameter's value as a number in its unit.
trait Number {
    fn number(self) -> u128;
}

macro_rules! number {
    ($($integer:ty)*) => {$(
        impl Number for $integer {
            fn number(self) -> u128 {
                self.into()
            }
        }
    )*};
}
number!(u8 u32 u64 u128);

impl Number for Ppm {
    fn number(self) -> u128 {
        self.0.into()
    }
}

fn numbers<V: Number>(values: [V; 3]) -> [u128; 3] {
    values.map(Number::number)
}
