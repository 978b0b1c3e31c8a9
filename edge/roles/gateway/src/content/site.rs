//! Answers requests for a service whose root is content.

use std::sync::Arc;

use bytes::Bytes;
use http::{header, HeaderMap, HeaderValue, Method, StatusCode};
use selvedge_edge_core_content::{Directory, MediaType, Name, Step, Walk, MAX_DIRECTORY};
use selvedge_edge_core_http_cache::{CacheKey, CacheStatus, Forwarded, Stored};
use selvedge_edge_core_verify::SLICE;
use selvedge_edge_drivers_agent::clock;
use selvedge_edge_drivers_http::{channel, empty, Body};
use selvedge_primitives_types::{
    ContentKind, ContentRef, DeviceId, Hash, Pin, Record, ServiceId, Signature64, SignedRecord,
};

use super::blob::{Blob, NoSource};
use super::Held;
use crate::ask::PIECES;
use crate::cut::Cut;
use crate::entry::Entry;
use crate::exchange::{Exchange, Scope, NO_CACHE};
use crate::failure::{Failure, Reason};
use crate::gateway::Shared;
use crate::gather::Place;
use crate::metrics::Source;
use crate::question::Question;
use crate::served::Served;
use crate::slices::all_of;
use crate::world::World;

/// Files up to this length are verified whole before their answer begins, and kept in memory.
const SHORT: u64 = SLICE;
/// The page that says that there is none.
const NOT_FOUND: &str = "404.html";
/// What a browser is told: to ask each time whether its copy is still the site's. The entity tag makes that cheap, and
/// a rollback is seen at once.
const REVALIDATE: &str = "public, max-age=0, must-revalidate";

/// What a path of a site names.
enum Found {
    File(ContentRef, MediaType),
    /// A directory without the slash behind it.
    NeedsSlash,
    Nothing,
}

/// A file as it is answered.
struct Page {
    content: ContentRef,
    stored: Stored,
    record: Record,
}

impl From<NoSource> for Failure {
    fn from(error: NoSource) -> Self {
        Self::because(Reason::ContentAway, error)
    }
}

impl Shared {
    /// Answers from the site below a root.
    pub(crate) async fn answer_site(
        self: &Arc<Self>,
        exchange: &Exchange,
        headers: &HeaderMap,
        scope: &Scope,
        pin: Pin,
    ) -> Result<Served, Failure> {
        let site = pin.content;
        if !matches!(exchange.method, Method::GET | Method::HEAD) {
            return Err(Failure::new(Reason::MethodRefused));
        }
        // The query chooses nothing: it must not fill the memory with copies.
        let path = exchange.target.split('?').next().unwrap_or_default();
        let key = |path: &str| {
            let limit = self.options.policy.limits.key_bytes;
            CacheKey::new(exchange.scheme(), &exchange.host, path, limit)
                .map_err(|error| Failure::because(Reason::BadRequest, error))
        };
        let question = |key| self.question(exchange.clone(), scope.clone(), key, headers);
        match self.find_page(scope, site, path).await? {
            Found::File(content, media_type) => {
                let question = question(key(path)?);
                let page = self.page(&question, content, &media_type, StatusCode::OK)?;
                self.answer_page(&question, site, page).await
            }
            Found::NeedsSlash => {
                let query = &exchange.target[path.len()..];
                redirect(&format!("{path}/{query}"))
            }
            Found::Nothing => {
                let names = Name::new(NOT_FOUND).map(|name| vec![name]);
                let walk = names
                    .ok()
                    .and_then(|names| Walk::exact(site, names).ok())
                    .ok_or(Failure::new(Reason::NotFound))?;
                let Found::File(content, media_type) = self.walk(scope, walk).await? else {
                    return Err(Failure::new(Reason::NotFound));
                };
                // Under the page's own name, whatever was asked for.
                let question = question(key(&format!("/{NOT_FOUND}"))?);
                let page = self.page(&question, content, &media_type, StatusCode::NOT_FOUND)?;
                self.answer_page(&question, site, page).await
            }
        }
    }

    async fn find_page(
        self: &Arc<Self>,
        scope: &Scope,
        site: ContentRef,
        path: &str,
    ) -> Result<Found, Failure> {
        match Walk::page(site, path) {
            Ok(walk) => self.walk(scope, walk).await,
            // No file has such a name.
            Err(_) => Ok(Found::Nothing),
        }
    }

    async fn walk(self: &Arc<Self>, scope: &Scope, mut walk: Walk) -> Result<Found, Failure> {
        loop {
            let held = self.directory(scope, walk.wanted()).await?;
            match walk.enter(&held.directory) {
                Step::Next(next) => walk = next,
                Step::File(content, media_type) => return Ok(Found::File(content, media_type)),
                Step::NeedsSlash => return Ok(Found::NeedsSlash),
                Step::Directory(_) | Step::Absent => return Ok(Found::Nothing),
            }
        }
    }

    /// A directory, from memory or from its owners.
    pub(crate) async fn directory(
        self: &Arc<Self>,
        scope: &Scope,
        content: ContentRef,
    ) -> Result<Arc<Held>, Failure> {
        let factor = scope.service.site.map_or(1, |pin| pin.factor);
        self.directory_of(&scope.world, scope.service.id, factor, content)
            .await
    }

    /// The same of a service, that has so many copies.
    pub(crate) async fn directory_of(
        self: &Arc<Self>,
        world: &World,
        service: ServiceId,
        factor: u8,
        content: ContentRef,
    ) -> Result<Arc<Held>, Failure> {
        let directories = &self.content.directories;
        if let Some(held) = directories.find(ServiceId(0), &content.root, |_| true) {
            return Ok(held);
        }
        let broken = |error: &dyn std::fmt::Display| Failure::because(Reason::SiteBroken, error);
        if content.length > MAX_DIRECTORY as u64 || content.kind != ContentKind::Directory {
            return Err(broken(&"a directory that is none"));
        }
        let blob = Blob::new(self, world, service, content, factor, 0..content.length);
        let (bytes, _) = blob.whole().await?;
        let held = Held {
            directory: Directory::from_blob(&bytes).map_err(|error| broken(&error))?,
            length: content.length,
        };
        Ok(directories.insert(ServiceId(0), &content.root, &[], held))
    }

    fn blob(
        self: &Arc<Self>,
        scope: &Scope,
        content: ContentRef,
        range: std::ops::Range<u64>,
    ) -> Blob {
        let (world, service) = (&scope.world, &scope.service);
        let factor = service.site.map_or(1, |pin| pin.factor);
        Blob::new(self, world, service.id, content, factor, range)
    }

    /// The response that a file stands for.
    fn page(
        &self,
        question: &Question,
        content: ContentRef,
        media_type: &MediaType,
        status: StatusCode,
    ) -> Result<Page, Failure> {
        let fields = [
            (header::CONTENT_TYPE, media_type.as_str()),
            (header::ETAG, &entity_tag(&content.root)),
            (header::CACHE_CONTROL, REVALIDATE),
        ];
        let now = clock::now();
        let record = Record {
            service: question.scope.service.id,
            key: question.key.as_bytes().to_vec(),
            variant: Vec::new(),
            status: status.as_u16(),
            fields: fields
                .map(|(name, value)| (name.as_str().into(), value.into()))
                .to_vec(),
            root: content.root,
            length: content.length,
            generation: question.generation,
            requested: now,
            received: now,
            gateway: self.identity.device(),
        };
        let stored = Stored::from_record(&record, &self.options.policy)
            .map_err(|error| Failure::because(Reason::SiteBroken, error))?;
        Ok(Page {
            content,
            stored,
            record,
        })
    }

    async fn answer_page(
        self: &Arc<Self>,
        question: &Question,
        site: ContentRef,
        page: Page,
    ) -> Result<Served, Failure> {
        let said = CacheStatus::new("selvedge-gateway");
        if page.content.length > SHORT || !self.fits_memory(page.content.length) {
            let served = self.stream_page(question, page).await?;
            return Ok(served.say(said.forwarded(Forwarded::UriMiss)));
        }
        if let Some(entry) = self.held_page(question, site, &page) {
            return Ok(from_memory(question, &page, &entry, Source::Memory).say(said.hit()));
        }
        // Those who want the same wait for the first.
        let mut first = None;
        match self.gatherings.join(question.pass_name()) {
            Place::First(gathering) => first = Some(gathering),
            Place::Later(mut over) => {
                let _ = tokio::time::timeout(question.patience(), over.changed()).await;
                if let Some(entry) = self.held_page(question, site, &page) {
                    let served = from_memory(question, &page, &entry, Source::Memory);
                    return Ok(served.say(said.hit().collapsed()));
                }
            }
        }
        let blob = self.blob(&question.scope, page.content, 0..page.content.length);
        let (bytes, cache) = blob.whole().await?;
        let entry = self.keep_page(question, site, &page, bytes, cache);
        drop(first);
        let served = from_memory(question, &page, &entry, Source::Cache);
        Ok(served.say(said.forwarded(Forwarded::UriMiss)))
    }

    fn held_page(&self, question: &Question, site: ContentRef, page: &Page) -> Option<Arc<Entry>> {
        let (service, key) = (question.scope.service.id, question.key.as_bytes());
        let is_it =
            |entry: &Entry| entry.site == Some(site.root) && entry.root() == page.content.root;
        self.memory.find(service, key, is_it)
    }

    fn keep_page(
        &self,
        question: &Question,
        site: ContentRef,
        page: &Page,
        bytes: Bytes,
        cache: DeviceId,
    ) -> Arc<Entry> {
        // Nobody signs it: its root is below the site's, which the chain names.
        let signed = SignedRecord {
            record: page.record.clone(),
            signature: Signature64::default(),
        };
        let entry = Entry {
            site: Some(site.root),
            ..Entry::new(signed, page.stored.clone(), bytes, cache)
        };
        let place = entry.place();
        let (service, key) = (question.scope.service.id, question.key.as_bytes());
        self.memory.insert(service, key, &place, entry)
    }

    /// Answers while the bytes come.
    async fn stream_page(
        self: &Arc<Self>,
        question: &Question,
        page: Page,
    ) -> Result<Served, Failure> {
        let answer = question.answer(&page.stored, clock::now());
        let mut cut = Cut::new(&answer.body);
        let length = cut.length();
        let Some((head, range)) = cut.parts.pop_front() else {
            return Ok(Served::stored(answer, empty(), Source::Cache, NO_CACHE));
        };
        let mut blob = self.blob(&question.scope, page.content, range);
        // The first bytes are here before anything is promised.
        let first = blob.next().await?.unwrap_or_default();
        let cache = blob.cache();
        let rest = Rest {
            shared: self.clone(),
            scope: question.scope.clone(),
            content: page.content,
            cut,
        };
        let body = rest.stream(vec![head, first], blob, length);
        Ok(Served::stored(answer, body, Source::Cache, cache))
    }
}

/// What follows the first bytes.
struct Rest {
    shared: Arc<Shared>,
    scope: Scope,
    content: ContentRef,
    cut: Cut,
}

impl Rest {
    fn stream(mut self, begun: Vec<Bytes>, mut blob: Blob, length: u64) -> Body {
        let (sender, body) = channel(PIECES, Some(length));
        tokio::spawn(async move {
            for piece in begun.into_iter().filter(|piece| !piece.is_empty()) {
                if sender.send(piece).await.is_err() {
                    return;
                }
            }
            loop {
                match blob.next().await {
                    Ok(Some(piece)) => {
                        if sender.send(piece).await.is_err() {
                            return;
                        }
                        continue;
                    }
                    Ok(None) => {}
                    Err(error) => return sender.fail(error).await,
                }
                let Some((head, range)) = self.cut.parts.pop_front() else {
                    break;
                };
                if sender.send(head).await.is_err() {
                    return;
                }
                blob = self.shared.blob(&self.scope, self.content, range);
            }
            let end = self.cut.end;
            if end.is_empty() || sender.send(end).await.is_ok() {
                let _ = sender.finish().await;
            }
        });
        body
    }
}

fn from_memory(question: &Question, page: &Page, entry: &Entry, source: Source) -> Served {
    let answer = question.answer(&page.stored, clock::now());
    let body = all_of(Cut::new(&answer.body).of(&entry.body));
    Served::stored(answer, body, source, entry.cache)
}

/// RFC 9110 §8.8.3: equal bytes have equal tags, and others never do.
fn entity_tag(root: &Hash) -> String {
    let hex: String = root.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}

/// Sends a visitor to the directory, so that what its page links to is found.
fn redirect(target: &str) -> Result<Served, Failure> {
    // Not to another host: two slashes at the front would name one (RFC 3986 §4.2).
    let target = format!("/{}", target.trim_start_matches('/'));
    let target = HeaderValue::from_str(&target)
        .map_err(|error| Failure::because(Reason::BadRequest, error))?;
    let mut headers = HeaderMap::new();
    headers.insert(header::LOCATION, target);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(REVALIDATE));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    Ok(Served {
        status: StatusCode::PERMANENT_REDIRECT,
        headers,
        body: empty(),
        source: Source::Own,
        cache: NO_CACHE,
        said: Vec::new(),
        version: http::Version::HTTP_11,
    })
}
