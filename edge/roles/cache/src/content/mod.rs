//! Content that services have pinned: kept whole, given out range by range, and copied from other caches.
//!
//! ```text
//! put (gateway) ──> verified slices ──> shelf <── verified slices ── copy (ordered by a gateway, from a cache)
//!                                         |
//! get (gateway: on credit, cache: free and paced) <── ranges with their proofs, as far as they are here
//! ```
//!
//! What no pin of the chain's config covers is dropped after one whole epoch: that is how long an upload waits for
//! its pin, too. Which blobs a pin covers is found in its directories, so nobody has to be believed about it.

mod copies;
mod directories;
mod get;
mod keeping;
mod pace;
mod put;

use std::sync::Arc;

use selvedge_edge_drivers_p2p::LateDiscovery;
use selvedge_edge_drivers_store::{Shelf, ShelfError};
use selvedge_edge_drivers_transport::{
    ContentRefusal, ContentSender, ContentService, CopyAnswer, CopyContent, GetContent, Identity,
    Peers, PutAnswer, PutContent, PutReceiver,
};
use selvedge_primitives_types::{DeviceId, Hash};

use crate::options::ContentOptions;
use crate::service::Shared;
use crate::world::World;
use copies::Copies;
use keeping::Keeping;
use pace::Pace;

/// What a cache has for content.
pub(crate) struct Contents {
    pub(crate) shelf: Arc<Shelf>,
    /// Other caches.
    pub(crate) peers: Peers,
    keeping: Keeping,
    copies: Copies,
    /// Of what other caches get.
    pace: Pace,
    discovery: LateDiscovery,
    options: ContentOptions,
}

impl Contents {
    pub(crate) fn new(
        shelf: Shelf,
        identity: Arc<Identity>,
        options: ContentOptions,
        discovery: Option<selvedge_edge_drivers_p2p::Options>,
    ) -> Self {
        Self {
            discovery: LateDiscovery::new(identity.key().clone(), discovery),
            shelf: Arc::new(shelf),
            peers: Peers::new(identity, Default::default()),
            keeping: Keeping::default(),
            copies: Copies::new(&options),
            pace: Pace::new(options.rate),
            options,
        }
    }

    /// Another config: forgets connections to caches that it does not have.
    pub(crate) fn renew(&self, world: &World) {
        self.discovery.begin(&world.chain.clock.genesis);
        self.peers
            .retain(|peer| world.cache(&peer.device).as_ref() == Some(peer));
    }

    /// What is kept is to be held against the config that is in place now.
    pub(crate) fn look(&self) {
        self.keeping.wake();
    }
}

impl Shared {
    /// A blob is here, whole. Others are told soon where it is one that is asked for by name.
    fn arrived(&self, root: &Hash) {
        if self.world().is_some_and(|world| world.is_pinned(root)) {
            self.contents.keeping.wake();
        }
    }
}

/// Runs until it is aborted.
pub(crate) async fn run(shared: Arc<Shared>) {
    tokio::join!(copies::run(&shared), keeping::run(&shared));
}

fn refusal(error: &ShelfError) -> ContentRefusal {
    match error {
        ShelfError::Full { .. } => ContentRefusal::Full,
        ShelfError::TwoLengths(..) => ContentRefusal::Limit,
        ShelfError::Unverified(_) => ContentRefusal::Unverified,
        ShelfError::Missing => ContentRefusal::Missing,
        error => {
            tracing::error!(%error, "kept content cannot be used");
            ContentRefusal::Store
        }
    }
}

impl ContentService for Shared {
    async fn get_content(
        self: Arc<Self>,
        peer: DeviceId,
        request: GetContent,
        replies: ContentSender,
    ) {
        get::run(self, peer, request, replies).await;
    }

    async fn put_content(
        self: Arc<Self>,
        peer: DeviceId,
        put: PutContent,
        slices: PutReceiver,
    ) -> PutAnswer {
        let root = put.content.root;
        let answer = put::run(&self, peer, put, slices).await;
        if answer == PutAnswer::Complete {
            self.arrived(&root);
        }
        self.metrics.put(match &answer {
            PutAnswer::Complete => "complete",
            PutAnswer::Missing(_) => "missing",
            PutAnswer::Refused(_) => "refused",
        });
        answer
    }

    async fn have_content(self: Arc<Self>, _: DeviceId, roots: Vec<Hash>) -> Vec<bool> {
        let shelf = &self.contents.shelf;
        roots.iter().map(|root| shelf.has(root)).collect()
    }

    async fn copy_content(self: Arc<Self>, peer: DeviceId, order: CopyContent) -> CopyAnswer {
        copies::order(&self, peer, order).await
    }
}
