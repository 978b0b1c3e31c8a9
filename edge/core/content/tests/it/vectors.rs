//! The committed trees. `APPROVE_VECTORS=1` writes the file anew; without it a difference is a
//! failure.

use selvedge_edge_core_content::{content_of, Directory, MediaType, Name, TreeBuilder};
use selvedge_primitives_types::{ContentKind, ContentRef};
use serde_json::{json, Value};
use std::{env, fs, path::PathBuf};

/// Paths with the text of each file.
const TREES: [(&str, &[(&str, &str)]); 3] = [
    ("empty", &[]),
    ("one file", &[("index.html", "<h1>Hello</h1>")]),
    (
        "folders",
        &[
            ("index.html", "<h1>Hello</h1>"),
            ("a/größe.txt", "groß"),
            ("a/copy of index.html", "<h1>Hello</h1>"),
            ("a.", ""),
            ("b/c/logo.svg", "<svg/>"),
            ("d/c/logo.svg", "<svg/>"),
        ],
    ),
];

fn hex(value: impl AsRef<[u8]>) -> String {
    format!("0x{}", hex::encode(value))
}

fn named(content: ContentRef) -> Value {
    json!({
        "root": hex(content.root),
        "length": content.length.to_string(),
        "kind": match content.kind {
            ContentKind::File => "file",
            ContentKind::Directory => "directory",
        },
    })
}

fn tree((title, files): (&str, &[(&str, &str)])) -> Value {
    let mut builder = TreeBuilder::new();
    let mut list = Vec::new();
    for (path, text) in files {
        let names: Vec<_> = path
            .split('/')
            .map(|name| Name::new(name).unwrap())
            .collect();
        let media_type = MediaType::of_name(names.last().unwrap());
        list.push(json!({"path": path, "text": text, "media_type": media_type.as_str()}));
        let content = content_of(text.as_bytes(), ContentKind::File);
        builder.file(&names, content, media_type).unwrap();
    }
    let tree = builder.build().unwrap();
    let directories: Vec<_> = tree
        .directories
        .iter()
        .map(|(content, bytes)| json!({"content": named(*content), "blob": hex(bytes)}))
        .collect();
    json!({
        "name": title,
        "files": list,
        "root": named(tree.root),
        "bytes": tree.bytes.to_string(),
        "directories": directories,
    })
}

/// Blobs that no reader accepts, with the reason.
fn refused() -> Vec<Value> {
    let entry = |name: &[u8]| {
        let mut bytes = vec![4, 4 * name.len() as u8];
        bytes.extend(name);
        bytes.extend([7; 32]);
        bytes.extend([1, 0, 0, 0, 0, 0, 0, 0, 0, 12]);
        bytes.extend(b"a/b");
        bytes
    };
    let twice = [&[8], &entry(b"a")[1..], &entry(b"a")[1..]].concat();
    let backwards = [&[8], &entry(b"b")[1..], &entry(b"a")[1..]].concat();
    let mut trailing = entry(b"a");
    trailing.push(0);
    let mut no_media_type = entry(b"a");
    no_media_type.truncate(no_media_type.len() - 4);
    no_media_type.push(0);
    let cases = [
        ("leaves the folder", entry(b"..")),
        ("has a separator", entry(b"a/b")),
        ("has a NUL", entry(b"a\0")),
        ("no name", entry(b"")),
        ("not UTF-8", entry(b"\xff")),
        ("a name twice", twice),
        ("not in order", backwards),
        ("bytes after the end", trailing),
        ("ends early", entry(b"a")[..20].to_vec()),
        ("a file without a media type", no_media_type),
        ("a count in too many bytes", vec![1, 0]),
    ];
    let case = |(name, blob): (&str, Vec<u8>)| {
        let error = Directory::from_blob(&blob).unwrap_err();
        json!({"name": name, "blob": hex(blob), "error": error.to_string()})
    };
    cases.map(case).to_vec()
}

#[test]
fn trees_are_what_the_vectors_say() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../vectors/content.json");
    let made = json!({
        "trees": TREES.map(tree),
        "refused": refused(),
    });
    let made = format!("{made:#}\n");
    if env::var_os("APPROVE_VECTORS").is_some_and(|value| value == "1") {
        fs::write(&path, &made).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == made,
        "the encoding of directories has changed: see vectors/README.md"
    );
}
