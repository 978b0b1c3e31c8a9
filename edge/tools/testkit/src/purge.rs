//! A customer who purges, and checks the receipts with code of its own.

use crate::{
    chain::{now, Chain, Site},
    client::{Answer, Ask, Client},
    daemon::Daemon,
    wait::wait_for,
};
use codec::DecodeAll;
use ed25519_dalek::{Signature, VerifyingKey};
use selvedge_primitives_types::{
    DeviceId, Domain, Millis, PurgeAck, PurgeAckPayload, PurgeAuthor, PurgeKind, PurgeMode,
    PurgeReceipt, PurgeRequest, Role, Signature64, SignedPurgeOrder, SignedPurgeRequest,
};
use serde_json::{json, Value};

/// A purge that its site's customer has signed.
#[derive(Clone, Debug)]
pub struct Purge(pub SignedPurgeRequest);

impl Purge {
    /// A hard purge, signed now.
    pub fn hard(chain: &Chain, kind: PurgeKind) -> Self {
        Self::signed(chain, &chain.sites[0], kind, PurgeMode::Hard, now())
    }

    /// A soft purge, signed now.
    pub fn soft(chain: &Chain, kind: PurgeKind) -> Self {
        Self::signed(chain, &chain.sites[0], kind, PurgeMode::Soft, now())
    }

    /// A purge by a site's customer.
    pub fn signed(
        chain: &Chain,
        site: &Site,
        kind: PurgeKind,
        mode: PurgeMode,
        issued: Millis,
    ) -> Self {
        let mut nonce = [0; 16];
        nonce.copy_from_slice(&blake3::hash(&unique()).as_bytes()[..16]);
        let request = PurgeRequest {
            service: site.id,
            kind,
            mode,
            issued,
            nonce,
        };
        let signature = site.sign(Domain::PurgeRequest, &chain.genesis, &request);
        let author = signature.into();
        Self(SignedPurgeRequest { request, author })
    }

    /// The body that a gateway is sent.
    pub fn body(&self) -> Value {
        let request = &self.0.request;
        let (kind, value) = match &request.kind {
            PurgeKind::Url(text) => ("url", Some(text)),
            PurgeKind::Prefix(text) => ("prefix", Some(text)),
            PurgeKind::Host(text) => ("host", Some(text)),
            PurgeKind::Tag(text) => ("tag", Some(text)),
            PurgeKind::Everything => ("everything", None),
            PurgeKind::Keys(_) => panic!("no purge of a customer's"),
        };
        let (scheme, signature) = match &self.0.author {
            PurgeAuthor::Ed25519(signature) => ("ed25519", signature),
            PurgeAuthor::Sr25519(signature) => ("sr25519", signature),
            PurgeAuthor::Gateway(..) => panic!("no customer"),
        };
        json!({
            "service": request.service.0,
            "kind": kind,
            "value": value.map(|text| String::from_utf8_lossy(text)),
            "mode": match request.mode {
                PurgeMode::Hard => "hard",
                PurgeMode::Soft => "soft",
            },
            "issued": request.issued.0,
            "nonce": hex::encode(request.nonce),
            "scheme": scheme,
            "signature": hex::encode(signature.0),
        })
    }

    /// Sends it to a gateway once.
    pub async fn send(&self, gateway: &Daemon) -> Answer {
        post(gateway, self.body().to_string()).await
    }

    /// Sends it, again and again, until its receipt names just these as missing. The same request
    /// stays the same purge.
    pub async fn until(&self, gateway: &Daemon, missing: &[DeviceId]) -> PurgeReceipt {
        let mut missing = missing.to_vec();
        missing.sort();
        wait_for("a purge's receipt", || async {
            let answer = self.send(gateway).await;
            // Without an owner that answers in time there is none.
            let receipt = (answer.status != 503).then(|| receipt(&answer))?;
            (receipt.missing == missing).then_some(receipt)
        })
        .await
    }

    /// Sends it until every node obeys it.
    pub async fn everywhere(&self, gateway: &Daemon) -> PurgeReceipt {
        self.until(gateway, &[]).await
    }
}

/// Sends a body to where a gateway takes purges.
pub async fn post(gateway: &Daemon, body: impl Into<bytes::Bytes>) -> Answer {
    let client = Client::new(gateway.address("audit"), "localhost");
    let answer = client.ask(Ask::post("/purge/v1", body)).await;
    answer.expect("an answer to a purge")
}

/// The receipt in an answer.
///
/// Panics when there is none.
pub fn receipt(answer: &Answer) -> PurgeReceipt {
    let value: Value = serde_json::from_slice(&answer.body)
        .unwrap_or_else(|_| panic!("{}: {}", answer.status, answer.text()));
    let bytes = |value: &Value| {
        let text = value.as_str().expect("a text");
        hex::decode(text.trim_start_matches("0x")).expect("hex digits")
    };
    let device = |value: &Value| DeviceId(bytes(value).try_into().expect("32 bytes"));
    let list = |name: &str| value[name].as_array().expect("a list").clone();
    let order = bytes(&value["order"]);
    let receipt = PurgeReceipt {
        order: SignedPurgeOrder::decode_all(&mut &order[..]).expect("an order"),
        acks: list("acks")
            .iter()
            .map(|ack| PurgeAck {
                device: device(&ack["device"]),
                signature: Signature64(bytes(&ack["signature"]).try_into().expect("64 bytes")),
            })
            .collect(),
        missing: list("missing").iter().map(device).collect(),
    };
    assert_eq!(receipt.order.order.number, value["number"]);
    let is_whole = receipt.missing.is_empty();
    assert_eq!(answer.status.as_u16(), if is_whole { 200 } else { 202 });
    receipt
}

/// Checks a receipt against the nodes on the chain: the customer's signature, the owner's, every
/// node's, and that each is either there or called missing.
pub fn check(receipt: &PurgeReceipt, chain: &Chain) -> Result<(), &'static str> {
    let is_signed = |device: &DeviceId, message: &[u8], signature: &Signature64| {
        let key = VerifyingKey::from_bytes(&device.0);
        key.is_ok_and(|key| {
            let signature = Signature::from_bytes(&signature.0);
            key.verify_strict(message, &signature).is_ok()
        })
    };
    let order = &receipt.order;
    let genesis = &chain.genesis;
    let site = chain.sites.iter().find(|site| site.id == order.service());
    let site = site.ok_or("another service")?;
    let PurgeAuthor::Ed25519(signature) = &order.order.signed.author else {
        return Err("another scheme");
    };
    let asked = Domain::PurgeRequest.message(genesis, order.request());
    if !is_signed(&DeviceId(site.customer.0), &asked, signature) {
        return Err("the customer");
    }
    let owner = order.order.owner;
    let roles = chain.roles();
    if roles.get(&owner) != Some(&Role::Cache) {
        return Err("the owner is no cache");
    }
    let ordered = Domain::PurgeOrder.message(genesis, &order.order);
    if !is_signed(&owner, &ordered, &order.signature) {
        return Err("the owner");
    }
    for ack in &receipt.acks {
        let payload = PurgeAckPayload {
            order: order.clone(),
            device: ack.device,
        };
        let message = Domain::PurgeAck.message(genesis, &payload);
        if !is_signed(&ack.device, &message, &ack.signature) {
            return Err("an acknowledgement");
        }
    }
    let acks = receipt.acks.iter().map(|ack| ack.device);
    let mut named: Vec<_> = acks.chain(receipt.missing.iter().copied()).collect();
    named.sort();
    let mut registered: Vec<_> = roles.into_keys().collect();
    registered.sort();
    if named != registered {
        return Err("a node is left out, or named twice");
    }
    Ok(())
}

/// Bytes that no other call in this or another process gets.
fn unique() -> [u8; 24] {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut bytes = [0; 24];
    bytes[..8].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_le_bytes());
    bytes[8..16].copy_from_slice(&u64::from(std::process::id()).to_le_bytes());
    bytes[16..].copy_from_slice(&now().0.to_le_bytes());
    bytes
}
