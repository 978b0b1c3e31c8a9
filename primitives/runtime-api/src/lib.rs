//! Declares what a node, a wallet or a light client may ask the runtime.
//!
//! Versioned runtime APIs, so that polkadot.js, PAPI, subxt and smoldot call them typed from the metadata alone. The
//! views are read-only copies: they hold no rule. The data plane never links this crate.

#![cfg_attr(not(feature = "std"), no_std)]
#![warn(missing_docs)]

extern crate alloc;

use alloc::vec::Vec;
use codec::{Decode, Encode};
use scale_info::TypeInfo;
use selvedge_primitives_math::{
    duty::{AuditDuty, LeafDuty},
    fraud::{Defect, Terms},
};
use selvedge_primitives_types::{
    Account, ContentRef, DeviceId, Epoch, Era, Hash, Millis, Pin, Planck, Ppm, PriceList, Region,
    Role, Score, ServiceId, StakeId, UsageCommitment,
};
pub use selvedge_primitives_types::{CommitmentStatus, InvoiceHead, InvoiceLine};

/// The usage clock.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct ClockView {
    /// The current epoch.
    pub epoch: Epoch,
    /// When it began, in block time. Moves on by as long as the clock stands still in the epoch, so that it always ends a
    /// length after its start.
    pub epoch_start: Millis,
    /// Length of an epoch.
    pub epoch_length: Millis,
    /// The current era.
    pub era: Era,
    /// Epochs in an era.
    pub epochs_per_era: u64,
    /// Block time.
    pub now: Millis,
}

/// State of a prepaid account.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub enum AccountState {
    /// Everything is covered.
    Active,
    /// The balance covers only what is unsettled; a suspension is near.
    Warned,
    /// The services are not served.
    Suspended,
    /// Closed by its owner.
    Closed,
}

/// A prepaid account.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct AccountView {
    /// Its state.
    pub state: AccountState,
    /// What is on deposit, in planck.
    pub balance: Planck,
    /// How much of it is reserved for allowances of unsettled epochs.
    pub reserved: Planck,
    /// Charged since the account was opened, net of refunds.
    pub charged: Planck,
    /// For how long the balance covers the allowances of all services, used to the full.
    pub lasts: Millis,
}

/// A host name of a service.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct HostView {
    /// The name.
    pub name: Vec<u8>,
    /// Whether its ownership is proven.
    pub proven: bool,
    /// The text that a TXT record of `_selvedge-challenge.<name>` must hold to prove it.
    pub challenge: Vec<u8>,
}

/// A service.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct ServiceView {
    /// Its id.
    pub id: ServiceId,
    /// Who pays.
    pub owner: Account,
    /// Host names.
    pub hosts: Vec<HostView>,
    /// Base URL of the origin.
    pub origin: Vec<u8>,
    /// The most that may be charged per epoch, in planck, in the current epoch.
    pub cap: Planck,
    /// The pinned price list.
    pub price_version: u32,
    /// Whether it is paused.
    pub paused: bool,
}

/// A pin of a service.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct PinView {
    /// What is kept, and in how many places.
    pub pin: Pin,
    /// What is held for it, in planck.
    pub deposit: Planck,
    /// The epoch it was made in.
    pub epoch: Epoch,
    /// The block it was made in.
    pub block: u32,
}

/// Where the site or the rules of a service were moved to.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct MoveView {
    /// Counts the moves, from 1.
    pub version: u32,
    /// The root that was in use since, if any.
    pub root: Option<Hash>,
    /// The epoch of the move.
    pub epoch: Epoch,
    /// The block of the move.
    pub block: u32,
    /// Whether the root is still pinned, so that it can be gone back to.
    pub pinned: bool,
}

/// What a service keeps in the network.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct ContentView {
    /// Who pays.
    pub owner: Account,
    /// Its pins, in order of their roots.
    pub pins: Vec<PinView>,
    /// Bytes of all places of all pins.
    pub kept: u64,
    /// The directory that it is served from, if any.
    pub site: Option<ContentRef>,
    /// The rules that requests follow, if any.
    pub rules: Option<ContentRef>,
    /// Where the site was moved to, newest first, at most 32; the first is in use.
    pub site_moves: Vec<MoveView>,
    /// Where the rules were moved to, newest first, at most 32; the first are in use.
    pub rules_moves: Vec<MoveView>,
}

/// What an account earned, in planck.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode, TypeInfo)]
pub struct Earnings {
    /// Credited from usage since the beginning.
    pub usage_payable: Planck,
    /// Thereof claimed.
    pub usage_claimed: Planck,
    /// Yields granted since the beginning.
    pub yield_payable: Planck,
    /// Thereof claimed.
    pub yield_claimed: Planck,
}

/// What a stake earned for its owner in an era.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode, TypeInfo)]
pub struct EraEarnings {
    /// The era.
    pub era: Era,
    /// Charges that matured on leaves that name its devices.
    pub matured: Planck,
    /// Base yield.
    pub base: Planck,
    /// Activity yield.
    pub activity: Planck,
}

/// Which of its two limits an activity yield met.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub enum BoundView {
    /// What the stake allows at its service, tenure and boost.
    Stake,
    /// What the charges that it brought may return.
    Charges,
}

/// What a stake earned in an era, and what it is made of, so that anyone can compute it again:
///
/// `base = β · apr · stake · quality · millis / year`, and for `activity` the lower of `allowed = (1 − β) · apr · stake ·
/// min(service, 1.5) · tenure · boost · millis / year`, with `tenure = 1 + min(tenure_days / 180, 4) / 10`, and
/// `returnable`. Both were then scaled to what the pools could pay. A validator's service counts up to 1, without tenure,
/// boost and `returnable`. A year is 365.25 days.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct EraEarningsExplanation {
    /// The era.
    pub era: Era,
    /// Base yield granted, in planck.
    pub base: Planck,
    /// Activity yield granted, in planck.
    pub activity: Planck,
    /// The device that carried the stake at the end of the era.
    pub device: DeviceId,
    /// Its role.
    pub role: Role,
    /// The stake, in planck.
    pub stake: Planck,
    /// For how long the device carried it in the era.
    pub millis: Millis,
    /// Ceiling of the role's yield per year.
    pub apr: Ppm,
    /// Part of a yield that is base.
    pub beta: Ppm,
    /// `Q`, by which base was paid.
    pub quality: Score,
    /// `S`, by which activity was paid.
    pub service: Score,
    /// Whole days since the stake was assigned to the device.
    pub tenure_days: u32,
    /// Factor of the commitment lock, from 1.
    pub boost: Ppm,
    /// Charges that matured on leaves that name the stake's devices, in planck.
    pub matured: Planck,
    /// What activity may return of them, each by the rates at which it matured, in planck.
    pub returnable: Planck,
    /// Base yield before it was scaled, in planck.
    pub base_claimed: Planck,
    /// Activity yield that the stake allows, before it was scaled, in planck.
    pub allowed: Planck,
    /// Which limit activity met.
    pub bound: BoundView,
    /// The part of all claims on it that the pool of base yields could pay, rounded down; of a validator, its own pool's.
    pub base_scale: Ppm,
    /// The same of the pool of activity yields.
    pub activity_scale: Ppm,
}

/// A drain of a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct DrainView {
    /// The epoch in which it began.
    pub from: Epoch,
    /// The first epoch in which what is seen of the node counts again.
    pub until: Epoch,
}

/// A score with the inputs it was last computed from.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct ScoreView {
    /// Quality, smoothed.
    pub quality: Score,
    /// Service, smoothed.
    pub service: Score,
    /// The era the inputs are of.
    pub era: Era,
    /// Matured charges per stake in that era, in millionths.
    pub jobs_per_stake: Planck,
    /// The same smoothed over eras, `⅞ usual + ⅛ jobs_per_stake`.
    pub usual: Planck,
    /// The region's median of the smoothed ones, of those who have any.
    pub regional_median: Planck,
    /// The job component, 0 to 1.25.
    pub jobs: Score,
    /// Share answered; one without probes.
    pub ok: Score,
    /// Speed; one without probes.
    pub speed: Score,
}

/// What probers saw of a node, by epochs in which enough of them spoke.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode, TypeInfo)]
pub struct ProbesView {
    /// Epochs that say anything.
    pub sampled: u32,
    /// Of these, epochs in which the node answered.
    pub answered: u32,
    /// Epochs in which enough probers fetched an object from it.
    pub served: u32,
    /// Of these, epochs in which the octets were right.
    pub right: u32,
    /// Mean pace in microseconds per 64 KiB.
    pub pace: Option<u64>,
    /// Mean round trip from its own region in microseconds.
    pub round_trip: Option<u64>,
}

/// What round trips say about a node's region.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub enum PlaceView {
    /// Too few operators have probers in the region.
    Unknown,
    /// Nothing speaks against it.
    Plausible,
    /// The node is far from everybody in its region.
    FarFromHome,
    /// The node is as near to another region as that one's own nodes, and far nearer than to its own.
    Elsewhere(Region),
}

/// Why a node is out until it rejoins.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub enum OutReason {
    /// It answered in less than half of the share of epochs that is expected of its role.
    Unavailable,
    /// A dispute about this region was decided against it.
    RegionDisproved(Region),
}

/// Every component of a node's scores with its inputs, so that anyone can compute them again:
///
/// `quality ← ⅞ quality + ⅛ answered × min(speed, 1) × right` and `service ← ⅞ service + ⅛ ok² (jobs + speed) / 2`, with
/// `answered = probes.answered / probes.sampled`, `right = probes.right / probes.served`, `ok = answered × right`,
/// `speed = clamp(median_pace / probes.pace, 0, 1.25)` and `jobs = clamp(usual / regional_median, 0, 1.25)`;
/// what was not seen is one. A validator's service is `⅞ service + ⅛ blocks.0 / blocks.1`, at most 1.5.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct ScoreExplanation {
    /// The device.
    pub device: DeviceId,
    /// Its role.
    pub role: Role,
    /// Its region.
    pub region: Region,
    /// Both scores and the components of the last era that it was scored for.
    pub score: ScoreView,
    /// For a validator, in that era: blocks authored and blocks expected.
    pub blocks: Option<(u32, u32)>,
    /// What probers saw in that era, with epochs of absence as such without an answer.
    pub probes: ProbesView,
    /// Epochs of that era in which the stake was on no device.
    pub absent: u32,
    /// The median pace of its role and region in microseconds per 64 KiB.
    pub median_pace: Option<u64>,
    /// The median round trip among the nodes of its region in microseconds.
    pub usual_round_trip: Option<u64>,
    /// What round trips say about its region.
    pub place: PlaceView,
    /// What probers saw in the current era so far.
    pub current: ProbesView,
    /// Availability expected of its role; below half of it a node is out.
    pub expected: Ppm,
    /// Whether it drains, so that nothing that is seen of it counts.
    pub draining: bool,
    /// Why it is out, with scores of zero, and since which epoch.
    pub out: Option<(OutReason, Epoch)>,
    /// Since which epoch its region is disputed.
    pub disputed: Option<Epoch>,
}

/// A node: registration, stake and scores.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct NodeView {
    /// The device.
    pub device: DeviceId,
    /// Its operator.
    pub operator: Account,
    /// Its role.
    pub role: Role,
    /// Its region.
    pub region: Region,
    /// `host:port` for other nodes.
    pub endpoint: Vec<u8>,
    /// Base URL of its public audit endpoint.
    pub public_url: Vec<u8>,
    /// The stake it carries and its amount.
    pub stake: Option<(StakeId, Planck)>,
    /// Whether the stake is active in the current epoch.
    pub active: bool,
    /// Whether it drains.
    pub draining: bool,
    /// The last drain that it was granted.
    pub drain: Option<DrainView>,
    /// The epoch from which its stake is granted another drain, where that is not now.
    pub next_drain: Option<Epoch>,
    /// The scores of its stake.
    pub score: Option<ScoreView>,
    /// Earnings of its stake in the last eras, newest first, at most 84.
    pub eras: Vec<EraEarnings>,
}

/// What the chain knows of an epoch, as an auditor needs it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct AuditTerms {
    /// Terms of the services asked for, in their order; `None` for one that did not exist.
    pub services: Vec<Option<Terms>>,
    /// Whether the devices asked for were active caches, in their order.
    pub caches: Vec<bool>,
}

/// A defect that was proven of a commitment.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct FraudView {
    /// What is wrong; the gravest, if several were proven.
    pub defect: Defect,
    /// Who proved it.
    pub reporter: Account,
    /// Taken from the gateway's stake, in planck.
    pub taken: Planck,
    /// The reporters' part of it, in planck.
    pub reward: Planck,
}

sp_api::decl_runtime_apis! {
    /// Prepaid accounts, services and bills.
    pub trait BillingApi {
        /// The usage clock.
        fn clock() -> ClockView;
        /// A prepaid account.
        fn account(account: Account) -> Option<AccountView>;
        /// The services of an account.
        fn services(account: Account) -> Vec<ServiceView>;
        /// The head of an account's invoice for an epoch; `None` for an epoch that has not ended.
        fn invoice_head(account: Account, epoch: Epoch) -> Option<InvoiceHead>;
        /// A gateway's commitment for an epoch.
        fn commitment(gateway: DeviceId, epoch: Epoch) -> Option<(UsageCommitment, CommitmentStatus)>;
        /// Published price lists with the epoch they take effect in.
        fn price_lists() -> Vec<(PriceList, Epoch)>;
        /// What a service keeps in the network; `None` for an unknown service.
        #[api_version(2)]
        fn content(service: ServiceId) -> Option<ContentView>;
    }

    /// Nodes, scores and earnings.
    pub trait NodesApi {
        /// A node.
        fn node(device: DeviceId) -> Option<NodeView>;
        /// Registered devices after `after` in the order of their ids, at most `limit` and never over 1,000.
        fn devices(after: Option<DeviceId>, limit: u32) -> Vec<DeviceId>;
        /// What an account earned.
        fn earnings(account: Account) -> Earnings;
        /// Every component of a device's scores with its inputs; `None` for a device that is not registered.
        #[api_version(2)]
        fn explain_score(device: DeviceId) -> Option<ScoreExplanation>;
        /// What a stake earned in its last eras and what it is made of, newest first, at most 84.
        #[api_version(3)]
        fn explain_earnings(stake: StakeId) -> Vec<EraEarningsExplanation>;
    }

    /// What whoever audits a commitment asks.
    pub trait AuditsApi {
        /// Terms of services and eligibility of caches in an epoch, of at most 1,000 each; `None` when the epoch is
        /// known no longer.
        fn terms(epoch: Epoch, services: Vec<ServiceId>, caches: Vec<DeviceId>) -> Option<AuditTerms>;
        /// What was proven of a gateway's commitment, if anything.
        fn fraud(gateway: DeviceId, epoch: Epoch) -> Option<FraudView>;
        /// Commitments that a device was drawn to audit and has not revealed a verdict of, in the order of its votes.
        #[api_version(2)]
        fn audit_duties(device: DeviceId) -> Vec<AuditDuty>;
        /// Leaves that a device has to show on chain, as a gateway or as an auditor.
        #[api_version(2)]
        fn leaf_duties(device: DeviceId) -> Vec<LeafDuty>;
    }
}
