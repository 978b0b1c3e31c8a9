//! Certificates for sites and origins.

use rcgen::{generate_simple_self_signed, CertifiedKey, KeyPair};
use rustls::{
    pki_types::{pem::PemObject, CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    ClientConfig, RootCertStore, ServerConfig,
};
use std::{path::Path, sync::Arc};

/// A certificate that signs itself, with its key.
pub struct Certificate(CertifiedKey<KeyPair>);

impl Certificate {
    /// For these host names.
    pub fn new(names: &[&str]) -> Self {
        let names: Vec<String> = names.iter().map(|name| name.to_string()).collect();
        Self(generate_simple_self_signed(names).expect("host names"))
    }

    /// Certificate and key in PEM.
    pub fn pem(&self) -> String {
        self.0.cert.pem() + &self.0.signing_key.serialize_pem()
    }

    /// Writes certificate and key into one file, whole or not at all.
    pub fn write(&self, path: &Path) {
        let partial = path.with_extension("partial");
        std::fs::write(&partial, self.pem()).expect("the folder is there");
        std::fs::rename(partial, path).expect("the folder is there");
    }

    /// Writes the certificate alone.
    pub fn write_root(&self, path: &Path) {
        std::fs::write(path, self.0.cert.pem()).expect("the folder is there");
    }

    /// Trusts this certificate and nothing else.
    pub fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.cert.der().clone()).expect("a certificate");
        roots
    }

    /// The TLS set-up of a server that shows it.
    pub fn server(&self) -> Arc<ServerConfig> {
        let key = PrivatePkcs8KeyDer::from(self.0.signing_key.serialize_der());
        server(vec![self.0.cert.der().clone()], key.into(), b"http/1.1")
    }

    /// The same of a server that speaks HTTP/2.
    pub fn server_http2(&self) -> Arc<ServerConfig> {
        let key = PrivatePkcs8KeyDer::from(self.0.signing_key.serialize_der());
        server(vec![self.0.cert.der().clone()], key.into(), b"h2")
    }

    /// The TLS set-up of a client that speaks HTTP/2 and trusts what [`Self::write_root`] wrote.
    pub fn client_http2(roots: &Path) -> anyhow::Result<Arc<ClientConfig>> {
        let mut trusted = RootCertStore::empty();
        trusted.add(CertificateDer::from_pem_file(roots)?)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(trusted)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Arc::new(config))
    }
}

/// The TLS set-up of a server with this chain, for one protocol.
pub(crate) fn server(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    protocol: &[u8],
) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the ring provider has TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("the key is the certificate's");
    config.alpn_protocols = vec![protocol.to_vec()];
    Arc::new(config)
}
