//! The range of every governed number, and the ranges that some have together.
//!
//! The own range keeps a typing error out; the joint ranges keep the economy sound, whatever order
//! the numbers are changed in.

use frame_support::{
    storage::{with_transaction, TransactionOutcome},
    traits::{dynamic_params::AggregatedKeyValue, Get},
};
use pallet_edge_billing::types::MAX_UNSETTLED;
use pallet_edge_governance::{ParameterRanges, ParameterStore, RangeViolation};
use pallet_edge_staking::types::MAX_ELECTED;
use selvedge_primitives_math::{
    share::{Split, TakeSplit},
    yields::{joint_ranges, JointRates},
};
use selvedge_primitives_types::{Planck, Ppm};
use sp_runtime::{DispatchError, DispatchResult};

use super::params::{
    dynamic_params::{billing, services, shares, stakes, yields},
    RuntimeParameters, DAY_MILLIS,
};
use crate::{
    constants::currency::{MILLI, SEL},
    Parameters, Runtime, RuntimeOrigin,
};

/// Longest hold-back in epochs: with the unsettled ones it stays below the history that staking and
/// services keep, and below the commitments a gateway may have open.
pub const MAX_HOLD_BACK: u64 = 72;

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
    joint_ranges(&JointRates {
        take: shares::Take::get(),
        referral: shares::Referral::get(),
        audit: shares::AuditFee::get(),
        kappa: yields::Kappa::get(),
        beta: yields::Beta::get(),
        lambdas: [
            yields::LambdaGateway::get(),
            yields::LambdaCache::get(),
            yields::LambdaStargate::get(),
        ],
    })
    .map_err(|_| "a coalition that buys its own traffic must end poorer")?;
    ensure(
        Split::new(
            shares::Take::get(),
            shares::StargateShare::get(),
            shares::CacheShare::get(),
        )
        .is_ok(),
        "stargates and caches get at most what the take leaves",
    )?;
    ensure(
        TakeSplit::new(
            shares::AuditFee::get(),
            shares::Referral::get(),
            shares::Burn::get(),
        )
        .is_ok()
            && sum(&[
                shares::AuditFee::get(),
                shares::Referral::get(),
                shares::Burn::get(),
            ]) <= u64::from(shares::Take::get().0),
        "audit fee, referral and burn are parts of the take",
    )?;
    ensure(
        sum(&[
            yields::PoolValidators::get(),
            yields::PoolBase::get(),
            yields::PoolActivity::get(),
        ]) <= u64::from(Ppm::ONE.0),
        "the sub-pools are parts of the emission",
    )?;
    ensure(
        billing::UnsettledEpochs::get() >= u64::from(billing::MaxLate::get()) + 3,
        "what is committed late can still be settled",
    )?;
    ensure(
        billing::HistoryEpochs::get()
            >= billing::UnsettledEpochs::get() + billing::HoldBackEpochs::get() + 24,
        "invoices are kept for a day after they are final",
    )
}

fn ensure(holds: bool, rule: &'static str) -> Result<(), &'static str> {
    holds.then_some(()).ok_or(rule)
}

fn sum(parts: &[Ppm]) -> u64 {
    parts.iter().map(|part| u64::from(part.0)).sum()
}

fn is_in_own_range(parameter: &RuntimeParameters) -> bool {
    match parameter {
        RuntimeParameters::Stakes(parameter) => stakes_in_range(parameter),
        RuntimeParameters::Billing(parameter) => billing_in_range(parameter),
        RuntimeParameters::Shares(parameter) => shares_in_range(parameter),
        RuntimeParameters::Yields(parameter) => yields_in_range(parameter),
        RuntimeParameters::Services(parameter) => services_in_range(parameter),
    }
}

fn within<V: PartialOrd>(value: &Option<V>, low: V, high: V) -> bool {
    value
        .as_ref()
        .is_some_and(|value| (low..=high).contains(value))
}

fn percent(value: &Option<Ppm>, low: u32, high: u32) -> bool {
    within(value, Ppm::percent(low), Ppm::percent(high))
}

fn stakes_in_range(parameter: &stakes::Parameters) -> bool {
    use stakes::Parameters as P;
    let amount =
        |value: &Option<Planck>, low: Planck, high: Planck| within(value, low * SEL, high * SEL);
    match parameter {
        P::ValidatorStake(_, value) => amount(value, 1_000, 1_000_000),
        P::StargateStake(_, value) => amount(value, 10_000, 5_000_000),
        P::GatewayStake(_, value) => amount(value, 1_000, 500_000),
        P::CacheStake(_, value) => amount(value, 10, 10_000),
        P::MaxValidators(_, value) => within(value, 1, MAX_ELECTED),
        P::UnlockPeriod(_, value) => within(value, DAY_MILLIS, 365 * DAY_MILLIS),
        P::ExpressFee(_, value) => percent(value, 1, 50),
        P::OffenceWindow(_, value) => within(value, DAY_MILLIS / 24, 28 * DAY_MILLIS),
        P::ReporterShare(_, value) => percent(value, 0, 20),
        P::ReporterMax(_, value) => amount(value, 0, 5_000),
        P::DeviceDeposit(_, value) => within(value, 100 * MILLI, 100 * SEL),
    }
}

fn billing_in_range(parameter: &billing::Parameters) -> bool {
    use billing::Parameters as P;
    match parameter {
        P::MinDeposit(_, value) => within(value, 10 * MILLI, 100 * SEL),
        P::UnsettledEpochs(_, value) => within(value, 4, MAX_UNSETTLED),
        P::WarnEpochs(_, value) => within(value, 1, 24 * 30),
        P::HoldBackEpochs(_, value) => within(value, 1, MAX_HOLD_BACK),
        P::HistoryEpochs(_, value) => within(value, 48, 24 * 366),
        P::MaxLate(_, value) => within(value, 0, 20),
        P::LatePenalty(_, value) => percent(value, 0, 20),
    }
}

fn shares_in_range(parameter: &shares::Parameters) -> bool {
    use shares::Parameters as P;
    match parameter {
        P::Take(_, value) => percent(value, 10, 30),
        P::StargateShare(_, value) => percent(value, 0, 30),
        P::CacheShare(_, value) => percent(value, 20, 80),
        P::AuditFee(_, value) => within(value, Ppm(5_000), Ppm(20_000)),
        P::Referral(_, value) => percent(value, 0, 10),
        P::Burn(_, value) => percent(value, 0, 27),
    }
}

fn yields_in_range(parameter: &yields::Parameters) -> bool {
    use yields::Parameters as P;
    match parameter {
        P::Beta(_, value) => percent(value, 20, 70),
        P::Kappa(_, value) => percent(value, 0, 60),
        P::LambdaGateway(_, value)
        | P::LambdaCache(_, value)
        | P::LambdaStargate(_, value)
        | P::PoolValidators(_, value)
        | P::PoolBase(_, value)
        | P::PoolActivity(_, value) => percent(value, 0, 100),
        P::AprValidator(_, value)
        | P::AprStargate(_, value)
        | P::AprGateway(_, value)
        | P::AprCache(_, value)
        | P::EmissionRate(_, value) => percent(value, 0, 30),
    }
}

fn services_in_range(parameter: &services::Parameters) -> bool {
    use services::Parameters as P;
    match parameter {
        P::ServiceDeposit(_, value) | P::HostDeposit(_, value) => {
            within(value, 10 * MILLI, 100 * SEL)
        }
        P::PriceNotice(_, value) => within(value, 1, 24 * 90),
        P::ProofPeriod(_, value) => within(value, 1, 24 * 30),
    }
}
