//! Listeners to a service's log.
//!
//! Each has a queue of its own. Who is slow loses lines, delays nobody, and is told how many were
//! lost. While nobody listens a line costs one look at a number.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::Notify;

use crate::access_log::Line;

/// Listeners to one service at a time.
pub const MAX_LISTENERS: usize = 4;
/// Octets of lines that may wait for a listener.
const WAITING: usize = 256 * 1024;

/// The listeners to one service.
#[derive(Debug, Default)]
pub struct Tail {
    count: AtomicUsize,
    queues: Mutex<Vec<Arc<Queue>>>,
}

/// Lines on their way to a listener.
#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    more: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    lines: Vec<u8>,
    lost: u64,
    is_over: bool,
}

impl Tail {
    /// Whether anybody listens.
    pub fn is_heard(&self) -> bool {
        self.count.load(Ordering::Relaxed) > 0
    }

    /// Hands a line to who listens.
    pub fn tell(&self, line: &Line<impl Serialize>) {
        if !self.is_heard() {
            return;
        }
        let mut text = Vec::with_capacity(512);
        // Writing into memory fails for no line.
        let _ = serde_json::to_writer(&mut text, line);
        text.push(b'\n');
        for queue in self.queues.lock().iter() {
            queue.push(&text);
        }
    }

    /// Listens from now on. `None` when enough do.
    pub fn listen(self: &Arc<Self>) -> Option<Listener> {
        let mut queues = self.queues.lock();
        if queues.len() >= MAX_LISTENERS {
            return None;
        }
        let queue = Arc::new(Queue::default());
        queues.push(queue.clone());
        self.count.store(queues.len(), Ordering::Relaxed);
        Some(Listener {
            tail: self.clone(),
            queue,
        })
    }

    /// Tells all listeners that there will be no more lines.
    pub fn close(&self) {
        for queue in self.queues.lock().iter() {
            queue.waiting.lock().is_over = true;
            queue.more.notify_one();
        }
    }
}

impl Queue {
    fn push(&self, line: &[u8]) {
        let mut waiting = self.waiting.lock();
        // Once lines are lost, the next ones are too until the listener knows.
        if waiting.lost > 0 || waiting.lines.len() + line.len() > WAITING {
            waiting.lost += 1;
        } else {
            waiting.lines.extend_from_slice(line);
        }
        drop(waiting);
        self.more.notify_one();
    }
}

/// Reads the lines; nobody listens any more when it is dropped.
#[derive(Debug)]
pub struct Listener {
    tail: Arc<Tail>,
    queue: Arc<Queue>,
}

impl Listener {
    /// The next lines, at least one: JSON, each with a line feed. Where some were lost,
    /// `{"lost":N}` stands in their place. `None` when there will be no more.
    pub async fn next(&mut self) -> Option<Bytes> {
        loop {
            {
                let mut waiting = self.queue.waiting.lock();
                let mut lines = std::mem::take(&mut waiting.lines);
                let lost = std::mem::take(&mut waiting.lost);
                if lost > 0 {
                    lines.extend_from_slice(format!("{{\"lost\":{lost}}}\n").as_bytes());
                }
                if !lines.is_empty() {
                    return Some(lines.into());
                }
                if waiting.is_over {
                    return None;
                }
            }
            self.queue.more.notified().await;
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut queues = self.tail.queues.lock();
        queues.retain(|queue| !Arc::ptr_eq(queue, &self.queue));
        self.tail.count.store(queues.len(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(number: u64) -> Line<&'static str> {
        Line {
            time_ms: number,
            request_id: "id",
            peer: [127, 0, 0, 1].into(),
            service: Some(1),
            host: "a.test",
            method: "GET",
            target: "/",
            scheme: "http",
            status: 200,
            source: "memory",
            reason: None,
            bytes: 1,
            complete: true,
            ttfb_us: 1,
            total_us: 1,
        }
    }

    fn read(bytes: &[u8]) -> Vec<serde_json::Value> {
        let text = std::str::from_utf8(bytes).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[tokio::test]
    async fn a_slow_listener_is_told_how_many_lines_it_lost() {
        let tail = Arc::new(Tail::default());
        tail.tell(&line(0));
        let mut listener = tail.listen().unwrap();
        let told = 5_000;
        for number in 1..=told {
            tail.tell(&line(number));
        }
        let lines = read(&listener.next().await.unwrap());
        let (last, lines) = lines.split_last().unwrap();
        assert!(lines.len() > 1_000);
        for (line, number) in lines.iter().zip(1u64..) {
            assert_eq!(line["time_ms"], number);
        }
        assert_eq!(last["lost"], told - lines.len() as u64);
        tail.tell(&line(7));
        tail.close();
        let lines = read(&listener.next().await.unwrap());
        assert_eq!((lines.len(), &lines[0]["time_ms"]), (1, &7.into()));
        assert_eq!(listener.next().await, None);
    }

    #[test]
    fn listeners_are_few_and_leave() {
        let tail = Arc::new(Tail::default());
        let all: Vec<_> = (0..MAX_LISTENERS).map(|_| tail.listen().unwrap()).collect();
        assert!(tail.listen().is_none() && tail.is_heard());
        drop(all);
        assert!(!tail.is_heard());
        assert!(tail.listen().is_some());
    }
}
