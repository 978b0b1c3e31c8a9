//! HEAD for what no cache has fresh: the origin is asked, and what it says counts for what is in
//! memory (RFC 9111 §4.3.5).

use std::sync::Arc;

use http::{header, HeaderMap, Method};
use selvedge_edge_core_http_cache::{
    record_fields, Forwarded, HeadUpdate, ResponseHead, Rule, Stored, Times,
};
use selvedge_edge_core_verify::sign_record;
use selvedge_edge_drivers_agent::clock;
use selvedge_primitives_types::Record;

use crate::entry::Entry;
use crate::exchange::NO_CACHE;
use crate::failure::{Failure, Reason};
use crate::fetch::why;
use crate::gateway::Shared;
use crate::holding::Hold;
use crate::question::Question;
use crate::served::Served;
use crate::tab::Tab;

impl Shared {
    /// Asks the origin. The request is one for everybody, so that its answer is about what everybody
    /// gets; `entry` is what is in memory and may not answer as it is.
    pub async fn fetch_head(
        self: &Arc<Self>,
        question: &Arc<Question>,
        entry: Option<Arc<Entry>>,
    ) -> Result<Served, Failure> {
        let mut conditions = HeaderMap::new();
        for name in [header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE] {
            for value in question.headers.get_all(&name) {
                conditions.append(name.clone(), value.clone());
            }
        }
        let requested = clock::now();
        let response = self.send(question, Method::HEAD, &conditions).await;
        let response = response.map_err(|error| Failure::because(Reason::from(&error), &error))?;
        let times = Times {
            requested,
            received: clock::now(),
        };
        if let Some(entry) = entry {
            let head = ResponseHead::from(&response);
            let policy = &self.options.policy;
            match policy.update_by_head(&question.head(), &entry.stored, &head, times) {
                HeadUpdate::Nothing => {}
                HeadUpdate::Stored { stored } => self.renew(question, &entry, *stored, times),
                HeadUpdate::Outdated { rule } => {
                    let (id, rule) = (&question.exchange.id, rule.name());
                    tracing::debug!(%id, rule, "what is stored is outdated");
                    self.outdate(&question.scope, &question.key).await;
                }
            }
        }
        let rule = Rule::NothingStored;
        let said = why(Forwarded::from(rule))
            .forwarded_status(response.status())
            .detail(rule);
        let tab = Tab::for_origin(&self.meter, &question.scope.service, NO_CACHE);
        Ok(self.pass_through(response, tab, said))
    }

    fn renew(&self, question: &Question, entry: &Entry, stored: Stored, times: Times) {
        let old = &entry.signed.record;
        let record = Record {
            fields: record_fields(stored.headers()),
            variant: stored.variant().as_slice().to_vec(),
            generation: question.generation.max(old.generation),
            requested: times.requested,
            received: times.received,
            gateway: self.identity.device(),
            ..old.clone()
        };
        let genesis = question.scope.world.genesis();
        match sign_record(self.identity.key(), genesis, record) {
            Ok(signed) => {
                let renewed = Entry {
                    hold: Hold::of(&entry.hold),
                    ..Entry::new(signed, stored, entry.body.clone(), entry.cache)
                };
                self.keep(question, renewed);
            }
            Err(error) => tracing::error!(%error, "a record of our own cannot be signed"),
        }
    }
}
