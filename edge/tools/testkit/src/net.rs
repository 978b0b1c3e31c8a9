//! A whole network: an origin, a chain, gateways and caches.

use crate::{
    books::Books,
    chain::{Chain, Site},
    client::Client,
    daemon::{Daemon, Settings},
    origin::Origin,
    wait::wait_for,
};
use selvedge_primitives_types::Role;
use std::path::Path;
use tempfile::TempDir;

/// What a network is made of.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many gateways.
    pub gateways: usize,
    /// How many caches.
    pub caches: usize,
    /// Settings of every gateway.
    pub gateway: Settings,
    /// Settings of every cache.
    pub cache: Settings,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            gateways: 1,
            caches: 1,
            gateway: Settings::default(),
            cache: Settings::default(),
        }
    }
}

/// A running network with one site, `site.test`.
pub struct Net {
    /// The site's origin.
    pub origin: Origin,
    /// The chain.
    pub chain: Chain,
    /// Gateways.
    pub gateways: Vec<Daemon>,
    /// Caches.
    pub caches: Vec<Daemon>,
    folder: TempDir,
}

impl Net {
    /// Starts everything and pushes the first config.
    pub async fn start(program: impl AsRef<Path>, plan: Plan) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let daemon = |role: Role, number: usize, settings: &Settings| {
            let seed = number as u8 + if role == Role::Gateway { 1 } else { 101 };
            let name = format!("{role}-{number}");
            Daemon::new(program.as_ref(), folder.path(), &name, role, seed, settings)
        };
        let mut gateways: Vec<_> = (0..plan.gateways)
            .map(|n| daemon(Role::Gateway, n, &plan.gateway))
            .collect();
        let mut caches: Vec<_> = (0..plan.caches)
            .map(|n| daemon(Role::Cache, n, &plan.cache))
            .collect();
        let all = gateways.iter_mut().chain(&mut caches);
        futures::future::join_all(all.map(Daemon::start)).await;
        let origin = Origin::start().await;
        let mut chain = Chain::new();
        chain.sites.push(Site::new(origin.url()));
        gateways
            .iter()
            .chain(&caches)
            .for_each(|daemon| chain.register(daemon));
        let mut net = Self {
            origin,
            chain,
            gateways,
            caches,
            folder,
        };
        net.push().await;
        net
    }

    /// Pushes the chain's config to all daemons, caches first.
    pub async fn push(&mut self) {
        for daemon in self.caches.iter().chain(&self.gateways) {
            self.chain.push(daemon).await;
        }
    }

    /// Waits until no gateway serves anybody and everything that arrived is counted.
    pub async fn settle(&self) {
        for gateway in &self.gateways {
            wait_for(
                format!("the end of all requests at {}", gateway.name()),
                || async {
                    let metrics = gateway.metrics().await;
                    (metrics.gauge("selvedge_gateway_running_requests") == 0.0).then_some(())
                },
            )
            .await;
        }
    }

    /// Waits until what unsafe requests changed is ordered, and every node that can be reached obeys.
    pub async fn invalidated(&self) {
        for gateway in &self.gateways {
            let what = format!("the end of all invalidations at {}", gateway.name());
            wait_for(what, || async {
                let metrics = gateway.metrics().await;
                let waiting = metrics.gauge("selvedge_gateway_invalidations_waiting");
                (waiting == 0.0).then_some(())
            })
            .await;
        }
    }

    /// Waits until the caches have stored this many responses since they were started.
    pub async fn stored(&self, responses: usize) {
        wait_for(format!("{responses} stored responses"), || async {
            let mut taken = 0.0;
            for cache in &self.caches {
                let metrics = cache.metrics().await;
                taken += metrics.sum("selvedge_cache_seeds_total", &[("answer", "taken")]);
            }
            (taken >= responses as f64).then_some(())
        })
        .await;
    }

    /// Waits until one cache has stored this many responses since it was started.
    pub async fn stored_at(&self, cache: usize, responses: usize) {
        wait_for(
            format!("{responses} responses at cache {cache}"),
            || async {
                let metrics = self.caches[cache].metrics().await;
                let taken = metrics.sum("selvedge_cache_seeds_total", &[("answer", "taken")]);
                (taken >= responses as f64).then_some(())
            },
        )
        .await;
    }

    /// Waits until no fetch is under way at any cache.
    pub async fn landed(&self) {
        wait_for("the end of all fetches", || async {
            let mut leases = 0.0;
            for cache in &self.caches {
                leases += cache.metrics().await.gauge("selvedge_cache_leases");
            }
            (leases == 0.0).then_some(())
        })
        .await;
    }

    /// Begins the next epoch, and gives the books of the one before for every gateway; each must
    /// have had use.
    pub async fn roll(&mut self) -> Vec<Books> {
        let epoch = self.chain.epoch;
        self.chain.roll();
        self.push().await;
        let mut books = Vec::new();
        for gateway in &self.gateways {
            books.push(self.chain.books(gateway, epoch).await);
        }
        books
    }

    /// A visitor of `site.test` at a gateway.
    pub fn visitor(&self, gateway: usize) -> Client {
        self.gateways[gateway].visitor("site.test")
    }

    /// The site.
    pub fn site(&mut self) -> &mut Site {
        &mut self.chain.sites[0]
    }

    /// The folder that holds everything, and vanishes with the network.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}
