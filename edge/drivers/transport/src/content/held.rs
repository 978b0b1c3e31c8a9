//! What caches hold, in short: filters for gateways that choose among them.

use codec::{Decode, Encode};
use selvedge_edge_core_choice::{Delta, Filter};
use selvedge_edge_drivers_http::full;

use super::ContentError;
use crate::client::{read, PeerAddress, Peers};

/// Asks what is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct HeldSince {
    /// The version that is known already, if any.
    pub version: Option<u64>,
}

/// What is held. It is the cache's word: whoever asks for a blob because of it verifies what comes.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Held {
    /// What is known already.
    #[codec(index = 0)]
    Same,
    /// That, changed.
    #[codec(index = 1)]
    Changed(Delta),
    /// This.
    #[codec(index = 2)]
    Whole(Filter),
}

impl Peers {
    /// Asks a cache what it holds, whole, since a version of it that is known.
    ///
    /// Errors: when the cache cannot be reached, or its answer is none.
    pub async fn held_content(
        &self,
        peer: &PeerAddress,
        version: Option<u64>,
    ) -> Result<Held, ContentError> {
        let body = full(HeldSince { version }.encode());
        let response = self.post(peer, "/v1/content/held", body).await?;
        Ok(read(response, self.options.answer_timeout).await?)
    }
}
