//! Two nodes and an owner on disk, without a network between them.

use std::sync::Arc;

use ed25519_dalek::{Signer, SigningKey};
use selvedge_edge_drivers_purge::{key_id, Purges, Registry, Tags, Verdict};
use selvedge_primitives_types::{
    Account, DeviceId, Domain, GenesisHash, InvalidKeys, Millis, PurgeAnswer, PurgeAuthor,
    PurgeKind, PurgeMode, PurgeRefusal, PurgeRequest, ServiceId, Signature64, SignedPurgeOrder,
    SignedPurgeRequest,
};
use tempfile::TempDir;

const GENESIS: GenesisHash = [9; 32];
const SERVICE: ServiceId = ServiceId(7);
const NOW: Millis = Millis(1_800_000_000_000);
const KEY: &[u8] = b"http://a.test/x";

struct Chain {
    customer: SigningKey,
    caches: Vec<DeviceId>,
    gateways: Vec<DeviceId>,
}

impl Registry for Chain {
    fn genesis(&self) -> &GenesisHash {
        &GENESIS
    }

    fn customer(&self, service: ServiceId) -> Option<Account> {
        let account = Account(self.customer.verifying_key().to_bytes());
        (service == SERVICE).then_some(account)
    }

    fn is_cache(&self, device: &DeviceId) -> bool {
        self.caches.contains(device)
    }

    fn is_gateway(&self, device: &DeviceId) -> bool {
        self.gateways.contains(device)
    }
}

struct Scene {
    chain: Chain,
    folder: TempDir,
    nodes: Vec<Arc<Purges>>,
}

impl Scene {
    /// So many nodes, of which the first two are caches.
    fn new(nodes: u8) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let nodes: Vec<_> = (0..nodes).map(|seed| open(&folder, seed)).collect();
        Self {
            chain: Chain {
                customer: SigningKey::from_bytes(&[77; 32]),
                caches: nodes.iter().take(2).map(|node| node.device()).collect(),
                gateways: nodes.iter().skip(2).map(|node| node.device()).collect(),
            },
            folder,
            nodes,
        }
    }

    fn request(&self, number: u8, kind: PurgeKind) -> SignedPurgeRequest {
        let request = PurgeRequest {
            service: SERVICE,
            kind,
            mode: PurgeMode::Hard,
            issued: NOW,
            nonce: [number; 16],
        };
        let message = Domain::PurgeRequest.message(&GENESIS, &request);
        let signature = Signature64(self.chain.customer.sign(&message).to_bytes());
        SignedPurgeRequest {
            request,
            author: PurgeAuthor::Ed25519(signature),
        }
    }

    /// What a node asks for as a gateway.
    fn ask(&self, node: usize, number: u8, keys: InvalidKeys) -> SignedPurgeRequest {
        let nonce = [number; 16];
        self.nodes[node].ask_for_keys(&GENESIS, SERVICE, keys, nonce, NOW)
    }

    fn verdict(&self, node: usize, generation: u64) -> Verdict {
        let tags = Tags::default();
        self.nodes[node].verdict(SERVICE, generation, KEY, &tags).0
    }

    /// One node asks another until neither has anything to tell.
    fn compare(&self, one: usize, other: usize) -> usize {
        let mut rounds = 0;
        let mut sync = self.nodes[one].ask(Default::default());
        loop {
            rounds += 1;
            assert!(rounds < 10, "a comparison without end");
            let news = self.nodes[other].compare(&self.chain, sync, NOW);
            if news.differing.is_empty() && news.orders.is_empty() {
                return rounds;
            }
            let difference = self.nodes[one].digest(&self.chain, news, NOW, |_, _| false);
            if difference.is_empty() {
                return rounds;
            }
            sync = self.nodes[one].ask(difference);
        }
    }
}

fn open(folder: &TempDir, seed: u8) -> Arc<Purges> {
    let path = folder.path().join(format!("{seed}.log"));
    Arc::new(Purges::open(&path, SigningKey::from_bytes(&[seed; 32])).unwrap())
}

fn keys(replaces: Vec<u64>) -> InvalidKeys {
    InvalidKeys {
        bits: InvalidKeys::EXACT,
        keys: vec![(key_id(KEY), 0)],
        replaces,
    }
}

fn url() -> PurgeKind {
    PurgeKind::Url(KEY.to_vec())
}

#[test]
fn an_order_is_in_force_before_it_is_acknowledged_and_after_a_restart() {
    let mut scene = Scene::new(3);
    let signed = scene.request(1, url());
    let order = scene.nodes[0].order(&scene.chain, signed.clone(), 0, NOW);
    let order = order.unwrap();
    let number = order.order.number;
    assert!(
        number <= NOW.0 && number + 1_024 > NOW.0,
        "of a moment that has been"
    );
    let again = scene.nodes[0].order(&scene.chain, signed.clone(), 0, NOW);
    assert_eq!(again.as_ref(), Ok(&order), "the same request");
    let answer = scene.nodes[2].take(&scene.chain, order.clone(), NOW);
    assert!(matches!(answer, PurgeAnswer::Taken(_)));
    assert_eq!(
        scene.nodes[2].take(&scene.chain, order.clone(), NOW),
        answer
    );
    for _ in 0..2 {
        for node in [0, 2] {
            assert_eq!(
                scene.verdict(node, number - 1),
                Verdict::Gone { below: number }
            );
            assert_eq!(scene.verdict(node, number), Verdict::Current);
            assert_eq!(
                scene.nodes[node].ordered(&signed.request),
                Some(order.clone())
            );
        }
        scene.nodes.clear();
        scene.nodes = (0..3).map(|seed| open(&scene.folder, seed)).collect();
    }
}

#[test]
fn a_number_that_somebody_knows_already_is_ordered_above() {
    let scene = Scene::new(3);
    let here = scene.nodes[2].purge_here(SERVICE, Millis(NOW.0 + 50));
    here.1.unwrap();
    let signed = scene.request(1, url());
    let order = scene.nodes[0]
        .order(&scene.chain, signed.clone(), 0, NOW)
        .unwrap();
    let answer = scene.nodes[2].take(&scene.chain, order, NOW);
    assert_eq!(answer, PurgeAnswer::Superseded(here.0));
    let order = scene.nodes[0]
        .order(&scene.chain, signed, here.0, NOW)
        .unwrap();
    assert!(order.order.number > here.0);
    let answer = scene.nodes[2].take(&scene.chain, order, NOW);
    assert!(matches!(answer, PurgeAnswer::Taken(_)));
}

#[test]
fn what_does_not_count_is_refused_with_its_reason() {
    let scene = Scene::new(3);
    let order_at = |node: usize, signed, above, now| {
        scene.nodes[node].order(&scene.chain, signed, above, Millis(now))
    };
    let good = scene.request(1, url());
    let mut changed = good.clone();
    changed.request.mode = PurgeMode::Soft;
    let mut elsewhere = good.clone();
    elsewhere.request.service = ServiceId(8);
    for (signed, above, now, refusal) in [
        (changed, 0, NOW.0, PurgeRefusal::NotTheCustomer),
        (elsewhere, 0, NOW.0, PurgeRefusal::UnknownService),
        (good.clone(), 0, NOW.0 + 400_000, PurgeRefusal::Untimely),
        (good.clone(), u64::MAX, NOW.0, PurgeRefusal::Number),
        (
            scene.request(2, PurgeKind::Tag(vec![b'x'; 10_000])),
            0,
            NOW.0,
            PurgeRefusal::Text,
        ),
    ] {
        assert_eq!(order_at(0, signed, above, now), Err(refusal));
    }
    // A gateway may not order.
    let order = order_at(2, good.clone(), 0, NOW.0).unwrap();
    let answer = scene.nodes[1].take(&scene.chain, order, NOW);
    assert_eq!(answer, PurgeAnswer::Refused(PurgeRefusal::NotAnOwner));
    // An old request cannot be ordered anew, whoever orders it.
    let mut order = order_at(0, good, 0, NOW.0).unwrap();
    order.order.number += 3_600_000;
    let later = Millis(NOW.0 + 3_600_000);
    let answer = scene.nodes[1].take(&scene.chain, order, later);
    assert_eq!(answer, PurgeAnswer::Refused(PurgeRefusal::Number));
    let refused = scene.nodes[1].learn(&scene.chain, Vec::new(), NOW);
    assert!(refused.is_empty());
}

#[test]
fn nodes_that_were_apart_have_the_same_orders_after_a_comparison() {
    let scene = Scene::new(4);
    let mut orders = Vec::new();
    for number in 0..6 {
        let owner = usize::from(number % 2);
        let kind = PurgeKind::Tag(vec![b'a' + number]);
        let signed = scene.request(number, kind);
        let moment = Millis(NOW.0 + u64::from(number));
        orders.push(
            scene.nodes[owner]
                .order(&scene.chain, signed, 0, moment)
                .unwrap(),
        );
    }
    for (index, order) in orders.iter().enumerate() {
        if index % 3 == 0 {
            scene.nodes[2].take(&scene.chain, order.clone(), NOW);
        }
    }
    scene.compare(2, 0);
    scene.compare(2, 1);
    scene.compare(3, 0);
    scene.compare(3, 1);
    scene.compare(2, 0);
    for node in 0..4 {
        for order in &orders {
            assert!(
                scene.nodes[node].ordered(order.request()).is_some(),
                "{node}"
            );
        }
        assert_eq!(scene.compare(3, node.min(1)), 1, "nothing is left to tell");
    }
    // What was current without the missed orders was looked at again.
    assert!(scene.nodes[3].version(SERVICE) > 6);
}

#[test]
fn silence_makes_everything_doubtful_until_somebody_speaks() {
    let scene = Scene::new(1);
    let version = scene.nodes[0].version(SERVICE);
    assert_eq!(scene.verdict(0, 5), Verdict::Current);
    scene.nodes[0].set_silent(SERVICE, true);
    assert_eq!(scene.verdict(0, 5), Verdict::Doubtful);
    assert!(scene.nodes[0].version(SERVICE) > version);
    scene.nodes[0].set_silent(SERVICE, false);
    assert_eq!(scene.verdict(0, 5), Verdict::Current);
}

#[test]
fn a_service_is_not_purged_without_end() {
    let scene = Scene::new(1);
    let mut ordered = 0;
    for number in 0..2_000u64 {
        let mut signed = scene.request(0, url());
        signed.request.nonce[..8].copy_from_slice(&number.to_le_bytes());
        let message = Domain::PurgeRequest.message(&GENESIS, &signed.request);
        let signature = Signature64(scene.chain.customer.sign(&message).to_bytes());
        signed.author = PurgeAuthor::Ed25519(signature);
        match scene.nodes[0].order(&scene.chain, signed, 0, NOW) {
            Ok(_) => ordered += 1,
            Err(refusal) => {
                assert_eq!(refusal, PurgeRefusal::TooMany);
                break;
            }
        }
    }
    assert_eq!(ordered, 1_000);
}

#[test]
fn a_gateway_has_keys_purged_and_nothing_else() {
    let scene = Scene::new(4);
    let place = |signed| scene.nodes[0].order(&scene.chain, signed, 0, NOW);
    let good = scene.ask(2, 1, keys(Vec::new()));
    let order = place(good.clone()).unwrap();
    let number = order.order.number;
    let answer = scene.nodes[3].take(&scene.chain, order.clone(), NOW);
    assert!(matches!(answer, PurgeAnswer::Taken(_)));
    let gone = Verdict::Gone { below: number };
    assert_eq!(scene.verdict(3, number - 1), gone);
    let tags = Tags::default();
    let other = scene.nodes[3].verdict(SERVICE, number - 1, b"http://a.test/y", &tags);
    assert_eq!(other.0, Verdict::Current);

    // Whatever it signs that is not such keys, and what others sign.
    let key = SigningKey::from_bytes(&[2; 32]);
    let sign = |request: &PurgeRequest, domain: Domain, key: &SigningKey| {
        Signature64(key.sign(&domain.message(&GENESIS, request)).to_bytes())
    };
    let gateway = scene.nodes[2].device();
    let refused = PurgeRefusal::NotTheGateway;
    for kind in [
        url(),
        PurgeKind::Prefix(b"http://a.test/".to_vec()),
        PurgeKind::Host(b"a.test".to_vec()),
        PurgeKind::Tag(b"a".to_vec()),
        PurgeKind::Everything,
    ] {
        let mut signed = good.clone();
        signed.request.kind = kind;
        let signature = sign(&signed.request, Domain::Invalidation, &key);
        signed.author = PurgeAuthor::Gateway(gateway, signature);
        assert_eq!(place(signed), Err(refused));
    }
    let mut soft = good.clone();
    soft.request.mode = PurgeMode::Soft;
    let signature = sign(&soft.request, Domain::Invalidation, &key);
    soft.author = PurgeAuthor::Gateway(gateway, signature);
    let mut other_domain = good.clone();
    let signature = sign(&good.request, Domain::PurgeRequest, &key);
    other_domain.author = PurgeAuthor::Gateway(gateway, signature);
    let mut changed = good.clone();
    changed.request.nonce[0] ^= 1;
    let mut stranger = good.clone();
    let unknown = SigningKey::from_bytes(&[99; 32]);
    let signature = sign(&good.request, Domain::Invalidation, &unknown);
    let device = DeviceId(unknown.verifying_key().to_bytes());
    stranger.author = PurgeAuthor::Gateway(device, signature);
    // A cache is no gateway.
    let by_cache = scene.ask(1, 2, keys(Vec::new()));
    let mut customers = good.clone();
    let signature = sign(&good.request, Domain::PurgeRequest, &scene.chain.customer);
    customers.author = PurgeAuthor::Ed25519(signature);
    for (what, signed, refusal) in [
        ("soft", soft, refused),
        ("another domain", other_domain, refused),
        ("a changed request", changed, refused),
        ("a stranger", stranger, refused),
        ("a cache", by_cache, refused),
        ("a customer", customers, PurgeRefusal::NotTheCustomer),
    ] {
        assert_eq!(place(signed), Err(refusal), "{what}");
    }
    let mut elsewhere = good.clone();
    elsewhere.request.service = ServiceId(8);
    assert_eq!(place(elsewhere), Err(PurgeRefusal::UnknownService));
    let mut many = keys(Vec::new());
    many.keys = vec![(1, 0); InvalidKeys::MAX_KEYS + 1];
    assert_eq!(place(scene.ask(2, 9, many)), Err(PurgeRefusal::Text));
    // An order with a changed request is nobody's.
    let mut forged = order;
    forged.order.number += 1;
    let answer = scene.nodes[3].take(&scene.chain, forged, NOW);
    assert_eq!(answer, PurgeAnswer::Refused(PurgeRefusal::NotAnOwner));
}

#[test]
fn an_order_that_contains_others_takes_their_place_for_good() {
    let mut scene = Scene::new(3);
    let mut orders: Vec<SignedPurgeOrder> = Vec::new();
    for number in 1..=20 {
        let replaces = orders.iter().map(|order| order.order.number).collect();
        let signed = scene.ask(2, number, keys(replaces));
        let moment = Millis(NOW.0 + u64::from(number));
        let order = scene.nodes[0].order(&scene.chain, signed, 0, moment);
        orders.push(order.unwrap());
    }
    // One that was away learns the last, and misses none.
    scene.compare(2, 0);
    let last = orders.last().unwrap().order.number;
    for _ in 0..2 {
        for node in [0, 2] {
            assert_eq!(scene.verdict(node, last - 1), Verdict::Gone { below: last });
            let other = scene.nodes[node].verdict(SERVICE, 0, b"http://a.test/y", &Tags::default());
            assert_eq!(other.0, Verdict::Current, "nothing is missing");
        }
        assert_eq!(scene.compare(2, 0), 1);
        // An old one is of no use to anybody.
        let answer = scene.nodes[2].take(&scene.chain, orders[3].clone(), NOW);
        assert!(matches!(answer, PurgeAnswer::Taken(_)));
        scene.nodes.clear();
        scene.nodes = (0..3).map(|seed| open(&scene.folder, seed)).collect();
    }
}

#[test]
fn unsafe_requests_leave_a_customer_its_purges() {
    let scene = Scene::new(3);
    let mut ordered = 0;
    for number in 0..200 {
        let signed = scene.ask(2, number, keys(Vec::new()));
        match scene.nodes[0].order(&scene.chain, signed, 0, NOW) {
            Ok(_) => ordered += 1,
            Err(refusal) => assert_eq!(refusal, PurgeRefusal::TooMany),
        }
    }
    assert_eq!(ordered, 32);
    let signed = scene.request(201, url());
    assert!(scene.nodes[0].order(&scene.chain, signed, 0, NOW).is_ok());
}
