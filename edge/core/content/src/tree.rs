//! The directories above many files.

use std::collections::btree_map::{BTreeMap, Entry as Place};

use selvedge_primitives_types::{ContentRef, Hash};

use crate::directory::{Directory, DirectoryError, Entry};
use crate::name::Name;
use crate::walk::MAX_DEPTH;
use crate::MediaType;

/// Why files make no tree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TreeError {
    /// Two files have one path, or a file has the path of a folder.
    #[error("the path {0} is taken")]
    Taken(String),
    /// More than [`MAX_DEPTH`] folders above a file.
    #[error("the path {0} leads through more than {MAX_DEPTH} folders")]
    TooDeep(String),
    /// A path without a name.
    #[error("a path has no names")]
    NoName,
    /// A folder makes no directory.
    #[error("the folder {path:?}: {error}")]
    Directory {
        /// The folder; empty for the topmost.
        path: String,
        /// What is wrong with it.
        error: DirectoryError,
    },
}

/// A tree of blobs, ready to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// The topmost directory.
    pub root: ContentRef,
    /// Every distinct directory with its bytes, each after those that it names.
    pub directories: Vec<(ContentRef, Vec<u8>)>,
    /// Distinct files.
    pub files: u64,
    /// Bytes of all distinct blobs, directories included: what a pin of the root covers.
    pub bytes: u64,
}

/// Collects files and folders by their paths.
#[derive(Debug, Default)]
pub struct TreeBuilder {
    top: Folder,
}

type Folder = BTreeMap<Name, Node>;

#[derive(Debug)]
enum Node {
    File(ContentRef, MediaType),
    Folder(Folder),
}

impl TreeBuilder {
    /// No files yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file, with the folders above it.
    ///
    /// Errors: [`TreeError::Taken`], [`TreeError::TooDeep`], [`TreeError::NoName`].
    pub fn file(
        &mut self,
        path: &[Name],
        content: ContentRef,
        media_type: MediaType,
    ) -> Result<(), TreeError> {
        let (name, folders) = path.split_last().ok_or(TreeError::NoName)?;
        match self.folder_at(folders)?.entry(name.clone()) {
            Place::Vacant(place) => {
                place.insert(Node::File(content, media_type));
                Ok(())
            }
            Place::Occupied(_) => Err(TreeError::Taken(joined(path))),
        }
    }

    /// Adds a folder, which may stay empty.
    ///
    /// Errors: [`TreeError::Taken`] where there is a file, [`TreeError::TooDeep`].
    pub fn folder(&mut self, path: &[Name]) -> Result<(), TreeError> {
        self.folder_at(path).map(drop)
    }

    fn folder_at(&mut self, path: &[Name]) -> Result<&mut Folder, TreeError> {
        if path.len() >= MAX_DEPTH {
            return Err(TreeError::TooDeep(joined(path)));
        }
        let mut folder = &mut self.top;
        for (depth, name) in path.iter().enumerate() {
            let node = folder
                .entry(name.clone())
                .or_insert_with(|| Node::Folder(Folder::new()));
            match node {
                Node::Folder(below) => folder = below,
                Node::File(..) => return Err(TreeError::Taken(joined(&path[..=depth]))),
            }
        }
        Ok(folder)
    }

    /// Makes the directories, from the bottom up.
    ///
    /// Errors: [`TreeError::Directory`].
    pub fn build(self) -> Result<Tree, TreeError> {
        let mut made = Made::default();
        let root = made.folder(self.top, &mut Vec::new())?;
        Ok(Tree {
            root,
            files: made.lengths.len() as u64 - made.directories.len() as u64,
            bytes: made.lengths.values().sum(),
            directories: made.directories,
        })
    }
}

#[derive(Default)]
struct Made {
    directories: Vec<(ContentRef, Vec<u8>)>,
    lengths: BTreeMap<Hash, u64>,
}

impl Made {
    /// As deep as [`MAX_DEPTH`], which [`TreeBuilder::folder_at`] sees to.
    fn folder(&mut self, folder: Folder, path: &mut Vec<Name>) -> Result<ContentRef, TreeError> {
        let mut directory = Directory::new();
        for (name, node) in folder {
            let entry = match node {
                Node::File(content, media_type) => {
                    self.lengths.insert(content.root, content.length);
                    Entry::File(content, media_type)
                }
                Node::Folder(below) => {
                    path.push(name.clone());
                    let content = self.folder(below, path)?;
                    path.pop();
                    Entry::Directory(content)
                }
            };
            directory.insert(name, entry);
        }
        let (content, bytes) = directory.to_blob().map_err(|error| TreeError::Directory {
            path: joined(path),
            error,
        })?;
        if self.lengths.insert(content.root, content.length).is_none() {
            self.directories.push((content, bytes));
        }
        Ok(content)
    }
}

fn joined(path: &[Name]) -> String {
    path.iter().map(Name::as_str).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content_of;
    use selvedge_primitives_types::ContentKind;

    fn path(path: &str) -> Vec<Name> {
        path.split('/')
            .map(|name| Name::new(name).unwrap())
            .collect()
    }

    fn with(files: &[(&str, &str)]) -> TreeBuilder {
        let mut builder = TreeBuilder::new();
        for (at, text) in files {
            let content = content_of(text.as_bytes(), ContentKind::File);
            let media_type = MediaType::new("text/plain").unwrap();
            builder.file(&path(at), content, media_type).unwrap();
        }
        builder
    }

    #[test]
    fn what_is_equal_is_kept_once() {
        let files = [("a/x", "one"), ("b/x", "one"), ("c", "one"), ("d", "four")];
        let tree = with(&files).build().unwrap();
        assert_eq!((tree.files, tree.directories.len()), (2, 2));
        let directories: usize = tree.directories.iter().map(|(_, bytes)| bytes.len()).sum();
        assert_eq!(tree.bytes, (3 + 4 + directories) as u64);
        assert_eq!(tree.directories.last().unwrap().0, tree.root);
    }

    #[test]
    fn a_change_leaves_the_other_folders_their_roots() {
        let before = with(&[("a/x", "one"), ("b/x", "two")]).build().unwrap();
        let after = with(&[("a/x", "one"), ("b/x", "three")]).build().unwrap();
        assert_ne!(before.root, after.root);
        let kept = before
            .directories
            .iter()
            .filter(|directory| after.directories.contains(directory));
        assert_eq!(kept.count(), 1);
    }

    #[test]
    fn the_order_of_the_files_does_not_matter() {
        let there = with(&[("a", "1"), ("b/c", "2"), ("b.", "3")]).build();
        let back = with(&[("b.", "3"), ("b/c", "2"), ("a", "1")]).build();
        assert_eq!(there, back);
    }

    #[test]
    fn a_path_is_taken_once() {
        let content = content_of(b"", ContentKind::File);
        let media_type = MediaType::new("text/plain").unwrap();
        let mut builder = with(&[("a/x", "one")]);
        for (at, taken) in [("a/x", "a/x"), ("a", "a"), ("a/x/y", "a/x")] {
            let answer = builder.file(&path(at), content, media_type.clone());
            assert_eq!(answer, Err(TreeError::Taken(taken.into())), "{at}");
        }
        assert_eq!(
            builder.file(&[], content, media_type),
            Err(TreeError::NoName)
        );
        builder.folder(&path("a")).unwrap();
        assert_eq!(
            builder.folder(&path("a/x")),
            Err(TreeError::Taken("a/x".into()))
        );
    }

    #[test]
    fn folders_may_be_empty_and_are_not_endlessly_deep() {
        let mut builder = TreeBuilder::new();
        builder
            .folder(&path(&["a"; MAX_DEPTH - 1].join("/")))
            .unwrap();
        let deep = ["a"; MAX_DEPTH].join("/");
        assert_eq!(builder.folder(&path(&deep)), Err(TreeError::TooDeep(deep)));
        assert_eq!(builder.build().unwrap().directories.len(), MAX_DEPTH);
    }
}
