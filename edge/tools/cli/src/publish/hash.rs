//! Names files by their bytes.
//!
//! A file is read twice: for its name, and when it is sent. In between only the name is kept, so that memory does not grow with
//! the folder; and a file that has changed in between is noticed.

use super::select::{failed, refused, Selected};
use crate::error::Failure;
use indicatif::ProgressBar;
use selvedge_edge_core_content::{MediaType, Tree, TreeBuilder, TreeError};
use selvedge_edge_core_verify::{shape::MAX_BODY, Builder, Outboard};
use selvedge_primitives_types::{ContentKind, ContentRef};
use std::{
    collections::BTreeMap,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

/// Bytes read at a time.
const PIECE: usize = 256 * 1024;

/// What is to be put.
pub struct Named {
    /// The topmost blob.
    pub root: ContentRef,
    /// Bytes of all distinct blobs.
    pub bytes: u64,
    /// Distinct files, and where to read each.
    pub files: BTreeMap<ContentRef, PathBuf>,
    /// Directories, each after those that it names.
    pub directories: Vec<(ContentRef, Vec<u8>)>,
}

/// Names one file.
pub fn name_file(path: &Path, bar: &ProgressBar) -> Result<Named, Failure> {
    let root = content_of(&outboard(path, |read| bar.inc(read))?);
    Ok(Named {
        root,
        bytes: root.length,
        files: BTreeMap::from([(root, path.to_owned())]),
        directories: Vec::new(),
    })
}

/// Names the files of a folder, and the directories above them.
pub fn name_folder(folder: &Path, selected: Selected, bar: &ProgressBar) -> Result<Named, Failure> {
    let of_tree = |error: TreeError| refused(folder, error.to_string());
    let mut tree = TreeBuilder::new();
    let mut files = BTreeMap::new();
    for names in &selected.folders {
        tree.folder(names).map_err(of_tree)?;
    }
    for (names, path) in selected.files {
        let content = content_of(&outboard(&path, |read| bar.inc(read))?);
        let media_type = names.last().map(MediaType::of_name);
        let media_type = media_type.ok_or_else(|| of_tree(TreeError::NoName))?;
        tree.file(&names, content, media_type).map_err(of_tree)?;
        files.entry(content).or_insert(path);
    }
    let Tree {
        root,
        directories,
        bytes,
        ..
    } = tree.build().map_err(of_tree)?;
    Ok(Named {
        root,
        bytes,
        files,
        directories,
    })
}

/// Bytes of files, to show how far it is.
pub fn total(selected: &Selected) -> u64 {
    let length = |(_, path): &(_, PathBuf)| path.metadata().map_or(0, |about| about.len());
    selected.files.iter().map(length).sum()
}

/// The name of a file's bytes.
pub fn content_of(outboard: &Outboard) -> ContentRef {
    ContentRef {
        root: *outboard.root(),
        length: outboard.length(),
        kind: ContentKind::File,
    }
}

/// Reads a file whole, once; `read` hears of each piece.
///
/// Errors: [`Failure::Folder`] when it cannot be read, is too long, or changes meanwhile.
pub fn outboard(path: &Path, mut read: impl FnMut(u64)) -> Result<Outboard, Failure> {
    let mut file = File::open(path).map_err(|error| failed(path, error))?;
    let state = |file: &File| -> std::io::Result<_> {
        let about = file.metadata()?;
        Ok((about.len(), about.modified()?))
    };
    let before = state(&file).map_err(|error| failed(path, error))?;
    let mut builder = Builder::new();
    let mut piece = vec![0; PIECE];
    loop {
        let count = file.read(&mut piece).map_err(|error| failed(path, error))?;
        if count == 0 {
            break;
        }
        if builder.length() + count as u64 > MAX_BODY {
            return Err(refused(path, "it is longer than 64 GiB".into()));
        }
        builder.push(&piece[..count]);
        read(count as u64);
    }
    let after = state(&file).map_err(|error| failed(path, error))?;
    if before != after || after.0 != builder.length() {
        return Err(changed(path));
    }
    Ok(builder.finish())
}

/// What is said about a file that is not what it was.
pub fn changed(path: &Path) -> Failure {
    refused(
        path,
        "it changed while it was read; put it again when it is at rest".into(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::select::select;
    use std::{cell::Cell, fs, io::Write};

    #[test]
    fn a_file_has_the_name_of_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let bytes: Vec<u8> = (0..600_000_u32).map(|i| i.to_le_bytes()[1]).collect();
        fs::write(&path, &bytes).unwrap();
        let named = name_file(&path, &ProgressBar::hidden()).unwrap();
        assert_eq!(named.root, content_of(&Outboard::of(&bytes)));
        assert_eq!(named.bytes, 600_000);
    }

    #[test]
    fn equal_files_are_put_once() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("b")).unwrap();
        for (file, text) in [("a.html", "one"), ("b/a.html", "one"), ("c", "two")] {
            fs::write(folder.path().join(file), text).unwrap();
        }
        let selected = select(folder.path(), false).unwrap();
        assert_eq!(total(&selected), 9);
        let named = name_folder(folder.path(), selected, &ProgressBar::hidden()).unwrap();
        let directories: u64 = named
            .directories
            .iter()
            .map(|(content, _)| content.length)
            .sum();
        assert_eq!((named.files.len(), named.directories.len()), (2, 2));
        assert_eq!(named.bytes, 6 + directories);
    }

    #[test]
    fn a_file_that_changes_while_it_is_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, vec![1; 2 * PIECE]).unwrap();
        let written = Cell::new(false);
        let grown = outboard(&path, |_| {
            if !written.replace(true) {
                let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
                file.write_all(&[2; 100]).unwrap();
            }
        });
        assert!(written.get());
        assert!(matches!(grown, Err(Failure::Folder { cause, .. }) if cause.contains("changed")));
    }
}
