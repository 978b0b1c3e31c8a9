//! TLS between devices: the certificate's key is the device, and nothing else in it counts.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{verify_tls13_signature, CryptoProvider};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, ServerConfig,
    SignatureScheme,
};
use selvedge_primitives_types::DeviceId;

use crate::error::TransportError;
use crate::identity::{device_of, Identity};

/// Says which devices may connect. It is asked for each connection and each request, so that a node
/// that leaves the network is gone at once.
pub trait PeerList: Send + Sync + 'static {
    /// Whether the device may connect, and send any message.
    fn is_listed(&self, device: &DeviceId) -> bool;

    /// Whether it may connect to give and take content, whether or not it may do anything else.
    fn shares_content(&self, device: &DeviceId) -> bool {
        self.is_listed(device)
    }
}

#[derive(Clone, Debug)]
struct Signatures(Arc<CryptoProvider>);

impl Signatures {
    fn check(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }
}

fn refuse() -> Error {
    Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure)
}

/// Accepts the one device that was dialled.
#[derive(Debug)]
struct Dialled {
    device: DeviceId,
    signatures: Signatures,
}

impl ServerCertVerifier for Dialled {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if device_of(end_entity) == Some(self.device) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(refuse())
        }
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(refuse())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signatures.check(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}

/// Accepts every listed device.
struct Listed {
    peers: Arc<dyn PeerList>,
    signatures: Signatures,
}

impl Listed {
    fn may_connect(&self, device: &DeviceId) -> bool {
        self.peers.is_listed(device) || self.peers.shares_content(device)
    }
}

impl fmt::Debug for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listed")
    }
}

impl ClientCertVerifier for Listed {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        match device_of(end_entity) {
            Some(device) if self.may_connect(&device) => Ok(ClientCertVerified::assertion()),
            _ => Err(refuse()),
        }
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(refuse())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signatures.check(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// For dialling one device.
pub(crate) fn client_config(
    identity: &Identity,
    device: DeviceId,
) -> Result<Arc<ClientConfig>, TransportError> {
    let fail = |error: Error| TransportError::Identity(error.to_string());
    let provider = provider();
    let verifier = Dialled {
        device,
        signatures: Signatures(provider.clone()),
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(fail)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_client_auth_cert(identity.chain(), identity.private_key())
        .map_err(fail)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    config.enable_sni = false;
    // A resumed session would skip the certificates, and with them the question who is listed now.
    config.resumption = rustls::client::Resumption::disabled();
    Ok(Arc::new(config))
}

/// For listening to all listed devices.
pub(crate) fn server_config(
    identity: &Identity,
    peers: Arc<dyn PeerList>,
) -> Result<Arc<ServerConfig>, TransportError> {
    let fail = |error: Error| TransportError::Identity(error.to_string());
    let provider = provider();
    let verifier = Listed {
        peers,
        signatures: Signatures(provider.clone()),
    };
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(fail)?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_single_cert(identity.chain(), identity.private_key())
        .map_err(fail)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}
