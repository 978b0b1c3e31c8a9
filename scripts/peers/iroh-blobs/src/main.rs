//! Serves and fetches blobs with iroh-blobs, for `scripts/bench-content.sh`.
//!
//! ```text
//! bench-iroh-blobs serve FOLDER FILE...          prints {"address", "id", "hashes"}, ends with its input
//! bench-iroh-blobs fetch ADDRESS ID HASH ROUNDS  prints a line {"seconds", "first_byte", "bytes"} for each round
//! ```
//!
//! The server keeps blobs in its file store. The client verifies what arrives and drops it, as a gateway that passes it
//! on. No relay and no discovery: the client is told the address.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::Instant;

use anyhow::{bail, Context, Result};
use bao_tree::io::BaoContentItem;
use iroh::endpoint::presets;
use iroh::protocol::Router;
use iroh::{Endpoint, EndpointAddr, EndpointId, RelayMode, TransportAddr};
use iroh_blobs::get::request::{get_blob, GetBlobItem};
use iroh_blobs::store::fs::FsStore;
use iroh_blobs::{BlobsProtocol, Hash};
use n0_future::StreamExt;
use serde_json::json;
use tokio::io::AsyncReadExt;

#[tokio::main]
async fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["serve", folder, files @ ..] => serve(folder, files).await,
        ["fetch", address, id, hash, rounds] => {
            let address: SocketAddr = address.parse().context("ADDRESS is ip:port")?;
            let id: EndpointId = id.parse().context("ID is an endpoint's")?;
            let hash: Hash = hash.parse().context("HASH is 32 bytes in hex")?;
            fetch(
                address,
                id,
                hash,
                rounds.parse().context("ROUNDS is a number")?,
            )
            .await
        }
        _ => bail!("serve FOLDER FILE... | fetch ADDRESS ID HASH ROUNDS"),
    }
}

async fn endpoint() -> Result<Endpoint> {
    Ok(Endpoint::builder(presets::Minimal)
        .relay_mode(RelayMode::Disabled)
        .clear_ip_transports()
        .bind_addr(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))?
        .bind()
        .await?)
}

async fn serve(folder: &str, files: &[&str]) -> Result<()> {
    let store = FsStore::load(folder).await?;
    let mut hashes = Vec::new();
    for file in files {
        let path = std::path::absolute(file)?;
        hashes.push(store.blobs().add_path(path).await?.hash.to_string());
    }
    let endpoint = endpoint().await?;
    let address = *endpoint.bound_sockets().first().context("no socket")?;
    let id = endpoint.id().to_string();
    let router = Router::builder(endpoint)
        .accept(iroh_blobs::ALPN, BlobsProtocol::new(&store, None))
        .spawn();
    println!(
        "{}",
        json!({"address": address, "id": id, "hashes": hashes})
    );
    tokio::io::stdin().read_to_end(&mut Vec::new()).await?;
    router.shutdown().await?;
    store.shutdown().await?;
    Ok(())
}

async fn fetch(address: SocketAddr, id: EndpointId, hash: Hash, rounds: usize) -> Result<()> {
    let endpoint = endpoint().await?;
    let peer = EndpointAddr::from_parts(id, [TransportAddr::Ip(address)]);
    let connection = endpoint.connect(peer, iroh_blobs::ALPN).await?;
    for _ in 0..rounds {
        let began = Instant::now();
        let mut items = get_blob(connection.clone(), hash);
        let (mut bytes, mut first_byte) = (0, None);
        loop {
            match items.next().await {
                Some(GetBlobItem::Item(BaoContentItem::Leaf(leaf))) => {
                    first_byte.get_or_insert_with(|| began.elapsed().as_secs_f64());
                    bytes += leaf.data.len() as u64;
                }
                Some(GetBlobItem::Item(BaoContentItem::Parent(_))) => {}
                Some(GetBlobItem::Done(_)) => break,
                Some(GetBlobItem::Error(error)) => return Err(error.into()),
                None => bail!("the stream ended early"),
            }
        }
        let seconds = began.elapsed().as_secs_f64();
        println!(
            "{}",
            json!({"seconds": seconds, "first_byte": first_byte, "bytes": bytes})
        );
    }
    endpoint.close().await;
    Ok(())
}
