//! Verified bytes of a blob, from whichever of its owners gives them.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use selvedge_edge_drivers_transport::{ContentStream, PeerAddress};
use selvedge_primitives_types::{ContentRef, DeviceId, ServiceId, MAX_FACTOR};

use crate::exchange::NO_CACHE;
use crate::gateway::Shared;
use crate::world::World;

/// How long the next group of a blob may take.
const PIECE: Duration = Duration::from_secs(5);

/// No cache that is asked gave all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no cache gives the content")]
pub(crate) struct NoSource;

/// A range of a blob under way.
pub(crate) struct Blob {
    shared: Arc<Shared>,
    service: ServiceId,
    content: ContentRef,
    /// What was not given yet.
    rest: Range<u64>,
    is_empty: bool,
    owners: VecDeque<PeerAddress>,
    source: Option<(PeerAddress, ContentStream)>,
    /// Who gave bytes first.
    cache: DeviceId,
}

impl Blob {
    /// Nothing is asked before [`Blob::next`]. The whole of an empty blob is `0..0`.
    pub(crate) fn new(
        shared: &Arc<Shared>,
        world: &World,
        service: ServiceId,
        content: ContentRef,
        range: Range<u64>,
    ) -> Self {
        let owners = world.content_owners(&content.root, usize::from(MAX_FACTOR));
        // Those that rest come last: better late than not at all.
        let (asked, left): (Vec<_>, Vec<_>) = owners
            .into_iter()
            .partition(|owner| shared.content.is_asked(&owner.device));
        Self {
            shared: shared.clone(),
            service,
            content,
            is_empty: range.is_empty(),
            rest: range,
            owners: asked.into_iter().chain(left).collect(),
            source: None,
            cache: NO_CACHE,
        }
    }

    /// The cache that gave the first bytes, and is credited.
    pub(crate) fn cache(&self) -> DeviceId {
        self.cache
    }

    /// The next verified bytes; `None` at the end.
    ///
    /// Errors: when no cache is left to ask.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, NoSource> {
        loop {
            if self.rest.is_empty() && !self.is_empty {
                self.end().await;
                return Ok(None);
            }
            let (cache, mut stream) = match self.source.take() {
                Some(source) => source,
                None => self.open().await?,
            };
            match stream.next(PIECE).await {
                Ok(Some(bytes)) => {
                    self.rest.start += bytes.len() as u64;
                    self.credit(cache.device);
                    self.source = Some((cache, stream));
                    return Ok(Some(bytes));
                }
                // Only of an empty blob, whose emptiness is verified.
                Ok(None) => {
                    self.is_empty = false;
                    self.credit(cache.device);
                }
                Err(error) => self.shared.blame_for_content(&cache, &error),
            }
        }
    }

    /// All of it; for what is short.
    pub(crate) async fn whole(mut self) -> Result<(Bytes, DeviceId), NoSource> {
        let mut bytes = BytesMut::with_capacity((self.rest.end - self.rest.start) as usize);
        while let Some(piece) = self.next().await? {
            bytes.extend_from_slice(&piece);
        }
        Ok((bytes.freeze(), self.cache))
    }

    fn credit(&mut self, cache: DeviceId) {
        if self.cache == NO_CACHE {
            self.cache = cache;
        }
    }

    /// Asks the next owner for what is left.
    async fn open(&mut self) -> Result<(PeerAddress, ContentStream), NoSource> {
        while let Some(cache) = self.owners.pop_front() {
            let peers = &self.shared.peers;
            let get = peers.get_content(&cache, self.service, self.content, self.rest.clone());
            match get.await {
                Ok(stream) => return Ok((cache, stream)),
                Err(error) => self.shared.blame_for_content(&cache, &error),
            }
        }
        Err(NoSource)
    }

    /// Everything was given: hears whether the cache agrees that this is the end.
    async fn end(&mut self) {
        if let Some((cache, mut stream)) = self.source.take() {
            if let Err(error) = stream.next(PIECE).await {
                self.shared.blame_for_content(&cache, &error);
            }
        }
    }
}
