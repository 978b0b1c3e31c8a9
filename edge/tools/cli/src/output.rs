//! Tables for people, JSON for programs.

use comfy_table::{presets::UTF8_BORDERS_ONLY, CellAlignment, Table};
use serde::Serialize;
use std::io::Write;

/// Where answers go.
pub struct Output {
    json: bool,
}

impl Output {
    /// Prints JSON if asked to, else tables.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Prints an answer: `value` to programs, the text made by `human` to people.
    pub fn answer(
        &self,
        value: &impl Serialize,
        human: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        let text = if self.json {
            serde_json::to_string_pretty(value)?
        } else {
            human()
        };
        match writeln!(std::io::stdout().lock(), "{}", text.trim_end()) {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            other => Ok(other?),
        }
    }

    /// Prints one answer of many: to programs on a line of its own.
    pub fn next(
        &self,
        value: &impl Serialize,
        human: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        let text = if self.json {
            serde_json::to_string(value)?
        } else {
            human()
        };
        let mut out = std::io::stdout().lock();
        match writeln!(out, "{}", text.trim_end()).and_then(|()| out.flush()) {
            // Nobody reads on.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
            other => Ok(other?),
        }
    }

    /// Says what goes on, to people only.
    pub fn progress(&self, text: impl AsRef<str>) {
        if !self.json {
            eprintln!("{}", text.as_ref());
        }
    }

    /// Says why the command failed.
    pub fn failure(&self, error: &anyhow::Error) {
        if self.json {
            let value = serde_json::json!({ "error": format!("{error:#}"), "code": crate::error::exit_code(error) });
            eprintln!("{value}");
        } else {
            eprintln!("error: {error:#}");
        }
    }
}

/// A table with a head; columns named in `right` are aligned right.
pub fn table<const N: usize>(head: [&str; N], right: &[usize], rows: Vec<[String; N]>) -> String {
    let mut table = Table::new();
    table.load_preset(UTF8_BORDERS_ONLY).set_header(head);
    for row in rows {
        table.add_row(row);
    }
    for column in right {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.to_string()
}

/// A list of names and values.
pub fn list(rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    rows.iter()
        .map(|(name, value)| format!("{name:width$}  {value}\n"))
        .collect()
}
