//! Tells an origin that a request comes from a gateway of the network: HTTP Message Signatures (RFC 9421).
//!
//! A private origin knows the registered gateways from the chain, so that no secret of a customer lies with a gateway.
//!
//! ```text
//! Signature-Input: selvedge=("@method" "@authority" "@path" "@query");created=1764500000;keyid="<device in hex>";alg="ed25519";tag="selvedge-origin"
//! Signature: selvedge=:<64 bytes in Base64>:
//! ```

use ed25519_dalek::{Signer, SigningKey};
use sfv::{DictSerializer, RefBareItem};

use crate::sign::device;

/// Says that a signature is a gateway's for an origin (RFC 9421 §2.3), and for nothing else.
const TAG: &str = "selvedge-origin";

/// The parts of a request that its signature covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestTarget<'a> {
    /// Method, such as `GET`.
    pub method: &'a str,
    /// Host in lower case, with its port where that is not the scheme's own (§2.2.3).
    pub authority: &'a str,
    /// Path, as it is sent (§2.2.6).
    pub path: &'a str,
    /// Query without its question mark, if any (§2.2.7).
    pub query: Option<&'a str>,
}

/// The two fields that carry a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestSignature {
    /// Value of `Signature-Input`.
    pub input: String,
    /// Value of `Signature`.
    pub signature: String,
}

/// Signs a request at `created`, in seconds since the Unix epoch.
pub fn sign_request(
    key: &SigningKey,
    target: &RequestTarget<'_>,
    created: u64,
) -> RequestSignature {
    let device = device(key).to_string();
    let keyid = device.trim_start_matches("0x");
    let params = format!(
        r#"("@method" "@authority" "@path" "@query");created={created};keyid="{keyid}";alg="ed25519";tag="{TAG}""#
    );
    let RequestTarget {
        method,
        authority,
        path,
        query,
    } = target;
    let query = query.unwrap_or_default();
    // §2.5: a line for each component, and none after the last.
    let base = format!(
        "\"@method\": {method}\n\"@authority\": {authority}\n\"@path\": {path}\n\"@query\": ?{query}\n\
         \"@signature-params\": {params}"
    );
    let mut signature = DictSerializer::new();
    let signed = key.sign(base.as_bytes()).to_bytes();
    signature.bare_item(sfv::key_ref("selvedge"), RefBareItem::ByteSequence(&signed));
    RequestSignature {
        input: format!("selvedge={params}"),
        signature: signature.finish().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::{env, fs, path::PathBuf};

    fn case(method: &str, authority: &str, path: &str, query: Option<&str>) -> serde_json::Value {
        let key = SigningKey::from_bytes(&[7; 32]);
        let target = RequestTarget {
            method,
            authority,
            path,
            query,
        };
        let signed = sign_request(&key, &target, 1_764_500_000);
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        json!({
            "public_key": format!("0x{}", hex::encode(device(&key).0)),
            "method": method,
            "url": format!("https://{authority}{path}{query}"),
            "signature-input": signed.input,
            "signature": signed.signature,
        })
    }

    #[test]
    fn requests_are_signed_as_the_vectors_say() {
        let cases = [
            case("GET", "origin.example", "/", None),
            case("GET", "origin.example:8443", "/a%20b/c", Some("x=1&y=%2F")),
            case("POST", "origin.example", "/form", Some("")),
        ];
        let text = serde_json::to_string_pretty(&json!({ "cases": cases })).unwrap() + "\n";
        let path =
            PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../vectors/origin-request.json");
        if env::var_os("APPROVE_VECTORS").is_some() {
            fs::write(&path, &text).unwrap();
        }
        let kept = fs::read_to_string(path).unwrap();
        assert_eq!(
            kept, text,
            "requests are signed differently: see vectors/README.md"
        );
    }
}
