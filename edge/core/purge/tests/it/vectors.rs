//! The committed purges. `APPROVE_VECTORS=1` writes the file anew; without it a difference is a
//! failure.

use codec::Encode;
use selvedge_edge_core_purge::key_id;
use selvedge_primitives_types::{
    CustomerSignature, DeviceId, Domain, InvalidKeys, Millis, PurgeAckPayload, PurgeAuthor,
    PurgeKind, PurgeMode, PurgeOrder, PurgeRequest, ServiceId, Signature64, SignedPurgeOrder,
    SignedPurgeRequest,
};
use serde_json::{json, Value};
use std::{env, fs, path::PathBuf};

const GENESIS: [u8; 32] = [9; 32];
const KEY: &[u8] = b"https://www.example.org/style.css";

fn hex(value: impl AsRef<[u8]>) -> String {
    format!("0x{}", hex::encode(value))
}

fn case(name: &str, kind: PurgeKind, mode: PurgeMode, author: PurgeAuthor) -> Value {
    let domain = match author.gateway() {
        Some(_) => Domain::Invalidation,
        None => Domain::PurgeRequest,
    };
    let request = PurgeRequest {
        service: ServiceId(7),
        kind,
        mode,
        issued: Millis(1_795_202_461_000),
        nonce: [5; 16],
    };
    let asked = domain.message(&GENESIS, &request);
    let order = PurgeOrder {
        signed: SignedPurgeRequest { request, author },
        number: 1_795_202_461_337,
        after: 1_795_202_460_000,
        owner: DeviceId([3; 32]),
    };
    let ordered = Domain::PurgeOrder.message(&GENESIS, &order);
    let order = SignedPurgeOrder {
        order,
        signature: Signature64([4; 64]),
    };
    let payload = PurgeAckPayload {
        order: order.clone(),
        device: DeviceId([6; 32]),
    };
    json!({
        "name": name,
        "request_message": hex(asked),
        "order_message": hex(ordered),
        "order": hex(order.encode()),
        "ack_message": hex(Domain::PurgeAck.message(&GENESIS, &payload)),
    })
}

fn purges() -> Value {
    let signature = Signature64([2; 64]);
    let ed25519 = || CustomerSignature::Ed25519(signature).into();
    let sr25519 = || CustomerSignature::Sr25519(signature).into();
    let gateway = || PurgeAuthor::Gateway(DeviceId([8; 32]), signature);
    let keys = |bits, id, replaces| {
        PurgeKind::Keys(InvalidKeys {
            bits,
            keys: vec![(id, 0)],
            replaces,
        })
    };
    let id = key_id(KEY);
    let (hard, soft) = (PurgeMode::Hard, PurgeMode::Soft);
    json!({
        "genesis": hex(GENESIS),
        "key": String::from_utf8_lossy(KEY),
        "key_id": id.to_string(),
        "cases": [
            case("url", PurgeKind::Url(KEY.to_vec()), hard, ed25519()),
            case("prefix", PurgeKind::Prefix(b"https://www.example.org/".to_vec()), soft, sr25519()),
            case("host", PurgeKind::Host(b"www.example.org".to_vec()), hard, sr25519()),
            case("tag", PurgeKind::Tag(b"product-42".to_vec()), soft, ed25519()),
            case("everything", PurgeKind::Everything, hard, sr25519()),
            case("keys", keys(InvalidKeys::EXACT, id, vec![1_795_202_460_000]), hard, gateway()),
            case("shares of keys", keys(InvalidKeys::COARSE, id >> 54, Vec::new()), hard, gateway()),
        ],
    })
}

#[test]
fn purges_are_what_the_vectors_say() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../vectors/purge-order.json");
    let made = format!("{:#}\n", purges());
    if env::var_os("APPROVE_VECTORS").is_some_and(|value| value == "1") {
        fs::write(&path, &made).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == made,
        "the encoding of purges has changed: see vectors/README.md"
    );
}
