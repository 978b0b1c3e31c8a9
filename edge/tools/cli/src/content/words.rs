//! The words of `selvedge pin`, `unpin`, `pins`, `site` and `rules`.

use crate::keys;
use clap::{Args, Subcommand};
use selvedge_primitives_types::{ContentKind, ContentRef, Hash, Pin, ServiceId, MAX_FACTOR};
use std::{fmt, str::FromStr};

/// The root of content, as people write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root(pub Hash);

impl FromStr for Root {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix("0x").unwrap_or(text);
        keys::bytes32(digits)
            .map(Self)
            .ok_or_else(|| format!("{text:?} is not a root: use 64 hex digits"))
    }
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", hex::encode(self.0))
    }
}

/// What to pin.
#[derive(Debug, Args)]
pub struct PinArgs {
    /// The service's number.
    pub service: u64,
    /// BLAKE3 root of the content.
    pub root: Root,
    /// Bytes of the blob itself.
    #[arg(long)]
    pub length: u64,
    /// Bytes of everything below a directory, itself included; of a file its length, if left out.
    #[arg(long, required_if_eq("directory", "true"))]
    pub bytes: Option<u64>,
    /// How many caches keep it.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=MAX_FACTOR as i64))]
    pub factor: u8,
    /// The content is a directory.
    #[arg(long)]
    pub directory: bool,
}

impl PinArgs {
    /// The pin that is meant.
    pub fn pin(&self) -> Pin {
        Pin {
            content: ContentRef {
                root: self.root.0,
                length: self.length,
                kind: if self.directory {
                    ContentKind::Directory
                } else {
                    ContentKind::File
                },
            },
            bytes: self.bytes.unwrap_or(self.length),
            factor: self.factor,
        }
    }
}

/// What to keep no longer.
#[derive(Debug, Args)]
pub struct UnpinArgs {
    /// The service's number.
    pub service: u64,
    /// BLAKE3 root of the content.
    pub root: Root,
}

/// What to do with the site or the rules of a service.
#[derive(Debug, Subcommand)]
pub enum PointerCommand {
    /// Use this root from now on; it must be pinned.
    Set {
        /// The service's number.
        service: u64,
        /// BLAKE3 root of the content.
        root: Root,
    },
    /// Use none from now on.
    Clear {
        /// The service's number.
        service: u64,
    },
    /// List what was used, newest first, and what can be gone back to.
    History {
        /// The service's number.
        service: u64,
    },
    /// Go back to an earlier version, which must still be pinned.
    Rollback {
        /// The service's number.
        service: u64,
        /// The version; the one before the version in use if left out.
        #[arg(long, value_name = "VERSION")]
        to: Option<u32>,
    },
}

impl PointerCommand {
    /// The service it is about.
    pub fn service(&self) -> ServiceId {
        let (Self::Set { service, .. }
        | Self::Clear { service }
        | Self::History { service }
        | Self::Rollback { service, .. }) = self;
        ServiceId(*service)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        pin: PinArgs,
    }

    fn read(words: &str) -> Result<Pin, clap::Error> {
        let root = "ab".repeat(32);
        let line = format!("pin 7 {root} {words}");
        Line::try_parse_from(line.split_whitespace()).map(|line| line.pin.pin())
    }

    #[test]
    fn a_root_reads_with_and_without_its_prefix_and_prints_with_it() {
        let text = format!("0x{}", "0f".repeat(32));
        let root: Root = text.parse().unwrap();
        assert_eq!(root, Root([15; 32]));
        assert_eq!(text[2..].parse(), Ok(root));
        assert_eq!(root.to_string(), text);
        for bad in ["", "0x", "0x0f", &"zz".repeat(32), &"0f".repeat(33)] {
            assert!(Root::from_str(bad).unwrap_err().contains("64 hex digits"));
        }
    }

    #[test]
    fn a_file_keeps_its_own_bytes_and_a_directory_says_how_many() {
        let file = read("--length 10").unwrap();
        assert_eq!((file.bytes, file.factor), (10, 3));
        assert_eq!(file.content.kind, ContentKind::File);
        let directory = read("--length 10 --bytes 500 --factor 5 --directory").unwrap();
        assert_eq!((directory.bytes, directory.factor), (500, 5));
        assert_eq!(directory.content.kind, ContentKind::Directory);
        for bad in [
            "",
            "--length 10 --directory",
            "--length 10 --factor 0",
            "--length 10 --factor 17",
            "--length -1",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
