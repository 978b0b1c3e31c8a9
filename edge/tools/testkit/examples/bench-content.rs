//! Blobs from a cache to whoever asks it, for `scripts/bench-content.sh`.
//!
//! ```text
//! bench-content serve PROGRAM FOLDER FILE...            prints {"address", "id", "hashes"}, ends with its input
//! bench-content fetch ADDRESS ID HASH:LENGTH ROUNDS     prints a line {"seconds", "first_byte", "bytes"} for each round
//! bench-content serve-plain FOLDER FILE...              the same hop without proofs: HTTP/2 over TLS 1.3
//! bench-content fetch-plain ADDRESS ROOTS NAME ROUNDS
//! bench-content hash FILE                               prints {"blake3", "tree"} in MiB/s on one core
//! ```
//!
//! The server is a cache that has the files pinned. The client is a node of the chain's config that verifies what arrives
//! as a gateway does, and drops it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{bail, Context, Result};
use bytes::Bytes;
use futures::StreamExt;
use http::{Request, Response};
use http_body_util::{combinators::UnsyncBoxBody, BodyExt, Empty, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use selvedge_edge_core_content::content_of;
use selvedge_edge_core_verify::Outboard;
use selvedge_edge_drivers_transport::{Identity, PeerAddress, Peers, PeersOptions};
use selvedge_edge_tools_testkit::certs::Certificate;
use selvedge_edge_tools_testkit::tree::Putter;
use selvedge_edge_tools_testkit::{device_key, Net, Plan, Settings};
use selvedge_primitives_types::{
    ContentConfig, ContentKind, ContentRef, DeviceId, Pin, Role, ServiceId,
};
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

/// Seeds of the gateway that puts blobs, and of the cache that gets them.
const PUTTER: u8 = 90;
const GETTER: u8 = 91;
/// As the transport between nodes has them.
const STREAM_WINDOW: u32 = 1024 * 1024;
const CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;
const PIECE: usize = 96 * 1024;
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["serve", program, _folder, files @ ..] => serve(program, files).await,
        ["fetch", address, id, blob, rounds] => fetch(address, id, blob, rounds.parse()?).await,
        ["serve-plain", folder, files @ ..] => serve_plain(Path::new(folder), files).await,
        ["fetch-plain", address, roots, name, rounds] => {
            fetch_plain(address.parse()?, Path::new(roots), name, rounds.parse()?).await
        }
        ["hash", file] => hash(file),
        _ => bail!("what is to be done? See the top of bench-content.rs"),
    }
}

async fn serve(program: &str, files: &[&str]) -> Result<()> {
    let blobs = files.iter().map(|file| {
        let bytes = Bytes::from(std::fs::read(file)?);
        Ok((content_of(&bytes, ContentKind::File), bytes))
    });
    let blobs: Vec<(ContentRef, Bytes)> = blobs.collect::<Result<_>>()?;
    let plan = Plan {
        gateways: 0,
        // As fast as it can.
        cache: Settings::default().set("cache.copy_mib", 100_000),
        ..Plan::default()
    };
    let mut net = Net::start(PathBuf::from(program), plan).await;
    let pins = blobs.iter().map(|(content, _)| Pin {
        content: *content,
        bytes: content.length,
        factor: 1,
    });
    net.site().content = ContentConfig {
        pins: pins.collect(),
        ..ContentConfig::default()
    };
    let getter = Identity::new(device_key(GETTER))?.device();
    let nowhere = "127.0.0.1:1".to_owned();
    net.chain
        .register_node(getter, Role::Cache, nowhere, String::new());
    let putter = Putter::start(&mut net, PUTTER).await;
    let cache = PeerAddress {
        device: net.caches[0].device(),
        endpoint: net.caches[0].address("transport").to_string(),
    };
    for (content, bytes) in &blobs {
        putter.put(&cache, *content, bytes).await;
    }
    let hashes = blobs
        .iter()
        .map(|(content, _)| format!("{}:{}", hex::encode(content.root), content.length));
    let hashes: Vec<String> = hashes.collect();
    drop(blobs);
    println!(
        "{}",
        json!({ "address": cache.endpoint, "id": hex::encode(cache.device.0), "hashes": hashes })
    );
    until_input_ends().await
}

async fn fetch(address: &str, id: &str, blob: &str, rounds: usize) -> Result<()> {
    let root_and_length = blob.split_once(':').context("HASH:LENGTH")?;
    let bytes_of = |text: &str| -> Result<[u8; 32]> {
        hex::decode(text)?
            .try_into()
            .ok()
            .context("32 bytes in hex")
    };
    let content = ContentRef {
        root: bytes_of(root_and_length.0)?,
        length: root_and_length.1.parse()?,
        kind: ContentKind::File,
    };
    let cache = PeerAddress {
        device: DeviceId(bytes_of(id)?),
        endpoint: address.to_owned(),
    };
    let peers = Peers::new(
        Arc::new(Identity::new(device_key(GETTER))?),
        PeersOptions::default(),
    );
    // The handshake is nobody's time.
    peers.have_content(&cache, &[content.root]).await?;
    for _ in 0..rounds {
        let began = Instant::now();
        let mut stream = peers
            .get_content(&cache, ServiceId(1), content, 0..content.length)
            .await?;
        let (mut bytes, mut first_byte) = (0, None);
        while let Some(piece) = stream.next(PATIENCE).await? {
            first_byte.get_or_insert_with(|| began.elapsed());
            bytes += piece.len() as u64;
        }
        say(began, first_byte, bytes);
    }
    Ok(())
}

async fn serve_plain(folder: &Path, files: &[&str]) -> Result<()> {
    let certificate = Certificate::new(&["localhost"]);
    let roots = folder.join("roots.pem");
    certificate.write_root(&roots);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let tls = tokio_rustls::TlsAcceptor::from(certificate.server_http2());
    let names: Vec<String> = (0..files.len()).map(|number| number.to_string()).collect();
    println!(
        "{}",
        json!({ "address": listener.local_addr()?, "id": roots, "hashes": names })
    );
    let files: Arc<[PathBuf]> = files.iter().map(PathBuf::from).collect();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (tls, files) = (tls.clone(), files.clone());
            tokio::spawn(async move {
                stream.set_nodelay(true)?;
                let stream = tls.accept(stream).await?;
                let service =
                    hyper::service::service_fn(move |request| give(files.clone(), request));
                let served = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service);
                served.await.map_err(anyhow::Error::from)
            });
        }
    });
    until_input_ends().await
}

async fn give(
    files: Arc<[PathBuf]>,
    request: Request<Incoming>,
) -> Result<Response<UnsyncBoxBody<Bytes, std::io::Error>>> {
    let number: usize = request.uri().path().trim_start_matches('/').parse()?;
    let file = tokio::fs::File::open(files.get(number).context("no such file")?).await?;
    let pieces = futures::stream::unfold(file, |mut file| async move {
        let mut piece = vec![0; PIECE];
        match file.read(&mut piece).await {
            Ok(0) => None,
            Ok(length) => {
                piece.truncate(length);
                Some((Ok(Frame::data(Bytes::from(piece))), file))
            }
            Err(error) => Some((Err(error), file)),
        }
    });
    Ok(Response::new(
        StreamBody::new(pieces.boxed()).boxed_unsync(),
    ))
}

async fn fetch_plain(address: SocketAddr, roots: &Path, name: &str, rounds: usize) -> Result<()> {
    let tls = tokio_rustls::TlsConnector::from(Certificate::client_http2(roots)?);
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let stream = tls.connect("localhost".try_into()?, stream).await?;
    let (mut sender, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .handshake(TokioIo::new(stream))
        .await?;
    tokio::spawn(connection);
    for _ in 0..rounds {
        let began = Instant::now();
        let request =
            Request::get(format!("https://localhost/{name}")).body(Empty::<Bytes>::new())?;
        let mut body = sender.send_request(request).await?.into_body();
        let (mut bytes, mut first_byte) = (0, None);
        while let Some(frame) = body.frame().await {
            if let Ok(data) = frame?.into_data() {
                first_byte.get_or_insert_with(|| began.elapsed());
                bytes += data.len() as u64;
            }
        }
        say(began, first_byte, bytes);
    }
    Ok(())
}

/// The best of a few, since the first finds nothing in the processor's caches.
fn hash(file: &str) -> Result<()> {
    let bytes = std::fs::read(file)?;
    let rate = |root: fn(&[u8]) -> [u8; 32]| {
        let rounds = (0..5).map(|_| {
            let began = Instant::now();
            (
                root(&bytes),
                bytes.len() as f64 / 1024.0 / 1024.0 / began.elapsed().as_secs_f64(),
            )
        });
        rounds.fold(
            ([0; 32], 0.0),
            |best, round| if round.1 > best.1 { round } else { best },
        )
    };
    let (root, plain) = rate(|bytes| *blake3::hash(bytes).as_bytes());
    let (same, tree) = rate(|bytes| *Outboard::of(bytes).root());
    anyhow::ensure!(root == same, "two roots of one file");
    println!("{}", json!({ "blake3": plain, "tree": tree }));
    Ok(())
}

fn say(began: Instant, first_byte: Option<Duration>, bytes: u64) {
    let seconds = began.elapsed().as_secs_f64();
    let first_byte = first_byte.map(|elapsed| elapsed.as_secs_f64());
    println!(
        "{}",
        json!({ "seconds": seconds, "first_byte": first_byte, "bytes": bytes })
    );
}

async fn until_input_ends() -> Result<()> {
    let ended =
        tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
    ended.await??;
    Ok(())
}
