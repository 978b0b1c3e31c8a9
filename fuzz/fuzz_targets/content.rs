//! Reads arbitrary bytes as a directory of content, and goes arbitrary paths in it: what is read is written back to the same bytes.

#![no_main]

use selvedge_edge_core_content::{Directory, Sweep, Walk};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // The first byte says how much of the rest is a path.
    let Some((split, rest)) = bytes.split_first() else {
        return;
    };
    let (path, blob) = rest.split_at(rest.len().min(usize::from(*split)));
    let Ok(directory) = Directory::from_blob(blob) else {
        return;
    };
    let (root, written) = directory.to_blob().expect("what was read can be written");
    assert_eq!(written, blob);
    let mut sweep = Sweep::new(root, u64::MAX).expect("no root is that long");
    let most = directory.len();
    if let Ok(found) = sweep.enter(&directory) {
        assert!(found.len() <= most);
    }
    if let Ok(walk) = Walk::page(root, &String::from_utf8_lossy(path)) {
        walk.enter(&directory);
    }
});
