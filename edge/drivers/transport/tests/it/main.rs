//! Two devices over real sockets: who may talk, and that messages arrive in order.

mod content;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ed25519_dalek::SigningKey;
use parking_lot::Mutex;
use selvedge_edge_core_verify::{LeaseId, SignedFrame};
use selvedge_edge_drivers_http::{Limits, ServerHandle};
use selvedge_edge_drivers_transport::{
    bind, CacheService, HoldRequest, Identity, InvalidateRequest, LookupRequest, OrderPurge,
    PeerAddress, PeerList, Peers, PeersOptions, PurgeNews, PurgeSync, Refusal, Reply, ReplySender,
    SeedAnswer, SeedMessage, SeedReceiver, TransportError, Want,
};
use selvedge_primitives_types::{
    DeviceId, LeafBody, Millis, ProbeAnswerPayload, PurgeAnswer, PurgeRefusal, ServiceId,
    Signature64, SignedPurgeOrder, SignedVoucher,
};

/// Answers a lookup with its own request as data, and keeps what it was told.
#[derive(Default)]
struct Notes {
    blobs: content::Blobs,
    seeds: Mutex<Vec<(DeviceId, LeaseId, Vec<SeedMessage>)>>,
    vouchers: Mutex<Vec<(DeviceId, SignedVoucher)>>,
}

impl CacheService for Notes {
    async fn lookup(self: Arc<Self>, _: DeviceId, request: LookupRequest, replies: ReplySender) {
        for piece in request.key.chunks(100_000) {
            let data = Reply::Data(Bytes::copy_from_slice(piece));
            if replies.send(&data).await.is_err() {
                return;
            }
        }
        let _ = replies.send(&Reply::Refused(Refusal::Busy)).await;
        let _ = replies.finish().await;
    }

    async fn seed(
        self: Arc<Self>,
        peer: DeviceId,
        lease: LeaseId,
        mut messages: SeedReceiver,
    ) -> SeedAnswer {
        let mut seen = Vec::new();
        while let Ok(Some(message)) = messages.next(LONG).await {
            seen.push(message);
        }
        self.seeds.lock().push((peer, lease, seen));
        SeedAnswer::Taken
    }

    async fn invalidate(self: Arc<Self>, _: DeviceId, request: InvalidateRequest) -> bool {
        request.key == b"held"
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

    async fn voucher(
        self: Arc<Self>,
        peer: DeviceId,
        voucher: SignedVoucher,
    ) -> Result<(), String> {
        if voucher.voucher.seq == 0 {
            return Err("not a voucher".to_owned());
        }
        self.vouchers.lock().push((peer, voucher));
        Ok(())
    }

    async fn leaves(
        self: Arc<Self>,
        _: DeviceId,
        leaves: Vec<LeafBody>,
    ) -> Vec<Option<Signature64>> {
        leaves.iter().map(|_| None).collect()
    }

    fn answer_probe(&self, peer: DeviceId, asked: &ProbeAnswerPayload) -> Option<Signature64> {
        (peer == asked.prober).then_some(Signature64([5; 64]))
    }
}

#[derive(Default)]
struct Only(Mutex<Vec<DeviceId>>, Mutex<Vec<DeviceId>>);

impl PeerList for Only {
    fn is_listed(&self, device: &DeviceId) -> bool {
        self.0.lock().contains(device)
    }

    fn shares_content(&self, device: &DeviceId) -> bool {
        self.0.lock().contains(device) || self.1.lock().contains(device)
    }
}

fn identity(seed: u8) -> Arc<Identity> {
    Arc::new(Identity::new(SigningKey::from_bytes(&[seed; 32])).unwrap())
}

struct Net {
    server: ServerHandle,
    notes: Arc<Notes>,
    listed: Arc<Only>,
    cache: PeerAddress,
    gateway: Arc<Identity>,
    peers: Peers,
}

async fn net() -> Net {
    let (cache, gateway) = (identity(1), identity(2));
    let listed = Arc::new(Only(Mutex::new(vec![gateway.device()]), Mutex::default()));
    let notes = Arc::new(Notes::default());
    let address = "127.0.0.1:0".parse().unwrap();
    let limits = Limits::default();
    let (server, handler) = bind(address, &cache, listed.clone(), limits, notes.clone())
        .await
        .unwrap();
    let server = server.serve(handler);
    let endpoint = server.local_addr().to_string();
    let device = cache.device();
    Net {
        peers: Peers::new(gateway.clone(), PeersOptions::default()),
        cache: PeerAddress { device, endpoint },
        server,
        notes,
        listed,
        gateway,
    }
}

const LONG: Duration = Duration::from_secs(60);

fn lookup(key: Vec<u8>) -> LookupRequest {
    LookupRequest {
        service: ServiceId(1),
        key,
        is_head: false,
        fields: Vec::new(),
        generation: 0,
        fresh_from: 0,
        have: None,
        want: Want::Share,
        patience: Millis(20_000),
        waited: Millis(0),
    }
}

#[tokio::test]
async fn a_long_reply_arrives_whole_and_in_order() {
    let net = net().await;
    let key: Vec<u8> = (0..1_000_000u32).map(|i| (i % 251) as u8).collect();
    let mut replies = net
        .peers
        .lookup(&net.cache, &lookup(key.clone()))
        .await
        .unwrap();
    let mut got = Vec::new();
    let refusal = loop {
        match replies.next(LONG).await.unwrap().unwrap() {
            Reply::Data(bytes) => got.extend_from_slice(&bytes),
            other => break other,
        }
    };
    assert!(got == key);
    assert_eq!(refusal, Reply::Refused(Refusal::Busy));
    assert_eq!(replies.next(LONG).await.unwrap(), None);
}

#[tokio::test]
async fn a_seed_names_its_sender_and_lease() {
    let net = net().await;
    let seed = net.peers.seed(&net.cache, LeaseId(9)).await.unwrap();
    let frame = SignedFrame {
        offset: 0,
        length: 3,
        bytes: [1; 32],
        is_last: true,
        signature: Signature64::default(),
    };
    let messages = vec![
        SeedMessage::Frame(frame, Bytes::from_static(b"abc")),
        SeedMessage::Pass { until: Millis(5) },
    ];
    for message in &messages {
        seed.send(message).await.unwrap();
    }
    assert_eq!(seed.finish().await.unwrap(), SeedAnswer::Taken);
    let expected = vec![(net.gateway.device(), LeaseId(9), messages)];
    assert_eq!(*net.notes.seeds.lock(), expected);
}

#[tokio::test]
async fn a_refused_voucher_is_an_error() {
    let net = net().await;
    let mut voucher = SignedVoucher::default();
    let refused = net.peers.voucher(&net.cache, &voucher).await;
    assert!(matches!(refused, Err(TransportError::Status(409))));
    voucher.voucher.seq = 1;
    net.peers.voucher(&net.cache, &voucher).await.unwrap();
    let expected = vec![(net.gateway.device(), voucher)];
    assert_eq!(*net.notes.vouchers.lock(), expected);
    let none = net
        .peers
        .leaves(&net.cache, &[LeafBody::default(); 2])
        .await;
    assert_eq!(none.unwrap(), vec![None, None]);
}

#[tokio::test]
async fn who_is_told_to_forget_says_whether_it_may_be_held() {
    let net = net().await;
    for (key, expected) in [(&b"held"[..], true), (b"unknown", false)] {
        let request = InvalidateRequest {
            service: ServiceId(1),
            key: key.to_vec(),
            before: Millis(2),
        };
        let told = net.peers.invalidate(&net.cache, &request).await;
        assert_eq!(told.unwrap(), expected);
    }
    let keys = vec![(ServiceId(1), 7)];
    let held = net.peers.hold(&net.cache, &HoldRequest { keys }).await;
    assert!(held.is_ok());
}

#[tokio::test]
async fn another_device_than_the_dialled_one_is_not_talked_to() {
    let net = net().await;
    let other = PeerAddress {
        device: identity(3).device(),
        ..net.cache.clone()
    };
    let refused = net.peers.lookup(&other, &lookup(Vec::new())).await;
    assert!(matches!(refused, Err(TransportError::Connect { .. })));
    // It is left alone for a moment, the right one is not.
    let resting = net.peers.lookup(&other, &lookup(Vec::new())).await;
    assert!(matches!(resting, Err(TransportError::BackingOff { .. })));
    assert!(net.peers.lookup(&net.cache, &lookup(vec![1])).await.is_ok());
}

#[tokio::test]
async fn an_unlisted_device_is_refused_at_the_door_and_later() {
    let net = net().await;
    let stranger = Peers::new(identity(4), PeersOptions::default());
    assert!(stranger.lookup(&net.cache, &lookup(vec![1])).await.is_err());
    // A listed one that leaves the list is refused on the connection it already has.
    assert!(net.peers.lookup(&net.cache, &lookup(vec![1])).await.is_ok());
    net.listed.0.lock().clear();
    let gone = net.peers.lookup(&net.cache, &lookup(vec![1])).await;
    assert!(matches!(gone, Err(TransportError::Status(403))));
    assert!(net.server.shutdown(Duration::from_secs(10)).await);
}
