//! `selvedge pin`, `selvedge unpin` and `selvedge pins`.

use super::{chain, PinArgs, Root, UnpinArgs};
use crate::{amount::Sel, commands::Context, output, views};
use selvedge_primitives_runtime_api::ContentView;
use selvedge_primitives_types::ServiceId;

/// Has the network keep content.
pub async fn pin(context: &Context<'_>, args: PinArgs) -> anyhow::Result<()> {
    let (signer, connection) = (context.signer()?, context.chain().await?);
    context.output.progress("sending Services.pin ...");
    let receipt = chain::pin(&connection, &signer, ServiceId(args.service), &args.pin()).await?;
    let root = ("root", args.root.to_string().into());
    context.done("Services.pin", &receipt, vec![root])
}

/// Has the network keep content no longer.
pub async fn unpin(context: &Context<'_>, args: UnpinArgs) -> anyhow::Result<()> {
    let (signer, connection) = (context.signer()?, context.chain().await?);
    context.output.progress("sending Services.unpin ...");
    let service = ServiceId(args.service);
    let receipt = chain::unpin(&connection, &signer, service, args.root.0).await?;
    let root = ("root", args.root.to_string().into());
    context.done("Services.unpin", &receipt, vec![root])
}

/// Lists what a service has pinned.
pub async fn list(context: &Context<'_>, service: u64) -> anyhow::Result<()> {
    let content = chain::content(&context.chain().await?, ServiceId(service)).await?;
    let value = views::Content::new(service, &content);
    context.output.answer(&value, || human(service, &content))
}

fn human(service: u64, content: &ContentView) -> String {
    if content.pins.is_empty() {
        return format!(
            "service #{service} has pinned nothing: publish with `selvedge put`, then `selvedge pin`"
        );
    }
    let rows = content.pins.iter().map(|one| {
        let pinned = one.pin.content;
        let in_use = match pinned {
            it if content.site == Some(it) => "site",
            it if content.rules == Some(it) => "rules",
            _ => "",
        };
        [
            Root(pinned.root).to_string(),
            views::Blob::from(pinned).kind.into(),
            one.pin.bytes.to_string(),
            one.pin.factor.to_string(),
            one.epoch.to_string(),
            Sel(one.deposit).to_string(),
            in_use.into(),
        ]
    });
    let table = output::table(
        [
            "root",
            "kind",
            "bytes",
            "places",
            "since epoch",
            "deposit",
            "in use as",
        ],
        &[2, 3, 4, 5],
        rows.collect(),
    );
    format!(
        "{table}\n{} bytes are kept in all places together",
        content.kept
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use selvedge_primitives_runtime_api::PinView;
    use selvedge_primitives_types::{Account, ContentKind, ContentRef, Epoch, Pin};

    #[test]
    fn the_list_tells_what_is_in_use() {
        let content = |n: u8, kind| ContentRef {
            root: [n; 32],
            length: 10,
            kind,
        };
        let (site, rules, other) = (
            content(1, ContentKind::Directory),
            content(2, ContentKind::File),
            content(3, ContentKind::Directory),
        );
        let pins = [site, rules, other].map(|content| PinView {
            pin: Pin {
                content,
                bytes: 500,
                factor: 3,
            },
            deposit: 10u128.pow(12),
            epoch: Epoch(4),
            block: 99,
        });
        let mut view = ContentView {
            owner: Account([1; 32]),
            pins: pins.to_vec(),
            kept: 4_500,
            site: Some(site),
            rules: Some(rules),
            site_moves: Vec::new(),
            rules_moves: Vec::new(),
        };
        let text = human(7, &view);
        let line = |n: u8| {
            let root = Root([n; 32]).to_string();
            text.lines().find(|line| line.contains(&root)).unwrap()
        };
        assert!(line(1).contains("directory") && line(1).contains("site"));
        assert!(line(2).contains("file") && line(2).contains("rules"));
        assert!(!line(3).contains("site") && line(3).contains("1 SEL"));
        assert!(text.ends_with("4500 bytes are kept in all places together"));
        view.pins.clear();
        assert!(human(7, &view).contains("service #7 has pinned nothing"));
    }
}
