//! A daemon as the worker sees it: the endpoints of its control, typed.

use crate::{
    http::{Fault, Request},
    EntryPage,
};
use alloc::format;
use codec::{Decode, DecodeAll, Encode};
use selvedge_primitives_math::{draw::Draw, fraud::OpenedLeaf};
use selvedge_primitives_types::{
    agent::{
        AgentEndpoint, AgentStatus, HostCheckAnswer, HostCheckRequest, ProbeOrder, ProbeResults,
        MAX_MESSAGE,
    },
    Epoch, UsageCommitment,
};
use sp_core::offchain::{Duration, Timestamp};

/// The most entries of a page.
pub(crate) const MAX_PAGE: usize = 64;

/// An endpoint, and how long it may take.
pub(crate) struct Daemon<'a> {
    url: &'a str,
    token: &'a str,
    /// For everything.
    deadline: Timestamp,
    /// For one exchange.
    patience: Duration,
}

impl<'a> Daemon<'a> {
    pub(crate) fn new(
        endpoint: &'a AgentEndpoint,
        deadline: Timestamp,
        patience: Duration,
    ) -> Result<Self, Fault> {
        let text = |bytes| core::str::from_utf8(bytes).map_err(|_| Fault::BadEndpoint);
        Ok(Self {
            url: text(&endpoint.url)?,
            token: text(&endpoint.token)?,
            deadline,
            patience,
        })
    }

    pub(crate) fn status(&self) -> Result<AgentStatus, Fault> {
        self.ask("/control/v1/status", None, "status")
    }

    pub(crate) fn push(&self, delta: &[u8]) -> Result<AgentStatus, Fault> {
        self.ask("/control/v1/config", Some(delta), "status")
    }

    pub(crate) fn commitment(&self, epoch: Epoch) -> Result<UsageCommitment, Fault> {
        self.ask(
            &format!("/control/v1/commitment/{epoch}"),
            None,
            "commitment",
        )
    }

    /// The page of the tree by customer that begins at `cursor`.
    pub(crate) fn settle_page(&self, epoch: Epoch, cursor: u32) -> Result<EntryPage, Fault> {
        self.page("settle", epoch, cursor)
    }

    /// The page of the tree by cache that begins at `cursor`.
    pub(crate) fn credit_page(&self, epoch: Epoch, cursor: u32) -> Result<EntryPage, Fault> {
        self.page("credit", epoch, cursor)
    }

    /// A leaf of the gateway's own that the chain wants to see.
    pub(crate) fn open_leaf(&self, epoch: Epoch, draw: &Draw) -> Result<OpenedLeaf, Fault> {
        let path = format!("/control/v1/open/{epoch}");
        self.ask(&path, Some(&draw.encode()), "opened leaf")
    }

    /// Has a host name looked up. The daemon asks the DNS meanwhile, so this may take all the time
    /// that is left.
    pub(crate) fn host_check(&self, request: &HostCheckRequest) -> Result<HostCheckAnswer, Fault> {
        let (path, expected) = ("/control/v1/host-check", "answer about a host name");
        self.ask_until(self.deadline, path, Some(&request.encode()), expected)
    }

    /// Orders probes, or asks how they went.
    pub(crate) fn probes(&self, order: &ProbeOrder) -> Result<ProbeResults, Fault> {
        let expected = "results of probes that were ordered";
        let results: ProbeResults =
            self.ask("/control/v1/probes", Some(&order.encode()), expected)?;
        let is_ordered = results.epoch == order.epoch
            && results
                .probes
                .windows(2)
                .all(|pair| pair[0].probed < pair[1].probed)
            && results
                .probes
                .iter()
                .all(|probe| order.nodes.binary_search(&probe.probed).is_ok());
        is_ordered
            .then_some(results)
            .ok_or(Fault::Garbage(expected))
    }

    fn page(&self, tree: &str, epoch: Epoch, cursor: u32) -> Result<EntryPage, Fault> {
        let path = format!("/control/v1/{tree}/{epoch}/{cursor}");
        let page: EntryPage = self.ask(&path, None, "page of entries")?;
        let (entries, proof) = &page;
        if entries.is_empty() || entries.len() > MAX_PAGE || proof.start != cursor {
            return Err(Fault::Garbage("page of entries from the cursor asked for"));
        }
        Ok(page)
    }

    fn ask<Answer: Decode>(
        &self,
        path: &str,
        body: Option<&[u8]>,
        expected: &'static str,
    ) -> Result<Answer, Fault> {
        let deadline = self
            .deadline
            .min(sp_io::offchain::timestamp().add(self.patience));
        self.ask_until(deadline, path, body, expected)
    }

    fn ask_until<Answer: Decode>(
        &self,
        deadline: Timestamp,
        path: &str,
        body: Option<&[u8]>,
        expected: &'static str,
    ) -> Result<Answer, Fault> {
        let url = format!("{}{path}", self.url);
        let request = Request {
            url: &url,
            token: Some(self.token),
            body,
            deadline,
            limit: MAX_MESSAGE,
        };
        let answer = request.exchange()?;
        Answer::decode_all(&mut &answer[..]).map_err(|_| Fault::Garbage(expected))
    }
}
