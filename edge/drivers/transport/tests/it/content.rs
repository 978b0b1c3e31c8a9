//! Blobs over real sockets: what arrives is verified, whoever sends it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use selvedge_edge_core_choice::Filter;
use selvedge_edge_core_verify::{shape, Outboard, Part, RangePlan, SliceProof, SLICE};
use selvedge_edge_drivers_transport::{
    ContentError, ContentRefusal, ContentSender, ContentService, ContentStream, CopyAnswer,
    CopyContent, GetContent, Held, PutAnswer, PutContent, PutReceiver, TransportError,
};
use selvedge_primitives_types::{ContentKind, ContentRef, DeviceId, Hash, ServiceId};

use crate::{net, Net, Notes, LONG};

const SERVICE: ServiceId = ServiceId(3);

/// What a peer does wrong with the bytes of a range.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Wrong {
    #[default]
    Nothing,
    FirstBit,
    LastBit,
    TooFew,
    TooMany,
    /// The end never comes.
    Stalls,
    /// One byte now and then.
    Drips,
    Aborts,
}

#[derive(Default)]
pub(crate) struct Blobs {
    whole: Mutex<HashMap<Hash, Vec<u8>>>,
    parts: Mutex<HashMap<Hash, BTreeMap<u64, Bytes>>>,
    pub(crate) wrong: Mutex<Wrong>,
    copies: Mutex<Vec<CopyContent>>,
}

fn encode(bytes: &[u8], plan: &RangePlan) -> Vec<u8> {
    let outboard = Outboard::of(bytes);
    let mut out = Vec::new();
    for part in plan.parts() {
        match part {
            Part::Proof { slice, .. } => {
                out.extend(outboard.slice_proof(slice).unwrap().to_bytes());
            }
            Part::Group { bytes: place, .. } => {
                out.extend_from_slice(&bytes[place.start as usize..place.end as usize]);
            }
        }
    }
    out
}

impl ContentService for Notes {
    async fn get_content(
        self: Arc<Self>,
        _: DeviceId,
        request: GetContent,
        replies: ContentSender,
    ) {
        let blob = self.blobs.whole.lock().get(&request.content.root).cloned();
        let Some(blob) = blob else {
            return replies.refuse(ContentRefusal::Missing).await;
        };
        let mut encoded = encode(&blob, &request.plan().unwrap());
        let wrong = *self.blobs.wrong.lock();
        let last = encoded.len().saturating_sub(1);
        match wrong {
            Wrong::FirstBit => encoded[0] ^= 1,
            Wrong::LastBit => encoded[last] ^= 1,
            Wrong::TooFew => encoded.truncate(last),
            Wrong::TooMany => encoded.push(0),
            Wrong::Stalls | Wrong::Drips | Wrong::Aborts => encoded.truncate(last / 2),
            Wrong::Nothing => {}
        }
        for piece in encoded.chunks(100_000) {
            if replies.send(Bytes::copy_from_slice(piece)).await.is_err() {
                return;
            }
        }
        match wrong {
            Wrong::Stalls => replies.closed().await,
            Wrong::Drips => {
                while replies.send(Bytes::from_static(&[0])).await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
            Wrong::Aborts => replies.abort().await,
            _ => replies.end().await,
        }
    }

    async fn put_content(
        self: Arc<Self>,
        _: DeviceId,
        put: PutContent,
        mut slices: PutReceiver,
    ) -> PutAnswer {
        let ContentRef { root, length, .. } = put.content;
        loop {
            match slices.next(LONG).await {
                Ok(Some(slice)) => {
                    let verified = slice.proof.verify(&root, length, slice.slice);
                    let is_right = verified.is_ok_and(|verified| {
                        let groups = shape::slice_groups(length, slice.slice);
                        let bytes = slice.bytes.chunks(shape::GROUP as usize);
                        let mut pairs = groups.zip(bytes);
                        pairs.all(|(index, bytes)| verified.check_group(index, bytes).is_ok())
                    });
                    if !is_right {
                        return PutAnswer::Refused(ContentRefusal::Unverified);
                    }
                    let mut parts = self.blobs.parts.lock();
                    parts
                        .entry(root)
                        .or_default()
                        .insert(slice.slice, slice.bytes);
                }
                Ok(None) => break,
                Err(_) => return PutAnswer::Refused(ContentRefusal::Limit),
            }
        }
        let parts = self.blobs.parts.lock();
        let held = parts.get(&root).cloned().unwrap_or_default();
        let missing = (0..shape::slices(length)).filter(|slice| !held.contains_key(slice));
        let missing: Vec<(u64, u64)> = missing.map(|slice| (slice, 1)).collect();
        if !missing.is_empty() {
            return PutAnswer::Missing(missing);
        }
        let blob: Vec<u8> = held.into_values().flatten().collect();
        self.blobs.whole.lock().insert(root, blob);
        PutAnswer::Complete
    }

    async fn have_content(self: Arc<Self>, _: DeviceId, roots: Vec<Hash>) -> Vec<bool> {
        let whole = self.blobs.whole.lock();
        roots.iter().map(|root| whole.contains_key(root)).collect()
    }

    async fn copy_content(self: Arc<Self>, _: DeviceId, order: CopyContent) -> CopyAnswer {
        self.blobs.copies.lock().push(order);
        CopyAnswer::UnderWay
    }

    async fn held_content(self: Arc<Self>, _: DeviceId, since: Option<u64>) -> Held {
        let whole = self.blobs.whole.lock();
        let mut filter = Filter::new(1, whole.len());
        whole.keys().for_each(|root| filter.insert(root));
        match since {
            Some(1) => Held::Same,
            _ => Held::Whole(filter),
        }
    }
}

fn body(length: usize) -> Vec<u8> {
    (0..length)
        .map(|i| (i as u32).wrapping_mul(2_654_435_761).to_le_bytes()[3])
        .collect()
}

fn named(blob: &[u8]) -> ContentRef {
    ContentRef {
        root: *blake3::hash(blob).as_bytes(),
        length: blob.len() as u64,
        kind: ContentKind::File,
    }
}

async fn holding(blob: &[u8]) -> (Net, ContentRef) {
    let (net, content) = (net().await, named(blob));
    let mut whole = net.notes.blobs.whole.lock();
    whole.insert(content.root, blob.to_vec());
    drop(whole);
    (net, content)
}

async fn all(stream: &mut ContentStream, within: Duration) -> Result<Vec<u8>, ContentError> {
    let mut got = Vec::new();
    while let Some(bytes) = stream.next(within).await? {
        got.extend_from_slice(&bytes);
    }
    Ok(got)
}

#[tokio::test]
async fn a_range_arrives_verified() {
    let blob = body(2_500_000);
    let (net, content) = holding(&blob).await;
    for range in [
        0..2_500_000,
        5..6,
        1_000_000..2_000_000,
        2_499_999..2_500_000,
    ] {
        let get = net
            .peers
            .get_content(&net.cache, SERVICE, content, range.clone());
        let mut stream = get.await.unwrap();
        let got = all(&mut stream, LONG).await.unwrap();
        assert!(
            got == blob[range.start as usize..range.end as usize],
            "{range:?}"
        );
        assert!(stream.rest().is_empty());
        assert!(matches!(stream.next(LONG).await, Ok(None)));
    }
    let get = net
        .peers
        .get_content(&net.cache, SERVICE, content, 0..2_500_001);
    assert!(matches!(get.await, Err(ContentError::Range(_))));
    let other = ContentRef {
        root: [0; 32],
        ..content
    };
    let get = net
        .peers
        .get_content(&net.cache, SERVICE, other, 0..1)
        .await;
    let refused = get.unwrap().next(LONG).await;
    assert!(matches!(
        refused,
        Err(ContentError::Refused(ContentRefusal::Missing))
    ));
}

#[tokio::test]
async fn an_empty_blob_is_verified_too() {
    let (net, content) = holding(&[]).await;
    let get = net
        .peers
        .get_content(&net.cache, SERVICE, content, 0..0)
        .await;
    let answer = get.unwrap().next(LONG).await;
    assert!(matches!(answer, Ok(None)));
}

#[tokio::test]
async fn wrong_bytes_never_leave_and_are_told_from_missing_ones() {
    let blob = body(500_000);
    let (net, content) = holding(&blob).await;
    for wrong in [
        Wrong::FirstBit,
        Wrong::LastBit,
        Wrong::TooFew,
        Wrong::TooMany,
        Wrong::Stalls,
        Wrong::Aborts,
    ] {
        *net.notes.blobs.wrong.lock() = wrong;
        let get = net
            .peers
            .get_content(&net.cache, SERVICE, content, 0..500_000);
        let mut stream = get.await.unwrap();
        let patience = match wrong {
            Wrong::Stalls => Duration::from_millis(200),
            _ => LONG,
        };
        let mut got = Vec::new();
        let error = loop {
            match stream.next(patience).await {
                Ok(Some(bytes)) => got.extend_from_slice(&bytes),
                Ok(None) => panic!("{wrong:?} was taken for right"),
                Err(error) => break error,
            }
        };
        assert!(blob.starts_with(&got), "{wrong:?}");
        assert_eq!(stream.rest(), got.len() as u64..500_000, "{wrong:?}");
        let is_lie = !matches!(wrong, Wrong::Stalls | Wrong::Aborts);
        assert_eq!(error.is_misbehaviour(), is_lie, "{wrong:?}: {error}");
        assert!(matches!(stream.next(LONG).await, Ok(None)));
    }
}

#[tokio::test]
async fn a_peer_that_drips_is_as_slow_as_one_that_stalls() {
    let blob = body(10_000);
    let (net, content) = holding(&blob).await;
    *net.notes.blobs.wrong.lock() = Wrong::Drips;
    let get = net
        .peers
        .get_content(&net.cache, SERVICE, content, 0..10_000);
    let mut stream = get.await.unwrap();
    let slow = stream.next(Duration::from_millis(300)).await;
    let is_slow = matches!(
        slow,
        Err(ContentError::Transport(TransportError::TooSlow { .. }))
    );
    assert!(is_slow, "{slow:?}");
}

#[tokio::test]
async fn slices_are_put_in_any_order_and_the_missing_ones_are_named() {
    let blob = body(2 * SLICE as usize + 5);
    let (net, content) = (net().await, named(&blob));
    let outboard = Outboard::of(&blob);
    let put = PutContent {
        service: SERVICE,
        content,
    };
    let slice = |number: u64| {
        let place = shape::slice_bytes(content.length, number);
        Bytes::copy_from_slice(&blob[place.start as usize..place.end as usize])
    };
    let asked = net.peers.put_content(&net.cache, &put).await.unwrap();
    let missing = PutAnswer::Missing(vec![(0, 1), (1, 1), (2, 1)]);
    assert_eq!(asked.finish().await.unwrap(), missing);
    let first = net.peers.put_content(&net.cache, &put).await.unwrap();
    for number in [2, 0] {
        let proof = outboard.slice_proof(number).unwrap();
        first.send(number, &proof, slice(number)).await.unwrap();
    }
    assert_eq!(
        first.finish().await.unwrap(),
        PutAnswer::Missing(vec![(1, 1)])
    );
    let second = net.peers.put_content(&net.cache, &put).await.unwrap();
    let proof = outboard.slice_proof(1).unwrap();
    second.send(1, &proof, slice(1)).await.unwrap();
    assert_eq!(second.finish().await.unwrap(), PutAnswer::Complete);
    let roots = [content.root, [0; 32]];
    let have = net.peers.have_content(&net.cache, &roots).await.unwrap();
    assert_eq!(have, [true, false]);
    let held = net.peers.held_content(&net.cache, None).await.unwrap();
    let Held::Whole(filter) = held else {
        panic!("{held:?} to who knows nothing");
    };
    assert!(filter.may_have(&content.root) && !filter.may_have(&[0; 32]));
    let held = net
        .peers
        .held_content(&net.cache, Some(filter.version))
        .await;
    assert_eq!(held.unwrap(), Held::Same);
    let fetched = net.peers.get_slice(&net.cache, SERVICE, content, 1, LONG);
    assert_eq!(fetched.await.unwrap(), (proof, slice(1)));
    let whole = net
        .peers
        .get_content(&net.cache, SERVICE, content, 0..content.length);
    assert!(all(&mut whole.await.unwrap(), LONG).await.unwrap() == blob);
}

#[tokio::test]
async fn slices_of_another_shape_or_blob_are_refused() {
    let blob = body(SLICE as usize + 5);
    let (net, content) = (net().await, named(&blob));
    let outboard = Outboard::of(&blob);
    let put = PutContent {
        service: SERVICE,
        content,
    };
    let proof = outboard.slice_proof(1).unwrap();
    for (number, proof, bytes, refusal) in [
        (1, &proof, &blob[..6], ContentRefusal::Limit),
        (2, &proof, &blob[..5], ContentRefusal::Limit),
        (1, &SliceProof::default(), &blob[..5], ContentRefusal::Limit),
        (1, &proof, &blob[..5], ContentRefusal::Unverified),
    ] {
        let stream = net.peers.put_content(&net.cache, &put).await.unwrap();
        let _ = stream
            .send(number, proof, Bytes::copy_from_slice(bytes))
            .await;
        let answer = stream.finish().await.unwrap();
        assert_eq!(answer, PutAnswer::Refused(refusal));
    }
}

#[tokio::test]
async fn too_many_roots_or_sources_are_refused() {
    let net = net().await;
    let roots = vec![[1; 32]; 1_025];
    let asked = net.peers.have_content(&net.cache, &roots).await;
    let is_refused = |error: &ContentError| {
        matches!(error, ContentError::Transport(TransportError::Status(400)))
    };
    assert!(is_refused(&asked.unwrap_err()));
    let mut order = CopyContent {
        service: SERVICE,
        content: named(b"abc"),
        from: vec![DeviceId([1; 32]); 33],
    };
    let refused = net.peers.copy_content(&net.cache, &order).await;
    assert!(is_refused(&refused.unwrap_err()));
    order.from.truncate(32);
    let taken = net.peers.copy_content(&net.cache, &order).await.unwrap();
    assert_eq!(taken, CopyAnswer::UnderWay);
    assert_eq!(*net.notes.blobs.copies.lock(), [order]);
}

#[tokio::test]
async fn a_cache_may_share_content_and_nothing_else() {
    let blob = body(10);
    let (net, content) = holding(&blob).await;
    let device = net.gateway.device();
    *net.listed.1.lock() = vec![device];
    net.listed.0.lock().clear();
    let get = net
        .peers
        .get_content(&net.cache, SERVICE, content, 0..10)
        .await;
    assert!(all(&mut get.unwrap(), LONG).await.unwrap() == blob);
    let lookup = net
        .peers
        .lookup(&net.cache, &crate::lookup(Vec::new()))
        .await;
    assert!(matches!(lookup, Err(TransportError::Status(403))));
    net.listed.1.lock().clear();
    let gone = net.peers.have_content(&net.cache, &[content.root]).await;
    let is_refused = matches!(
        gone,
        Err(ContentError::Transport(TransportError::Status(403)))
    );
    assert!(is_refused);
}
