#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod mock;
mod origins;
#[cfg(test)]
mod tests;
pub mod weights;

pub use origins::{
    EnsureBrake, EnsureParameters, EnsurePrices, EnsureRangeChecked, EnsureRoles,
    EnsureTreasurySpend,
};
pub use pallet::*;
pub use weights::WeightInfo;

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;

/// Why a value is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RangeViolation {
    /// The value is outside its own range.
    Value,
    /// The value is inside its own range, and outside one it has together with others.
    Joint,
}

/// Knows the ranges of parameters (answered by the runtime).
pub trait ParameterRanges<KeyValue> {
    /// Checks a value against its range, and against the current values of the parameters it has a
    /// range with.
    fn check(parameter: &KeyValue) -> Result<(), RangeViolation>;

    /// Every parameter with its own range, for people to read.
    fn describe() -> Vec<ParameterDescription>;
}

/// A parameter as a wallet or a voter reads it. Numbers are in the parameter's unit.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct ParameterDescription {
    /// The area it belongs to, as in the keys of the `Parameters` pallet.
    pub area: Vec<u8>,
    /// Its name inside the area, as in those keys.
    pub name: Vec<u8>,
    /// The unit of the numbers, such as `planck`, `ppm`, `ms` or `epochs`.
    pub unit: Vec<u8>,
    /// The lowest value it may be set to.
    pub min: u128,
    /// The highest value it may be set to.
    pub max: u128,
    /// Its value as long as nobody set one.
    pub default: u128,
    /// The value in force.
    pub current: u128,
    /// Name of the track whose referenda may set it.
    pub track: Vec<u8>,
}

impl ParameterDescription {
    /// Whether the value in force lies in the range.
    pub fn is_within(&self) -> bool {
        (self.min..=self.max).contains(&self.current)
    }
}

/// Stores parameters (answered by the runtime, with the stock pallet).
pub trait ParameterStore<KeyValue> {
    /// Stores a value whose range was checked.
    fn store(parameter: KeyValue) -> sp_runtime::DispatchResult;
}

#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use frame_support::{
        pallet_prelude::*,
        traits::{dynamic_params::AggregatedKeyValue, EnsureOriginWithArg},
    };
    use frame_system::pallet_prelude::*;

    #[pallet::pallet]
    pub struct Pallet<T>(_);

    /// What the runtime gives governance.
    #[pallet::config]
    pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
        /// All parameters.
        type RuntimeParameters: AggregatedKeyValue;
        /// Who may set which parameter.
        type ParameterOrigin: EnsureOriginWithArg<Self::RuntimeOrigin, KeyOf<Self>>;
        /// The ranges.
        type Ranges: ParameterRanges<Self::RuntimeParameters>;
        /// Where values are stored.
        type Store: ParameterStore<Self::RuntimeParameters>;
        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// Key of a parameter.
    pub type KeyOf<T> = <<T as Config>::RuntimeParameters as AggregatedKeyValue>::Key;

    /// Origins of the tracks, and the pallet's own.
    #[pallet::origin]
    #[derive(
        Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
    )]
    pub enum Origin {
        /// The parameters track.
        #[codec(index = 0)]
        Parameters,
        /// The prices track.
        #[codec(index = 1)]
        Prices,
        /// The treasury track.
        #[codec(index = 2)]
        TreasurySpend,
        /// The roles track.
        #[codec(index = 3)]
        Roles,
        /// The brake track.
        #[codec(index = 4)]
        Brake,
        /// This pallet's word that a parameter's range was checked. No track has it.
        #[codec(index = 255)]
        RangeChecked,
    }

    /// What governance did.
    #[pallet::event]
    #[pallet::generate_deposit(fn deposit_event)]
    pub enum Event<T: Config> {
        /// A parameter was set; the stock pallet's event tells the values.
        #[codec(index = 0)]
        ParameterSet {
            /// The parameter.
            key: KeyOf<T>,
        },
    }

    /// Why a parameter was not set.
    #[pallet::error]
    pub enum Error<T> {
        /// The value is outside the parameter's range.
        #[codec(index = 0)]
        OutOfRange,
        /// The value is outside a range that the parameter has together with others.
        #[codec(index = 1)]
        OutOfJointRange,
        /// A parameter cannot be taken away: it always has a value.
        #[codec(index = 2)]
        ValueMissing,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// Every parameter with its range, its default and the value in force.
        pub fn parameters() -> Vec<ParameterDescription> {
            T::Ranges::describe()
        }
    }

    impl<T: Config> Pallet<T> {
        /// Checks invariant 1 over the numbers in force.
        pub fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
            let all_within = T::Ranges::describe()
                .iter()
                .all(ParameterDescription::is_within);
            ensure!(all_within, "invariant 1: a parameter is outside its range");
            Ok(())
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Sets a parameter to a value inside its range.
        ///
        /// For the track that the parameter belongs to; never for a signed account. Takes effect at
        /// once; what must not change inside an epoch is read at its begin. Emits `ParameterSet`.
        /// Fails with `OutOfRange`,
        /// `OutOfJointRange` or `ValueMissing`, and then nothing is stored.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::set_parameter())]
        pub fn set_parameter(
            origin: OriginFor<T>,
            parameter: T::RuntimeParameters,
        ) -> DispatchResult {
            let (key, value) = parameter.clone().into_parts();
            T::ParameterOrigin::ensure_origin(origin, &key)?;
            ensure!(value.is_some(), Error::<T>::ValueMissing);
            T::Ranges::check(&parameter).map_err(|violation| match violation {
                RangeViolation::Value => Error::<T>::OutOfRange,
                RangeViolation::Joint => Error::<T>::OutOfJointRange,
            })?;
            T::Store::store(parameter)?;
            Self::deposit_event(Event::ParameterSet { key });
            Ok(())
        }
    }
}
