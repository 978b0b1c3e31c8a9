//! `selvedge put`.

use super::{publishing, Context};
use crate::{
    cli::PutArgs,
    error::Failure,
    insight::public::genesis_of,
    output::{self, Output},
    publish::{
        gateway::{content_path, hex, kind_name, Gateway, Publisher},
        hash::{name_file, name_folder, total, Named},
        select::{failed, select},
        upload::{in_background, upload, Sent},
    },
};
use selvedge_primitives_types::ServiceId;
use serde::Serialize;
use std::path::Path;

/// What `--json` prints.
#[derive(Serialize)]
struct Put {
    root: String,
    kind: &'static str,
    /// Of the topmost blob.
    length: u64,
    /// Of all distinct blobs.
    bytes: u64,
    service: u64,
    owners: u8,
    sent_slices: u64,
    sent_bytes: u64,
    url: String,
}

/// Puts a file or a folder into the network.
pub async fn run(context: &Context<'_>, args: PutArgs) -> anyhow::Result<()> {
    let signer = context.signer()?;
    let named = named(context.output, &args).await?;
    let gateways = publishing::gateways(context, args.gateway.as_deref()).await?;
    let genesis = match &args.gateway {
        Some(_) => genesis_of(&gateways[0]).await?,
        None => context.chain().await?.genesis(),
    };
    let by = Publisher {
        signer,
        genesis,
        service: ServiceId(args.service),
        factor: args.factor,
    };
    let (gateway, sent) = publishing::with_any(context.output, &gateways, async |gateway| {
        let bar = context.output.byte_bar("sending", named.bytes);
        let sent = upload(gateway, &by, &named, &bar).await;
        bar.finish_and_clear();
        sent
    })
    .await?;
    let put = put(&named, &by, &gateway, sent);
    context.output.answer(&put, || told(&put))
}

async fn named(output: &Output, args: &PutArgs) -> Result<Named, Failure> {
    let (path, follow) = (args.path.clone(), args.follow);
    let about = if follow {
        std::fs::metadata(&path)
    } else {
        std::fs::symlink_metadata(&path)
    };
    let about = about.map_err(|error| failed(&path, error))?;
    if about.is_file() {
        let bar = output.byte_bar("hashing", about.len());
        let counting = bar.clone();
        let named = in_background(move || name_file(&path, &counting)).await;
        bar.finish_and_clear();
        return named;
    }
    if !about.is_dir() {
        return Err(neither(&path));
    }
    let folder = path.clone();
    let selected = in_background(move || select(&folder, follow)).await?;
    let bar = output.byte_bar("hashing", total(&selected));
    let counting = bar.clone();
    let named = in_background(move || name_folder(&path, selected, &counting)).await;
    bar.finish_and_clear();
    named
}

fn neither(path: &Path) -> Failure {
    Failure::Folder {
        path: path.display().to_string(),
        cause: "it is neither a file nor a folder; a link is taken with --follow".into(),
    }
}

fn put(named: &Named, by: &Publisher, gateway: &Gateway, sent: Sent) -> Put {
    let root = &named.root;
    Put {
        root: hex(&root.root),
        kind: kind_name(root.kind),
        length: root.length,
        bytes: named.bytes,
        service: by.service.0,
        owners: sent.owners,
        sent_slices: sent.slices,
        sent_bytes: sent.bytes,
        url: format!("{}{}", gateway.url, content_path(&root.root, &[])),
    }
}

fn told(put: &Put) -> String {
    output::list(&[
        ("root", put.root.clone()),
        ("bytes", put.bytes.to_string()),
        ("sent", format!("{} bytes", put.sent_bytes)),
        ("caches", format!("{} have it", put.owners)),
        ("url", put.url.clone()),
    ])
}
