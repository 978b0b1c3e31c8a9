//! One blob: which slices are here, how they come and how they are read.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use selvedge_edge_core_verify::{shape, Error as Wrong, Part, SliceProof, VerifiedSlice};
use selvedge_primitives_types::{Hash, ServiceId};

use super::{open, tree, Kept, ShelfError};

/// The most runs of missing slices that are named at a time.
pub const MAX_RUNS: usize = 1_024;

/// A blob that has begun.
#[derive(Debug)]
pub(super) struct Slices {
    /// Where its files are, without their suffix.
    path: PathBuf,
    kept: Kept,
    /// Slices that are missing; `None` once none is.
    missing: Mutex<Option<BTreeSet<u64>>>,
}

fn with(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

impl Slices {
    /// Begins with no slice.
    pub(super) fn create(
        path: &Path,
        root: Hash,
        length: u64,
        service: ServiceId,
    ) -> Result<Self, ShelfError> {
        let kept = Kept {
            root,
            length,
            service,
            is_whole: false,
        };
        let (part, tree) = (with(path, ".part"), with(path, ".tree"));
        // What a crash, or a blob that decayed, left under these names is not this one's.
        let file = File::create(&part).map_err(|error| ShelfError::io("create", &part, error))?;
        file.set_len(length)
            .map_err(|error| ShelfError::io("write", &part, error))?;
        let written = File::create(&tree).and_then(|file| tree::write_head(&file, &kept));
        written.map_err(|error| ShelfError::io("write", &tree, error))?;
        Ok(Self {
            path: path.to_owned(),
            kept,
            missing: Mutex::new(Some((0..shape::slices(length)).collect())),
        })
    }

    /// Finds what is left of one from before; `None` when it is none, and then its files are gone.
    pub(super) fn open(path: &Path) -> Option<Self> {
        let found = Self::find(path);
        if found.is_none() {
            remove(path);
        }
        found
    }

    fn find(path: &Path) -> Option<Self> {
        let file = File::open(with(path, ".tree")).ok()?;
        let length = |suffix| fs::metadata(with(path, suffix)).map(|data| data.len());
        let is_whole = length(".blob").is_ok();
        let kept = tree::read_head(&file, is_whole)?;
        let name: String = kept.root.iter().map(|byte| format!("{byte:02x}")).collect();
        let is_named = path.file_name().is_some_and(|file| file == &name[2..]);
        let suffix = if is_whole { ".blob" } else { ".part" };
        if !is_named || length(suffix).ok()? != kept.length {
            return None;
        }
        let missing = (!is_whole).then(|| {
            let is_missing =
                |slice: &u64| !matches!(tree::read_proof(&file, &kept, *slice), Ok(Some(_)));
            (0..shape::slices(kept.length)).filter(is_missing).collect()
        });
        Some(Self {
            path: path.to_owned(),
            kept,
            missing: Mutex::new(missing),
        })
    }

    pub(super) fn kept(&self) -> Kept {
        Kept {
            is_whole: self.is_whole(),
            ..self.kept
        }
    }

    pub(super) fn is_whole(&self) -> bool {
        self.missing.lock().is_none()
    }

    pub(super) fn missing(&self) -> Vec<(u64, u64)> {
        let mut runs: Vec<(u64, u64)> = Vec::new();
        for slice in self.missing.lock().iter().flatten() {
            let is_full = runs.len() == MAX_RUNS;
            match runs.last_mut() {
                Some((first, count)) if *first + *count == *slice => *count += 1,
                _ if is_full => break,
                _ => runs.push((*slice, 1)),
            }
        }
        runs
    }

    pub(super) fn put(
        &self,
        slice: u64,
        proof: SliceProof,
        bytes: &[u8],
        sync: bool,
    ) -> Result<bool, ShelfError> {
        let Kept { root, length, .. } = self.kept;
        let verified = proof
            .clone()
            .verify(&root, length, slice)
            .map_err(ShelfError::Unverified)?;
        check(&verified, length, slice, bytes).map_err(ShelfError::Unverified)?;
        let is_missing = |missing: &Option<BTreeSet<u64>>| {
            missing.as_ref().is_some_and(|left| left.contains(&slice))
        };
        if !is_missing(&self.missing.lock()) {
            return Ok(self.is_whole());
        }
        let (part, tree) = (with(&self.path, ".part"), with(&self.path, ".tree"));
        let (file, proofs) = match (open(&part), open(&tree)) {
            (Ok(file), Ok(proofs)) => (file, proofs),
            // Another one brought the last slice meanwhile.
            _ if self.is_whole() => return Ok(true),
            (Err(error), _) | (_, Err(error)) => return Err(error),
        };
        file.write_all_at(bytes, shape::slice_bytes(length, slice).start)
            .map_err(|error| ShelfError::io("write", &part, error))?;
        tree::write_proof(&proofs, &self.kept, slice, &proof)
            .map_err(|error| ShelfError::io("write", &tree, error))?;
        let mut missing = self.missing.lock();
        let Some(left) = missing.as_mut() else {
            return Ok(true);
        };
        left.remove(&slice);
        if !left.is_empty() {
            return Ok(false);
        }
        if sync {
            for (file, path) in [(&file, &part), (&proofs, &tree)] {
                file.sync_all()
                    .map_err(|error| ShelfError::io("sync", path, error))?;
            }
        }
        let whole = with(&self.path, ".blob");
        fs::rename(&part, &whole).map_err(|error| ShelfError::io("name", &whole, error))?;
        *missing = None;
        Ok(true)
    }

    pub(super) fn reader(self: &Arc<Self>) -> Result<ShelfReader, ShelfError> {
        let (whole, part) = (with(&self.path, ".blob"), with(&self.path, ".part"));
        let file = match self.is_whole() {
            true => open(&whole)?,
            // It may get its last name just now.
            false => open(&part).or_else(|_| open(&whole))?,
        };
        Ok(ShelfReader {
            file,
            proofs: open(&with(&self.path, ".tree"))?,
            blob: self.clone(),
            slice: None,
        })
    }

    pub(super) fn remove(&self) {
        remove(&self.path);
    }
}

/// Removes a blob's files: the tree last, for without it they are never found again.
fn remove(path: &Path) {
    for suffix in [".blob", ".part", ".tree"] {
        crate::files::remove(&with(path, suffix));
    }
}

/// Checks every group of a slice.
fn check(verified: &VerifiedSlice, length: u64, slice: u64, bytes: &[u8]) -> Result<(), Wrong> {
    let place = shape::slice_bytes(length, slice);
    if bytes.len() as u64 != place.end - place.start {
        let missing = (place.end - place.start).saturating_sub(bytes.len() as u64);
        return Err(match missing {
            0 => Wrong::TrailingBytes,
            missing => Wrong::Truncated { missing },
        });
    }
    for index in shape::slice_groups(length, slice) {
        let group = shape::group_bytes(length, index);
        let within = (group.start - place.start) as usize..(group.end - place.start) as usize;
        verified.check_group(index, &bytes[within])?;
    }
    Ok(())
}

/// Reads a blob, as far as it is here.
#[derive(Debug)]
pub struct ShelfReader {
    blob: Arc<Slices>,
    file: File,
    proofs: File,
    /// The slice that was read last.
    slice: Option<(u64, SliceProof, VerifiedSlice)>,
}

impl ShelfReader {
    /// The blob's root.
    pub fn root(&self) -> Hash {
        self.blob.kept.root
    }

    /// Its length in bytes.
    pub fn length(&self) -> u64 {
        self.blob.kept.length
    }

    /// Whether every slice that these bytes touch is here.
    pub fn has(&self, range: &std::ops::Range<u64>) -> bool {
        let missing = self.blob.missing.lock();
        let slices = range.start / shape::SLICE..=range.end.saturating_sub(1) / shape::SLICE;
        let mut left = missing
            .iter()
            .flat_map(|missing| missing.range(slices.clone()));
        left.next().is_none()
    }

    pub(super) fn part(&mut self, part: &Part) -> Result<Bytes, ShelfError> {
        match part {
            Part::Proof { slice, .. } => Ok(self.slice(*slice)?.1.to_bytes().into()),
            Part::Group { index, bytes } => {
                let place = bytes.clone();
                let mut group = vec![0; (place.end - place.start) as usize];
                let read = self.file.read_exact_at(&mut group, place.start);
                let slice = self.slice(index / shape::GROUPS_PER_SLICE)?;
                let checked = match read {
                    Ok(()) => slice.2.check_group(*index, &group),
                    Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                        let missing = group.len() as u64;
                        Err(Wrong::Truncated { missing })
                    }
                    Err(error) => return Err(ShelfError::io("read", &self.blob.path, error)),
                };
                checked.map_err(ShelfError::Decayed)?;
                Ok(group.into())
            }
        }
    }

    fn slice(&mut self, number: u64) -> Result<&(u64, SliceProof, VerifiedSlice), ShelfError> {
        let kept = &self.blob.kept;
        if self.slice.as_ref().is_none_or(|held| held.0 != number) {
            let proof = tree::read_proof(&self.proofs, kept, number)
                .map_err(|error| ShelfError::io("read", &self.blob.path, error))?;
            let proof = match proof {
                Some(proof) => proof,
                // It was here, or is said to be.
                None if self.blob.is_whole() => {
                    return Err(ShelfError::Decayed(Wrong::ProofMismatch { slice: number }))
                }
                None => return Err(ShelfError::Missing),
            };
            let verified = proof
                .clone()
                .verify(&kept.root, kept.length, number)
                .map_err(ShelfError::Decayed)?;
            self.slice = Some((number, proof, verified));
        }
        self.slice.as_ref().ok_or(ShelfError::Missing)
    }
}
