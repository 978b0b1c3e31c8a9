//! `selvedge site` and `selvedge rules`: what of the pinned content is in use.

use super::{chain, PointerCommand, Root};
use crate::{commands::Context, error::Failure, output, views};
use selvedge_primitives_runtime_api::{ContentView, MoveView};
use selvedge_primitives_types::Hash;

/// What a service points at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pointer {
    /// The directory that it is served from.
    Site,
    /// The rules that requests follow.
    Rules,
}

impl Pointer {
    fn word(self) -> &'static str {
        match self {
            Self::Site => "site",
            Self::Rules => "rules",
        }
    }

    fn moves(self, content: &ContentView) -> &[MoveView] {
        match self {
            Self::Site => &content.site_moves,
            Self::Rules => &content.rules_moves,
        }
    }
}

/// Moves a pointer, or tells where it has been.
pub async fn run(
    context: &Context<'_>,
    pointer: Pointer,
    command: PointerCommand,
) -> anyhow::Result<()> {
    let service = command.service();
    let root = match command {
        PointerCommand::Set { root, .. } => Some(root.0),
        PointerCommand::Clear { .. } => None,
        PointerCommand::Rollback { to, .. } => {
            let content = chain::content(&context.chain().await?, service).await?;
            Some(earlier(pointer, pointer.moves(&content), to)?)
        }
        PointerCommand::History { .. } => {
            let content = chain::content(&context.chain().await?, service).await?;
            let moves = pointer.moves(&content);
            let values: Vec<_> = moves.iter().map(views::Move::from).collect();
            return context.output.answer(&values, || human(pointer, moves));
        }
    };
    let (signer, connection) = (context.signer()?, context.chain().await?);
    let (call, event) = match pointer {
        Pointer::Site => ("Services.set_site", "SiteSet"),
        Pointer::Rules => ("Services.set_rules", "RulesSet"),
    };
    context.output.progress(format!("sending {call} ..."));
    let receipt = match pointer {
        Pointer::Site => chain::set_site(&connection, &signer, service, root).await?,
        Pointer::Rules => chain::set_rules(&connection, &signer, service, root).await?,
    };
    let version = receipt.number("Services", event, "version")?;
    let root = root.map(|root| Root(root).to_string());
    let result = vec![("root", root.into()), ("version", version.into())];
    context.done(call, &receipt, result)
}

/// The root of an earlier version: the one that is named, or the last that differs from what is in use.
fn earlier(pointer: Pointer, moves: &[MoveView], to: Option<u32>) -> Result<Hash, Failure> {
    let word = pointer.word();
    let current = moves.first().and_then(|newest| newest.root);
    let (found, missing) = match to {
        Some(version) => (
            moves.iter().find(|one| one.version == version),
            format!("the {word} has no version {version} that is remembered: see `selvedge {word} history`"),
        ),
        None => (
            moves.iter().find(|one| one.root.is_some() && one.root != current),
            format!("there is no earlier {word} to go back to"),
        ),
    };
    let found = found.ok_or(Failure::NotFound(missing))?;
    let version = found.version;
    let root = found.root.ok_or_else(|| {
        Failure::Input(format!(
            "version {version} of the {word} was none: use `selvedge {word} clear`"
        ))
    })?;
    if Some(root) == current {
        return Err(Failure::Input(format!(
            "version {version} of the {word} is what is in use: nothing to go back to"
        )));
    }
    if !found.pinned {
        return Err(Failure::Input(format!(
            "version {version} of the {word}, {}, is pinned no longer\n  pin it again with `selvedge pin`, or name another version with --to",
            Root(root)
        )));
    }
    Ok(root)
}

fn human(pointer: Pointer, moves: &[MoveView]) -> String {
    let word = pointer.word();
    if moves.is_empty() {
        return format!("the {word} was never set: use `selvedge {word} set`");
    }
    let rows = moves.iter().enumerate().map(|(place, one)| {
        let state = match (place, one.root) {
            (0, Some(_)) => "in use",
            (_, Some(_)) if one.pinned => "pinned",
            (_, Some(_)) => "pinned no longer",
            (_, None) => "",
        };
        [
            one.version.to_string(),
            one.root
                .map(|root| Root(root).to_string())
                .unwrap_or_else(|| "none".into()),
            one.epoch.to_string(),
            one.block.to_string(),
            state.into(),
        ]
    });
    output::table(
        ["version", "root", "epoch", "block", "state"],
        &[0, 2, 3],
        rows.collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use selvedge_primitives_types::Epoch;

    /// Moves by the first bytes of their roots, oldest first; 9 is pinned no longer.
    fn moves(roots: &[Option<u8>]) -> Vec<MoveView> {
        let all = roots.iter().enumerate().map(|(place, root)| MoveView {
            version: place as u32 + 1,
            root: root.map(|n| [n; 32]),
            epoch: Epoch(5),
            block: 50,
            pinned: root.is_some_and(|n| n != 9),
        });
        all.rev().collect()
    }

    fn back(roots: &[Option<u8>], to: Option<u32>) -> Result<u8, String> {
        earlier(Pointer::Site, &moves(roots), to)
            .map(|root| root[0])
            .map_err(|failure| failure.to_string())
    }

    #[test]
    fn going_back_finds_the_last_that_differs() {
        assert_eq!(back(&[Some(1), Some(2)], None), Ok(1));
        assert_eq!(back(&[Some(1), Some(2), Some(1)], None), Ok(2));
        assert_eq!(back(&[Some(1), None], None), Ok(1), "after a clear");
        assert_eq!(back(&[Some(1), None, Some(2)], None), Ok(1));
        assert_eq!(back(&[Some(3), Some(1), Some(2)], Some(1)), Ok(3));
    }

    #[test]
    fn what_cannot_be_gone_back_to_is_named() {
        let refused = |roots: &[Option<u8>], to, part: &str| {
            let error = back(roots, to).unwrap_err();
            assert!(error.contains(part), "{error}");
        };
        refused(&[], None, "no earlier site");
        refused(&[Some(1)], None, "no earlier site");
        refused(&[Some(9), Some(2)], None, "pinned no longer");
        refused(&[Some(1), Some(2)], Some(7), "no version 7");
        refused(&[Some(1), Some(2)], Some(2), "what is in use");
        refused(&[None, Some(2)], Some(1), "selvedge site clear");
    }

    #[test]
    fn the_history_tells_what_is_in_use_and_what_can_be_gone_back_to() {
        let text = human(Pointer::Rules, &moves(&[Some(9), None, Some(1), Some(2)]));
        let state = |root: u8, state: &str| {
            let root = Root([root; 32]).to_string();
            let line = text.lines().find(|line| line.contains(&root));
            assert!(line.is_some_and(|line| line.contains(state)), "{text}");
        };
        state(2, "in use");
        state(1, "pinned");
        state(9, "pinned no longer");
        assert!(text.contains("none"));
        assert!(human(Pointer::Rules, &[]).contains("selvedge rules set"));
    }
}
