//! `docs/caching-rules.md` names tests that exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Text of all Rust files in a folder and those below.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for file in fs::read_dir(folder).expect("a folder of the repository") {
        let path = file.expect("it can be read").path();
        if path.is_dir() {
            text += &sources(&path);
        } else if path.extension().is_some_and(|end| end == "rs") {
            text += &fs::read_to_string(&path).expect("text");
        }
    }
    text
}

#[test]
fn each_test_in_the_table_of_rules_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let table = fs::read_to_string(root.join("docs/caching-rules.md")).expect("the table");
    let folders = ["edge/core/http-cache", "edge/bin/tests"];
    let sources: String = folders.map(|folder| sources(&root.join(folder))).concat();
    let functions: BTreeSet<&str> = sources
        .split("fn ")
        .filter_map(|rest| rest.split('(').next())
        .collect();
    // The last column holds nothing but names of tests.
    let columns = table.lines().filter_map(|line| {
        let line = line.strip_suffix(" |")?.strip_prefix("| ")?;
        line.rsplit(" | ").next()
    });
    let names: Vec<&str> = columns
        .flat_map(|column| column.split('`').skip(1).step_by(2))
        .collect();
    assert!(names.len() > 80, "{}", names.len());
    for name in names {
        assert!(functions.contains(name), "there is no {name}");
    }
}
