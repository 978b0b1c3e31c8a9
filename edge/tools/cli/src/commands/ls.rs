//! `selvedge ls`.

use super::{publishing, Context};
use crate::{
    cli::LsArgs,
    content,
    error::Failure,
    output,
    publish::{gateway::Gateway, read::Reader, target::Target},
    views::Blob,
};
use selvedge_edge_core_content::{Entry, MediaType, Name, MAX_BLOBS, MAX_DEPTH};
use selvedge_primitives_types::{ContentKind, ContentRef};
use serde::Serialize;

/// What `--json` prints of each entry.
#[derive(Serialize)]
struct Row {
    /// Below what was named; empty for itself.
    path: String,
    #[serde(flatten)]
    content: Blob,
    media_type: Option<String>,
}

impl Row {
    fn new(path: &[Name], content: &ContentRef, media_type: Option<&MediaType>) -> Self {
        let names: Vec<&str> = path.iter().map(Name::as_str).collect();
        Self {
            path: names.join("/"),
            content: Blob::from(*content),
            media_type: media_type.map(ToString::to_string),
        }
    }
}

/// Lists a directory, or says what a file is.
pub async fn run(context: &Context<'_>, args: LsArgs) -> anyhow::Result<()> {
    if let Ok(service) = args.what.parse() {
        return content::list(context, service).await;
    }
    let target = Target::read(&args.what)?;
    let named = args.gateway.as_deref().or(target.gateway.as_deref());
    let gateways = publishing::gateways(context, named).await?;
    let (_, rows) = publishing::with_any(context.output, &gateways, async |gateway| {
        list(gateway, &target, args.recursive).await
    })
    .await?;
    context.output.answer(&rows, || {
        if rows.is_empty() {
            return "an empty directory".into();
        }
        let human = rows.iter().map(|row| {
            [
                row.path.clone(),
                row.content.length.to_string(),
                row.media_type
                    .clone()
                    .unwrap_or_else(|| row.content.kind.into()),
                row.content.root.clone(),
            ]
        });
        output::table(["name", "bytes", "type", "root"], &[1], human.collect())
    })
}

async fn list(gateway: &Gateway, target: &Target, recursive: bool) -> Result<Vec<Row>, Failure> {
    let root = target.root;
    let reader = Reader { gateway, root };
    let node = reader.resolve(&target.path).await?;
    if node.content.kind == ContentKind::File {
        let own = target.path.last().map(std::slice::from_ref);
        let media_type = node.media_type.as_ref();
        return Ok(vec![Row::new(
            own.unwrap_or_default(),
            &node.content,
            media_type,
        )]);
    }
    let mut rows = Vec::new();
    let mut waiting = vec![(Vec::new(), node.content)];
    while let Some((below, content)) = waiting.pop() {
        let path = [&target.path[..], &below].concat();
        if path.len() >= MAX_DEPTH {
            return Err(Failure::Input(format!(
                "more than {MAX_DEPTH} folders deep"
            )));
        }
        let directory = reader.directory(&path, &content).await?;
        for (name, entry) in &directory {
            let below = [&below[..], std::slice::from_ref(name)].concat();
            rows.push(Row::new(&below, &entry.content(), entry.media_type()));
            if rows.len() > MAX_BLOBS {
                return Err(Failure::Input(format!("more than {MAX_BLOBS} entries")));
            }
            if let (Entry::Directory(content), true) = (entry, recursive) {
                waiting.push((below, *content));
            }
        }
    }
    rows.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(rows)
}
