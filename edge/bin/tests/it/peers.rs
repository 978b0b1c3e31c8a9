//! Registered gateways that break the rules towards a cache, and strangers that are not registered.

use crate::net;
use bytes::Bytes;
use ed25519_dalek::{Signer, SigningKey};
use selvedge_edge_core_verify::{sign_record, FrameWriter, LeaseId, RecordHead};
use selvedge_edge_drivers_transport::{
    Identity, LookupRequest, PeerAddress, Peers, PeersOptions, Refusal, Reply, SeedAnswer,
    SeedMessage, TransportError, Want,
};
use selvedge_edge_tools_testkit::{content, device_key, device_of, wait_for, Net};
use selvedge_primitives_types::{
    DeviceId, Domain, Epoch, LeafBody, Millis, Role, ServiceId, Signature64, SignedVoucher, Slice,
    Usage, UsageClass, Voucher,
};
use std::{sync::Arc, time::Duration};

const LONG: Duration = Duration::from_secs(60);

/// A device that talks to a cache as a gateway does.
struct Peer {
    key: SigningKey,
    peers: Peers,
    cache: PeerAddress,
    genesis: [u8; 32],
}

impl Peer {
    fn new(net: &Net, seed: u8) -> Self {
        let key = device_key(seed);
        let identity = Arc::new(Identity::new(key.clone()).unwrap());
        let endpoint = net.caches[0].address("transport").to_string();
        Self {
            key,
            peers: Peers::new(identity, PeersOptions::default()),
            cache: PeerAddress {
                device: net.caches[0].device(),
                endpoint,
            },
            genesis: net.chain.genesis,
        }
    }

    /// A device that the chain lists as a gateway.
    async fn registered(net: &mut Net, seed: u8) -> Self {
        let device = device_of(&device_key(seed));
        net.chain.register_node(
            device,
            Role::Gateway,
            "127.0.0.1:1".to_owned(),
            String::new(),
        );
        net.push().await;
        Self::new(net, seed)
    }

    fn device(&self) -> DeviceId {
        device_of(&self.key)
    }

    async fn ask(&self, target: &str) -> Result<Vec<Reply>, TransportError> {
        let mut stream = self.peers.lookup(&self.cache, &lookup(target)).await?;
        let mut replies = Vec::new();
        while let Some(reply) = stream.next(LONG).await? {
            replies.push(reply);
        }
        Ok(replies)
    }

    async fn lease(&self, target: &str) -> LeaseId {
        match self.ask(target).await.unwrap().as_slice() {
            [Reply::Lease { lease, .. }] => *lease,
            other => panic!("{other:?}"),
        }
    }

    async fn seed(&self, lease: LeaseId, messages: &[SeedMessage]) -> SeedAnswer {
        let stream = self.peers.seed(&self.cache, lease).await.unwrap();
        for message in messages {
            // A cache that has seen enough takes no more.
            if stream.send(message).await.is_err() {
                break;
            }
        }
        stream.finish().await.unwrap()
    }

    fn voucher(&self, seq: u64, octets: u64) -> SignedVoucher {
        let voucher = Voucher {
            epoch: Epoch(100),
            gateway: self.device(),
            cache: self.cache.device,
            seq,
            usage: Usage::ZERO.with(UsageClass::EgressBytes, octets),
            amount: 0,
        };
        self.sign(voucher)
    }

    fn sign(&self, voucher: Voucher) -> SignedVoucher {
        let message = Domain::Voucher.message(&self.genesis, &voucher);
        SignedVoucher {
            voucher,
            signature: Signature64(self.key.sign(&message).to_bytes()),
        }
    }

    async fn hands_over(&self, voucher: &SignedVoucher) -> bool {
        match self.peers.voucher(&self.cache, voucher).await {
            Ok(()) => true,
            Err(TransportError::Status(409)) => false,
            Err(error) => panic!("{error}"),
        }
    }
}

fn key(target: &str) -> Vec<u8> {
    format!("http://site.test{target}").into_bytes()
}

fn lookup(target: &str) -> LookupRequest {
    LookupRequest {
        service: ServiceId(1),
        key: key(target),
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

/// What a gateway says about a page it fetched under a lease.
fn seed_of(peer: &Peer, lease: LeaseId, target: &str, body: &[u8]) -> Vec<SeedMessage> {
    let now = selvedge_edge_tools_testkit::chain::now();
    let head = RecordHead {
        lease,
        cache: peer.cache.device,
        service: ServiceId(1),
        key: key(target),
        variant: Vec::new(),
        status: 200,
        fields: vec![(b"cache-control".to_vec(), b"max-age=600".to_vec())],
        generation: 0,
        requested: now,
        received: now,
        gateway: peer.device(),
        stated_length: None,
    };
    let mut writer = FrameWriter::new(peer.key.clone(), peer.genesis, &head).unwrap();
    let first = writer.frame(&[], false).unwrap();
    let last = writer.frame(body, true).unwrap();
    let outboard = writer.finish();
    let record = head
        .clone()
        .into_record(*outboard.root(), outboard.length());
    vec![
        SeedMessage::Head(head),
        SeedMessage::Frame(first, Bytes::new()),
        SeedMessage::Frame(last, Bytes::copy_from_slice(body)),
        SeedMessage::End(sign_record(&peer.key, &peer.genesis, record).unwrap()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_gets_nothing() {
    let net = net(1, 1).await;
    let stranger = Peer::new(&net, 70);
    assert!(stranger.ask("/page").await.is_err());
    let cache = device_key(101);
    // Nor does a cache, not even this one's own key.
    assert_eq!(device_of(&cache), net.caches[0].device());
    assert!(Peer::new(&net, 101).ask("/page").await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_never_pays_is_cut_off() {
    const WINDOW: u64 = 256 << 20;
    let mut net = net(1, 1).await;
    let target = "/film?len=8000000&cc=max-age=600";
    assert!(net.visitor(0).get(target).await.body == content(target));
    net.stored(1).await;
    let peer = Peer::registered(&mut net, 71).await;
    let mut supplied = 0;
    let refused = loop {
        let replies = peer.ask(target).await.unwrap();
        for reply in &replies {
            if let Reply::Data(bytes) = reply {
                supplied += bytes.len() as u64;
            }
        }
        match replies.last() {
            Some(Reply::End(_)) => assert!(supplied <= 2 * WINDOW, "{supplied}"),
            other => break other.cloned(),
        }
    };
    assert!(
        matches!(
            refused,
            Some(Reply::Abort | Reply::Refused(Refusal::Exposure))
        ),
        "{refused:?}"
    );
    // The proofs around the bytes are not counted.
    assert!(
        supplied > WINDOW / 2 && supplied < WINDOW + WINDOW / 8,
        "{supplied}"
    );
    let again = peer.ask(target).await.unwrap();
    assert_eq!(again, [Reply::Refused(Refusal::Exposure)]);
    // An honest gateway is served meanwhile, and the debtor again once it has signed.
    assert_eq!(
        net.visitor(0).get("/other?cc=max-age=600").await.status,
        200
    );
    assert!(peer.hands_over(&peer.voucher(1, supplied)).await);
    assert!(matches!(
        peer.ask(target).await.unwrap().last(),
        Some(Reply::End(_))
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voucher_must_follow_and_be_its_gateways() {
    let mut net = net(1, 1).await;
    let peer = Peer::registered(&mut net, 71).await;
    let good = peer.voucher(5, 1_000);
    let unsigned = SignedVoucher {
        signature: Signature64::default(),
        ..good
    };
    let other_cache = peer.sign(Voucher {
        cache: DeviceId([9; 32]),
        ..good.voucher
    });
    let other_gateway = peer.sign(Voucher {
        gateway: net.gateways[0].device(),
        ..good.voucher
    });
    let future = peer.sign(Voucher {
        epoch: Epoch(200),
        ..good.voucher
    });
    let past = peer.sign(Voucher {
        epoch: Epoch(90),
        ..good.voucher
    });
    let zero = peer.sign(Voucher {
        seq: 0,
        ..good.voucher
    });
    for bad in [unsigned, other_cache, other_gateway, future, past, zero] {
        assert!(!peer.hands_over(&bad).await, "{bad:?}");
    }
    assert!(peer.hands_over(&good).await);
    assert!(
        peer.hands_over(&good).await,
        "the same once more is no fault"
    );
    for bad in [
        peer.voucher(4, 2_000),
        peer.voucher(5, 2_000),
        peer.voucher(6, 999),
    ] {
        assert!(!peer.hands_over(&bad).await, "{bad:?}");
    }
    assert!(peer.hands_over(&peer.voucher(6, 1_000)).await);
    // What was taken outlives a kill.
    net.caches[0].kill().await;
    net.caches[0].start_again().await;
    wait_for("the cache", || async { peer.ask("/page").await.ok() }).await;
    assert!(!peer.hands_over(&good).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_signs_only_leaves_that_keep_what_was_promised() {
    let mut net = net(1, 1).await;
    let peer = Peer::registered(&mut net, 71).await;
    let voucher = peer.voucher(1, 1_000);
    assert!(peer.hands_over(&voucher).await);
    let digest = selvedge_edge_tools_testkit::books::voucher_digest(&voucher.voucher);
    let good = LeafBody {
        gateway: peer.device(),
        epoch: Epoch(100),
        customer: net.site().customer,
        service: net.site().id,
        cache: peer.cache.device,
        slice: Slice(3),
        price_version: 1,
        paid: Usage::ZERO.with(UsageClass::EgressBytes, 1_000),
        amount: 500,
        vouchers_root: digest,
        ..LeafBody::default()
    };
    let less = Usage::ZERO.with(UsageClass::EgressBytes, 998);
    for bad in [
        LeafBody {
            cache: DeviceId([9; 32]),
            ..good
        },
        LeafBody {
            gateway: net.gateways[0].device(),
            ..good
        },
        LeafBody {
            epoch: Epoch(200),
            ..good
        },
        LeafBody {
            slice: Slice(60),
            ..good
        },
        LeafBody {
            price_version: 2,
            ..good
        },
        LeafBody {
            amount: 499,
            ..good
        },
        LeafBody {
            vouchers_root: [1; 32],
            ..good
        },
        LeafBody {
            paid: less,
            amount: 499,
            ..good
        },
    ] {
        let answer = peer.peers.leaves(&peer.cache, &[bad]).await.unwrap();
        assert_eq!(answer, [None], "{bad:?}");
    }
    let twice = peer.peers.leaves(&peer.cache, &[good, good]).await.unwrap();
    assert_eq!(
        twice.iter().flatten().count(),
        1,
        "one position, one signature"
    );
    let answer = peer.peers.leaves(&peer.cache, &[good]).await.unwrap();
    assert!(answer[0].is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seed_counts_only_under_its_own_lease_and_as_it_was_signed() {
    let mut net = net(1, 1).await;
    let peer = Peer::registered(&mut net, 71).await;
    let other = Peer::registered(&mut net, 72).await;
    let body = b"what the site says".to_vec();

    let good = seed_of(&peer, LeaseId(1), "/none", &body);
    assert_eq!(peer.seed(LeaseId(1), &good).await, SeedAnswer::NoLease);

    let lease = peer.lease("/stolen").await;
    let stolen = seed_of(&other, lease, "/stolen", &body);
    assert_eq!(other.seed(lease, &stolen).await, SeedAnswer::NoLease);
    let own = seed_of(&peer, lease, "/stolen", &body);
    assert_eq!(peer.seed(lease, &own).await, SeedAnswer::Taken);
    assert!(matches!(
        other.ask("/stolen").await.unwrap()[0],
        Reply::Hit(_)
    ));
    assert_eq!(
        peer.seed(lease, &own).await,
        SeedAnswer::NoLease,
        "a lease is used once"
    );

    type Change = fn(&mut Vec<SeedMessage>);
    let changes: [(&str, Change); 6] = [
        ("another key", |seed| {
            let SeedMessage::Head(head) = &mut seed[0] else {
                panic!()
            };
            head.key.push(b'x');
        }),
        ("a field", |seed| {
            let SeedMessage::Head(head) = &mut seed[0] else {
                panic!()
            };
            head.fields.push((b"x-more".to_vec(), b"1".to_vec()));
        }),
        ("bytes", |seed| {
            let SeedMessage::Frame(_, bytes) = &mut seed[2] else {
                panic!()
            };
            *bytes = bytes.iter().map(|byte| byte ^ 1).collect();
        }),
        ("order", |seed| seed.swap(1, 2)),
        ("no end", |seed| drop(seed.remove(2))),
        ("another record", |seed| {
            let SeedMessage::End(signed) = &mut seed[3] else {
                panic!()
            };
            signed.record.received = Millis(1);
        }),
    ];
    for (number, (what, change)) in changes.into_iter().enumerate() {
        let target = format!("/changed/{number}");
        let lease = peer.lease(&target).await;
        let mut seed = seed_of(&peer, lease, &target, &body);
        change(&mut seed);
        assert_eq!(
            peer.seed(lease, &seed).await,
            SeedAnswer::Unverified,
            "{what}"
        );
        let after = other.ask(&target).await.unwrap();
        assert!(matches!(after[0], Reply::Lease { .. }), "{what}: {after:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_is_not_used_goes_to_who_waits() {
    let mut net = net(1, 1).await;
    let idle = Peer::registered(&mut net, 71).await;
    let target = "/page?cc=max-age=600";
    idle.lease(target).await;
    // It never seeds. A visitor of an honest gateway waits a little, and is served.
    let answer = net.visitor(0).get(target).await;
    assert!(answer.status == 200 && answer.body == content(target));
    net.stored(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_a_limit_is_refused_and_the_cache_goes_on() {
    let mut net = net(1, 1).await;
    let peer = Peer::registered(&mut net, 71).await;
    let wide = LookupRequest {
        key: vec![b'k'; 9_000],
        ..lookup("/page")
    };
    let many = LookupRequest {
        fields: (0..200)
            .map(|n| (format!("x-{n}").into_bytes(), vec![b'1']))
            .collect(),
        ..lookup("/page")
    };
    let broken = LookupRequest {
        fields: vec![(b"bad name".to_vec(), b"1".to_vec())],
        ..lookup("/page")
    };
    for request in [wide, many, broken] {
        let mut stream = peer.peers.lookup(&peer.cache, &request).await.unwrap();
        let reply = stream.next(LONG).await.unwrap();
        assert_eq!(reply, Some(Reply::Refused(Refusal::Limit)));
    }
    // A message longer than any is not even read.
    let endless = LookupRequest {
        key: vec![b'k'; 5 << 20],
        ..lookup("/page")
    };
    assert!(peer.peers.lookup(&peer.cache, &endless).await.is_err());
    // A generation from the far future would forbid all later purges, so it is not taken.
    let future = LookupRequest {
        generation: u64::MAX,
        ..lookup("/later")
    };
    drop(peer.peers.lookup(&peer.cache, &future).await);
    let target = "/page?cc=max-age=600";
    assert!(net.visitor(0).get(target).await.body == content(target));
    net.stored(1).await;
}
