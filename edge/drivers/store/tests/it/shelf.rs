//! Blobs on a shelf: what comes in any order, what survives, what is refused.

use std::os::unix::fs::FileExt;
use std::path::Path;

use selvedge_edge_core_verify::{shape, Outboard, Part, RangePlan, SliceProof, SLICE};
use selvedge_edge_drivers_store::{Shelf, ShelfError};
use selvedge_primitives_types::{Hash, ServiceId};

use crate::testkit::{body, files};

const SERVICE: ServiceId = ServiceId(7);
const QUOTA: u64 = 64 * 1024 * 1024;

fn open(folder: &Path) -> Shelf {
    Shelf::open(folder.to_owned(), QUOTA, false).unwrap()
}

fn bytes_of(blob: &[u8], slice: u64) -> &[u8] {
    let place = shape::slice_bytes(blob.len() as u64, slice);
    &blob[place.start as usize..place.end as usize]
}

fn put(shelf: &Shelf, blob: &[u8], slice: u64) -> Result<bool, ShelfError> {
    let outboard = Outboard::of(blob);
    let proof = outboard.slice_proof(slice).unwrap();
    shelf.put(outboard.root(), slice, proof, bytes_of(blob, slice))
}

fn begin(shelf: &Shelf, blob: &[u8]) -> Hash {
    let root = *blake3::hash(blob).as_bytes();
    shelf.begin(root, blob.len() as u64, SERVICE).unwrap();
    root
}

fn put_whole(shelf: &Shelf, blob: &[u8]) -> Hash {
    let root = begin(shelf, blob);
    for slice in 0..shape::slices(blob.len() as u64) {
        put(shelf, blob, slice).unwrap();
    }
    root
}

/// The groups of a range, without the proofs.
fn read(shelf: &Shelf, root: &Hash, plan: &RangePlan) -> Result<Vec<u8>, ShelfError> {
    let mut reader = shelf.reader(root)?;
    let mut out = Vec::new();
    for part in plan.parts() {
        let bytes = shelf.part(&mut reader, &part)?;
        if matches!(part, Part::Group { .. }) {
            out.extend_from_slice(&bytes);
        }
    }
    Ok(out)
}

fn whole(shelf: &Shelf, blob: &[u8]) -> Result<Vec<u8>, ShelfError> {
    let root = *blake3::hash(blob).as_bytes();
    read(shelf, &root, &RangePlan::whole(blob.len() as u64).unwrap())
}

#[test]
fn slices_come_in_any_order_and_go_on_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    for length in [0, 1, 16_384, 16_385, SLICE as usize, 3 * SLICE as usize + 5] {
        let blob = body(length, 1);
        let last = shape::slices(length as u64) - 1;
        let shelf = open(folder.path());
        let root = begin(&shelf, &blob);
        assert_eq!(shelf.missing(&root).unwrap(), [(0, last + 1)]);
        assert_eq!(put(&shelf, &blob, last).unwrap(), last == 0);
        drop(shelf);
        let shelf = open(folder.path());
        for slice in 0..last {
            assert!(!shelf.has(&root));
            assert_eq!(shelf.missing(&root).unwrap(), [(slice, last - slice)]);
            assert_eq!(put(&shelf, &blob, slice).unwrap(), slice + 1 == last);
        }
        assert!(shelf.has(&root), "{length}");
        assert_eq!(shelf.missing(&root).unwrap(), []);
        assert!(whole(&shelf, &blob).unwrap() == blob);
        drop(shelf);
        let shelf = open(folder.path());
        assert!(shelf.has(&root) && whole(&shelf, &blob).unwrap() == blob);
        assert_eq!(
            shelf
                .blobs()
                .iter()
                .filter(|kept| kept.root == root)
                .count(),
            1
        );
    }
}

#[test]
fn what_is_here_is_read_while_the_rest_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = open(folder.path());
    let blob = body(2 * SLICE as usize, 2);
    let root = begin(&shelf, &blob);
    put(&shelf, &blob, 1).unwrap();
    let reader = shelf.reader(&root).unwrap();
    assert!(reader.has(&(SLICE..2 * SLICE)) && !reader.has(&(SLICE - 1..SLICE + 1)));
    let plan = RangePlan::new(2 * SLICE, SLICE..2 * SLICE).unwrap();
    assert!(read(&shelf, &root, &plan).unwrap() == bytes_of(&blob, 1));
    assert!(matches!(whole(&shelf, &blob), Err(ShelfError::Missing)));
}

#[test]
fn nothing_is_taken_that_does_not_match_the_root() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = open(folder.path());
    let blob = body(SLICE as usize + 9, 3);
    let root = begin(&shelf, &blob);
    let proof = Outboard::of(&blob).slice_proof(1).unwrap();
    let right = bytes_of(&blob, 1);
    let mut wrong = right.to_vec();
    wrong[8] ^= 1;
    for (slice, proof, bytes) in [
        (1, &proof, &wrong[..]),
        (1, &proof, &right[1..]),
        (0, &proof, right),
        (2, &proof, right),
        (1, &SliceProof::default(), right),
    ] {
        let refused = shelf.put(&root, slice, proof.clone(), bytes);
        assert!(
            matches!(refused, Err(ShelfError::Unverified(_))),
            "{refused:?}"
        );
    }
    assert_eq!(shelf.missing(&root).unwrap(), [(0, 2)]);
    let other = shelf.begin(root, 5, SERVICE);
    assert!(matches!(other, Err(ShelfError::TwoLengths(..))));
}

#[test]
fn a_flipped_bit_anywhere_never_comes_out() {
    let folder = tempfile::tempdir().unwrap();
    let blob = body(SLICE as usize + 20_000, 4);
    let root = put_whole(&open(folder.path()), &blob);
    let names = files(folder.path()).into_iter();
    for name in names.filter(|name| name.ends_with(".seg")) {
        let path = folder.path().join(&name);
        let length = path.metadata().unwrap().len();
        let list = length - 900..length;
        for at in (0..2_000)
            .chain(list)
            .step_by(41)
            .chain([length / 2, length - 1])
        {
            let file = std::fs::File::options().read(true).write(true).open(&path);
            let file = file.unwrap();
            let mut byte = [0];
            file.read_exact_at(&mut byte, at).unwrap();
            file.write_all_at(&[byte[0] ^ 4], at).unwrap();
            let shelf = open(folder.path());
            if let Ok(read) = whole(&shelf, &blob) {
                assert!(read == blob, "{name} {at}");
            }
            // It comes again, as if it had never been there.
            assert_eq!(put_whole(&shelf, &blob), root);
            assert!(whole(&shelf, &blob).unwrap() == blob, "{name} {at}");
        }
    }
}

#[test]
fn what_has_no_room_is_refused_and_room_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = Shelf::open(folder.path().to_owned(), 100, false).unwrap();
    let first = put_whole(&shelf, &body(60, 5));
    let full = shelf.begin([9; 32], 41, SERVICE);
    assert!(matches!(
        full,
        Err(ShelfError::Full {
            length: 41,
            quota: 100
        })
    ));
    let endless = shelf.begin([9; 32], u64::MAX, SERVICE);
    assert!(matches!(endless, Err(ShelfError::Full { .. })));
    assert_eq!(shelf.usage().bytes, 60);
    shelf.remove(&first);
    assert_eq!((shelf.usage().bytes, shelf.usage().whole), (0, 0));
    put_whole(&shelf, &body(100, 6));
    assert_eq!((shelf.usage().bytes, shelf.usage().whole), (100, 1));
}

#[test]
fn what_is_read_whole_is_read_to_its_end_and_comes_again() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = open(folder.path());
    let blob = body(SLICE as usize + 20_000, 8);
    let root = put_whole(&shelf, &blob);
    let plan = RangePlan::whole(blob.len() as u64).unwrap();
    let mut reader = shelf.reader(&root).unwrap();
    shelf.remove(&root);
    assert!(!shelf.has(&root) && shelf.reader(&root).is_err());
    for part in plan.parts() {
        shelf.part(&mut reader, &part).unwrap();
    }
    put_whole(&shelf, &blob);
    assert!(whole(&shelf, &blob).unwrap() == blob);
}
