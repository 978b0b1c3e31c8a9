//! Writes what each attack costs and brings, over seeds.

use anyhow::Result;
use clap::{Parser, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use selvedge_economy_simulation::{summary, Rules};
use std::{fs, path::PathBuf};

mod plot;
mod table;

/// Simulate attacks on the economy, each against its honest alternative with the same capital.
#[derive(Parser)]
#[command(name = "report")]
struct Args {
    /// How many networks and rates are drawn; every fourth is a corner of the ranges.
    #[arg(long, default_value_t = 40)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Epochs of an era, which is a day: 24 on a live network.
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u64).range(4..=24))]
    epochs_per_era: u64,
    /// Only attacks whose name contains this.
    #[arg(long, default_value = "")]
    attack: String,
    /// Which rules are in force.
    #[arg(long, value_enum, default_value_t = Which::Both)]
    rules: Which,
    /// Write the runs as JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// Write the plot of the nets to this file, as SVG.
    #[arg(long)]
    plot: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Which {
    /// As the design has them.
    Written,
    /// With the changes that ADR 017 proposes.
    Proposed,
    /// Both, one after the other.
    Both,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let rules: &[Rules] = match args.rules {
        Which::Written => &[Rules::Written],
        Which::Proposed => &[Rules::Proposed],
        Which::Both => &[Rules::Written, Rules::Proposed],
    };
    let runs = args.seeds * rules.len() as u64 * summary::indices(&args.attack).len() as u64;
    let bar = ProgressBar::new(runs).with_style(ProgressStyle::with_template(
        "{wide_bar} {pos} of {len} runs, {eta} left",
    )?);
    let mut summaries = Vec::new();
    for rules in rules {
        let seeds = args.from..args.from + args.seeds;
        summaries.extend(summary::summarise(
            &args.attack,
            seeds,
            args.epochs_per_era,
            *rules,
            &|| bar.inc(1),
        )?);
    }
    bar.finish_and_clear();
    if let Some(file) = &args.plot {
        fs::write(file, plot::svg(&summaries))?;
    }
    if args.json {
        println!("{}", table::json(&summaries)?);
    } else {
        println!("{}", table::text(&summaries));
    }
    let broken: Vec<_> = summaries.iter().filter(|it| !it.is_kept()).collect();
    anyhow::ensure!(broken.is_empty(), "{} promises are not kept", broken.len());
    Ok(())
}
