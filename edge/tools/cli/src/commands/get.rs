//! `selvedge get`.

use super::{publishing, Context};
use crate::{
    cli::GetArgs,
    content::Root,
    error::Failure,
    publish::{
        gateway::Gateway,
        keep::{self, Keeping, Kept},
        read::Reader,
        target::Target,
    },
};
use futures::StreamExt;
use selvedge_edge_core_content::Name;
use selvedge_primitives_types::{ContentKind, ContentRef};
use serde_json::json;
use std::{
    io::Write,
    path::{Path, PathBuf},
};

/// Gets a file or a folder, checked against its root.
pub async fn run(context: &Context<'_>, args: GetArgs) -> anyhow::Result<()> {
    let target = Target::read(&args.what)?;
    let named = args.gateway.as_deref().or(target.gateway.as_deref());
    let gateways = publishing::gateways(context, named).await?;
    let to = args.output.clone().unwrap_or_else(|| place(&target));
    if to == Path::new("-") {
        let printing = async |gateway: &Gateway| print(gateway, &target).await;
        publishing::with_any(context.output, &gateways, printing).await?;
        return Ok(());
    }
    let keeping = Keeping {
        force: args.force,
        most: args.max_bytes,
    };
    let (_, (content, kept)) = publishing::with_any(context.output, &gateways, async |gateway| {
        get(context, gateway, &target, &to, keeping).await
    })
    .await?;
    let value = json!({
        "root": Root(content.root).to_string(),
        "files": kept.files,
        "bytes": kept.bytes,
        "output": to.display().to_string(),
    });
    context.output.answer(&value, || {
        format!(
            "{} bytes in {} files, all verified: {}",
            kept.bytes,
            kept.files,
            to.display()
        )
    })
}

async fn get(
    context: &Context<'_>,
    gateway: &Gateway,
    target: &Target,
    to: &Path,
    keeping: Keeping,
) -> Result<(ContentRef, Kept), Failure> {
    let root = target.root;
    let reader = Reader { gateway, root };
    let content = reader.resolve(&target.path).await?.content;
    let (path, bar) = (&target.path, context.output.byte_bar("getting", 0));
    let kept = match content.kind {
        ContentKind::Directory => keep::folder(&reader, path, content, to, keeping, &bar).await,
        ContentKind::File => {
            bar.set_length(content.length);
            let kept = Kept {
                files: 1,
                bytes: content.length,
            };
            let got = keep::file(&reader, path, content, to, keeping.force, &bar).await;
            got.map(|()| kept)
        }
    };
    bar.finish_and_clear();
    Ok((content, kept?))
}

/// Writes a file to the standard output, slice by verified slice.
async fn print(gateway: &Gateway, target: &Target) -> Result<(), Failure> {
    let root = target.root;
    let reader = Reader { gateway, root };
    let content = reader.resolve(&target.path).await?.content;
    if content.kind == ContentKind::Directory {
        return Err(Failure::Input(
            "a folder cannot be printed: name a file of it".into(),
        ));
    }
    let mut slices = std::pin::pin!(reader.slices(&target.path, content, 0));
    let mut written = false;
    while let Some(slice) = slices.next().await {
        // What was printed cannot be taken back, so no other gateway begins again.
        let slice = match slice {
            Err(failure) if written => return Err(Failure::Input(failure.to_string())),
            slice => slice?,
        };
        let mut out = std::io::stdout().lock();
        match out.write_all(&slice.bytes).and_then(|()| out.flush()) {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
            Err(error) => return Err(Failure::Input(error.to_string())),
            Ok(()) => written = true,
        }
    }
    Ok(())
}

/// Where it goes when nobody says.
fn place(target: &Target) -> PathBuf {
    match target.path.last() {
        Some(name) => Name::as_str(name).into(),
        None => hex::encode(&target.root[..8]).into(),
    }
}
