//! What its chain node hears.

use super::{as_it_came, noise, pass_on, status, AgentLie, State};
use codec::{DecodeAll, Encode};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use selvedge_edge_drivers_http::{full, Body, ConnInfo, Handler};
use selvedge_primitives_math::draw::Draw;
use selvedge_primitives_types::{
    agent::{AgentStatus, ConfigDelta, ProbeResults},
    Epoch, FetchVerdict, Probe, ProbeFetch,
};
use std::sync::{atomic::Ordering, Arc};

/// The control server's stand-in. The honest gateway judges the token: what it refuses stays refused.
pub(super) struct Endpoint(pub(super) Arc<State>);

impl Handler for Endpoint {
    async fn handle(self: Arc<Self>, request: Request<Incoming>, _: ConnInfo) -> Response<Body> {
        let lie = *self.0.lie.lock();
        if let Some(noise) = noise::make(lie) {
            return noise;
        }
        match self.answer(request).await {
            Ok(answer) => answer,
            Err(error) => {
                // Its chain node asks again in another block.
                eprintln!("a lie was not told: {error:#}");
                status(StatusCode::SERVICE_UNAVAILABLE)
            }
        }
    }
}

impl Endpoint {
    async fn answer(&self, request: Request<Incoming>) -> anyhow::Result<Response<Body>> {
        let path = request.uri().path().to_owned();
        let (asked, answer) = pass_on(self.0.real.control, request).await?;
        let parts: Vec<_> = path.trim_start_matches("/control/v1/").split('/').collect();
        // What is drawn of the story may lie beyond the end of the truth.
        let is_told = parts[0] == "open" && answer.status == StatusCode::NOT_FOUND;
        if answer.status != StatusCode::OK && !is_told {
            return Ok(as_it_came(answer));
        }
        match parts[..] {
            // Who holds no price list is sent all of them.
            ["status"] if self.0.prices.lock().is_empty() => {
                let mut said = AgentStatus::decode_all(&mut &answer.body[..])?;
                said.versions.prices = Default::default();
                Ok(scale(&said))
            }
            ["config"] => {
                let delta = ConfigDelta::decode_all(&mut &asked[..])?;
                self.0.learn(delta.prices.unwrap_or_default());
                Ok(as_it_came(answer))
            }
            ["commitment", epoch] => {
                let told = self.0.tell(Epoch(epoch.parse()?)).await?;
                Ok(scale(&told.closed.commitment()))
            }
            ["settle" | "credit", epoch, cursor] => {
                let told = self.0.tell(Epoch(epoch.parse()?)).await?;
                let cursor = cursor.parse()?;
                let page = match parts[0] {
                    _ if told.lie == AgentLie::Vanish => None,
                    "settle" => told.closed.settle_page(cursor),
                    _ => told.closed.credit_page(cursor),
                };
                Ok(page.map_or(status(StatusCode::NOT_FOUND), |page| scale(&page)))
            }
            ["open", epoch] => {
                let told = self.0.tell(Epoch(epoch.parse()?)).await?;
                let draw = Draw::decode_all(&mut &asked[..])?;
                let leaf = match told.lie {
                    AgentLie::Hide | AgentLie::Vanish => None,
                    _ => told.closed.open_leaf(&draw),
                };
                Ok(leaf.map_or(status(StatusCode::NOT_FOUND), |leaf| scale(&leaf)))
            }
            ["probes"] if *self.0.lie.lock() == AgentLie::Slander => {
                let mut seen = ProbeResults::decode_all(&mut &answer.body[..])?;
                seen.probes.iter_mut().for_each(slander);
                if seen.is_done {
                    let count = seen.probes.len();
                    self.0.slandered.fetch_add(count, Ordering::AcqRel);
                }
                Ok(scale(&seen))
            }
            _ => Ok(as_it_came(answer)),
        }
    }
}

/// That a node answered cannot be made up, that it did not cannot be proven.
fn slander(probe: &mut Probe) {
    probe.answer = None;
    probe.fetch = probe.fetch.map(|_| ProbeFetch {
        object: Default::default(),
        bytes: 0,
        time: 0,
        verdict: FetchVerdict::Failed,
    });
}

fn scale(answer: &impl Encode) -> Response<Body> {
    Response::new(full(answer.encode()))
}
