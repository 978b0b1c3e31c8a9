//! Reads content from a gateway and believes none of it: every slice is checked against the root that was asked for.

use super::gateway::Gateway;
use crate::{content::Root, error::Failure};
use futures::{stream, Stream, StreamExt};
use selvedge_edge_core_content::{Directory, MediaType, Name, Step, Walk, MAX_DIRECTORY};
use selvedge_edge_core_verify::{shape, ProvenSlice};
use selvedge_primitives_types::{ContentKind, ContentRef, Hash};

/// Slices on the way at a time.
const AT_ONCE: usize = 4;

/// What a path names.
#[derive(Clone, Debug)]
pub struct Node {
    /// The blob.
    pub content: ContentRef,
    /// The media type of a file in a directory.
    pub media_type: Option<MediaType>,
}

/// Reads below one root.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    /// Where.
    pub gateway: &'a Gateway,
    /// The root.
    pub root: Hash,
}

impl Reader<'_> {
    /// Finds what a path names. The gateway says how long the root is and of which kind; a lie about the length is noticed with
    /// its first slice. The way from there is read from the directories.
    ///
    /// Errors: [`Failure::NotFound`], [`Failure::ContentInvalid`].
    pub async fn resolve(&self, path: &[Name]) -> Result<Node, Failure> {
        let top = self.gateway.describe(&self.root, &[]).await?;
        if top.content.root != self.root {
            return Err(self.invalid("it describes another root".into()));
        }
        if path.is_empty() {
            return Ok(top);
        }
        let absent = || {
            let names: Vec<&str> = path.iter().map(Name::as_str).collect();
            Failure::NotFound(format!("{} has no {:?}", Root(self.root), names.join("/")))
        };
        if top.content.kind != ContentKind::Directory {
            return Err(absent());
        }
        let walk = Walk::exact(top.content, path.to_vec());
        let mut walk = walk.map_err(|error| Failure::Input(error.to_string()))?;
        for depth in 0.. {
            let above = &path[..depth];
            let directory = self.directory(above, &walk.wanted()).await?;
            match walk.enter(&directory) {
                Step::Next(next) => walk = next,
                Step::File(content, media_type) => {
                    let media_type = Some(media_type);
                    return Ok(Node {
                        content,
                        media_type,
                    });
                }
                Step::Directory(content) => {
                    let media_type = None;
                    return Ok(Node {
                        content,
                        media_type,
                    });
                }
                Step::NeedsSlash | Step::Absent => break,
            }
        }
        Err(absent())
    }

    /// Reads the directory at a path.
    ///
    /// Errors: [`Failure::ContentInvalid`] when it is none.
    pub async fn directory(
        &self,
        path: &[Name],
        content: &ContentRef,
    ) -> Result<Directory, Failure> {
        if content.length > MAX_DIRECTORY as u64 {
            return Err(self.invalid(format!("a directory of {} bytes", content.length)));
        }
        let mut blob = Vec::new();
        let mut slices = std::pin::pin!(self.slices(path, *content, 0));
        while let Some(slice) = slices.next().await {
            blob.extend_from_slice(&slice?.bytes);
        }
        Directory::from_blob(&blob).map_err(|error| self.invalid(error.to_string()))
    }

    /// The slices of the blob at a path, in order, from one on.
    pub fn slices<'a>(
        &'a self,
        path: &'a [Name],
        content: ContentRef,
        from: u64,
    ) -> impl Stream<Item = Result<ProvenSlice, Failure>> + 'a {
        stream::iter(from..shape::slices(content.length))
            .map(move |slice| async move {
                self.gateway
                    .slice(&self.root, path, &content, slice)
                    .await
            })
            .buffered(AT_ONCE)
    }

    fn invalid(&self, cause: String) -> Failure {
        Failure::ContentInvalid {
            url: self.gateway.url.clone(),
            cause,
        }
    }
}
