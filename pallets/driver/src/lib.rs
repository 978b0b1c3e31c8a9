#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

extern crate alloc;

mod audit;
mod config;
mod daemon;
mod http;
mod memory;
#[cfg(test)]
mod mock;
mod run;
mod seam;
#[cfg(test)]
mod tests;
mod work;

pub use pallet::*;
pub use seam::{
    sign_with_agent_key, Ballot, ConfigView, EntryPage, SubmitAudits, SubmitError, SubmitUsage,
};

/// Target of every message this pallet logs.
pub const LOG_TARGET: &str = "edge-driver";

#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;
    use pallet_edge_traits::{
        AuditDuties, AuditRules, DeviceInspect, HostChecks, ProbeDuties, Settlement,
    };
    use selvedge_primitives_types::agent::BlockRef;
    use sp_runtime::{AccountId32, SaturatedConversion};

    #[pallet::pallet]
    pub struct Pallet<T>(_);

    /// What the worker reads, and where it sends.
    #[pallet::config]
    pub trait Config: frame_system::Config<AccountId = AccountId32> {
        /// What daemons are told.
        type View: ConfigView;

        /// Knows registered devices and their agent keys.
        type Devices: DeviceInspect<AccountId32>;

        /// Knows what the chain waits for from a gateway.
        type Settlement: Settlement;

        /// Knows which host names a gateway was drawn to look up.
        type HostChecks: HostChecks;

        /// Knows which nodes a gateway was drawn to probe.
        type Probes: ProbeDuties;

        /// Knows what auditors were drawn to look at, and by what they judge.
        type Audits: AuditDuties + AuditRules;

        /// Whether gateways may have private addresses: on a network that lies on one machine.
        type AllowPrivate: Get<bool>;

        /// Signs and sends transactions.
        type Submit: SubmitUsage;

        /// Signs and sends those of audits.
        type SubmitAudits: SubmitAudits;

        /// Milliseconds for all daemons of a node and all audits together, per block: below half a slot, so that
        /// two blocks' workers never pile up.
        type TotalDeadline: Get<u64>;

        /// Milliseconds for one exchange with one daemon.
        type RequestDeadline: Get<u64>;

        /// Blocks after which something sent, and still open on chain, is sent again.
        type ResubmitAfter: Get<u32>;
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        /// Runs once per best block on the node, off the path of import: whatever a daemon does, no
        /// block waits for it.
        fn offchain_worker(number: BlockNumberFor<T>) {
            let mut parent = [0; 32];
            let hash = frame_system::Pallet::<T>::parent_hash();
            let length = hash.as_ref().len().min(parent.len());
            parent[..length].copy_from_slice(&hash.as_ref()[..length]);
            run::run::<T>(BlockRef {
                number: number.saturated_into(),
                parent,
            });
        }

        fn integrity_test() {
            assert!(T::TotalDeadline::get() > 0, "a worker needs time");
            assert!(
                T::RequestDeadline::get() <= T::TotalDeadline::get(),
                "one exchange cannot last longer than all of them"
            );
            assert!(
                T::ResubmitAfter::get() > 0,
                "what is sent once is not sent again in the same block"
            );
        }
    }
}
