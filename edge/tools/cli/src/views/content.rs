//! Content of a service.

use crate::{content::Root, keys::address};
use selvedge_primitives_runtime_api as api;
use selvedge_primitives_types::{ContentKind, ContentRef};
use serde::Serialize;

/// What a service keeps in the network.
#[derive(Serialize)]
pub struct Content {
    pub service: u64,
    pub owner: String,
    pub site: Option<Blob>,
    pub rules: Option<Blob>,
    pub pins: Vec<Pinned>,
    /// Bytes of all places of all pins.
    pub kept_bytes: u64,
}

/// A blob that is named by its root.
#[derive(Serialize)]
pub struct Blob {
    pub root: String,
    pub length: u64,
    /// `file` or `directory`.
    pub kind: &'static str,
}

/// A pin.
#[derive(Serialize)]
pub struct Pinned {
    #[serde(flatten)]
    pub content: Blob,
    pub bytes: u64,
    pub factor: u8,
    pub deposit: String,
    pub epoch: u64,
    pub block: u32,
}

/// Where the site or the rules were moved to.
#[derive(Serialize)]
pub struct Move {
    pub version: u32,
    pub root: Option<String>,
    pub epoch: u64,
    pub block: u32,
    /// Whether it can be gone back to.
    pub pinned: bool,
}

impl Content {
    pub fn new(service: u64, view: &api::ContentView) -> Self {
        Self {
            service,
            owner: address(&view.owner),
            site: view.site.map(Into::into),
            rules: view.rules.map(Into::into),
            pins: view.pins.iter().map(Into::into).collect(),
            kept_bytes: view.kept,
        }
    }
}

impl From<ContentRef> for Blob {
    fn from(content: ContentRef) -> Self {
        Self {
            root: Root(content.root).to_string(),
            length: content.length,
            kind: match content.kind {
                ContentKind::File => "file",
                ContentKind::Directory => "directory",
            },
        }
    }
}

impl From<&api::PinView> for Pinned {
    fn from(view: &api::PinView) -> Self {
        Self {
            content: view.pin.content.into(),
            bytes: view.pin.bytes,
            factor: view.pin.factor,
            deposit: view.deposit.to_string(),
            epoch: view.epoch.0,
            block: view.block,
        }
    }
}

impl From<&api::MoveView> for Move {
    fn from(view: &api::MoveView) -> Self {
        Self {
            version: view.version,
            root: view.root.map(|root| Root(root).to_string()),
            epoch: view.epoch.0,
            block: view.block,
            pinned: view.pinned,
        }
    }
}
