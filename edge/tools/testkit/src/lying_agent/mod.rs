//! An agent that stands between a chain node and an honest gateway, and falsifies what passes.
//!
//! ```text
//! chain node ── control, with the token ──▶ LyingAgent ──▶ selvedge-edge
//! auditors   ── public audit endpoint ────▶ LyingAgent ──▶ selvedge-edge
//! ```
//!
//! It is as good a liar as its lie allows: it builds trees anew over the leaves it falsified, so that sums and roots are
//! consistent, prices what it invents by the list in force, and shows in public what it committed to. What it does not lie
//! about passes as it is, at most [`MAX_MESSAGE`] octets at a time; it follows no endless answer.

mod control;
mod forge;
mod noise;
mod public;

use crate::client::{Answer, Ask, Client};
use anyhow::Context;
use bytes::Bytes;
use codec::{Decode, DecodeAll};
use http::{header, Request, Response, StatusCode};
use hyper::body::Incoming;
use parking_lot::Mutex;
use selvedge_edge_core_metering::Closed;
use selvedge_edge_drivers_http::{collect, empty, full, Body, Limits, Server, ServerHandle};
use selvedge_primitives_types::{
    agent::MAX_MESSAGE, Epoch, Leaf, PriceList, Prices, UsageCommitment,
};
use std::{
    collections::BTreeMap,
    fmt,
    net::SocketAddr,
    str::FromStr,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc,
    },
    time::Duration,
};

/// How long a body may take to arrive from the chain node or an auditor.
const PATIENCE: Duration = Duration::from_secs(5);

/// Epochs whose told trees are kept: more than a commitment may be open for on a devnet.
const KEPT: usize = 64;

/// In which way an agent lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum AgentLie {
    /// In none.
    #[default]
    None,
    /// One leaf in a thousand has twice its use and price, under the old signature of its cache.
    Inflate,
    /// One leaf is made nine times as dear as all others together, under the old signature of its cache.
    Fat,
    /// The leaves of one cache name a device that is none.
    ForeignCache,
    /// Commits, and shows no leaf to the public.
    Hide,
    /// Commits, and has no page and no leaf afterwards.
    Vanish,
    /// Says of every node it was drawn to probe that nothing came from it.
    Slander,
    /// Answers its chain node with octets that mean nothing.
    Garbage,
    /// Answers its chain node with an octet a second.
    Slow,
    /// Answers its chain node with 100 MB.
    Flood,
}

impl AgentLie {
    /// All of them, and none.
    pub const ALL: [Self; 10] = [
        Self::None,
        Self::Inflate,
        Self::Fat,
        Self::ForeignCache,
        Self::Hide,
        Self::Vanish,
        Self::Slander,
        Self::Garbage,
        Self::Slow,
        Self::Flood,
    ];

    /// Its name on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Inflate => "inflate",
            Self::Fat => "fat",
            Self::ForeignCache => "foreign-cache",
            Self::Hide => "hide",
            Self::Vanish => "vanish",
            Self::Slander => "slander",
            Self::Garbage => "garbage",
            Self::Slow => "slow",
            Self::Flood => "flood",
        }
    }
}

impl fmt::Display for AgentLie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for AgentLie {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> anyhow::Result<Self> {
        let found = Self::ALL.into_iter().find(|lie| lie.name() == name);
        found.with_context(|| format!("no lie is called {name}"))
    }
}

/// Both ends of an agent.
#[derive(Clone, Copy, Debug)]
pub struct Ends {
    /// Where its chain node asks.
    pub control: SocketAddr,
    /// Where anybody asks.
    pub public: SocketAddr,
}

/// A running liar; it stops when dropped.
pub struct LyingAgent {
    state: Arc<State>,
    _servers: [ServerHandle; 2],
}

impl LyingAgent {
    /// Listens where the chain believes the gateway to be, and passes on to where it is.
    pub async fn start(listen: Ends, real: Ends, lie: AgentLie) -> anyhow::Result<Self> {
        let state = Arc::new(State {
            real,
            lie: Mutex::new(lie),
            prices: Mutex::default(),
            told: Mutex::default(),
            slandered: AtomicUsize::new(0),
        });
        let control = Server::bind(listen.control, Limits::default()).await?;
        let public = Server::bind(listen.public, Limits::default()).await?;
        let servers = [
            control.serve(Arc::new(control::Endpoint(state.clone()))),
            public.serve(Arc::new(public::Endpoint(state.clone()))),
        ];
        Ok(Self {
            state,
            _servers: servers,
        })
    }

    /// Lies in this way from now on; of what it told already it keeps to the story.
    pub fn lie(&self, lie: AgentLie) {
        *self.state.lie.lock() = lie;
    }

    /// How many nodes it slandered to its chain node so far.
    pub fn slandered(&self) -> usize {
        self.state.slandered.load(Ordering::Acquire)
    }

    /// What it would commit to for a closed epoch with use if it lied in this way.
    ///
    /// # Errors
    ///
    /// Fails when the gateway does not show the epoch, and when none of its leaves is fit for the lie.
    pub async fn commitment(&self, epoch: Epoch, lie: AgentLie) -> anyhow::Result<UsageCommitment> {
        Ok(self.state.story(epoch, lie).await?.commitment())
    }
}

/// What was told of an epoch.
#[derive(Clone)]
struct Told {
    lie: AgentLie,
    closed: Arc<Closed>,
}

struct State {
    real: Ends,
    lie: Mutex<AgentLie>,
    prices: Mutex<BTreeMap<u32, Prices>>,
    told: Mutex<BTreeMap<Epoch, Told>>,
    slandered: AtomicUsize,
}

impl State {
    /// What it tells of an epoch: the same whenever it is asked.
    async fn tell(&self, epoch: Epoch) -> anyhow::Result<Told> {
        if let Some(told) = self.known(epoch) {
            return Ok(told);
        }
        let lie = *self.lie.lock();
        let closed = Arc::new(self.story(epoch, lie).await?);
        let mut told = self.told.lock();
        if told.len() >= KEPT {
            told.pop_first();
        }
        Ok(told.entry(epoch).or_insert(Told { lie, closed }).clone())
    }

    fn known(&self, epoch: Epoch) -> Option<Told> {
        self.told.lock().get(&epoch).cloned()
    }

    async fn story(&self, epoch: Epoch, lie: AgentLie) -> anyhow::Result<Closed> {
        let leaves = self.leaves(epoch).await?;
        let gateway = leaves.first().context("the epoch has use")?.body.gateway;
        let leaves = forge::falsify(leaves, lie, &self.prices.lock())?;
        Ok(Closed::build(gateway, epoch, leaves)?)
    }

    /// Every leaf of the honest gateway.
    async fn leaves(&self, epoch: Epoch) -> anyhow::Result<Vec<Leaf>> {
        let client = Client::new(self.real.public, "localhost");
        let mut leaves = Vec::new();
        loop {
            let target = format!("/audit/v1/{epoch}/leaves?start={}", leaves.len());
            let answer = client.ask(Ask::get(&target)).await?;
            anyhow::ensure!(
                answer.status == StatusCode::OK,
                "{target}: {}",
                answer.text()
            );
            let page: serde_json::Value = serde_json::from_slice(&answer.body)?;
            let shown = page["leaves"].as_array().context("leaves")?;
            let total = page["total"].as_u64().context("a total")?;
            for leaf in shown {
                leaves.push(scale(leaf.as_str().context("a leaf is a text")?)?);
            }
            if shown.is_empty() || leaves.len() as u64 >= total {
                return Ok(leaves);
            }
        }
    }

    fn learn(&self, lists: Vec<PriceList>) {
        let lists = lists.into_iter().map(|list| (list.version, list.prices));
        self.prices.lock().extend(lists);
    }
}

/// Asks the honest gateway the same.
async fn pass_on(to: SocketAddr, request: Request<Incoming>) -> anyhow::Result<(Bytes, Answer)> {
    let (head, body) = request.into_parts();
    let body = collect(body, MAX_MESSAGE, PATIENCE).await?;
    let mut fields = head.headers;
    for own in [
        header::HOST,
        header::CONNECTION,
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
    ] {
        fields.remove(own);
    }
    let target = head
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str());
    let ask = Ask {
        method: head.method,
        target: target.to_owned(),
        fields,
        body: body.clone(),
    };
    let answer = Client::new(to, "localhost").ask(ask).await?;
    Ok((body, answer))
}

/// An answer of the honest gateway as it came.
fn as_it_came(answer: Answer) -> Response<Body> {
    let mut response = Response::new(full(answer.body));
    *response.status_mut() = answer.status;
    for name in [
        header::CONTENT_TYPE,
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        header::RETRY_AFTER,
    ] {
        if let Some(value) = answer.fields.get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(empty());
    *response.status_mut() = status;
    response
}

fn scale<T: Decode>(text: &str) -> anyhow::Result<T> {
    let bytes = hex::decode(text.trim_start_matches("0x"))?;
    Ok(T::decode_all(&mut &bytes[..])?)
}
