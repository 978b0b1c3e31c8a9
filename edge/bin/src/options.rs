//! From the configuration to what the roles want.

use crate::config::{
    Config, Limits as LimitsConfig, Profile, ServerTiming as ServerTimingConfig, LONGEST_ORIGIN,
};
use selvedge_edge_drivers_http::{AddressGuard, Limits, OriginOptions};
use selvedge_edge_roles_cache::{CacheOptions, ContentOptions};
use selvedge_edge_roles_gateway::{AccessLogTarget, GatewayOptions, Policy, ServerTiming, Share};
use std::time::Duration;

const MIB: u64 = 1024 * 1024;

/// A gateway's set-up.
pub fn gateway(config: &Config) -> anyhow::Result<GatewayOptions> {
    let gateway = &config.gateway;
    Ok(GatewayOptions {
        http: gateway.http.clone(),
        https: gateway.https.clone(),
        workers: gateway.workers,
        certs: gateway.certs_dir.clone(),
        redirect_https: gateway.redirect_https,
        admin: config.admin.listen,
        state: config.state_dir.clone(),
        access_log: match gateway.access_log.as_str() {
            "off" => AccessLogTarget::Off,
            "stderr" => AccessLogTarget::Stderr,
            file => AccessLogTarget::File(file.into()),
        },
        server_timing: match gateway.server_timing {
            ServerTimingConfig::Off => ServerTiming::Off,
            ServerTimingConfig::Misses => ServerTiming::Misses,
            ServerTimingConfig::All => ServerTiming::All,
        },
        memory_bytes: gateway.memory_mib * MIB,
        max_object_bytes: gateway.max_object_mib * MIB,
        max_request_bytes: gateway.max_request_mib * MIB,
        body_timeout: Duration::from_secs(config.limits.body_seconds),
        answer_timeout: Duration::from_secs(gateway.answer_seconds),
        hedges: share(gateway.hedge_percent, 5),
        max_requests: gateway.max_requests,
        drain: Duration::from_secs(gateway.drain_seconds),
        shutdown: Duration::from_secs(gateway.shutdown_seconds),
        limits: limits(&config.limits),
        origin: OriginOptions {
            guard: AddressGuard {
                allow_private: gateway.allow_private_origins,
            },
            extra_roots: gateway.extra_origin_roots.clone(),
            connect_timeout: Duration::from_secs(gateway.origin_connect_seconds),
            head_timeout: Duration::from_secs(gateway.origin_head_seconds),
            retries: share(gateway.origin_retry_percent, 50),
            ..OriginOptions::default()
        },
        purge_silence: Duration::from_secs(gateway.purge_silence_seconds),
        peers: Default::default(),
        discovery: config.p2p.options()?,
        policy: policy(config.profile),
    })
}

fn share(percent: u32, burst: u32) -> Share {
    match percent {
        0 => Share::NONE,
        percent => Share { percent, burst },
    }
}

/// A cache's set-up.
pub fn cache(config: &Config) -> anyhow::Result<CacheOptions> {
    Ok(CacheOptions {
        transport: config.cache.listen,
        admin: config.admin.listen,
        state: config.state_dir.clone(),
        quota: config.cache.quota_mib * MIB,
        content: ContentOptions {
            quota: config.cache.content_mib.saturating_mul(MIB),
            staging: config.cache.staging_mib.saturating_mul(MIB),
            rate: config.cache.copy_mib.saturating_mul(MIB),
        },
        sync: config.cache.sync,
        lease: Duration::from_secs(LONGEST_ORIGIN + 5),
        stall: Duration::from_secs(config.limits.body_seconds),
        exposure: Default::default(),
        discovery: config.p2p.options()?,
        limits: limits(&config.limits),
        policy: policy(config.profile),
    })
}

fn policy(profile: Profile) -> Policy {
    let policy = match profile {
        Profile::Default => Policy::default(),
        Profile::Rfc9111 => Policy::rfc9111(),
    };
    Policy {
        stale_while_revalidate: true,
        ..policy
    }
}

fn limits(config: &LimitsConfig) -> Limits {
    Limits {
        connections: config.connections,
        connections_per_ip: config.connections_per_ip,
        header_bytes: config.header_bytes,
        header_timeout: Duration::from_secs(config.header_seconds),
        ..Limits::default()
    }
}
