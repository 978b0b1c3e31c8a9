//! What is to be got or listed: `ROOT`, `ROOT/PATH`, or the URL that `selvedge put` has printed.

use crate::{error::Failure, keys::bytes32};
use selvedge_edge_core_content::{Name, PathError, MAX_DEPTH, MAX_PATH};
use selvedge_primitives_types::Hash;

/// A root with a path below it, and the gateway where a URL names one.
#[derive(Debug, PartialEq, Eq)]
pub struct Target {
    /// Base URL of a gateway's public server.
    pub gateway: Option<String>,
    /// The topmost blob.
    pub root: Hash,
    /// Names below it.
    pub path: Vec<Name>,
}

impl Target {
    /// Reads it. The path of a URL is escaped, that behind a root is not.
    pub fn read(text: &str) -> Result<Self, Failure> {
        if text.len() > MAX_PATH + 1_024 {
            return Err(input(text, &PathError::TooLong(text.len())));
        }
        let (gateway, rest) = match text.split_once("/content/v1/") {
            Some((base, rest)) if base.starts_with("http://") => (Some(base.to_owned()), rest),
            _ => (None, text),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (root, path) = rest.split_once('/').unwrap_or((rest, ""));
        let root = root.strip_prefix("0x").and_then(bytes32);
        let root = root.ok_or_else(|| {
            let what = "not a root: 0x and 64 hexadecimal digits, with a path behind it, or a URL http://GATEWAY/content/v1/ROOT";
            input(text, &what)
        })?;
        let parts = path.split('/').filter(|_| !path.is_empty());
        let names: Result<Vec<Name>, PathError> = match gateway {
            Some(_) => parts.map(Name::from_escaped).collect(),
            None => parts.map(|part| Ok(Name::new(part)?)).collect(),
        };
        let path = names.map_err(|error| input(text, &error))?;
        if path.len() > MAX_DEPTH {
            return Err(input(text, &PathError::TooDeep));
        }
        Ok(Self {
            gateway,
            root,
            path,
        })
    }
}

fn input(text: &str, cause: &dyn std::fmt::Display) -> Failure {
    let shown: String = text.chars().take(120).collect();
    Failure::Input(format!("{shown:?}: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "0x0707070707070707070707070707070707070707070707070707070707070707";

    fn target(gateway: Option<&str>, path: &[&str]) -> Target {
        Target {
            gateway: gateway.map(Into::into),
            root: [7; 32],
            path: path.iter().map(|name| Name::new(name).unwrap()).collect(),
        }
    }

    #[test]
    fn roots_paths_and_urls_are_read() {
        let gateway = Some("http://127.0.0.1:4/x");
        for (text, expected) in [
            (ROOT.to_owned(), target(None, &[])),
            (format!("{ROOT}/"), target(None, &[])),
            (format!("{ROOT}/a b/50%25"), target(None, &["a b", "50%25"])),
            (
                format!("http://127.0.0.1:4/x/content/v1/{ROOT}/a%20b"),
                target(gateway, &["a b"]),
            ),
        ] {
            assert_eq!(Target::read(&text).unwrap(), expected);
        }
    }

    #[test]
    fn what_leaves_the_root_is_refused() {
        let long = "a".repeat(1 << 20);
        for rest in ["..", "a/../b", "a//b", "a\0", "./a", &long] {
            assert!(Target::read(&format!("{ROOT}/{rest}")).is_err());
        }
        for url in ["a%2f..", "%2e%2e", "%", "a%00"] {
            let text = format!("http://gateway/content/v1/{ROOT}/{url}");
            assert!(Target::read(&text).is_err(), "{text}");
        }
        for text in ["", "0x07", &ROOT[2..], "https://gateway/", "7"] {
            assert!(Target::read(text).is_err(), "{text}");
        }
        let error = Target::read(&long).unwrap_err().to_string();
        assert!(error.len() < 400, "{}", error.len());
    }
}
