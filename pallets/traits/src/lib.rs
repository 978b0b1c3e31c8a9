//! Says what one pallet may ask of another. The runtime wires the answers; `pallet-edge-mocks` gives them in tests.
//!
//! It holds no rule and no storage.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

extern crate alloc;

mod claim;
mod signature;
mod walk;

pub use claim::{CommitmentFate, Disputed, Fate, HeldLine, Redeemed, SampleMore, StakeRedeem};
pub use signature::{genesis_hash, is_signed_by_agent, is_signed_by_device, is_signed_for_device};
pub use walk::NodeWalk;

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::weights::Weight;
use scale_info::TypeInfo;
use selvedge_primitives_math::{
    duty::{AuditDuty, LeafDuty},
    fraud::{Context, Defect},
};
use selvedge_primitives_types::{
    DeviceId, Epoch, Era, Hash, Millis, Planck, Ppm, Prices, Region, Role, Score, ServiceId,
    StakeId, UsageCommitment,
};
use sp_runtime::{DispatchError, DispatchResult};

/// Keccak-256 by the node's host function, for the usage trees inside the runtime.
pub struct HostKeccak;

impl selvedge_primitives_math::Keccak256 for HostKeccak {
    fn hash(bytes: &[u8]) -> selvedge_primitives_types::Hash {
        sp_io::hashing::keccak_256(bytes)
    }
}

/// Adds nodes for benchmarks, by way of the storage of the pallets that know them.
#[cfg(feature = "runtime-benchmarks")]
pub trait BenchmarkNodes<AccountId> {
    /// Registers a device with an active stake from epoch 0 on. All zeros stand for some agent key.
    fn add_node(device: DeviceId, role: Role, owner: &AccountId, agent_key: [u8; 32]);
}

/// Tells the usage epoch of the block being executed, and the time that counts: block time less the time in which the
/// brake or a stop of the chain kept everybody from making calls. Deadlines are reckoned in nothing else.
pub trait EpochClock {
    /// The current epoch.
    fn current() -> Epoch;
    /// The time that counts.
    fn now() -> Millis;
    /// When an epoch begins, in the time that counts.
    fn start_of(epoch: Epoch) -> Millis;
    /// Length of an epoch.
    fn length() -> Millis;
    /// Epochs in an era.
    fn epochs_per_era() -> u64;
    /// The era an epoch lies in.
    fn era_of(epoch: Epoch) -> Era {
        Era(epoch.0 / Self::epochs_per_era().max(1))
    }
    /// Whether the time for commitments that the first quarter of the epoch `window` is has passed.
    fn is_closed(window: Epoch) -> bool {
        let current = Self::current();
        current > window || (current == window && Self::elapsed().0 > Self::length().0 / 4)
    }
    /// How far the current epoch has run, from 0 to its length.
    fn elapsed() -> Millis {
        Millis(
            Self::now()
                .0
                .saturating_sub(Self::start_of(Self::current()).0),
        )
    }
}

/// Is told when an epoch begins. Work must be bounded by a constant of the pallet.
pub trait OnEpoch {
    /// `began` is the current epoch, `ended` was the one before.
    fn on_epoch(ended: Epoch, began: Epoch) -> Weight;
}

#[impl_trait_for_tuples::impl_for_tuples(8)]
impl OnEpoch for Tuple {
    fn on_epoch(ended: Epoch, began: Epoch) -> Weight {
        let mut weight = Weight::zero();
        for_tuples!( #( weight = weight.saturating_add(Tuple::on_epoch(ended, began)); )* );
        weight
    }
}

/// A registered device as other pallets need to know it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct DeviceInfo<AccountId> {
    /// Who may manage it.
    pub operator: AccountId,
    /// Its role.
    pub role: Role,
    /// Its region.
    pub region: Region,
    /// `host:port` for other nodes.
    pub endpoint: Vec<u8>,
    /// Base URL of its public audit endpoint.
    pub public_url: Vec<u8>,
    /// Relative capacity.
    pub capacity: u32,
    /// The sr25519 key that signs its agent's transactions.
    pub agent_key: [u8; 32],
    /// Whether it drains: it gets no new work, and nothing that is seen of it counts.
    pub draining: bool,
}

/// Looks up devices (answered by the registry).
pub trait DeviceInspect<AccountId> {
    /// A registered device.
    fn device(device: &DeviceId) -> Option<DeviceInfo<AccountId>>;
    /// Whether the device drained in any of the epochs `from..=to`, by a drain that was granted.
    fn drained(device: &DeviceId, from: Epoch, to: Epoch) -> bool;
    /// Makes the device known to a benchmark of another pallet.
    #[cfg(feature = "runtime-benchmarks")]
    fn set_device(_device: DeviceId, _info: DeviceInfo<AccountId>) {}
}

/// Is told of the time in which a stake was on no device (answered by reputation).
pub trait OnAbsence {
    /// A stake that was active before is on a device again from epoch `until` on, and was on none from `from` on.
    fn on_absence(stake: StakeId, from: Epoch, until: Epoch);
}

impl OnAbsence for () {
    fn on_absence(_: StakeId, _: Epoch, _: Epoch) {}
}

/// Looks up stakes and their assignments (answered by staking).
pub trait StakeInspect<AccountId> {
    /// Whether the device carried an active stake of this role for the whole of the epoch.
    fn is_active(device: &DeviceId, role: Role, epoch: Epoch) -> bool;
    /// Owner of the stake the device carried in the epoch.
    fn owner_at(device: &DeviceId, epoch: Epoch) -> Option<AccountId>;
    /// The stake the device carries now, and its amount.
    fn stake_of(device: &DeviceId) -> Option<(StakeId, Planck)>;
    /// The stake the device carried in the epoch.
    fn stake_at(device: &DeviceId, epoch: Epoch) -> Option<StakeId>;
    /// What is staked now, in planck; zero when nothing is left.
    fn amount_of(stake: StakeId) -> Planck;
    /// Nodes of a role that are active in the epoch.
    fn active_count(role: Role, epoch: Epoch) -> u32;
    /// Devices of a role that are active now, at most `limit`, in the order of their ids.
    fn active_devices(role: Role, limit: u32) -> Vec<DeviceId>;
    /// When the stake the device carries was assigned to it.
    fn assigned_since(device: &DeviceId) -> Option<Millis>;
    /// Multiplier of activity yield for the lock of a stake, in millionths: 1 to 4 million.
    fn boost_of(stake: StakeId) -> u32;
    /// Devices of a role that are active now, page by page in an order of the storage's own: at most `limit` of them
    /// after the device `after`.
    fn active_page(role: Role, after: Option<DeviceId>, limit: u32) -> Vec<DeviceId> {
        let limit = limit as usize;
        Self::active_devices(role, u32::MAX)
            .into_iter()
            .filter(|device| after.is_none_or(|after| *device > after))
            .take(limit)
            .collect()
    }
    /// In how many of the epochs `from..=to` the device carried the stake.
    fn carried_epochs(device: &DeviceId, stake: StakeId, from: Epoch, to: Epoch) -> u64 {
        (from.0..=to.0)
            .filter(|epoch| Self::stake_at(device, Epoch(*epoch)) == Some(stake))
            .count() as u64
    }
    /// When the stake that the device carried in the epoch was assigned to it.
    fn assigned_at(device: &DeviceId, _epoch: Epoch) -> Option<Millis> {
        Self::assigned_since(device)
    }
    /// What is left of the stake that the device carried in the epoch and of what of it is being unlocked, in planck.
    fn held_at(device: &DeviceId, _epoch: Epoch) -> Planck {
        Self::stake_of(device).map_or(0, |(_, amount)| amount)
    }
}

/// What a slash took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Slashed {
    /// Taken from the stake, in planck.
    pub taken: Planck,
    /// The reporter's capped share of it.
    pub reward: Planck,
}

/// Takes a part of a stake for an offence (answered by staking).
pub trait StakeSlash<AccountId>: StakeRetire {
    /// Slashes `part` of what is left of the stake that was assigned to the device in the epoch, and of what of it is
    /// being unlocked, and gives the reporter a share. Takes nothing where there is no such stake any more.
    fn slash(device: &DeviceId, epoch: Epoch, part: Ppm, reporter: Option<&AccountId>) -> Slashed {
        Self::slash_at_least(device, epoch, part, 0, reporter)
    }
    /// Slashes `part` of that stake or `least` planck, whichever is more, as far as there is as much.
    fn slash_at_least(
        device: &DeviceId,
        epoch: Epoch,
        part: Ppm,
        least: Planck,
        reporter: Option<&AccountId>,
    ) -> Slashed;
}

/// Puts nodes out of work (answered by staking).
pub trait StakeRetire {
    /// Takes the stake that the device carried in the epoch off whatever device carries it now, at the end of this epoch:
    /// it serves and leases nothing more until its owner assigns the stake anew.
    fn retire(device: &DeviceId, epoch: Epoch);
}

/// Terms of a service in one epoch.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct ServiceTerms<AccountId> {
    /// Who pays.
    pub owner: AccountId,
    /// The most all gateways together may charge in the epoch.
    pub cap: Planck,
    /// The pinned price list.
    pub price_version: u32,
    /// Whether the service is not paused.
    pub active: bool,
}

/// Looks up services (answered by services).
pub trait ServiceInspect<AccountId> {
    /// Terms in an epoch; `None` for an unknown service, or one that did not exist yet.
    fn terms_at(service: ServiceId, epoch: Epoch) -> Option<ServiceTerms<AccountId>>;
    /// Sum of the highest caps of the owner's services over the epochs `from..=to`.
    fn caps_of(owner: &AccountId, from: Epoch, to: Epoch) -> Planck;
    /// Prices of a published list.
    fn prices(version: u32) -> Option<Prices>;
    /// Bytes that the pins of a service have the network keep at any moment of an epoch, each counted in all its places.
    fn kept_at(service: ServiceId, epoch: Epoch) -> u64;
}

/// Looks up prepaid accounts (answered by billing).
pub trait PrepaidInspect<AccountId> {
    /// Whether the account's services may be served in the epoch.
    fn is_funded_at(owner: &AccountId, epoch: Epoch) -> bool;
    /// Refuses unless the account's balance covers `caps` per epoch for all epochs that may be unsettled at once.
    fn ensure_covers(owner: &AccountId, caps: Planck) -> DispatchResult;
}

/// What became of a commitment's money when a defect was proven.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum Forfeit {
    /// The commitment is void by this: nothing of it is paid, and what it charged goes back.
    #[codec(index = 0)]
    Voided,
    /// It was void already.
    #[codec(index = 1)]
    AlreadyVoid,
    /// Payment had begun when the defect was proven: it goes on, and what is paid stays paid.
    #[codec(index = 2)]
    AlreadyPaid,
}

/// Looks up commitments and ends defective ones (answered by billing).
pub trait CommitmentVoid {
    /// What a gateway committed for an epoch, whatever became of it.
    fn commitment_of(gateway: &DeviceId, epoch: Epoch) -> Option<UsageCommitment>;
    /// Whether its money is neither forfeited nor being paid.
    fn is_at_stake(gateway: &DeviceId, epoch: Epoch) -> bool;
    /// Makes it void for a proven defect, unless payment has begun. Fails when there is no such commitment.
    fn forfeit(gateway: &DeviceId, epoch: Epoch, defect: Defect) -> Result<Forfeit, DispatchError>;
    /// Makes it void because leaves that were due on chain did not come. Fails when it is not at stake.
    fn withhold(gateway: &DeviceId, epoch: Epoch) -> DispatchResult;
    /// Whether its leaves may still be challenged: it is at stake, and its hold-back has not ended.
    fn is_challengeable(gateway: &DeviceId, epoch: Epoch) -> bool;
}

/// Whether a commitment may be charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acceptance {
    /// Its audit has not been decided.
    Undecided,
    /// It may.
    Accepted {
        /// Hold-backs that its money waits for: two where nobody was drawn to look, or too few did.
        hold_backs: u8,
    },
}

/// Decides which commitments are charged (answered by audits, asked by billing).
pub trait CommitmentAudit<AccountId> {
    /// A gateway committed to `amount` planck for `epoch`; it is judged with those of the window that closes when the
    /// first quarter of the epoch `window` is over.
    fn on_commit(gateway: &DeviceId, epoch: Epoch, window: Epoch, amount: Planck);
    /// Whether the commitment may be charged now.
    fn acceptance(gateway: &DeviceId, epoch: Epoch, window: Epoch) -> Acceptance;
    /// Whether a challenged leaf of it is due: nothing of it is paid until then.
    fn is_challenged(gateway: &DeviceId, epoch: Epoch) -> bool;
    /// Who is paid for the audit of it, each alike, at most eleven.
    fn payees(gateway: &DeviceId, epoch: Epoch) -> Vec<AccountId>;
}

/// Knows what the network took of charges (answered by billing).
pub trait TakeInspect {
    /// The network's part of all charges that were divided so far, in planck. It never falls.
    fn take() -> Planck;
}

/// Knows randomness that nobody could foresee (answered by the consensus engine).
pub trait AuditSeed {
    /// The newest, with the number of the block from which on it was fixed. `None` where the engine has none: no auditors
    /// are drawn then.
    fn seed() -> Option<(Hash, u64)>;
}

/// Knows what a device has to do for audits (answered by audits, asked by the driver and by runtime APIs). For off-chain
/// workers alone: it looks at every commitment under audit.
pub trait AuditDuties {
    /// The commitments that the device was drawn to look at and of which it can say something yet, in the order of the
    /// votes: window, round, gateway, epoch.
    fn audits(device: &DeviceId) -> Vec<AuditDuty>;
    /// The leaves that the device has to show on chain.
    fn leaves_due(device: &DeviceId) -> Vec<LeafDuty>;
}

/// Knows who audits, and what commitments are judged by (answered by audits, asked by the driver). For off-chain workers
/// alone.
pub trait AuditRules {
    /// The chain as it was in an epoch.
    type Known: Context;
    /// Devices that may have something to say on audits that are under way.
    fn auditors() -> Vec<DeviceId>;
    /// What commitments of an epoch are judged by; `None` when the chain knows it no longer.
    fn known(epoch: Epoch) -> Option<Self::Known>;
    /// A gateway's commitment, whatever became of it.
    fn commitment(gateway: &DeviceId, epoch: Epoch) -> Option<UsageCommitment>;
}

/// Is told of charges that matured on leaves that name a node (answered by reputation and yields).
pub trait OnMatured {
    /// `amount` planck were charged through `device` in `epoch` and are credited now. By the rates that divide them,
    /// activity may return `returnable` of them to whoever owns the node's stake.
    fn on_matured(device: &DeviceId, epoch: Epoch, amount: Planck, returnable: Planck);
}

#[impl_trait_for_tuples::impl_for_tuples(4)]
impl OnMatured for Tuple {
    fn on_matured(device: &DeviceId, epoch: Epoch, amount: Planck, returnable: Planck) {
        for_tuples!( #( Tuple::on_matured(device, epoch, amount, returnable); )* );
    }
}

/// Looks up scores (answered by reputation).
pub trait ScoreInspect {
    /// Quality of a stake's node, from probes alone, at most one.
    fn quality(stake: StakeId) -> Score;
    /// Service score of a stake's node.
    fn service(stake: StakeId) -> Score;
    /// Whether the scores of an era that is over are still being made.
    fn is_pending() -> bool;
}

/// A step of a commitment's life that its gateway's off-chain worker can take now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub enum Job {
    /// Commit an epoch that ended, if there was use.
    Commit(Epoch),
    /// Charge the next customer entries, from this index.
    Settle(Epoch, u32),
    /// Check the next cache entries, or pay them once the hold-back is over, from this index.
    Credit(Epoch, u32),
    /// Give back the next customer entries of a void commitment, from this index.
    Refund(Epoch, u32),
}

/// Looks up and submits what an agent's epoch needs (answered by billing and the runtime).
pub trait Settlement {
    /// What can be done now for a gateway, at most `limit`, in an order in which no job starves another.
    fn jobs(device: &DeviceId, limit: u32) -> Vec<Job>;
    /// Epochs the chain has a commitment of the device for and that are not credited, refunded or forfeited yet.
    fn committed(device: &DeviceId) -> Vec<Epoch>;
    /// The last epoch up to which nothing of the device is open.
    fn done_through(device: &DeviceId) -> Option<Epoch>;
}

/// Checks an ownership proof of a public host name (answered by services, asked by the driver).
pub trait HostChecks {
    /// Host names that the device was drawn to look up now: (service, host, expected text, epoch).
    fn due(device: &DeviceId) -> Vec<(ServiceId, Vec<u8>, Vec<u8>, Epoch)>;
}

/// Knows which nodes a gateway was drawn to probe (answered by reputation, asked by the driver).
pub trait ProbeDuties {
    /// The nodes that the device was drawn to probe in the current epoch, in the order of their ids; none when it has
    /// reported. For off-chain workers alone: it looks at every active node.
    fn duty(device: &DeviceId) -> Vec<DeviceId>;
}
