//! A cache that takes seeds like an honest one, and then lies about what it holds.

mod blobs;
mod forge;
mod noise;

pub use noise::{Noise, NoisyCache};

use bytes::Bytes;
use forge::{encode, old_record, Kept};
use parking_lot::Mutex;
use selvedge_edge_core_verify::{sign::device, LeaseId, RecordHead, SigningKey};
use selvedge_edge_drivers_http::{Closed, Limits, ServerHandle};
use selvedge_edge_drivers_transport::{
    bind, CacheService, HoldRequest, Identity, InvalidateRequest, LookupRequest, OrderPurge,
    PeerList, PurgeNews, PurgeSync, Refusal, Reply, ReplySender, SeedAnswer, SeedMessage,
    SeedReceiver, Want,
};
use selvedge_primitives_types::{
    DeviceId, GenesisHash, LeafBody, Millis, ProbeAnswerPayload, PurgeAnswer, PurgeRefusal,
    Signature64, SignedPurgeOrder, SignedVoucher,
};
use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc,
    },
    time::Duration,
};

/// How long an honest peer's next message may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is wrong with an answer.
#[derive(Clone, Debug, Default)]
pub enum Lie {
    /// Nothing.
    #[default]
    None,
    /// A bit of the first bytes.
    FirstBytes,
    /// A bit of the last bytes.
    LastBytes,
    /// A field that nobody signed.
    Fields,
    /// A status that nobody signed.
    Status,
    /// The signature.
    Signature,
    /// A root and bytes that fit each other, and no signature.
    Body,
    /// The record and bytes of another key, as they were signed.
    OtherKey(Vec<u8>),
    /// A record that a registered gateway, whose key this is, signed long ago.
    Old(SigningKey, GenesisHash),
    /// A fresh record, signed by a key that no gateway has.
    Stranger(SigningKey, GenesisHash),
    /// A record below the generation asked for, as it was signed.
    OldGeneration,
    /// The end comes early.
    EndsEarly,
    /// The connection's stream ends early.
    HangsUp,
    /// Bytes come after the last.
    GoesOn,
    /// Bytes come before a record.
    BytesFirst,
    /// No answer comes.
    Silent,
    /// It refuses.
    Refuses,
    /// A fetch under way whose head was changed.
    FollowFields,
    /// A fetch under way whose bytes were changed.
    FollowBytes,
    /// A fetch under way that ends before its last frame.
    FollowEndsEarly,
    /// A fetch under way of another key.
    FollowOtherKey(Vec<u8>),
    /// A lease with a stale record that was changed.
    StaleFields,
    /// Leases whose seeds it never reads.
    Deaf,
}

struct State {
    device: DeviceId,
    lie: Mutex<Lie>,
    kept: Mutex<HashMap<Vec<u8>, Kept>>,
    blobs: blobs::Blobs,
    leases: Mutex<HashMap<LeaseId, Vec<u8>>>,
    next: AtomicU64,
    asked: Mutex<Vec<LookupRequest>>,
}

/// A running cache that lies on command. Until then it is honest.
pub struct Liar {
    state: Arc<State>,
    server: ServerHandle,
}

struct Anybody;

impl PeerList for Anybody {
    fn is_listed(&self, _: &DeviceId) -> bool {
        true
    }
}

impl Liar {
    /// Starts with a device key on a free port.
    pub async fn start(key: SigningKey) -> Self {
        let state = Arc::new(State {
            device: device(&key),
            lie: Mutex::default(),
            kept: Mutex::default(),
            blobs: Default::default(),
            leases: Mutex::default(),
            next: AtomicU64::new(1),
            asked: Mutex::default(),
        });
        let identity = Identity::new(key).expect("a device key");
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let peers = Arc::new(Anybody);
        let (server, handler) = bind(address, &identity, peers, Limits::default(), state.clone())
            .await
            .expect("a free port");
        let server = server.serve(handler);
        Self { state, server }
    }

    /// Its device.
    pub fn device(&self) -> DeviceId {
        self.state.device
    }

    /// Where gateways reach it.
    pub fn address(&self) -> SocketAddr {
        self.server.local_addr()
    }

    /// Lies in this way from now on.
    pub fn lie(&self, lie: Lie) {
        *self.state.lie.lock() = lie;
    }

    /// Whether it was seeded with a whole response for a key.
    pub fn has(&self, key: &str) -> bool {
        self.state.kept.lock().contains_key(key.as_bytes())
    }

    /// Gives it a blob.
    pub fn give(&self, blob: &[u8]) {
        self.state.blobs.take(blob);
    }

    /// Ranges of blobs that it was asked for so far.
    pub fn gets(&self) -> usize {
        self.state.blobs.gets()
    }

    /// Lookups so far.
    pub fn lookups(&self) -> usize {
        self.state.asked.lock().len()
    }

    /// What gateways asked so far.
    pub fn asked(&self) -> Vec<LookupRequest> {
        self.state.asked.lock().clone()
    }
}

impl State {
    async fn answer(&self, request: &LookupRequest, replies: &ReplySender) -> Result<(), Closed> {
        let lie = self.lie.lock().clone();
        match &lie {
            Lie::Silent => {
                replies.closed().await;
                return Err(Closed);
            }
            Lie::Refuses => return replies.send(&Reply::Refused(Refusal::Busy)).await,
            Lie::Old(key, genesis) => {
                return self
                    .send_whole(&old_record(request, key, genesis, 3_600_000), &lie, replies)
                    .await;
            }
            Lie::Stranger(key, genesis) => {
                return self
                    .send_whole(&old_record(request, key, genesis, 0), &lie, replies)
                    .await;
            }
            Lie::OtherKey(key) | Lie::FollowOtherKey(key) => {
                let other = self
                    .kept
                    .lock()
                    .get(key)
                    .cloned()
                    .expect("the other key was seeded");
                return match lie {
                    Lie::OtherKey(_) => self.send_whole(&other, &lie, replies).await,
                    _ => follow(&other, &lie, replies).await,
                };
            }
            _ => {}
        }
        let kept = self.kept.lock().get(&request.key).cloned();
        let is_wanted = |kept: &Kept| {
            matches!(lie, Lie::OldGeneration) || kept.signed.record.generation >= request.generation
        };
        match kept.filter(|kept| !matches!(lie, Lie::Deaf) && is_wanted(kept)) {
            Some(kept) => match lie {
                Lie::FollowFields | Lie::FollowBytes | Lie::FollowEndsEarly => {
                    follow(&kept, &lie, replies).await
                }
                Lie::StaleFields => {
                    let mut stale = kept.signed.clone();
                    stale
                        .record
                        .fields
                        .push((b"x-injected".to_vec(), b"1".to_vec()));
                    self.grant(request, Some(stale), replies).await
                }
                _ => self.send_whole(&kept, &lie, replies).await,
            },
            None if request.want == Want::Share => self.grant(request, None, replies).await,
            None => replies.send(&Reply::Pass { until: Millis(0) }).await,
        }
    }

    async fn grant(
        &self,
        request: &LookupRequest,
        stale: Option<selvedge_primitives_types::SignedRecord>,
        replies: &ReplySender,
    ) -> Result<(), Closed> {
        let lease = LeaseId(self.next.fetch_add(1, Ordering::AcqRel));
        self.leases.lock().insert(lease, request.key.clone());
        replies
            .send(&Reply::Lease {
                lease,
                expires: Millis(60_000),
                stale,
            })
            .await
    }

    async fn send_whole(
        &self,
        kept: &Kept,
        lie: &Lie,
        replies: &ReplySender,
    ) -> Result<(), Closed> {
        let mut signed = kept.signed.clone();
        let mut body = kept.body.clone();
        match lie {
            Lie::Fields => signed
                .record
                .fields
                .push((b"x-injected".to_vec(), b"1".to_vec())),
            Lie::Status => signed.record.status = 203,
            Lie::Signature => signed.signature.0[5] ^= 4,
            Lie::Body => {
                body[0] ^= 1;
                signed.record.root = *blake3::hash(&body).as_bytes();
            }
            _ => {}
        }
        let mut bytes = encode(&body);
        match lie {
            Lie::FirstBytes => {
                // Behind the proofs at the front, if there are any.
                let place = bytes.len() - body.len();
                bytes[place] ^= 1;
            }
            Lie::LastBytes => *bytes.last_mut().expect("a body") ^= 0x80,
            Lie::EndsEarly | Lie::HangsUp => bytes.truncate(bytes.len() / 2),
            Lie::GoesOn => bytes.extend_from_slice(b"and more"),
            _ => {}
        }
        if !matches!(lie, Lie::BytesFirst) {
            replies.send(&Reply::Hit(signed)).await?;
        }
        for piece in bytes.chunks(60_000) {
            replies
                .send(&Reply::Data(Bytes::copy_from_slice(piece)))
                .await?;
        }
        if matches!(lie, Lie::HangsUp) {
            return Err(Closed);
        }
        replies.send(&Reply::End(None)).await
    }
}

async fn follow(kept: &Kept, lie: &Lie, replies: &ReplySender) -> Result<(), Closed> {
    let mut head = kept.head.clone();
    if matches!(lie, Lie::FollowFields) {
        head.fields.push((b"x-injected".to_vec(), b"1".to_vec()));
    }
    replies.send(&Reply::Follow(head)).await?;
    let last = kept.frames.len() - 1;
    for (index, (frame, bytes)) in kept.frames.iter().enumerate() {
        let mut bytes = bytes.to_vec();
        match lie {
            Lie::FollowBytes if !bytes.is_empty() => bytes[0] ^= 1,
            Lie::FollowEndsEarly if index == last => break,
            _ => {}
        }
        replies
            .send(&Reply::Frame(frame.clone(), bytes.into()))
            .await?;
    }
    replies.send(&Reply::End(Some(kept.signed.clone()))).await
}

impl CacheService for State {
    async fn lookup(self: Arc<Self>, _: DeviceId, request: LookupRequest, replies: ReplySender) {
        self.asked.lock().push(request.clone());
        if self.answer(&request, &replies).await.is_ok() {
            let _ = replies.finish().await;
        }
    }

    async fn seed(
        self: Arc<Self>,
        _: DeviceId,
        lease: LeaseId,
        mut messages: SeedReceiver,
    ) -> SeedAnswer {
        let Some(key) = self.leases.lock().remove(&lease) else {
            return SeedAnswer::NoLease;
        };
        if matches!(*self.lie.lock(), Lie::Deaf) {
            // As long as the holder of the lease has any patience.
            tokio::time::sleep(PATIENCE).await;
            drop(messages);
            return SeedAnswer::NotStored;
        }
        let mut head: Option<RecordHead> = None;
        let mut frames = Vec::new();
        while let Ok(Some(message)) = messages.next(PATIENCE).await {
            match message {
                SeedMessage::Head(begun) => head = Some(begun),
                SeedMessage::Frame(frame, bytes) => frames.push((frame, bytes)),
                SeedMessage::End(signed) => {
                    let Some(head) = head else {
                        return SeedAnswer::Unverified;
                    };
                    let pieces: Vec<_> = frames.iter().map(|(_, bytes)| bytes.clone()).collect();
                    let body = pieces.concat();
                    self.kept.lock().insert(
                        key,
                        Kept {
                            head,
                            frames,
                            signed,
                            body,
                        },
                    );
                    return SeedAnswer::Taken;
                }
                SeedMessage::Abort | SeedMessage::Pass { .. } | SeedMessage::Refresh(_) => break,
            }
        }
        SeedAnswer::Taken
    }

    /// It says that nobody has anything.
    async fn invalidate(self: Arc<Self>, _: DeviceId, _: InvalidateRequest) -> bool {
        false
    }

    async fn hold(self: Arc<Self>, _: DeviceId, _: HoldRequest) {}

    async fn order_purge(
        self: Arc<Self>,
        _: DeviceId,
        _: OrderPurge,
    ) -> Result<SignedPurgeOrder, PurgeRefusal> {
        Err(PurgeRefusal::NotReady)
    }

    async fn take_purge(self: Arc<Self>, _: DeviceId, _: SignedPurgeOrder) -> PurgeAnswer {
        PurgeAnswer::Refused(PurgeRefusal::NotReady)
    }

    async fn sync_purges(self: Arc<Self>, _: DeviceId, _: PurgeSync) -> PurgeNews {
        PurgeNews::default()
    }

    async fn voucher(self: Arc<Self>, _: DeviceId, _: SignedVoucher) -> Result<(), String> {
        Ok(())
    }

    /// What it says is no signature.
    fn answer_probe(&self, _: DeviceId, _: &ProbeAnswerPayload) -> Option<Signature64> {
        Some(Signature64::default())
    }

    /// It signs nothing, and says that it did.
    async fn leaves(
        self: Arc<Self>,
        _: DeviceId,
        leaves: Vec<LeafBody>,
    ) -> Vec<Option<Signature64>> {
        vec![Some(Signature64([7; 64])); leaves.len()]
    }
}
