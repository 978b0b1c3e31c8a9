//! Content that customers put, and that anyone reads by its root.
//!
//! What is put goes slice by slice to the caches that own the blob, and is nowhere kept here. What is read comes from them, and is
//! charged to the service that has the root pinned, as a visitor's request is.

mod put;
mod read;
mod staging;

use std::sync::Arc;

use selvedge_edge_core_content::Name;
use selvedge_edge_core_verify::ProvenSlice;
use selvedge_edge_drivers_agent::{ContentDesk, ContentRefused, Described, Lacking, Taken, Upload};
use selvedge_edge_drivers_http::Body;
use selvedge_edge_drivers_transport::PeerAddress;
use selvedge_primitives_types::agent::ServiceState;
use selvedge_primitives_types::{ContentRef, Hash, ServiceId};

use crate::gateway::Shared;
use crate::world::{Service, World};
use staging::Staging;

/// What a gateway remembers about content that is put.
#[derive(Default)]
pub struct Publishing {
    staging: Staging,
}

impl Shared {
    /// The owners of a blob that may be asked now, and how many there are.
    fn owners_of(&self, world: &World, root: &Hash, factor: u8) -> (Vec<PeerAddress>, u8) {
        let owners = self.replicas.owners(root, factor);
        let count = owners.len() as u8;
        let asked = owners
            .iter()
            .filter(|owner| !self.choices.is_ejected(owner));
        (
            asked.filter_map(|owner| world.cache(owner)).collect(),
            count,
        )
    }

    fn served(&self, world: &World, service: ServiceId) -> Result<Arc<Service>, ContentRefused> {
        let service = world.service_of(service);
        let service = service.ok_or(ContentRefused::NotServed)?;
        match service.state {
            ServiceState::Active => Ok(service.clone()),
            _ => Err(ContentRefused::NotServed),
        }
    }
}

impl ContentDesk for Shared {
    async fn lacking(
        self: Arc<Self>,
        upload: Upload,
        blobs: Vec<ContentRef>,
    ) -> Result<Lacking, ContentRefused> {
        put::lacking(&self, upload, &blobs).await
    }

    async fn take(
        self: Arc<Self>,
        upload: Upload,
        content: ContentRef,
        slice: ProvenSlice,
    ) -> Result<Taken, ContentRefused> {
        put::take(&self, upload, content, slice).await
    }

    async fn describe(
        self: Arc<Self>,
        root: Hash,
        path: Vec<Name>,
    ) -> Result<Described, ContentRefused> {
        read::describe(&self, root, path).await
    }

    async fn give(
        self: Arc<Self>,
        described: Described,
        slice: u64,
    ) -> Result<Body, ContentRefused> {
        read::give(&self, described, slice).await
    }
}
