//! Certificates from a folder of PEM files.
//!
//! `<name>.pem` holds a certificate chain, leaf first. Its private key stands in the same file or
//! in `<name>.key`. A certificate answers for the DNS names in it, wildcards included;
//! `default.pem` also answers a client that names no host, or one that nothing else answers for.
//!
//! [`CertStore::reload`] replaces everything at once. A file that cannot be used keeps the
//! certificate that was loaded from it before, so that a half-written file takes no site down.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::RwLock;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct CertError {
    /// The file or the folder.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

impl CertError {
    fn new(path: &Path, reason: impl fmt::Display) -> Self {
        Self {
            path: path.to_owned(),
            reason: reason.to_string(),
        }
    }
}

struct Loaded {
    key: Arc<CertifiedKey>,
    names: Vec<String>,
}

#[derive(Default)]
struct Certs {
    files: HashMap<PathBuf, Arc<Loaded>>,
    names: HashMap<String, Arc<CertifiedKey>>,
    fallback: Option<Arc<CertifiedKey>>,
    stamp: Vec<(PathBuf, SystemTime, u64)>,
}

/// The certificates of a folder; a TLS listener asks it for each connection.
pub struct CertStore {
    folder: PathBuf,
    certs: RwLock<Certs>,
}

impl fmt::Debug for CertStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Keys stay out of logs.
        f.debug_struct("CertStore")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

impl CertStore {
    /// Loads a folder.
    ///
    /// Errors: when it cannot be read, or any file in it cannot be used.
    pub fn open(folder: &Path) -> Result<Arc<Self>, CertError> {
        let store = Self {
            folder: folder.to_owned(),
            certs: RwLock::default(),
        };
        match store.reload()?.into_iter().next() {
            Some(error) => Err(error),
            None => Ok(Arc::new(store)),
        }
    }

    /// How many host names there is a certificate for.
    pub fn names(&self) -> usize {
        self.certs.read().names.len()
    }

    /// Whether a file was added, removed or written since the last load.
    pub fn is_changed(&self) -> bool {
        stamp(&self.folder).is_ok_and(|stamp| stamp != self.certs.read().stamp)
    }

    /// Loads the folder again and gives the files that could not be used; they keep their former
    /// certificate.
    ///
    /// Errors: when the folder cannot be read; nothing changes then.
    pub fn reload(&self) -> Result<Vec<CertError>, CertError> {
        let stamp = stamp(&self.folder)?;
        let mut next = Certs {
            stamp,
            ..Certs::default()
        };
        let mut errors = Vec::new();
        let pems: Vec<PathBuf> = next
            .stamp
            .iter()
            .map(|(path, ..)| path.clone())
            .filter(|path| path.extension().is_some_and(|extension| extension == "pem"))
            .collect();
        for path in pems {
            let loaded = match load(&path) {
                Ok(loaded) => Arc::new(loaded),
                Err(error) => {
                    errors.push(error);
                    match self.certs.read().files.get(&path) {
                        Some(former) => former.clone(),
                        None => continue,
                    }
                }
            };
            for name in &loaded.names {
                next.names.insert(name.clone(), loaded.key.clone());
            }
            if path.file_stem().is_some_and(|stem| stem == "default") {
                next.fallback = Some(loaded.key.clone());
            }
            next.files.insert(path, loaded);
        }
        *self.certs.write() = next;
        Ok(errors)
    }

    /// A TLS set-up for a listener: TLS 1.2 and 1.3, HTTP/2 before HTTP/1.1.
    pub fn server_config(self: &Arc<Self>) -> Result<Arc<rustls::ServerConfig>, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(self.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    fn find(&self, name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let certs = self.certs.read();
        let named = name.and_then(|name| {
            let name = name.to_ascii_lowercase();
            certs.names.get(&name).cloned().or_else(|| {
                // A wildcard stands for exactly one label (RFC 9525 §6.3).
                let (_, rest) = name.split_once('.')?;
                certs.names.get(&format!("*.{rest}")).cloned()
            })
        });
        named.or_else(|| certs.fallback.clone())
    }
}

impl ResolvesServerCert for CertStore {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.find(hello.server_name())
    }
}

fn stamp(folder: &Path) -> Result<Vec<(PathBuf, SystemTime, u64)>, CertError> {
    let fail = |error: std::io::Error| CertError::new(folder, error);
    let mut stamp = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        let is_ours = path
            .extension()
            .is_some_and(|extension| extension == "pem" || extension == "key");
        // A file removed between the two looks is simply not there.
        let Ok(meta) = path.metadata() else { continue };
        if is_ours && meta.is_file() {
            stamp.push((path, meta.modified().map_err(fail)?, meta.len()));
        }
    }
    stamp.sort();
    Ok(stamp)
}

fn load(path: &Path) -> Result<Loaded, CertError> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(path)
        .map_err(|error| CertError::new(path, error))?
        .collect::<Result<_, _>>()
        .map_err(|error| CertError::new(path, error))?;
    let leaf = chain
        .first()
        .ok_or_else(|| CertError::new(path, "it holds no certificate"))?;
    let names = webpki::EndEntityCert::try_from(leaf)
        .map_err(|error| CertError::new(path, error))?
        .valid_dns_names()
        .map(str::to_ascii_lowercase)
        .collect();
    let key = match PrivateKeyDer::from_pem_file(path) {
        Ok(key) => key,
        Err(_) => {
            let beside = path.with_extension("key");
            PrivateKeyDer::from_pem_file(&beside).map_err(|error| CertError::new(&beside, error))?
        }
    };
    let key = rustls::crypto::ring::sign::any_supported_type(&key)
        .map_err(|error| CertError::new(path, error))?;
    let key = CertifiedKey::new(chain, key);
    key.keys_match()
        .map_err(|_| CertError::new(path, "the private key belongs to another certificate"))?;
    Ok(Loaded {
        key: Arc::new(key),
        names,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, file: &str, names: &[&str]) -> Vec<u8> {
        let names: Vec<String> = names.iter().map(|name| name.to_string()).collect();
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let pem = made.cert.pem() + &made.signing_key.serialize_pem();
        std::fs::write(folder.join(file), pem).unwrap();
        made.cert.der().to_vec()
    }

    fn leaf(store: &CertStore, name: Option<&str>) -> Option<Vec<u8>> {
        store.find(name).map(|key| key.cert[0].to_vec())
    }

    #[test]
    fn a_certificate_answers_for_its_names() {
        let folder = tempfile::tempdir().unwrap();
        let site = write(folder.path(), "site.pem", &["a.test", "*.b.test"]);
        let store = CertStore::open(folder.path()).unwrap();
        assert_eq!(leaf(&store, Some("A.test")), Some(site.clone()));
        assert_eq!(leaf(&store, Some("x.b.test")), Some(site));
        for other in [Some("b.test"), Some("y.x.b.test"), Some("c.test"), None] {
            assert_eq!(leaf(&store, other), None, "{other:?}");
        }
        let fallback = write(folder.path(), "default.pem", &["z.test"]);
        assert!(store.is_changed());
        assert!(store.reload().unwrap().is_empty());
        assert!(!store.is_changed());
        assert_eq!(leaf(&store, None), Some(fallback.clone()));
        assert_eq!(leaf(&store, Some("c.test")), Some(fallback));
    }

    #[test]
    fn a_broken_file_keeps_what_was_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let first = write(folder.path(), "site.pem", &["a.test"]);
        let store = CertStore::open(folder.path()).unwrap();
        std::fs::write(folder.path().join("site.pem"), "-----BEGIN CERT").unwrap();
        assert_eq!(store.reload().unwrap().len(), 1);
        assert_eq!(leaf(&store, Some("a.test")), Some(first));
        let second = write(folder.path(), "site.pem", &["a.test"]);
        assert!(store.reload().unwrap().is_empty());
        assert_eq!(leaf(&store, Some("a.test")), Some(second));
        std::fs::remove_file(folder.path().join("site.pem")).unwrap();
        assert!(store.reload().unwrap().is_empty());
        assert_eq!(leaf(&store, Some("a.test")), None);
    }

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let one = rcgen::generate_simple_self_signed(vec!["a.test".to_owned()]).unwrap();
        let two = rcgen::generate_simple_self_signed(vec!["a.test".to_owned()]).unwrap();
        std::fs::write(folder.path().join("a.pem"), one.cert.pem()).unwrap();
        let beside = folder.path().join("a.key");
        std::fs::write(&beside, two.signing_key.serialize_pem()).unwrap();
        assert!(CertStore::open(folder.path()).is_err());
        std::fs::write(&beside, one.signing_key.serialize_pem()).unwrap();
        assert_eq!(CertStore::open(folder.path()).unwrap().names(), 1);
    }
}
