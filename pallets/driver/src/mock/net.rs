//! Off-chain externalities with daemons behind URLs, a clock that only moves when somebody waits,
//! and a database.
//!
//! The SDK's own test externalities always answer at once with 200, so they know neither slow nor
//! lying peers.

use super::{Test, TOKEN};
use codec::{Decode, Encode};
use selvedge_primitives_types::{
    agent::{AgentEndpoint, AgentStatus, ConfigDelta, SectionVersions, AGENTS_STORAGE_KEY},
    DeviceId, Epoch, Role,
};
use sp_core::offchain::{
    self, storage::InMemOffchainStorage, HttpError, HttpRequestId, HttpRequestStatus,
    OffchainStorage, OpaqueNetworkState, StorageKind, Timestamp,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

/// A chunk that takes no longer, in milliseconds, is there when the host looks.
const READY: u64 = 10;

/// A request as a daemon got it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The path below the daemon's base URL.
    pub(crate) fn path(&self) -> &str {
        self.url.splitn(4, '/').nth(3).unwrap_or_default()
    }
}

/// What a daemon answers.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// Milliseconds until the head is there.
    pub(crate) after: u64,
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    /// Milliseconds until each further chunk is there.
    pub(crate) per_chunk: u64,
    /// Bytes of a chunk; the worker's buffer bounds them too.
    pub(crate) chunk: usize,
}

impl Answer {
    pub(crate) fn ok(body: impl Encode) -> Option<Self> {
        Some(Self {
            after: 1,
            status: 200,
            body: body.encode(),
            per_chunk: 0,
            chunk: usize::MAX,
        })
    }
    pub(crate) fn status(status: u16) -> Option<Self> {
        Some(Self {
            after: 1,
            status,
            body: vec![],
            per_chunk: 0,
            chunk: usize::MAX,
        })
    }
}

/// A daemon: what it answers to a request; `None` breaks the connection.
pub(crate) type Handler = Box<dyn FnMut(&Request) -> Option<Answer> + Send>;

#[derive(Default)]
struct Exchange {
    request: Request,
    answer: Option<Answer>,
    read: usize,
}

#[derive(Default)]
struct State {
    now: u64,
    seed: u8,
    daemons: BTreeMap<String, Handler>,
    exchanges: Vec<Exchange>,
    stored: InMemOffchainStorage,
}

/// The network, and the node's off-chain database.
#[derive(Clone, Default)]
pub(crate) struct Net(Arc<Mutex<State>>);

impl Net {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(|poison| poison.into_inner())
    }

    /// Puts a daemon behind an endpoint. Like a real one it refuses a wrong token before it looks
    /// at anything else.
    pub(crate) fn serve(&self, endpoint: &AgentEndpoint, mut handler: Handler) {
        let guarded: Handler = Box::new(move |request| {
            let expected = ("authorization".to_string(), format!("Bearer {TOKEN}"));
            if !request.headers.contains(&expected) {
                return Answer::status(401);
            }
            handler(request)
        });
        let base = String::from_utf8(endpoint.url.clone()).unwrap();
        self.state().daemons.insert(base, guarded);
    }

    /// Puts a gateway's public end behind a URL.
    pub(crate) fn serve_public(&self, url: &str, handler: Handler) {
        self.state().daemons.insert(url.into(), handler);
    }

    /// Writes the node's list of daemons.
    pub(crate) fn list(&self, endpoints: &[AgentEndpoint]) {
        self.store(AGENTS_STORAGE_KEY, &endpoints.to_vec().encode());
    }

    pub(crate) fn store(&self, key: &[u8], value: &[u8]) {
        self.state().stored.set(b"", key, value);
    }

    pub(crate) fn stored(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.state().stored.get(b"", key)
    }

    pub(crate) fn now(&self) -> u64 {
        self.state().now
    }

    /// Body bytes that were read of the answers since the last look at the requests.
    pub(crate) fn bytes_read(&self) -> usize {
        self.state().exchanges.iter().map(|one| one.read).sum()
    }

    pub(crate) fn pass(&self, millis: u64) {
        self.state().now += millis;
    }

    /// The requests since the last look, as `METHOD path`.
    pub(crate) fn take_requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.state().exchanges)
            .into_iter()
            .map(|one| one.request)
            .collect()
    }

    /// The requests since the last look, in short.
    pub(crate) fn take_lines(&self) -> Vec<String> {
        let line = |request: Request| format!("{} {}", request.method, request.path());
        self.take_requests().into_iter().map(line).collect()
    }
}

/// A well-behaved daemon: it keeps the digests it was told, and `extra` answers everything but
/// status and config.
pub(crate) fn good(
    device: DeviceId,
    closed: Vec<Epoch>,
    mut extra: impl FnMut(&Request) -> Option<Answer> + Send + 'static,
) -> Handler {
    let mut versions = SectionVersions::default();
    Box::new(move |request| {
        if request.path() == "control/v1/config" {
            versions = ConfigDelta::decode(&mut &request.body[..])
                .unwrap()
                .versions;
        }
        let known = ["control/v1/config", "control/v1/status"];
        if !known.contains(&request.path()) {
            return extra(request);
        }
        Answer::ok(AgentStatus {
            device,
            role: Role::Gateway,
            versions,
            closed: closed.clone(),
        })
    })
}

impl offchain::Externalities for Net {
    fn is_validator(&self) -> bool {
        true
    }
    fn network_state(&self) -> Result<OpaqueNetworkState, ()> {
        Err(())
    }
    fn timestamp(&mut self) -> Timestamp {
        Timestamp::from_unix_millis(self.now())
    }
    fn sleep_until(&mut self, deadline: Timestamp) {
        let mut state = self.state();
        state.now = state.now.max(deadline.unix_millis());
    }
    fn random_seed(&mut self) -> [u8; 32] {
        let mut state = self.state();
        state.seed = state.seed.wrapping_add(1);
        [state.seed; 32]
    }
    fn http_request_start(
        &mut self,
        method: &str,
        url: &str,
        _: &[u8],
    ) -> Result<HttpRequestId, ()> {
        if !url.starts_with("http://") || url.contains(' ') {
            return Err(());
        }
        let mut state = self.state();
        let request = Request {
            method: method.into(),
            url: url.into(),
            ..Default::default()
        };
        state.exchanges.push(Exchange {
            request,
            ..Default::default()
        });
        Ok(HttpRequestId(state.exchanges.len() as u16 - 1))
    }
    fn http_request_add_header(
        &mut self,
        id: HttpRequestId,
        name: &str,
        value: &str,
    ) -> Result<(), ()> {
        if value.chars().any(char::is_control) {
            return Err(());
        }
        let mut state = self.state();
        let exchange = state.exchanges.get_mut(id.0 as usize).ok_or(())?;
        exchange.request.headers.push((name.into(), value.into()));
        Ok(())
    }
    fn http_request_write_body(
        &mut self,
        id: HttpRequestId,
        chunk: &[u8],
        deadline: Option<Timestamp>,
    ) -> Result<(), HttpError> {
        assert!(
            deadline.is_some(),
            "a worker never waits without a deadline"
        );
        let mut state = self.state();
        let exchange = state
            .exchanges
            .get_mut(id.0 as usize)
            .ok_or(HttpError::Invalid)?;
        exchange.request.body.extend_from_slice(chunk);
        Ok(())
    }
    fn http_response_wait(
        &mut self,
        ids: &[HttpRequestId],
        deadline: Option<Timestamp>,
    ) -> Vec<HttpRequestStatus> {
        let deadline = deadline
            .expect("a worker never waits without a deadline")
            .unix_millis();
        let mut guard = self.state();
        let state = &mut *guard;
        ids.iter()
            .map(|id| {
                let Some(exchange) = state.exchanges.get_mut(id.0 as usize) else {
                    return HttpRequestStatus::Invalid;
                };
                let base = exchange
                    .request
                    .url
                    .splitn(4, '/')
                    .take(3)
                    .collect::<Vec<_>>()
                    .join("/");
                let answer = state
                    .daemons
                    .get_mut(&base)
                    .and_then(|one| one(&exchange.request));
                let Some(answer) = answer else {
                    return HttpRequestStatus::IoError;
                };
                if state.now + answer.after > deadline {
                    state.now = state.now.max(deadline);
                    return HttpRequestStatus::DeadlineReached;
                }
                state.now += answer.after;
                let status = answer.status;
                exchange.answer = Some(answer);
                HttpRequestStatus::Finished(status)
            })
            .collect()
    }
    fn http_response_headers(&mut self, _: HttpRequestId) -> Vec<(Vec<u8>, Vec<u8>)> {
        vec![]
    }
    fn http_response_read_body(
        &mut self,
        id: HttpRequestId,
        buffer: &mut [u8],
        deadline: Option<Timestamp>,
    ) -> Result<usize, HttpError> {
        let deadline = deadline
            .expect("a worker never waits without a deadline")
            .unix_millis();
        let mut guard = self.state();
        let state = &mut *guard;
        let exchange = state
            .exchanges
            .get_mut(id.0 as usize)
            .ok_or(HttpError::Invalid)?;
        let answer = exchange.answer.as_ref().ok_or(HttpError::Invalid)?;
        // Like the real host, it looks at the deadline only when it has to wait.
        if answer.per_chunk > READY && state.now + answer.per_chunk > deadline {
            state.now = state.now.max(deadline);
            return Err(HttpError::DeadlineReached);
        }
        state.now += answer.per_chunk;
        let rest = &answer.body[exchange.read..];
        let length = rest.len().min(buffer.len()).min(answer.chunk);
        buffer[..length].copy_from_slice(&rest[..length]);
        exchange.read += length;
        Ok(length)
    }
    fn set_authorized_nodes(&mut self, _: Vec<sp_core::OpaquePeerId>, _: bool) {}
}

impl offchain::DbExternalities for Net {
    fn local_storage_set(&mut self, kind: StorageKind, key: &[u8], value: &[u8]) {
        // The node implements no other kind.
        assert_eq!(kind, StorageKind::PERSISTENT);
        self.store(key, value);
    }
    fn local_storage_clear(&mut self, kind: StorageKind, key: &[u8]) {
        assert_eq!(kind, StorageKind::PERSISTENT);
        self.state().stored.remove(b"", key);
    }
    fn local_storage_compare_and_set(
        &mut self,
        kind: StorageKind,
        key: &[u8],
        old: Option<&[u8]>,
        new: &[u8],
    ) -> bool {
        assert_eq!(kind, StorageKind::PERSISTENT);
        self.state().stored.compare_and_set(b"", key, old, new)
    }
    fn local_storage_get(&mut self, kind: StorageKind, key: &[u8]) -> Option<Vec<u8>> {
        assert_eq!(kind, StorageKind::PERSISTENT);
        self.stored(key)
    }
}

/// The longest a run may take by the mock's configuration.
pub(crate) fn longest() -> u64 {
    <Test as crate::Config>::TotalDeadline::get()
}
