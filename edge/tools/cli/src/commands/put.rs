//! `selvedge put`.

use super::{publishing, Context};
use crate::{
    cli::PutArgs,
    content,
    error::Failure,
    insight::public::genesis_of,
    output::{self, Output},
    publish::{
        gateway::{content_path, Gateway, Publisher},
        hash::{name_file, name_folder, total, Named},
        select::{failed, select},
        upload::{in_background, upload, Sent},
    },
    views::Blob,
};
use selvedge_primitives_runtime_api::ServiceView;
use selvedge_primitives_types::{ContentKind, Pin, ServiceId};
use serde::Serialize;
use std::path::Path;

/// What `--json` prints. Fields are added, never renamed.
#[derive(Serialize)]
struct Put {
    /// The topmost blob.
    #[serde(flatten)]
    content: Blob,
    /// Of all distinct blobs.
    bytes: u64,
    service: u64,
    /// How many caches are to keep it.
    factor: u8,
    /// How many of them have it.
    owners: u8,
    sent_slices: u64,
    sent_bytes: u64,
    url: String,
    pinned: bool,
    /// Where it is the service's site now.
    site: Option<Site>,
}

/// What visitors get from now on.
#[derive(Serialize)]
struct Site {
    version: u64,
    /// Host names of the service that are proven.
    hosts: Vec<String>,
}

/// Puts a file or a folder into the network.
pub async fn run(context: &Context<'_>, args: PutArgs) -> anyhow::Result<()> {
    let signer = context.signer()?;
    let named = named(context.output, &args).await?;
    if args.site && named.root.kind != ContentKind::Directory {
        return Err(Failure::Input("a site is a folder: --site is not for a file".into()).into());
    }
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
    let mut put = put(&named, &by, &gateway, sent);
    if !args.no_pin {
        // Whatever becomes of the transaction, this is what to pin.
        context
            .output
            .progress(format!("{} is there", put.content.root));
        put.site = pin(context, &by, &named, args.site).await?;
        put.pinned = true;
    }
    context.output.answer(&put, || told(&put))
}

/// Pins what was put, and points the site at it; neither where it is so already.
async fn pin(
    context: &Context<'_>,
    by: &Publisher,
    named: &Named,
    as_site: bool,
) -> anyhow::Result<Option<Site>> {
    let chain = context.chain().await?;
    let pin = Pin {
        content: named.root,
        bytes: named.bytes,
        factor: by.factor,
    };
    let held = content::chain::content(&chain, by.service).await?;
    if !held.pins.iter().any(|held| held.pin == pin) {
        context.output.progress("sending Services.pin ...");
        content::chain::pin(&chain, &by.signer, by.service, &pin).await?;
    }
    if !as_site {
        return Ok(None);
    }
    let version = match held.site_moves.first() {
        Some(newest) if held.site == Some(named.root) => newest.version.into(),
        _ => {
            context.output.progress("sending Services.set_site ...");
            let root = Some(named.root.root);
            let receipt = content::chain::set_site(&chain, &by.signer, by.service, root).await?;
            receipt.number("Services", "SiteSet", "version")?
        }
    };
    let services: Vec<ServiceView> = chain.view("BillingApi_services", &held.owner).await?;
    let service = services.iter().find(|view| view.id == by.service);
    let hosts = service.map(|view| &view.hosts[..]).unwrap_or_default();
    let hosts = hosts.iter().filter(|host| host.proven);
    let hosts = hosts.map(|host| String::from_utf8_lossy(&host.name).into_owned());
    Ok(Some(Site {
        version,
        hosts: hosts.collect(),
    }))
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
        content: Blob::from(*root),
        bytes: named.bytes,
        service: by.service.0,
        factor: by.factor,
        owners: sent.owners,
        sent_slices: sent.slices,
        sent_bytes: sent.bytes,
        url: format!("{}{}", gateway.url, content_path(&root.root, &[])),
        pinned: false,
        site: None,
    }
}

fn told(put: &Put) -> String {
    let mut rows = vec![
        ("root", put.content.root.clone()),
        ("bytes", put.bytes.to_string()),
        ("sent", format!("{} bytes", put.sent_bytes)),
        (
            "caches",
            format!("{} of {} have it", put.owners, put.factor),
        ),
        ("url", put.url.clone()),
    ];
    if let Some(site) = &put.site {
        let hosts = site.hosts.join(", ");
        rows.push(("site", format!("version {} at {hosts}", site.version)));
    }
    let list = output::list(&rows);
    if put.pinned {
        return list;
    }
    let directory = match put.content.kind {
        "directory" => " --directory",
        _ => "",
    };
    format!(
        "{list}it is dropped again unless it is pinned within an hour:\n  selvedge pin {} {} --length {} --bytes {}{directory}",
        put.service, put.content.root, put.content.length, put.bytes
    )
}
