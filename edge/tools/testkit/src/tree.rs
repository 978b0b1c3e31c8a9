//! Content: a site's tree, and a gateway of the test's own that puts it into caches.

use crate::{device_key, net::Net};
use bytes::Bytes;
use selvedge_edge_core_content::{content_of, MediaType, Name, TreeBuilder};
use selvedge_edge_core_routing::{Placement, Target};
use selvedge_edge_core_verify::{shape, Outboard};
use selvedge_edge_drivers_transport::{
    ContentError, Identity, PeerAddress, Peers, PeersOptions, PutAnswer, PutContent,
};
use selvedge_primitives_types::{
    ContentConfig, ContentKind, ContentRef, DeviceId, Pin, Role, ServiceId,
};
use std::sync::Arc;

/// A site as content.
#[derive(Clone, Debug)]
pub struct Tree {
    /// Its topmost directory.
    pub root: ContentRef,
    /// Every blob of it.
    pub blobs: Vec<(ContentRef, Bytes)>,
    /// What a pin of it covers.
    pub bytes: u64,
}

impl Tree {
    /// Makes a tree of files by their paths; media types follow from the names.
    pub fn new(files: &[(&str, &[u8])]) -> Self {
        let mut builder = TreeBuilder::new();
        let mut blobs = Vec::new();
        for (path, bytes) in files {
            let names = path.split('/').map(|name| Name::new(name).expect("a name"));
            let names: Vec<Name> = names.collect();
            let content = content_of(bytes, ContentKind::File);
            let media = MediaType::of_name(names.last().expect("a name"));
            builder.file(&names, content, media).expect("a new path");
            blobs.push((content, Bytes::copy_from_slice(bytes)));
        }
        let tree = builder.build().expect("a small tree");
        let directories = tree.directories.into_iter();
        blobs.extend(directories.map(|(content, bytes)| (content, Bytes::from(bytes))));
        Self {
            root: tree.root,
            bytes: tree.bytes,
            blobs,
        }
    }

    /// A pin of it.
    pub fn pin(&self, factor: u8) -> Pin {
        Pin {
            content: self.root,
            bytes: self.bytes,
            factor,
        }
    }

    /// What a service has that serves the first of these trees, and keeps all of them.
    pub fn site(trees: &[&Self], factor: u8) -> ContentConfig {
        let mut pins: Vec<Pin> = trees.iter().map(|tree| tree.pin(factor)).collect();
        pins.sort_unstable();
        pins.dedup();
        ContentConfig {
            site: trees.first().map(|tree| tree.root),
            rules: None,
            pins,
        }
    }
}

/// A registered gateway that is not there for visitors.
pub struct Putter {
    peers: Peers,
    device: DeviceId,
}

impl Putter {
    /// Registers one with this seed and tells everybody.
    pub async fn start(net: &mut Net, seed: u8) -> Self {
        let putter = Self::stranger(seed);
        let nowhere = "127.0.0.1:1".to_owned();
        net.chain
            .register_node(putter.device, Role::Gateway, nowhere, String::new());
        net.push().await;
        putter
    }

    /// One that nobody has registered.
    pub fn stranger(seed: u8) -> Self {
        let identity = Arc::new(Identity::new(device_key(seed)).expect("a device key"));
        let device = identity.device();
        let peers = Peers::new(identity, PeersOptions::default());
        Self { peers, device }
    }

    /// Its device.
    pub fn device(&self) -> DeviceId {
        self.device
    }

    /// What it sends with.
    pub fn peers(&self) -> &Peers {
        &self.peers
    }

    /// Puts some slices of a blob into one cache.
    pub async fn put_slices(
        &self,
        cache: &PeerAddress,
        content: ContentRef,
        bytes: &Bytes,
        slices: impl IntoIterator<Item = u64>,
    ) -> Result<PutAnswer, ContentError> {
        let put = PutContent {
            service: ServiceId(1),
            content,
        };
        let outboard = Outboard::of(bytes);
        let stream = self.peers.put_content(cache, &put).await?;
        for slice in slices {
            let place = shape::slice_bytes(content.length, slice);
            let bytes = bytes.slice(place.start as usize..place.end as usize);
            let proof = outboard.slice_proof(slice).expect("a slice of it");
            if stream.send(slice, &proof, bytes).await.is_err() {
                break;
            }
        }
        stream.finish().await
    }

    /// Puts a whole blob into one cache.
    pub async fn put(&self, cache: &PeerAddress, content: ContentRef, bytes: &Bytes) {
        let slices = 0..shape::slices(content.length);
        let answer = self.put_slices(cache, content, bytes, slices).await;
        assert_eq!(answer.expect("a cache that is there"), PutAnswer::Complete);
    }

    /// Puts each blob of a tree into so many of its owners.
    pub async fn place(&self, net: &Net, tree: &Tree, factor: usize) {
        for (content, bytes) in &tree.blobs {
            for cache in owners(net, content, factor) {
                self.put(&cache, *content, bytes).await;
            }
        }
    }
}

/// The caches that a blob belongs to.
pub fn owners(net: &Net, content: &ContentRef, factor: usize) -> Vec<PeerAddress> {
    let nodes = &net.chain.nodes;
    let owners = Placement::new(nodes).owners(Target::Content(&content.root), factor as u8);
    let address = |device: &DeviceId| {
        let node = nodes.iter().find(|node| node.device == *device);
        let node = node.expect("it is registered");
        PeerAddress {
            device: *device,
            endpoint: String::from_utf8_lossy(&node.endpoint).into_owned(),
        }
    };
    owners.iter().map(address).collect()
}
