//! A device whose answers are not even messages.

use crate::{certs, device_of};
use bytes::Bytes;
use ed25519_dalek::SigningKey;
use http::{Request, Response};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use parking_lot::Mutex;
use rcgen::{CertificateParams, KeyPair, PKCS_ED25519};
use rustls::pki_types::PrivatePkcs8KeyDer;
use selvedge_primitives_types::DeviceId;
use std::{convert::Infallible, net::SocketAddr, sync::Arc};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_rustls::TlsAcceptor;

/// PKCS #8 (RFC 8410 §7) around an ed25519 seed.
const PKCS8: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// What it answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noise {
    /// A frame with a tag that nobody knows.
    UnknownTag,
    /// A frame that says to be longer than any.
    EndlessFrame,
    /// A frame that breaks off.
    HalfFrame,
    /// A record that does not decode.
    BrokenRecord,
    /// Nothing at all.
    Nothing,
    /// An error status.
    Status,
}

impl Noise {
    /// All kinds.
    pub const ALL: [Self; 6] = [
        Self::UnknownTag,
        Self::EndlessFrame,
        Self::HalfFrame,
        Self::BrokenRecord,
        Self::Nothing,
        Self::Status,
    ];

    fn bytes(self) -> Vec<u8> {
        let frame = |content: &[u8]| [&(content.len() as u32).to_le_bytes(), content].concat();
        match self {
            Self::UnknownTag => frame(&[200, 1, 2, 3]),
            Self::EndlessFrame => u32::MAX.to_le_bytes().to_vec(),
            Self::HalfFrame => vec![100, 0, 0, 0, 0, 1, 2],
            Self::BrokenRecord => frame(&[0, 255, 255, 255, 255, 255, 255]),
            Self::Nothing | Self::Status => Vec::new(),
        }
    }
}

/// A running noise maker with a device key that gateways believe.
pub struct NoisyCache {
    device: DeviceId,
    address: SocketAddr,
    noise: Arc<Mutex<Noise>>,
    task: JoinHandle<()>,
}

impl NoisyCache {
    /// Starts on a free port.
    pub async fn start(key: &SigningKey) -> Self {
        let seed = [&PKCS8[..], key.as_bytes()].concat();
        let der = PrivatePkcs8KeyDer::from(seed.clone());
        let pair =
            KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_ED25519).expect("a device key");
        let params = CertificateParams::new(vec!["selvedge.invalid".to_owned()]).expect("a name");
        let certificate = params.self_signed(&pair).expect("a certificate");
        let key_der = PrivatePkcs8KeyDer::from(seed).into();
        let tls = TlsAcceptor::from(certs::server(
            vec![certificate.der().clone()],
            key_der,
            b"h2",
        ));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let noise = Arc::new(Mutex::new(Noise::Nothing));
        let task = tokio::spawn(accept(listener, tls, noise.clone()));
        Self {
            device: device_of(key),
            address,
            noise,
            task,
        }
    }

    /// Its device.
    pub fn device(&self) -> DeviceId {
        self.device
    }

    /// Where gateways reach it.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Makes this noise from now on.
    pub fn make(&self, noise: Noise) {
        *self.noise.lock() = noise;
    }
}

impl Drop for NoisyCache {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, tls: TlsAcceptor, noise: Arc<Mutex<Noise>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (tls, noise) = (tls.clone(), noise.clone());
        tokio::spawn(async move {
            let Ok(stream) = tls.accept(stream).await else {
                return;
            };
            let service = service_fn(move |_: Request<Incoming>| {
                let noise = *noise.lock();
                async move {
                    let mut response = Response::new(Full::new(Bytes::from(noise.bytes())));
                    if noise == Noise::Status {
                        *response.status_mut() = http::StatusCode::IM_A_TEAPOT;
                    }
                    Ok::<_, Infallible>(response)
                }
            });
            // A gateway that hangs up on noise is right.
            let _ = http2::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}
