//! Signatures over records.

use codec::Encode;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use selvedge_primitives_types::{DeviceId, Domain, GenesisHash, Record, Signature64, SignedRecord};

use crate::Error;

/// The device that a signing key belongs to.
pub fn device(key: &SigningKey) -> DeviceId {
    DeviceId(key.verifying_key().to_bytes())
}

/// Signs a payload for a purpose on the network with this genesis hash.
pub fn sign(
    key: &SigningKey,
    domain: Domain,
    genesis: &GenesisHash,
    payload: &impl Encode,
) -> Signature64 {
    Signature64(key.sign(&domain.message(genesis, payload)).to_bytes())
}

/// Checks what [`sign`] signed.
///
/// Verification is strict: keys of small order and signatures that another verifier might refuse
/// are refused. Errors: [`Error::NotAKey`], [`Error::BadSignature`].
pub fn verify(
    signer: &DeviceId,
    domain: Domain,
    genesis: &GenesisHash,
    payload: &impl Encode,
    signature: &Signature64,
) -> Result<(), Error> {
    let key = VerifyingKey::from_bytes(&signer.0).map_err(|_| Error::NotAKey(*signer))?;
    key.verify_strict(
        &domain.message(genesis, payload),
        &Signature::from_bytes(&signature.0),
    )
    .map_err(|_| Error::BadSignature(*signer))
}

/// Signs a record as the gateway it names.
///
/// Errors: [`Error::WrongDevice`] when it names another gateway than the key's.
pub fn sign_record(
    key: &SigningKey,
    genesis: &GenesisHash,
    record: Record,
) -> Result<SignedRecord, Error> {
    let own = device(key);
    if record.gateway != own {
        return Err(Error::WrongDevice {
            expected: own,
            found: record.gateway,
        });
    }
    let signature = sign(key, Domain::Record, genesis, &record);
    Ok(SignedRecord { record, signature })
}

/// Checks a record against the gateway that must have signed it.
///
/// `expected` comes from the chain's config, never from the record: whoever takes
/// `signed.record.gateway` must first have found it there. Errors: [`Error::WrongDevice`],
/// [`Error::NotAKey`], [`Error::BadSignature`].
pub fn verify_record<'a>(
    signed: &'a SignedRecord,
    genesis: &GenesisHash,
    expected: &DeviceId,
) -> Result<&'a Record, Error> {
    if signed.record.gateway != *expected {
        return Err(Error::WrongDevice {
            expected: *expected,
            found: signed.record.gateway,
        });
    }
    verify(
        expected,
        Domain::Record,
        genesis,
        &signed.record,
        &signed.signature,
    )?;
    Ok(&signed.record)
}

#[cfg(test)]
mod tests {
    use super::*;
    use codec::Decode;
    use selvedge_primitives_types::{Millis, ServiceId};

    fn record(gateway: DeviceId) -> Record {
        Record {
            service: ServiceId(7),
            key: b"https://example.org/".to_vec(),
            variant: vec![(b"accept-encoding".to_vec(), Some(b"gzip".to_vec()))],
            status: 200,
            fields: vec![(b"etag".to_vec(), b"\"a\"".to_vec())],
            root: *blake3::hash(b"body").as_bytes(),
            length: 4,
            generation: 3,
            requested: Millis(10),
            received: Millis(20),
            gateway,
        }
    }

    #[test]
    fn every_bit_of_a_record_counts() {
        let key = SigningKey::from_bytes(&[5; 32]);
        let gateway = device(&key);
        let signed = sign_record(&key, &[1; 32], record(gateway)).unwrap();
        assert_eq!(
            verify_record(&signed, &[1; 32], &gateway),
            Ok(&record(gateway))
        );

        let encoded = signed.encode();
        for bit in 0..encoded.len() * 8 {
            let mut bad = encoded.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            if let Ok(bad) = SignedRecord::decode(&mut &bad[..]) {
                assert!(
                    verify_record(&bad, &[1; 32], &gateway).is_err(),
                    "bit {bit}"
                );
            }
        }
    }

    #[test]
    fn a_signature_counts_on_one_network_for_one_purpose_by_one_device() {
        let key = SigningKey::from_bytes(&[5; 32]);
        let gateway = device(&key);
        let signed = sign_record(&key, &[1; 32], record(gateway)).unwrap();
        assert_eq!(
            verify_record(&signed, &[2; 32], &gateway),
            Err(Error::BadSignature(gateway))
        );
        let other = device(&SigningKey::from_bytes(&[6; 32]));
        assert!(matches!(
            verify_record(&signed, &[1; 32], &other),
            Err(Error::WrongDevice { .. })
        ));
        let as_frame = SignedRecord {
            signature: sign(&key, Domain::Frame, &[1; 32], &signed.record),
            record: signed.record.clone(),
        };
        assert_eq!(
            verify_record(&as_frame, &[1; 32], &gateway),
            Err(Error::BadSignature(gateway))
        );
    }

    #[test]
    fn nobody_signs_in_the_name_of_another() {
        let key = SigningKey::from_bytes(&[5; 32]);
        let found = DeviceId([9; 32]);
        let expected = device(&key);
        assert_eq!(
            sign_record(&key, &[1; 32], record(found)),
            Err(Error::WrongDevice { expected, found })
        );
    }
}
