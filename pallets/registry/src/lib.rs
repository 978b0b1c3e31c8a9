#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

extern crate alloc;

pub mod address;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod device;
mod drain;
mod invariants;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;
pub mod types;
pub mod weights;

use frame_support::{
    pallet_prelude::*,
    traits::fungible::{Inspect, InspectHold, MutateHold},
};
use frame_system::pallet_prelude::*;
use pallet_edge_traits::{EpochClock, StakeInspect};
use selvedge_primitives_types::{DeviceId, Epoch, Planck, Region, Role, Signature64, StakeId};
use sp_core::crypto::AccountId32;

pub use pallet::*;
pub use types::{Address, Device, Drain, GenesisDevice, MAX_ADDRESS};
pub use weights::WeightInfo;

// `register_device` says everything about a device at once, and the macro makes more functions of it.
#[allow(clippy::too_many_arguments)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;

    #[pallet::pallet]
    pub struct Pallet<T>(_);

    /// What the runtime gives the register.
    #[pallet::config]
    pub trait Config:
        frame_system::Config<AccountId = AccountId32, RuntimeEvent: From<Event<Self>>>
    {
        /// The runtime's reason of a hold.
        type RuntimeHoldReason: From<HoldReason>;
        /// The token.
        type Currency: Inspect<Self::AccountId, Balance = Planck>
            + InspectHold<Self::AccountId, Reason = Self::RuntimeHoldReason>
            + MutateHold<Self::AccountId>;
        /// Tells the epoch, in which agreements end.
        type Clock: EpochClock;
        /// Tells whether a device carries a stake.
        type Stakes: StakeInspect<Self::AccountId>;
        /// What is held per device, in planck, when it is registered.
        type DeviceDeposit: Get<Planck>;
        /// Epochs that a drain is granted for, besides the rest of the one in which it is asked for.
        type DrainEpochs: Get<u64>;
        /// Eras after the end of a grant in which the same stake gets none.
        type DrainRest: Get<u64>;
        /// Weights of the calls.
        type WeightInfo: WeightInfo;
        /// Adds nodes.
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper: pallet_edge_traits::BenchmarkNodes<AccountId32>;
    }

    /// Why the pallet holds tokens.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// The deposit of a registered device.
        #[codec(index = 0)]
        Device,
    }

    /// Registered devices. Key: the device. Written by its operator; bound: one deposit each; goes when retired.
    #[pallet::storage]
    pub type Devices<T: Config> =
        StorageMap<_, Blake2_128Concat, DeviceId, Device<T::AccountId>, OptionQuery>;

    /// The epoch from which a stake is granted another drain. Written with a grant; bound: one for each stake that was ever
    /// granted one. It stays, so that a stake that leaves and returns finds it again.
    #[pallet::storage]
    pub type NextDrain<T> = StorageMap<_, Twox64Concat, StakeId, Epoch, OptionQuery>;

    /// What happened to a device.
    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A device was registered.
        #[codec(index = 0)]
        DeviceRegistered {
            /// The device.
            device: DeviceId,
            /// Who may manage it.
            operator: T::AccountId,
            /// Its role.
            role: Role,
            /// Its region.
            region: Region,
        },
        /// A device's addresses or capacity changed.
        #[codec(index = 1)]
        DeviceUpdated {
            /// The device.
            device: DeviceId,
        },
        /// Another key signs the transactions of a device's agent.
        #[codec(index = 2)]
        AgentKeySet {
            /// The device.
            device: DeviceId,
            /// The sr25519 key.
            agent_key: [u8; 32],
        },
        /// A device left the register and its deposit was released.
        #[codec(index = 3)]
        DeviceRetired {
            /// The device.
            device: DeviceId,
        },
        /// A device began to drain.
        #[codec(index = 4)]
        DrainBegan {
            /// The device.
            device: DeviceId,
            /// The first epoch in which what is seen of it counts again, and in which it takes new work.
            until: Epoch,
        },
        /// A device takes new work again.
        #[codec(index = 5)]
        DrainEnded {
            /// The device.
            device: DeviceId,
        },
    }

    /// Why a call was refused.
    #[pallet::error]
    pub enum Error<T> {
        /// The device is registered already; only its operator can retire it.
        AlreadyRegistered,
        /// The device is not registered.
        UnknownDevice,
        /// The caller does not operate the device.
        NotOperator,
        /// The id of all zeros is no device.
        InvalidDevice,
        /// The device did not sign this registration for this network.
        InvalidSignature,
        /// The region is not one to eight characters out of `a-z`, `0-9` and `-`.
        InvalidRegion,
        /// The endpoint is not `host:port`.
        InvalidEndpoint,
        /// The public URL is not an http or https URL with a host.
        InvalidUrl,
        /// The capacity is zero.
        InvalidCapacity,
        /// The agent key is all zeros.
        InvalidAgentKey,
        /// A stake is assigned to the device; unassign it first and wait for the epoch to end.
        StakeAssigned,
        /// The device drains already.
        AlreadyDraining,
        /// The device does not drain.
        NotDraining,
        /// The device's agreement ended before this epoch.
        AgreementOver,
        /// The device's agreement would hold for more than an era.
        AgreementTooLong,
        /// What the device signed before it was registered may still hold; an era after its registration it is over.
        AgreementHolds,
        /// No stake is assigned to the device, so it gets no work that it could be spared.
        NoStake,
        /// The device's stake was granted a drain some eras ago; it is told with the node when the next can be.
        DrainTooSoon,
    }

    /// Devices registered from the first block on; no deposit is held for them.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// The devices.
        pub devices: alloc::vec::Vec<GenesisDevice<T::AccountId>>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            for device in &self.devices {
                Pallet::<T>::register_at_genesis(device).expect("a genesis device is well-formed");
            }
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::check_invariants().map_err(Into::into)
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Registers a device under the caller as its operator.
        ///
        /// Holds the deposit. `signature` is the device's ed25519 signature over the `RegisterDevicePayload` of
        /// operator, device, agent key and `until`, the last epoch in which it counts: this one or a later one, at most
        /// an era ahead. Emits `DeviceRegistered`.
        ///
        /// Errors: `InvalidDevice`, `AlreadyRegistered`, `InvalidRegion`, `InvalidEndpoint`, `InvalidUrl`,
        /// `InvalidCapacity`, `InvalidAgentKey`, `AgreementOver`, `AgreementTooLong`, `InvalidSignature`, or that the
        /// deposit is not there.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::register_device())]
        pub fn register_device(
            origin: OriginFor<T>,
            device: DeviceId,
            role: Role,
            region: Region,
            endpoint: Address,
            public_url: Address,
            capacity: u32,
            agent_key: [u8; 32],
            until: Epoch,
            signature: Signature64,
        ) -> DispatchResult {
            let operator = ensure_signed(origin)?;
            let deposit = T::DeviceDeposit::get();
            let entry = Device {
                operator,
                role,
                region,
                endpoint,
                public_url,
                capacity,
                agent_key,
                drain: None,
                deposit,
                free_from: Self::free_from(),
            };
            Self::do_register(device, entry, until, &signature)
        }

        /// Changes where a device is reached and how much it can take.
        ///
        /// By its operator. Moves nothing. Emits `DeviceUpdated`.
        ///
        /// Errors: `UnknownDevice`, `NotOperator`, `InvalidEndpoint`, `InvalidUrl`, `InvalidCapacity`.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::update_device())]
        pub fn update_device(
            origin: OriginFor<T>,
            device: DeviceId,
            endpoint: Address,
            public_url: Address,
            capacity: u32,
        ) -> DispatchResult {
            let operator = ensure_signed(origin)?;
            Self::with_device(&operator, device, |entry| {
                entry.endpoint = endpoint;
                entry.public_url = public_url;
                entry.capacity = capacity;
                Self::ensure_well_formed(&device, entry)
            })?;
            Self::deposit_event(Event::DeviceUpdated { device });
            Ok(())
        }

        /// Lets another sr25519 key sign the transactions of a device's agent.
        ///
        /// By its operator. Moves nothing. The earlier key counts no longer. Emits `AgentKeySet`.
        ///
        /// Errors: `UnknownDevice`, `NotOperator`, `InvalidAgentKey`.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::set_agent_key())]
        pub fn set_agent_key(
            origin: OriginFor<T>,
            device: DeviceId,
            agent_key: [u8; 32],
        ) -> DispatchResult {
            let operator = ensure_signed(origin)?;
            Self::with_device(&operator, device, |entry| {
                entry.agent_key = agent_key;
                Self::ensure_well_formed(&device, entry)
            })?;
            Self::deposit_event(Event::AgentKeySet { device, agent_key });
            Ok(())
        }

        /// Takes a device off the register.
        ///
        /// By its operator, while no stake is assigned to it, nor active on it, and later than an era after it was
        /// registered. Releases the deposit. Emits `DeviceRetired`.
        ///
        /// Errors: `UnknownDevice`, `NotOperator`, `StakeAssigned`, `AgreementHolds`.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::retire_device())]
        pub fn retire_device(origin: OriginFor<T>, device: DeviceId) -> DispatchResult {
            let operator = ensure_signed(origin)?;
            Self::do_retire(&operator, device)
        }

        /// Asks that a device gets no new work, for maintenance or before it leaves.
        ///
        /// By its operator; granted at once, for the rest of the epoch and `DrainEpochs` more, and to the same stake not again
        /// for `DrainRest` eras. Nothing that is seen of the device in these epochs counts; afterwards everything does. Moves
        /// nothing. Emits `DrainBegan`.
        ///
        /// Errors: `UnknownDevice`, `NotOperator`, `AlreadyDraining`, `NoStake`, `DrainTooSoon`.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::request_drain())]
        pub fn request_drain(origin: OriginFor<T>, device: DeviceId) -> DispatchResult {
            let operator = ensure_signed(origin)?;
            Self::do_request_drain(&operator, device)
        }

        /// Lets a draining device take new work again before its drain is over.
        ///
        /// By its operator. Moves nothing. Emits `DrainEnded`.
        ///
        /// Errors: `UnknownDevice`, `NotOperator`, `NotDraining`.
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::end_drain())]
        pub fn end_drain(origin: OriginFor<T>, device: DeviceId) -> DispatchResult {
            let operator = ensure_signed(origin)?;
            Self::do_end_drain(&operator, device)
        }
    }
}
