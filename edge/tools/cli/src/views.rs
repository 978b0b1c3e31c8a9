//! What `--json` prints. These shapes are a contract: fields are added, never renamed. Amounts are strings in planck.

mod content;
mod earnings;

pub use content::{Blob, Content, Move};
pub use earnings::StakeEarnings;

use crate::keys::address;
use selvedge_primitives_runtime_api as api;
use selvedge_primitives_types::{Usage, UsageClass};
use serde::Serialize;
use std::collections::BTreeMap;

/// Usage by class; classes that were not used are left out.
pub fn usage(usage: &Usage) -> BTreeMap<UsageClassName, u64> {
    usage
        .iter()
        .filter(|(_, units)| *units > 0)
        .map(|(class, units)| (UsageClassName(class), units))
        .collect()
}

/// Key of a usage class in JSON.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub struct UsageClassName(pub UsageClass);

impl Serialize for UsageClassName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.name().replace([' ', '-'], "_").to_lowercase())
    }
}

/// Text out of bytes that the chain keeps as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A prepaid account.
#[derive(Serialize)]
pub struct Account {
    pub account: String,
    pub free: String,
    pub prepaid: Option<Prepaid>,
}

/// The deposit of an account.
#[derive(Serialize)]
pub struct Prepaid {
    pub state: String,
    pub balance: String,
    pub reserved: String,
    pub charged: String,
    pub lasts_millis: u64,
}

impl From<&api::AccountView> for Prepaid {
    fn from(view: &api::AccountView) -> Self {
        Self {
            state: format!("{:?}", view.state).to_lowercase(),
            balance: view.balance.to_string(),
            reserved: view.reserved.to_string(),
            charged: view.charged.to_string(),
            lasts_millis: view.lasts.0,
        }
    }
}

/// A service.
#[derive(Serialize)]
pub struct Service {
    pub service: u64,
    pub owner: String,
    pub hosts: Vec<Host>,
    pub origin: String,
    pub cap: String,
    pub price_version: u32,
    pub paused: bool,
}

/// A host name, whether its ownership is proven, and the TXT record that proves it.
#[derive(Serialize)]
pub struct Host {
    pub name: String,
    pub proven: bool,
    pub txt_name: String,
    pub txt_value: String,
}

impl From<&api::ServiceView> for Service {
    fn from(view: &api::ServiceView) -> Self {
        let hosts = view
            .hosts
            .iter()
            .map(|host| Host {
                name: text(&host.name),
                proven: host.proven,
                txt_name: format!("_selvedge-challenge.{}", text(&host.name)),
                txt_value: text(&host.challenge),
            })
            .collect();
        Self {
            service: view.id.0,
            owner: address(&view.owner),
            hosts,
            origin: text(&view.origin),
            cap: view.cap.to_string(),
            price_version: view.price_version,
            paused: view.paused,
        }
    }
}

/// A node.
#[derive(Serialize)]
pub struct Node {
    pub device: String,
    pub operator: String,
    pub role: String,
    pub region: String,
    pub endpoint: String,
    pub public_url: String,
    pub stake: Option<Stake>,
    pub active: bool,
    pub draining: bool,
    pub drain: Option<Drain>,
    pub next_drain_epoch: Option<u64>,
    pub score: Option<Score>,
    pub eras: Vec<EraEarnings>,
}

/// The last drain that a node was granted: what is seen of it counts again in `until_epoch`.
#[derive(Serialize)]
pub struct Drain {
    pub from_epoch: u64,
    pub until_epoch: u64,
}

/// The stake a node carries.
#[derive(Serialize)]
pub struct Stake {
    pub id: u64,
    pub amount: String,
}

/// A node's scores with what they were computed from, in millionths.
#[derive(Serialize)]
pub struct Score {
    pub quality: u32,
    pub service: u32,
    pub era: u64,
    pub jobs: u32,
    pub ok: u32,
    pub speed: u32,
    pub jobs_per_stake: String,
    pub usual: String,
    pub regional_median: String,
}

impl From<&api::ScoreView> for Score {
    fn from(score: &api::ScoreView) -> Self {
        Self {
            quality: score.quality.0,
            service: score.service.0,
            era: score.era.0,
            jobs: score.jobs.0,
            ok: score.ok.0,
            speed: score.speed.0,
            jobs_per_stake: score.jobs_per_stake.to_string(),
            usual: score.usual.to_string(),
            regional_median: score.regional_median.to_string(),
        }
    }
}

/// A node's scores, every component of them and its inputs; scores and shares in millionths, times in microseconds.
#[derive(Serialize)]
pub struct ScoreExplanation {
    pub device: String,
    pub role: String,
    pub region: String,
    pub score: Score,
    pub blocks_authored: Option<u32>,
    pub blocks_expected: Option<u32>,
    pub probes: Probes,
    pub absent: u32,
    pub median_pace_us: Option<u64>,
    pub usual_round_trip_us: Option<u64>,
    pub place: &'static str,
    pub seems_in_region: Option<String>,
    pub current: Probes,
    pub expected_availability: u32,
    pub draining: bool,
    pub out: Option<&'static str>,
    pub out_since_epoch: Option<u64>,
    pub disputed_since_epoch: Option<u64>,
}

/// What probers saw of a node, by epochs in which enough of them spoke.
#[derive(Serialize)]
pub struct Probes {
    pub sampled: u32,
    pub answered: u32,
    pub served: u32,
    pub right: u32,
    pub pace_us: Option<u64>,
    pub round_trip_us: Option<u64>,
}

impl From<&api::ProbesView> for Probes {
    fn from(view: &api::ProbesView) -> Self {
        Self {
            sampled: view.sampled,
            answered: view.answered,
            served: view.served,
            right: view.right,
            pace_us: view.pace,
            round_trip_us: view.round_trip,
        }
    }
}

impl From<&api::ScoreExplanation> for ScoreExplanation {
    fn from(view: &api::ScoreExplanation) -> Self {
        let (place, elsewhere) = match view.place {
            api::PlaceView::Unknown => ("unknown", None),
            api::PlaceView::Plausible => ("plausible", None),
            api::PlaceView::FarFromHome => ("far_from_home", None),
            api::PlaceView::Elsewhere(region) => ("elsewhere", Some(region)),
        };
        Self {
            device: view.device.to_string(),
            role: view.role.to_string(),
            region: view.region.to_string(),
            score: (&view.score).into(),
            blocks_authored: view.blocks.map(|(authored, _)| authored),
            blocks_expected: view.blocks.map(|(_, expected)| expected),
            probes: (&view.probes).into(),
            absent: view.absent,
            median_pace_us: view.median_pace,
            usual_round_trip_us: view.usual_round_trip,
            place,
            seems_in_region: elsewhere.map(|region| region.to_string()),
            current: (&view.current).into(),
            expected_availability: view.expected.0,
            draining: view.draining,
            out: view.out.as_ref().map(|(reason, _)| match reason {
                api::OutReason::Unavailable => "unavailable",
                api::OutReason::RegionDisproved(_) => "region_disproved",
            }),
            out_since_epoch: view.out.as_ref().map(|(_, since)| since.0),
            disputed_since_epoch: view.disputed.map(|epoch| epoch.0),
        }
    }
}

/// What a node earned in an era.
#[derive(Serialize)]
pub struct EraEarnings {
    pub era: u64,
    pub matured: String,
    pub base: String,
    pub activity: String,
}

impl From<&api::NodeView> for Node {
    fn from(view: &api::NodeView) -> Self {
        Self {
            device: view.device.to_string(),
            operator: address(&view.operator),
            role: view.role.to_string(),
            region: view.region.to_string(),
            endpoint: text(&view.endpoint),
            public_url: text(&view.public_url),
            stake: view.stake.map(|(id, amount)| Stake {
                id: id.0,
                amount: amount.to_string(),
            }),
            active: view.active,
            draining: view.draining,
            drain: view.drain.map(|drain| Drain {
                from_epoch: drain.from.0,
                until_epoch: drain.until.0,
            }),
            next_drain_epoch: view.next_drain.map(|epoch| epoch.0),
            score: view.score.as_ref().map(Into::into),
            eras: view
                .eras
                .iter()
                .map(|era| EraEarnings {
                    era: era.era.0,
                    matured: era.matured.to_string(),
                    base: era.base.to_string(),
                    activity: era.activity.to_string(),
                })
                .collect(),
        }
    }
}

/// What an account earned.
#[derive(Serialize)]
pub struct Earnings {
    pub account: String,
    pub usage_payable: String,
    pub usage_claimed: String,
    pub yield_payable: String,
    pub yield_claimed: String,
}

impl Earnings {
    /// Of this account.
    pub fn new(account: String, view: &api::Earnings) -> Self {
        Self {
            account,
            usage_payable: view.usage_payable.to_string(),
            usage_claimed: view.usage_claimed.to_string(),
            yield_payable: view.yield_payable.to_string(),
            yield_claimed: view.yield_claimed.to_string(),
        }
    }
}

/// A bill: every line was checked against its proof.
#[derive(Serialize)]
pub struct Bill {
    pub customer: String,
    pub epoch: u64,
    pub from_millis: u64,
    pub to_millis: u64,
    pub complete: bool,
    pub lines: Vec<BillLine>,
    pub total: String,
}

/// A line of a bill.
#[derive(Serialize)]
pub struct BillLine {
    pub service: u64,
    pub gateway: String,
    pub paid: BTreeMap<UsageClassName, u64>,
    pub free: BTreeMap<UsageClassName, u64>,
    pub amount: String,
    pub leaves: u64,
    pub price_versions: Vec<u32>,
    pub status: String,
    pub proof: &'static str,
}

/// A governed parameter; numbers are in its unit.
#[derive(Serialize)]
pub struct Parameter {
    pub area: String,
    pub name: String,
    pub unit: String,
    pub value: String,
    pub default: String,
    pub min: String,
    pub max: String,
    pub track: String,
}

impl From<&crate::chain::Parameter> for Parameter {
    fn from(one: &crate::chain::Parameter) -> Self {
        Self {
            area: text(&one.area),
            name: text(&one.name),
            unit: text(&one.unit),
            value: one.current.to_string(),
            default: one.default.to_string(),
            min: one.min.to_string(),
            max: one.max.to_string(),
            track: text(&one.track),
        }
    }
}

/// What an audit found.
#[derive(Serialize)]
pub struct Audit {
    pub gateway: String,
    pub epoch: u64,
    pub leaves: usize,
    /// `sound`, `fraud` or `withheld`.
    pub finding: &'static str,
    /// What is wrong, or not shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The class of a defect, by which it is slashed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The block in which the chain took the proof.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reported: Option<String>,
}

/// What a transaction did.
#[derive(Serialize)]
pub struct Done {
    pub call: String,
    pub block: String,
    #[serde(flatten)]
    pub result: BTreeMap<&'static str, serde_json::Value>,
}
