//! What anybody is shown: what it committed to, whatever that is.

use super::{as_it_came, pass_on, status, AgentLie, State, Told, PATIENCE};
use codec::{DecodeAll, Encode};
use http::{header, Request, Response, StatusCode};
use hyper::body::Incoming;
use selvedge_edge_drivers_http::{collect, full, Body, ConnInfo, Handler};
use selvedge_primitives_math::draw::Draw;
use selvedge_primitives_types::{agent::MAX_MESSAGE, Account, Epoch, Leaf, ServiceId};
use serde_json::{json, Value};
use std::sync::Arc;

/// The most leaves in one answer, as the honest endpoint has it.
const MAX_LEAVES: usize = 16_384;

/// The public server's stand-in.
pub(super) struct Endpoint(pub(super) Arc<State>);

impl Handler for Endpoint {
    async fn handle(self: Arc<Self>, request: Request<Incoming>, _: ConnInfo) -> Response<Body> {
        if let Some((told, rest)) = self.0.audited(request.uri().path()) {
            let shown = match told.lie {
                AgentLie::Hide | AgentLie::Vanish => None,
                _ => answer(&told, &rest, request).await,
            };
            return shown.map_or(status(StatusCode::NOT_FOUND), |shown| {
                Response::new(full(shown))
            });
        }
        match pass_on(self.0.real.public, request).await {
            Ok((_, answer)) => as_it_came(answer),
            Err(_) => status(StatusCode::BAD_GATEWAY),
        }
    }
}

impl State {
    /// The story that a path asks about, and what it asks of it.
    fn audited(&self, path: &str) -> Option<(Told, String)> {
        let (epoch, rest) = path.strip_prefix("/audit/v1/")?.split_once('/')?;
        let told = self.known(Epoch(epoch.parse().ok()?))?;
        (told.lie != AgentLie::None).then(|| (told, rest.to_owned()))
    }
}

/// Octets of the answer, in SCALE where that is wanted.
async fn answer(told: &Told, asked: &str, request: Request<Incoming>) -> Option<Vec<u8>> {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let accepted = request.headers().get(header::ACCEPT);
    let wants_scale = accepted.is_some_and(|kind| kind == "application/octet-stream");
    match asked {
        "open" => {
            let body = collect(request.into_body(), MAX_MESSAGE, PATIENCE)
                .await
                .ok()?;
            let draws = Vec::<Draw>::decode_all(&mut &body[..]).ok()?;
            Some(told.closed.open(&draws).encode())
        }
        "leaves" if wants_scale => {
            let (start, limit) = page(&query);
            let leaves = told.closed.leaves().iter().skip(start).take(limit);
            Some(leaves.copied().collect::<Vec<Leaf>>().encode())
        }
        _ => show(told, asked, &query).map(|shown| shown.to_string().into_bytes()),
    }
}

/// The first leaf that is asked for, and at most how many.
fn page(query: &str) -> (usize, usize) {
    let parameter = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name)?.1.parse().ok()
    };
    let limit = parameter("limit").unwrap_or(MAX_LEAVES);
    (parameter("start").unwrap_or(0), limit.min(MAX_LEAVES))
}

fn show(told: &Told, asked: &str, query: &str) -> Option<Value> {
    let closed = &told.closed;
    let (start, limit) = page(query);
    match asked.split('/').collect::<Vec<_>>()[..] {
        ["commitment"] => {
            let epoch = closed.epoch().0;
            Some(json!({ "epoch": epoch, "commitment": hex_of(&closed.commitment()) }))
        }
        ["leaves"] => {
            let all = closed.leaves();
            let leaves: Vec<_> = all.iter().skip(start).take(limit).map(hex_of).collect();
            Some(json!({ "start": start, "total": all.len(), "leaves": leaves }))
        }
        ["customer", customer, service] => {
            let mut account = [0; 32];
            hex::decode_to_slice(customer.trim_start_matches("0x"), &mut account).ok()?;
            let service = ServiceId(service.parse().ok()?);
            let (start, limit) = (u32::try_from(start).ok()?, limit as u32);
            let invoice = closed.invoice(Account(account), service, start, limit)?;
            Some(json!({
                "index": invoice.index,
                "entry": hex_of(&invoice.entry),
                "entry_proof": hex_of(&invoice.entry_proof),
                "start": invoice.leaves_proof.start,
                "leaves": invoice.leaves.iter().map(hex_of).collect::<Vec<_>>(),
                "leaves_proof": hex_of(&invoice.leaves_proof),
            }))
        }
        _ => None,
    }
}

fn hex_of(value: &impl Encode) -> String {
    format!("0x{}", hex::encode(value.encode()))
}
