//! Receipts of purges: read, and checked signature by signature.

use crate::error::Failure;
use codec::DecodeAll;
use ed25519_dalek::{Signature, VerifyingKey};
use selvedge_primitives_types::{
    customer::wrapped, Account, CustomerSignature, DeviceId, Domain, GenesisHash, PurgeAck,
    PurgeAckPayload, PurgeAuthor, PurgeReceipt, Role, Signature64, SignedPurgeOrder,
    SignedPurgeRequest,
};
use serde_json::Value;
use sp_core::{sr25519, Pair};
use std::collections::{HashMap, HashSet};

/// What a receipt is checked against.
pub struct Registered {
    /// The chain's genesis hash.
    pub genesis: GenesisHash,
    /// Who owns the service.
    pub customer: Account,
    /// The nodes on the chain.
    pub nodes: HashMap<DeviceId, Role>,
}

/// Reads a receipt as gateways write it.
pub fn read(value: &Value) -> Result<PurgeReceipt, Failure> {
    let order = bytes(&value["order"]).and_then(|order| {
        SignedPurgeOrder::decode_all(&mut order.as_slice())
            .ok()
            .ok_or_else(|| invalid("its order cannot be read"))
    })?;
    let list = |name: &str| {
        value[name]
            .as_array()
            .ok_or_else(|| invalid(&format!("it has no list `{name}`")))
    };
    let mut acks = Vec::new();
    for ack in list("acks")? {
        let signature = bytes(&ack["signature"])?;
        acks.push(PurgeAck {
            device: device(&ack["device"])?,
            signature: Signature64(
                signature
                    .try_into()
                    .map_err(|_| invalid("a signature is not 64 bytes long"))?,
            ),
        });
    }
    let missing = list("missing")?
        .iter()
        .map(device)
        .collect::<Result<_, _>>()?;
    if value["number"].as_u64() != Some(order.order.number) {
        return Err(invalid("its number is not its order's"));
    }
    Ok(PurgeReceipt {
        order,
        acks,
        missing,
    })
}

/// Checks the author's signature, the owner's, and that of every node; and that each registered gateway and cache
/// either signed or is called missing.
pub fn check(receipt: &PurgeReceipt, registered: &Registered) -> Result<(), Failure> {
    let (order, genesis) = (&receipt.order, &registered.genesis);
    check_author(&order.order.signed, registered)?;
    let owner = order.order.owner;
    if registered.nodes.get(&owner) != Some(&Role::Cache) {
        return Err(invalid(&format!(
            "its owner {owner} is no registered cache"
        )));
    }
    let ordered = Domain::PurgeOrder.message(genesis, &order.order);
    if !is_devices(&owner, &ordered, &order.signature) {
        return Err(invalid("its owner did not sign it"));
    }
    let mut named = HashSet::new();
    for ack in &receipt.acks {
        let device = ack.device;
        let payload = PurgeAckPayload {
            order: order.clone(),
            device,
        };
        let message = Domain::PurgeAck.message(genesis, &payload);
        if !is_devices(&device, &message, &ack.signature) {
            return Err(invalid(&format!("{device} did not sign it")));
        }
        if !registered.nodes.contains_key(&device) || !named.insert(device) {
            return Err(invalid(&format!(
                "{device} is not registered, or named twice"
            )));
        }
    }
    named.extend(receipt.missing.iter().copied());
    let left_out = registered.nodes.iter().find(|(device, role)| {
        matches!(role, Role::Gateway | Role::Cache) && !named.contains(*device)
    });
    match left_out {
        // It may have been registered since.
        Some((device, _)) => Err(invalid(&format!("{device} is left out of it"))),
        None => Ok(()),
    }
}

fn check_author(signed: &SignedPurgeRequest, registered: &Registered) -> Result<(), Failure> {
    let (request, genesis) = (&signed.request, &registered.genesis);
    let is_asked = match &signed.author {
        PurgeAuthor::Gateway(device, signature) => {
            if registered.nodes.get(device) != Some(&Role::Gateway) {
                return Err(invalid(&format!("{device} is no registered gateway")));
            }
            let asked = Domain::Invalidation.message(genesis, request);
            is_devices(device, &asked, signature)
        }
        author => {
            let asked = Domain::PurgeRequest.message(genesis, request);
            author.customer().is_some_and(|signature| {
                [asked.clone(), wrapped(&asked)]
                    .iter()
                    .any(|message| is_customers(&registered.customer, message, &signature))
            })
        }
    };
    if is_asked && signed.is_fitting() {
        return Ok(());
    }
    Err(invalid(match signed.author.gateway() {
        Some(_) => "its gateway did not sign it, or may not ask for it",
        None => "the customer did not sign it",
    }))
}

fn is_customers(customer: &Account, message: &[u8], signature: &CustomerSignature) -> bool {
    match signature {
        CustomerSignature::Ed25519(signature) => {
            is_devices(&DeviceId(customer.0), message, signature)
        }
        CustomerSignature::Sr25519(signature) => sr25519::Pair::verify(
            &sr25519::Signature::from_raw(signature.0),
            message,
            &sr25519::Public::from_raw(customer.0),
        ),
    }
}

fn is_devices(device: &DeviceId, message: &[u8], signature: &Signature64) -> bool {
    VerifyingKey::from_bytes(&device.0).is_ok_and(|key| {
        key.verify_strict(message, &Signature::from_bytes(&signature.0))
            .is_ok()
    })
}

fn invalid(what: &str) -> Failure {
    Failure::ReceiptInvalid(what.into())
}

fn bytes(value: &Value) -> Result<Vec<u8>, Failure> {
    let text = value.as_str().ok_or_else(|| invalid("a part is missing"))?;
    hex::decode(text.trim_start_matches("0x")).map_err(|_| invalid("a part is not hex"))
}

fn device(value: &Value) -> Result<DeviceId, Failure> {
    let bytes = bytes(value)?;
    let bytes = bytes.try_into();
    bytes
        .map(DeviceId)
        .map_err(|_| invalid("a device id is not 32 bytes long"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::account_key;
    use codec::Encode;
    use ed25519_dalek::{Signer, SigningKey};
    use selvedge_primitives_types::{
        InvalidKeys, Millis, PurgeKind, PurgeMode, PurgeOrder, PurgeRequest, ServiceId,
    };
    use serde_json::json;

    const GENESIS: GenesisHash = [7; 32];

    fn id(key: &SigningKey) -> DeviceId {
        DeviceId(key.verifying_key().to_bytes())
    }

    fn sign(key: &SigningKey, domain: Domain, payload: &impl Encode) -> Signature64 {
        Signature64(key.sign(&domain.message(&GENESIS, payload)).to_bytes())
    }

    fn written(receipt: &PurgeReceipt) -> Value {
        let acks: Vec<Value> = receipt
            .acks
            .iter()
            .map(|ack| {
                json!({
                    "device": ack.device.to_string(),
                    "signature": format!("0x{}", hex::encode(ack.signature.0)),
                })
            })
            .collect();
        json!({
            "number": receipt.order.order.number,
            "order": format!("0x{}", hex::encode(receipt.order.encode())),
            "acks": acks,
            "missing": receipt.missing.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
    }

    fn scene(is_wrapped: bool) -> (PurgeReceipt, Registered) {
        ordered(PurgeKind::Everything, is_wrapped, |_| None)
    }

    /// A receipt for this, asked for by the customer, unless somebody else is the author.
    fn ordered(
        kind: PurgeKind,
        is_wrapped: bool,
        other: impl Fn(&PurgeRequest) -> Option<PurgeAuthor>,
    ) -> (PurgeReceipt, Registered) {
        let customer = account_key("//Alice").unwrap();
        let cache = SigningKey::from_bytes(&[1; 32]);
        let gateway = SigningKey::from_bytes(&[2; 32]);
        let away = id(&SigningKey::from_bytes(&[3; 32]));
        let request = PurgeRequest {
            service: ServiceId(4),
            kind,
            mode: PurgeMode::Hard,
            issued: Millis(5),
            nonce: [6; 16],
        };
        let mut message = Domain::PurgeRequest.message(&GENESIS, &request);
        if is_wrapped {
            message = wrapped(&message);
        }
        let by_customer = PurgeAuthor::Sr25519(Signature64(customer.sign(&message).0));
        let order = PurgeOrder {
            signed: SignedPurgeRequest {
                author: other(&request).unwrap_or(by_customer),
                request,
            },
            number: 9,
            after: 8,
            owner: id(&cache),
        };
        let order = SignedPurgeOrder {
            signature: sign(&cache, Domain::PurgeOrder, &order),
            order,
        };
        let acks = [&cache, &gateway].map(|key| {
            let device = id(key);
            let payload = PurgeAckPayload {
                order: order.clone(),
                device,
            };
            let signature = sign(key, Domain::PurgeAck, &payload);
            PurgeAck { device, signature }
        });
        let receipt = PurgeReceipt {
            order,
            acks: acks.to_vec(),
            missing: vec![away],
        };
        let registered = Registered {
            genesis: GENESIS,
            customer: Account(customer.public_key().0),
            nodes: [
                (id(&cache), Role::Cache),
                (id(&gateway), Role::Gateway),
                (away, Role::Cache),
            ]
            .into(),
        };
        (receipt, registered)
    }

    #[test]
    fn a_receipt_reads_back_and_verifies() {
        for is_wrapped in [false, true] {
            let (receipt, registered) = scene(is_wrapped);
            assert_eq!(read(&written(&receipt)).unwrap(), receipt);
            check(&receipt, &registered).unwrap();
        }
    }

    #[test]
    fn a_gateway_may_ask_for_keys_and_for_nothing_else() {
        let keys = PurgeKind::Keys(InvalidKeys {
            bits: InvalidKeys::EXACT,
            keys: vec![(1, 0)],
            replaces: Vec::new(),
        });
        let by = |seed: u8| {
            move |request: &PurgeRequest| {
                let key = SigningKey::from_bytes(&[seed; 32]);
                let signature = sign(&key, Domain::Invalidation, request);
                Some(PurgeAuthor::Gateway(id(&key), signature))
            }
        };
        let (receipt, registered) = ordered(keys.clone(), false, by(2));
        check(&receipt, &registered).unwrap();
        let (receipt, registered) = ordered(keys.clone(), false, |_| None);
        assert!(check(&receipt, &registered).is_err());
        for (kind, seed) in [(keys, 1), (PurgeKind::Everything, 2)] {
            let (receipt, registered) = ordered(kind, false, by(seed));
            let error = check(&receipt, &registered).unwrap_err().to_string();
            assert!(error.contains("gateway"), "{error}");
        }
    }

    #[test]
    fn whatever_is_changed_is_named() {
        type Change = fn(&mut PurgeReceipt, &mut Registered);
        let changes: [(Change, &str); 8] = [
            (|_, registered| registered.customer.0[0] ^= 1, "customer"),
            (|_, registered| registered.genesis[0] ^= 1, "customer"),
            (
                |receipt, _| receipt.order.order.signed.request.mode = PurgeMode::Soft,
                "customer",
            ),
            (|receipt, _| receipt.order.order.number += 1, "owner"),
            (|receipt, _| receipt.order.signature.0[9] ^= 1, "owner"),
            (
                |receipt, _| receipt.acks[1].signature.0[9] ^= 1,
                "did not sign",
            ),
            (|receipt, _| receipt.acks.truncate(1), "left out"),
            (
                |_, registered| registered.nodes.retain(|_, role| *role == Role::Gateway),
                "no registered cache",
            ),
        ];
        for (change, word) in changes {
            let (mut receipt, mut registered) = scene(false);
            change(&mut receipt, &mut registered);
            let error = check(&receipt, &registered).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
        let (receipt, _) = scene(false);
        for name in ["order", "acks", "missing", "number"] {
            let mut value = written(&receipt);
            value[name] = Value::Null;
            assert!(read(&value).is_err(), "{name}");
        }
    }
}
