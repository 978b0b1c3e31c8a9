//! The way from a root to what a path names.

use std::collections::VecDeque;

use selvedge_primitives_types::ContentRef;

use crate::directory::{Directory, Entry};
use crate::name::{Name, NameError, MAX_NAME};
use crate::MediaType;

/// The most directories that a path leads through, the topmost included.
pub const MAX_DEPTH: usize = 64;
/// The most octets of a path: [`MAX_DEPTH`] of the longest names, each octet escaped, and what separates them.
pub const MAX_PATH: usize = MAX_DEPTH * (3 * MAX_NAME + 1) + 1;
/// The file that stands for its directory.
pub const INDEX: &str = "index.html";

/// Why a path names nothing in any tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// It does not begin with `/`.
    #[error("a path begins with `/`")]
    NotAbsolute,
    /// It has more than [`MAX_PATH`] octets.
    #[error("a path has {0} octets, and at most {MAX_PATH} are allowed")]
    TooLong(usize),
    /// It leads through more than [`MAX_DEPTH`] directories.
    #[error("a path leads through more than {MAX_DEPTH} directories")]
    TooDeep,
    /// A `%` without two hexadecimal digits behind it (RFC 3986 §2.1).
    #[error("a `%` in a path needs two hexadecimal digits")]
    Escape,
    /// A component that is no name.
    #[error(transparent)]
    Name(#[from] NameError),
}

/// Where a walk is after a directory.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Another directory is needed.
    Next(Walk),
    /// The path names this file.
    File(ContentRef, MediaType),
    /// The path names this directory.
    Directory(ContentRef),
    /// The path of a site names a directory and lacks the `/` at its end, without which what its page links to is
    /// looked for one directory too high.
    NeedsSlash,
    /// The path names nothing.
    Absent,
}

#[derive(Debug, PartialEq, Eq)]
enum End {
    /// Whatever has the name.
    Exact,
    /// A file, or a directory that is redirected to.
    Page,
    /// The index of a directory.
    Index,
}

/// A path under way: [`Walk::wanted`] says which directory to get, and [`Walk::enter`] takes it.
#[derive(Debug, PartialEq, Eq)]
pub struct Walk {
    at: ContentRef,
    first: Name,
    rest: VecDeque<Name>,
    end: End,
}

impl Walk {
    /// Looks for the page that the path of a URL names: without query, still escaped. A path that ends with `/` names
    /// the [`INDEX`] of a directory.
    pub fn page(root: ContentRef, path: &str) -> Result<Self, PathError> {
        if path.len() > MAX_PATH {
            return Err(PathError::TooLong(path.len()));
        }
        let path = path.strip_prefix('/').ok_or(PathError::NotAbsolute)?;
        let mut names = Vec::new();
        let mut parts = path.split('/').peekable();
        let mut end = End::Page;
        while let Some(part) = parts.next() {
            if part.is_empty() && parts.peek().is_none() {
                end = End::Index;
                names.push(Name::new(INDEX)?);
            } else {
                names.push(Name::from_escaped(part)?);
            }
        }
        Self::new(root, names, end)
    }

    /// Looks for whatever has these names, one below the other; not escaped.
    ///
    /// Errors: as [`Walk::page`], and [`NameError::Empty`] when there are none.
    pub fn exact(root: ContentRef, names: Vec<Name>) -> Result<Self, PathError> {
        Self::new(root, names, End::Exact)
    }

    fn new(at: ContentRef, names: Vec<Name>, end: End) -> Result<Self, PathError> {
        if names.len() > MAX_DEPTH {
            return Err(PathError::TooDeep);
        }
        let mut rest = VecDeque::from(names);
        let first = rest.pop_front().ok_or(NameError::Empty)?;
        Ok(Self {
            at,
            first,
            rest,
            end,
        })
    }

    /// The directory that it is in.
    pub fn wanted(&self) -> ContentRef {
        self.at
    }

    /// Goes one name further in the directory that it is in.
    pub fn enter(mut self, directory: &Directory) -> Step {
        let Some(entry) = directory.get(self.first.as_str()) else {
            return Step::Absent;
        };
        match (entry, self.rest.pop_front()) {
            (Entry::Directory(content), Some(next)) => {
                self.at = *content;
                self.first = next;
                Step::Next(self)
            }
            (Entry::Directory(content), None) => match self.end {
                End::Exact => Step::Directory(*content),
                End::Page => Step::NeedsSlash,
                End::Index => Step::Absent,
            },
            (Entry::File(content, media_type), None) => Step::File(*content, media_type.clone()),
            (Entry::File(..), Some(_)) => Step::Absent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Tree, TreeBuilder};
    use selvedge_primitives_types::ContentKind;
    use std::collections::BTreeMap;

    const FILES: [&str; 5] = [
        "index.html",
        "a/index.html",
        "a/größe.txt",
        "a/b c/index.html/deep",
        "100%",
    ];

    fn names(path: &str) -> Vec<Name> {
        path.split('/')
            .map(|name| Name::new(name).unwrap())
            .collect()
    }

    fn site() -> (Tree, BTreeMap<ContentRef, Directory>) {
        let mut builder = TreeBuilder::new();
        for at in FILES {
            let media_type = MediaType::new("text/plain").unwrap();
            builder.file(&names(at), of(at), media_type).unwrap();
        }
        let tree = builder.build().unwrap();
        let directories = tree.directories.iter().map(|(content, bytes)| {
            let directory = Directory::from_blob(bytes).unwrap();
            (*content, directory)
        });
        let directories = directories.collect();
        (tree, directories)
    }

    fn of(text: &str) -> ContentRef {
        crate::content_of(text.as_bytes(), ContentKind::File)
    }

    fn end(directories: &BTreeMap<ContentRef, Directory>, mut walk: Walk) -> Step {
        loop {
            match walk.enter_in(directories) {
                Step::Next(next) => walk = next,
                step => return step,
            }
        }
    }

    impl Walk {
        fn enter_in(self, directories: &BTreeMap<ContentRef, Directory>) -> Step {
            let directory = &directories[&self.wanted()];
            self.enter(directory)
        }
    }

    #[test]
    fn a_path_leads_to_its_page() {
        let (tree, directories) = site();
        let page = |path| end(&directories, Walk::page(tree.root, path).unwrap());
        for (path, at) in [
            ("/", "index.html"),
            ("/index.html", "index.html"),
            ("/a/", "a/index.html"),
            ("/a/gr%C3%B6%c3%9fe.txt", "a/größe.txt"),
            ("/a/b%20c/index.html/deep", "a/b c/index.html/deep"),
            ("/100%25", "100%"),
        ] {
            let media_type = MediaType::new("text/plain").unwrap();
            assert_eq!(page(path), Step::File(of(at), media_type), "{path}");
        }
        assert_eq!(page("/a"), Step::NeedsSlash);
        // A directory with the name of an index is none.
        assert_eq!(page("/a/b%20c/"), Step::Absent);
        for path in ["/b", "/index.html/", "/index.html/x", "/a/b", "/A/"] {
            assert_eq!(page(path), Step::Absent, "{path}");
        }
    }

    #[test]
    fn names_lead_to_whatever_has_them() {
        let (tree, directories) = site();
        let exact = |path| {
            let walk = Walk::exact(tree.root, names(path)).unwrap();
            end(&directories, walk)
        };
        assert!(matches!(exact("a/b c/index.html"), Step::Directory(_)));
        assert!(matches!(exact("100%"), Step::File(..)));
        assert_eq!(exact("a/c"), Step::Absent);
        assert_eq!(
            Walk::exact(tree.root, Vec::new()),
            Err(PathError::Name(NameError::Empty))
        );
    }

    #[test]
    fn paths_that_leave_the_site_are_refused() {
        let root = site().0.root;
        for (path, error) in [
            ("", PathError::NotAbsolute),
            ("a", PathError::NotAbsolute),
            ("*", PathError::NotAbsolute),
            ("/..", NameError::Dots.into()),
            ("/a/../b", NameError::Dots.into()),
            ("/a/%2e%2E/b", NameError::Dots.into()),
            ("/./a", NameError::Dots.into()),
            ("/..%2f..%2fetc", NameError::Character('/').into()),
            ("/a%00", NameError::Character('\0').into()),
            ("/a%0d%0a", NameError::Character('\r').into()),
            ("//a", NameError::Empty.into()),
            ("/a//", NameError::Empty.into()),
            ("/%ff", NameError::NotUtf8.into()),
            ("/%", PathError::Escape),
            ("/%4", PathError::Escape),
            ("/%4/a", PathError::Escape),
            ("/%+1", PathError::Escape),
            ("/%zz", PathError::Escape),
        ] {
            assert_eq!(Walk::page(root, path), Err(error), "{path}");
        }
    }

    #[test]
    fn a_path_has_a_length_and_a_depth() {
        let root = site().0.root;
        let long = "/".to_owned() + &"a".repeat(1 << 20);
        assert_eq!(Walk::page(root, &long), Err(PathError::TooLong(long.len())));
        let long = "/".to_owned() + &"a".repeat(MAX_NAME + 1);
        assert_eq!(
            Walk::page(root, &long),
            Err(NameError::TooLong(MAX_NAME + 1).into())
        );
        let longest = "%61".repeat(MAX_NAME);
        let deepest = "/".to_owned() + &vec![longest; MAX_DEPTH].join("/");
        assert!(Walk::page(root, &deepest).is_ok());
        assert_eq!(
            Walk::page(root, &"/a".repeat(MAX_DEPTH + 1)),
            Err(PathError::TooDeep)
        );
    }
}
