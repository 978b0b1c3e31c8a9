//! What is asked about content: paths, parameters, and the question which blobs owners have.

use selvedge_edge_core_content::{Name, PathError, MAX_DEPTH, MAX_PATH};
use selvedge_edge_core_verify::shape::MAX_BODY;
use selvedge_primitives_types::{ContentKind, ContentRef, Hash, ServiceId, MAX_FACTOR};
use serde::Deserialize;

/// The most blobs that are asked about at a time.
const MAX_BLOBS: usize = 1_024;
/// Octets of such a question: about 130 for each blob.
pub(super) const MAX_QUESTION: usize = 256 * 1024;

/// What a request is about.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Have(ServiceId),
    Put(ServiceId, Hash),
    Get(Hash, Vec<Name>),
}

pub(super) fn asked(path: &str) -> Result<Option<Asked>, PathError> {
    if path.len() > MAX_PATH {
        return Err(PathError::TooLong(path.len()));
    }
    let Some((first, rest)) = path
        .strip_prefix('/')
        .map(|path| path.split_once('/').unwrap_or((path, "")))
    else {
        return Ok(None);
    };
    if let Some(root) = root_of(first) {
        let parts = rest.split('/').filter(|_| !rest.is_empty());
        let names: Vec<Name> = parts.map(Name::from_escaped).collect::<Result<_, _>>()?;
        if names.len() > MAX_DEPTH {
            return Err(PathError::TooDeep);
        }
        return Ok(Some(Asked::Get(root, names)));
    }
    let Ok(service) = first.parse().map(ServiceId) else {
        return Ok(None);
    };
    Ok(match rest {
        "have" => Some(Asked::Have(service)),
        _ => root_of(rest).map(|root| Asked::Put(service, root)),
    })
}

/// A blob as it is asked about.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Blob {
    root: String,
    length: u64,
    kind: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    factor: u8,
    blobs: Vec<Blob>,
}

pub(super) fn question(body: &[u8]) -> Result<(u8, Vec<ContentRef>), &'static str> {
    let question: Question =
        serde_json::from_slice(body).map_err(|_| "the body is not {factor, blobs}")?;
    let factor = factor(question.factor.into())?;
    if question.blobs.len() > MAX_BLOBS {
        return Err("at most 1024 blobs at a time");
    }
    let blobs = question.blobs.iter().map(|blob| {
        Ok(ContentRef {
            root: root_of(&blob.root).ok_or("a root is 0x and 64 hexadecimal digits")?,
            length: length(blob.length)?,
            kind: kind_of(&blob.kind)?,
        })
    });
    Ok((factor, blobs.collect::<Result<_, &str>>()?))
}

pub(super) fn put_of(query: &str, root: Hash) -> Result<(u8, ContentRef, u64), &'static str> {
    let named = number(query, "length").ok_or("name the length: ?length=")?;
    let kind = parameter(query, "kind").ok_or("name the kind: ?kind=")?;
    let content = ContentRef {
        root,
        length: length(named)?,
        kind: kind_of(kind)?,
    };
    let slice = number(query, "slice").ok_or("name the slice: ?slice=")?;
    let named = number(query, "factor").ok_or("name the factor: ?factor=")?;
    Ok((factor(named)?, content, slice))
}

fn factor(named: u64) -> Result<u8, &'static str> {
    match u8::try_from(named) {
        Ok(factor @ 1..=MAX_FACTOR) => Ok(factor),
        _ => Err("a factor is 1 to 16"),
    }
}

fn length(named: u64) -> Result<u64, &'static str> {
    (named <= MAX_BODY).then_some(named).ok_or("at most 64 GiB")
}

fn kind_of(name: &str) -> Result<ContentKind, &'static str> {
    match name {
        "file" => Ok(ContentKind::File),
        "directory" => Ok(ContentKind::Directory),
        _ => Err("a kind is file or directory"),
    }
}

pub(super) fn kind_name(kind: ContentKind) -> &'static str {
    match kind {
        ContentKind::File => "file",
        ContentKind::Directory => "directory",
    }
}

fn root_of(text: &str) -> Option<Hash> {
    let mut root = [0; 32];
    hex::decode_to_slice(text.strip_prefix("0x")?, &mut root).ok()?;
    Some(root)
}

pub(super) fn root_hex(root: &Hash) -> String {
    format!("0x{}", hex::encode(root))
}

pub(super) fn number(query: &str, name: &str) -> Option<u64> {
    parameter(query, name)?.parse().ok()
}

fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use selvedge_edge_core_content::NameError;
    use serde_json::{json, Value};

    const ROOT: &str = "0x0707070707070707070707070707070707070707070707070707070707070707";

    #[test]
    fn paths_say_what_is_asked() {
        let names = |names: &[&str]| names.iter().map(|name| Name::new(name).unwrap()).collect();
        for (path, expected) in [
            ("/7/have".to_owned(), Some(Asked::Have(ServiceId(7)))),
            (
                format!("/7/{ROOT}"),
                Some(Asked::Put(ServiceId(7), [7; 32])),
            ),
            (format!("/{ROOT}"), Some(Asked::Get([7; 32], Vec::new()))),
            (
                format!("/{ROOT}/a%20b/c"),
                Some(Asked::Get([7; 32], names(&["a b", "c"]))),
            ),
            (String::new(), None),
            ("/".to_owned(), None),
            ("/7".to_owned(), None),
            ("/7/".to_owned(), None),
            ("/x/have".to_owned(), None),
            (format!("/7/{}", &ROOT[..64]), None),
            (format!("/7/{ROOT}/a"), None),
        ] {
            assert_eq!(asked(&path), Ok(expected), "{path}");
        }
        for (rest, error) in [
            ("..", NameError::Dots.into()),
            ("a/%2e%2e/b", NameError::Dots.into()),
            ("a%2fb", NameError::Character('/').into()),
            ("a//b", NameError::Empty.into()),
            ("%00", NameError::Character('\0').into()),
            ("%0", PathError::Escape),
        ] {
            assert_eq!(asked(&format!("/{ROOT}/{rest}")), Err(error), "{rest}");
        }
        let long = format!("/{ROOT}/{}", "a".repeat(1 << 20));
        assert_eq!(asked(&long), Err(PathError::TooLong(long.len())));
        let deep = format!("/{ROOT}{}", "/a".repeat(MAX_DEPTH + 1));
        assert_eq!(asked(&deep), Err(PathError::TooDeep));
    }

    #[test]
    fn questions_are_bounded() {
        let blob = json!({ "root": ROOT, "length": 3, "kind": "file" });
        let ask = |factor: u64, blobs: Vec<Value>| {
            question(
                json!({ "factor": factor, "blobs": blobs })
                    .to_string()
                    .as_bytes(),
            )
        };
        let (factor, blobs) = ask(3, vec![blob.clone(); MAX_BLOBS]).unwrap();
        assert_eq!((factor, blobs.len()), (3, MAX_BLOBS));
        assert!(ask(3, vec![blob.clone(); MAX_BLOBS + 1]).is_err());
        for factor in [0, 17, 256] {
            assert!(ask(factor, vec![blob.clone()]).is_err());
        }
        for (field, value) in [
            ("root", json!("0x07")),
            ("length", json!(-1)),
            ("length", json!(64 * (1_u64 << 30) + 1)),
            ("kind", json!("link")),
            ("more", json!(1)),
        ] {
            let mut blob = blob.clone();
            blob[field] = value;
            assert!(ask(3, vec![blob.clone()]).is_err(), "{blob}");
        }
        // The longest question that is answered fits.
        let longest =
            vec![json!({ "root": ROOT, "length": 64_u64 << 30, "kind": "directory" }); MAX_BLOBS];
        let longest = json!({ "factor": 16, "blobs": longest }).to_string();
        assert!(longest.len() <= MAX_QUESTION);
    }

    #[test]
    fn a_put_names_everything_that_its_bytes_are_judged_by() {
        let whole = "length=5&kind=directory&slice=0&factor=2";
        let content = ContentRef {
            root: [7; 32],
            length: 5,
            kind: ContentKind::Directory,
        };
        assert_eq!(put_of(whole, [7; 32]), Ok((2, content, 0)));
        for part in whole.split('&') {
            let rest = whole.replace(part, "");
            assert!(put_of(&rest, [7; 32]).is_err(), "{rest}");
            let name = part.split('=').next().unwrap();
            let bad = whole.replace(part, &format!("{name}=99999999999999999999"));
            assert!(put_of(&bad, [7; 32]).is_err(), "{bad}");
        }
    }
}
