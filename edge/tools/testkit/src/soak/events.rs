//! What happens to a network in the course of a month, one after the other.

use super::{
    visitors::{Crowd, Excuse},
    Memory,
};
use crate::{books::Books, chain::Site, daemon::Daemon, net::Net, origin::Trouble, wait::wait_for};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// How long the origin is in trouble at a time.
const TROUBLE: Duration = Duration::from_secs(2);
/// Requests that an origin hangs up on in passing, fewer than may be sent again at once.
const HANG_UPS: usize = 12;
/// Looks at the memory.
const LOOKS: u32 = 240;

pub(super) struct Events {
    net: Net,
    crowd: Arc<Crowd>,
    books: Vec<Books>,
    happened: Vec<String>,
    memory: Vec<Memory>,
    version: u32,
    began: Instant,
}

impl Events {
    pub(super) fn new(net: Net, crowd: Arc<Crowd>) -> Self {
        let all = net.gateways.iter().chain(&net.caches);
        let memory = all.map(|daemon| Memory {
            name: daemon.name().to_owned(),
            kib: Vec::new(),
        });
        Self {
            memory: memory.collect(),
            net,
            crowd,
            books: Vec::new(),
            happened: Vec::new(),
            version: 1,
            began: Instant::now(),
        }
    }

    /// Everything, so many times, spread over this time.
    pub(super) async fn happen(&mut self, time: Duration, rounds: u32) {
        const KINDS: u32 = 7;
        self.began = Instant::now();
        let pause = time / (rounds * KINDS + 1);
        let look = time / LOOKS;
        for number in 0..rounds * KINDS {
            self.rest(self.began + pause * (number + 1), look).await;
            match number % KINDS {
                0 => self.configure(number).await,
                1 => self.purge().await,
                2 => self.hang_up_in_passing().await,
                3 => self.trouble(Trouble::HangUp, "hung up on everybody").await,
                4 => self.trouble(Trouble::Unavailable, "said 503").await,
                5 => self.roll().await,
                _ => self.restart().await,
            }
        }
        self.rest(self.began + time, look).await;
    }

    /// Until then, with a look at the memory now and then.
    async fn rest(&mut self, until: Instant, look: Duration) {
        while Instant::now() < until {
            let next = (Instant::now() + look).min(until);
            tokio::time::sleep_until(next.into()).await;
            let all = self.net.gateways.iter().chain(&self.net.caches);
            for (daemon, memory) in all.zip(&mut self.memory) {
                memory.kib.extend(resident(daemon));
            }
            self.net.origin.forget();
        }
    }

    fn note(&mut self, text: impl std::fmt::Display) {
        let at = self.began.elapsed().as_secs();
        self.happened.push(format!("{at:>5} s  {text}"));
    }

    async fn configure(&mut self, number: u32) {
        let origin = self.net.origin.url();
        let sites = &mut self.net.chain.sites;
        sites.truncate(1);
        let id = u64::from(number) + 2;
        sites.push(Site::numbered(id, &format!("site-{id}.test"), origin));
        self.net.push().await;
        self.note("another site in the chain's config");
    }

    async fn purge(&mut self) {
        self.version += 1;
        self.crowd.publish(self.version);
        self.net.origin.publish(self.version);
        for gateway in &self.net.gateways {
            gateway.purge(1).await;
        }
        self.crowd.purged(self.version);
        self.note("a new version of the site, and a purge");
    }

    async fn hang_up_in_passing(&mut self) {
        self.crowd.trouble_begins(Excuse::Unsafe);
        self.net.origin.hang_up_on(HANG_UPS);
        let origin = &self.net.origin;
        wait_for("the last hang-up", || async {
            origin.is_well().then_some(())
        })
        .await;
        self.crowd.trouble_ends();
        self.note(format!(
            "the origin hung up on {HANG_UPS} requests in passing"
        ));
    }

    async fn trouble(&mut self, trouble: Trouble, what: &str) {
        self.crowd.trouble_begins(Excuse::Everything);
        self.net.origin.trouble(trouble);
        tokio::time::sleep(TROUBLE).await;
        self.net.origin.recover();
        self.crowd.trouble_ends();
        self.note(format!("the origin {what} for {TROUBLE:?}"));
    }

    async fn roll(&mut self) {
        self.books.extend(self.net.roll().await);
        self.note("the next epoch");
    }

    async fn restart(&mut self) {
        let gateway = self.net.gateways.len() - 1;
        self.net.gateways[gateway].signal("TERM").await;
        let admin = self.net.gateways[gateway].admin();
        wait_for("draining", || async {
            let answer = admin.ask(crate::Ask::get("/readyz")).await;
            (!answer.is_ok_and(|answer| answer.status == 200)).then_some(())
        })
        .await;
        self.crowd.leaves(gateway, true);
        let status = self.net.gateways[gateway].ended().await;
        assert!(status.success(), "the gateway ended with {status}");
        self.net.gateways[gateway].start_again().await;
        self.net.push().await;
        self.crowd.leaves(gateway, false);
        let name = self.net.gateways[gateway].name().to_owned();
        self.note(format!("{name} drained, ended and began again"));
    }

    /// Closes the books when everybody has left.
    pub(super) async fn close(mut self) -> (Vec<Books>, Vec<String>, Vec<Memory>) {
        self.net.settle().await;
        self.books.extend(self.net.roll().await);
        (self.books, self.happened, self.memory)
    }
}

/// KiB of a process in memory.
fn resident(daemon: &Daemon) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.id()?)).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
