//! Writes what was read into files, and nowhere but below the folder that was named.
//!
//! ```text
//! page.html.0707a1b2.part     verified slices, from the start on; the digits are of the root
//! page.html                   the same, once it is whole
//! ```
//!
//! What is interrupted leaves the first behind, and goes on from there. The bytes that were there are hashed with the rest: if they have
//! decayed, the whole has another root, and they are thrown away.

use super::{
    hash::{content_of, outboard},
    read::Reader,
    select::{failed, refused},
    upload::in_background,
};
use crate::error::Failure;
use futures::{stream, StreamExt, TryStreamExt};
use indicatif::ProgressBar;
use selvedge_edge_core_content::{Entry, Name, MAX_BLOBS, MAX_DEPTH, MAX_NAME};
use selvedge_edge_core_verify::{Builder, SLICE};
use selvedge_primitives_types::ContentRef;
use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// Files that are got at a time.
const AT_ONCE: usize = 4;
/// Bytes read at a time from what is there.
const PIECE: usize = 256 * 1024;

/// How content is kept.
#[derive(Clone, Copy, Debug)]
pub struct Keeping {
    /// Whether files with other bytes are replaced.
    pub force: bool,
    /// The most bytes that are written: a directory may name a file of 64 GiB a million times.
    pub most: u64,
}

/// What was kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Files.
    pub files: u64,
    /// Bytes of them.
    pub bytes: u64,
}

impl Kept {
    fn count(&mut self, content: &ContentRef, most: u64) -> Result<(), Failure> {
        self.files += 1;
        self.bytes = self.bytes.saturating_add(content.length);
        if self.files > MAX_BLOBS as u64 {
            return Err(Failure::Input(format!("more than {MAX_BLOBS} files")));
        }
        if self.bytes > most {
            return Err(Failure::Input(format!(
                "more than {most} bytes; --max-bytes allows more"
            )));
        }
        Ok(())
    }
}

/// Gets a folder with everything in it. What is there already, whole, is not got again.
///
/// Errors: [`Failure::Folder`] for what cannot be written, or would be written elsewhere; and what reading says.
pub async fn folder(
    reader: &Reader<'_>,
    path: &[Name],
    content: ContentRef,
    to: &Path,
    keeping: Keeping,
    bar: &ProgressBar,
) -> Result<Kept, Failure> {
    let mut kept = Kept::default();
    let mut folders = 0;
    let mut waiting = vec![(path.to_vec(), content, to.to_owned())];
    while let Some((path, content, to)) = waiting.pop() {
        folders += 1;
        if path.len() >= MAX_DEPTH || folders > MAX_BLOBS {
            return Err(Failure::Input(format!(
                "more than {MAX_DEPTH} folders deep"
            )));
        }
        make_folder(&to)?;
        let directory = reader.directory(&path, &content).await?;
        let mut files = Vec::new();
        for (name, entry) in &directory {
            let mut path = path.clone();
            path.push(name.clone());
            let to = to.join(name.as_str());
            let content = entry.content();
            match entry {
                Entry::Directory(_) => waiting.push((path, content, to)),
                Entry::File(..) => {
                    kept.count(&content, keeping.most)?;
                    bar.inc_length(content.length);
                    files.push((path, content, to));
                }
            }
        }
        let getting = files.into_iter().map(|(path, content, to)| async move {
            file(reader, &path, content, &to, keeping.force, bar).await
        });
        let getting = stream::iter(getting).buffer_unordered(AT_ONCE);
        getting.try_collect::<Vec<()>>().await?;
    }
    Ok(kept)
}

/// Gets a file. One that is there already is not got again.
///
/// Errors: as [`folder`].
pub async fn file(
    reader: &Reader<'_>,
    path: &[Name],
    content: ContentRef,
    to: &Path,
    force: bool,
    bar: &ProgressBar,
) -> Result<(), Failure> {
    let target = to.to_owned();
    if in_background(move || is_there(&target, &content, force)).await? {
        bar.inc(content.length);
        return Ok(());
    }
    let part = part_of(to, &content);
    let begun = part.clone();
    let (mut file, mut builder) = in_background(move || begin(&begun, &content)).await?;
    let had = builder.length();
    bar.inc(had);
    // A blob without bytes has one slice too, which says that it has none.
    let mut slices = std::pin::pin!(reader.slices(path, content, had / SLICE));
    while let Some(slice) = slices.next().await {
        let bytes = match slice {
            Ok(slice) => slice.bytes,
            Err(failure) => {
                if builder.length() == 0 {
                    // A beginning without bytes is none; if it stays, nothing is lost.
                    let _ = fs::remove_file(&part);
                }
                return Err(failure);
            }
        };
        bar.inc(bytes.len() as u64);
        let named = part.clone();
        (file, builder) = in_background(move || {
            file.write_all(&bytes)
                .map_err(|error| failed(&named, error))?;
            builder.push(&bytes);
            Ok((file, builder))
        })
        .await?;
    }
    let to = to.to_owned();
    in_background(move || {
        let whole = builder.finish();
        if (*whole.root(), whole.length()) != (content.root, content.length) {
            // Every slice that came was verified: what was there has decayed.
            fs::remove_file(&part).map_err(|error| failed(&part, error))?;
            return Err(refused(
                &part,
                "it has decayed and was removed; run it again".into(),
            ));
        }
        file.sync_all().map_err(|error| failed(&part, error))?;
        fs::rename(&part, &to).map_err(|error| failed(&to, error))
    })
    .await
}

/// Makes a folder, unless it is there. A link to one is not: it may lead anywhere.
fn make_folder(to: &Path) -> Result<(), Failure> {
    match fs::symlink_metadata(to) {
        Ok(about) if about.is_dir() => Ok(()),
        Ok(_) => Err(refused(to, "it is there and is no folder".into())),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            fs::create_dir(to).map_err(|error| failed(to, error))
        }
        Err(error) => Err(failed(to, error)),
    }
}

/// Whether the file is there with these bytes.
fn is_there(to: &Path, content: &ContentRef, force: bool) -> Result<bool, Failure> {
    match fs::symlink_metadata(to) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(failed(to, error)),
        Ok(about) if !about.is_file() => Err(refused(to, "it is there and is no file".into())),
        Ok(about) => {
            let is_same = about.len() == content.length
                && content_of(&outboard(to, |_| ())?).root == content.root;
            if !is_same && !force {
                return Err(refused(
                    to,
                    "it is there and has other bytes; --force replaces it".into(),
                ));
            }
            Ok(is_same)
        }
    }
}

/// Where the beginning of a file is kept.
fn part_of(to: &Path, content: &ContentRef) -> PathBuf {
    let ending = format!(".{}.part", hex::encode(&content.root[..4]));
    let name = to.file_name().unwrap_or_default().to_string_lossy();
    let mut most = name.len().min(MAX_NAME - ending.len());
    while !name.is_char_boundary(most) {
        most -= 1;
    }
    to.with_file_name(format!("{}{ending}", &name[..most]))
}

/// Opens the beginning of a file, cut to whole slices and hashed.
fn begin(part: &Path, content: &ContentRef) -> Result<(File, Builder), Failure> {
    let of_part = |error| failed(part, error);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .custom_flags(libc::O_NOFOLLOW)
        .open(part)
        .map_err(of_part)?;
    let about = file.metadata().map_err(of_part)?;
    if !about.is_file() {
        return Err(refused(part, "it is there and is no file".into()));
    }
    // The last slice comes again: it may be cut off anywhere, and nothing is left to fetch if it is not.
    let whole = about.len().min(content.length.saturating_sub(1)) / SLICE * SLICE;
    file.set_len(whole).map_err(of_part)?;
    let mut builder = Builder::new();
    let mut piece = vec![0; PIECE];
    loop {
        let count = file.read(&mut piece).map_err(of_part)?;
        if count == 0 {
            break;
        }
        builder.push(&piece[..count]);
    }
    file.seek(SeekFrom::Start(builder.length()))
        .map_err(of_part)?;
    Ok((file, builder))
}

#[cfg(test)]
mod tests {
    use super::*;
    use selvedge_edge_core_verify::Outboard;
    use std::os::unix::fs::symlink;

    fn content(bytes: &[u8]) -> ContentRef {
        content_of(&Outboard::of(bytes))
    }

    fn cause<T>(result: Result<T, Failure>) -> String {
        match result {
            Err(Failure::Folder { cause, .. }) => cause,
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("it was taken"),
        }
    }

    #[test]
    fn links_are_not_followed_out_of_the_folder() {
        let outside = tempfile::tempdir().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("a");
        symlink(outside.path(), &link).unwrap();
        assert!(cause(make_folder(&link)).contains("no folder"));
        let secret = outside.path().join("secret");
        fs::write(&secret, "s").unwrap();
        let content = content(b"one");
        let to = folder.path().join("b");
        symlink(&secret, &to).unwrap();
        assert!(cause(is_there(&to, &content, true)).contains("no file"));
        let to = folder.path().join("c");
        symlink(&secret, part_of(&to, &content)).unwrap();
        assert!(begin(&part_of(&to, &content), &content).is_err());
        assert_eq!(fs::read(&secret).unwrap(), b"s");
    }

    #[test]
    fn what_is_there_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("a");
        let content = content(b"one");
        assert!(!is_there(&to, &content, false).unwrap());
        fs::write(&to, "one").unwrap();
        assert!(is_there(&to, &content, false).unwrap());
        fs::write(&to, "two").unwrap();
        assert!(cause(is_there(&to, &content, false)).contains("--force"));
        assert!(!is_there(&to, &content, true).unwrap());
    }

    #[test]
    fn a_beginning_goes_on_at_a_whole_slice() {
        let folder = tempfile::tempdir().unwrap();
        let bytes: Vec<u8> = (0..2 * SLICE as u32 + 9)
            .map(|i| i.to_le_bytes()[2])
            .collect();
        let content = content(&bytes);
        let part = part_of(&folder.path().join("a"), &content);
        for (there, expected) in [
            (0, 0),
            (SLICE as usize - 1, 0),
            (SLICE as usize + 7, SLICE),
            (bytes.len(), 2 * SLICE),
        ] {
            fs::write(&part, &bytes[..there]).unwrap();
            let (_, mut builder) = begin(&part, &content).unwrap();
            assert_eq!(builder.length(), expected);
            assert_eq!(part.metadata().unwrap().len(), expected);
            builder.push(&bytes[expected as usize..]);
            assert_eq!(*builder.finish().root(), content.root);
        }
        // Longer than the whole.
        fs::write(&part, vec![0; 5 * SLICE as usize]).unwrap();
        assert_eq!(begin(&part, &content).unwrap().1.length(), 2 * SLICE);
    }

    #[test]
    fn the_name_of_a_beginning_fits() {
        let content = content(b"one");
        let part = part_of(Path::new("x/page.html"), &content);
        let name = part.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with("page.html.") && name.ends_with(".part"));
        let long = Path::new("x").join("ü".repeat(127));
        let part = part_of(&long, &content);
        assert!(part.file_name().unwrap().len() <= MAX_NAME);
    }

    #[test]
    fn a_tree_of_endless_bytes_is_refused() {
        let mut kept = Kept::default();
        let huge = ContentRef {
            length: 60 << 30,
            ..content(b"")
        };
        assert!(kept.count(&huge, 64 << 30).is_ok());
        let error = kept.count(&huge, 64 << 30).unwrap_err().to_string();
        assert!(error.contains("--max-bytes"));
    }
}
