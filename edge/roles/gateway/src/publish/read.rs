//! Reads what is pinned, for anyone, at the cost of who has pinned it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Uri;
use http_body_util::BodyExt;
use selvedge_edge_core_content::{Name, Step, Walk};
use selvedge_edge_core_verify::ProvenSlice;
use selvedge_edge_drivers_agent::{ContentRefused, Described};
use selvedge_edge_drivers_http::{full, Body};
use selvedge_edge_drivers_transport::{ContentError, ContentRefusal, PeerAddress};
use selvedge_primitives_types::{ContentKind, ContentRef, Hash, ServiceId, MAX_FACTOR};

use crate::exchange::Scope;
use crate::failure::{Failure, Reason};
use crate::gateway::Shared;
use crate::metered::MeteredBody;
use crate::tab::{Denied, Running, Sent, Tab};
use crate::world::World;

/// How long an owner may take for a slice.
const PATIENCE: Duration = Duration::from_secs(5);

/// Finds what a path below a pinned root names.
pub(super) async fn describe(
    shared: &Arc<Shared>,
    root: Hash,
    path: Vec<Name>,
) -> Result<Described, ContentRefused> {
    let world = shared.world().ok_or(ContentRefused::NotServed)?;
    let (service, top) = world.pin_of(&root).ok_or(ContentRefused::NotPinned)?;
    let scope = Scope {
        service: shared.served(&world, service)?,
        world,
        // Nothing below a root comes from one.
        origin: Uri::default(),
    };
    if path.is_empty() {
        return Ok(Described {
            content: top,
            media_type: None,
            service,
        });
    }
    if top.kind != ContentKind::Directory {
        return Err(ContentRefused::Absent);
    }
    let mut walk = Walk::exact(top, path).map_err(|_| ContentRefused::Absent)?;
    loop {
        let held = shared.directory(&scope, walk.wanted()).await;
        let held = held.map_err(unread)?;
        let (content, media_type) = match walk.enter(&held.directory) {
            Step::Next(next) => {
                walk = next;
                continue;
            }
            Step::File(content, media_type) => (content, Some(media_type)),
            Step::Directory(content) => (content, None),
            Step::NeedsSlash | Step::Absent => return Err(ContentRefused::Absent),
        };
        return Ok(Described {
            content,
            media_type,
            service,
        });
    }
}

/// Gives a slice, which counts as a request and as its bytes.
pub(super) async fn give(
    shared: &Arc<Shared>,
    described: Described,
    slice: u64,
) -> Result<Body, ContentRefused> {
    let world = shared.world().ok_or(ContentRefused::NotServed)?;
    let service = shared.served(&world, described.service)?;
    if shared.is_busy() {
        return Err(ContentRefused::Busy);
    }
    let (started, running) = (Instant::now(), Running::new(shared));
    let mut tab = Tab::open(&shared.meter, &service).map_err(denied)?;
    let got = slice_of(shared, &world, service.id, described.content, slice).await;
    let (proven, cache) = match got {
        Ok(got) => got,
        Err(refused) => {
            tab.failed();
            return Err(refused);
        }
    };
    let encoded = proven.to_bytes();
    tab.credit(cache.device);
    tab.answered(Some(encoded.len() as u64), started.elapsed())
        .map_err(denied)?;
    let sent = Sent {
        shared: shared.clone(),
        line: None,
        started,
        tab: Some(tab),
        live: None,
        _running: running,
    };
    Ok(MeteredBody::new(full(encoded), None, sent).boxed_unsync())
}

/// A verified slice from the first owner that gives it.
async fn slice_of(
    shared: &Arc<Shared>,
    world: &World,
    service: ServiceId,
    content: ContentRef,
    slice: u64,
) -> Result<(ProvenSlice, PeerAddress), ContentRefused> {
    for owner in shared.content_holders(world, &content.root, MAX_FACTOR) {
        let peers = &shared.peers;
        let got = peers.get_slice(&owner, service, content, slice, PATIENCE);
        let proven = got.await.and_then(|(proof, bytes)| {
            ProvenSlice::verify(&content.root, content.length, slice, proof, bytes)
                .map_err(ContentError::Unverified)
        });
        match proven {
            Ok(proven) => return Ok((proven, owner)),
            Err(ContentError::Refused(ContentRefusal::Missing | ContentRefusal::NotKept)) => {}
            Err(error) => shared.blame_for_content(&owner.device, &error),
        }
    }
    Err(ContentRefused::NoOwner)
}

fn unread(failure: Failure) -> ContentRefused {
    match failure.reason {
        Reason::SiteBroken => ContentRefused::NotADirectory,
        _ => ContentRefused::NoOwner,
    }
}

fn denied(denied: Denied) -> ContentRefused {
    match denied {
        Denied::OutOfLease => ContentRefused::OutOfLease,
        Denied::UnknownService | Denied::NotCounting => ContentRefused::NotServed,
    }
}
