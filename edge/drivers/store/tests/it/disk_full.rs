use std::path::Path;
use std::process::Command;

use selvedge_edge_core_verify::{Outboard, SLICE};
use selvedge_edge_drivers_store::{Blob, Error, Space};
use selvedge_primitives_types::ServiceId;

use crate::testkit::{body, fetch, open, put, record};

const FOLDER: &str = "SELVEDGE_STORE_DISK_FULL_TEST";

/// Runs where the folder is a disk of 1 MiB; the quota says more.
fn on_a_small_disk(folder: &Path) {
    let store = open(folder, 1 << 30);
    let kept = body(200_000, 1);
    put(&store, &record(1, "/kept", &kept), &kept).unwrap();
    let before = store.usage();
    for length in [900_000, 3_000_000] {
        let large = body(length, 2);
        let error = put(&store, &record(1, "/large", &large), &large).unwrap_err();
        assert!(matches!(error, Error::DiskFull(_)), "{error}");
        let usage = store.usage();
        assert_eq!((usage.live, usage.records), (before.live, before.records));
    }
    assert_eq!(fetch(&store, 1, "/kept").unwrap(), kept);
    let small = body(100_000, 3);
    put(&store, &record(1, "/small", &small), &small).unwrap();
    drop(store);
    let store = open(folder, 1 << 30);
    assert_eq!(fetch(&store, 1, "/kept").unwrap(), kept);
    assert_eq!(fetch(&store, 1, "/small").unwrap(), small);
}

/// Fills the disk with a file of its own to every size in turn, so that each kind of write is the one
/// that does not fit: a new segment, an entry, a piece, a slice, the end of a body, a list, a mark.
fn at_every_write(folder: &Path) {
    let ballast = folder.join("ballast");
    let store_folder = folder.join("store");
    let (bytes, outboard) = {
        let bytes = body(SLICE as usize / 4, 9);
        let outboard = Outboard::of(&bytes);
        (bytes, outboard)
    };
    let blob = Blob::shared(*outboard.root(), bytes.len() as u64);
    let mut failures = 0;
    for free in (0..160).map(|blocks| blocks * 4096) {
        std::fs::remove_dir_all(&store_folder).ok();
        let store = open(&store_folder, 64 << 20);
        let kept = body(50_000, 1);
        put(&store, &record(1, "/kept", &kept), &kept).unwrap();
        put(&store, &record(1, "/gone", b"gone"), b"gone").unwrap();
        // The disk takes what it can: all but `free` bytes of it are the ballast's.
        let space = free_bytes(folder);
        std::fs::write(&ballast, vec![0; space.saturating_sub(free) as usize]).ok();
        let mut fails = |done: Result<(), Error>| match done {
            Ok(()) => {}
            Err(Error::DiskFull(_)) => failures += 1,
            Err(error) => panic!("{free}: {error}"),
        };
        let large = body(300_000, 2);
        fails(put(&store, &record(1, "/large", &large), &large));
        fails(store.pin(&blob, ServiceId(1)));
        let taken = store.assembly(&blob, ServiceId(1)).and_then(|assembly| {
            let proof = outboard.slice_proof(0).unwrap();
            assembly.put(0, &proof, &bytes).map(drop)
        });
        fails(taken);
        store.forget(ServiceId(1), b"/gone");
        fails(store.clean(1 << 20).map(drop));
        let small = put(&store, &record(1, "/small", b"small"), b"small");
        let is_small_there = small.is_ok();
        fails(small);
        let is_large_there = fetch(&store, 1, "/large").is_some();
        let is_blob_there = store.has(&Space::Shared, outboard.root());
        drop(store);
        std::fs::remove_file(&ballast).unwrap();

        let store = open(&store_folder, 64 << 20);
        assert_eq!(fetch(&store, 1, "/kept").unwrap(), kept, "{free}");
        assert_eq!(
            fetch(&store, 1, "/large").is_some(),
            is_large_there,
            "{free}"
        );
        assert_eq!(
            fetch(&store, 1, "/small").is_some(),
            is_small_there,
            "{free}"
        );
        assert_eq!(
            store.has(&Space::Shared, outboard.root()),
            is_blob_there,
            "{free}"
        );
        put(&store, &record(1, "/large", &large), &large).unwrap();
        assert_eq!(fetch(&store, 1, "/large").unwrap(), large);
    }
    assert!(failures > 50, "{failures}");
}

/// Bytes that are free on the disk of a folder.
fn free_bytes(folder: &Path) -> u64 {
    let stat = rustix::fs::statvfs(folder).unwrap();
    stat.f_bavail * stat.f_frsize
}

/// Runs a test in a process of its own, on a disk of its own. `false` where this machine does not let
/// an unprivileged process have one.
fn on_disk(size: &str, test: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    // A mount of its own in a namespace of its own: nothing is left of it when the child has ended.
    let namespace = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--map-root-user", "sh", "-ec", script, "sh"]);
        command
            .arg(folder.path())
            .arg(std::env::current_exe().unwrap())
            .env(FOLDER, folder.path());
        command
    };
    let mount = format!("mount -t tmpfs -o size={size},nr_inodes=4096 tmpfs \"$1\"");
    if !namespace(&mount)
        .output()
        .is_ok_and(|output| output.status.success())
    {
        eprintln!("skipped: this machine does not let an unprivileged process mount a small disk");
        return false;
    }
    let run = format!("exec \"$2\" --exact {test} --nocapture");
    let output = namespace(&format!("{mount}; {run}")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    true
}

#[test]
fn a_full_disk_is_said_clearly_and_loses_nothing() {
    match std::env::var(FOLDER) {
        Ok(folder) => on_a_small_disk(folder.as_ref()),
        Err(_) => drop(on_disk(
            "1m",
            "disk_full::a_full_disk_is_said_clearly_and_loses_nothing",
        )),
    }
}

#[test]
fn whatever_write_does_not_fit_loses_nothing_else() {
    match std::env::var(FOLDER) {
        Ok(folder) => at_every_write(folder.as_ref()),
        Err(_) => drop(on_disk(
            "2m",
            "disk_full::whatever_write_does_not_fit_loses_nothing_else",
        )),
    }
}
