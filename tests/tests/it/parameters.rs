//! What referenda may change, as `selvedge parameters` shows it.

use anyhow::Context;
use selvedge_devnet::Network;

/// Every parameter says what it is, what it may be, and who may change it.
pub async fn check(network: &Network) -> anyhow::Result<()> {
    let cli = network.cli();
    let all = cli.run(None, &["parameters"]).await?;
    let all = all.as_array().context("a list of parameters")?;
    anyhow::ensure!(all.len() > 40, "{} parameters", all.len());
    for one in all {
        let number = |field: &str| -> anyhow::Result<u128> {
            let text = one[field].as_str().with_context(|| format!("{one}"))?;
            Ok(text.parse()?)
        };
        let value = number("value")?;
        anyhow::ensure!(
            (number("min")?..=number("max")?).contains(&value) && value == number("default")?,
            "{one}"
        );
        let track = one["track"].as_str();
        anyhow::ensure!(matches!(track, Some("parameters" | "roles")), "{one}");
        anyhow::ensure!(one["unit"].as_str().is_some_and(|unit| !unit.is_empty()));
    }
    let table = cli.show(None, &["parameters", "take"]).await?;
    for part in ["Shares.Take", "15 %", "10 %", "30 %", "parameters"] {
        anyhow::ensure!(table.contains(part), "no {part} in {table}");
    }
    Ok(())
}
