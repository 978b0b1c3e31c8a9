//! A gateway's public audit endpoint as an auditor sees it: nothing it says is believed, and
//! nothing of it is longer or slower than what was committed allows.

use crate::http::{Fault, Request};
use alloc::{format, vec::Vec};
use codec::{DecodeAll, Encode, MaxEncodedLen};
use selvedge_primitives_math::{draw::Draw, fraud::Openings};
use selvedge_primitives_types::{Epoch, Leaf};
use sp_core::offchain::Timestamp;

/// Octets that the opening of one draw takes at most: two ways down, of 33 nodes over entries and 33
/// over leaves each, a node with its place below 500.
const MAX_OPENING: usize = 2 * 66 * 500;

/// A gateway, and what was read of it.
pub(super) struct Remote<'a> {
    url: &'a str,
    deadline: Timestamp,
    pub(super) octets: u64,
    pub(super) leaves: u64,
}

impl<'a> Remote<'a> {
    pub(super) fn new(url: &'a str, deadline: Timestamp) -> Self {
        Self {
            url,
            deadline,
            octets: 0,
            leaves: 0,
        }
    }

    /// Whether the time for fetching is over.
    pub(super) fn is_late(&self) -> bool {
        sp_io::offchain::timestamp() >= self.deadline
    }

    /// All `count` leaves of an epoch.
    pub(super) fn leaves(&mut self, epoch: Epoch, count: usize) -> Result<Vec<Leaf>, Fault> {
        let path = format!("/audit/v1/{epoch}/leaves?limit={count}");
        // The length before them has at most five octets.
        let limit = count.saturating_mul(Leaf::max_encoded_len()) + 5;
        let leaves: Vec<Leaf> = self.ask(&path, None, limit, "list of leaves")?;
        self.leaves += leaves.len() as u64;
        Ok(leaves)
    }

    /// What shows drawn leaves.
    pub(super) fn open(&mut self, epoch: Epoch, draws: &[Draw]) -> Result<Openings, Fault> {
        let path = format!("/audit/v1/{epoch}/open");
        let limit = draws.len().saturating_mul(MAX_OPENING);
        let body = draws.encode();
        let openings = self.ask(&path, Some(&body), limit, "openings of leaves")?;
        self.leaves += draws.len() as u64;
        Ok(openings)
    }

    fn ask<Answer: DecodeAll>(
        &mut self,
        path: &str,
        body: Option<&[u8]>,
        limit: usize,
        expected: &'static str,
    ) -> Result<Answer, Fault> {
        let request = Request {
            url: &format!("{}{path}", self.url),
            token: None,
            body,
            deadline: self.deadline,
            limit,
        };
        let answer = request.exchange()?;
        self.octets += answer.len() as u64;
        Answer::decode_all(&mut &answer[..]).map_err(|_| Fault::Garbage(expected))
    }
}
