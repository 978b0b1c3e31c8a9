//! A bill of a period for programs and for people.

use super::{date, finality, folder::Manifest, Causes};
use crate::{
    amount::Sel,
    keys, output,
    views::{self, UsageClassName},
};
use selvedge_primitives_math::bill::{Bill, Item, ItemKind, Line, Unverified};
use selvedge_primitives_types::{DeviceId, Planck, Prices, UsageClass};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What `--json` prints of a period. Amounts are in planck, prices in planck times 2^32 a unit.
#[derive(Serialize)]
pub struct Printed {
    pub customer: String,
    pub from: String,
    pub to: String,
    pub first_epoch: u64,
    pub last_epoch: u64,
    pub genesis: String,
    pub block: String,
    /// Whether nothing on it is wrong.
    pub sound: bool,
    /// Whether every epoch is known and every line verified.
    pub whole: bool,
    /// Whether nothing on it can change any more.
    #[serde(rename = "final")]
    pub is_final: bool,
    pub totals: Totals,
    pub items: Vec<PrintedItem>,
    pub lines: Vec<PrintedLine>,
    /// Runs of epochs of which nothing is known, both ends included.
    pub unknown_epochs: Vec<(u64, u64)>,
    /// Epochs in which further charges may come.
    pub incomplete_epochs: Vec<u64>,
    pub defects: Vec<Defect>,
    /// Digest of all that the chain said.
    pub heads_digest: String,
}

/// Sums.
#[derive(Serialize)]
pub struct Totals {
    pub charged: String,
    pub refunded: String,
    pub due: String,
    pub settled: String,
    pub unverified: String,
    pub free: String,
}

/// An item; credits are negative, and free use, which adds nothing, has its worth as `credit`.
#[derive(Serialize)]
pub struct PrintedItem {
    pub service: u64,
    pub day: String,
    /// `charge`, `free`, `rounding` or `refund`.
    pub kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<UsageClassName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub units: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_version: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<String>,
    pub amount: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credit: Option<String>,
}

/// A line.
#[derive(Serialize)]
pub struct PrintedLine {
    pub epoch: u64,
    pub from_millis: u64,
    pub service: u64,
    pub gateway: String,
    pub paid: BTreeMap<UsageClassName, u64>,
    pub free: BTreeMap<UsageClassName, u64>,
    pub amount: String,
    pub status: &'static str,
    /// `checked`, `missing` or `wrong`.
    pub proof: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaves: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_version: Option<u32>,
    /// Why it is not verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What is wrong with what the chain said of an epoch.
#[derive(Serialize)]
pub struct Defect {
    pub epoch: u64,
    pub reason: String,
}

impl Printed {
    /// The bill as programs read it.
    pub fn new(bill: &Bill, manifest: &Manifest, causes: &Causes) -> Self {
        let totals = &bill.totals;
        Self {
            customer: keys::address(&bill.customer),
            from: manifest.from.clone(),
            to: manifest.to.clone(),
            first_epoch: bill.epochs.0 .0,
            last_epoch: bill.epochs.1 .0,
            genesis: manifest.genesis.clone(),
            block: manifest.block.clone(),
            sound: bill.is_sound(),
            whole: bill.is_whole(),
            is_final: bill.is_final(),
            totals: Totals {
                charged: totals.charged.to_string(),
                refunded: totals.refunded.to_string(),
                due: totals.due.to_string(),
                settled: totals.settled.to_string(),
                unverified: totals.unverified.to_string(),
                free: totals.free.to_string(),
            },
            items: bill.items.iter().map(printed_item).collect(),
            lines: bill
                .lines
                .iter()
                .map(|line| printed_line(line, causes))
                .collect(),
            unknown_epochs: bill.absent.iter().map(|(a, b)| (a.0, b.0)).collect(),
            incomplete_epochs: bill.incomplete.iter().map(|epoch| epoch.0).collect(),
            defects: bill
                .defects
                .iter()
                .map(|(epoch, defect)| Defect {
                    epoch: epoch.0,
                    reason: defect.to_string(),
                })
                .collect(),
            heads_digest: format!("0x{}", hex::encode(bill.heads)),
        }
    }
}

fn printed_item(item: &Item) -> PrintedItem {
    let printed = |kind, amount: String| PrintedItem {
        service: item.service.0,
        day: date(item.day),
        kind,
        class: None,
        units: None,
        price_version: None,
        price: None,
        amount,
        credit: None,
    };
    match item.kind {
        ItemKind::Charge {
            class,
            units,
            version,
            price,
            amount,
        } => PrintedItem {
            class: Some(UsageClassName(class)),
            units: Some(units.to_string()),
            price_version: Some(version),
            price: Some(price.to_string()),
            ..printed("charge", amount.to_string())
        },
        ItemKind::Free {
            class,
            units,
            version,
            price,
            credit,
        } => PrintedItem {
            class: Some(UsageClassName(class)),
            units: Some(units.to_string()),
            price_version: Some(version),
            price: Some(price.to_string()),
            credit: Some(credit.to_string()),
            ..printed("free", "0".into())
        },
        ItemKind::Rounding(amount) => printed("rounding", amount.to_string()),
        ItemKind::Refund(0) => printed("refund", "0".into()),
        ItemKind::Refund(amount) => printed("refund", format!("-{amount}")),
    }
}

fn printed_line(line: &Line, causes: &Causes) -> PrintedLine {
    let verified = line.outcome.ok();
    PrintedLine {
        epoch: line.epoch.0,
        from_millis: line.from.0,
        service: line.service.0,
        gateway: line.gateway.to_string(),
        paid: views::usage(&line.paid),
        free: views::usage(&line.free),
        amount: line.amount.to_string(),
        status: finality(line.finality),
        proof: match line.outcome {
            Ok(_) => "checked",
            Err(Unverified::NotShown) => "missing",
            Err(_) => "wrong",
        },
        leaves: verified.map(|verified| verified.leaves),
        price_version: verified.map(|verified| verified.prices.version),
        reason: line.outcome.err().map(|reason| why(line, reason, causes)),
    }
}

/// Why a line is not verified, with the cause for which nothing is behind it where that is known.
fn why(line: &Line, reason: Unverified, causes: &Causes) -> String {
    let cause = causes.get(&(line.epoch, line.service, line.gateway));
    match (reason, cause) {
        (Unverified::NotShown, Some(cause)) => format!("{reason}: {cause}"),
        _ => reason.to_string(),
    }
}

/// The bill as people read it.
pub fn human(bill: &Bill, printed: &Printed) -> String {
    let rows = bill.items.iter().map(row).collect();
    let items = output::table(
        ["service", "day", "what for", "units", "price", "amount"],
        &[0, 3, 4, 5],
        rows,
    );
    let totals = &bill.totals;
    let mut sums = vec![("charged", Sel(totals.charged).to_string())];
    if totals.refunded > 0 {
        sums.push(("given back", format!("-{}", Sel(totals.refunded))));
    }
    sums.push(("due", Sel(totals.due).to_string()));
    sums.push(("of it final", Sel(totals.settled).to_string()));
    if totals.unverified > 0 {
        sums.push(("of it not verified", Sel(totals.unverified).to_string()));
    }
    if totals.free > 0 {
        sums.push(("free use was worth", Sel(totals.free).to_string()));
    }
    let checked = bill
        .lines
        .iter()
        .filter(|line| line.outcome.is_ok())
        .count();
    sums.push((
        "lines checked",
        format!("{checked} of {}", bill.lines.len()),
    ));
    sums.push(("digest of heads", printed.heads_digest.clone()));
    format!(
        "Bill of {} from {} to {}, epochs {} to {}\n{items}\n{}{}",
        printed.customer,
        printed.from,
        printed.to,
        printed.first_epoch,
        printed.last_epoch,
        output::list(&sums),
        remarks(bill, printed)
    )
}

fn row(item: &Item) -> [String; 6] {
    let (service, day) = (item.service.to_string(), date(item.day));
    let row = |what: String, units: String, price: String, amount: String| {
        [service, day, what, units, price, amount]
    };
    match item.kind {
        ItemKind::Charge {
            class,
            units,
            price,
            amount,
            ..
        } => row(
            class.name().into(),
            units.to_string(),
            rate(class, price),
            Sel(amount).to_string(),
        ),
        ItemKind::Free {
            class,
            units,
            price,
            credit,
            ..
        } => row(
            format!("{}, free", class.name()),
            units.to_string(),
            rate(class, price),
            format!("{} credited", Sel(credit)),
        ),
        ItemKind::Rounding(amount) => row(
            "rounding of leaves".into(),
            String::new(),
            String::new(),
            signed(amount),
        ),
        ItemKind::Refund(amount) => row(
            "refund of void usage".into(),
            String::new(),
            String::new(),
            format!("-{}", Sel(amount)),
        ),
    }
}

fn signed(amount: i128) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    format!("{sign}{}", Sel(amount.unsigned_abs()))
}

/// A price in the unit that people compare: a gibibyte, or a million.
fn rate(class: UsageClass, price: u64) -> String {
    let (count, unit): (u64, &str) = match class {
        UsageClass::EgressBytes | UsageClass::OriginBytes => (1 << 30, "GiB"),
        UsageClass::StorageByteHours => (1 << 30, "GiB hour"),
        _ => (1_000_000, "million"),
    };
    let planck: Planck = (u128::from(price) * u128::from(count)) >> Prices::FRACTION_BITS;
    format!("{} a {unit}", Sel(planck))
}

/// What is not verified, not known or not final.
fn remarks(bill: &Bill, printed: &Printed) -> String {
    let mut text = String::new();
    for (first, last) in &printed.unknown_epochs {
        text += &format!(
            "\nEpochs {first} to {last} are not on this bill: the chain keeps them no longer, and no folder has them"
        );
    }
    for Defect { epoch, reason } in &printed.defects {
        text += &format!("\nWhat the chain says of epoch {epoch} is wrong: {reason}");
    }
    // By gateway and reason, so that a month of silence is one line.
    let mut unverified: BTreeMap<(DeviceId, String), BTreeSet<u64>> = BTreeMap::new();
    for (line, printed) in bill.lines.iter().zip(&printed.lines) {
        if let (Err(reason), Some(text)) = (line.outcome, &printed.reason) {
            // The URL of the first stands for those of all.
            let key = match reason {
                Unverified::NotShown => reason.to_string(),
                _ => text.clone(),
            };
            let epochs = unverified.entry((line.gateway, key)).or_default();
            epochs.insert(line.epoch.0);
        }
    }
    for ((gateway, reason), epochs) in &unverified {
        let (first, last) = (epochs.first(), epochs.last());
        let (Some(first), Some(last)) = (first, last) else {
            continue;
        };
        let of = |line: &&PrintedLine| line.gateway == gateway.to_string() && line.epoch == *first;
        let example = printed
            .lines
            .iter()
            .filter(of)
            .find_map(|line| line.reason.as_ref());
        text += &format!(
            "\nNot verified: gateway {gateway}, {} epochs from {first} to {last}: {}",
            epochs.len(),
            example.unwrap_or(reason)
        );
    }
    if !printed.incomplete_epochs.is_empty() {
        text += &format!(
            "\nIn {} epochs further charges may come",
            printed.incomplete_epochs.len()
        );
    }
    text
}
