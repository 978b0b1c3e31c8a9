//! Gateways and caches as processes, with everybody they talk to played by the test kit.

mod audits;
mod content;
mod control;
mod crash;
mod crowd;
mod discovery;
mod downgrade;
mod drain;
mod ending;
mod epochs;
mod fields;
mod floods;
mod framing;
mod hits;
mod hostile;
mod insight;
mod insight_explain;
mod insight_log;
mod insight_timing;
mod invalidation;
mod invalidation_failures;
mod lease;
mod lies;
mod metering;
mod misses;
mod noise;
mod origins;
mod outside;
mod peers;
mod poisoning;
mod probes;
mod program;
mod publish;
mod published;
mod purge;
mod purge_failures;
mod quota;
mod ranges;
mod regions;
mod sharing;
mod soak;
mod storing;
mod targets;
mod thousand;
mod tls;
mod visitors;

use selvedge_edge_tools_testkit::{Net, Plan, Settings};

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_selvedge-edge");

/// So many gateways and caches with default settings.
async fn net(gateways: usize, caches: usize) -> Net {
    let plan = Plan {
        gateways,
        caches,
        ..Plan::default()
    };
    Net::start(PROGRAM, plan).await
}

/// Two gateways and a cache that keep all that the standard allows.
async fn by_the_standard() -> Net {
    let settings = Settings::default().set("profile", "rfc9111");
    let plan = Plan {
        gateways: 2,
        gateway: settings.clone(),
        cache: settings,
        ..Plan::default()
    };
    Net::start(PROGRAM, plan).await
}

/// One gateway with these settings, and one cache.
async fn gateway(settings: Settings) -> Net {
    let plan = Plan {
        gateway: settings,
        ..Plan::default()
    };
    Net::start(PROGRAM, plan).await
}
