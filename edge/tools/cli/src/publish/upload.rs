//! Sends what owners lack, some slices at a time.
//!
//! Which slices that are is asked of the gateway, so that whatever was put before, by anyone, is not sent again: a put that was
//! interrupted goes on where it was.

use super::{
    gateway::{Gateway, Publisher},
    hash::{changed, outboard, Named},
    select::{failed, refused},
};
use crate::error::Failure;
use bytes::Bytes;
use futures::{stream, StreamExt, TryStreamExt};
use indicatif::ProgressBar;
use selvedge_edge_core_verify::{shape, Outboard, ProvenSlice};
use selvedge_primitives_types::ContentRef;
use std::{
    collections::BTreeMap,
    fs::File,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Blobs that are asked about at a time.
const BATCH: usize = 1_024;
/// Slices on the way at a time: 8 MiB.
const AT_ONCE: usize = 8;
/// How often a batch is asked about before it is given up: owners that lack something after it was sent are asked again.
const ROUNDS: u32 = 4;

/// What an upload came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Slices that were sent.
    pub slices: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// The fewest owners that have one of the blobs.
    pub owners: u8,
}

/// Where a blob's bytes are.
#[derive(Clone)]
enum Source {
    Memory(Bytes),
    File(PathBuf),
}

/// A blob that something of is missing, ready to be cut.
struct Prepared {
    content: ContentRef,
    outboard: Outboard,
    source: Source,
}

/// Has the owners of all blobs keep them. `bar` is told of the bytes that are there.
///
/// Errors: what the gateway says, and [`Failure::Folder`] for a file that is not what it was.
pub async fn upload(
    gateway: &Gateway,
    by: &Publisher,
    named: &Named,
    bar: &ProgressBar,
) -> Result<Sent, Failure> {
    let mut blobs: Vec<(ContentRef, Source)> = Vec::new();
    for (content, path) in &named.files {
        blobs.push((*content, Source::File(path.clone())));
    }
    for (content, bytes) in &named.directories {
        blobs.push((*content, Source::Memory(bytes.clone().into())));
    }
    let mut sent = Sent {
        owners: u8::MAX,
        ..Sent::default()
    };
    for batch in blobs.chunks(BATCH) {
        let owners = send_batch(gateway, by, batch, bar, &mut sent).await?;
        sent.owners = sent.owners.min(owners);
    }
    Ok(sent)
}

async fn send_batch(
    gateway: &Gateway,
    by: &Publisher,
    batch: &[(ContentRef, Source)],
    bar: &ProgressBar,
    sent: &mut Sent,
) -> Result<u8, Failure> {
    let asked: Vec<ContentRef> = batch.iter().map(|(content, _)| *content).collect();
    // What was counted on the bar, so that a round more does not count it twice.
    let mut counted: BTreeMap<ContentRef, u64> = BTreeMap::new();
    for _ in 0..ROUNDS {
        let have = gateway.have(by, &asked).await?;
        let mut lacking = Vec::new();
        for ((content, source), blob) in batch.iter().zip(have.blobs) {
            let slices = slices_of(content, &blob.missing);
            let there = content.length - bytes_of(content, &slices);
            let before = counted.insert(*content, there).unwrap_or(0);
            bar.inc(there.saturating_sub(before));
            if !slices.is_empty() {
                lacking.push((*content, source.clone(), slices));
            }
        }
        if lacking.is_empty() {
            return Ok(have.owners);
        }
        let jobs = stream::iter(lacking)
            .then(|(content, source, slices)| async move {
                let prepared = in_background(move || prepare(content, source)).await?;
                let prepared = Arc::new(prepared);
                let jobs = slices
                    .into_iter()
                    .map(move |slice| Ok((prepared.clone(), slice)));
                Ok::<_, Failure>(stream::iter(jobs))
            })
            .try_flatten();
        let sending = jobs.map(|job| async {
            let (prepared, slice) = job?;
            let content = prepared.content;
            let slice = in_background(move || cut(&prepared, slice)).await?;
            let taken = gateway.put(by, &content, &slice).await?;
            Ok::<_, Failure>((content, slice.bytes.len() as u64, taken))
        });
        let mut done = std::pin::pin!(sending.buffer_unordered(AT_ONCE));
        while let Some((content, bytes, taken)) = done.try_next().await? {
            sent.slices += 1;
            sent.bytes += bytes;
            if taken.owners == taken.wanted {
                bar.inc(bytes);
                *counted.entry(content).or_default() += bytes;
            }
        }
    }
    Err(Failure::GatewayFailed {
        url: gateway.url.clone(),
        cause: format!("owners still lack content after it was sent {ROUNDS} times"),
    })
}

/// The slices in these runs that the blob has, each once: a gateway may say anything.
fn slices_of(content: &ContentRef, runs: &[(u64, u64)]) -> Vec<u64> {
    let count = shape::slices(content.length);
    let mut slices: Vec<u64> = runs
        .iter()
        .flat_map(|(first, many)| {
            let end = first.saturating_add(*many).min(count);
            (*first).min(end)..end
        })
        .take(count as usize)
        .collect();
    slices.sort_unstable();
    slices.dedup();
    slices
}

fn bytes_of(content: &ContentRef, slices: &[u64]) -> u64 {
    let length = |slice: &u64| {
        let place = shape::slice_bytes(content.length, *slice);
        place.end - place.start
    };
    slices.iter().map(length).sum()
}

/// Reads a blob again, to cut it into slices.
fn prepare(content: ContentRef, source: Source) -> Result<Prepared, Failure> {
    let outboard = match &source {
        Source::Memory(bytes) => Outboard::of(bytes),
        Source::File(path) => outboard(path, |_| ())?,
    };
    if (*outboard.root(), outboard.length()) != (content.root, content.length) {
        return Err(match &source {
            Source::File(path) => changed(path),
            Source::Memory(_) => Failure::Input("a directory has another name".into()),
        });
    }
    Ok(Prepared {
        content,
        outboard,
        source,
    })
}

fn cut(prepared: &Prepared, slice: u64) -> Result<ProvenSlice, Failure> {
    let length = prepared.content.length;
    let place = shape::slice_bytes(length, slice);
    let bytes = match &prepared.source {
        Source::Memory(bytes) => bytes.slice(place.start as usize..place.end as usize),
        Source::File(path) => read_at(path, place.start, (place.end - place.start) as usize)?,
    };
    let proof = prepared.outboard.slice_proof(slice);
    let proof = proof.ok_or_else(|| Failure::Input(format!("there is no slice {slice}")))?;
    for index in shape::slice_groups(length, slice) {
        let group = shape::group_bytes(length, index);
        let within = (group.start - place.start) as usize..(group.end - place.start) as usize;
        if prepared
            .outboard
            .check_group(index, &bytes[within])
            .is_err()
        {
            return Err(match &prepared.source {
                Source::File(path) => changed(path),
                Source::Memory(_) => Failure::Input("a directory has other bytes".into()),
            });
        }
    }
    Ok(ProvenSlice {
        slice,
        proof,
        bytes,
    })
}

fn read_at(path: &Path, start: u64, length: usize) -> Result<Bytes, Failure> {
    let file = File::open(path).map_err(|error| failed(path, error))?;
    let mut bytes = vec![0; length];
    match file.read_exact_at(&mut bytes, start) {
        Ok(()) => Ok(bytes.into()),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Err(changed(path)),
        Err(error) => Err(failed(path, error)),
    }
}

/// Does what waits for a disk away from the threads that talk.
pub async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(refused(Path::new(""), error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::hash::content_of;
    use selvedge_edge_core_verify::SLICE;
    use selvedge_primitives_types::ContentKind;

    #[test]
    fn runs_are_taken_as_far_as_the_blob_goes() {
        let content = ContentRef {
            root: [0; 32],
            length: 3 * SLICE + 1,
            kind: ContentKind::File,
        };
        for (runs, slices) in [
            (vec![], vec![]),
            (vec![(0, 1), (2, 2)], vec![0, 2, 3]),
            (vec![(3, u64::MAX)], vec![3]),
            (vec![(u64::MAX, u64::MAX), (1, 1), (1, 1)], vec![1]),
            (vec![(9, 2)], vec![]),
        ] {
            assert_eq!(slices_of(&content, &runs), slices, "{runs:?}");
        }
        assert_eq!(bytes_of(&content, &[0, 3]), SLICE + 1);
    }

    #[test]
    fn a_file_that_is_not_what_it_was_is_not_sent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let bytes = vec![7; SLICE as usize + 5];
        std::fs::write(&path, &bytes).unwrap();
        let content = content_of(&Outboard::of(&bytes));
        let source = Source::File(path.clone());
        let prepared = prepare(content, source.clone()).unwrap();
        for slice in [0, 1] {
            let cut = cut(&prepared, slice).unwrap().to_bytes();
            assert!(ProvenSlice::read(&content.root, content.length, slice, cut).is_ok());
        }
        let mut other = bytes.clone();
        other[SLICE as usize] = 8;
        std::fs::write(&path, &other).unwrap();
        assert!(cut(&prepared, 0).is_ok());
        assert!(cut(&prepared, 1).is_err());
        assert!(prepare(content, source.clone()).is_err());
        std::fs::write(&path, &bytes[..9]).unwrap();
        assert!(cut(&prepared, 1).is_err());
    }
}
