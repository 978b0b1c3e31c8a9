//! The file with the proofs of a blob's slices.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use selvedge_edge_core_verify::{shape, SliceProof};
use selvedge_primitives_types::{Hash, ServiceId};

use super::Kept;

const START: &[u8; 8] = b"SLVGTREE";
/// Octets before the first place.
const HEAD: usize = 8 + 32 + 8 + 8;
/// Octets of a slice's place: a checksum and the longest proof there is, 64 groups and 16 parents.
const PLACE: usize = 32 + 32 * (64 + 16);

fn offset(slice: u64) -> u64 {
    HEAD as u64 + slice * PLACE as u64
}

fn checksum(root: &Hash, length: u64, slice: u64, proof: &[u8]) -> Hash {
    let mut hasher = blake3::Hasher::new_derive_key("selvedge shelf slice");
    hasher.update(root);
    hasher.update(&length.to_le_bytes());
    hasher.update(&slice.to_le_bytes());
    hasher.update(proof);
    *hasher.finalize().as_bytes()
}

/// Writes what is said of the blob itself.
pub(super) fn write_head(file: &File, kept: &Kept) -> io::Result<()> {
    let mut head = Vec::with_capacity(HEAD);
    head.extend_from_slice(START);
    head.extend_from_slice(&kept.root);
    head.extend_from_slice(&kept.length.to_le_bytes());
    head.extend_from_slice(&kept.service.0.to_le_bytes());
    file.write_all_at(&head, 0)
}

/// Reads it; `None` when it is none, or of no blob that can be.
pub(super) fn read_head(file: &File, is_whole: bool) -> Option<Kept> {
    let mut head = [0; HEAD];
    file.read_exact_at(&mut head, 0).ok()?;
    let rest = head.strip_prefix(START)?;
    let (root, rest) = rest.split_first_chunk::<32>()?;
    let (length, rest) = rest.split_first_chunk::<8>()?;
    let service = rest.first_chunk::<8>()?;
    let length = u64::from_le_bytes(*length);
    (length <= shape::MAX_BODY).then_some(Kept {
        root: *root,
        length,
        service: ServiceId(u64::from_le_bytes(*service)),
        is_whole,
    })
}

/// Writes the proof of a slice, which was verified, once its bytes are in place.
pub(super) fn write_proof(
    file: &File,
    kept: &Kept,
    slice: u64,
    proof: &SliceProof,
) -> io::Result<()> {
    let proof = proof.to_bytes();
    let mut place = checksum(&kept.root, kept.length, slice, &proof).to_vec();
    place.extend_from_slice(&proof);
    // All of the place: a file that ends earlier would look shorter than it is.
    place.resize(PLACE, 0);
    file.write_all_at(&place, offset(slice))
}

/// Reads the proof of a slice; `None` when the slice is not here.
pub(super) fn read_proof(file: &File, kept: &Kept, slice: u64) -> io::Result<Option<SliceProof>> {
    let Some((groups, path)) = SliceProof::shape(kept.length, slice) else {
        return Ok(None);
    };
    let mut place = vec![0; 32 + 32 * (groups + path)];
    match file.read_exact_at(&mut place, offset(slice)) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let (sum, proof) = place.split_at(32);
    if checksum(&kept.root, kept.length, slice, proof) != sum {
        return Ok(None);
    }
    Ok(SliceProof::from_bytes(kept.length, slice, proof).ok())
}
