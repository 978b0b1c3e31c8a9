#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;
pub mod weights;

use alloc::collections::BTreeMap;
use frame_support::{
    dispatch::DispatchClass,
    pallet_prelude::*,
    traits::{OnTimestampSet, Time},
};
use pallet_edge_traits::{EpochClock, OnEpoch};
use selvedge_primitives_types::{Epoch, Millis};

pub use pallet::*;
pub use weights::WeightInfo;

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
        /// Whether the brake stops calls; asked by the timestamp inherent, before any other call of a block.
        type Braked: Get<bool>;
        /// The most that counts between two blocks, in milliseconds. What goes beyond is a stop of the chain. No more
        /// than an epoch counts either.
        #[pallet::constant]
        type MaxStep: Get<u64>;
        /// Epochs whose begin in block time is remembered.
        #[pallet::constant]
        type StartsKept: Get<u64>;
        /// Weight of what every block costs.
        type WeightInfo: WeightInfo;
    }

    /// The first timestamp of the chain, in milliseconds since 1970. Written once, by the first block.
    #[pallet::storage]
    pub type Genesis<T> = StorageValue<_, Millis, OptionQuery>;

    /// The timestamp of the last block. Written by every block.
    #[pallet::storage]
    pub type Seen<T> = StorageValue<_, Millis, OptionQuery>;

    /// How long the clock stood still since genesis, in milliseconds: block time less this is the time that counts.
    /// Written by blocks under the brake and by the first block after a stop of the chain.
    #[pallet::storage]
    pub type Stood<T> = StorageValue<_, Millis, ValueQuery>;

    /// The block time at which an epoch began. Written by its first block; bound: `StartsKept`, older ones go.
    #[pallet::storage]
    pub type Starts<T> = StorageMap<_, Twox64Concat, Epoch, Millis, OptionQuery>;

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
        /// A usage epoch began.
        #[codec(index = 0)]
        EpochBegan {
            /// The epoch that began.
            epoch: Epoch,
            /// The one before it.
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
        /// Lets what counts of the time since the last block pass.
        pub(crate) fn tick(now: Millis) {
            if !Genesis::<T>::exists() {
                Genesis::<T>::put(now);
                Starts::<T>::insert(Epoch(0), now);
            }
            let seen = Seen::<T>::get().unwrap_or(now);
            Seen::<T>::put(now);
            let passed = now.0.saturating_sub(seen.0);
            let most = T::MaxStep::get().min(Length::<T>::get().0);
            let counts = if T::Braked::get() {
                0
            } else {
                passed.min(most)
            };
            if counts < passed {
                Stood::<T>::mutate(|stood| stood.0 = stood.0.saturating_add(passed - counts));
            }
            // The timestamp inherent's own weight knows nothing of the clock.
            frame_system::Pallet::<T>::register_extra_weight_unchecked(
                T::WeightInfo::tick(),
                DispatchClass::Mandatory,
            );
            let counted = now.0.saturating_sub(Stood::<T>::get().0);
            Self::roll(Millis(counted));
        }

        /// Begins the epoch that `now` lies in, if it is a later one than the current.
        fn roll(now: Millis) {
            let began = Self::epoch_at(now);
            let ended = Current::<T>::get();
            if began <= ended {
                return;
            }
            Current::<T>::put(began);
            Starts::<T>::insert(began, Self::epoch_start());
            if let Some(old) = began.0.checked_sub(T::StartsKept::get()) {
                Starts::<T>::remove(Epoch(old));
            }
            Self::deposit_event(Event::EpochBegan {
                epoch: began,
                ended,
            });
            let weight =
                T::OnEpoch::on_epoch(ended, began).saturating_add(T::DbWeight::get().writes(3));
            frame_system::Pallet::<T>::register_extra_weight_unchecked(
                weight,
                DispatchClass::Mandatory,
            );
        }

        fn epoch_at(now: Millis) -> Epoch {
            let genesis = Genesis::<T>::get().unwrap_or(now);
            Epoch(now.0.saturating_sub(genesis.0) / Length::<T>::get().0.max(1))
        }

        /// Block time, whether it counts or not.
        pub fn block_time() -> Millis {
            Millis(T::Time::now())
        }

        /// The block time at which the current epoch would have begun had the clock not stood still in it. It ends a
        /// length later, unless the clock stands still again.
        pub fn epoch_start() -> Millis {
            Self::shown(Self::start_of(Current::<T>::get()))
        }

        /// The block time at which an epoch began. Of one that is to come, or longer ago than is remembered, the time
        /// at which it would begin if the clock never stood still again.
        pub fn began(epoch: Epoch) -> Millis {
            Starts::<T>::get(epoch).unwrap_or_else(|| Self::shown(Self::start_of(epoch)))
        }

        /// A moment of the time that counts in block time, if the clock does not stand still between it and now.
        fn shown(counted: Millis) -> Millis {
            Millis(counted.0.saturating_add(Stood::<T>::get().0))
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
                "invariant 2: the current epoch is the one that the time that counts lies in"
            );
            let genesis = Genesis::<T>::get().unwrap_or_default();
            let seen = Seen::<T>::get().unwrap_or_default();
            ensure!(
                genesis.0.saturating_add(Stood::<T>::get().0) <= seen.0,
                "invariant 3: the clock never stood still for longer than the chain lives"
            );
            let starts = Starts::<T>::iter().collect::<BTreeMap<_, _>>();
            ensure!(
                starts.len() as u64 <= T::StartsKept::get()
                    && starts.values().is_sorted()
                    && starts.values().all(|began| genesis <= *began && *began <= seen),
                "invariant 4: the begins of the last epochs are kept, in their order, and no others"
            );
            Ok(())
        }
    }
}

impl<T: Config> OnTimestampSet<u64> for Pallet<T> {
    fn on_timestamp_set(now: u64) {
        Self::tick(Millis(now));
    }
}

impl<T: Config> EpochClock for Pallet<T> {
    fn current() -> Epoch {
        Current::<T>::get()
    }

    fn now() -> Millis {
        Millis(T::Time::now().saturating_sub(Stood::<T>::get().0))
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
