//! The leaves of closed epochs.

use crate::{folder::Folder, MeterError};
use codec::{DecodeAll, Encode};
use selvedge_edge_core_metering::Closed;
use selvedge_primitives_types::{Epoch, Leaf};
use std::fs;

const MAGIC: &[u8; 8] = b"SLVGLVS1";
const HASH: usize = 32;

fn head(folder: &Folder, epoch: Epoch) -> Vec<u8> {
    [&MAGIC[..], &epoch.0.to_le_bytes(), &folder.device().0].concat()
}

pub(crate) fn write(folder: &Folder, closed: &Closed) -> Result<(), MeterError> {
    let mut bytes = head(folder, closed.epoch());
    closed.leaves().encode_to(&mut bytes);
    let digest = blake3::hash(&bytes);
    bytes.extend_from_slice(digest.as_bytes());
    folder.write_leaves(closed.epoch(), &bytes)
}

/// Errors when the file is not whole or not of this device and epoch.
pub(crate) fn read(folder: &Folder, epoch: Epoch) -> Result<Closed, MeterError> {
    let path = folder.leaves(epoch);
    let bytes = fs::read(&path).map_err(MeterError::io("read", &path))?;
    decode(&bytes, &head(folder, epoch))
        .and_then(|leaves| Closed::build(folder.device(), epoch, leaves).ok())
        .ok_or(MeterError::Damaged(path))
}

fn decode(bytes: &[u8], head: &[u8]) -> Option<Vec<Leaf>> {
    let (content, digest) = bytes.split_at_checked(bytes.len().checked_sub(HASH)?)?;
    if blake3::hash(content).as_bytes() != digest {
        return None;
    }
    Vec::decode_all(&mut content.strip_prefix(head)?).ok()
}
