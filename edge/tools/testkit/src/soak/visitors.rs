//! Visitors who know what they must get.

use super::Tally;
use crate::{
    client::{Answer, Ask, Client, Line},
    net::Net,
    script::content_of,
    wait::DEADLINE,
};
use parking_lot::Mutex;
use std::{
    net::SocketAddr,
    sync::{
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
        Arc,
    },
    time::{Duration, Instant},
};

/// Times a request is sent at most, as a browser does.
const TRIES: usize = 3;
/// Requests over one connection.
const PER_LINE: u32 = 200;

/// Which requests may fail while the origin is in trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Excuse {
    /// All that need it.
    Everything,
    /// Those that must not be sent twice.
    Unsafe,
}

struct Window {
    excuse: Excuse,
    from: Instant,
    to: Option<Instant>,
}

/// What all visitors know.
pub(super) struct Crowd {
    gateways: Vec<SocketAddr>,
    leaving: Vec<AtomicBool>,
    is_over: AtomicBool,
    /// The oldest version that a request which begins now may get, and the newest there is.
    oldest: AtomicU32,
    newest: AtomicU32,
    windows: Mutex<Vec<Window>>,
    unique: AtomicU64,
}

/// A request, and what its answer must be.
struct Wish {
    ask: Ask,
    is_safe: bool,
}

impl Crowd {
    pub(super) fn new(net: &Net) -> Self {
        let gateways = net.gateways.iter().map(|gateway| gateway.address("http"));
        Self {
            gateways: gateways.collect(),
            leaving: net
                .gateways
                .iter()
                .map(|_| AtomicBool::new(false))
                .collect(),
            is_over: AtomicBool::new(false),
            oldest: 1.into(),
            newest: 1.into(),
            windows: Mutex::default(),
            unique: 0.into(),
        }
    }

    pub(super) fn begin(&self) {
        self.is_over.store(false, Ordering::Release);
    }

    pub(super) fn end(&self) {
        self.is_over.store(true, Ordering::Release);
    }

    /// As a load balancer that asks for its readiness: nobody is sent to a gateway that leaves.
    pub(super) fn leaves(&self, gateway: usize, leaves: bool) {
        self.leaving[gateway].store(leaves, Ordering::Release);
    }

    pub(super) fn publish(&self, version: u32) {
        self.newest.store(version, Ordering::Release);
    }

    pub(super) fn purged(&self, version: u32) {
        self.oldest.store(version, Ordering::Release);
    }

    pub(super) fn trouble_begins(&self, excuse: Excuse) {
        let (from, to) = (Instant::now(), None);
        self.windows.lock().push(Window { excuse, from, to });
    }

    pub(super) fn trouble_ends(&self) {
        for window in self.windows.lock().iter_mut() {
            window.to.get_or_insert_with(Instant::now);
        }
    }

    fn is_excused(&self, wish: &Wish, began: Instant) -> bool {
        self.windows.lock().iter().any(|window| {
            let is_meant = window.excuse == Excuse::Everything || !wish.is_safe;
            is_meant && window.to.is_none_or(|to| began <= to) && window.from <= Instant::now()
        })
    }

    /// Sends requests until it is over: one after the other, or one each `pause`.
    pub(super) async fn visit(
        self: Arc<Self>,
        number: usize,
        mut next: Option<Instant>,
        pause: Option<Duration>,
    ) -> Tally {
        let mut tally = Tally::default();
        let mut dice = Dice(number as u64 + 1);
        let mut line: Option<Held> = None;
        while !self.is_over.load(Ordering::Acquire) {
            if let (Some(at), Some(pause)) = (next, pause) {
                tokio::time::sleep_until(at.into()).await;
                // What could not be sent in time is not sent all at once later.
                next = Some((at + pause).max(Instant::now() - pause));
            }
            let wish = self.wish(&mut dice);
            self.send(&wish, number, &mut line, &mut tally).await;
        }
        tally
    }

    fn wish(&self, dice: &mut Dice) -> Wish {
        let unique = || self.unique.fetch_add(1, Ordering::AcqRel);
        let target = match dice.below(100) {
            0..70 => {
                // The smaller of two draws, twice: a few pages are asked for most.
                let page = dice.below(300).min(dice.below(300)).min(dice.below(300));
                let length = 500 + page * page % 40_000;
                format!("/hot/{page}?len={length}&etag=1&cc=max-age=600")
            }
            70..80 => {
                let page = dice.below(40);
                format!("/news/{page}?len=5000&etag=1&cc=max-age=1,stale-if-error=600")
            }
            80..86 => format!("/mine/{}?len=2000&etag=1&cc=no-store", dice.below(20)),
            86..92 => format!("/cold/{}?len=9000&etag=1&cc=max-age=60", unique()),
            92..95 => format!(
                "/live/{}?len=20000&chunked=1&etag=1&cc=max-age=2",
                dice.below(9)
            ),
            95..96 => format!("/film/{}?len=1200000&etag=1&cc=max-age=600", dice.below(5)),
            _ => {
                let target = format!("/form/{}?len=300&etag=1", dice.below(50));
                return Wish {
                    ask: Ask::post(target, "name=value"),
                    is_safe: false,
                };
            }
        };
        Wish {
            ask: Ask::get(target),
            is_safe: true,
        }
    }

    async fn send(&self, wish: &Wish, number: usize, line: &mut Option<Held>, tally: &mut Tally) {
        let oldest = self.oldest.load(Ordering::Acquire);
        let began = Instant::now();
        let mut last = String::new();
        for attempt in 0..TRIES {
            if attempt > 0 {
                tally.again += 1;
            }
            let held = line
                .take()
                .filter(|held| held.uses < PER_LINE && !self.leaving(held.gateway));
            // What must not be sent twice goes over a connection that nobody is about to close.
            let held = held.filter(|_| wish.is_safe && attempt == 0);
            let mut held = match held {
                Some(held) => held,
                None => match self.connect(number + attempt).await {
                    Ok(held) => held,
                    Err(error) => {
                        last = format!("connecting: {error:#}");
                        continue;
                    }
                },
            };
            held.uses += 1;
            let answered = tokio::time::timeout(DEADLINE, async {
                let download = held.line.begin(wish.ask.clone()).await;
                match download {
                    Ok(download) => Ok(download.whole().await),
                    Err(error) => Err(error),
                }
            });
            match answered.await {
                Ok(Ok(Ok(answer))) => {
                    let closes = answer.field("connection").eq_ignore_ascii_case("close");
                    *line = (!closes).then_some(held);
                    self.judge(wish, answer, oldest, began, tally);
                    return;
                }
                Ok(Ok(Err(error))) => {
                    tally.fault(format!("{}: broke off: {error:#}", wish.ask.target));
                    return;
                }
                // RFC 9110 §9.2.2: what does no harm twice may be sent again.
                Ok(Err(error)) if wish.is_safe => last = format!("no answer: {error:#}"),
                Ok(Err(error)) => {
                    last = format!("no answer: {error:#}");
                    break;
                }
                Err(_) => {
                    last = format!("nothing for {DEADLINE:?}");
                    break;
                }
            }
        }
        tally.fault(format!("{} {}: {last}", wish.ask.method, wish.ask.target));
    }

    fn judge(&self, wish: &Wish, answer: Answer, oldest: u32, began: Instant, tally: &mut Tally) {
        let target = &wish.ask.target;
        let reason = answer.reason();
        if !reason.is_empty() {
            if self.is_excused(wish, began) {
                tally.excused += 1;
            } else {
                tally.fault(format!("{target}: {} {reason}", answer.status));
            }
            return;
        }
        tally.requests += 1;
        tally.octets += answer.body.len() as u64;
        if answer.status == 503 && self.is_excused(wish, began) {
            return;
        }
        if answer.status != 200 {
            return tally.fault(format!("{target}: {}", answer.status));
        }
        let etag = answer.field("etag");
        let version = etag.trim_matches('"').trim_start_matches('v').parse();
        let newest = self.newest.load(Ordering::Acquire);
        match version {
            Ok(version) if (oldest..=newest).contains(&version) => {
                if answer.body != content_of(target, &[], version) {
                    tally.fault(format!("{target}: another body than that of {etag}"));
                }
            }
            _ => tally.fault(format!("{target}: {etag}, not of {oldest} to {newest}")),
        }
    }

    fn leaving(&self, gateway: usize) -> bool {
        self.leaving[gateway].load(Ordering::Acquire)
    }

    async fn connect(&self, number: usize) -> anyhow::Result<Held> {
        let count = self.gateways.len();
        let stays = (0..count).map(|more| (number + more) % count);
        let gateway = stays.clone().find(|gateway| !self.leaving(*gateway));
        let gateway = gateway.unwrap_or(number % count);
        let client = Client::new(self.gateways[gateway], "site.test");
        let client = match (number / count).is_multiple_of(2) {
            true => client,
            false => client.http2(),
        };
        Ok(Held {
            line: client.connect().await?,
            gateway,
            uses: 0,
        })
    }
}

/// An open connection.
struct Held {
    line: Line,
    gateway: usize,
    uses: u32,
}

/// Numbers that look like chance and are the same in every run (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}
