//! Verified bytes of a blob, from whichever of its owners gives them.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use selvedge_edge_drivers_transport::{ContentError, ContentStream, PeerAddress};
use selvedge_primitives_types::{ContentRef, DeviceId, ServiceId, MAX_FACTOR};

use crate::choices::Asking;
use crate::exchange::NO_CACHE;
use crate::gateway::Shared;
use crate::world::World;

/// How long the next group of a blob may take.
const PIECE: Duration = Duration::from_secs(5);

/// How long others than owners are looked for.
const SEARCH: Duration = Duration::from_secs(2);
/// Roots that they are looked for by at most.
const SEARCHED: usize = 8;

/// No cache that is asked gave all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no cache gives the content")]
pub(crate) struct NoSource;

/// A cache that gives bytes.
struct Source {
    cache: PeerAddress,
    stream: ContentStream,
    asking: Asking,
}

/// A range of a blob under way.
pub(crate) struct Blob {
    shared: Arc<Shared>,
    service: ServiceId,
    content: ContentRef,
    /// What was not given yet.
    rest: Range<u64>,
    is_empty: bool,
    /// Who should have it, and was not asked yet.
    owners: VecDeque<PeerAddress>,
    /// Who may have a copy that was made when an owner was away.
    others: Vec<PeerAddress>,
    asked: Vec<DeviceId>,
    source: Option<Source>,
    /// Whether others were looked for beyond the registry's rules.
    is_searched: bool,
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
        factor: u8,
        range: Range<u64>,
    ) -> Self {
        let owners = shared.content_holders(world, &content.root, factor);
        Self {
            shared: shared.clone(),
            service,
            content,
            is_empty: range.is_empty(),
            rest: range,
            owners: owners.into(),
            others: shared.content_holders(world, &content.root, MAX_FACTOR),
            asked: Vec::new(),
            source: None,
            is_searched: false,
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
            let mut source = match self.source.take() {
                Some(source) => source,
                None => self.open().await?,
            };
            match source.stream.next(PIECE).await {
                Ok(Some(bytes)) => {
                    self.rest.start += bytes.len() as u64;
                    self.credit(source.cache.device);
                    self.source = Some(source);
                    return Ok(Some(bytes));
                }
                // Only of an empty blob, whose emptiness is verified.
                Ok(None) => {
                    self.is_empty = false;
                    self.credit(source.cache.device);
                }
                Err(error) => self.blame(source, &error),
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

    /// Asks the next cache for what is left.
    async fn open(&mut self) -> Result<Source, NoSource> {
        loop {
            if self.owners.is_empty() {
                self.owners = std::mem::take(&mut self.others).into();
                self.owners
                    .retain(|cache| !self.asked.contains(&cache.device));
            }
            if self.owners.is_empty() {
                self.search().await;
            }
            let cache = self.owners.pop_front().ok_or(NoSource)?;
            self.asked.push(cache.device);
            let mut asking = self.shared.choices.ask(cache.device);
            let peers = &self.shared.peers;
            let get = peers.get_content(&cache, self.service, self.content, self.rest.clone());
            match get.await {
                Ok(stream) => {
                    asking.replied();
                    return Ok(Source {
                        cache,
                        stream,
                        asking,
                    });
                }
                Err(error) => {
                    note(&mut asking, &error);
                    drop(asking);
                    self.shared.blame_for_content(&cache.device, &error);
                }
            }
        }
    }

    /// Looks once for registered caches that say they have it, or the pin that it lies below.
    async fn search(&mut self) {
        if std::mem::replace(&mut self.is_searched, true) {
            return;
        }
        let Some(world) = self.shared.world() else {
            return;
        };
        let pins = world.pins_of(self.service);
        let roots = std::iter::once(self.content.root)
            .chain(pins)
            .take(SEARCHED);
        let found = roots.map(|root| self.shared.discovery.providers(root, SEARCH));
        let found = futures::future::join_all(found).await.into_iter().flatten();
        let caches = found.filter_map(|provider| world.cache(&provider.device));
        for cache in caches {
            if !self.asked.contains(&cache.device) && !self.owners.contains(&cache) {
                self.owners.push_back(cache);
            }
        }
    }

    /// Everything was given: hears whether the cache agrees that this is the end.
    async fn end(&mut self) {
        if let Some(mut source) = self.source.take() {
            if let Err(error) = source.stream.next(PIECE).await {
                self.blame(source, &error);
            }
        }
    }

    /// Notes that a cache did not give what it began to give. One that lied is named, and left out for a while.
    fn blame(&self, mut source: Source, error: &ContentError) {
        note(&mut source.asking, error);
        let device = source.cache.device;
        drop(source);
        self.shared.blame_for_content(&device, error);
    }
}

fn note(asking: &mut Asking, error: &ContentError) {
    // A refusal is an answer; a lie is told apart, with its name.
    match error {
        ContentError::Transport(error) if !error.is_misbehaviour() => asking.failed(error),
        _ => {}
    }
}
