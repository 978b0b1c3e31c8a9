//! `selvedge earnings`.

use super::{nothing, Context};
use crate::{amount::Sel, cli::EarningsCommand, keys, output, views};
use selvedge_primitives_runtime_api::Earnings;

pub async fn run(context: &Context<'_>, command: EarningsCommand) -> anyhow::Result<()> {
    match command {
        EarningsCommand::Show { account } => show(context, account.as_deref()).await,
        EarningsCommand::Claim => claim(context).await,
    }
}

async fn show(context: &Context<'_>, account: Option<&str>) -> anyhow::Result<()> {
    let account = context.account_or_signer(account)?;
    let view: Earnings = context
        .chain()
        .await?
        .view("NodesApi_earnings", &account)
        .await?;
    let value = views::Earnings::new(keys::address(&account), &view);
    context.output.answer(&value, || {
        let row = |kind: &str, payable: u128, claimed: u128| {
            [
                kind.to_string(),
                Sel(payable).to_string(),
                Sel(claimed).to_string(),
                Sel(payable.saturating_sub(claimed)).to_string(),
            ]
        };
        let rows = vec![
            row("usage, credited", view.usage_payable, view.usage_claimed),
            row("yields", view.yield_payable, view.yield_claimed),
        ];
        format!(
            "{}, since the beginning, after the network's take, final\n{}",
            value.account,
            output::table(["kind", "earned", "claimed", "claimable"], &[1, 2, 3], rows)
        )
    })
}

async fn claim(context: &Context<'_>) -> anyhow::Result<()> {
    let account = context.account_or_signer(None)?;
    let view: Earnings = context
        .chain()
        .await?
        .view("NodesApi_earnings", &account)
        .await?;
    if view.usage_payable > view.usage_claimed {
        context.submit("Billing", "claim", vec![], nothing).await?;
    }
    if view.yield_payable > view.yield_claimed {
        context
            .submit("NodeYields", "claim", vec![], nothing)
            .await?;
    }
    if view.usage_payable == view.usage_claimed && view.yield_payable == view.yield_claimed {
        context.output.progress("nothing to claim");
    }
    show(context, None).await
}
