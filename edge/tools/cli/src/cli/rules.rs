//! The words about rules.

use clap::{Args, Subcommand};
use std::path::PathBuf;

use crate::content::PointerCommand;

#[derive(Debug, Subcommand)]
pub enum RulesCommand {
    /// Check a rules document, and show what it makes of a request. Nothing is sent anywhere.
    #[command(after_help = "\
  selvedge rules check rules.toml
  selvedge rules check rules.toml --request https://www.example.org/old/a?utm_source=x
  selvedge rules check rules.toml --request https://www.example.org/api --method OPTIONS \\
      --field 'origin: https://app.example.org' --field 'access-control-request-method: PUT'")]
    Check(CheckArgs),
    /// Make a key for signed URLs: the secret goes into a file, and the part for the document is printed.
    Keygen {
        /// The key's id, as documents name it.
        id: String,
        /// Where to write the secret, which only you may read.
        #[arg(long, value_name = "FILE")]
        secret: PathBuf,
    },
    /// Sign a URL, or a cookie, for a document with `signed` rules.
    #[command(after_help = "\
  selvedge rules sign https://www.example.org/film/7.mp4 --id k1 --secret k1.key --for 1h
  selvedge rules sign https://www.example.org/film/7/index.m3u8 --id k1 --secret k1.key --for 1h --below /film/7/
  selvedge rules sign https://www.example.org/ --id k1 --secret k1.key --for 8h --below /members/ --cookie")]
    Sign(SignArgs),
    /// Which document is in force.
    #[command(flatten)]
    Pointer(PointerCommand),
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The document.
    pub file: PathBuf,
    /// A URL that a visitor asks for.
    #[arg(long, value_name = "URL")]
    pub request: Option<String>,
    /// The method that it asks with.
    #[arg(long, default_value = "GET", requires = "request")]
    pub method: String,
    /// A field that it sends, 'name: value'; may be given again.
    #[arg(long = "field", value_name = "FIELD", requires = "request")]
    pub fields: Vec<String>,
    /// The address that it asks from.
    #[arg(long, default_value = "192.0.2.1", requires = "request")]
    pub client: std::net::IpAddr,
    /// Take origins with addresses that only some can reach, as a network on one machine does.
    #[arg(long)]
    pub private_origins: bool,
}

#[derive(Debug, Args)]
pub struct SignArgs {
    /// What is asked for.
    pub link: String,
    /// The key's id, as the document names it.
    #[arg(long)]
    pub id: String,
    /// The file with its secret.
    #[arg(long, value_name = "FILE")]
    pub secret: PathBuf,
    /// How long it is good from now on, such as 90s, 10m, 12h or 7d.
    #[arg(long = "for", value_name = "TIME")]
    pub time: String,
    /// Sign for everything whose path begins so, and not for this URL alone.
    #[arg(long, value_name = "PATH")]
    pub below: Option<String>,
    /// Print a cookie and not a URL.
    #[arg(long, requires = "below")]
    pub cookie: bool,
}
