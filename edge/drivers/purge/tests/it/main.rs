//! Two nodes and an owner on disk, without a network between them.

use std::sync::Arc;

use ed25519_dalek::{Signer, SigningKey};
use selvedge_edge_drivers_purge::{Purges, Registry, Tags, Verdict};
use selvedge_primitives_types::{
    Account, CustomerSignature, DeviceId, Domain, GenesisHash, Millis, PurgeAnswer, PurgeKind,
    PurgeMode, PurgeRefusal, PurgeRequest, ServiceId, Signature64, SignedPurgeRequest,
};
use tempfile::TempDir;

const GENESIS: GenesisHash = [9; 32];
const SERVICE: ServiceId = ServiceId(7);
const NOW: Millis = Millis(1_800_000_000_000);
const KEY: &[u8] = b"http://a.test/x";

struct Chain {
    customer: SigningKey,
    caches: Vec<DeviceId>,
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
            signature: CustomerSignature::Ed25519(signature),
        }
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
    assert!(number >= NOW.0);
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
        signed.signature = CustomerSignature::Ed25519(signature);
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
