//! Content that customers put, and that anyone reads by its root.
//!
//! What is put goes slice by slice to the caches that own the blob, and is nowhere kept here. What is read comes from them, and is
//! charged to the service that has the root pinned, as a visitor's request is.

mod directories;
mod put;
mod read;
mod staging;

use std::sync::Arc;
use std::time::{Duration, Instant};

use selvedge_edge_core_content::Name;
use selvedge_edge_core_routing::Target;
use selvedge_edge_core_verify::ProvenSlice;
use selvedge_edge_drivers_agent::{
    ContentDesk, ContentRefused, Described, Lacking, Taken, Upload,
};
use selvedge_edge_drivers_http::Body;
use selvedge_edge_drivers_transport::{ContentError, Memo, PeerAddress};
use selvedge_primitives_types::agent::ServiceState;
use selvedge_primitives_types::{ContentRef, DeviceId, Hash, ServiceId};

use crate::gateway::Shared;
use crate::world::{Service, World};
use directories::Directories;
use staging::Staging;

/// Caches that are remembered as silent, and for how long they are not asked again.
const MAX_SILENT: usize = 4_096;
const SILENCE: Duration = Duration::from_secs(10);

/// What a gateway remembers about content that is put and read.
pub struct Publishing {
    staging: Staging,
    directories: Directories,
    /// Owners that could not be reached.
    silent: Memo<DeviceId>,
}

impl Default for Publishing {
    fn default() -> Self {
        Self {
            staging: Staging::default(),
            directories: Directories::default(),
            silent: Memo::new(MAX_SILENT),
        }
    }
}

impl Shared {
    /// The owners of a blob that can be asked now, the first owner first, and how many there are.
    fn owners_of(&self, world: &World, root: &Hash, factor: u8) -> (Vec<PeerAddress>, u8) {
        let mut owners = world.content_owners(Target::Content(root), factor);
        let count = owners.len() as u8;
        let now = Instant::now();
        owners.retain(|owner| !self.publishing.silent.holds(&owner.device, now));
        (owners, count)
    }

    /// Remembers what an owner did not do.
    fn note(&self, owner: &PeerAddress, error: &ContentError) {
        if error.is_misbehaviour() {
            self.metrics.fault(&owner.device, "content");
        }
        if matches!(error, ContentError::Transport(_)) {
            let silent = &self.publishing.silent;
            silent.remember(owner.device, Instant::now(), SILENCE);
        }
        tracing::debug!(cache = %owner.device, %error, "an owner of content failed");
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
