//! The public servers of gateways: which there are, what is shown to them, and how they are asked.

use crate::{
    chain::Chain,
    error::Failure,
    http::{self, whole},
};
use ::http::{header, Request, Response, StatusCode};
use bytes::Bytes;
use codec::Encode;
use http_body_util::Full;
use hyper::body::Incoming;
use selvedge_primitives_types::{
    CustomerSignature, Domain, GenesisHash, Millis, ReadScope, ReadToken, Role, ServiceId,
    Signature64, SignedReadToken,
};
use std::future::Future;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use subxt_signer::sr25519::Keypair;

/// How long a gateway may take for an answer, or for the beginning of a stream.
const PATIENCE: Duration = Duration::from_secs(8);

/// How long a token counts that is shown at once.
const SHORT: Millis = Millis(60_000);

/// The longest answer that is read, in bytes.
const MAX_ANSWER: usize = 1024 * 1024;

/// A gateway.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// Its device id in short, or the URL it was named by.
    pub name: String,
    /// Where it is.
    pub region: String,
    /// Base URL of its public server.
    pub url: String,
}

/// The gateways that serve now, as the chain lists them.
pub async fn gateways(chain: &Chain) -> anyhow::Result<Vec<Gateway>> {
    let mut gateways = chain.nodes().await?;
    gateways.retain(|node| node.role == Role::Gateway && node.active);
    gateways.sort_by_key(|node| (node.region, node.device));
    let gateways: Vec<Gateway> = gateways
        .iter()
        .map(|node| Gateway {
            name: node.device.to_string()[..12].into(),
            region: node.region.to_string(),
            url: String::from_utf8_lossy(&node.public_url)
                .trim_end_matches('/')
                .into(),
        })
        .collect();
    if gateways.is_empty() {
        return Err(Failure::NotFound("the chain lists no gateway that serves now".into()).into());
    }
    Ok(gateways)
}

/// What opens a service for reading.
#[derive(Clone)]
pub struct Reader {
    /// The account that pays for the service.
    pub signer: Keypair,
    /// The chain.
    pub genesis: GenesisHash,
    /// The service.
    pub service: ServiceId,
}

impl Reader {
    /// A token that counts for this long from now on, as it is shown.
    pub fn token(&self, scope: ReadScope, time: Millis) -> String {
        let token = ReadToken {
            service: self.service,
            scope,
            expires: Millis(now().0 + time.0),
        };
        let message = Domain::ReadToken.message(&self.genesis, &token);
        let signature = Signature64(self.signer.sign(&message).0);
        let signature = CustomerSignature::Sr25519(signature);
        let signed = SignedReadToken { token, signature };
        format!("Selvedge {}", hex::encode(signed.encode()))
    }

    /// Asks a gateway, with `question` as a body where there is one.
    pub async fn ask(
        &self,
        gateway: &Gateway,
        scope: ReadScope,
        path: &str,
        question: Option<Vec<u8>>,
    ) -> Result<Bytes, Failure> {
        let asking = async {
            let response = self.begin(gateway, scope, path, question).await?;
            let body = whole(response, MAX_ANSWER).await;
            body.map_err(|error| silent(gateway, error.to_string()))
        };
        in_time(gateway, asking).await
    }

    /// Asks for an answer that goes on.
    pub async fn stream(
        &self,
        gateway: &Gateway,
        scope: ReadScope,
        path: &str,
    ) -> Result<Incoming, Failure> {
        let asking = self.begin(gateway, scope, path, None);
        Ok(in_time(gateway, asking).await?.into_body())
    }
}

impl Reader {
    async fn begin(
        &self,
        gateway: &Gateway,
        scope: ReadScope,
        path: &str,
        question: Option<Vec<u8>>,
    ) -> Result<Response<Incoming>, Failure> {
        let token = self.token(scope, SHORT);
        let response = send(gateway, path, Some(&token), question).await?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let said = whole(response, 4096).await.unwrap_or_default();
        let said = plain(&String::from_utf8_lossy(&said));
        Err(match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Failure::GatewayRefused {
                url: gateway.url.clone(),
                reason: said,
            },
            StatusCode::BAD_REQUEST => Failure::Input(said),
            _ => silent(gateway, format!("{status}: {said}")),
        })
    }
}

/// The chain that a gateway says it serves, for tokens that are shown to it alone.
pub async fn genesis_of(gateway: &Gateway) -> Result<GenesisHash, Failure> {
    let asking = send(gateway, "/analytics/v1/0", None, None);
    let response = in_time(gateway, asking).await?;
    let challenge = response.headers().get(header::WWW_AUTHENTICATE);
    let genesis = challenge
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.split_once("genesis=\"0x"))
        .and_then(|(_, rest)| rest.split('"').next())
        .and_then(crate::keys::bytes32);
    genesis.ok_or_else(|| silent(gateway, "it does not say which chain it serves".into()))
}

async fn send(
    gateway: &Gateway,
    path: &str,
    token: Option<&str>,
    question: Option<Vec<u8>>,
) -> Result<Response<Incoming>, Failure> {
    let mut request = Request::builder().uri(format!("{}{path}", gateway.url));
    if question.is_some() {
        request = request.method("POST");
    }
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, token);
    }
    let request = request
        .body(Full::new(Bytes::from(question.unwrap_or_default())))
        .map_err(|error| silent(gateway, error.to_string()))?;
    let response = http::send(request).await;
    response.map_err(|error| silent(gateway, format!("{error:#}")))
}

/// Waits for a gateway, but not for ever.
async fn in_time<T>(
    gateway: &Gateway,
    asking: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(PATIENCE, asking).await {
        Ok(answer) => answer,
        Err(_) => Err(silent(
            gateway,
            format!("no answer within {} s", PATIENCE.as_secs()),
        )),
    }
}

/// What a stranger sent, without what a terminal would obey.
pub fn plain(text: &str) -> String {
    let text = text.trim().chars().map(|letter| match letter.is_control() {
        true => ' ',
        false => letter,
    });
    text.collect()
}

fn silent(gateway: &Gateway, cause: String) -> Failure {
    Failure::GatewaySilent {
        url: gateway.url.clone(),
        cause,
    }
}

/// Now, since the Unix epoch.
pub fn now() -> Millis {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Millis(since.as_millis() as u64)
}
