//! A network under steady load while everything happens to it that happens in a month: purges,
//! changes of the chain's config, epochs, failures of the origin, restarts of a gateway.
//!
//! It ends with a [`Report`]: what visitors did not get although the origin could have answered,
//! what of the network's memory grew, and whether the books say what the visitors received.

mod events;
mod visitors;

use crate::{
    books::Books,
    daemon::Settings,
    net::{Net, Plan},
};
use events::Events;
use std::{
    fmt,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use visitors::Crowd;

/// What to do to a network.
#[derive(Clone, Debug)]
pub struct Soak {
    /// For how long.
    pub time: Duration,
    /// Visitors at a time; every second one speaks HTTP/2.
    pub visitors: usize,
    /// How many requests they send.
    pub load: Load,
    /// How often each kind of event happens.
    pub rounds: u32,
}

/// How many requests are sent.
#[derive(Clone, Copy, Debug)]
pub enum Load {
    /// So many a second.
    Rate(f64),
    /// This share of what the machine does at the beginning.
    Share(f64),
}

/// What became of it.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What the machine did before, in requests a second, where that was measured.
    pub most: Option<f64>,
    /// Requests a second that were to be sent.
    pub rate: f64,
    /// What visitors saw.
    pub seen: Tally,
    /// What happened meanwhile.
    pub events: Vec<String>,
    /// Memory of every process over time.
    pub memory: Vec<Memory>,
    /// Requests and octets that gateways charged, in all epochs.
    pub charged: (u64, u64),
}

/// What visitors saw.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Whole answers that came by the network.
    pub requests: u64,
    /// Octets of their bodies.
    pub octets: u64,
    /// Answers that a gateway gave itself while the origin could not answer.
    pub excused: u64,
    /// Requests sent again over another connection, as the protocol allows.
    pub again: u64,
    /// Requests that failed although the origin could have answered, or were answered wrongly.
    pub failed: u64,
    /// What was wrong with the first of them.
    pub faults: Vec<String>,
}

impl Tally {
    const FAULTS: usize = 20;

    fn fault(&mut self, text: String) {
        self.failed += 1;
        if self.faults.len() < Self::FAULTS {
            self.faults.push(text);
        }
    }

    fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.octets += other.octets;
        self.excused += other.excused;
        self.again += other.again;
        self.failed += other.failed;
        let room = Self::FAULTS.saturating_sub(self.faults.len());
        self.faults.extend(other.faults.into_iter().take(room));
    }
}

/// Memory of one process.
#[derive(Clone, Debug)]
pub struct Memory {
    /// Whose.
    pub name: String,
    /// KiB in memory, at equal intervals; of another process after each restart.
    pub kib: Vec<u64>,
}

impl Memory {
    /// The medians of the second and of the last quarter, in KiB.
    pub fn medians(&self) -> (u64, u64) {
        let part = |from: usize, to: usize| {
            let mut part = self.kib[self.kib.len() * from / 4..self.kib.len() * to / 4].to_vec();
            part.sort_unstable();
            part.get(part.len() / 2).copied().unwrap_or_default()
        };
        (part(1, 2), part(3, 4))
    }
}

impl Soak {
    /// Runs it with a network of two gateways and two caches.
    pub async fn run(&self, program: impl AsRef<Path>) -> Report {
        // Small enough that both are full long before the end.
        let plan = Plan {
            gateways: 2,
            caches: 2,
            gateway: Settings::default()
                .set("gateway.memory_mib", 24)
                .set("gateway.drain_seconds", 2)
                .set("limits.connections_per_ip", 4096),
            cache: Settings::default().set("cache.quota_mib", 96),
        };
        let net = Net::start(program, plan).await;
        let crowd = Arc::new(Crowd::new(&net));
        let mut report = Report::default();
        report.rate = match self.load {
            Load::Rate(rate) => rate,
            Load::Share(share) => {
                let time = (self.time / 60).clamp(Duration::from_secs(5), Duration::from_secs(15));
                // Once to fill the caches, then what counts.
                self.phase(&crowd, time, None, &mut report.seen).await;
                let before = report.seen.requests;
                self.phase(&crowd, time, None, &mut report.seen).await;
                let done = (report.seen.requests - before) as f64 / time.as_secs_f64();
                report.most = Some(done);
                done * share
            }
        };
        let mut events = Events::new(net, crowd.clone());
        let visits = self.visits(&crowd, Some(report.rate));
        events.happen(self.time, self.rounds).await;
        crowd.end();
        for visit in visits {
            report.seen.add(visit.await.expect("a visitor"));
        }
        let (books, happened, memory) = events.close().await;
        report.charged = sum(&books);
        report.events = happened;
        report.memory = memory;
        report
    }

    async fn phase(&self, crowd: &Arc<Crowd>, time: Duration, rate: Option<f64>, seen: &mut Tally) {
        let visits = self.visits(crowd, rate);
        tokio::time::sleep(time).await;
        crowd.end();
        for visit in visits {
            seen.add(visit.await.expect("a visitor"));
        }
    }

    fn visits(&self, crowd: &Arc<Crowd>, rate: Option<f64>) -> Vec<tokio::task::JoinHandle<Tally>> {
        crowd.begin();
        let pause = rate.map(|rate| Duration::from_secs_f64(self.visitors as f64 / rate));
        let began = Instant::now();
        let visit = |number: usize| {
            let first =
                pause.map(|pause| began + pause.mul_f64(number as f64 / self.visitors as f64));
            tokio::spawn(crowd.clone().visit(number, first, pause))
        };
        (0..self.visitors).map(visit).collect()
    }
}

fn sum(books: &[Books]) -> (u64, u64) {
    books.iter().fold((0, 0), |(requests, octets), books| {
        (requests + books.requests(), octets + books.egress())
    })
}

impl Report {
    /// Whether what was charged is what was received: to the request and to the octet.
    pub fn is_exact(&self) -> bool {
        self.charged == (self.seen.requests, self.seen.octets)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seen = &self.seen;
        if let Some(most) = self.most {
            writeln!(out, "the machine did {most:.0} requests a second at most")?;
        }
        writeln!(out, "load: {:.0} requests a second", self.rate)?;
        writeln!(
            out,
            "answered: {} requests, {} octets",
            seen.requests, seen.octets
        )?;
        writeln!(
            out,
            "charged:  {} requests, {} octets",
            self.charged.0, self.charged.1
        )?;
        writeln!(
            out,
            "failed although the origin could have answered: {}",
            seen.failed
        )?;
        for fault in &seen.faults {
            writeln!(out, "  {fault}")?;
        }
        writeln!(
            out,
            "not answered because the origin could not: {}",
            seen.excused
        )?;
        writeln!(out, "sent again over another connection: {}", seen.again)?;
        writeln!(out, "memory, KiB:       2nd quarter   last quarter")?;
        for memory in &self.memory {
            let (second, last) = memory.medians();
            writeln!(out, "  {:<16} {second:>11} {last:>14}", memory.name)?;
        }
        writeln!(out, "what happened:")?;
        for event in &self.events {
            writeln!(out, "  {event}")?;
        }
        Ok(())
    }
}
