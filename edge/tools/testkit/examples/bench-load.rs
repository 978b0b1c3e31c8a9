//! Asks a server over HTTP/1.1 in the clear, on one core, and says how it answered.
//!
//! ```text
//! bench-load ADDRESS HOST SECONDS CONNECTIONS RATE SKEW TARGET...
//! ```
//!
//! `RATE` 0 asks anew as soon as an answer is whole. Any other asks that often a second whatever the
//! answers do, and an answer's time counts from the moment its request was due: a server that
//! stalls is not spared (coordinated omission). `SKEW` is the exponent by which the targets'
//! frequencies fall (Zipf), 0 for none. Bodies are thrown away by the system without being copied
//! (`MSG_TRUNC`), so that the server is what is measured. Prints one line of JSON.

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

/// Octets that are read at a time where a head may begin.
const HEAD: usize = 16 * 1024;

fn main() -> io::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| args[at].parse::<f64>().expect("a number");
    let address = args[0].parse().expect("ADDRESS is an address and a port");
    let targets = Targets::new(&args[1], &args[6..], number(5));
    let mut poll = Poll::new()?;
    let mut lines = Vec::new();
    for token in 0..number(3) as usize {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let both = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(&mut stream, Token(token), both)?;
        lines.push(Line::new(stream));
    }
    let load = Load {
        length: Duration::from_secs_f64(number(2)),
        gap: (number(4) > 0.0).then(|| Duration::from_secs_f64(1.0 / number(4))),
        targets,
        random: StdRng::seed_from_u64(7),
    };
    println!("{}", load.run(&mut poll, &mut lines)?);
    Ok(())
}

/// What is asked for.
struct Targets {
    requests: Vec<Vec<u8>>,
    /// Sums of the targets' frequencies.
    sums: Vec<f64>,
}

impl Targets {
    fn new(host: &str, targets: &[String], skew: f64) -> Self {
        let requests = targets
            .iter()
            .map(|target| format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n").into_bytes())
            .collect();
        let mut sum = 0.0;
        let sums = (1..=targets.len())
            .map(|rank| {
                sum += (rank as f64).powf(-skew);
                sum
            })
            .collect();
        Self { requests, sums }
    }

    fn next(&self, random: &mut StdRng) -> &[u8] {
        let all = self.sums.last().copied().unwrap_or_default();
        let place = random.gen::<f64>() * all;
        let rank = self.sums.partition_point(|sum| *sum < place);
        &self.requests[rank.min(self.requests.len() - 1)]
    }
}

/// A connection, with at most one request under way.
struct Line {
    stream: TcpStream,
    /// When the request under way was due.
    due: Option<Instant>,
    head: Vec<u8>,
    /// Octets of the body that are still to come; `None` while the head is.
    left: Option<usize>,
}

impl Line {
    fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            due: None,
            head: Vec::new(),
            left: None,
        }
    }

    /// Sends a request; `false` when the connection is not up yet.
    fn ask(&mut self, request: &[u8], due: Instant) -> io::Result<bool> {
        match self.stream.write(request) {
            Ok(octets) if octets == request.len() => {
                self.due = Some(due);
                Ok(true)
            }
            Ok(_) => Err(io::Error::other("a request that does not fit")),
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::WouldBlock | ErrorKind::NotConnected
                ) =>
            {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Takes what has come. Gives the body's octets when the answer is whole.
    fn take(&mut self, buffer: &mut [u8]) -> io::Result<(usize, bool)> {
        let mut octets = 0;
        loop {
            let got = match self.left {
                None => self.stream.read(buffer),
                Some(left) => self.discard(left),
            };
            let got = match got {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(got) => got,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok((octets, false)),
                Err(error) => return Err(error),
            };
            let left = match self.left {
                Some(left) => {
                    octets += got;
                    left.checked_sub(got)
                }
                None => match self.read_head(&buffer[..got])? {
                    Some((length, beyond)) => {
                        octets += beyond;
                        length.checked_sub(beyond)
                    }
                    None => continue,
                },
            };
            self.left = Some(left.ok_or_else(|| io::Error::other("more than was stated"))?);
            if self.left == Some(0) {
                self.left = None;
                self.due = None;
                return Ok((octets, true));
            }
        }
    }

    /// The stated length and the octets beyond the head, once all of it is there.
    fn read_head(&mut self, bytes: &[u8]) -> io::Result<Option<(usize, usize)>> {
        self.head.extend_from_slice(bytes);
        let Some(end) = self.head.windows(4).position(|four| four == b"\r\n\r\n") else {
            return Ok(None);
        };
        let text = String::from_utf8_lossy(&self.head[..end]).to_ascii_lowercase();
        if !text.starts_with("http/1.1 200") {
            return Err(io::Error::other(format!(
                "an answer that is not 200:\n{text}"
            )));
        }
        let length = text.split("content-length:").nth(1);
        let length = length.and_then(|rest| rest.split("\r\n").next());
        let length = length.and_then(|length| length.trim().parse().ok());
        let length = length.ok_or_else(|| io::Error::other("an answer without a length"))?;
        let beyond = self.head.len() - end - 4;
        self.head.clear();
        Ok(Some((length, beyond)))
    }

    fn discard(&self, octets: usize) -> io::Result<usize> {
        self.stream.try_io(|| {
            let socket = self.stream.as_raw_fd();
            // SAFETY: with MSG_TRUNC a stream socket drops the octets and writes nowhere (tcp(7)).
            let got = unsafe { libc::recv(socket, std::ptr::null_mut(), octets, libc::MSG_TRUNC) };
            usize::try_from(got).map_err(|_| io::Error::last_os_error())
        })
    }
}

struct Load {
    length: Duration,
    /// Between two requests; `None` for as soon as possible.
    gap: Option<Duration>,
    targets: Targets,
    random: StdRng,
}

impl Load {
    fn run(mut self, poll: &mut Poll, lines: &mut [Line]) -> io::Result<serde_json::Value> {
        let mut events = Events::with_capacity(1024);
        let mut buffer = vec![0; HEAD];
        let mut idle: VecDeque<usize> = (0..lines.len()).collect();
        let (mut times, mut octets) = (Vec::<u32>::new(), 0);
        let began = Instant::now();
        let mut due = began;
        while began.elapsed() < self.length {
            for _ in 0..idle.len() {
                let now = Instant::now();
                let moment = if self.gap.is_some() { due } else { now };
                if moment > now {
                    break;
                }
                let Some(at) = idle.pop_front() else {
                    break;
                };
                if lines[at].ask(self.targets.next(&mut self.random), moment)? {
                    due += self.gap.unwrap_or_default();
                } else {
                    idle.push_back(at);
                }
            }
            // With a rate the clock is looked at all the time: a sleep would be late by more than an
            // answer takes.
            let patience = self
                .gap
                .map_or(Duration::from_millis(100), |_| Duration::ZERO);
            poll.poll(&mut events, Some(patience))?;
            for event in events.iter().filter(|event| event.is_readable()) {
                let at = event.token().0;
                let Some(due) = lines[at].due else {
                    continue;
                };
                let (got, is_whole) = lines[at].take(&mut buffer)?;
                octets += got as u64;
                if is_whole {
                    times.push(due.elapsed().as_micros() as u32);
                    idle.push_back(at);
                }
            }
        }
        times.sort_unstable();
        let at = |share: f64| times.get((times.len() as f64 * share) as usize).copied();
        Ok(json!({
            "requests": times.len(),
            "octets": octets,
            "seconds": began.elapsed().as_secs_f64(),
            "p50_us": at(0.5),
            "p99_us": at(0.99),
            "p999_us": at(0.999),
        }))
    }
}
