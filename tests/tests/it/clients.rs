//! Clients that nobody here wrote: `@polkadot/api`, `polkadot-api` and `smoldot`, installed by npm in the versions of the lock file.

use anyhow::Context;
use std::{path::PathBuf, process::Stdio};
use tokio::{process::Command, sync::OnceCell};

/// The folder of the clients, with what they need installed, once for all tests; `None`, with a clear line, where npm cannot.
pub async fn install() -> anyhow::Result<Option<PathBuf>> {
    static FOLDER: OnceCell<Option<PathBuf>> = OnceCell::const_new();
    FOLDER.get_or_try_init(npm_install).await.cloned()
}

async fn npm_install() -> anyhow::Result<Option<PathBuf>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("clients");
    let npm = Command::new("npm")
        .args([
            "install",
            "--no-save",
            "--omit=optional",
            "--no-fund",
            "--no-audit",
        ])
        .current_dir(&folder)
        .output()
        .await;
    match npm {
        Ok(output) if output.status.success() => Ok(Some(folder)),
        Ok(output) => anyhow::bail!(
            "npm install failed: {}",
            String::from_utf8_lossy(&output.stderr)
        ),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("SKIPPED: the JavaScript clients; npm is not installed");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Runs a client's script; its answer is one line of JSON.
pub async fn run(
    folder: &PathBuf,
    script: &str,
    args: &[&str],
) -> anyhow::Result<serde_json::Value> {
    let output = Command::new("node")
        .arg(script)
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let limit = std::time::Duration::from_secs(240);
    let output = tokio::time::timeout(limit, output)
        .await
        .with_context(|| format!("{script} hangs"))??;
    let error = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{script}: {error}");
    let answer = String::from_utf8(output.stdout)?;
    let last = answer
        .lines()
        .last()
        .with_context(|| format!("{script} said nothing: {error}"))?;
    Ok(serde_json::from_str(last)?)
}

/// Directories of content from the golden files, and blobs that are none.
#[tokio::test]
async fn a_javascript_client_makes_the_golden_directories() -> anyhow::Result<()> {
    let Some(folder) = install().await? else {
        return Ok(());
    };
    let answer = run(&folder, "content.mjs", &[]).await?;
    assert_eq!(
        (&answer["trees"], &answer["refused"]),
        (&3.into(), &11.into())
    );
    Ok(())
}

/// Signed URLs and cookies from the golden files.
#[tokio::test]
async fn a_javascript_client_signs_the_golden_urls() -> anyhow::Result<()> {
    let Some(folder) = install().await? else {
        return Ok(());
    };
    let answer = run(&folder, "rules.mjs", &[]).await?;
    let counts = (&answer["urls"], &answer["cookies"]);
    assert_eq!(counts, (&3.into(), &1.into()));
    Ok(())
}

/// The golden bill and what is wrong after each change of it, computed by nobody's code but the client's.
#[tokio::test]
async fn a_javascript_client_computes_the_golden_bill() -> anyhow::Result<()> {
    let Some(folder) = install().await? else {
        return Ok(());
    };
    let answer = run(&folder, "bill.mjs", &[]).await?;
    assert_eq!(
        (&answer["lines"], &answer["changes"]),
        (&16.into(), &9.into())
    );
    Ok(())
}

/// A private origin tells gateways from strangers by the registered keys alone.
#[tokio::test]
async fn a_javascript_origin_verifies_who_asks() -> anyhow::Result<()> {
    let Some(folder) = install().await? else {
        return Ok(());
    };
    let answer = run(&folder, "origin-request.mjs", &[]).await?;
    assert_eq!(
        answer,
        serde_json::json!({ "cases": 3, "verified": 3, "refused": 12 })
    );
    Ok(())
}

/// Owners from the nodes of the chain's config, computed by nobody's code but the client's.
#[tokio::test]
async fn a_javascript_client_finds_the_golden_owners() -> anyhow::Result<()> {
    let Some(folder) = install().await? else {
        return Ok(());
    };
    let answer = run(&folder, "routing.mjs", &[]).await?;
    assert_eq!(
        (&answer["content"], &answer["keys"], &answer["services"]),
        (&16.into(), &8.into(), &4.into())
    );
    Ok(())
}
