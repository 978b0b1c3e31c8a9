//! Asks the network as an outsider would: the command line with `--json`, JSON-RPC, plain HTTP.

use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{json, Value};
use std::path::PathBuf;
use tokio::process::Command;

/// The program `selvedge`, talking to one node.
#[derive(Clone)]
pub struct Cli {
    /// The program.
    pub program: PathBuf,
    /// JSON-RPC of the node.
    pub url: String,
}

impl Cli {
    /// Runs a command and reads its answer.
    pub async fn run(&self, suri: Option<&str>, words: &[&str]) -> anyhow::Result<Value> {
        let mut command = Command::new(&self.program);
        command
            .args(["--json", "--url", &self.url])
            .args(words)
            .kill_on_drop(true);
        command
            .env_remove("SELVEDGE_KEY_FILE")
            .env_remove("SELVEDGE_SURI");
        if let Some(suri) = suri {
            command.env("SELVEDGE_SURI", suri);
        }
        let output = command
            .output()
            .await
            .with_context(|| format!("cannot run {}", self.program.display()))?;
        let error = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(
            output.status.success(),
            "selvedge {}: {}",
            words.join(" "),
            error.trim()
        );
        serde_json::from_slice(&output.stdout)
            .with_context(|| format!("selvedge {} printed no JSON", words.join(" ")))
    }

    /// Runs a command and returns what it prints for people.
    pub async fn show(&self, suri: Option<&str>, words: &[&str]) -> anyhow::Result<String> {
        let mut command = Command::new(&self.program);
        command
            .args(["--url", &self.url])
            .args(words)
            .kill_on_drop(true)
            .env_remove("SELVEDGE_KEY_FILE");
        if let Some(suri) = suri {
            command.env("SELVEDGE_SURI", suri);
        }
        let output = command.output().await?;
        let error = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(
            output.status.success(),
            "selvedge {}: {}",
            words.join(" "),
            error.trim()
        );
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// Calls a JSON-RPC method over HTTP.
pub async fn rpc(port: u16, method: &str, params: Value) -> anyhow::Result<Value> {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
    let request = http::Request::post(format!("http://127.0.0.1:{port}/"))
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body)))?;
    let response = fetch(request).await?;
    let mut answer: Value = serde_json::from_slice(response.body())?;
    anyhow::ensure!(
        answer.get("error").is_none(),
        "{method}: {}",
        answer["error"]
    );
    Ok(answer["result"].take())
}

/// Number of the newest finalised block.
pub async fn finalised(port: u16) -> anyhow::Result<u64> {
    let hash = rpc(port, "chain_getFinalizedHead", json!([])).await?;
    let header = rpc(port, "chain_getHeader", json!([hash])).await?;
    let number = header["number"].as_str().context("a header has a number")?;
    Ok(u64::from_str_radix(number.trim_start_matches("0x"), 16)?)
}

/// Gets a page of a host through a gateway.
pub async fn get(port: u16, host: &str, path: &str) -> anyhow::Result<http::Response<Bytes>> {
    let request = http::Request::get(format!("http://127.0.0.1:{port}{path}"))
        .header("host", host)
        .body(Full::new(Bytes::new()))?;
    fetch(request).await
}

/// Sends a request and reads the whole answer.
pub async fn fetch(request: http::Request<Full<Bytes>>) -> anyhow::Result<http::Response<Bytes>> {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let (head, body) = client.request(request).await?.into_parts();
    Ok(http::Response::from_parts(
        head,
        body.collect().await?.to_bytes(),
    ))
}
