//! Looks for the TXT record that proves who owns a host name.

use std::net::SocketAddr;
use std::time::Duration;

use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, RecordType};
use hickory_resolver::TokioResolver;

/// Label before the host name under which the record stands.
const LABEL: &str = "_selvedge-challenge";
/// How long a whole look-up may take: the chain node waits for it within half a slot.
const TIMEOUT: Duration = Duration::from_millis(900);

/// Why there is no verdict. That the record is not there is a verdict.
#[derive(Debug, thiserror::Error)]
pub enum HostCheckError {
    /// The resolver cannot be set up.
    #[error("the resolver cannot be set up: {0}")]
    Setup(String),
    /// The host is no host name.
    #[error("the host is no host name")]
    BadHost,
    /// The DNS gave no answer.
    #[error("the DNS gave no answer: {0}")]
    NoAnswer(String),
}

/// Asks the DNS.
pub struct HostChecker(TokioResolver);

impl HostChecker {
    /// Uses the system's resolver, or the one at `resolver`.
    ///
    /// Errors: [`HostCheckError::Setup`].
    pub fn new(resolver: Option<SocketAddr>) -> Result<Self, HostCheckError> {
        let fail = |error: &dyn std::fmt::Display| HostCheckError::Setup(error.to_string());
        let mut builder = match resolver {
            Some(address) => {
                let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
                for connection in &mut connections {
                    connection.port = address.port();
                }
                let server = NameServerConfig::new(address.ip(), true, connections);
                let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
                TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            }
            None => TokioResolver::builder_tokio().map_err(|error| fail(&error))?,
        };
        let options = builder.options_mut();
        options.timeout = TIMEOUT / 2;
        options.attempts = 1;
        // A record that was just written must be seen; a check is made once per epoch anyway.
        options.cache_size = 0;
        let resolver = builder.build().map_err(|error| fail(&error))?;
        Ok(Self(resolver))
    }

    /// Whether `_selvedge-challenge.<host>` has a TXT record with exactly the expected text.
    ///
    /// Errors: [`HostCheckError::BadHost`], and [`HostCheckError::NoAnswer`] when nobody can tell.
    pub async fn check(&self, host: &[u8], expected: &[u8]) -> Result<bool, HostCheckError> {
        let host = std::str::from_utf8(host).map_err(|_| HostCheckError::BadHost)?;
        let is_name = !host.is_empty()
            && host.len() <= 253
            && host
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
        if !is_name {
            return Err(HostCheckError::BadHost);
        }
        // The dot at the end keeps search domains of the machine out of it.
        let name = format!("{LABEL}.{}.", host.trim_end_matches('.'));
        let looking = self.0.lookup(name, RecordType::TXT);
        let found = match tokio::time::timeout(TIMEOUT, looking).await {
            Ok(found) => found,
            Err(_) => return Err(HostCheckError::NoAnswer("timed out".to_owned())),
        };
        match found {
            Ok(lookup) => Ok(lookup.answers().iter().any(|record| match &record.data {
                RData::TXT(text) => text.txt_data.concat() == expected,
                _ => false,
            })),
            Err(error) if error.is_no_records_found() || error.is_nx_domain() => Ok(false),
            Err(error) => Err(HostCheckError::NoAnswer(error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_resolver::proto::op::{Message, ResponseCode};
    use hickory_resolver::proto::rr::rdata::TXT;
    use hickory_resolver::proto::rr::Record;
    use tokio::net::UdpSocket;

    /// A name server that knows one record.
    async fn name_server() -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        tokio::spawn(async move {
            let mut buffer = [0; 1_500];
            loop {
                let (length, peer) = socket.recv_from(&mut buffer).await.unwrap();
                let asked = Message::from_vec(&buffer[..length]).unwrap();
                let query = asked.queries[0].clone();
                let mut answer = Message::response(asked.metadata.id, asked.metadata.op_code);
                answer.add_query(query.clone());
                if query.name().to_ascii() == "_selvedge-challenge.a.test." {
                    let text = TXT::new(vec!["right".to_owned(), "-text".to_owned()]);
                    let record = Record::from_rdata(query.name().clone(), 60, RData::TXT(text));
                    answer.add_answer(record);
                } else {
                    answer.metadata.response_code = ResponseCode::NXDomain;
                }
                let bytes = answer.to_vec().unwrap();
                socket.send_to(&bytes, peer).await.unwrap();
            }
        });
        address
    }

    #[tokio::test]
    async fn the_record_must_be_there_with_the_very_text() {
        let checker = HostChecker::new(Some(name_server().await)).unwrap();
        assert!(checker.check(b"a.test", b"right-text").await.unwrap());
        assert!(!checker.check(b"a.test", b"right").await.unwrap());
        assert!(!checker.check(b"b.test", b"right-text").await.unwrap());
        let bad = checker.check(b"a test", b"right-text").await;
        assert!(matches!(bad, Err(HostCheckError::BadHost)));
    }

    #[tokio::test]
    async fn a_silent_name_server_is_no_verdict() {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let checker = HostChecker::new(Some(socket.local_addr().unwrap())).unwrap();
        let silent = checker.check(b"a.test", b"x").await;
        assert!(matches!(silent, Err(HostCheckError::NoAnswer(_))));
    }
}
