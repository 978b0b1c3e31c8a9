#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

use frame_support::{
    dispatch::DispatchClass,
    pallet_prelude::*,
    traits::{OnTimestampSet, Time},
};
use pallet_edge_traits::{EpochClock, OnEpoch};
use selvedge_primitives_types::{Epoch, Millis};

pub use pallet::*;

#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use frame_system::pallet_prelude::*;

    #[pallet::pallet]
    pub struct Pallet<T>(_);

    /// What the runtime gives the clock.
    #[pallet::config]
    pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
        /// Block time in milliseconds.
        type Time: Time<Moment = u64>;
        /// Is told when an epoch begins.
        type OnEpoch: OnEpoch;
    }

    /// The first timestamp of the chain, in milliseconds since 1970. Written once, by the first block.
    #[pallet::storage]
    pub type Genesis<T> = StorageValue<_, Millis, OptionQuery>;

    /// The current epoch. Written by the first block of an epoch.
    #[pallet::storage]
    pub type Current<T> = StorageValue<_, Epoch, ValueQuery>;

    /// Length of an epoch in milliseconds. Written at genesis, never again.
    #[pallet::storage]
    pub type Length<T> = StorageValue<_, Millis, ValueQuery, DefaultLength>;

    /// Epochs in an era. Written at genesis, never again.
    #[pallet::storage]
    pub type EpochsPerEra<T> = StorageValue<_, u64, ValueQuery, DefaultEpochsPerEra>;

    /// An hour: 60 min × 60 s × 1,000 ms.
    #[pallet::type_value]
    pub fn DefaultLength() -> Millis {
        Millis(3_600_000)
    }

    /// A day of hours.
    #[pallet::type_value]
    pub fn DefaultEpochsPerEra() -> u64 {
        24
    }

    /// What the clock tells.
    #[pallet::event]
    #[pallet::generate_deposit(fn deposit_event)]
    pub enum Event<T: Config> {
        /// A usage epoch began. `ended` was the last one with a block.
        #[codec(index = 0)]
        EpochBegan {
            /// The epoch that began.
            epoch: Epoch,
            /// The last epoch with a block before it.
            ended: Epoch,
        },
    }

    /// The pace of a network.
    #[pallet::genesis_config]
    pub struct GenesisConfig<T: Config> {
        /// Length of an epoch in milliseconds.
        pub epoch_length_ms: u64,
        /// Epochs in an era.
        pub epochs_per_era: u64,
        /// Nothing.
        #[serde(skip)]
        pub _config: core::marker::PhantomData<T>,
    }

    impl<T: Config> Default for GenesisConfig<T> {
        fn default() -> Self {
            Self {
                epoch_length_ms: DefaultLength::get().0,
                epochs_per_era: DefaultEpochsPerEra::get(),
                _config: Default::default(),
            }
        }
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            Length::<T>::put(Millis(self.epoch_length_ms));
            EpochsPerEra::<T>::put(self.epochs_per_era);
            Pallet::<T>::check_pace().expect("the pace of the clock is usable");
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::check_invariants().map_err(Into::into)
        }
    }

    impl<T: Config> Pallet<T> {
        /// Begins the epoch that `now` lies in, if it is a later one than the current.
        pub(crate) fn roll(now: Millis) {
            let began = Self::epoch_at(now);
            let ended = Current::<T>::get();
            if began <= ended {
                return;
            }
            Current::<T>::put(began);
            Self::deposit_event(Event::EpochBegan {
                epoch: began,
                ended,
            });
            let weight = T::OnEpoch::on_epoch(ended, began)
                .saturating_add(T::DbWeight::get().reads_writes(3, 1));
            // The timestamp inherent's own weight cannot know what an epoch's end costs.
            frame_system::Pallet::<T>::register_extra_weight_unchecked(
                weight,
                DispatchClass::Mandatory,
            );
        }

        fn epoch_at(now: Millis) -> Epoch {
            let genesis = Genesis::<T>::get().unwrap_or(now);
            Epoch(now.0.saturating_sub(genesis.0) / Length::<T>::get().0.max(1))
        }

        fn check_pace() -> Result<(), &'static str> {
            ensure!(
                Length::<T>::get() >= Millis(1_000) && EpochsPerEra::<T>::get() > 0,
                "invariant 1: an epoch lasts at least a second and an era has at least one epoch"
            );
            Ok(())
        }

        /// Checks the numbered invariants of the README against storage.
        pub fn check_invariants() -> Result<(), &'static str> {
            Self::check_pace()?;
            ensure!(
                Current::<T>::get() == Self::epoch_at(Self::now()),
                "invariant 2: the current epoch is the one that the timestamp lies in"
            );
            Ok(())
        }
    }
}

impl<T: Config> OnTimestampSet<u64> for Pallet<T> {
    fn on_timestamp_set(now: u64) {
        if !Genesis::<T>::exists() {
            Genesis::<T>::put(Millis(now));
        }
        Self::roll(Millis(now));
    }
}

impl<T: Config> EpochClock for Pallet<T> {
    fn current() -> Epoch {
        Current::<T>::get()
    }

    fn now() -> Millis {
        Millis(T::Time::now())
    }

    fn start_of(epoch: Epoch) -> Millis {
        let genesis = Genesis::<T>::get().unwrap_or_default();
        Millis(
            genesis
                .0
                .saturating_add(epoch.0.saturating_mul(Length::<T>::get().0)),
        )
    }

    fn length() -> Millis {
        Length::<T>::get()
    }

    fn epochs_per_era() -> u64 {
        EpochsPerEra::<T>::get()
    }
}
