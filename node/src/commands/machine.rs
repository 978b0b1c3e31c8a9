//! `benchmark machine`: measures what a validator needs of its machine and says whether it is
//! enough.
//!
//! Standard output carries the table or, with `--json`, one JSON object; the exit code is 0 when
//! every measure reaches its minimum and 1 otherwise.

use std::{path::PathBuf, time::Duration};

use clap::Parser;
use sc_sysinfo::{
    benchmark_cpu, benchmark_disk_random_writes, benchmark_disk_sequential_writes,
    benchmark_memory, benchmark_sr25519_verify, ExecutionLimit, Throughput,
};
use serde::Serialize;

/// Measure processor, memory and disk against what a validator needs.
#[derive(Debug, Parser)]
pub(crate) struct MachineCmd {
    /// The folder whose disk is measured; needs 64 MiB. By default the system's folder for
    /// temporary files.
    #[arg(short = 'd', long, value_name = "PATH")]
    pub(crate) base_path: Option<PathBuf>,

    /// How long each measurement lasts, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 3000, value_parser = clap::value_parser!(u64).range(10..=60_000))]
    pub(crate) duration: u64,

    /// Print one JSON object instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Why nothing could be measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MachineError {
    #[error("cannot measure the disk of {path}: {reason}")]
    Disk { path: PathBuf, reason: String },
    #[error("cannot print the result")]
    Print(#[from] serde_json::Error),
}

/// One measure and the least that a validator needs.
struct Measure {
    name: &'static str,
    what: &'static str,
    /// In MiB/s. About half of what Polkadot publishes for its validators: blocks here come as
    /// often but carry no parachains.
    minimum: f64,
}

const BLAKE2: Measure = Measure {
    name: "blake2_256",
    what: "BLAKE2-256 hashing",
    minimum: 500.0,
};
/// A signature covers 32 bytes here, so 0.3 MiB/s are about 10,000 signatures a second on one core.
const SR25519: Measure = Measure {
    name: "sr25519_verify",
    what: "sr25519 verification",
    minimum: 0.3,
};
const MEMCPY: Measure = Measure {
    name: "memcpy",
    what: "memory copy",
    minimum: 5.0 * 1024.0,
};
const SEQUENTIAL: Measure = Measure {
    name: "disk_sequential_write",
    what: "disk, sequential writes",
    minimum: 250.0,
};
const RANDOM: Measure = Measure {
    name: "disk_random_write",
    what: "disk, random writes",
    minimum: 100.0,
};

/// A measured line of the report.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Line {
    /// Stable name of the measure.
    pub(crate) name: &'static str,
    #[serde(skip)]
    what: &'static str,
    /// Measured, in MiB/s.
    pub(crate) mib_per_second: f64,
    /// Needed, in MiB/s.
    pub(crate) minimum_mib_per_second: f64,
    pub(crate) passed: bool,
}

/// Everything that was measured.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    /// Cores the system offers to this process.
    pub(crate) cores: usize,
    pub(crate) lines: Vec<Line>,
    /// Whether every line passed.
    pub(crate) passed: bool,
}

impl Report {
    fn new(cores: usize, lines: Vec<Line>) -> Self {
        let passed = lines.iter().all(|line| line.passed);
        Self {
            cores,
            lines,
            passed,
        }
    }

    fn table(&self) -> String {
        let mut table = format!(
            "{:<26} {:>14} {:>14}  {}\n",
            "measure", "MiB/s", "needed", "result"
        );
        for line in &self.lines {
            table.push_str(&format!(
                "{:<26} {:>14.2} {:>14.2}  {}\n",
                line.what,
                line.mib_per_second,
                line.minimum_mib_per_second,
                if line.passed { "pass" } else { "FAIL" }
            ));
        }
        table.push_str(&format!("{} cores\n", self.cores));
        table
    }
}

impl MachineCmd {
    /// Measures and prints; `Ok(false)` when the machine is too slow.
    ///
    /// # Errors
    ///
    /// Fails when the disk cannot be written to.
    pub(crate) fn run(&self) -> Result<bool, MachineError> {
        let report = self.measure()?;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&report)?);
        } else {
            print!("{}", report.table());
        }
        Ok(report.passed)
    }

    fn measure(&self) -> Result<Report, MachineError> {
        let limit = ExecutionLimit::MaxDuration(Duration::from_millis(self.duration));
        let path = self.base_path.clone().unwrap_or_else(std::env::temp_dir);
        let on_disk = |reason| MachineError::Disk {
            path: path.clone(),
            reason,
        };
        let lines = vec![
            line(&BLAKE2, benchmark_cpu(limit)),
            line(&SR25519, benchmark_sr25519_verify(limit)),
            line(&MEMCPY, benchmark_memory(limit)),
            line(
                &SEQUENTIAL,
                benchmark_disk_sequential_writes(limit, &path).map_err(on_disk)?,
            ),
            line(
                &RANDOM,
                benchmark_disk_random_writes(limit, &path).map_err(on_disk)?,
            ),
        ];
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Report::new(cores, lines))
    }
}

fn line(measure: &Measure, measured: Throughput) -> Line {
    let mib_per_second = measured.as_mibs();
    Line {
        name: measure.name,
        what: measure.what,
        mib_per_second,
        minimum_mib_per_second: measure.minimum,
        passed: mib_per_second >= measure.minimum,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slow_measure_fails_the_machine() {
        let fast = || line(&BLAKE2, Throughput::from_mibs(500.0));
        let slow = line(&SEQUENTIAL, Throughput::from_mibs(249.9));
        assert!(Report::new(2, vec![fast()]).passed);
        let report = Report::new(2, vec![fast(), slow]);
        assert!(!report.passed);
        assert!(report.table().contains("FAIL"));
    }

    #[test]
    fn json_names_each_measure_with_what_is_needed() {
        let report = Report::new(2, vec![line(&SR25519, Throughput::from_kibs(640.0))]);
        assert_eq!(
            serde_json::to_value(&report).unwrap(),
            serde_json::json!({
                "cores": 2,
                "lines": [{
                    "name": "sr25519_verify",
                    "mibPerSecond": 0.625,
                    "minimumMibPerSecond": 0.3,
                    "passed": true,
                }],
                "passed": true,
            })
        );
    }

    #[test]
    fn a_short_run_measures_all_five_and_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let command = MachineCmd {
            base_path: Some(folder.path().into()),
            duration: 10,
            json: true,
        };
        let report = command.measure().unwrap();
        let names: Vec<_> = report.lines.iter().map(|line| line.name).collect();
        assert_eq!(
            names,
            [
                BLAKE2.name,
                SR25519.name,
                MEMCPY.name,
                SEQUENTIAL.name,
                RANDOM.name
            ]
        );
        assert!(report.lines.iter().all(|line| line.mib_per_second > 0.0));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_that_is_not_there_is_a_typed_error() {
        let command = MachineCmd {
            base_path: Some("/nowhere/at/all".into()),
            duration: 10,
            json: false,
        };
        assert!(matches!(command.measure(), Err(MachineError::Disk { .. })));
    }
}
