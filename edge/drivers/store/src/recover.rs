//! What is found in a folder at start.

use std::fs::{self, File};
use std::path::Path;
use std::time::SystemTime;
use std::{collections::HashMap, io};

use selvedge_primitives_types::Hash;

use crate::files::{self, Folder, RecordId};
use crate::index::{Entry, Gone, Index};
use crate::Error;

/// What a start found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Recovery {
    /// Records that are stored.
    pub records: usize,
    /// Bodies that are stored.
    pub bodies: usize,
    /// Files under way that were taken away.
    pub unfinished: usize,
    /// Records that were taken away: decayed, or without a body.
    pub dropped_records: usize,
    /// Bodies that were taken away: decayed, or without a record.
    pub dropped_bodies: usize,
    /// Records that left because the quota is smaller than before.
    pub evicted: usize,
}

struct FoundBody {
    length: u64,
    disk_bytes: u64,
    is_named: bool,
}

/// Reads every record and the end of every body. Bodies are checked whole when they are read.
pub(crate) fn recover(folder: &Folder, index: &mut Index) -> Result<Recovery, Error> {
    let mut recovery = Recovery::default();
    each_file(&folder.0.join("tmp"), |path, _| {
        files::remove(path);
        recovery.unfinished += 1;
    })?;

    let mut bodies = HashMap::new();
    each_named(&folder.0.join("bodies"), |root, path| match body_at(path) {
        Ok(Some(body)) => {
            bodies.insert(root, body);
        }
        Ok(None) => {
            files::remove(path);
            recovery.dropped_bodies += 1;
        }
        Err(error) => tracing::warn!(path = %path.display(), %error, "cannot read a body"),
    })?;

    let mut records = Vec::new();
    each_named(&folder.0.join("records"), |id, path| {
        match record_at(path, &id, &mut bodies) {
            Some(found) => records.push((found.0, id, found.1)),
            None => {
                files::remove(path);
                recovery.dropped_records += 1;
            }
        }
    })?;
    for root in bodies
        .iter()
        .filter(|(_, body)| !body.is_named)
        .map(|(root, _)| root)
    {
        files::remove(&folder.body(root));
        recovery.dropped_bodies += 1;
    }

    // The order that they came in is the only one a folder remembers.
    records.sort_by_key(|(modified, id, _)| (*modified, *id));
    for (_, id, entry) in records {
        let body_bytes = bodies.get(&entry.root).map_or(0, |body| body.disk_bytes);
        index.insert(id, entry, body_bytes);
    }
    let (_, gone) = index.promise(0);
    for gone in &gone {
        if let Gone::Record(_) = gone {
            recovery.evicted += 1;
        }
        remove_gone(folder, gone);
    }
    (recovery.records, recovery.bodies) = (index.records(), index.bodies());
    Ok(recovery)
}

pub(crate) fn remove_gone(folder: &Folder, gone: &Gone) {
    match gone {
        Gone::Record(id) => files::remove(&folder.record(id)),
        Gone::Body(root) => files::remove(&folder.body(root)),
    }
}

fn body_at(path: &Path) -> io::Result<Option<FoundBody>> {
    let file = File::open(path)?;
    let disk_bytes = files::disk_bytes(file.metadata()?.len());
    let length = files::body_length(&file)?;
    Ok(length.map(|length| FoundBody {
        length,
        disk_bytes,
        is_named: false,
    }))
}

fn record_at(
    path: &Path,
    id: &RecordId,
    bodies: &mut HashMap<Hash, FoundBody>,
) -> Option<(SystemTime, Entry)> {
    let file = fs::read(path).ok()?;
    let signed = files::decode_record(&file)?;
    if files::record_id(&signed) != *id {
        return None;
    }
    let record = &signed.record;
    let body = bodies
        .get_mut(&record.root)
        .filter(|body| body.length == record.length)?;
    body.is_named = true;
    let modified = fs::metadata(path).and_then(|data| data.modified()).ok()?;
    let entry = Entry {
        service: record.service,
        key: files::key_digest(record.service, &record.key),
        root: record.root,
        generation: record.generation,
        bytes: files::disk_bytes(file.len() as u64),
    };
    Some((modified, entry))
}

/// Every file that a folder of named ones holds, with the name it stands for.
fn each_named(folder: &Path, mut visit: impl FnMut([u8; 32], &Path)) -> Result<(), Error> {
    for first in 0..=255u8 {
        each_file(
            &folder.join(format!("{first:02x}")),
            |path, rest| match name(first, rest) {
                Some(name) => visit(name, path),
                None => tracing::warn!(path = %path.display(), "not a file of this store"),
            },
        )?;
    }
    Ok(())
}

fn each_file(folder: &Path, mut visit: impl FnMut(&Path, &str)) -> Result<(), Error> {
    let entries = fs::read_dir(folder).map_err(|e| Error::io("list", folder, e))?;
    for entry in entries {
        let path = entry.map_err(|e| Error::io("list", folder, e))?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        visit(&path, name);
    }
    Ok(())
}

fn name(first: u8, rest: &str) -> Option<[u8; 32]> {
    let mut name = [first; 32];
    if rest.len() != 62 || !rest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in name.iter_mut().skip(1).enumerate() {
        *byte = u8::from_str_radix(rest.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(name)
}
