//! Who may do what: the origins of the tracks, and what each stands for.
//!
//! | Track | May |
//! |---|---|
//! | upgrade | everything (Root), after a delay |
//! | parameters | set the parameters of billing, shares, yields and services |
//! | prices | publish price lists |
//! | treasury | spend from the treasury, up to [`SpendLimit`] at a time |
//! | roles | set the parameters of stakes; appoint registrars and user-name authorities; name canaries |
//! | brake | enter, extend and leave the safe mode; pause and resume calls; cancel referenda; declare commitments void |
//!
//! Parameters stay in their ranges whoever sets them, Root too.

use core::marker::PhantomData;
use frame_support::{
    parameter_types,
    traits::{EitherOf, EitherOfDiverse, EnsureOrigin, EnsureOriginWithArg, Get},
};
use frame_system::{EnsureRoot, EnsureRootWithSuccess};
use pallet_edge_governance::{
    EnsureBrake, EnsureParameters, EnsurePrices, EnsureRoles, EnsureTreasurySpend,
};

use super::tracks::id;
use crate::{
    configs::params::RuntimeParametersKey, constants::currency::SEL, constants::time::HOURS,
    AccountId, Balance, BlockNumber, RuntimeOrigin,
};

parameter_types! {
    /// The most that one spend of the treasury track may take: a hundredth of the emission pool.
    pub const SpendLimit: Balance = 100_000 * SEL;
    /// Root's limit: none.
    pub const Unlimited: Balance = Balance::MAX;
    /// How long the safe mode lasts when it is entered or extended: six hours, time enough to look
    /// and to extend it again.
    pub const BrakeDuration: BlockNumber = 6 * HOURS;
}

/// The brake track or Root.
pub type RootOrBrake = EitherOfDiverse<EnsureRoot<AccountId>, EnsureBrake>;
/// The brake track or Root, for a while.
pub type RootOrBrakeForAWhile = EitherOf<
    EnsureRootWithSuccess<AccountId, BrakeDuration>,
    StandingFor<EnsureBrake, BrakeDuration, BlockNumber>,
>;
/// The prices track or Root.
pub type RootOrPrices = EitherOfDiverse<EnsureRoot<AccountId>, EnsurePrices>;
/// The roles track or Root.
pub type RootOrRoles = EitherOfDiverse<EnsureRoot<AccountId>, EnsureRoles>;
/// The treasury track up to its limit, or Root.
pub type RootOrTreasury = EitherOf<
    EnsureRootWithSuccess<AccountId, Unlimited>,
    StandingFor<EnsureTreasurySpend, SpendLimit, Balance>,
>;

/// `E`, whose origin stands for the value `V`.
pub struct StandingFor<E, V, T>(PhantomData<(E, V, T)>);

impl<E: EnsureOrigin<RuntimeOrigin>, V: Get<T>, T> EnsureOrigin<RuntimeOrigin>
    for StandingFor<E, V, T>
{
    type Success = T;

    fn try_origin(origin: RuntimeOrigin) -> Result<T, RuntimeOrigin> {
        E::try_origin(origin).map(|_| V::get())
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn try_successful_origin() -> Result<RuntimeOrigin, ()> {
        E::try_successful_origin()
    }
}

/// The track whose referenda may set a parameter.
pub fn track_of(key: &RuntimeParametersKey) -> u16 {
    match key {
        RuntimeParametersKey::Stakes(_) => id::ROLES,
        RuntimeParametersKey::Billing(_)
        | RuntimeParametersKey::Shares(_)
        | RuntimeParametersKey::Yields(_)
        | RuntimeParametersKey::Services(_)
        | RuntimeParametersKey::Audits(_) => id::PARAMETERS,
    }
}

/// The track that a parameter belongs to, or Root.
pub struct EnsureTrackOfParameter;

impl EnsureOriginWithArg<RuntimeOrigin, RuntimeParametersKey> for EnsureTrackOfParameter {
    type Success = ();

    fn try_origin(origin: RuntimeOrigin, key: &RuntimeParametersKey) -> Result<(), RuntimeOrigin> {
        match track_of(key) {
            id::ROLES => RootOrRoles::try_origin(origin).map(drop),
            id::PARAMETERS => {
                EitherOfDiverse::<EnsureRoot<AccountId>, EnsureParameters>::try_origin(origin)
                    .map(drop)
            }
            _ => Err(origin),
        }
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn try_successful_origin(_: &RuntimeParametersKey) -> Result<RuntimeOrigin, ()> {
        Ok(RuntimeOrigin::root())
    }
}
