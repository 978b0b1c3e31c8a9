//! A device's key, and the certificate it shows to peers.

use ed25519_dalek::SigningKey;
use rcgen::{CertificateParams, KeyPair, PKCS_ED25519};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::ParsedCertificate;
use selvedge_primitives_types::DeviceId;

use crate::error::TransportError;

/// PKCS #8 (RFC 8410 §7) around an ed25519 seed.
const PKCS8_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// SubjectPublicKeyInfo (RFC 8410 §4) around an ed25519 public key, without the outer sequence.
const SPKI_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// A device key with a certificate made from it.
pub struct Identity {
    key: SigningKey,
    device: DeviceId,
    certificate: CertificateDer<'static>,
    pkcs8: Vec<u8>,
}

impl Identity {
    /// Makes the certificate of a device key. Its names and dates mean nothing: only its key is
    /// ever looked at.
    ///
    /// Errors: [`TransportError::Identity`].
    pub fn new(key: SigningKey) -> Result<Self, TransportError> {
        let fail = |error: rcgen::Error| TransportError::Identity(error.to_string());
        let mut pkcs8 = PKCS8_PREFIX.to_vec();
        pkcs8.extend_from_slice(key.as_bytes());
        let der = PrivatePkcs8KeyDer::from(pkcs8.as_slice());
        let pair = KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_ED25519).map_err(fail)?;
        let params = CertificateParams::new(vec!["selvedge.invalid".to_owned()]).map_err(fail)?;
        let certificate = params.self_signed(&pair).map_err(fail)?;
        let device = DeviceId(key.verifying_key().to_bytes());
        Ok(Self {
            key,
            device,
            certificate: certificate.der().clone(),
            pkcs8,
        })
    }

    /// The key that signs.
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// The device.
    pub fn device(&self) -> DeviceId {
        self.device
    }

    pub(crate) fn chain(&self) -> Vec<CertificateDer<'static>> {
        vec![self.certificate.clone()]
    }

    pub(crate) fn private_key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.pkcs8.clone()).into()
    }
}

/// The device a certificate belongs to; `None` unless its key is an ed25519 key.
pub(crate) fn device_of(certificate: &CertificateDer<'_>) -> Option<DeviceId> {
    let parsed = ParsedCertificate::try_from(certificate).ok()?;
    let spki = parsed.subject_public_key_info();
    let key = spki.strip_prefix(&SPKI_PREFIX)?;
    Some(DeviceId(key.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_names_its_device() {
        let identity = Identity::new(SigningKey::from_bytes(&[7; 32])).unwrap();
        assert_eq!(device_of(&identity.certificate), Some(identity.device()));
        let other = rcgen::generate_simple_self_signed(vec!["a.test".to_owned()]).unwrap();
        assert_eq!(device_of(other.cert.der()), None);
    }
}
