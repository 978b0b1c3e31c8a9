//! Answers that are none, each in a way that a careless reader would not survive.

use super::AgentLie;
use bytes::Bytes;
use http::Response;
use rand::RngCore;
use selvedge_edge_drivers_http::{channel, full, Body};
use std::time::Duration;

/// Octets of garbage.
const GARBAGE: usize = 1_000;

/// Octets of a slow answer: it would take an hour.
const SLOW: u64 = 3_600;

/// Octets of a flood, and of a piece of it.
const FLOOD: u64 = 100_000_000;
const PIECE: usize = 50_000;

/// An answer of this kind; `None` for lies that are told in words.
pub(super) fn make(lie: AgentLie) -> Option<Response<Body>> {
    match lie {
        AgentLie::Garbage => {
            let mut octets = vec![0; GARBAGE];
            rand::thread_rng().fill_bytes(&mut octets);
            Some(Response::new(full(octets)))
        }
        AgentLie::Slow => Some(drip(SLOW, 1, Some(Duration::from_secs(1)))),
        AgentLie::Flood => Some(drip(FLOOD, PIECE, None)),
        _ => None,
    }
}

/// Sends as many octets as a reader takes, in pieces of this size.
fn drip(length: u64, piece: usize, pause: Option<Duration>) -> Response<Body> {
    let (sender, body) = channel(1, Some(length));
    tokio::spawn(async move {
        let octets = Bytes::from(vec![0xff; piece]);
        for _ in 0..length / piece as u64 {
            // The pause is the lie: nothing is waited for.
            if let Some(pause) = pause {
                tokio::time::sleep(pause).await;
            }
            if sender.send(octets.clone()).await.is_err() {
                return;
            }
        }
        let _ = sender.finish().await;
    });
    Response::new(body)
}
