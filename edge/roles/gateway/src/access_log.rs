//! One JSON line per request, written by a thread of its own so that a slow disk delays nobody.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::sync::mpsc::{sync_channel, Receiver, SyncSender, TrySendError};
use std::sync::Arc;

use serde::Serialize;

use crate::options::AccessLogTarget;

/// Lines that may wait for the disk.
const WAITING: usize = 8_192;

/// A line.
#[derive(Debug, Serialize)]
pub struct Line {
    /// When the request's head had arrived, in milliseconds since the Unix epoch.
    pub time_ms: u64,
    /// The request's id.
    pub request_id: Arc<str>,
    /// Address of the visitor.
    pub peer: std::net::IpAddr,
    /// The service, if there was one.
    pub service: Option<u64>,
    /// Host that was asked for.
    pub host: Arc<str>,
    /// Method.
    pub method: String,
    /// Path and query.
    pub target: Arc<str>,
    /// `http` or `https`.
    pub scheme: &'static str,
    /// Status of the answer.
    pub status: u16,
    /// Where it came from.
    pub source: &'static str,
    /// The gateway's reason, where it answered itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// Body bytes, as charged.
    pub bytes: u64,
    /// Whether the body was sent to its end.
    pub complete: bool,
    /// Microseconds from the request's head to the answer's.
    pub ttfb_us: u64,
    /// Microseconds to the end of the body.
    pub total_us: u64,
}

enum Message {
    Line(Box<Line>),
    Reopen,
    Flush(SyncSender<()>),
}

/// Where lines are sent to.
#[derive(Debug)]
pub struct AccessLog {
    lines: Option<SyncSender<Message>>,
}

impl AccessLog {
    /// Opens the target.
    ///
    /// Errors: when the file cannot be opened for appending.
    pub fn open(target: &AccessLogTarget) -> io::Result<Self> {
        let writer = match target {
            AccessLogTarget::Off => return Ok(Self { lines: None }),
            AccessLogTarget::Stderr => None,
            AccessLogTarget::File(path) => Some(append(path)?),
        };
        let (lines, received) = sync_channel(WAITING);
        let target = target.clone();
        std::thread::Builder::new()
            .name("access-log".to_owned())
            .spawn(move || write(&target, writer, &received))?;
        Ok(Self { lines: Some(lines) })
    }

    /// Writes a line. `false` when it is lost because too many wait.
    pub fn write(&self, line: Line) -> bool {
        match &self.lines {
            Some(lines) => !matches!(
                lines.try_send(Message::Line(Box::new(line))),
                Err(TrySendError::Full(_))
            ),
            None => true,
        }
    }

    /// Opens the file again, after it was moved away.
    pub fn reopen(&self) {
        if let Some(lines) = &self.lines {
            let _ = lines.try_send(Message::Reopen);
        }
    }

    /// Waits until everything that was written so far is in the file.
    pub fn flush(&self) {
        if let Some(lines) = &self.lines {
            let (done, wait) = sync_channel(1);
            // A thread that is gone has nothing left to write.
            if lines.send(Message::Flush(done)).is_ok() {
                let _ = wait.recv();
            }
        }
    }
}

fn append(path: &std::path::Path) -> io::Result<BufWriter<File>> {
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    Ok(BufWriter::new(file))
}

fn write(
    target: &AccessLogTarget,
    mut file: Option<BufWriter<File>>,
    received: &Receiver<Message>,
) {
    let mut is_failing = false;
    while let Ok(first) = received.recv() {
        // Everything that waits goes out with one write.
        let mut next = Some(first);
        let mut flushed = Vec::new();
        while let Some(message) = next {
            let done = match (message, target) {
                (Message::Line(line), _) => line_out(&mut file, &line),
                (Message::Reopen, AccessLogTarget::File(path)) => {
                    append(path).map(|opened| file = Some(opened))
                }
                (Message::Reopen, _) => Ok(()),
                (Message::Flush(done), _) => {
                    flushed.push(done);
                    Ok(())
                }
            };
            report(done, &mut is_failing);
            next = received.try_recv().ok();
        }
        if let Some(file) = &mut file {
            report(file.flush(), &mut is_failing);
        }
        for done in flushed {
            let _ = done.send(());
        }
    }
}

fn line_out(file: &mut Option<BufWriter<File>>, line: &Line) -> io::Result<()> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    match file {
        Some(file) => file.write_all(&text),
        None => io::stderr().lock().write_all(&text),
    }
}

/// Says once that the log fails, and once that it works again.
fn report(done: io::Result<()>, is_failing: &mut bool) {
    match done {
        Err(error) if !*is_failing => {
            tracing::error!(%error, "the access log cannot be written");
            *is_failing = true;
        }
        Ok(()) => *is_failing = false,
        Err(_) => {}
    }
}
