//! Visitors of a site, and an exact count of what they received.

use crate::site::FILE_LENGTH;
use bytes::Bytes;
use futures::{stream, StreamExt, TryStreamExt};
use http::{Method, Request};
use http_body_util::Full;
use rand::{rngs::StdRng, Rng, SeedableRng};
use selvedge_devnet::{
    client,
    job::{Received, HOST},
};

/// Requests under way at once.
const AT_ONCE: usize = 8;

/// Pages there are to visit.
pub const PAGES: u32 = 40;

/// One visit.
struct Visit {
    method: Method,
    path: String,
    field: Option<(&'static str, String)>,
    statuses: &'static [u16],
}

impl Visit {
    fn get(path: String, statuses: &'static [u16]) -> Self {
        Self {
            method: Method::GET,
            path,
            field: None,
            statuses,
        }
    }

    /// A page that caches keep and probes leave alone, so that a bill names visitors only.
    fn brief(rng: &mut StdRng) -> Self {
        Self::get(format!("/brief/{}", rng.gen_range(0..PAGES)), &[200])
    }

    /// A file that is too long for probes.
    fn file(_: &mut StdRng) -> Self {
        Self::get("/file".into(), &[200])
    }

    /// Any of the kinds that a bill must get right.
    fn any(rng: &mut StdRng) -> Self {
        let get = Self::get;
        let number = rng.gen_range(0..PAGES);
        match rng.gen_range(0..100) {
            0..=49 => get(format!("/brief/{number}"), &[200]),
            50..=64 => get(format!("/private/{number}"), &[200]),
            65..=74 => Self {
                field: Some(("if-none-match", format!("\"v{number}\""))),
                ..get(format!("/tagged/{number}"), &[304])
            },
            75..=82 => Self {
                method: Method::HEAD,
                ..get(format!("/brief/{number}"), &[200])
            },
            83..=92 => {
                let from = rng.gen_range(0..FILE_LENGTH - 1);
                let to = rng.gen_range(from..FILE_LENGTH.min(from + 50_000));
                Self {
                    field: Some(("range", format!("bytes={from}-{to}"))),
                    ..get("/file".into(), &[206])
                }
            }
            93..=95 => Self::file(rng),
            _ => get(format!("/missing/{number}"), &[404]),
        }
    }

    async fn pay(self, port: u16) -> anyhow::Result<Received> {
        let mut request = Request::builder()
            .method(self.method)
            .uri(format!("http://127.0.0.1:{port}{}", self.path))
            .header("host", HOST);
        if let Some((name, value)) = &self.field {
            request = request.header(*name, value);
        }
        let answer = client::fetch(request.body(Full::new(Bytes::new()))?).await?;
        let status = answer.status().as_u16();
        anyhow::ensure!(
            self.statuses.contains(&status),
            "{} {:?}: {status}",
            self.path,
            self.field
        );
        Ok(Received {
            requests: 1,
            bytes: answer.body().len() as u64,
        })
    }
}

/// Makes `count` visits of all kinds, spread over the gateways at these ports.
pub async fn mixed(ports: &[u16], count: usize, seed: u64) -> anyhow::Result<Received> {
    make(ports, count, seed, Visit::any).await
}

/// Makes `count` visits of brief pages, spread over the gateways at these ports.
pub async fn brief(ports: &[u16], count: usize, seed: u64) -> anyhow::Result<Received> {
    make(ports, count, seed, Visit::brief).await
}

/// Fetches the file so many times, spread over the gateways at these ports.
pub async fn files(ports: &[u16], count: usize) -> anyhow::Result<Received> {
    make(ports, count, 0, Visit::file).await
}

async fn make(
    ports: &[u16],
    count: usize,
    seed: u64,
    kind: fn(&mut StdRng) -> Visit,
) -> anyhow::Result<Received> {
    let mut rng = StdRng::seed_from_u64(seed);
    let visits: Vec<_> = (0..count)
        .map(|_| (kind(&mut rng), ports[rng.gen_range(0..ports.len())]))
        .collect();
    stream::iter(visits)
        .map(|(visit, port)| visit.pay(port))
        .buffer_unordered(AT_ONCE)
        .try_fold(
            Received::default(),
            |sum, one| async move { Ok(sum.plus(one)) },
        )
        .await
}
