//! `selvedge service`.

use super::{explain, nothing, purge, watch, Context};
use crate::{amount::Sel, cli::ServiceCommand, error::Failure, output, views};
use selvedge_primitives_runtime_api::{ClockView, ServiceView};
use selvedge_primitives_types::{Epoch, PriceList};
use subxt::dynamic::Value;

pub async fn run(context: &Context<'_>, command: ServiceCommand) -> anyhow::Result<()> {
    match command {
        ServiceCommand::Create {
            hosts,
            origin,
            cap,
            prices,
        } => create(context, hosts, origin, cap, prices).await,
        ServiceCommand::AddHost { service, host } => {
            let name = Value::from_bytes(host.to_lowercase());
            on_service(context, "add_host", service, Some(("host", name))).await
        }
        ServiceCommand::RemoveHost { service, host } => {
            let name = Value::from_bytes(host.to_lowercase());
            on_service(context, "remove_host", service, Some(("host", name))).await
        }
        ServiceCommand::List { account } => list(context, account.as_deref()).await,
        ServiceCommand::Purge(args) => purge::purge(context, args).await,
        ServiceCommand::PurgeVerify(args) => purge::verify(context, args).await,
        ServiceCommand::Pause { service } => on_service(context, "pause", service, None).await,
        ServiceCommand::Resume { service } => on_service(context, "resume", service, None).await,
        ServiceCommand::Top(args) => watch::top(context, args).await,
        ServiceCommand::Logs(args) => watch::logs(context, args).await,
        ServiceCommand::Explain(args) => explain::run(context, args).await,
        ServiceCommand::Token(args) => watch::token(context, args).await,
        ServiceCommand::SetCap { service, cap } => {
            on_service(
                context,
                "set_cap",
                service,
                Some(("cap", Value::u128(cap.0))),
            )
            .await
        }
        ServiceCommand::SetOrigin { service, origin } => {
            on_service(
                context,
                "set_origin",
                service,
                Some(("origin_url", Value::from_bytes(origin))),
            )
            .await
        }
    }
}

async fn on_service(
    context: &Context<'_>,
    call: &str,
    service: u64,
    field: Option<(&'static str, Value)>,
) -> anyhow::Result<()> {
    let mut fields = vec![("service", Value::u128(service.into()))];
    fields.extend(field);
    context.submit("Services", call, fields, nothing).await
}

async fn create(
    context: &Context<'_>,
    hosts: Vec<String>,
    origin: String,
    cap: Sel,
    prices: Option<u32>,
) -> anyhow::Result<()> {
    let version = match prices {
        Some(version) => version,
        None => newest_prices(context).await?,
    };
    let hosts: Vec<Value> = hosts
        .iter()
        .map(|host| Value::from_bytes(host.to_lowercase()))
        .collect();
    let fields = vec![
        ("hosts", Value::unnamed_composite(hosts)),
        ("origin_url", Value::from_bytes(origin)),
        ("cap", Value::u128(cap.0)),
        ("price_version", Value::u128(version.into())),
    ];
    context
        .submit("Services", "create_service", fields, |receipt| {
            let service = receipt.number("Services", "ServiceCreated", "service")?;
            Ok(vec![
                ("service", service.into()),
                ("price_version", version.into()),
            ])
        })
        .await
}

async fn newest_prices(context: &Context<'_>) -> anyhow::Result<u32> {
    let chain = context.chain().await?;
    let clock: ClockView = chain.view("BillingApi_clock", &()).await?;
    let lists: Vec<(PriceList, Epoch)> = chain.view("BillingApi_price_lists", &()).await?;
    let newest = lists
        .iter()
        .filter(|(_, from)| *from <= clock.epoch)
        .map(|(list, _)| list.version)
        .max();
    Ok(newest.ok_or_else(|| Failure::NotFound("no price list is in force".into()))?)
}

async fn list(context: &Context<'_>, account: Option<&str>) -> anyhow::Result<()> {
    let account = context.account_or_signer(account)?;
    let services: Vec<ServiceView> = context
        .chain()
        .await?
        .view("BillingApi_services", &account)
        .await?;
    let values: Vec<views::Service> = services.iter().map(Into::into).collect();
    context.output.answer(&values, || {
        if services.is_empty() {
            return "no services: make one with `selvedge service create`".into();
        }
        let rows = values.iter().zip(&services).map(|(value, view)| {
            let hosts: Vec<String> = value
                .hosts
                .iter()
                .map(|host| {
                    if host.proven {
                        host.name.clone()
                    } else {
                        format!("{} (unproven)", host.name)
                    }
                })
                .collect();
            [
                value.service.to_string(),
                hosts.join("\n"),
                value.origin.clone(),
                Sel(view.cap).to_string(),
                value.price_version.to_string(),
                if value.paused { "paused" } else { "on" }.into(),
            ]
        });
        let table = output::table(
            ["#", "hosts", "origin", "cap per epoch", "prices", "state"],
            &[0, 3, 4],
            rows.collect(),
        );
        let missing: Vec<String> = values
            .iter()
            .flat_map(|value| &value.hosts)
            .filter(|host| !host.proven)
            .map(|host| format!("{} TXT {}", host.txt_name, host.txt_value))
            .collect();
        if missing.is_empty() {
            return table;
        }
        format!(
            "{table}\nto prove that unproven names are yours, publish in the domain name system:\n{}",
            missing.join("\n")
        )
    })
}
