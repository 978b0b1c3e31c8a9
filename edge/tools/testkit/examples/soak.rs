//! The network under load for `scripts/soak.sh`.
//!
//! ```text
//! soak PROGRAM SECONDS ROUNDS VISITORS (rate N | share N)
//! ```
//!
//! Prints a report, and fails when a request failed that the origin could have answered, or when
//! the bill is not what visitors received.

use selvedge_edge_tools_testkit::soak::{Load, Soak};
use std::{process::ExitCode, time::Duration};

#[tokio::main]
async fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let mut next = |name: &str| args.next().unwrap_or_else(|| panic!("{name} is missing"));
    let program = next("PROGRAM");
    let number = |text: String| text.parse::<f64>().expect("a number");
    let time = Duration::from_secs_f64(number(next("SECONDS")));
    let rounds = number(next("ROUNDS")) as u32;
    let visitors = number(next("VISITORS")) as usize;
    let load = match next("rate or share").as_str() {
        "rate" => Load::Rate(number(next("N"))),
        _ => Load::Share(number(next("N"))),
    };
    let soak = Soak {
        time,
        visitors,
        load,
        rounds,
    };
    let report = soak.run(program).await;
    println!("{report}");
    if report.seen.failed == 0 && report.is_exact() {
        println!("no request failed that the origin could have answered, and the bill is exact");
        return ExitCode::SUCCESS;
    }
    println!("FAILED");
    ExitCode::FAILURE
}
