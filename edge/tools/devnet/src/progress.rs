//! Shows that long steps run.

use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// A step under way.
pub struct Step {
    bar: ProgressBar,
    text: String,
    start: std::time::Instant,
}

impl Step {
    /// Begins a step. Without a terminal it prints a line at the beginning and one at the end.
    pub fn begin(text: impl Into<String>) -> Self {
        let text = text.into();
        let bar = ProgressBar::new_spinner();
        bar.set_style(
            ProgressStyle::with_template("{spinner} {msg} ({elapsed})")
                .expect("the template is fixed"),
        );
        bar.set_message(text.clone());
        bar.enable_steady_tick(Duration::from_millis(120));
        if bar.is_hidden() {
            eprintln!("... {text}");
        }
        Self {
            bar,
            text,
            start: std::time::Instant::now(),
        }
    }

    /// Says how far it is.
    pub fn note(&self, note: impl std::fmt::Display) {
        self.bar.set_message(format!("{}: {note}", self.text));
    }

    /// Ends it well.
    pub fn done(self, result: impl std::fmt::Display) {
        self.bar.finish_and_clear();
        eprintln!(
            " ok  {}: {result} ({:.1} s)",
            self.text,
            self.start.elapsed().as_secs_f64()
        );
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
