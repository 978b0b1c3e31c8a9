//! `selvedge account`.

use super::{nothing, Context};
use crate::{amount::Sel, cli::AccountCommand, keys, output, views};
use selvedge_primitives_runtime_api::AccountView;
use subxt::dynamic::Value;

pub async fn run(context: &Context<'_>, command: AccountCommand) -> anyhow::Result<()> {
    match command {
        AccountCommand::New => new(context),
        AccountCommand::Show { account } => show(context, account.as_deref()).await,
        AccountCommand::Transfer { to, amount } => {
            let to = Value::unnamed_variant("Id", [Value::from_bytes(keys::account(&to)?.0)]);
            let fields = vec![("dest", to), ("value", Value::u128(amount.0))];
            context
                .submit("Balances", "transfer_keep_alive", fields, nothing)
                .await
        }
        AccountCommand::Deposit { amount } => {
            context
                .submit(
                    "Billing",
                    "deposit",
                    vec![("amount", Value::u128(amount.0))],
                    nothing,
                )
                .await
        }
        AccountCommand::Withdraw { amount } => {
            context
                .submit(
                    "Billing",
                    "withdraw",
                    vec![("amount", Value::u128(amount.0))],
                    nothing,
                )
                .await
        }
        AccountCommand::Close => context.submit("Billing", "close", vec![], nothing).await,
    }
}

fn new(context: &Context<'_>) -> anyhow::Result<()> {
    use sp_core::{crypto::Ss58Codec, Pair};
    let (pair, phrase, _) = sp_core::sr25519::Pair::generate_with_phrase(None);
    let account = selvedge_primitives_types::Account(pair.public().0);
    let address = keys::address(&account);
    debug_assert!(sp_core::crypto::AccountId32::from_ss58check_with_version(&address).is_ok());
    let value = serde_json::json!({ "account": address, "public_key": account.to_string(), "phrase": phrase.clone() });
    context.output.answer(&value, || {
        output::list(&[
            ("account", address.clone()),
            ("public key", account.to_string()),
            ("secret phrase", phrase.clone()),
            (
                "",
                "write the phrase down: it is shown once, and whoever has it has the account"
                    .into(),
            ),
        ])
    })
}

async fn show(context: &Context<'_>, account: Option<&str>) -> anyhow::Result<()> {
    let account = context.account_or_signer(account)?;
    let chain = context.chain().await?;
    let free = chain.free_balance(&account).await?;
    let view: Option<AccountView> = chain.view("BillingApi_account", &account).await?;
    let value = views::Account {
        account: keys::address(&account),
        free: free.to_string(),
        prepaid: view.as_ref().map(Into::into),
    };
    context.output.answer(&value, || {
        let mut rows = vec![
            ("account", keys::address(&account)),
            ("free", Sel(free).to_string()),
        ];
        match &view {
            None => rows.push((
                "prepaid",
                "none: open one with `selvedge account deposit`".into(),
            )),
            Some(view) => rows.extend([
                ("prepaid", Sel(view.balance).to_string()),
                ("reserved", Sel(view.reserved).to_string()),
                ("charged so far", Sel(view.charged).to_string()),
                ("state", format!("{:?}", view.state).to_lowercase()),
                ("lasts", duration(view.lasts.0)),
            ]),
        }
        output::list(&rows)
    })
}

/// A duration as people say it; the longest stands for "no allowance uses it up".
pub fn duration(millis: u64) -> String {
    let seconds = millis / 1000;
    match seconds {
        _ if millis == u64::MAX => "for good at the current allowances".into(),
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}
