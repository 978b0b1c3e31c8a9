//! From words to deeds: one file per noun.

mod account;
mod audit;
mod earnings;
mod explain;
mod get;
mod ls;
mod network;
mod node;
mod parameters;
mod publishing;
mod purge;
mod put;
mod rules;
mod score;
mod service;
mod watch;
mod yields;

use crate::{
    bill,
    chain::{Chain, Receipt},
    cli::{Cli, Command, KeyArgs},
    content::{self, Pointer},
    error::Failure,
    keys,
    output::Output,
    views,
};
use selvedge_primitives_types::Account;
use subxt::dynamic::Value;
use subxt_signer::sr25519::Keypair;

/// What a command needs: the connection, the key, the way out.
pub struct Context<'a> {
    url: String,
    key: KeyArgs,
    /// Where answers go.
    pub output: &'a Output,
}

impl Context<'_> {
    /// Connects to the chain.
    pub async fn chain(&self) -> Result<Chain, Failure> {
        Chain::connect(&self.url).await
    }

    /// The key that signs.
    pub fn signer(&self) -> Result<Keypair, Failure> {
        if let Some(path) = &self.key.key_file {
            let text = std::fs::read_to_string(path)
                .map_err(|error| Failure::KeyInvalid(format!("{}: {error}", path.display())))?;
            return keys::account_key(text.trim());
        }
        keys::account_key(self.key.suri.as_deref().ok_or(Failure::KeyMissing)?)
    }

    /// The account that was named, or the one that signs.
    pub fn account_or_signer(&self, named: Option<&str>) -> Result<Account, Failure> {
        match named {
            Some(text) => keys::account(text),
            None => Ok(Account(self.signer()?.public_key().0)),
        }
    }

    /// Sends a transaction, waits until it is final and says so.
    pub async fn submit(
        &self,
        pallet: &str,
        call: &str,
        fields: Vec<(&str, Value)>,
        result: impl FnOnce(&Receipt) -> anyhow::Result<Vec<(&'static str, serde_json::Value)>>,
    ) -> anyhow::Result<()> {
        let signer = self.signer()?;
        let chain = self.chain().await?;
        self.output.progress(format!("sending {pallet}.{call} ..."));
        let receipt = chain.submit(pallet, call, fields, &signer).await?;
        self.done(&format!("{pallet}.{call}"), &receipt, result(&receipt)?)
    }

    /// Says what a transaction did that is final.
    pub fn done(
        &self,
        call: &str,
        receipt: &Receipt,
        result: Vec<(&'static str, serde_json::Value)>,
    ) -> anyhow::Result<()> {
        let human: String = result
            .iter()
            .map(|(name, value)| format!("{name}: {}\n", plain(value)))
            .collect();
        let done = views::Done {
            call: call.into(),
            block: receipt.block.clone(),
            result: result.into_iter().collect(),
        };
        self.output
            .answer(&done, || format!("{human}final in block {}", receipt.block))
    }
}

fn plain(value: &serde_json::Value) -> String {
    value
        .as_str()
        .map(Into::into)
        .unwrap_or_else(|| value.to_string())
}

/// No result beyond the block.
pub fn nothing(_: &Receipt) -> anyhow::Result<Vec<(&'static str, serde_json::Value)>> {
    Ok(Vec::new())
}

/// Runs a command.
pub async fn run(cli: Cli, output: &Output) -> anyhow::Result<()> {
    let context = Context {
        url: cli.url,
        key: cli.key,
        output,
    };
    match cli.command {
        Command::Account(command) => account::run(&context, command).await,
        Command::Service(command) => service::run(&context, command).await,
        Command::Put(args) => put::run(&context, args).await,
        Command::Get(args) => get::run(&context, args).await,
        Command::Ls(args) => ls::run(&context, args).await,
        Command::Pin(args) => content::pin(&context, args).await,
        Command::Unpin(args) => content::unpin(&context, args).await,
        Command::Pins { service } => content::list(&context, service).await,
        Command::Site(command) => content::point(&context, Pointer::Site, command).await,
        Command::Bill(args) => bill::run(&context, args).await,
        Command::Earnings(command) => earnings::run(&context, command).await,
        Command::Node(command) => node::run(&context, command).await,
        Command::Network(command) => network::run(&context, command).await,
        Command::Rules(command) => rules::run(&context, command).await,
        Command::Parameters(args) => parameters::run(&context, args).await,
    }
}
