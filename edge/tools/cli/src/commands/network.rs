//! `selvedge network`.

use super::{account::duration, Context};
use crate::{cli::NetworkCommand, output};
use selvedge_primitives_runtime_api::ClockView;
use selvedge_primitives_types::{Epoch, PriceList, Prices, UsageClass};

pub async fn run(context: &Context<'_>, command: NetworkCommand) -> anyhow::Result<()> {
    match command {
        NetworkCommand::Clock => clock(context).await,
        NetworkCommand::Prices => prices(context).await,
    }
}

async fn clock(context: &Context<'_>) -> anyhow::Result<()> {
    let view: ClockView = context.chain().await?.view("BillingApi_clock", &()).await?;
    let left = (view.epoch_start.0 + view.epoch_length.0).saturating_sub(view.now.0);
    let value = serde_json::json!({
        "epoch": view.epoch.0,
        "epoch_start_millis": view.epoch_start.0,
        "epoch_length_millis": view.epoch_length.0,
        "era": view.era.0,
        "epochs_per_era": view.epochs_per_era,
        "now_millis": view.now.0,
    });
    context.output.answer(&value, || {
        output::list(&[
            (
                "epoch",
                format!("{}, ends in {}", view.epoch, duration(left)),
            ),
            (
                "era",
                format!(
                    "{}, {} epochs of {}",
                    view.era,
                    view.epochs_per_era,
                    duration(view.epoch_length.0)
                ),
            ),
        ])
    })
}

async fn prices(context: &Context<'_>) -> anyhow::Result<()> {
    let lists: Vec<(PriceList, Epoch)> = context
        .chain()
        .await?
        .view("BillingApi_price_lists", &())
        .await?;
    let value: Vec<_> = lists
        .iter()
        .map(|(list, from)| serde_json::json!({ "version": list.version, "from_epoch": from.0, "prices_2_32": list.prices.0 }))
        .collect();
    context.output.answer(&value, || {
        let rows = lists.iter().flat_map(|(list, from)| {
            UsageClass::ALL.into_iter().map(move |class| {
                let planck =
                    (u128::from(list.prices.of(class)) * 1_000_000) >> Prices::FRACTION_BITS;
                [
                    list.version.to_string(),
                    from.to_string(),
                    class.name().into(),
                    planck.to_string(),
                ]
            })
        });
        output::table(
            ["list", "from epoch", "class", "planck per million"],
            &[0, 1, 3],
            rows.collect(),
        )
    })
}
