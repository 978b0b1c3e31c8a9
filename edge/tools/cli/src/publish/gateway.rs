//! A gateway's side of content, as `edge/drivers/agent` describes it: over connections that are kept, each request within a time.

use crate::{
    content::Root,
    error::Failure,
    insight::public::{now, plain},
    publish::read::Node,
    views::Blob,
};
use bytes::Bytes;
use codec::Encode;
use http::{header, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{connect::HttpConnector, Client},
    rt::TokioExecutor,
};
use selvedge_edge_core_content::{MediaType, Name};
use selvedge_edge_core_verify::ProvenSlice;
use selvedge_primitives_types::{
    ContentKind, ContentRef, CustomerSignature, Domain, GenesisHash, Hash, Millis, PublishToken,
    ServiceId, Signature64, SignedPublishToken,
};
use serde::{de::DeserializeOwned, Deserialize};
use serde_json::json;
use std::time::Duration;
use subxt_signer::sr25519::Keypair;

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often a request is sent that fails at once, or is asked for patience; the pause before the second, which doubles.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(250);
/// The longest answer that is no slice, in bytes: what 1,024 blobs lack, each in 1,024 runs.
const MAX_ANSWER: usize = 16 * 1024 * 1024;
/// How long a token counts.
const TOKEN: Millis = Millis(120_000);

/// A gateway.
pub struct Gateway {
    /// Base URL of its public server.
    pub url: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// Who puts content, and for which service.
pub struct Publisher {
    /// The account that pays for the service.
    pub signer: Keypair,
    /// The chain.
    pub genesis: GenesisHash,
    /// The service.
    pub service: ServiceId,
    /// How many caches are to keep it.
    pub factor: u8,
}

/// What owners lack: for each blob runs of slices.
#[derive(Debug, Deserialize)]
pub struct Have {
    /// Owners that answered.
    pub owners: u8,
    /// As many as were asked about.
    pub blobs: Vec<HaveBlob>,
}

/// What owners lack of one blob.
#[derive(Debug, Deserialize)]
pub struct HaveBlob {
    /// Runs: the first slice and how many.
    pub missing: Vec<(u64, u64)>,
}

/// What became of a slice.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Taken {
    /// Owners that have it.
    pub owners: u8,
    /// Owners that there are.
    pub wanted: u8,
}

#[derive(Deserialize)]
struct Described {
    root: String,
    length: u64,
    kind: String,
    media_type: Option<String>,
}

/// Why a request got no answer that counts.
enum Wrong {
    /// Another attempt may get one.
    Passing(Failure),
    /// It will not.
    Lasting(Failure),
}

impl Publisher {
    fn token(&self) -> String {
        let token = PublishToken {
            service: self.service,
            expires: Millis(now().0 + TOKEN.0),
        };
        let message = Domain::PublishToken.message(&self.genesis, &token);
        let signature = CustomerSignature::Sr25519(Signature64(self.signer.sign(&message).0));
        let signed = SignedPublishToken { token, signature };
        format!("Selvedge {}", hex::encode(signed.encode()))
    }
}

impl Gateway {
    /// The gateway with this base URL.
    pub fn new(url: &str) -> Self {
        Self {
            url: url.trim_end_matches('/').to_owned(),
            client: Client::builder(TokioExecutor::new()).build_http(),
        }
    }

    /// Asks what the owners of some blobs lack.
    pub async fn have(&self, by: &Publisher, blobs: &[ContentRef]) -> Result<Have, Failure> {
        let list: Vec<_> = blobs.iter().map(|blob| Blob::from(*blob)).collect();
        let question = json!({ "factor": by.factor, "blobs": list }).to_string();
        let path = format!("/content/v1/{}/have", by.service);
        let answer = self
            .ask(Method::POST, &path, Some(by), question.into(), MAX_ANSWER)
            .await?;
        let have: Have = self.read(&answer)?;
        if have.blobs.len() != blobs.len() {
            return Err(self.failed("it answered about other blobs"));
        }
        Ok(have)
    }

    /// Puts a slice.
    pub async fn put(
        &self,
        by: &Publisher,
        content: &ContentRef,
        slice: &ProvenSlice,
    ) -> Result<Taken, Failure> {
        let path = format!(
            "/content/v1/{}/{}?length={}&kind={}&slice={}&factor={}",
            by.service,
            Root(content.root),
            content.length,
            Blob::from(*content).kind,
            slice.slice,
            by.factor,
        );
        let answer = self
            .ask(Method::PUT, &path, Some(by), slice.to_bytes(), MAX_ANSWER)
            .await?;
        self.read(&answer)
    }

    /// Asks what a path below a root names. Nothing of the answer is proven before the blob has come.
    pub async fn describe(&self, root: &Hash, path: &[Name]) -> Result<Node, Failure> {
        let path = content_path(root, path);
        let answer = self
            .ask(Method::GET, &path, None, Bytes::new(), MAX_ANSWER)
            .await?;
        let said: Described = self.read(&answer)?;
        let kind = match said.kind.as_str() {
            "file" => Some(ContentKind::File),
            "directory" => Some(ContentKind::Directory),
            _ => None,
        };
        let root = said.root.strip_prefix("0x").and_then(crate::keys::bytes32);
        let (Some(kind), Some(root)) = (kind, root) else {
            return Err(self.failed("it describes no content"));
        };
        let length = said.length;
        let media_type = said.media_type.and_then(|text| MediaType::new(&text).ok());
        Ok(Node {
            content: ContentRef { root, length, kind },
            media_type,
        })
    }

    /// Gets a slice of what a path below a root names, and checks it.
    ///
    /// Errors: [`Failure::ContentInvalid`] for bytes that are not those of the root.
    pub async fn slice(
        &self,
        root: &Hash,
        path: &[Name],
        content: &ContentRef,
        slice: u64,
    ) -> Result<ProvenSlice, Failure> {
        let length = ProvenSlice::encoded_length(content.length, slice)
            .ok_or_else(|| self.failed("there is no such slice"))?;
        let path = format!("{}?slice={slice}", content_path(root, path));
        let encoded = self
            .ask(Method::GET, &path, None, Bytes::new(), length)
            .await?;
        ProvenSlice::read(&content.root, content.length, slice, encoded).map_err(|error| {
            Failure::ContentInvalid {
                url: self.url.clone(),
                cause: error.to_string(),
            }
        })
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        by: Option<&Publisher>,
        body: Bytes,
        limit: usize,
    ) -> Result<Bytes, Failure> {
        let mut pause = PAUSE;
        for attempt in 1.. {
            let asked = self.once(method.clone(), path, by, body.clone(), limit);
            let wrong = match tokio::time::timeout(PATIENCE, asked).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(wrong)) => wrong,
                Err(_) => {
                    let cause = format!("no answer within {} s", PATIENCE.as_secs());
                    Wrong::Lasting(self.silent(cause))
                }
            };
            match wrong {
                Wrong::Lasting(failure) => return Err(failure),
                Wrong::Passing(failure) if attempt == ATTEMPTS => return Err(failure),
                Wrong::Passing(_) => tokio::time::sleep(pause).await,
            }
            pause *= 2;
        }
        Err(self.silent("no attempt was made".into()))
    }

    async fn once(
        &self,
        method: Method,
        path: &str,
        by: Option<&Publisher>,
        body: Bytes,
        limit: usize,
    ) -> Result<Bytes, Wrong> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url));
        if let Some(by) = by {
            request = request.header(header::AUTHORIZATION, by.token());
        }
        let request = request
            .body(Full::new(body))
            .map_err(|error| Wrong::Lasting(Failure::Input(format!("{}: {error}", self.url))))?;
        let response = self.client.request(request).await;
        let response = response.map_err(|error| {
            let cause = std::error::Error::source(&error)
                .map_or_else(|| error.to_string(), ToString::to_string);
            Wrong::Passing(self.silent(cause))
        })?;
        let status = response.status();
        if !status.is_success() {
            let said = collected(response, 4096).await.unwrap_or_default();
            return Err(self.refused(status, plain(&String::from_utf8_lossy(&said))));
        }
        let answer = collected(response, limit).await;
        answer.map_err(|error| Wrong::Passing(self.failed(&error)))
    }

    fn refused(&self, status: StatusCode, said: String) -> Wrong {
        let url = self.url.clone();
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Wrong::Lasting(Failure::GatewayRefused { url, reason: said })
            }
            StatusCode::NOT_FOUND => Wrong::Lasting(Failure::NotFound(format!("{url}: {said}"))),
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::REQUEST_TIMEOUT
            | StatusCode::SERVICE_UNAVAILABLE => {
                Wrong::Passing(self.failed(&format!("{status}: {said}")))
            }
            _ => Wrong::Lasting(self.failed(&format!("{status}: {said}"))),
        }
    }

    fn read<T: DeserializeOwned>(&self, answer: &[u8]) -> Result<T, Failure> {
        serde_json::from_slice(answer)
            .map_err(|error| self.failed(&format!("its answer cannot be read: {error}")))
    }

    fn failed(&self, cause: &str) -> Failure {
        Failure::GatewayFailed {
            url: self.url.clone(),
            cause: cause.into(),
        }
    }

    fn silent(&self, cause: String) -> Failure {
        Failure::GatewaySilent {
            url: self.url.clone(),
            cause,
        }
    }
}

async fn collected(response: Response<Incoming>, limit: usize) -> Result<Bytes, String> {
    let body = Limited::new(response.into_body(), limit).collect().await;
    Ok(body.map_err(|error| error.to_string())?.to_bytes())
}

/// Where the public server has what a path below a root names.
pub fn content_path(root: &Hash, path: &[Name]) -> String {
    let names = path.iter().map(|name| format!("/{}", name.to_escaped()));
    format!("/content/v1/{}{}", Root(*root), names.collect::<String>())
}
