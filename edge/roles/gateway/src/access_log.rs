//! One JSON line per request, written by a thread of its own so that a slow disk delays nobody.

use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::sync::mpsc::{sync_channel, SyncSender};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use serde::Serialize;

use crate::options::AccessLogTarget;

/// Octets of lines that may wait for the disk.
const WAITING: usize = 4 * 1024 * 1024;
/// After a write lines are gathered for this long, so that many requests cost one write.
const GATHER: Duration = Duration::from_millis(10);

/// A line.
#[derive(Debug, Serialize)]
pub struct Line<S = Arc<str>> {
    /// When the request's head had arrived, in milliseconds since the Unix epoch.
    pub time_ms: u64,
    /// The request's id.
    pub request_id: S,
    /// Address of the visitor.
    pub peer: std::net::IpAddr,
    /// The service, if there was one.
    pub service: Option<u64>,
    /// Host that was asked for.
    pub host: S,
    /// Method.
    pub method: S,
    /// Path and query.
    pub target: S,
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

impl Line<&str> {
    /// The same, to be kept.
    pub fn into_owned(self) -> Line {
        Line {
            time_ms: self.time_ms,
            request_id: self.request_id.into(),
            peer: self.peer,
            service: self.service,
            host: self.host.into(),
            method: self.method.into(),
            target: self.target.into(),
            scheme: self.scheme,
            status: self.status,
            source: self.source,
            reason: self.reason,
            bytes: self.bytes,
            complete: self.complete,
            ttfb_us: self.ttfb_us,
            total_us: self.total_us,
        }
    }
}

/// What waits for the thread.
#[derive(Default)]
struct Waiting {
    /// Lines for the file as it is, where another one shall be opened.
    before: Option<Vec<u8>>,
    lines: Vec<u8>,
    flushed: Vec<SyncSender<()>>,
    is_over: bool,
}

impl Waiting {
    fn is_idle(&self) -> bool {
        self.before.is_none() && self.lines.is_empty() && self.flushed.is_empty() && !self.is_over
    }
}

#[derive(Default)]
struct Desk {
    waiting: Mutex<Waiting>,
    more: Condvar,
}

/// Where lines are sent to.
pub struct AccessLog {
    desk: Option<Arc<Desk>>,
}

impl AccessLog {
    /// Opens the target.
    ///
    /// Errors: when the file cannot be opened for appending.
    pub fn open(target: &AccessLogTarget) -> io::Result<Self> {
        let file = match target {
            AccessLogTarget::Off => return Ok(Self { desk: None }),
            AccessLogTarget::Stderr => None,
            AccessLogTarget::File(path) => Some(append(path)?),
        };
        let desk = Arc::new(Desk::default());
        let (target, own) = (target.clone(), desk.clone());
        std::thread::Builder::new()
            .name("access-log".to_owned())
            .spawn(move || write(&target, file, &own))?;
        Ok(Self { desk: Some(desk) })
    }

    /// Writes a line. `false` when it is lost because too many wait.
    pub fn write(&self, line: &Line<impl Serialize>) -> bool {
        thread_local! {
            static TEXT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
        }
        let Some(desk) = &self.desk else {
            return true;
        };
        TEXT.with_borrow_mut(|text| {
            text.clear();
            // Writing into memory fails for no line.
            let _ = serde_json::to_writer(&mut *text, line);
            text.push(b'\n');
            let mut waiting = desk.waiting.lock();
            if waiting.lines.len() + text.len() > WAITING {
                return false;
            }
            let was_idle = waiting.is_idle();
            waiting.lines.extend_from_slice(text);
            drop(waiting);
            if was_idle {
                desk.more.notify_one();
            }
            true
        })
    }

    /// Opens the file again, after it was moved away.
    pub fn reopen(&self) {
        self.tell(|waiting| {
            let lines = std::mem::take(&mut waiting.lines);
            waiting.before.get_or_insert_default().extend(lines);
        });
    }

    /// Waits until everything that was written so far is in the file.
    pub fn flush(&self) {
        let (done, wait) = sync_channel(1);
        self.tell(|waiting| waiting.flushed.push(done));
        // A thread that is gone has nothing left to write.
        let _ = wait.recv();
    }

    fn tell(&self, change: impl FnOnce(&mut Waiting)) {
        if let Some(desk) = &self.desk {
            change(&mut desk.waiting.lock());
            desk.more.notify_one();
        }
    }
}

impl Drop for AccessLog {
    fn drop(&mut self) {
        self.tell(|waiting| waiting.is_over = true);
    }
}

fn append(path: &std::path::Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

fn write(target: &AccessLogTarget, mut file: Option<File>, desk: &Desk) {
    let mut is_failing = false;
    let mut lines = Vec::new();
    loop {
        lines.clear();
        let (before, flushed, is_over) = {
            let mut waiting = desk.waiting.lock();
            desk.more
                .wait_while(&mut waiting, |waiting| waiting.is_idle());
            std::mem::swap(&mut waiting.lines, &mut lines);
            let flushed = std::mem::take(&mut waiting.flushed);
            (waiting.before.take(), flushed, waiting.is_over)
        };
        if let Some(before) = before {
            report(lines_out(&mut file, &before), &mut is_failing);
            if let AccessLogTarget::File(path) = target {
                let opened = append(path).map(|opened| file = Some(opened));
                report(opened, &mut is_failing);
            }
        }
        report(lines_out(&mut file, &lines), &mut is_failing);
        for done in flushed {
            let _ = done.send(());
        }
        if is_over {
            return;
        }
        std::thread::sleep(GATHER);
    }
}

fn lines_out(file: &mut Option<File>, lines: &[u8]) -> io::Result<()> {
    match file {
        Some(file) => file.write_all(lines),
        None => io::stderr().lock().write_all(lines),
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
