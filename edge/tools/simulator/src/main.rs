//! `selvedge-simulator run --seeds N --from S [--json]`

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Mutex;

use anyhow::{bail, Result};
use clap::{Parser, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use selvedge_edge_tools_simulator::{content, purge};
use serde_json::json;

/// Play faults on placement, replication and purges in virtual time.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Play seeds, and print the worst that was seen.
    Run(Run),
}

#[derive(Parser)]
struct Run {
    /// How many seeds.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first one.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// What is played.
    #[arg(long)]
    only: Option<Part>,
    /// Threads.
    #[arg(long, default_value_t = 1)]
    jobs: usize,
    /// Print the figures as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Placement, replication and repair.
    Content,
    /// The order of purges.
    Purge,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Content => "content",
            Self::Purge => "purge",
        }
    }
}

/// What all seeds came to.
#[derive(Default)]
struct Sum {
    content: content::Figures,
    purge: purge::Figures,
    failures: Vec<(Part, u64, String)>,
}

fn main() -> Result<()> {
    let Command::Run(run) = Cli::parse().command;
    let sum = play(&run);
    print(&run, &sum);
    if let Some((part, seed, _)) = sum.failures.first() {
        bail!(
            "{} failed, the first again: selvedge-simulator run --only {} --seeds 1 --from {seed}",
            sum.failures.len(),
            part.name()
        );
    }
    Ok(())
}

fn play(run: &Run) -> Sum {
    let bar = ProgressBar::new(run.seeds);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} seeds {msg} {eta}") {
        bar.set_style(style);
    }
    let (next, sum) = (AtomicU64::new(0), Mutex::new(Sum::default()));
    std::thread::scope(|scope| {
        for _ in 0..run.jobs.max(1) {
            scope.spawn(|| loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= run.seeds {
                    return;
                }
                seed(run, run.from.wrapping_add(number), &sum);
                bar.inc(1);
            });
        }
    });
    bar.finish_and_clear();
    let mut sum = sum
        .into_inner()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    sum.failures.sort_by_key(|(_, seed, _)| *seed);
    sum
}

fn seed(run: &Run, seed: u64, sum: &Mutex<Sum>) {
    let is_played = |part| run.only.is_none_or(|only| only == part);
    let content = is_played(Part::Content).then(|| content::play(seed, None, None));
    let purge = is_played(Part::Purge).then(|| purge::play(seed, None));
    let mut sum = sum.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    match content {
        Some(Ok(figures)) => sum.content.with(&figures),
        Some(Err(failure)) => sum
            .failures
            .push((Part::Content, seed, failure.to_string())),
        None => {}
    }
    match purge {
        Some(Ok(figures)) => sum.purge.with(&figures),
        Some(Err(failure)) => sum.failures.push((Part::Purge, seed, failure.to_string())),
        None => {}
    }
}

fn print(run: &Run, sum: &Sum) {
    let (content, purge) = (&sum.content, &sum.purge);
    if run.json {
        let failure = |(part, seed, text): &(Part, u64, String)| json!({"part": part.name(), "seed": seed, "failure": text});
        let all = json!({
            "seeds": run.seeds,
            "from": run.from,
            "content": {
                "repair_ms": content.repair,
                "lost_at_once_permille": content.lost_at_once,
                "bytes_per_second": content.second,
                "bytes_per_second_of_a_cache": content.cache_second,
                "bytes_in_flight": content.in_flight,
                "copies": content.copies,
                "bytes": content.moved,
                "reads": content.reads,
                "unreadable": content.unreadable,
                "slowest_read_ms": content.slowest_read,
                "liars_named": content.named,
                "spare_dropped": content.spare,
            },
            "purge": {
                "purges": purge.purges,
                "ordered_again": purge.again,
                "missing": purge.missing,
                "verdicts": purge.verdicts,
                "doubtful": purge.doubtful,
            },
            "failures": sum.failures.iter().map(failure).collect::<Vec<_>>(),
        });
        println!("{all}");
        return;
    }
    let mib = |bytes: u64| bytes as f64 / 1_048_576.0;
    let seconds = |millis: u64| millis as f64 / 1_000.0;
    if run.only != Some(Part::Purge) {
        println!("longest repair            {:.1} s", seconds(content.repair));
        println!(
            "most caches lost at once  {:.1} %",
            content.lost_at_once as f64 / 10.0
        );
        println!("most bytes in a second    {:.1} MiB", mib(content.second));
        println!(
            "  of one cache            {:.1} MiB",
            mib(content.cache_second)
        );
        println!(
            "most bytes under way      {:.1} MiB of one steward",
            mib(content.in_flight)
        );
        println!(
            "copies                    {}, {:.1} MiB asked for",
            content.copies,
            mib(content.moved)
        );
        println!(
            "reads                     {}, {} of what nobody could give",
            content.reads, content.unreadable
        );
        println!(
            "slowest read              {:.1} s",
            seconds(content.slowest_read)
        );
        println!("liars named               {} times", content.named);
        println!("spare copies dropped      {}", content.spare);
    }
    if run.only != Some(Part::Content) {
        println!(
            "purges                    {}, {} ordered again",
            purge.purges, purge.again
        );
        println!("missing from receipts     {} nodes", purge.missing);
        println!(
            "verdicts                  {}, {} doubtful",
            purge.verdicts, purge.doubtful
        );
    }
    for (part, seed, failure) in &sum.failures {
        println!("failed: {} seed {seed}: {failure}", part.name());
    }
}
