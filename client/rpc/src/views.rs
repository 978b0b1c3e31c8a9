//! The JSON forms of what the runtime APIs answer.
//!
//! Amounts (in planck), usage, prices and leaf counts are decimal strings, since they outgrow what
//! JSON readers keep exactly. Epochs, eras, ids, block numbers and milliseconds are numbers. Device
//! ids, hashes and tree keys are `0x` hex, accounts are SS58 addresses, scores are millionths.

use selvedge_primitives_runtime_api as api;
use selvedge_primitives_types as types;
use serde::Serialize;
use sp_runtime::AccountId32;

/// An answer with the block it was read at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer<T> {
    pub block: BlockView,
    pub value: T,
}

/// The block an answer was read at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BlockView {
    pub number: u64,
    pub hash: String,
    /// Whether the block, and so the answer, can no longer be taken back.
    pub finalized: bool,
}

/// The usage clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClockView {
    pub epoch: u64,
    pub epoch_start_ms: u64,
    pub epoch_length_ms: u64,
    pub era: u64,
    pub epochs_per_era: u64,
    pub now_ms: u64,
}

impl From<api::ClockView> for ClockView {
    fn from(clock: api::ClockView) -> Self {
        Self {
            epoch: clock.epoch.0,
            epoch_start_ms: clock.epoch_start.0,
            epoch_length_ms: clock.epoch_length.0,
            era: clock.era.0,
            epochs_per_era: clock.epochs_per_era,
            now_ms: clock.now.0,
        }
    }
}

/// A prepaid account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountView {
    /// `active`, `warned`, `suspended` or `closed`.
    pub state: &'static str,
    pub balance: String,
    pub reserved: String,
    /// Since the account was opened, net of refunds.
    pub charged: String,
    pub lasts_ms: u64,
}

impl From<api::AccountView> for AccountView {
    fn from(account: api::AccountView) -> Self {
        Self {
            state: match account.state {
                api::AccountState::Active => "active",
                api::AccountState::Warned => "warned",
                api::AccountState::Suspended => "suspended",
                api::AccountState::Closed => "closed",
            },
            balance: account.balance.to_string(),
            reserved: account.reserved.to_string(),
            charged: account.charged.to_string(),
            lasts_ms: account.lasts.0,
        }
    }
}

/// A host name of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HostView {
    pub name: String,
    /// Whether its ownership is proven.
    pub proven: bool,
    /// The text that a TXT record of `_selvedge-challenge.<name>` must hold to prove it.
    pub challenge: String,
}

/// A service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceView {
    pub id: u64,
    pub owner: String,
    pub hosts: Vec<HostView>,
    pub origin: String,
    /// The most that may be charged in the current epoch.
    pub cap: String,
    pub price_version: u32,
    pub paused: bool,
}

impl From<api::ServiceView> for ServiceView {
    fn from(service: api::ServiceView) -> Self {
        let hosts = service.hosts.into_iter();
        Self {
            id: service.id.0,
            owner: address(service.owner),
            hosts: hosts
                .map(|host| HostView {
                    name: text(&host.name),
                    proven: host.proven,
                    challenge: text(&host.challenge),
                })
                .collect(),
            origin: text(&service.origin),
            cap: service.cap.to_string(),
            price_version: service.price_version,
            paused: service.paused,
        }
    }
}

/// One value per usage class: units, or prices of one unit in planck times 2^32.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PerClass {
    pub requests: String,
    pub egress_bytes: String,
    pub origin_bytes: String,
    pub storage_byte_hours: String,
    pub compute_fuel: String,
    pub dns_queries: String,
}

impl PerClass {
    fn new(of: impl Fn(types::UsageClass) -> u64) -> Self {
        use types::UsageClass as Class;
        Self {
            requests: of(Class::Requests).to_string(),
            egress_bytes: of(Class::EgressBytes).to_string(),
            origin_bytes: of(Class::OriginBytes).to_string(),
            storage_byte_hours: of(Class::StorageByteHours).to_string(),
            compute_fuel: of(Class::ComputeFuel).to_string(),
            dns_queries: of(Class::DnsQueries).to_string(),
        }
    }
}

impl From<types::Usage> for PerClass {
    fn from(usage: types::Usage) -> Self {
        Self::new(|class| usage.of(class))
    }
}

impl From<types::Prices> for PerClass {
    fn from(prices: types::Prices) -> Self {
        Self::new(|class| prices.of(class))
    }
}

/// A price list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PriceListView {
    pub version: u32,
    /// Planck per unit, times 2^32.
    pub prices: PerClass,
    /// The epoch it takes effect in, where that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_epoch: Option<u64>,
}

impl From<types::PriceList> for PriceListView {
    fn from(list: types::PriceList) -> Self {
        Self {
            version: list.version,
            prices: list.prices.into(),
            from_epoch: None,
        }
    }
}

impl From<(types::PriceList, types::Epoch)> for PriceListView {
    fn from((list, from): (types::PriceList, types::Epoch)) -> Self {
        Self {
            from_epoch: Some(from.0),
            ..list.into()
        }
    }
}

/// How far a commitment has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusView {
    /// `pending`, `settling`, `heldBack`, `crediting`, `credited`, `refunding` or `void`.
    pub state: &'static str,
    /// The next entry, while entries are walked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_entry: Option<u32>,
    /// Whether the amounts can no longer change.
    #[serde(rename = "final")]
    pub is_final: bool,
}

impl From<api::CommitmentStatus> for StatusView {
    fn from(status: api::CommitmentStatus) -> Self {
        use api::CommitmentStatus as Status;
        let (state, next_entry, is_final) = match status {
            Status::Pending => ("pending", None, false),
            Status::Settling(next) => ("settling", Some(next), false),
            Status::HeldBack => ("heldBack", None, false),
            Status::Crediting(next) => ("crediting", Some(next), true),
            Status::Credited => ("credited", None, true),
            Status::Refunding(next) => ("refunding", Some(next), false),
            Status::Void => ("void", None, true),
        };
        Self {
            state,
            next_entry,
            is_final,
        }
    }
}

/// One of a commitment's two trees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TreeView {
    pub root: String,
    pub entries: u32,
    pub min: String,
    pub max: String,
    pub leaves: String,
    pub paid: PerClass,
    pub free: PerClass,
    pub amount: String,
}

impl From<types::TreeCommitment> for TreeView {
    fn from(tree: types::TreeCommitment) -> Self {
        Self {
            root: hex(&tree.root),
            entries: tree.entries,
            min: hex(&tree.min.0),
            max: hex(&tree.max.0),
            leaves: tree.sum.leaves.to_string(),
            paid: tree.sum.paid.into(),
            free: tree.sum.free.into(),
            amount: tree.sum.amount.to_string(),
        }
    }
}

/// What a gateway committed for an epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CommitmentView {
    pub gateway: String,
    pub epoch: u64,
    pub customers: TreeView,
    pub caches: TreeView,
    pub status: StatusView,
}

impl From<(types::UsageCommitment, api::CommitmentStatus)> for CommitmentView {
    fn from((commitment, status): (types::UsageCommitment, api::CommitmentStatus)) -> Self {
        Self {
            gateway: commitment.gateway.to_string(),
            epoch: commitment.epoch.0,
            customers: commitment.customers.into(),
            caches: commitment.caches.into(),
            status: status.into(),
        }
    }
}

/// One gateway's part of an invoice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InvoiceLineView {
    pub service: u64,
    pub gateway: String,
    pub paid: PerClass,
    pub free: PerClass,
    pub amount: String,
    /// Index of the entry in the gateway's tree by customer.
    pub entry: u32,
    /// Where the entry's leaves and proofs are.
    pub proof_url: String,
    pub commitment: CommitmentView,
}

impl From<api::InvoiceLine> for InvoiceLineView {
    fn from(line: api::InvoiceLine) -> Self {
        Self {
            service: line.service.0,
            gateway: line.gateway.to_string(),
            paid: line.paid.into(),
            free: line.free.into(),
            amount: line.amount.to_string(),
            entry: line.entry,
            proof_url: text(&line.proof_url),
            commitment: (line.commitment, line.status).into(),
        }
    }
}

/// The head of an invoice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InvoiceHeadView {
    pub customer: String,
    pub epoch: u64,
    pub from_ms: u64,
    pub to_ms: u64,
    pub lines: Vec<InvoiceLineView>,
    pub prices: Vec<PriceListView>,
    /// Whether no further line can come.
    pub complete: bool,
}

impl From<api::InvoiceHead> for InvoiceHeadView {
    fn from(head: api::InvoiceHead) -> Self {
        Self {
            customer: address(head.customer),
            epoch: head.epoch.0,
            from_ms: head.from.0,
            to_ms: head.to.0,
            lines: all(head.lines),
            prices: all(head.prices),
            complete: head.complete,
        }
    }
}

/// What an account earned since the beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EarningsView {
    pub usage_payable: String,
    pub usage_claimed: String,
    pub yield_payable: String,
    pub yield_claimed: String,
}

impl From<api::Earnings> for EarningsView {
    fn from(earnings: api::Earnings) -> Self {
        Self {
            usage_payable: earnings.usage_payable.to_string(),
            usage_claimed: earnings.usage_claimed.to_string(),
            yield_payable: earnings.yield_payable.to_string(),
            yield_claimed: earnings.yield_claimed.to_string(),
        }
    }
}

/// What a stake earned in an era.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EraEarningsView {
    pub era: u64,
    /// Charges that matured on leaves that name its devices.
    pub matured: String,
    pub base: String,
    pub activity: String,
}

impl From<api::EraEarnings> for EraEarningsView {
    fn from(era: api::EraEarnings) -> Self {
        Self {
            era: era.era.0,
            matured: era.matured.to_string(),
            base: era.base.to_string(),
            activity: era.activity.to_string(),
        }
    }
}

/// A score with its inputs; scores and components in millionths.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScoreView {
    pub quality: u32,
    pub service: u32,
    pub era: u64,
    pub jobs_per_stake: String,
    /// Smoothed over eras.
    pub usual: String,
    /// Of the smoothed ones.
    pub regional_median: String,
    pub jobs: u32,
    pub ok: u32,
    pub speed: u32,
}

impl From<api::ScoreView> for ScoreView {
    fn from(score: api::ScoreView) -> Self {
        Self {
            quality: score.quality.0,
            service: score.service.0,
            era: score.era.0,
            jobs_per_stake: score.jobs_per_stake.to_string(),
            usual: score.usual.to_string(),
            regional_median: score.regional_median.to_string(),
            jobs: score.jobs.0,
            ok: score.ok.0,
            speed: score.speed.0,
        }
    }
}

/// What probers saw of a node, by epochs in which enough of them spoke.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProbesView {
    pub sampled: u32,
    pub answered: u32,
    pub served: u32,
    pub right: u32,
    /// Microseconds per 64 KiB.
    pub pace_us: Option<u64>,
    /// From its own region.
    pub round_trip_us: Option<u64>,
}

impl From<api::ProbesView> for ProbesView {
    fn from(probes: api::ProbesView) -> Self {
        Self {
            sampled: probes.sampled,
            answered: probes.answered,
            served: probes.served,
            right: probes.right,
            pace_us: probes.pace,
            round_trip_us: probes.round_trip,
        }
    }
}

/// What round trips say about a node's region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlaceView {
    /// `unknown`, `plausible`, `farFromHome` or `elsewhere`.
    pub verdict: &'static str,
    /// Where it seems to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

impl From<api::PlaceView> for PlaceView {
    fn from(place: api::PlaceView) -> Self {
        let (verdict, region) = match place {
            api::PlaceView::Unknown => ("unknown", None),
            api::PlaceView::Plausible => ("plausible", None),
            api::PlaceView::FarFromHome => ("farFromHome", None),
            api::PlaceView::Elsewhere(region) => ("elsewhere", Some(region.to_string())),
        };
        Self { verdict, region }
    }
}

/// Why a node is out until it rejoins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OutView {
    /// `unavailable` or `regionDisproved`.
    pub reason: &'static str,
    /// The region that was disproved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    pub since_epoch: u64,
}

impl From<(api::OutReason, types::Epoch)> for OutView {
    fn from((reason, since): (api::OutReason, types::Epoch)) -> Self {
        let (reason, region) = match reason {
            api::OutReason::Unavailable => ("unavailable", None),
            api::OutReason::RegionDisproved(region) => {
                ("regionDisproved", Some(region.to_string()))
            }
        };
        Self {
            reason,
            region,
            since_epoch: since.0,
        }
    }
}

/// Blocks of a validator in an era.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BlocksView {
    pub authored: u32,
    pub expected: u32,
}

/// Every component of a node's scores with its inputs; scores, components and shares in millionths.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScoreExplanationView {
    pub device: String,
    /// `validator`, `stargate`, `gateway` or `cache`.
    pub role: &'static str,
    pub region: String,
    pub score: ScoreView,
    pub blocks: Option<BlocksView>,
    /// In the era of the score.
    pub probes: ProbesView,
    /// Epochs of that era in which its stake was on no device.
    pub absent: u32,
    /// Microseconds per 64 KiB, of its role and region.
    pub median_pace_us: Option<u64>,
    /// Among the nodes of its region.
    pub usual_round_trip_us: Option<u64>,
    pub place: PlaceView,
    /// In the current era so far.
    pub current: ProbesView,
    pub expected_availability: u32,
    pub draining: bool,
    pub out: Option<OutView>,
    pub disputed_since_epoch: Option<u64>,
}

impl From<api::ScoreExplanation> for ScoreExplanationView {
    fn from(explained: api::ScoreExplanation) -> Self {
        Self {
            device: explained.device.to_string(),
            role: explained.role.name(),
            region: explained.region.to_string(),
            score: explained.score.into(),
            blocks: explained
                .blocks
                .map(|(authored, expected)| BlocksView { authored, expected }),
            probes: explained.probes.into(),
            absent: explained.absent,
            median_pace_us: explained.median_pace,
            usual_round_trip_us: explained.usual_round_trip,
            place: explained.place.into(),
            current: explained.current.into(),
            expected_availability: explained.expected.0,
            draining: explained.draining,
            out: explained.out.map(Into::into),
            disputed_since_epoch: explained.disputed.map(|epoch| epoch.0),
        }
    }
}

/// A stake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StakeView {
    pub id: u64,
    pub amount: String,
}

/// A drain, from an epoch on up to the one in which what is seen of the node counts again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DrainView {
    pub from_epoch: u64,
    pub until_epoch: u64,
}

/// A node: registration, stake, scores and earnings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeView {
    pub device: String,
    pub operator: String,
    /// `validator`, `stargate`, `gateway` or `cache`.
    pub role: &'static str,
    pub region: String,
    pub endpoint: String,
    pub public_url: String,
    pub stake: Option<StakeView>,
    pub active: bool,
    pub draining: bool,
    pub drain: Option<DrainView>,
    pub next_drain_epoch: Option<u64>,
    pub score: Option<ScoreView>,
    /// Newest first.
    pub eras: Vec<EraEarningsView>,
}

impl From<api::NodeView> for NodeView {
    fn from(node: api::NodeView) -> Self {
        let stake = node.stake;
        Self {
            device: node.device.to_string(),
            operator: address(node.operator),
            role: node.role.name(),
            region: node.region.to_string(),
            endpoint: text(&node.endpoint),
            public_url: text(&node.public_url),
            stake: stake.map(|(id, amount)| StakeView {
                id: id.0,
                amount: amount.to_string(),
            }),
            active: node.active,
            draining: node.draining,
            drain: node.drain.map(|drain| DrainView {
                from_epoch: drain.from.0,
                until_epoch: drain.until.0,
            }),
            next_drain_epoch: node.next_drain.map(|epoch| epoch.0),
            score: node.score.map(Into::into),
            eras: all(node.eras),
        }
    }
}

/// Converts every element.
pub(crate) fn all<T: Into<V>, V>(values: Vec<T>) -> Vec<V> {
    values.into_iter().map(Into::into).collect()
}

fn address(account: types::Account) -> String {
    AccountId32::new(account.0).to_string()
}

fn hex(bytes: &[u8]) -> String {
    sp_core::bytes::to_hex(bytes, false)
}

/// Text that a stranger put on chain: what is not UTF-8 is shown as replacement characters.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn amounts_beyond_what_json_readers_keep_stay_exact() {
        let earnings = api::Earnings {
            usage_payable: u128::MAX,
            ..Default::default()
        };
        assert_eq!(
            serde_json::to_value(EarningsView::from(earnings)).unwrap(),
            json!({
                "usagePayable": "340282366920938463463374607431768211455",
                "usageClaimed": "0",
                "yieldPayable": "0",
                "yieldClaimed": "0",
            })
        );
        let usage = types::Usage([1, u64::MAX, 3, 4, 5, 6]);
        assert_eq!(
            serde_json::to_value(PerClass::from(usage)).unwrap(),
            json!({
                "requests": "1",
                "egressBytes": "18446744073709551615",
                "originBytes": "3",
                "storageByteHours": "4",
                "computeFuel": "5",
                "dnsQueries": "6",
            })
        );
    }

    #[test]
    fn a_status_says_whether_amounts_can_still_change() {
        let shown =
            |status: api::CommitmentStatus| serde_json::to_value(StatusView::from(status)).unwrap();
        assert_eq!(
            shown(api::CommitmentStatus::Settling(7)),
            json!({ "state": "settling", "nextEntry": 7, "final": false })
        );
        assert_eq!(
            shown(api::CommitmentStatus::Credited),
            json!({ "state": "credited", "final": true })
        );
        assert_eq!(
            shown(api::CommitmentStatus::Void),
            json!({ "state": "void", "final": true })
        );
        assert_eq!(
            shown(api::CommitmentStatus::Refunding(1)),
            json!({ "state": "refunding", "nextEntry": 1, "final": false })
        );
    }

    #[test]
    fn a_score_is_explained_to_its_inputs() {
        let region = types::Region::parse("eu-west").unwrap();
        let probes = api::ProbesView {
            sampled: 23,
            answered: 2,
            pace: Some(1_200),
            ..Default::default()
        };
        let one = types::Score::ONE;
        let explained = api::ScoreExplanation {
            device: types::DeviceId([1; 32]),
            role: types::Role::Cache,
            region,
            score: api::ScoreView {
                quality: one,
                service: one,
                era: types::Era(4),
                jobs_per_stake: u128::MAX,
                usual: 5,
                regional_median: 0,
                jobs: one,
                ok: one,
                speed: one,
            },
            blocks: None,
            probes: probes.clone(),
            absent: 4,
            median_pace: Some(1_000),
            usual_round_trip: None,
            place: api::PlaceView::Elsewhere(region),
            current: probes,
            expected: types::Ppm::percent(20),
            draining: false,
            out: Some((api::OutReason::Unavailable, types::Epoch(96))),
            disputed: None,
        };
        let shown = serde_json::to_value(ScoreExplanationView::from(explained)).unwrap();
        assert_eq!(
            shown["probes"],
            json!({
                "sampled": 23, "answered": 2, "served": 0, "right": 0, "paceUs": 1_200, "roundTripUs": null,
            })
        );
        assert_eq!(
            shown["out"],
            json!({ "reason": "unavailable", "sinceEpoch": 96 })
        );
        assert_eq!(
            shown["place"],
            json!({ "verdict": "elsewhere", "region": "eu-west" })
        );
        assert_eq!(shown["expectedAvailability"], json!(200_000));
        assert_eq!(
            (&shown["absent"], &shown["score"]["usual"]),
            (&json!(4), &json!("5"))
        );
    }

    #[test]
    fn text_that_is_none_does_not_break_an_answer() {
        let service = api::ServiceView {
            id: types::ServiceId(3),
            owner: types::Account([1; 32]),
            hosts: vec![
                api::HostView {
                    name: b"www.example.org".to_vec(),
                    proven: true,
                    challenge: b"0a".to_vec(),
                },
                api::HostView {
                    name: vec![0xff],
                    proven: false,
                    challenge: Vec::new(),
                },
            ],
            origin: b"https://origin.example.org".to_vec(),
            cap: 5,
            price_version: 1,
            paused: false,
        };
        let shown = serde_json::to_value(ServiceView::from(service)).unwrap();
        assert_eq!(
            shown["hosts"][0],
            json!({ "name": "www.example.org", "proven": true, "challenge": "0a" })
        );
        assert_eq!(
            shown["hosts"][1],
            json!({ "name": "\u{fffd}", "proven": false, "challenge": "" })
        );
        assert_eq!(shown["cap"], json!("5"));
    }
}
