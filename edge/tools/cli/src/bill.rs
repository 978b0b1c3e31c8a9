//! `selvedge bill`: the itemised bill of an epoch, every line checked here, on the customer's own machine.
//!
//! The chain gives the head: what it charged, and the roots that the gateways committed. Each gateway gives the leaves
//! behind its line. A line is right when its leaves lie in the committed tree, add up to exactly what was charged, were
//! served in the epoch, and each leaf's amount is what the pinned price list says for its usage.

use crate::{
    amount::Sel,
    audit::{self, Proof},
    chain::Chain,
    cli::BillArgs,
    commands::Context,
    error::Failure,
    keys, output,
    views::{self, usage},
};
use selvedge_primitives_math::{
    hash::Keccak256,
    price::charge,
    proof::{verify_commitment, verify_entries, verify_leaves},
    tree::TreeKind,
};
use selvedge_primitives_runtime_api::{ClockView, CommitmentStatus, InvoiceHead, InvoiceLine};
use selvedge_primitives_types::{
    Account, CustomerEntryKey, EntryKey, Epoch, Hash, PriceList, Usage,
};
use sha3::Digest;
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

/// Keccak-256 of this machine.
pub struct Keccak;

impl Keccak256 for Keccak {
    fn hash(bytes: &[u8]) -> Hash {
        sha3::Keccak256::digest(bytes).into()
    }
}

/// Prints the bill, or fails when a line does not check out.
pub async fn run(context: &Context<'_>, args: BillArgs) -> anyhow::Result<()> {
    let account = context.account_or_signer(args.account.as_deref())?;
    let chain = context.chain().await?;
    let epoch = match args.epoch {
        Some(epoch) => Epoch(epoch),
        None => last_ended(&chain).await?,
    };
    let head = head(
        context,
        &chain,
        account,
        epoch,
        args.wait.map(Duration::from_secs),
    )
    .await?;
    let mut lines = Vec::with_capacity(head.lines.len());
    for line in &head.lines {
        context.output.progress(format!(
            "checking service {} at gateway {} ...",
            line.service, line.gateway
        ));
        let proof = audit::fetch(line, account, epoch).await?;
        let versions = check(line, account, epoch, &head.prices, &proof)?;
        lines.push(json_line(line, proof.leaves().count() as u64, versions));
    }
    let total = head.lines.iter().map(|line| line.amount).sum();
    let bill = views::Bill {
        customer: keys::address(&account),
        epoch: epoch.0,
        from_millis: head.from.0,
        to_millis: head.to.0,
        complete: head.complete,
        lines,
        total: u128::to_string(&total),
    };
    context.output.answer(&bill, || human(&head, total))
}

async fn last_ended(chain: &Chain) -> anyhow::Result<Epoch> {
    let clock: ClockView = chain.view("BillingApi_clock", &()).await?;
    let ended = clock.epoch.0.checked_sub(1);
    Ok(Epoch(ended.ok_or_else(|| {
        Failure::NotFound("no epoch has ended yet".into())
    })?))
}

/// Reads the head; with `wait`, again and again until every gateway's part is settled.
async fn head(
    context: &Context<'_>,
    chain: &Chain,
    account: Account,
    epoch: Epoch,
    wait: Option<Duration>,
) -> anyhow::Result<InvoiceHead> {
    let start = Instant::now();
    loop {
        let head: Option<InvoiceHead> = chain
            .view("BillingApi_invoice_head", &(account, epoch))
            .await?;
        let settled = |head: &InvoiceHead| {
            let open = |line: &InvoiceLine| {
                matches!(
                    line.status,
                    CommitmentStatus::Pending | CommitmentStatus::Settling(_)
                )
            };
            head.complete && !head.lines.iter().any(open)
        };
        match (head, wait) {
            (Some(head), None) => return Ok(head),
            (Some(head), Some(_)) if settled(&head) => return Ok(head),
            (None, None) => {
                return Err(Failure::NotFound(format!(
                    "epoch {epoch} has not ended; --wait waits for it"
                ))
                .into())
            }
            (_, Some(limit)) if start.elapsed() >= limit => {
                let text = format!(
                    "epoch {epoch} was not settled within {} s; try again later",
                    limit.as_secs()
                );
                return Err(Failure::NotFound(text).into());
            }
            _ => {
                context
                    .output
                    .progress(format!("epoch {epoch} is not settled yet ..."));
                tokio::time::sleep(Duration::from_secs(3)).await;
            }
        }
    }
}

/// Checks a line against its proof; returns the price lists its leaves refer to.
pub fn check(
    line: &InvoiceLine,
    customer: Account,
    epoch: Epoch,
    prices: &[PriceList],
    proof: &Proof,
) -> Result<BTreeSet<u32>, Failure> {
    let bad = |reason: String| {
        Failure::ProofInvalid(format!(
            "service {} at gateway {}: {reason}",
            line.service, line.gateway
        ))
    };
    let commitment = &line.commitment;
    if (commitment.gateway, commitment.epoch) != (line.gateway, epoch) {
        return Err(bad("the commitment is of another gateway or epoch".into()));
    }
    verify_commitment(commitment).map_err(|error| bad(error.to_string()))?;

    let entry = &proof.entry;
    if entry.key
        != EntryKey::from(CustomerEntryKey {
            customer,
            service: line.service,
        })
    {
        return Err(bad("the gateway proved the entry of somebody else".into()));
    }
    if proof.entry_proof.start != line.entry {
        return Err(bad(format!(
            "the entry is number {}, the chain charged number {}",
            proof.entry_proof.start, line.entry
        )));
    }
    verify_entries::<Keccak>(
        TreeKind::Customers,
        &commitment.customers,
        &[*entry],
        &proof.entry_proof,
    )
    .map_err(|error| bad(error.to_string()))?;
    let mut known = 0;
    for (leaves, page_proof) in &proof.pages {
        if u64::from(page_proof.start) != known {
            return Err(bad(format!("leaf {known} is missing")));
        }
        verify_leaves::<Keccak>(TreeKind::Customers, entry, leaves, page_proof)
            .map_err(|error| bad(error.to_string()))?;
        known += leaves.len() as u64;
    }
    if known != entry.sum.leaves {
        return Err(bad(format!(
            "{known} of {} leaves are there",
            entry.sum.leaves
        )));
    }
    if (line.amount, line.paid, line.free) != (entry.sum.amount, entry.sum.paid, entry.sum.free) {
        return Err(bad(
            "the chain charged something else than the gateway committed".into(),
        ));
    }

    let mut versions = BTreeSet::new();
    for leaf in proof.leaves() {
        let body = &leaf.body;
        if (body.gateway, body.epoch) != (line.gateway, epoch) || !body.slice.is_valid() {
            return Err(bad(format!(
                "a leaf of slice {} is of another gateway or time",
                body.slice
            )));
        }
        let list = prices
            .iter()
            .find(|list| list.version == body.price_version);
        let list =
            list.ok_or_else(|| bad(format!("no price list {} is published", body.price_version)))?;
        let right = charge(&body.paid, &list.prices).map_err(|error| bad(error.to_string()))?;
        if right != body.amount {
            return Err(bad(format!(
                "a leaf of slice {} charges {} where {right} is right",
                body.slice, body.amount
            )));
        }
        versions.insert(body.price_version);
    }
    Ok(versions)
}

fn json_line(line: &InvoiceLine, leaves: u64, versions: BTreeSet<u32>) -> views::BillLine {
    views::BillLine {
        service: line.service.0,
        gateway: line.gateway.to_string(),
        paid: usage(&line.paid),
        free: usage(&line.free),
        amount: line.amount.to_string(),
        leaves,
        price_versions: versions.into_iter().collect(),
        status: status(line.status).into(),
        proof: "checked",
    }
}

fn human(head: &InvoiceHead, total: u128) -> String {
    let units = |line: &InvoiceLine| -> String {
        let used = |usage: &Usage, credit: &str| {
            let classes = usage.iter().filter(|(_, units)| *units > 0);
            let named = classes.map(|(class, units)| format!("{units} {}{credit}", class.name()));
            named.collect::<Vec<_>>()
        };
        let parts = [used(&line.paid, ""), used(&line.free, ", free")].concat();
        if parts.is_empty() {
            "-".into()
        } else {
            parts.join("\n")
        }
    };
    let rows = head.lines.iter().map(|line| {
        [
            line.service.to_string(),
            line.gateway.to_string()[..12].to_string(),
            units(line),
            Sel(line.amount).to_string(),
            status(line.status).into(),
            "checked".into(),
        ]
    });
    format!(
        "Bill of {} for epoch {}, {} s\n{}\nTotal {}{}\n",
        keys::address(&head.customer),
        head.epoch,
        (head.to.0 - head.from.0) / 1000,
        output::table(
            ["service", "gateway", "use", "charge", "state", "proof"],
            &[0, 3],
            rows.collect()
        ),
        Sel(total),
        if head.complete {
            ""
        } else {
            ", so far: not every gateway has committed"
        },
    )
}

fn status(status: CommitmentStatus) -> &'static str {
    match status {
        CommitmentStatus::Pending => "committed",
        CommitmentStatus::Settling(_) => "being charged",
        CommitmentStatus::HeldBack => "charged, may be disputed",
        CommitmentStatus::Crediting(_) | CommitmentStatus::Credited => "charged, final",
        CommitmentStatus::Refunding(_) => "void, being refunded",
        CommitmentStatus::Void => "void, refunded",
    }
}
