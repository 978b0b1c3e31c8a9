//! Which files of a folder are put, and under which names.
//!
//! Nothing outside of the folder is: a symbolic link is followed only where that is asked for, and only to somewhere in the
//! folder. What is neither file nor folder is refused rather than left out.

use crate::error::Failure;
use selvedge_edge_core_content::{Name, MAX_DEPTH};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The most files of one folder tree.
const MAX_FILES: usize = 1 << 20;

/// What of a folder tree is put.
#[derive(Debug, Default)]
pub struct Selected {
    /// Folders, the outer before the inner.
    pub folders: Vec<Vec<Name>>,
    /// Files: under which names, and where they are.
    pub files: Vec<(Vec<Name>, PathBuf)>,
}

/// Looks through a folder.
///
/// Errors: [`Failure::Folder`] with the path of what cannot be put and the reason.
pub fn select(folder: &Path, follow: bool) -> Result<Selected, Failure> {
    let top = fs::canonicalize(folder).map_err(|error| failed(folder, error))?;
    let mut selection = Selection {
        selected: Selected::default(),
        above: vec![top.clone()],
        top,
        follow,
    };
    selection.folder(folder, &mut Vec::new())?;
    Ok(selection.selected)
}

struct Selection {
    selected: Selected,
    top: PathBuf,
    /// Where the folders really are that are being looked through: a link to one of them would go round for ever.
    above: Vec<PathBuf>,
    follow: bool,
}

impl Selection {
    /// As deep as [`MAX_DEPTH`].
    fn folder(&mut self, at: &Path, names: &mut Vec<Name>) -> Result<(), Failure> {
        if names.len() >= MAX_DEPTH {
            return Err(refused(
                at,
                format!("it is more than {MAX_DEPTH} folders deep"),
            ));
        }
        let mut entries = Vec::new();
        for entry in fs::read_dir(at).map_err(|error| failed(at, error))? {
            entries.push(entry.map_err(|error| failed(at, error))?.path());
        }
        entries.sort();
        for path in entries {
            let name = path.file_name().unwrap_or_default();
            let name = Name::from_octets(name.as_encoded_bytes())
                .map_err(|error| refused(&path, error.to_string()))?;
            names.push(name);
            self.entry(&path, names)?;
            names.pop();
        }
        Ok(())
    }

    fn entry(&mut self, path: &Path, names: &mut Vec<Name>) -> Result<(), Failure> {
        let mut about = fs::symlink_metadata(path).map_err(|error| failed(path, error))?;
        if about.is_symlink() {
            self.check_link(path)?;
            about = fs::metadata(path).map_err(|error| failed(path, error))?;
        }
        if about.is_dir() {
            let real = fs::canonicalize(path).map_err(|error| failed(path, error))?;
            if self.above.contains(&real) {
                return Err(refused(
                    path,
                    "the link leads back to a folder above it".into(),
                ));
            }
            self.selected.folders.push(names.clone());
            self.above.push(real);
            self.folder(path, names)?;
            self.above.pop();
            return Ok(());
        }
        if !about.is_file() {
            return Err(refused(path, "it is neither a file nor a folder".into()));
        }
        if self.selected.files.len() == MAX_FILES {
            return Err(refused(
                &self.top,
                format!("it has more than {MAX_FILES} files"),
            ));
        }
        self.selected.files.push((names.clone(), path.to_owned()));
        Ok(())
    }

    fn check_link(&self, path: &Path) -> Result<(), Failure> {
        if !self.follow {
            return Err(refused(
                path,
                "it is a symbolic link; --follow takes what links within the folder lead to".into(),
            ));
        }
        let real = fs::canonicalize(path).map_err(|error| failed(path, error))?;
        if !real.starts_with(&self.top) {
            return Err(refused(path, "the link leads out of the folder".into()));
        }
        Ok(())
    }
}

/// What the system said about a path.
pub fn failed(path: &Path, error: std::io::Error) -> Failure {
    refused(path, error.to_string())
}

/// Why a path is of no use.
pub fn refused(path: &Path, cause: String) -> Failure {
    Failure::Folder {
        path: path.display().to_string(),
        cause,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::{ffi::OsStrExt, fs::symlink};

    fn names(selected: &Selected) -> Vec<String> {
        let joined =
            |names: &Vec<Name>| names.iter().map(Name::as_str).collect::<Vec<_>>().join("/");
        selected
            .files
            .iter()
            .map(|(names, _)| joined(names))
            .collect()
    }

    fn cause(folder: &Path, follow: bool) -> (String, String) {
        match select(folder, follow) {
            Err(Failure::Folder { path, cause }) => (path, cause),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_folder_is_taken_whole() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("b/empty")).unwrap();
        for file in ["b/x", "a", ".hidden"] {
            fs::write(folder.path().join(file), file).unwrap();
        }
        let selected = select(folder.path(), false).unwrap();
        assert_eq!(names(&selected), [".hidden", "a", "b/x"]);
        assert_eq!(selected.folders.len(), 2);
    }

    #[test]
    fn links_are_refused_unless_they_stay_inside() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), "s").unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "a").unwrap();
        symlink("a", folder.path().join("link")).unwrap();
        let (path, said) = cause(folder.path(), false);
        assert!(
            path.ends_with("link") && said.contains("--follow"),
            "{said}"
        );
        let selected = select(folder.path(), true).unwrap();
        assert_eq!(names(&selected), ["a", "link"]);
        symlink(outside.path().join("secret"), folder.path().join("out")).unwrap();
        assert!(cause(folder.path(), true).1.contains("out of the folder"));
        fs::remove_file(folder.path().join("out")).unwrap();
        symlink(folder.path(), folder.path().join("round")).unwrap();
        assert!(cause(folder.path(), true).1.contains("leads back"));
    }

    #[test]
    fn what_is_no_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
        let (path, said) = cause(folder.path(), false);
        assert!(
            path.ends_with("socket") && said.contains("neither"),
            "{said}"
        );
        drop(socket);
        fs::remove_file(folder.path().join("socket")).unwrap();
        let name = std::ffi::OsStr::from_bytes(b"a\nb");
        fs::write(folder.path().join(name), "").unwrap();
        assert!(cause(folder.path(), false).1.contains("'\\n'"));
        assert!(cause(&folder.path().join("absent"), false)
            .1
            .contains("No such file"));
    }
}
