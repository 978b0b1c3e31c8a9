//! `selvedge bill`: the itemised bill of an epoch or a period, every line checked here, on the customer's own machine.
//!
//! The chain gives the heads: what it charged, and the roots that the gateways committed. Each gateway gives the leaves
//! behind its lines. What makes a line right is in [`selvedge_primitives_math::bill`].

mod epoch;
mod folder;
mod gather;
mod print;
#[cfg(test)]
mod tests;

use crate::{calendar::Date, cli::BillArgs, commands::Context, error::Failure, keys};
use folder::{Folder, Manifest};
use indicatif::ProgressBar;
use print::Printed;
use selvedge_primitives_math::{
    bill::{check, Bill, Day, Unverified},
    hash::Keccak256,
};
use selvedge_primitives_types::{DeviceId, Epoch, Finality, Hash, Millis, ServiceId};
use sha3::Digest;
use std::{
    collections::BTreeMap,
    ops::Range,
    time::{SystemTime, UNIX_EPOCH},
};

/// Keccak-256 of this machine.
pub struct Keccak;

impl Keccak256 for Keccak {
    fn hash(bytes: &[u8]) -> Hash {
        sha3::Keccak256::digest(bytes).into()
    }
}

/// Which line of a bill: epoch, service and gateway.
type LineKey = (Epoch, ServiceId, DeviceId);

/// Why there is nothing behind lines, where this is known.
type Causes = BTreeMap<LineKey, String>;

/// Prints the bill that was asked for, and fails when it does not check out.
pub async fn run(context: &Context<'_>, args: BillArgs) -> anyhow::Result<()> {
    if let Some(path) = &args.check {
        let folder = Folder::open(path)?;
        let manifest = folder
            .manifest()?
            .ok_or_else(|| Failure::NotFound(format!("{} holds no bill yet", path.display())))?;
        return conclude(context, &args, &folder, &manifest, Causes::new());
    }
    let Some(days) = period(&args)? else {
        if args.folder.is_some() || args.out.is_some() {
            let text = "--folder and --out are for a period: add --month, or --from";
            return Err(Failure::Input(text.into()).into());
        }
        return epoch::run(context, args).await;
    };
    let account = context.account_or_signer(args.account.as_deref())?;
    let folder = match &args.folder {
        Some(path) => Folder::create(path)?,
        None => Folder::temporary()?,
    };
    let chain = context.chain().await?;
    let (manifest, causes) = gather::run(context.output, &chain, account, days, &folder).await?;
    conclude(context, &args, &folder, &manifest, causes)
}

/// The days that were asked for, if days were.
fn period(args: &BillArgs) -> anyhow::Result<Option<Range<Day>>> {
    if let Some(month) = args.month {
        return Ok(Some(month.days()));
    }
    let Some(from) = args.from else {
        return Ok(None);
    };
    let last = match args.to {
        Some(to) => to.day(),
        None => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
            Day::of(Millis(now.as_millis().try_into()?))
        }
    };
    if last < from.day() {
        return Err(Failure::Input(format!("the last day is before {from}")).into());
    }
    Ok(Some(from.day()..Day(last.0 + 1)))
}

/// Prints the bill of what is in the folder, and fails when it does not check out.
fn conclude(
    context: &Context<'_>,
    args: &BillArgs,
    folder: &Folder,
    manifest: &Manifest,
    mut causes: Causes,
) -> anyhow::Result<()> {
    let bar = context.output.bar("checking lines", 0);
    let bill = make(folder, manifest, &mut causes, &bar);
    bar.finish_and_clear();
    let bill = bill?;
    let printed = Printed::new(&bill, manifest, &causes);
    let human = || print::human(&bill, &printed);
    context
        .output
        .answer_into(args.out.as_deref(), &printed, human)?;
    verdict(&bill)
}

/// Makes the bill of what is in the folder. `causes` takes in why evidence that is there cannot be read.
fn make(
    folder: &Folder,
    manifest: &Manifest,
    causes: &mut Causes,
    bar: &ProgressBar,
) -> Result<Bill, Failure> {
    let customer = keys::account(&manifest.customer)?;
    let (first, last) = (Epoch(manifest.first_epoch), Epoch(manifest.last_epoch));
    let heads = folder.heads(first..=last)?;
    bar.set_length(heads.iter().map(|head| head.lines.len() as u64).sum());
    let bill = check::<Keccak>(customer, first..=last, heads, |epoch, line| {
        bar.inc(1);
        let key = (epoch, line.service, line.gateway);
        folder.evidence(&key).unwrap_or_else(|error| {
            causes.insert(key, error.to_string());
            None
        })
    });
    bill.map_err(|error| Failure::ProofInvalid(error.to_string()))
}

/// Fails when something on the bill is wrong, or nothing is behind it.
fn verdict(bill: &Bill) -> anyhow::Result<()> {
    let unverified: Vec<_> = bill
        .lines
        .iter()
        .filter_map(|line| Some((line, line.outcome.err()?)))
        .collect();
    if !bill.is_sound() {
        let heads = bill
            .defects
            .first()
            .map(|(epoch, defect)| format!("what the chain says of epoch {epoch}: {defect}"));
        let wrong = unverified
            .iter()
            .find(|(_, reason)| *reason != Unverified::NotShown);
        let line = wrong.map(|(line, reason)| {
            format!(
                "epoch {}, service {} at gateway {}: {reason}",
                line.epoch, line.service, line.gateway
            )
        });
        let what = heads.or(line).unwrap_or_default();
        return Err(Failure::ProofInvalid(what).into());
    }
    if !bill.is_whole() {
        let absent: u64 = bill.absent.iter().map(|(a, b)| b.0 - a.0 + 1).sum();
        let text = format!(
            "{} of {} lines have nothing behind them, {absent} epochs are unknown",
            unverified.len(),
            bill.lines.len()
        );
        return Err(Failure::BillIncomplete(text).into());
    }
    Ok(())
}

/// How a line's finality is called.
fn finality(finality: Finality) -> &'static str {
    match finality {
        Finality::Open => "being charged",
        Finality::Disputable => "charged, may be disputed",
        Finality::Final => "charged, final",
        Finality::Void => "void, being refunded",
        Finality::Refunded => "void, refunded",
    }
}

/// A day as people write it; beyond the calendar its number.
fn date(day: Day) -> String {
    match Date::of(day) {
        Some(date) => date.to_string(),
        None => format!("day {}", day.0),
    }
}
