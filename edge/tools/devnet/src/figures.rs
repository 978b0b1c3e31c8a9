//! Figures of a run: how long until what, and what an idle network costs.

use crate::Network;
use anyhow::Context;
use serde::Serialize;
use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

/// How long an idle network is watched.
const WATCHED: Duration = Duration::from_secs(30);

/// Ticks per second of the kernel's accounting, which Linux fixes for user space.
const TICKS_PER_SECOND: f64 = 100.0;

/// What a run measured.
#[derive(Serialize)]
pub struct Figures {
    /// Seconds from the start to what happened.
    pub seconds_to: BTreeMap<&'static str, f64>,
    /// What each process costs while nobody asks for anything.
    pub idle: BTreeMap<String, Cost>,
    #[serde(skip)]
    start: Instant,
}

/// What a process costs.
#[derive(Clone, Copy, Serialize)]
pub struct Cost {
    /// Resident memory in MiB.
    pub memory_mib: f64,
    /// Processor time in per cent of one core.
    pub cpu_percent: f64,
}

impl Default for Figures {
    fn default() -> Self {
        Self {
            seconds_to: BTreeMap::new(),
            idle: BTreeMap::new(),
            start: Instant::now(),
        }
    }
}

impl Figures {
    /// Something happened.
    pub fn reached(&mut self, what: &'static str) {
        self.seconds_to
            .insert(what, self.start.elapsed().as_secs_f64());
    }

    /// Watches the network while it has nothing to do.
    pub async fn watch_idle(&mut self, network: &Network) -> anyhow::Result<()> {
        let processes: Vec<_> = network
            .processes()
            .filter_map(|(name, id)| Some((name.to_string(), id?)))
            .collect();
        let before = processes
            .iter()
            .map(|(_, id)| ticks(*id))
            .collect::<anyhow::Result<Vec<_>>>()?;
        tokio::time::sleep(WATCHED).await;
        for ((name, id), before) in processes.into_iter().zip(before) {
            let used = (ticks(id)? - before) / TICKS_PER_SECOND;
            let cost = Cost {
                memory_mib: memory_mib(id)?,
                cpu_percent: 100.0 * used / WATCHED.as_secs_f64(),
            };
            self.idle.insert(name, cost);
        }
        Ok(())
    }

    /// Writes the figures as JSON.
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        std::fs::write(path, serde_json::to_string_pretty(self)?)
            .with_context(|| path.display().to_string())
    }
}

/// User and system time of a process, in ticks (proc_pid_stat(5), fields 14 and 15).
fn ticks(id: u32) -> anyhow::Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{id}/stat"))?;
    // The name, in parentheses, may hold spaces.
    let fields: Vec<_> = text
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let field = |index: usize| -> anyhow::Result<f64> {
        Ok(fields.get(index).context("a field is missing")?.parse()?)
    };
    Ok(field(11)? + field(12)?)
}

fn memory_mib(id: u32) -> anyhow::Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .context("no VmRSS")?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib / 1024.0)
}
