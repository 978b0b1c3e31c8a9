//! Media types, as a site's responses name them.

use std::fmt;

use crate::Name;

/// The most octets of a media type.
const MAX_MEDIA_TYPE: usize = 127;

/// Why something is no media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a media type of 3 to {MAX_MEDIA_TYPE} printable ASCII characters, like `text/html`")]
pub struct MediaError;

/// What a file's bytes are for whoever shows them: the value of its `Content-Type` (RFC 9110 §8.3).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaType(String);

impl MediaType {
    /// Checks `type/subtype` and what may follow after `;`.
    pub fn new(text: &str) -> Result<Self, MediaError> {
        let essence = text.split(';').next().unwrap_or_default().trim_end();
        let has_two_parts = essence
            .split_once('/')
            .is_some_and(|(kind, sub)| is_token(kind) && is_token(sub));
        let is_printable = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if text.len() > MAX_MEDIA_TYPE || !has_two_parts || !is_printable || text.ends_with(' ') {
            return Err(MediaError);
        }
        Ok(Self(text.to_owned()))
    }

    /// The usual one of files with this name's extension; `application/octet-stream` when nobody knows. Text is taken
    /// for UTF-8.
    pub fn of_name(name: &Name) -> Self {
        let guess = mime_guess::from_path(name.as_str()).first_or_octet_stream();
        if guess.type_() == "text" && guess.get_param("charset").is_none() {
            return Self(format!("{guess}; charset=utf-8"));
        }
        Self(guess.essence_str().to_owned())
    }

    /// Its characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// RFC 9110 §5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_type_is_a_field_value() {
        for text in ["text/html", "text/html; charset=utf-8", "image/svg+xml"] {
            assert_eq!(MediaType::new(text).unwrap().as_str(), text);
        }
        let long = format!("text/{}", "a".repeat(MAX_MEDIA_TYPE));
        for text in [
            "",
            "text",
            "text/",
            "/html",
            "a b/c",
            "a/b/c",
            "text/html ",
            "text/html; charset=\r\nset-cookie: a=b",
            "text/html; charset=ü",
            &long,
        ] {
            assert_eq!(MediaType::new(text), Err(MediaError), "{text}");
        }
    }

    #[test]
    fn the_extension_tells_the_type() {
        for (name, media_type) in [
            ("index.html", "text/html; charset=utf-8"),
            ("a.b.CSS", "text/css; charset=utf-8"),
            ("logo.svg", "image/svg+xml"),
            ("app.wasm", "application/wasm"),
            ("LICENSE", "application/octet-stream"),
            (".html", "application/octet-stream"),
        ] {
            let guess = MediaType::of_name(&Name::new(name).unwrap());
            assert_eq!(guess.as_str(), media_type, "{name}");
            assert_eq!(MediaType::new(guess.as_str()), Ok(guess));
        }
    }
}
