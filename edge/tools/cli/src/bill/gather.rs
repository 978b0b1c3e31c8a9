//! Fetches what a bill is made of: heads from the chain, evidence from the gateways.

use super::{
    date,
    folder::{Folder, Manifest},
    Causes, Keccak, LineKey,
};
use crate::{
    audit,
    chain::{Chain, Snapshot},
    error::Failure,
    output::Output,
};
use futures::{stream, StreamExt, TryStreamExt};
use selvedge_primitives_math::bill::{check_line, Day};
use selvedge_primitives_runtime_api::ClockView;
use selvedge_primitives_types::{Account, DeviceId, Epoch, Finality, InvoiceHead, InvoiceLine};
use std::{cell::RefCell, collections::BTreeMap, ops::Range};

/// Heads asked for at once.
const HEADS_AT_ONCE: usize = 8;

/// Lines asked for at once.
const LINES_AT_ONCE: usize = 4;

/// Fills the folder with what is behind the bill of these days.
///
/// A gateway that does not answer ends nothing: its lines are in the second part of the answer, with the cause.
pub async fn run(
    output: &Output,
    chain: &Chain,
    customer: Account,
    days: Range<Day>,
    folder: &Folder,
) -> anyhow::Result<(Manifest, Causes)> {
    let last = Day(days.end.0 - 1);
    let mut manifest = Manifest::new(
        format!("0x{}", hex::encode(chain.genesis())),
        format!("0x{}", hex::encode(customer.0)),
        date(days.start),
        date(last),
    );
    let known = folder.manifest()?;
    if let Some(known) = &known {
        let ours = |one: &Manifest| (one.genesis.clone(), one.customer.clone(), one.from.clone());
        if ours(known) != ours(&manifest) {
            let text = format!(
                "the folder is about {} from {}, on the chain {}",
                known.customer, known.from, known.genesis
            );
            return Err(Failure::Input(text).into());
        }
    }
    let at = chain.snapshot().await?;
    let oldest = oldest(chain, &at).await?;
    let mut epochs = epochs(&at, customer, &days, oldest).await?;
    if let Some(known) = &known {
        // It was computed when the chain knew more of the past.
        epochs.start = epochs.start.min(Epoch(known.first_epoch));
    }
    manifest.first_epoch = epochs.start.0;
    manifest.last_epoch = epochs.end.0 - 1;
    manifest.block = at.hash();
    let heads = heads(output, &at, customer, epochs, oldest, folder).await?;
    folder.set_manifest(&manifest)?;
    let causes = lines(output, customer, &heads, folder).await?;
    Ok((manifest, causes))
}

/// The oldest epoch whose lines the chain still has.
async fn oldest(chain: &Chain, at: &Snapshot) -> anyhow::Result<Epoch> {
    let clock: ClockView = at.view("BillingApi_clock", &()).await?;
    let parameters = chain.parameters().await?;
    let history = parameters.iter().find(|one| one.name == b"HistoryEpochs");
    let history = history
        .ok_or_else(|| Failure::AnswerInvalid("the chain has no parameter HistoryEpochs".into()))?;
    let history = u64::try_from(history.current).unwrap_or(u64::MAX);
    Ok(Epoch(clock.epoch.0.saturating_sub(history)))
}

/// The epochs that began in these days and have ended.
async fn epochs(
    at: &Snapshot,
    customer: Account,
    days: &Range<Day>,
    oldest: Epoch,
) -> anyhow::Result<Range<Epoch>> {
    let clock: ClockView = at.view("BillingApi_clock", &()).await?;
    let begin = days.start.begin().0;
    let end = first_from(at, customer, &clock, oldest, days.end.begin().0).await?;
    let start = first_from(at, customer, &clock, oldest, begin).await?;
    let end = end.min(clock.epoch);
    if start >= end {
        let text = format!(
            "no epoch that began between {} and {} has ended",
            date(days.start),
            date(Day(days.end.0 - 1))
        );
        return Err(Failure::NotFound(text).into());
    }
    Ok(start..end)
}

/// The first epoch that began at or after a moment; at most the one after the current one.
async fn first_from(
    at: &Snapshot,
    customer: Account,
    clock: &ClockView,
    oldest: Epoch,
    moment: u64,
) -> anyhow::Result<Epoch> {
    let (mut low, mut high) = (oldest.0, clock.epoch.0 + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        if began(at, customer, clock, Epoch(middle)).await? < moment {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if low == oldest.0 {
        // What the chain has forgotten is counted back. If its clock stood still then, there were fewer.
        let began = began(at, customer, clock, oldest).await?;
        let before = began.saturating_sub(moment) / clock.epoch_length.0.max(1);
        low = low.saturating_sub(before);
    }
    Ok(Epoch(low))
}

async fn began(
    at: &Snapshot,
    customer: Account,
    clock: &ClockView,
    epoch: Epoch,
) -> anyhow::Result<u64> {
    if epoch >= clock.epoch {
        return Ok(clock.epoch_start.0);
    }
    Ok(read(at, customer, epoch).await?.from.0)
}

async fn read(at: &Snapshot, customer: Account, epoch: Epoch) -> anyhow::Result<InvoiceHead> {
    let head: Option<InvoiceHead> = at
        .view("BillingApi_invoice_head", &(customer, epoch))
        .await?;
    let head = head.ok_or_else(|| {
        Failure::AnswerInvalid(format!("epoch {epoch} has ended and has no invoice"))
    })?;
    Ok(head)
}

/// Reads the heads that are not final in the folder yet; what the chain has forgotten is taken from there alone.
async fn heads(
    output: &Output,
    at: &Snapshot,
    customer: Account,
    epochs: Range<Epoch>,
    oldest: Epoch,
    folder: &Folder,
) -> anyhow::Result<Vec<InvoiceHead>> {
    let bar = output.bar("reading epochs", epochs.end.0 - epochs.start.0);
    let heads = stream::iter((epochs.start.0..epochs.end.0).map(Epoch))
        .map(|epoch| {
            let bar = &bar;
            async move {
                bar.inc(1);
                // One that cannot be read is read from the chain again, if the chain still has it.
                let kept = folder.head(epoch);
                if epoch < oldest {
                    return Ok(kept?);
                }
                if let Ok(Some(head)) = kept {
                    if head.customer == customer && is_final(&head) {
                        return Ok(Some(head));
                    }
                }
                let head = read(at, customer, epoch).await?;
                folder.set_head(&head)?;
                anyhow::Ok(Some(head))
            }
        })
        .buffered(HEADS_AT_ONCE)
        .try_filter_map(|head| async { Ok(head) })
        .try_collect()
        .await;
    bar.finish_and_clear();
    heads
}

/// Whether nothing in a head can change any more.
fn is_final(head: &InvoiceHead) -> bool {
    let ends = |line: &InvoiceLine| matches!(line.finality(), Finality::Final | Finality::Refunded);
    head.complete && head.lines.iter().all(ends)
}

/// Fetches what is behind the lines and not in the folder yet.
pub(super) async fn lines(
    output: &Output,
    customer: Account,
    heads: &[InvoiceHead],
    folder: &Folder,
) -> anyhow::Result<Causes> {
    let all = heads
        .iter()
        .flat_map(|head| head.lines.iter().map(move |line| (head, line)));
    let bar = output.bar("fetching proofs", all.clone().count() as u64);
    let causes = RefCell::new(Causes::new());
    // Whoever does not answer once is not asked for the rest of the month.
    let silent = RefCell::new(BTreeMap::<DeviceId, String>::new());
    let fetched = stream::iter(all)
        .map(|(head, line)| {
            let (bar, causes, silent) = (&bar, &causes, &silent);
            async move {
                bar.inc(1);
                let key: LineKey = (head.epoch, line.service, line.gateway);
                if is_kept(folder, customer, head, line, &key) {
                    return Ok(());
                }
                let known = silent.borrow().get(&line.gateway).cloned();
                let cause = match known {
                    Some(cause) => cause,
                    None => match audit::fetch(line, customer, head.epoch).await {
                        Ok(evidence) => return folder.set_evidence(&key, &evidence),
                        Err(Failure::ProofUnavailable {
                            url,
                            cause,
                            silent: is_silent,
                        }) => {
                            let cause = format!("{url}: {cause}");
                            if is_silent {
                                let mut silent = silent.borrow_mut();
                                silent.insert(line.gateway, cause.clone());
                            }
                            cause
                        }
                        Err(other) => return Err(other),
                    },
                };
                causes.borrow_mut().insert(key, cause);
                Ok(())
            }
        })
        .buffer_unordered(LINES_AT_ONCE)
        .try_collect::<()>()
        .await;
    bar.finish_and_clear();
    fetched?;
    Ok(causes.into_inner())
}

/// Whether the folder has what is behind a line, and it checks out: else it is asked for again.
fn is_kept(
    folder: &Folder,
    customer: Account,
    head: &InvoiceHead,
    line: &InvoiceLine,
    key: &LineKey,
) -> bool {
    let Ok(Some(evidence)) = folder.evidence(key) else {
        return false;
    };
    check_line::<Keccak>(customer, head.epoch, line, &head.prices, &evidence).is_ok()
}
