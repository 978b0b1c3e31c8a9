use std::path::Path;
use std::process::Command;

use selvedge_edge_drivers_store::Error;

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

#[test]
fn a_full_disk_is_said_clearly_and_loses_nothing() {
    if let Ok(folder) = std::env::var(FOLDER) {
        return on_a_small_disk(folder.as_ref());
    }
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
    let mount = "mount -t tmpfs -o size=1m,nr_inodes=4096 tmpfs \"$1\"";
    if !namespace(mount)
        .output()
        .is_ok_and(|output| output.status.success())
    {
        eprintln!("skipped: this machine does not let an unprivileged process mount a small disk");
        return;
    }
    let run =
        "exec \"$2\" --exact disk_full::a_full_disk_is_said_clearly_and_loses_nothing --nocapture";
    let output = namespace(&format!("{mount}; {run}")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
