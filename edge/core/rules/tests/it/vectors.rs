//! The committed signatures. `APPROVE_VECTORS=1` writes the file anew; without it a difference is a
//! failure.

use ed25519_dalek::SigningKey;
use selvedge_edge_core_rules::{sign_cookie, sign_url, Grant};
use serde_json::{json, Value};
use std::{env, fs, path::PathBuf};

const EXPIRES: u64 = 4_000_000_000;

fn signatures() -> Value {
    let key = SigningKey::from_bytes(&[7; 32]);
    let by = ("k1", &key);
    let url = |target: &str, grant: &Grant| sign_url("a.test", target, grant, by, EXPIRES).unwrap();
    let alone = |target: &str| url(target, &Grant::Target(target.to_owned()));
    let below = Grant::Prefix("/film/7/".to_owned());
    json!({
        "secret": hex::encode([7; 32]),
        "ed25519": hex::encode(key.verifying_key().to_bytes()),
        "id": "k1",
        "host": "a.test",
        "expires": EXPIRES,
        "urls": [
            { "target": "/film/a", "below": null, "signed": alone("/film/a") },
            { "target": "/film/a?part=2", "below": null, "signed": alone("/film/a?part=2") },
            { "target": "/film/7/1.ts", "below": "/film/7/", "signed": url("/film/7/1.ts", &below) },
        ],
        "cookies": [
            { "below": "/film/7/", "signed": sign_cookie("a.test", "/film/7/", by, EXPIRES).unwrap() },
        ],
    })
}

#[test]
fn signatures_are_what_the_vectors_say() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../vectors/rules-signed.json");
    let made = format!("{:#}\n", signatures());
    if env::var_os("APPROVE_VECTORS").is_some_and(|value| value == "1") {
        fs::write(&path, &made).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == made,
        "the form of signatures has changed: see vectors/README.md"
    );
}
