//! What wallets, light clients and the node read: the pallets' state, put together.
//!
//! Nothing here decides: the rules are the pallets'.

use alloc::{collections::BTreeSet, vec::Vec};
use pallet_edge_billing::types::{AccountState as LedgerState, InvoiceItem, Status};
use pallet_edge_registry::Drain;
use pallet_edge_reputation::{types::Exclusion, Reason, ScoreRecord};
use pallet_edge_services::{
    types::{Moves, ServiceSummary},
    Contents,
};
use pallet_edge_traits::{DeviceInspect, EpochClock, ServiceInspect, StakeInspect};
use pallet_edge_yields::{Bound, EraEarning};
use selvedge_primitives_math::{
    fraud::Context,
    probe::{Observed, Place},
};
use selvedge_primitives_runtime_api::{
    AccountState, AccountView, AuditTerms, BoundView, ClockView, CommitmentStatus, ContentView,
    DrainView, Earnings, EraEarnings, EraEarningsExplanation, FraudView, HostView, InvoiceHead,
    InvoiceLine, MoveView, NodeView, OutReason, PinView, PlaceView, ProbesView, ScoreExplanation,
    ScoreView, ServiceView,
};
use selvedge_primitives_types::{
    Account, DeviceId, Epoch, Millis, PriceList, Prices, ServiceId, StakeId, UsageCommitment,
};

use crate::{
    AccountId, Audits, Billing, BlockNumber, NodeRegistry, NodeStaking, NodeYields, Reputation,
    Runtime, Services, UsageClock,
};

/// Most devices of one answer.
const MAX_DEVICES: u32 = 1_000;
/// Most services, and most caches, that one answer tells an auditor of.
const MAX_AUDITED: usize = 1_000;

/// The usage clock.
pub fn clock() -> ClockView {
    let epoch = UsageClock::current();
    ClockView {
        epoch,
        epoch_start: UsageClock::epoch_start(),
        epoch_length: UsageClock::length(),
        era: UsageClock::era_of(epoch),
        epochs_per_era: UsageClock::epochs_per_era(),
        now: UsageClock::block_time(),
    }
}

/// A prepaid account.
pub fn account(account: Account) -> Option<AccountView> {
    let summary = Billing::account_summary(&AccountId::from(account.0))?;
    Some(AccountView {
        state: match summary.state {
            LedgerState::Active => AccountState::Active,
            LedgerState::Warned => AccountState::Warned,
            LedgerState::Suspended(_) => AccountState::Suspended,
            LedgerState::Closed => AccountState::Closed,
        },
        balance: summary.balance,
        reserved: summary.reserved,
        charged: summary.charged,
        lasts: summary.lasts,
    })
}

/// The services of an account.
pub fn services(account: Account) -> Vec<ServiceView> {
    let summaries = Services::summaries_of(&AccountId::from(account.0));
    summaries.into_iter().map(service).collect()
}

fn service(summary: ServiceSummary<AccountId>) -> ServiceView {
    let hosts = summary.hosts.into_iter().map(|(name, proven)| HostView {
        challenge: Services::challenge(summary.id, &name, &summary.owner),
        name,
        proven,
    });
    ServiceView {
        id: summary.id,
        hosts: hosts.collect(),
        owner: Account(summary.owner.into()),
        origin: summary.origin,
        cap: summary.terms.cap,
        price_version: summary.terms.price_version,
        paused: !summary.terms.active,
    }
}

/// What a service keeps in the network.
pub fn content(service: ServiceId) -> Option<ContentView> {
    let owner = Services::owner_of(service)?;
    let content = Contents::<Runtime>::get(service);
    let moves = |moves: &Moves<BlockNumber>| {
        let newest_first = moves.iter().rev();
        newest_first
            .map(|one| MoveView {
                version: one.version,
                root: one.root,
                epoch: one.epoch,
                block: one.block,
                pinned: one.root.is_some_and(|root| content.pinned(&root).is_some()),
            })
            .collect()
    };
    let pins = content.pins.iter().map(|one| PinView {
        pin: one.pin,
        deposit: one.deposit,
        epoch: one.epoch,
        block: one.block,
    });
    Some(ContentView {
        owner: Account(owner.into()),
        pins: pins.collect(),
        kept: content.kept(),
        site: content.target(&content.site),
        rules: content.target(&content.rules),
        site_moves: moves(&content.site),
        rules_moves: moves(&content.rules),
    })
}

/// The head of an account's invoice for an epoch that has ended, with what was charged and given back.
pub fn invoice_head(customer: Account, epoch: Epoch) -> Option<InvoiceHead> {
    let invoice = Billing::invoice(&AccountId::from(customer.0), epoch)?;
    let versions: BTreeSet<_> = invoice
        .lines
        .iter()
        .map(|item| item.line.price_version)
        .collect();
    Some(InvoiceHead {
        customer,
        epoch,
        from: UsageClock::began(epoch),
        to: UsageClock::began(epoch.next()),
        lines: invoice.lines.into_iter().map(line).collect(),
        prices: versions.into_iter().filter_map(price_list).collect(),
        complete: invoice.complete,
    })
}

fn line(item: InvoiceItem) -> InvoiceLine {
    InvoiceLine {
        service: item.service,
        gateway: item.gateway,
        paid: item.line.paid,
        free: item.line.free,
        amount: item.line.amount,
        entry: item.line.entry,
        proof_url: NodeRegistry::device(&item.gateway)
            .map(|device| device.public_url)
            .unwrap_or_default(),
        commitment: item.commitment,
        status: status(item.status),
    }
}

fn price_list(version: u32) -> Option<PriceList> {
    let prices: Prices = Services::prices(version)?;
    Some(PriceList { version, prices })
}

/// A gateway's commitment for an epoch.
pub fn commitment(gateway: DeviceId, epoch: Epoch) -> Option<(UsageCommitment, CommitmentStatus)> {
    let record = Billing::commitment(&gateway, epoch)?;
    Some((record.commitment, status(record.status)))
}

fn status(status: Status) -> CommitmentStatus {
    match status {
        Status::Pending => CommitmentStatus::Pending,
        Status::Settling(cursor) => CommitmentStatus::Settling(cursor),
        Status::HeldBack { .. } => CommitmentStatus::HeldBack,
        Status::Crediting(cursor) => CommitmentStatus::Crediting(cursor),
        Status::Credited => CommitmentStatus::Credited,
        Status::Refunding(cursor) => CommitmentStatus::Refunding(cursor),
        Status::Void => CommitmentStatus::Void,
    }
}

/// What the chain knows of an epoch, as an auditor needs it.
pub fn audit_terms(
    epoch: Epoch,
    services: Vec<ServiceId>,
    caches: Vec<DeviceId>,
) -> Option<AuditTerms> {
    let known = Audits::known(epoch)?;
    let services = services.into_iter().take(MAX_AUDITED);
    let caches = caches.iter().take(MAX_AUDITED);
    Some(AuditTerms {
        services: services.map(|service| known.terms(service)).collect(),
        caches: caches.map(|cache| known.is_cache(cache)).collect(),
    })
}

/// What was proven of a gateway's commitment.
pub fn fraud(gateway: DeviceId, epoch: Epoch) -> Option<FraudView> {
    let fraud = pallet_edge_audits::Frauds::<Runtime>::get(epoch, gateway)?;
    Some(FraudView {
        defect: fraud.defect,
        reporter: Account(fraud.reporter.into()),
        taken: fraud.taken,
        reward: fraud.reward,
    })
}

/// Published price lists with the epoch they take effect in.
pub fn price_lists() -> Vec<(PriceList, Epoch)> {
    Services::price_lists()
}

/// A node.
pub fn node(device: DeviceId) -> Option<NodeView> {
    let info = NodeRegistry::device(&device)?;
    let (drain, next_drain) = NodeRegistry::drain_of(&device);
    let stake = NodeStaking::stake_of(&device);
    let id = stake.map(|(id, _)| id);
    Some(NodeView {
        device,
        operator: Account(info.operator.into()),
        role: info.role,
        region: info.region,
        endpoint: info.endpoint,
        public_url: info.public_url,
        stake,
        active: NodeStaking::is_active(&device, info.role, UsageClock::current()),
        draining: info.draining,
        drain: drain.map(|Drain { from, until, .. }| DrainView { from, until }),
        next_drain,
        score: id
            .and_then(pallet_edge_reputation::Scores::<Runtime>::get)
            .map(score),
        eras: id.map(eras).unwrap_or_default(),
    })
}

fn score(record: ScoreRecord) -> ScoreView {
    ScoreView {
        quality: record.quality,
        service: record.service,
        era: record.era,
        jobs_per_stake: record.jobs_per_stake,
        usual: record.usual,
        regional_median: record.regional_median,
        jobs: record.jobs,
        ok: record.ok,
        speed: record.speed,
    }
}

/// Every component of a device's scores with its inputs.
pub fn explain_score(device: DeviceId) -> Option<ScoreExplanation> {
    let info = NodeRegistry::device(&device)?;
    let explained = Reputation::explain(&device)?;
    let known = |value: u64| (value > 0).then_some(value);
    let probed = explained.probes;
    Some(ScoreExplanation {
        device,
        role: info.role,
        region: info.region,
        blocks: explained.score.blocks,
        score: score(explained.score),
        probes: probes(&probed.observed),
        absent: probed.absent,
        median_pace: known(probed.median_pace),
        usual_round_trip: known(probed.usual_round_trip),
        place: match probed.place {
            Place::Unknown => PlaceView::Unknown,
            Place::Plausible => PlaceView::Plausible,
            Place::FarFromHome => PlaceView::FarFromHome,
            Place::Elsewhere(region) => PlaceView::Elsewhere(region),
        },
        current: probes(&explained.current),
        expected: explained.expected,
        draining: explained.draining,
        out: explained.out.map(|Exclusion { since, reason, .. }| {
            let reason = match reason {
                Reason::Unavailable => OutReason::Unavailable,
                Reason::RegionDisproved(region) => OutReason::RegionDisproved(region),
            };
            (reason, since)
        }),
        disputed: explained.disputed,
    })
}

fn probes(observed: &Observed) -> ProbesView {
    ProbesView {
        sampled: observed.sampled,
        answered: observed.answered,
        served: observed.served,
        right: observed.right,
        pace: observed.pace(),
        round_trip: observed.round_trip(),
    }
}

/// Earnings of a stake, newest era first.
fn eras(stake: StakeId) -> Vec<EraEarnings> {
    NodeYields::earnings_of(stake)
        .into_iter()
        .map(|era| EraEarnings {
            era: era.era,
            matured: era.basis.brought.amount,
            base: era.base,
            activity: era.activity,
        })
        .collect()
}

/// What a stake earned in its last eras and what it is made of, newest era first.
pub fn explain_earnings(stake: StakeId) -> Vec<EraEarningsExplanation> {
    let explained = |earning: EraEarning| {
        let basis = earning.basis;
        EraEarningsExplanation {
            era: earning.era,
            base: earning.base,
            activity: earning.activity,
            device: basis.device,
            role: basis.role,
            stake: basis.stake,
            millis: Millis(basis.millis),
            apr: basis.apr,
            beta: basis.beta,
            quality: basis.quality,
            service: basis.service,
            tenure_days: basis.tenure_days,
            boost: basis.boost,
            matured: basis.brought.amount,
            returnable: basis.brought.returnable,
            base_claimed: basis.base,
            allowed: basis.allowed,
            bound: match basis.bound() {
                Bound::Stake => BoundView::Stake,
                Bound::Charges => BoundView::Charges,
            },
            base_scale: earning.base_scale,
            activity_scale: earning.activity_scale,
        }
    };
    let eras = NodeYields::earnings_of(stake);
    eras.into_iter().map(explained).collect()
}

/// Registered devices after `after` in the order of their ids.
pub fn devices(after: Option<DeviceId>, limit: u32) -> Vec<DeviceId> {
    NodeRegistry::devices_after(after, limit.min(MAX_DEVICES))
}

/// What an account earned.
pub fn earnings(account: Account) -> Earnings {
    let account = AccountId::from(account.0);
    let usage = pallet_edge_billing::Payouts::<Runtime>::get(&account);
    let yields = pallet_edge_yields::Payouts::<Runtime>::get(&account);
    Earnings {
        usage_payable: usage.payable,
        usage_claimed: usage.claimed,
        yield_payable: yields.payable,
        yield_claimed: yields.claimed,
    }
}
