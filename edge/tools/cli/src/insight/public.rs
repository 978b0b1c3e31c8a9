//! The public servers of gateways: which there are, what is shown to them, and how they are asked.

use crate::{chain::Chain, error::Failure};
use bytes::Bytes;
use codec::Encode;
use http::{header, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use selvedge_primitives_runtime_api::NodeView;
use selvedge_primitives_types::{
    CustomerSignature, DeviceId, Domain, GenesisHash, Millis, ReadScope, ReadToken, Role,
    ServiceId, Signature64, SignedReadToken,
};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use subxt_signer::sr25519::Keypair;

/// How long a gateway may take for an answer, or for the beginning of a stream.
const PATIENCE: Duration = Duration::from_secs(8);

/// How long a token counts that is shown at once.
const SHORT: Millis = Millis(60_000);

/// The longest answer that is read, in bytes.
const MAX_ANSWER: usize = 1024 * 1024;

/// Devices asked for at once.
const PAGE: u32 = 100;

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
    let mut gateways = Vec::new();
    let mut after: Option<DeviceId> = None;
    loop {
        let page: Vec<DeviceId> = chain.view("NodesApi_devices", &(after, PAGE)).await?;
        for device in &page {
            let node: Option<NodeView> = chain.view("NodesApi_node", device).await?;
            gateways.extend(node.filter(|node| node.role == Role::Gateway && node.active));
        }
        after = page.last().copied();
        if page.len() < PAGE as usize {
            break;
        }
    }
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
        let silent = |cause: String| silent(gateway, cause);
        let asking = async {
            let response = self.begin(gateway, scope, path, question).await?;
            let body = Limited::new(response.into_body(), MAX_ANSWER);
            let body = body
                .collect()
                .await
                .map_err(|error| silent(error.to_string()))?;
            Ok(body.to_bytes())
        };
        match tokio::time::timeout(PATIENCE, asking).await {
            Ok(answer) => answer,
            Err(_) => Err(silent(format!("no answer within {} s", PATIENCE.as_secs()))),
        }
    }

    /// Asks for an answer that goes on.
    pub async fn stream(
        &self,
        gateway: &Gateway,
        scope: ReadScope,
        path: &str,
    ) -> Result<Incoming, Failure> {
        let asking = self.begin(gateway, scope, path, None);
        match tokio::time::timeout(PATIENCE, asking).await {
            Ok(response) => Ok(response?.into_body()),
            Err(_) => Err(silent(
                gateway,
                format!("no answer within {} s", PATIENCE.as_secs()),
            )),
        }
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
        let body = Limited::new(response.into_body(), 4096).collect().await;
        let said = body.map(|body| body.to_bytes()).unwrap_or_default();
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
    let response = tokio::time::timeout(PATIENCE, asking).await;
    let response = response.map_err(|_| {
        silent(
            gateway,
            format!("no answer within {} s", PATIENCE.as_secs()),
        )
    })??;
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
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request).await;
    response.map_err(|error| {
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        silent(gateway, text)
    })
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
