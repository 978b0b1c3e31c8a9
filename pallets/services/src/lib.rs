#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod content;
mod host;
mod inspect;
mod invariants;
#[cfg(test)]
mod mock;
pub mod name;
mod price;
mod service;
mod terms;
#[cfg(test)]
mod tests;
pub mod types;
pub mod weights;

pub use host::{draw, needed, MAX_DUE, MAX_LOOKED_AT};
pub use pallet::*;
pub use weights::WeightInfo;

use frame_support::traits::fungible;

/// The balance of the pallet's currency, in planck.
pub type BalanceOf<T> =
    <<T as Config>::Currency as fungible::Inspect<<T as frame_system::Config>::AccountId>>::Balance;

/// Prepares what other pallets must know before a service can be created, for benchmarks.
#[cfg(feature = "runtime-benchmarks")]
pub trait BenchmarkHelper<AccountId> {
    /// Gives the account free balance and a deposit that covers any cap of up to `caps` planck per
    /// epoch.
    fn fund(who: &AccountId, caps: u128);
}

#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use crate::{content::Pointer, types::*};
    use alloc::vec::Vec;
    use frame_support::{
        pallet_prelude::*,
        traits::fungible::{hold, Inspect, MutateHold},
    };
    use frame_system::{ensure_authorized, pallet_prelude::*};
    use pallet_edge_traits::{EpochClock, PrepaidInspect, StakeInspect};
    use selvedge_primitives_types::{
        agent::HostCheckVerdict, DeviceId, Epoch, Hash, Pin, Planck, PriceList, Prices, ServiceId,
        Signature64,
    };
    use sp_runtime::{transaction_validity::TransactionValidityWithRefund, AccountId32};

    /// The in-code storage version.
    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// Needs `frame_system::AuthorizeCall` among the transaction extensions, for unsigned answers
    /// about host names.
    #[pallet::config]
    pub trait Config:
        frame_system::Config<AccountId = AccountId32, RuntimeEvent: From<Event<Self>>>
    {
        /// Holds the deposits.
        type Currency: Inspect<Self::AccountId, Balance = u128>
            + hold::Inspect<Self::AccountId, Reason = Self::RuntimeHoldReason>
            + MutateHold<Self::AccountId>;

        /// The runtime's reasons for a hold.
        type RuntimeHoldReason: From<HoldReason>;

        /// Tells the usage epoch.
        type Clock: EpochClock;

        /// Knows whether an owner's prepaid balance covers the caps.
        type Prepaid: PrepaidInspect<Self::AccountId>;

        /// Knows the active gateways, among whom host checks are drawn.
        type Stakes: StakeInspect<Self::AccountId>;

        /// What the draws of an epoch depend on; read once, when the epoch begins.
        type Seed: Get<Hash>;

        /// Who may publish price lists.
        type PriceOrigin: EnsureOrigin<Self::RuntimeOrigin>;

        /// Whether local names count as proven at once: on a devnet only.
        type AllowLocalNames: Get<bool>;

        /// Planck on hold for a service.
        type ServiceDeposit: Get<Planck>;

        /// Planck on hold for a host name.
        type HostDeposit: Get<Planck>;

        /// Planck on hold for a pin.
        type PinDeposit: Get<Planck>;

        /// The most pins of all services together: every node is told of each.
        #[pallet::constant]
        type MaxPins: Get<u32>;

        /// Epochs for which a claim about a service may still come: from serving to the last credit
        /// or refund.
        ///
        /// Terms that ended before are forgotten, and a service may be removed that long after its
        /// last active epoch.
        type HistoryDepth: Get<u64>;

        /// Whole epochs between the publication of a price list and the first epoch it may be
        /// pinned for.
        type PriceNotice: Get<u64>;

        /// Epochs after its own that a claim of a host name may be proven in.
        type ProofPeriod: Get<u64>;

        /// The most gateways among whom host checks are drawn in an epoch: 32 bytes of storage
        /// each.
        ///
        /// With more active gateways, those with the lowest ids are taken.
        #[pallet::constant]
        type MaxCheckers: Get<u32>;

        /// Weights of the calls.
        type WeightInfo: WeightInfo;

        /// Prepares accounts for benchmarks.
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper: BenchmarkHelper<Self::AccountId>;
    }

    /// Why balance is on hold.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// Deposits for services and their host names.
        #[codec(index = 0)]
        Deposit,
    }

    /// The id of the next service. Ids are never used again.
    #[pallet::storage]
    pub type NextId<T: Config> = StorageValue<_, ServiceId, ValueQuery>;

    /// Service by id. Written by its owner's calls; at most one per deposit; goes with
    /// `remove_service`.
    #[pallet::storage]
    pub type Services<T: Config> =
        StorageMap<_, Twox64Concat, ServiceId, Service<T::AccountId>, OptionQuery>;

    /// Terms of a service by epoch, oldest first; at most [`MAX_TERMS`]. Terms that ended more than
    /// `HistoryDepth` epochs ago go when the next change is made, the rest with the service.
    #[pallet::storage]
    pub type History<T: Config> = StorageMap<_, Twox64Concat, ServiceId, TermsHistory, ValueQuery>;

    /// What a service keeps in the network, and what of it is in use; at most [`MAX_PINS`] pins, each
    /// with a deposit, and [`MAX_MOVES`] moves of a pointer. Written by its owner's calls, goes with
    /// the service.
    #[pallet::storage]
    pub type Contents<T: Config> =
        StorageMap<_, Twox64Concat, ServiceId, Content<BlockNumberFor<T>>, ValueQuery>;

    /// What the pins of a service came to by epoch, oldest first; at most [`MAX_KEPT`]. Entries that
    /// ended more than `HistoryDepth` epochs ago go when pins change, the rest with the service.
    #[pallet::storage]
    pub type KeptBytes<T: Config> = StorageMap<_, Twox64Concat, ServiceId, KeptHistory, ValueQuery>;

    /// Pins of all services; at most `MaxPins`.
    #[pallet::storage]
    pub type PinCount<T: Config> = StorageValue<_, u32, ValueQuery>;

    /// Ids of an account's services, in order; at most [`MAX_SERVICES_PER_OWNER`]. Goes with the
    /// last of them.
    #[pallet::storage]
    pub type Owned<T: Config> = StorageMap<
        _,
        Blake2_128Concat,
        T::AccountId,
        BoundedVec<ServiceId, ConstU32<MAX_SERVICES_PER_OWNER>>,
        ValueQuery,
    >;

    /// The service a proven host name belongs to. Goes when the host name or the service is
    /// removed.
    #[pallet::storage]
    pub type ProvenHosts<T: Config> =
        StorageMap<_, Blake2_128Concat, HostName, ServiceId, OptionQuery>;

    /// Host names that wait for their proof, by service; one per host deposit. Becomes an entry of
    /// [`ProvenHosts`], or goes when the host name or the service is removed. An expired one stays
    /// with its deposit and is not checked any more.
    #[pallet::storage]
    pub type Unproven<T: Config> = StorageDoubleMap<
        _,
        Twox64Concat,
        ServiceId,
        Blake2_128Concat,
        HostName,
        HostClaim,
        OptionQuery,
    >;

    /// Who may be drawn for host checks in the current epoch. Replaced when an epoch begins.
    #[pallet::storage]
    pub type Round<T: Config> = StorageValue<_, CheckRound<T::MaxCheckers>, OptionQuery>;

    /// Price list by version, from 1 without a gap; at most [`MAX_PRICE_LISTS`]. Never changes and
    /// never goes.
    #[pallet::storage]
    pub type PriceLists<T: Config> = StorageMap<_, Twox64Concat, u32, PublishedPrices, OptionQuery>;

    /// The version of the latest price list.
    #[pallet::storage]
    pub type LatestPrices<T: Config> = StorageValue<_, u32, ValueQuery>;

    /// Price list 1, in force from the first epoch on.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// Its prices per unit of each usage class, in planck times 2^32.
        pub prices: Prices,
        /// Marks the runtime.
        #[serde(skip)]
        pub _config: core::marker::PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            let list = PublishedPrices {
                prices: self.prices,
                effective: Epoch(0),
            };
            PriceLists::<T>::insert(1, list);
            LatestPrices::<T>::put(1);
        }
    }

    /// What happened to services, host names and price lists.
    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A service was created; it is served as soon as a host name is proven.
        #[codec(index = 0)]
        ServiceCreated {
            /// Its id.
            service: ServiceId,
            /// Who pays.
            owner: T::AccountId,
            /// The most that may be charged per epoch, in planck.
            cap: Planck,
            /// The pinned price list.
            price_version: u32,
        },
        /// A host name was listed for a service.
        #[codec(index = 1)]
        HostAdded {
            /// The service.
            service: ServiceId,
            /// The host name.
            host: Vec<u8>,
            /// Whether it needs no proof, being a local name on a devnet.
            proven: bool,
        },
        /// A host name was taken off a service.
        #[codec(index = 2)]
        HostRemoved {
            /// The service.
            service: ServiceId,
            /// The host name.
            host: Vec<u8>,
        },
        /// The origin of a service changed, with effect at once.
        #[codec(index = 3)]
        OriginSet {
            /// The service.
            service: ServiceId,
            /// Base URL of the new origin.
            origin: Vec<u8>,
        },
        /// The cap of a service changes.
        #[codec(index = 4)]
        CapSet {
            /// The service.
            service: ServiceId,
            /// The most that may be charged per epoch, in planck.
            cap: Planck,
            /// The first epoch it is in force in.
            from: Epoch,
        },
        /// A service pins another price list.
        #[codec(index = 5)]
        PriceVersionSet {
            /// The service.
            service: ServiceId,
            /// The list's version.
            price_version: u32,
            /// The first epoch it is in force in.
            from: Epoch,
        },
        /// A service is paused.
        #[codec(index = 6)]
        Paused {
            /// The service.
            service: ServiceId,
            /// The first epoch it is not served in.
            from: Epoch,
        },
        /// A service is served again.
        #[codec(index = 7)]
        Resumed {
            /// The service.
            service: ServiceId,
            /// The first epoch it is served in.
            from: Epoch,
        },
        /// A service was removed and its deposits were released.
        #[codec(index = 8)]
        ServiceRemoved {
            /// The service.
            service: ServiceId,
            /// Its owner.
            owner: T::AccountId,
        },
        /// A drawn gateway said whether the ownership record of a host name was there.
        #[codec(index = 9)]
        HostChecked {
            /// The service that claims the host name.
            service: ServiceId,
            /// The host name.
            host: Vec<u8>,
            /// The gateway.
            device: DeviceId,
            /// The epoch it was drawn for.
            epoch: Epoch,
            /// Whether the record was there.
            found: bool,
        },
        /// Enough drawn gateways found the ownership record: the host name is served from now on.
        #[codec(index = 10)]
        HostProven {
            /// The service.
            service: ServiceId,
            /// The host name.
            host: Vec<u8>,
        },
        /// A price list was published.
        #[codec(index = 11)]
        PricesPublished {
            /// Its version.
            version: u32,
            /// The first epoch a service may pin it for.
            effective: Epoch,
        },
        /// Content is kept for a service, or in other places than before.
        #[codec(index = 12)]
        ContentPinned {
            /// The service.
            service: ServiceId,
            /// What is kept, and in how many places.
            pin: Pin,
        },
        /// Content is kept for a service no longer.
        #[codec(index = 13)]
        ContentUnpinned {
            /// The service.
            service: ServiceId,
            /// Its root.
            root: Hash,
        },
        /// A service is served from another directory, or from its origin again.
        #[codec(index = 14)]
        SiteSet {
            /// The service.
            service: ServiceId,
            /// Root of the directory, if any.
            root: Option<Hash>,
            /// Counts the moves of the site.
            version: u32,
        },
        /// A service follows other rules, or none.
        #[codec(index = 15)]
        RulesSet {
            /// The service.
            service: ServiceId,
            /// Root of the rules, if any.
            root: Option<Hash>,
            /// Counts the moves of the rules.
            version: u32,
        },
    }

    /// Why a call was refused.
    #[pallet::error]
    pub enum Error<T> {
        /// No service has this id.
        #[codec(index = 0)]
        UnknownService,
        /// The service belongs to somebody else.
        #[codec(index = 1)]
        NotOwner,
        /// The account has as many services as one may have.
        #[codec(index = 2)]
        TooManyServices,
        /// The service has as many host names as one may have.
        #[codec(index = 3)]
        TooManyHosts,
        /// Not a DNS name in lower case without a dot at its end.
        #[codec(index = 4)]
        HostNameInvalid,
        /// Local names are for devnets.
        #[codec(index = 5)]
        LocalNameRefused,
        /// The service has this host name already.
        #[codec(index = 6)]
        HostAlreadyListed,
        /// Another service has proven that it owns this host name.
        #[codec(index = 7)]
        HostTaken,
        /// The service does not have this host name.
        #[codec(index = 8)]
        HostNotListed,
        /// Not an `http` or `https` base URL of at most 512 bytes, without user, query or fragment.
        #[codec(index = 9)]
        OriginInvalid,
        /// A cap of zero serves nothing: pause the service instead.
        #[codec(index = 10)]
        CapIsZero,
        /// The value is what it was.
        #[codec(index = 11)]
        Unchanged,
        /// No price list has this version.
        #[codec(index = 12)]
        UnknownPriceList,
        /// The price list takes effect later.
        #[codec(index = 13)]
        PriceListNotInForce,
        /// The terms changed as often as the history can hold: wait until old ones may be
        /// forgotten.
        #[codec(index = 14)]
        TooManyChanges,
        /// The service is paused, or will be from the next epoch on.
        #[codec(index = 15)]
        AlreadyPaused,
        /// The service is not paused.
        #[codec(index = 16)]
        NotPaused,
        /// Claims about the service's last active epoch may still come.
        #[codec(index = 17)]
        StillUnsettled,
        /// No proof is open for this host name and service.
        #[codec(index = 18)]
        NothingToProve,
        /// The answer is not about the current epoch.
        #[codec(index = 19)]
        WrongEpoch,
        /// The time to prove the host name is over: remove and add it to start again.
        #[codec(index = 20)]
        ClaimExpired,
        /// The device was not drawn for this host name in this epoch.
        #[codec(index = 21)]
        NotDrawn,
        /// The device said so before.
        #[codec(index = 22)]
        AlreadyAnswered,
        /// The signature is not the device's over this answer.
        #[codec(index = 23)]
        BadSignature,
        /// There are as many price lists as there may be.
        #[codec(index = 24)]
        TooManyPriceLists,
        /// The service has not pinned this root.
        #[codec(index = 25)]
        NotPinned,
        /// The site or the rules of the service are this root: point them elsewhere first.
        #[codec(index = 26)]
        StillPointedAt,
        /// The service has as many pins as one may have.
        #[codec(index = 27)]
        TooManyPins,
        /// All services together have as many pins as the nodes can be told of.
        #[codec(index = 28)]
        NetworkFull,
        /// Content is kept in 1 to 16 places.
        #[codec(index = 29)]
        FactorInvalid,
        /// A blob has at most 64 GiB, and a directory 16 MiB.
        #[codec(index = 30)]
        LengthInvalid,
        /// A pin keeps at least the bytes of its blob, and at most 16 TiB.
        #[codec(index = 31)]
        BytesInvalid,
        /// The root is pinned with another length or kind: unpin it first.
        #[codec(index = 32)]
        PinnedOtherwise,
        /// A site is a directory.
        #[codec(index = 33)]
        NotADirectory,
        /// Rules are a file of at most 64 KiB.
        #[codec(index = 34)]
        RulesInvalid,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(
                T::MaxCheckers::get() as usize >= DRAWN,
                "fewer checkers than are drawn"
            );
            assert!(
                T::HistoryDepth::get() > 0,
                "terms of the current epoch must be kept"
            );
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Creates a service that the caller pays for.
        ///
        /// The caller becomes its owner. `ServiceDeposit` and one `HostDeposit` per host name go on
        /// hold. At most `cap` planck are charged per epoch, at the prices of list `price_version`,
        /// beginning with the current epoch. Public host names are served once their ownership is
        /// proven: `challenge` tells the text for the TXT record of
        /// `_selvedge-challenge.<host>`.
        ///
        /// Events: `HostAdded` for each host name, `ServiceCreated`. Errors: `OriginInvalid`,
        /// `CapIsZero`,
        /// `UnknownPriceList`, `PriceListNotInForce`, `TooManyServices`, `TooManyHosts`,
        /// `HostNameInvalid`,
        /// `LocalNameRefused`, `HostAlreadyListed`, `HostTaken`; those of the hold; and those of
        /// billing when the prepaid balance does not cover the caps of all services.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::create_service(hosts.len() as u32))]
        pub fn create_service(
            origin: OriginFor<T>,
            hosts: Vec<Vec<u8>>,
            origin_url: Vec<u8>,
            #[pallet::compact] cap: Planck,
            price_version: u32,
        ) -> DispatchResult {
            let owner = ensure_signed(origin)?;
            ensure!(hosts.len() <= MAX_HOSTS as usize, Error::<T>::TooManyHosts);
            Self::do_create(owner, hosts, origin_url, cap, price_version)
        }

        /// Lists another host name for a service of the caller. `HostDeposit` goes on hold.
        ///
        /// Event: `HostAdded`. Errors: `UnknownService`, `NotOwner`, `TooManyHosts`,
        /// `HostNameInvalid`,
        /// `LocalNameRefused`, `HostAlreadyListed`, `HostTaken`, and those of the hold.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::add_host())]
        pub fn add_host(origin: OriginFor<T>, service: ServiceId, host: Vec<u8>) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_add_host(who, service, host)
        }

        /// Takes a host name off a service of the caller and releases its deposit. Gateways stop
        /// serving it at once.
        ///
        /// Event: `HostRemoved`. Errors: `UnknownService`, `NotOwner`, `HostNotListed`.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::remove_host())]
        pub fn remove_host(
            origin: OriginFor<T>,
            service: ServiceId,
            host: Vec<u8>,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_remove_host(who, service, host)
        }

        /// Changes the origin of a service of the caller, with effect at once. Nothing moves.
        ///
        /// Event: `OriginSet`. Errors: `UnknownService`, `NotOwner`, `OriginInvalid`, `Unchanged`.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::set_origin())]
        pub fn set_origin(
            origin: OriginFor<T>,
            service: ServiceId,
            origin_url: Vec<u8>,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            let mut record = Self::owned_by(service, &who)?;
            let origin = Self::parse_origin(origin_url)?;
            ensure!(record.origin != origin, Error::<T>::Unchanged);
            record.origin = origin.clone();
            Services::<T>::insert(service, record);
            Self::deposit_event(Event::OriginSet {
                service,
                origin: origin.into_inner(),
            });
            Ok(())
        }

        /// Changes the most that may be charged per epoch for a service of the caller, from the
        /// next epoch on.
        ///
        /// Nothing moves, but a higher cap must be covered by the prepaid balance. Event: `CapSet`.
        /// Errors:
        /// `UnknownService`, `NotOwner`, `CapIsZero`, `Unchanged`, `TooManyChanges`, and those of
        /// billing.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::set_cap())]
        pub fn set_cap(
            origin: OriginFor<T>,
            service: ServiceId,
            #[pallet::compact] cap: Planck,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::owned_by(service, &who)?;
            ensure!(cap > 0, Error::<T>::CapIsZero);
            let before = Self::latest_terms(service)?.cap;
            ensure!(cap != before, Error::<T>::Unchanged);
            let from = Self::change_terms(service, |terms| terms.cap = cap)?;
            if cap > before {
                Self::ensure_covered(&who)?;
            }
            Self::deposit_event(Event::CapSet { service, cap, from });
            Ok(())
        }

        /// Pins another price list for a service of the caller, from the next epoch on. Nothing
        /// moves.
        ///
        /// Event: `PriceVersionSet`. Errors: `UnknownService`, `NotOwner`, `UnknownPriceList`,
        /// `PriceListNotInForce`,
        /// `Unchanged`, `TooManyChanges`.
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::set_price_version())]
        pub fn set_price_version(
            origin: OriginFor<T>,
            service: ServiceId,
            price_version: u32,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::owned_by(service, &who)?;
            Self::ensure_prices(price_version, T::Clock::current().next())?;
            let before = Self::latest_terms(service)?.price_version;
            ensure!(price_version != before, Error::<T>::Unchanged);
            let from = Self::change_terms(service, |terms| terms.price_version = price_version)?;
            Self::deposit_event(Event::PriceVersionSet {
                service,
                price_version,
                from,
            });
            Ok(())
        }

        /// Stops serving a service of the caller from the next epoch on. Nothing moves.
        ///
        /// Event: `Paused`. Errors: `UnknownService`, `NotOwner`, `AlreadyPaused`,
        /// `TooManyChanges`.
        #[pallet::call_index(6)]
        #[pallet::weight(T::WeightInfo::pause())]
        pub fn pause(origin: OriginFor<T>, service: ServiceId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_set_active(who, service, false)
        }

        /// Serves a paused service of the caller again from the next epoch on. Nothing moves, but
        /// its cap must be covered by the prepaid balance.
        ///
        /// Event: `Resumed`. Errors: `UnknownService`, `NotOwner`, `NotPaused`, `TooManyChanges`,
        /// and those of billing.
        #[pallet::call_index(7)]
        #[pallet::weight(T::WeightInfo::resume())]
        pub fn resume(origin: OriginFor<T>, service: ServiceId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_set_active(who, service, true)
        }

        /// Removes a paused service of the caller and releases its deposits, once no claim about it
        /// may come any more:
        /// `HistoryDepth` epochs after the pause began.
        ///
        /// Event: `ServiceRemoved`. Errors: `UnknownService`, `NotOwner`, `NotPaused`,
        /// `StillUnsettled`.
        #[pallet::call_index(8)]
        #[pallet::weight(T::WeightInfo::remove_service())]
        pub fn remove_service(origin: OriginFor<T>, service: ServiceId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_remove(who, service)
        }

        /// Tells whether a drawn gateway found the ownership record of a host name. Anyone may
        /// bring the gateway's signed answer; unsigned, it costs nothing. Nothing moves.
        ///
        /// When two thirds of the drawn gateways found the record, the host name is served. A "not
        /// found" may become a "found" in the same epoch. Events: `HostChecked`, `HostProven`.
        /// Errors: `HostNameInvalid`, `WrongEpoch`,
        /// `NothingToProve`, `ClaimExpired`, `NotDrawn`, `AlreadyAnswered`, `HostTaken`,
        /// `BadSignature`.
        #[pallet::call_index(9)]
        #[pallet::weight(T::WeightInfo::attest_host())]
        #[pallet::weight_of_authorize(T::WeightInfo::authorize_attest_host())]
        #[pallet::authorize(Self::authorize_attest_host)]
        pub fn attest_host(
            origin: OriginFor<T>,
            service: ServiceId,
            host: Vec<u8>,
            device: DeviceId,
            epoch: Epoch,
            found: bool,
            signature: Signature64,
        ) -> DispatchResult {
            if ensure_authorized(origin.clone()).is_err() {
                ensure_signed(origin)?;
            }
            // The state may have changed since the answer was authorised, in this very block.
            let verdict = HostCheckVerdict {
                device,
                service,
                host,
                epoch,
                found,
            };
            let (name, claim, drawn) = Self::check_answer(&verdict, &signature)?;
            Self::count_answer(verdict, name, claim, drawn)?;
            Ok(())
        }

        /// Publishes the next price list. `PriceOrigin` only; nothing moves.
        ///
        /// Services may pin it once `PriceNotice` whole epochs have passed. Event:
        /// `PricesPublished`. Errors:
        /// `TooManyPriceLists`.
        #[pallet::call_index(10)]
        #[pallet::weight(T::WeightInfo::publish_prices())]
        pub fn publish_prices(origin: OriginFor<T>, prices: Prices) -> DispatchResult {
            T::PriceOrigin::ensure_origin(origin)?;
            Self::do_publish(prices)
        }

        /// Has the network keep content for a service of the caller, or keep what is pinned already
        /// in another number of places. `PinDeposit` goes on hold for a new pin.
        ///
        /// As many caches as the pin's factor keep the blob, and all below it when it is a
        /// directory. What they keep is charged at the service's prices, at most `bytes` times the
        /// factor for every epoch in which the pin stands. Event: `ContentPinned`. Errors:
        /// `UnknownService`, `NotOwner`, `FactorInvalid`, `LengthInvalid`, `BytesInvalid`,
        /// `PinnedOtherwise`, `Unchanged`, `TooManyPins`, `NetworkFull`, `TooManyChanges`, and those
        /// of the hold.
        #[pallet::call_index(11)]
        #[pallet::weight(T::WeightInfo::pin())]
        pub fn pin(origin: OriginFor<T>, service: ServiceId, pin: Pin) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_pin(who, service, pin)
        }

        /// Has the network keep content for a service of the caller no longer, and releases the
        /// pin's deposit.
        ///
        /// Event: `ContentUnpinned`. Errors: `UnknownService`, `NotOwner`, `NotPinned`,
        /// `StillPointedAt`, `TooManyChanges`.
        #[pallet::call_index(12)]
        #[pallet::weight(T::WeightInfo::unpin())]
        pub fn unpin(origin: OriginFor<T>, service: ServiceId, root: Hash) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_unpin(who, service, root)
        }

        /// Serves a service of the caller from a pinned directory, or from its origin again, with
        /// effect at once. Nothing moves.
        ///
        /// To go back to an earlier version, name its root: it must still be pinned. Event:
        /// `SiteSet`. Errors: `UnknownService`, `NotOwner`, `NotPinned`, `NotADirectory`,
        /// `Unchanged`.
        #[pallet::call_index(13)]
        #[pallet::weight(T::WeightInfo::set_site())]
        pub fn set_site(
            origin: OriginFor<T>,
            service: ServiceId,
            root: Option<Hash>,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_point(who, service, Pointer::Site, root)
        }

        /// Has requests to a service of the caller follow pinned rules, or none, with effect at
        /// once. Nothing moves.
        ///
        /// To go back to an earlier version, name its root: it must still be pinned. Event:
        /// `RulesSet`. Errors: `UnknownService`, `NotOwner`, `NotPinned`, `RulesInvalid`,
        /// `Unchanged`.
        #[pallet::call_index(14)]
        #[pallet::weight(T::WeightInfo::set_rules())]
        pub fn set_rules(
            origin: OriginFor<T>,
            service: ServiceId,
            root: Option<Hash>,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_point(who, service, Pointer::Rules, root)
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// The text that a TXT record of `_selvedge-challenge.<host>` must hold; `None` for an
        /// unknown service.
        pub fn challenge_of(service: ServiceId, host: Vec<u8>) -> Option<Vec<u8>> {
            let record = Services::<T>::get(service)?;
            Some(Self::challenge(service, &host, &record.owner))
        }

        /// A service with its terms in the current epoch.
        pub fn service(service: ServiceId) -> Option<ServiceSummary<T::AccountId>> {
            Self::summary_at(service, T::Clock::current())
        }

        /// All price lists with the first epoch a service may pin them for.
        pub fn prices_published() -> Vec<(PriceList, Epoch)> {
            Self::price_lists()
        }
    }

    impl<T: Config> Pallet<T> {
        // The call's arguments come by reference, in their own types.
        #[allow(clippy::ptr_arg)]
        fn authorize_attest_host(
            _source: TransactionSource,
            service: &ServiceId,
            host: &Vec<u8>,
            device: &DeviceId,
            epoch: &Epoch,
            found: &bool,
            signature: &Signature64,
        ) -> TransactionValidityWithRefund {
            let verdict = HostCheckVerdict {
                device: *device,
                service: *service,
                host: host.clone(),
                epoch: *epoch,
                found: *found,
            };
            Self::authorize_answer(verdict, signature)
        }
    }
}
