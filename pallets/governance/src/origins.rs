//! Checks of the tracks' origins.

use crate::Origin;
use frame_support::traits::{EnsureOrigin, EnsureOriginWithArg};

macro_rules! ensure_origin {
    ($($(#[$doc:meta])* $name:ident: $origin:ident;)*) => {$(
        $(#[$doc])*
        pub struct $name;

        impl<O> EnsureOrigin<O> for $name
        where
            O: Into<Result<Origin, O>> + From<Origin>,
        {
            type Success = ();

            fn try_origin(origin: O) -> Result<(), O> {
                match origin.into()? {
                    Origin::$origin => Ok(()),
                    other => Err(O::from(other)),
                }
            }

            #[cfg(feature = "runtime-benchmarks")]
            fn try_successful_origin() -> Result<O, ()> {
                Ok(O::from(Origin::$origin))
            }
        }
    )*};
}

ensure_origin! {
    /// The parameters track.
    EnsureParameters: Parameters;
    /// The prices track.
    EnsurePrices: Prices;
    /// The treasury track.
    EnsureTreasurySpend: TreasurySpend;
    /// The roles track.
    EnsureRoles: Roles;
    /// The brake track.
    EnsureBrake: Brake;
    /// A parameter whose range was checked: the only admin of the stock parameters pallet.
    EnsureRangeChecked: RangeChecked;
}

impl<O, Key> EnsureOriginWithArg<O, Key> for EnsureRangeChecked
where
    O: Into<Result<Origin, O>> + From<Origin>,
{
    type Success = ();

    fn try_origin(origin: O, _: &Key) -> Result<(), O> {
        <Self as EnsureOrigin<O>>::try_origin(origin)
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn try_successful_origin(_: &Key) -> Result<O, ()> {
        <Self as EnsureOrigin<O>>::try_successful_origin()
    }
}
