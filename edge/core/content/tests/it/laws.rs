//! What holds for every tree, and for whatever bytes strangers send.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use selvedge_edge_core_content::{
    content_of, Directory, MediaType, Name, Step, Sweep, Tree, TreeBuilder, TreeError, Walk,
};
use selvedge_primitives_types::{ContentKind, ContentRef};
use std::collections::BTreeMap;

fn name() -> impl Strategy<Value = Name> {
    // Few letters, so that names meet; and some that sort or print in surprising ways.
    "[ab]{1,2}|[a-c.%ü]{3,5}|\\PC{1,9}".prop_filter_map("a name", |text| Name::new(&text).ok())
}

type Files = BTreeMap<Vec<Name>, Vec<u8>>;

fn files() -> impl Strategy<Value = Files> {
    btree_map(vec(name(), 1..5), vec(any::<u8>(), 0..40), 0..24)
}

/// The tree of those files whose paths do not meet.
fn built(files: &Files) -> (Tree, Files) {
    let mut builder = TreeBuilder::new();
    let mut kept = Files::new();
    for (path, bytes) in files {
        let media_type = MediaType::of_name(path.last().unwrap());
        match builder.file(path, content_of(bytes, ContentKind::File), media_type) {
            Ok(()) => drop(kept.insert(path.clone(), bytes.clone())),
            Err(TreeError::Taken(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    (builder.build().unwrap(), kept)
}

fn directories(tree: &Tree) -> BTreeMap<ContentRef, Directory> {
    let read =
        |(content, bytes): &(ContentRef, Vec<u8>)| (*content, Directory::from_blob(bytes).unwrap());
    tree.directories.iter().map(read).collect()
}

fn end(directories: &BTreeMap<ContentRef, Directory>, mut walk: Walk) -> Step {
    loop {
        let directory = &directories[&walk.wanted()];
        match walk.enter(directory) {
            Step::Next(next) => walk = next,
            step => return step,
        }
    }
}

fn escaped(path: &[Name]) -> String {
    let parts = path.iter().map(|name| "/".to_owned() + &name.to_escaped());
    parts.collect()
}

proptest! {
    #[test]
    fn every_file_is_found_by_its_path(files in files()) {
        let (tree, kept) = built(&files);
        let directories = directories(&tree);
        for (path, bytes) in &kept {
            let found = Step::File(
                content_of(bytes, ContentKind::File),
                MediaType::of_name(path.last().unwrap()),
            );
            let exact = Walk::exact(tree.root, path.clone()).unwrap();
            prop_assert_eq!(end(&directories, exact), found);
            let page = Walk::page(tree.root, &escaped(path)).unwrap();
            prop_assert!(matches!(end(&directories, page), Step::File(..)));
        }
        for path in files.keys().filter(|path| !kept.contains_key(*path)) {
            let exact = Walk::exact(tree.root, path.clone()).unwrap();
            prop_assert!(!matches!(end(&directories, exact), Step::File(..)));
        }
    }

    #[test]
    fn a_sweep_counts_what_the_builder_counted(files in files()) {
        let (tree, _) = built(&files);
        let directories = directories(&tree);
        let mut sweep = Sweep::new(tree.root, tree.bytes).unwrap();
        while let Some(wanted) = sweep.wanted() {
            sweep.enter(&directories[&wanted]).unwrap();
        }
        prop_assert_eq!(sweep.bytes(), tree.bytes);
        prop_assert_eq!(sweep.blobs(), tree.files + tree.directories.len() as u64);
    }

    #[test]
    fn a_changed_encoding_is_refused_or_means_what_it_says(
        files in files(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        for (_, bytes) in &built(&files).0.directories {
            let mut changed = bytes.clone();
            for (at, value) in &changes {
                let at = at.index(changed.len());
                changed[at] = *value;
            }
            if let Some(cut) = &cut {
                changed.truncate(cut.index(changed.len()));
            }
            if let Ok(directory) = Directory::from_blob(&changed) {
                prop_assert_eq!(directory.to_blob().unwrap().1, changed);
            }
        }
    }

    #[test]
    fn whatever_bytes_come_nothing_panics(bytes in vec(any::<u8>(), 0..200), path in "\\PC{0,60}|[/%.a-f0-9]{0,40}") {
        if let Ok(directory) = Directory::from_blob(&bytes) {
            prop_assert_eq!(directory.to_blob().unwrap().1, bytes);
        }
        let root = content_of(b"", ContentKind::Directory);
        if let Ok(walk) = Walk::page(root, &path) {
            prop_assert_eq!(walk.enter(&Directory::new()), Step::Absent);
        }
    }
}
