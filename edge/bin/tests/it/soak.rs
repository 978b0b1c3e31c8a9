//! Half a minute of what `scripts/soak.sh` does for half an hour.

use crate::PROGRAM;
use selvedge_edge_tools_testkit::soak::{Load, Soak};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_no_request_fails_and_the_bill_is_exact() {
    let soak = Soak {
        time: Duration::from_secs(24),
        visitors: 16,
        load: Load::Rate(120.0),
        rounds: 1,
    };
    let report = soak.run(PROGRAM).await;
    assert_eq!(report.seen.failed, 0, "{report}");
    assert!(report.is_exact(), "{report}");
    assert_eq!(report.events.len(), 7, "{report}");
    assert!(report.seen.requests > 0, "{report}");
}
