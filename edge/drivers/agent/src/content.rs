//! Content over HTTP, beside the audit endpoint: customers put it, anyone reads what is pinned.
//!
//! | Request | Body | Answer |
//! |---|---|---|
//! | `POST /content/v1/{service}/have` | `{factor, blobs: [{root, length, kind}]}`, at most 1,024 | `{owners, blobs: [{root, missing: [[first, count]]}]}`: slices that an owner lacks |
//! | `PUT /content/v1/{service}/{root}?length=&kind=&slice=&factor=` | a slice behind its proof | `{owners, wanted, complete}` once the owners that can be reached have it |
//! | `GET /content/v1/{root}/{path}` | | `{root, length, kind, media_type, service}` |
//! | `GET /content/v1/{root}/{path}?slice=` | | a slice behind its proof |
//!
//! A root is `0x` and 64 hexadecimal digits; `{path}` leads through the directories below it, each component escaped, and is left out for the blob itself. The first
//! two show a publish token of the account that pays for the service ([`crate::publish_token`]). Who reads needs none: the service that has the root pinned
//! is charged, as for a visitor's request.
//!
//! Every slice is verified before it goes on. What is not pinned within the hour is dropped again.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use http::{header, HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use selvedge_edge_core_content::{MediaType, Name, PathError, MAX_DEPTH, MAX_PATH};
use selvedge_edge_core_verify::{ProvenSlice, SliceProof};
use selvedge_edge_drivers_http::{collect, Body, CollectError};
use selvedge_primitives_types::{ContentKind, ContentRef, Hash, ServiceId, MAX_FACTOR};
use serde::Deserialize;
use serde_json::{json, Value};
use tokio::sync::Semaphore;

use crate::customer::publish_token;
use crate::insight::{refusal, Insight};
use crate::{clock, reply};

/// The most blobs that are asked about at a time.
const MAX_BLOBS: usize = 1_024;
/// Octets of such a question: about 130 for each blob.
const MAX_QUESTION: usize = 256 * 1024;
/// How long a question may take to arrive.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a slice may take: 1 MiB at 70 kB/s.
const SLICE_TIMEOUT: Duration = Duration::from_secs(15);
/// Slices that are taken at the same time, which bounds the memory they need to 64 MiB.
pub(crate) const AT_ONCE: usize = 64;

/// Why content is not taken or given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContentRefused {
    /// No cache that owns it can be reached.
    #[error("no cache that owns the content can be reached")]
    NoOwner,
    /// The caches have no room for it, or the service has put as much as it may without pinning it.
    #[error("there is no room: pin what was put, or wait an hour")]
    NoRoom,
    /// The service is not served now.
    #[error("the service is not served now")]
    NotServed,
    /// No service has it pinned.
    #[error("no service has this root pinned")]
    NotPinned,
    /// The path names nothing.
    #[error("the path names nothing below this root")]
    Absent,
    /// The blob has no such slice.
    #[error("the content has no such slice")]
    NoSlice,
    /// A directory on the way is none.
    #[error("what is pinned as a directory is none")]
    NotADirectory,
    /// The service's lease is used up for this epoch.
    #[error("the service's allowance is used up")]
    OutOfLease,
    /// As much is under way as may be.
    #[error("too much is under way; try again")]
    Busy,
}

/// Where content goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upload {
    /// The service that it is for.
    pub service: ServiceId,
    /// How many caches are to have it, 1 to [`MAX_FACTOR`].
    pub factor: u8,
}

/// What owners lack of some blobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lacking {
    /// Owners of the first blob that answered.
    pub owners: u8,
    /// For each blob the slices that one of its owners lacks: runs of the first and how many. Empty when all of
    /// them have it whole.
    pub missing: Vec<Vec<(u64, u64)>>,
}

/// What became of a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Owners that have it now.
    pub owners: u8,
    /// Owners that there are.
    pub wanted: u8,
    /// Whether those have the whole blob.
    pub is_complete: bool,
}

/// What a path below a root names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// The blob.
    pub content: ContentRef,
    /// Its media type; none for a directory, and for a root that nothing names.
    pub media_type: Option<MediaType>,
    /// The service that is charged.
    pub service: ServiceId,
}

/// What a gateway does with content.
pub trait ContentDesk: Insight {
    /// Says what the owners of some blobs lack.
    fn lacking(
        self: Arc<Self>,
        upload: Upload,
        blobs: Vec<ContentRef>,
    ) -> impl Future<Output = Result<Lacking, ContentRefused>> + Send;

    /// Hands a verified slice to the owners.
    fn take(
        self: Arc<Self>,
        upload: Upload,
        content: ContentRef,
        slice: ProvenSlice,
    ) -> impl Future<Output = Result<Taken, ContentRefused>> + Send;

    /// Finds what a path below a pinned root names.
    fn describe(
        self: Arc<Self>,
        root: Hash,
        path: Vec<Name>,
    ) -> impl Future<Output = Result<Described, ContentRefused>> + Send;

    /// Gives a slice of it, encoded behind its proof, counted as it is sent.
    fn give(
        self: Arc<Self>,
        described: Described,
        slice: u64,
    ) -> impl Future<Output = Result<Body, ContentRefused>> + Send;
}

/// What a request is about.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Have(ServiceId),
    Put(ServiceId, Hash),
    Get(Hash, Vec<Name>),
}

/// Answers a request below `/content/v1`, of which `path` is the rest.
pub(crate) async fn answer<D: ContentDesk>(
    desk: &Arc<D>,
    path: &str,
    request: Request<Incoming>,
    turns: &Semaphore,
) -> Response<Body> {
    let asked = match asked(path) {
        Ok(Some(asked)) => asked,
        Ok(None) => return reply::problem(StatusCode::NOT_FOUND, "there is nothing here"),
        Err(error) => return reply::problem(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let (method, named) = match asked {
        Asked::Have(service) => (Method::POST, Some(service)),
        Asked::Put(service, _) => (Method::PUT, Some(service)),
        Asked::Get(..) => (Method::GET, None),
    };
    if *request.method() != method {
        return reply::problem(
            StatusCode::METHOD_NOT_ALLOWED,
            &format!("use {method} here"),
        );
    }
    if let Some(service) = named {
        if let Err(refused) = admit(&**desk, &request, service) {
            return refusal(refused, desk.genesis());
        }
    }
    let answered = match asked {
        Asked::Have(service) => have(desk, service, request).await,
        Asked::Put(service, root) => put(desk, service, root, request, turns).await,
        Asked::Get(root, path) => get(desk, root, path, request.uri().query()).await,
    };
    answered.unwrap_or_else(|response| response)
}

type Answer = Result<Response<Body>, Response<Body>>;

fn admit(
    desk: &impl Insight,
    request: &Request<Incoming>,
    service: ServiceId,
) -> Result<(), crate::ReadRefused> {
    let shown = request.headers().get(header::AUTHORIZATION);
    let shown = shown.map(HeaderValue::as_bytes);
    let genesis = desk.genesis().ok_or(crate::ReadRefused::UnknownService)?;
    let opened = publish_token(shown, &genesis, clock::now(), |named| desk.customer(named))?;
    match opened == service {
        true => Ok(()),
        false => Err(crate::ReadRefused::OtherScope),
    }
}

async fn have<D: ContentDesk>(
    desk: &Arc<D>,
    service: ServiceId,
    request: Request<Incoming>,
) -> Answer {
    let body = collect(request.into_body(), MAX_QUESTION, QUESTION_TIMEOUT).await;
    let body = body.map_err(uncollected)?;
    let (factor, blobs) = question(&body).map_err(wrong)?;
    let upload = Upload { service, factor };
    let lacking = desk.clone().lacking(upload, blobs.clone()).await;
    let Lacking { owners, missing } = lacking.map_err(refused)?;
    let blobs: Vec<Value> = blobs
        .iter()
        .zip(missing)
        .map(|(blob, missing)| json!({ "root": root_hex(&blob.root), "missing": missing }))
        .collect();
    Ok(reply::json(&json!({ "owners": owners, "blobs": blobs })))
}

async fn put<D: ContentDesk>(
    desk: &Arc<D>,
    service: ServiceId,
    root: Hash,
    request: Request<Incoming>,
    turns: &Semaphore,
) -> Answer {
    let query = request.uri().query().unwrap_or_default();
    let (factor, content, slice) = put_of(query, root).map_err(wrong)?;
    let Some(length) = ProvenSlice::encoded_length(content.length, slice) else {
        return Err(refused(ContentRefused::NoSlice));
    };
    // It fails only when it is closed, which nobody does.
    let turn = turns.acquire().await;
    let _turn = turn.map_err(|_| refused(ContentRefused::Busy))?;
    let body = collect(request.into_body(), length, SLICE_TIMEOUT).await;
    let body = body.map_err(uncollected)?;
    let slice = ProvenSlice::read(&content.root, content.length, slice, body)
        .map_err(|error| reply::problem(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string()))?;
    let upload = Upload { service, factor };
    let taken = desk.clone().take(upload, content, slice).await;
    let taken = taken.map_err(refused)?;
    Ok(reply::json(&json!({
        "owners": taken.owners,
        "wanted": taken.wanted,
        "complete": taken.is_complete,
    })))
}

async fn get<D: ContentDesk>(
    desk: &Arc<D>,
    root: Hash,
    path: Vec<Name>,
    query: Option<&str>,
) -> Answer {
    let described = desk.clone().describe(root, path).await.map_err(refused)?;
    let query = query.unwrap_or_default();
    if query.is_empty() {
        let Described {
            content,
            media_type,
            service,
        } = described;
        return Ok(reply::json(&json!({
            "root": root_hex(&content.root),
            "length": content.length,
            "kind": kind_name(content.kind),
            "media_type": media_type.as_ref().map(MediaType::as_str),
            "service": service.0,
        })));
    }
    let slice = number(query, "slice").ok_or_else(|| wrong("name a slice: ?slice=0"))?;
    if SliceProof::shape(described.content.length, slice).is_none() {
        return Err(refused(ContentRefused::NoSlice));
    }
    let body = desk.clone().give(described, slice).await.map_err(refused)?;
    let mut response = reply::scale(Vec::new());
    *response.body_mut() = body;
    Ok(response)
}

fn uncollected(error: CollectError) -> Response<Body> {
    let status = match error {
        CollectError::TooLong { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        CollectError::TooSlow => StatusCode::REQUEST_TIMEOUT,
        CollectError::Broken(_) => StatusCode::BAD_REQUEST,
    };
    reply::problem(status, &error.to_string())
}

fn refused(refused: ContentRefused) -> Response<Body> {
    let status = match refused {
        ContentRefused::NoOwner | ContentRefused::Busy | ContentRefused::OutOfLease => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        ContentRefused::NoRoom => StatusCode::INSUFFICIENT_STORAGE,
        ContentRefused::NotServed => StatusCode::FORBIDDEN,
        ContentRefused::NotPinned | ContentRefused::Absent | ContentRefused::NoSlice => {
            StatusCode::NOT_FOUND
        }
        ContentRefused::NotADirectory => StatusCode::BAD_GATEWAY,
    };
    reply::problem(status, &refused.to_string())
}

fn wrong(what: &str) -> Response<Body> {
    reply::problem(StatusCode::BAD_REQUEST, what)
}

fn asked(path: &str) -> Result<Option<Asked>, PathError> {
    if path.len() > MAX_PATH {
        return Err(PathError::TooLong(path.len()));
    }
    let Some((first, rest)) = path
        .strip_prefix('/')
        .map(|path| path.split_once('/').unwrap_or((path, "")))
    else {
        return Ok(None);
    };
    if let Some(root) = root_of(first) {
        let parts = rest.split('/').filter(|_| !rest.is_empty());
        let names: Vec<Name> = parts.map(Name::from_escaped).collect::<Result<_, _>>()?;
        if names.len() > MAX_DEPTH {
            return Err(PathError::TooDeep);
        }
        return Ok(Some(Asked::Get(root, names)));
    }
    let Ok(service) = first.parse().map(ServiceId) else {
        return Ok(None);
    };
    Ok(match rest {
        "have" => Some(Asked::Have(service)),
        _ => root_of(rest).map(|root| Asked::Put(service, root)),
    })
}

/// A blob as it is asked about.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Blob {
    root: String,
    length: u64,
    kind: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    factor: u8,
    blobs: Vec<Blob>,
}

fn question(body: &[u8]) -> Result<(u8, Vec<ContentRef>), &'static str> {
    let question: Question =
        serde_json::from_slice(body).map_err(|_| "the body is not {factor, blobs}")?;
    let factor = factor(question.factor.into())?;
    if question.blobs.len() > MAX_BLOBS {
        return Err("at most 1024 blobs at a time");
    }
    let blobs = question.blobs.iter().map(|blob| {
        Ok(ContentRef {
            root: root_of(&blob.root).ok_or("a root is 0x and 64 hexadecimal digits")?,
            length: length(blob.length)?,
            kind: kind_of(&blob.kind)?,
        })
    });
    Ok((factor, blobs.collect::<Result<_, &str>>()?))
}

fn put_of(query: &str, root: Hash) -> Result<(u8, ContentRef, u64), &'static str> {
    let named = number(query, "length").ok_or("name the length: ?length=")?;
    let kind = parameter(query, "kind").ok_or("name the kind: ?kind=")?;
    let content = ContentRef {
        root,
        length: length(named)?,
        kind: kind_of(kind)?,
    };
    let slice = number(query, "slice").ok_or("name the slice: ?slice=")?;
    let named = number(query, "factor").ok_or("name the factor: ?factor=")?;
    Ok((factor(named)?, content, slice))
}

fn factor(named: u64) -> Result<u8, &'static str> {
    match u8::try_from(named) {
        Ok(factor @ 1..=MAX_FACTOR) => Ok(factor),
        _ => Err("a factor is 1 to 16"),
    }
}

fn length(named: u64) -> Result<u64, &'static str> {
    let is_handled = named <= selvedge_edge_core_verify::shape::MAX_BODY;
    is_handled.then_some(named).ok_or("at most 64 GiB")
}

fn kind_of(name: &str) -> Result<ContentKind, &'static str> {
    match name {
        "file" => Ok(ContentKind::File),
        "directory" => Ok(ContentKind::Directory),
        _ => Err("a kind is file or directory"),
    }
}

fn kind_name(kind: ContentKind) -> &'static str {
    match kind {
        ContentKind::File => "file",
        ContentKind::Directory => "directory",
    }
}

fn root_of(text: &str) -> Option<Hash> {
    let mut root = [0; 32];
    hex::decode_to_slice(text.strip_prefix("0x")?, &mut root).ok()?;
    Some(root)
}

fn root_hex(root: &Hash) -> String {
    format!("0x{}", hex::encode(root))
}

fn number(query: &str, name: &str) -> Option<u64> {
    parameter(query, name)?.parse().ok()
}

fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use selvedge_edge_core_content::NameError;

    const ROOT: &str = "0x0707070707070707070707070707070707070707070707070707070707070707";

    #[test]
    fn paths_say_what_is_asked() {
        let names = |names: &[&str]| names.iter().map(|name| Name::new(name).unwrap()).collect();
        for (path, expected) in [
            ("/7/have".to_owned(), Some(Asked::Have(ServiceId(7)))),
            (
                format!("/7/{ROOT}"),
                Some(Asked::Put(ServiceId(7), [7; 32])),
            ),
            (format!("/{ROOT}"), Some(Asked::Get([7; 32], Vec::new()))),
            (
                format!("/{ROOT}/a%20b/c"),
                Some(Asked::Get([7; 32], names(&["a b", "c"]))),
            ),
            (String::new(), None),
            ("/".to_owned(), None),
            ("/7".to_owned(), None),
            ("/7/".to_owned(), None),
            ("/x/have".to_owned(), None),
            (format!("/7/{}", &ROOT[..64]), None),
            (format!("/7/{ROOT}/a"), None),
        ] {
            assert_eq!(asked(&path), Ok(expected), "{path}");
        }
        for (rest, error) in [
            ("..", NameError::Dots.into()),
            ("a/%2e%2e/b", NameError::Dots.into()),
            ("a%2fb", NameError::Character('/').into()),
            ("a//b", NameError::Empty.into()),
            ("%00", NameError::Character('\0').into()),
            ("%0", PathError::Escape),
        ] {
            assert_eq!(asked(&format!("/{ROOT}/{rest}")), Err(error), "{rest}");
        }
        let long = format!("/{ROOT}/{}", "a".repeat(1 << 20));
        assert_eq!(asked(&long), Err(PathError::TooLong(long.len())));
        let deep = format!("/{ROOT}{}", "/a".repeat(MAX_DEPTH + 1));
        assert_eq!(asked(&deep), Err(PathError::TooDeep));
    }

    #[test]
    fn questions_are_bounded() {
        let blob = json!({ "root": ROOT, "length": 3, "kind": "file" });
        let ask = |factor: u64, blobs: Vec<Value>| {
            question(
                json!({ "factor": factor, "blobs": blobs })
                    .to_string()
                    .as_bytes(),
            )
        };
        let (factor, blobs) = ask(3, vec![blob.clone(); MAX_BLOBS]).unwrap();
        assert_eq!((factor, blobs.len()), (3, MAX_BLOBS));
        assert!(ask(3, vec![blob.clone(); MAX_BLOBS + 1]).is_err());
        for factor in [0, 17, 256] {
            assert!(ask(factor, vec![blob.clone()]).is_err());
        }
        for (field, value) in [
            ("root", json!("0x07")),
            ("length", json!(-1)),
            ("length", json!(64 * (1_u64 << 30) + 1)),
            ("kind", json!("link")),
            ("more", json!(1)),
        ] {
            let mut blob = blob.clone();
            blob[field] = value;
            assert!(ask(3, vec![blob.clone()]).is_err(), "{blob}");
        }
        // The longest question that is answered fits.
        let longest =
            vec![json!({ "root": ROOT, "length": 64_u64 << 30, "kind": "directory" }); MAX_BLOBS];
        let longest = json!({ "factor": 16, "blobs": longest }).to_string();
        assert!(longest.len() <= MAX_QUESTION);
    }

    #[test]
    fn a_put_names_everything_that_its_bytes_are_judged_by() {
        let whole = "length=5&kind=directory&slice=0&factor=2";
        let content = ContentRef {
            root: [7; 32],
            length: 5,
            kind: ContentKind::Directory,
        };
        assert_eq!(put_of(whole, [7; 32]), Ok((2, content, 0)));
        for part in whole.split('&') {
            let rest = whole.replace(part, "");
            assert!(put_of(&rest, [7; 32]).is_err(), "{rest}");
            let name = part.split('=').next().unwrap();
            let bad = whole.replace(part, &format!("{name}=99999999999999999999"));
            assert!(put_of(&bad, [7; 32]).is_err(), "{bad}");
        }
    }
}
