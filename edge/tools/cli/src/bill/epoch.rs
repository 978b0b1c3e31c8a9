//! The bill of one epoch.

use super::{finality, Keccak};
use crate::{
    amount::Sel,
    audit,
    chain::Chain,
    cli::BillArgs,
    commands::Context,
    error::Failure,
    keys, output,
    views::{self, usage},
};
use selvedge_primitives_math::bill::{check_line, Verified};
use selvedge_primitives_runtime_api::{ClockView, CommitmentStatus, InvoiceHead, InvoiceLine};
use selvedge_primitives_types::{Account, Epoch, Finality, Usage};
use std::time::{Duration, Instant};

/// Prints the bill, or fails when a line does not check out.
pub async fn run(context: &Context<'_>, args: BillArgs) -> anyhow::Result<()> {
    let account = context.account_or_signer(args.account.as_deref())?;
    let chain = context.chain().await?;
    let epoch = match args.epoch {
        Some(epoch) => Epoch(epoch),
        None => last_ended(&chain).await?,
    };
    let wait = args.wait.map(Duration::from_secs);
    let mut head = head(context, &chain, account, epoch, wait).await?;
    // What was given back costs nothing; the bill of a period shows it.
    head.lines
        .retain(|line| line.finality() != Finality::Refunded);
    let mut lines = Vec::with_capacity(head.lines.len());
    for line in &head.lines {
        context.output.progress(format!(
            "checking service {} at gateway {} ...",
            line.service, line.gateway
        ));
        let evidence = audit::fetch(line, account, epoch).await?;
        let verified = check_line::<Keccak>(account, epoch, line, &head.prices, &evidence);
        let verified = verified.map_err(|reason| {
            Failure::ProofInvalid(format!(
                "service {} at gateway {}: {reason}",
                line.service, line.gateway
            ))
        })?;
        lines.push(json_line(line, &verified));
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

fn json_line(line: &InvoiceLine, verified: &Verified) -> views::BillLine {
    views::BillLine {
        service: line.service.0,
        gateway: line.gateway.to_string(),
        paid: usage(&line.paid),
        free: usage(&line.free),
        amount: line.amount.to_string(),
        leaves: verified.leaves,
        price_versions: vec![verified.prices.version],
        status: status(line).into(),
        proof: "checked",
    }
}

fn human(head: &InvoiceHead, total: u128) -> String {
    let units = |usage: &Usage| -> String {
        let parts: Vec<_> = usage
            .iter()
            .filter(|(_, units)| *units > 0)
            .map(|(class, units)| format!("{units} {}", class.name()))
            .collect();
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
            units(&line.paid),
            Sel(line.amount).to_string(),
            status(line).into(),
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

fn status(line: &InvoiceLine) -> &'static str {
    match line.status {
        CommitmentStatus::Pending => "committed",
        CommitmentStatus::Settling(_) => "being charged",
        _ => finality(line.finality()),
    }
}
