//! Signatures of customers: of the accounts that pay for services.
//!
//! An account is a public key, and does not say of which scheme; the signature does. Checking one
//! costs about 50 µs, so whoever takes them from strangers bounds how many.

use codec::Encode;
use ed25519_dalek::{Signature, VerifyingKey};
use selvedge_primitives_types::customer::wrapped;
use selvedge_primitives_types::{Account, CustomerSignature, Domain, GenesisHash};

use crate::Error;

/// The context in which chains of this family sign with sr25519.
pub const SR25519_CONTEXT: &[u8] = b"substrate";

/// Checks that a customer signed a payload for a purpose on the network with this genesis hash, be
/// it the bare message or what wallets make of it.
///
/// Errors: [`Error::NotTheCustomer`].
pub fn verify_customer(
    customer: &Account,
    domain: Domain,
    genesis: &GenesisHash,
    payload: &impl Encode,
    signature: &CustomerSignature,
) -> Result<(), Error> {
    let message = domain.message(genesis, payload);
    let is_signed = |message: &[u8]| match signature {
        CustomerSignature::Ed25519(signature) => VerifyingKey::from_bytes(&customer.0)
            .and_then(|key| key.verify_strict(message, &Signature::from_bytes(&signature.0)))
            .is_ok(),
        CustomerSignature::Sr25519(signature) => schnorrkel::PublicKey::from_bytes(&customer.0)
            .and_then(|key| {
                let signature = schnorrkel::Signature::from_bytes(&signature.0)?;
                key.verify_simple(SR25519_CONTEXT, message, &signature)
            })
            .is_ok(),
    };
    if is_signed(&message) || is_signed(&wrapped(&message)) {
        Ok(())
    } else {
        Err(Error::NotTheCustomer(*customer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::{Signer, SigningKey};
    use selvedge_primitives_types::{Millis, ReadScope, ReadToken, ServiceId, Signature64};

    const GENESIS: GenesisHash = [1; 32];

    fn token() -> ReadToken {
        ReadToken {
            service: ServiceId(7),
            scope: ReadScope::Analytics,
            expires: Millis(9),
        }
    }

    type Sign = Box<dyn Fn(&[u8]) -> CustomerSignature>;

    fn customers() -> Vec<(Account, Sign)> {
        let edwards = SigningKey::from_bytes(&[5; 32]);
        let account = Account(edwards.verifying_key().to_bytes());
        let schnorr = schnorrkel::MiniSecretKey::from_bytes(&[6; 32])
            .unwrap()
            .expand_to_keypair(schnorrkel::ExpansionMode::Ed25519);
        let other = Account(schnorr.public.to_bytes());
        vec![
            (
                account,
                Box::new(move |message| {
                    CustomerSignature::Ed25519(Signature64(edwards.sign(message).to_bytes()))
                }),
            ),
            (
                other,
                Box::new(move |message| {
                    let signature = schnorr.sign_simple(SR25519_CONTEXT, message);
                    CustomerSignature::Sr25519(Signature64(signature.to_bytes()))
                }),
            ),
        ]
    }

    fn check(customer: &Account, token: &ReadToken, signature: &CustomerSignature) -> bool {
        verify_customer(customer, Domain::ReadToken, &GENESIS, token, signature).is_ok()
    }

    #[test]
    fn both_schemes_count_bare_and_as_wallets_sign() {
        let message = Domain::ReadToken.message(&GENESIS, &token());
        for (customer, sign) in customers() {
            assert!(check(&customer, &token(), &sign(&message)));
            assert!(check(&customer, &token(), &sign(&wrapped(&message))));
            let twice = wrapped(&wrapped(&message));
            assert!(!check(&customer, &token(), &sign(&twice)));
        }
    }

    #[test]
    fn no_other_account_message_purpose_or_network_counts() {
        let message = Domain::ReadToken.message(&GENESIS, &token());
        for (customer, sign) in customers() {
            let signature = sign(&message);
            let changed = ReadToken {
                expires: Millis(10),
                ..token()
            };
            assert!(!check(&customer, &changed, &signature));
            assert!(!check(&Account([0; 32]), &token(), &signature));
            assert!(!check(&Account([9; 32]), &token(), &signature));
            let (purpose, network) = (Domain::PurgeRequest, Domain::ReadToken);
            let payload = &token();
            assert!(verify_customer(&customer, purpose, &GENESIS, payload, &signature).is_err());
            assert!(verify_customer(&customer, network, &[2; 32], payload, &signature).is_err());
            let other = match signature {
                CustomerSignature::Ed25519(bytes) => CustomerSignature::Sr25519(bytes),
                CustomerSignature::Sr25519(bytes) => CustomerSignature::Ed25519(bytes),
            };
            assert!(!check(&customer, &token(), &other));
        }
    }

    #[test]
    fn every_bit_of_a_signature_counts() {
        let message = Domain::ReadToken.message(&GENESIS, &token());
        for (customer, sign) in customers() {
            let (CustomerSignature::Ed25519(bytes) | CustomerSignature::Sr25519(bytes)) =
                sign(&message);
            let with = |bytes| match sign(&message) {
                CustomerSignature::Ed25519(_) => CustomerSignature::Ed25519(bytes),
                CustomerSignature::Sr25519(_) => CustomerSignature::Sr25519(bytes),
            };
            for bit in 0..512 {
                let mut bad = bytes;
                bad.0[bit / 8] ^= 1 << (bit % 8);
                assert!(!check(&customer, &token(), &with(bad)), "bit {bit}");
            }
        }
    }
}
