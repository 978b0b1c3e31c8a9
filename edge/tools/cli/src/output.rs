//! Tables for people, JSON for programs.

use crate::error::Failure;
use comfy_table::{presets::UTF8_BORDERS_ONLY, CellAlignment, Table};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::{io::Write, path::Path};

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
        let text = self.text(value, human)?;
        match writeln!(std::io::stdout().lock(), "{}", text.trim_end()) {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            other => Ok(other?),
        }
    }

    /// Writes an answer into a file, or prints it when there is none.
    pub fn answer_into(
        &self,
        file: Option<&Path>,
        value: &impl Serialize,
        human: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        let Some(file) = file else {
            return self.answer(value, human);
        };
        let text = self.text(value, human)?;
        std::fs::write(file, format!("{}\n", text.trim_end())).map_err(|error| {
            Failure::Folder {
                path: file.display().to_string(),
                cause: error.to_string(),
            }
        })?;
        self.progress(format!("written to {}", file.display()));
        Ok(())
    }

    fn text(
        &self,
        value: &impl Serialize,
        human: impl FnOnce() -> String,
    ) -> anyhow::Result<String> {
        if self.json {
            Ok(serde_json::to_string_pretty(value)?)
        } else {
            Ok(human())
        }
    }

    /// Shows how far a long step of `count` parts is, to people only; without a terminal as one line.
    pub fn bar(&self, text: &str, count: u64) -> ProgressBar {
        self.bar_of(text, count, "{msg} [{bar:30}] {pos}/{len}, {eta} left")
    }

    /// The same for bytes.
    pub fn byte_bar(&self, text: &str, count: u64) -> ProgressBar {
        let style = "{msg} [{bar:30}] {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
        self.bar_of(text, count, style)
    }

    fn bar_of(&self, text: &str, count: u64, style: &str) -> ProgressBar {
        if self.json {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::new(count);
        if bar.is_hidden() {
            eprintln!("{text} ...");
        }
        // The templates are fixed; without one the bar looks plain.
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(text.to_owned());
        bar
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
