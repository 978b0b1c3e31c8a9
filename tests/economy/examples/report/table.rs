//! The table, for people and for programs.

use comfy_table::{presets::ASCII_MARKDOWN, Table};
use selvedge_economy_simulation::{
    strategy::Promise,
    summary::{Spread, Summary},
    Rules,
};
use serde_json::{json, Value};

/// A table in Markdown.
pub fn text(summaries: &[Summary]) -> String {
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN).set_header([
        "attack",
        "rules",
        "per 100 of",
        "cost",
        "return",
        "net: min / median / max",
        "pays in",
    ]);
    for summary in summaries {
        let [cost, back, net] = summary.spreads();
        table.add_row([
            summary.name.to_owned(),
            rules(summary.rules).to_owned(),
            summary.unit.to_owned(),
            figure(cost.median),
            figure(back.median),
            spread(&net),
            format!("{} of {}", summary.paying().count(), summary.outcomes.len()),
        ]);
    }
    table.to_string()
}

/// Every run.
pub fn json(summaries: &[Summary]) -> serde_json::Result<String> {
    let all: Vec<Value> = summaries
        .iter()
        .map(|summary| {
            let [cost, back, net] = summary.spreads();
            json!({
                "attack": summary.name,
                "rules": rules(summary.rules),
                "promise": promise(summary.promise),
                "per_100_of": summary.unit,
                "cost": three(&cost),
                "return": three(&back),
                "net": three(&net),
                "runs": summary.outcomes.iter().map(|outcome| json!({
                    "seed": outcome.seed,
                    "volume": outcome.volume.to_string(),
                    "cost": outcome.cost.to_string(),
                    "return": outcome.back.to_string(),
                    "net": outcome.net().to_string(),
                    "void_commitments": outcome.voids,
                })).collect::<Vec<_>>(),
            })
        })
        .collect();
    serde_json::to_string_pretty(&all)
}

fn three(spread: &Spread) -> Value {
    json!({ "min": spread.min, "median": spread.median, "max": spread.max })
}

/// The rules' name.
pub fn rules(rules: Rules) -> &'static str {
    match rules {
        Rules::Written => "written",
        Rules::Proposed => "proposed",
    }
}

fn promise(promise: Promise) -> &'static str {
    match promise {
        Promise::Poorer => "poorer",
        Promise::PoorerAsProposed => "poorer as proposed",
        Promise::Bounded => "bounded",
    }
}

fn spread(spread: &Spread) -> String {
    [spread.min, spread.median, spread.max]
        .map(figure)
        .join(" / ")
}

/// Three digits that count, and no more than two decimals unless all would be zeros.
fn figure(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        large if large >= 100.0 => format!("{value:.0}"),
        medium if medium >= 0.1 => format!("{value:.2}"),
        _ => format!("{value:.1e}"),
    }
}
