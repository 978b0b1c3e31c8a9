//! Asks a key's home before its origin, so that what one region fetched serves all.
//!
//! Of the caches of all regions one is a key's home; it is an owner in its own region too. A
//! gateway of another region asks the owner in its own, and with that one's lease in hand the home:
//!
//! ```text
//! owner: lease -> home: hit    -> the visitor, and the owner as another gateway signed it
//!                       lease  -> the origin is fetched for both
//!                       follow -> the visitor, and the owner's lease is given back
//!                       none   -> the origin is fetched for the owner
//! ```

use std::sync::Arc;
use std::time::{Duration, Instant};

use selvedge_edge_core_verify::{LeaseId, RecordHead};
use selvedge_edge_drivers_agent::clock;
use selvedge_edge_drivers_transport::{PeerAddress, SeedMessage, Want};
use selvedge_primitives_types::{DeviceId, Millis, SignedRecord};
use tokio::sync::oneshot;

use crate::ask::{Asked, Hit};
use crate::fetch::{Grant, Leased, StaleCopy};
use crate::gateway::Shared;
use crate::question::Question;
use crate::seeder::Seeder;
use crate::serve::{from_cache, from_flight};
use crate::served::Served;
use crate::slices::PIECE;
use crate::supplied::Whole;

/// What becomes of an owner's lease.
pub enum Homed {
    /// Nobody in the network has it.
    Fetch(Box<(Leased, Option<StaleCopy>)>),
    /// The home answered.
    Answered(Box<Served>),
    /// It is not for sharing, for this long.
    Pass(Duration),
}

impl Shared {
    /// Opens the stream of a lease.
    pub async fn grant(&self, cache: PeerAddress, lease: LeaseId) -> Grant {
        let seed = self.peers.seed(&cache, lease).await.ok();
        Grant { cache, lease, seed }
    }

    /// Asks the home of a key for which an owner has granted a lease. `stale` is what the owner, or
    /// memory, has of it.
    pub async fn ask_home(
        self: &Arc<Self>,
        question: &Arc<Question>,
        mut grant: Grant,
        stale: Option<StaleCopy>,
    ) -> Homed {
        let alone = |grant, stale| {
            let leased = Leased {
                grant,
                regional: None,
                gathering: None,
            };
            Homed::Fetch(Box::new((leased, stale)))
        };
        let (service, key) = (question.scope.service.id, question.key.as_bytes());
        let home = question.scope.world.home(service, key).filter(|home| {
            home.device != grant.cache.device && !self.rests(home, question, Instant::now())
        });
        let Some(home) = home else {
            return alone(grant, stale);
        };
        let held = stale.as_ref().and_then(|stale| stale.entry.clone());
        let (home, asked) = self
            .ask_owner(&home, None, question, Want::Share, held.as_ref())
            .await;
        match asked {
            Ok(Asked::Hit(hit)) => {
                let Hit {
                    answer,
                    stored,
                    body,
                    whole,
                } = *hit;
                self.pass_on(question, grant, whole);
                let left = stored.time_to_live(clock::now());
                Homed::Answered(Box::new(from_cache(&home, answer, body, left)))
            }
            Ok(Asked::Lease {
                lease,
                stale: theirs,
            }) => {
                let stale = match theirs {
                    Some(theirs) => self.stale_copy(Some(theirs), held),
                    None => stale,
                };
                let leased = Leased {
                    grant: self.grant(home, lease).await,
                    regional: Some(grant),
                    gathering: None,
                };
                Homed::Fetch(Box::new((leased, stale)))
            }
            Ok(Asked::Follow(follow)) => {
                grant.tell(SeedMessage::Abort);
                Homed::Answered(Box::new(from_flight(&home, follow)))
            }
            Ok(Asked::Pass(time)) => {
                let until = Millis(time.as_millis() as u64);
                grant.tell(SeedMessage::Pass { until });
                Homed::Pass(time)
            }
            Ok(Asked::Nothing) => alone(grant, stale),
            Err(error) => {
                self.blame(&home, question, &error);
                alone(grant, stale)
            }
        }
    }

    /// Hands what the home gave to the owner in this region, once all of it is here. Where only a
    /// part comes, the owner's lease ends, and whoever waits there asks for itself.
    fn pass_on(
        self: &Arc<Self>,
        question: &Question,
        grant: Grant,
        whole: oneshot::Receiver<Whole>,
    ) {
        let Some(seed) = grant.seed else {
            return;
        };
        let (key, genesis) = (self.identity.key().clone(), *question.scope.world.genesis());
        let gateway = self.identity.device();
        tokio::spawn(async move {
            let Ok(Whole {
                signed,
                body: mut rest,
            }) = whole.await
            else {
                return;
            };
            let head = head_of(&signed, gateway, (grant.lease, &grant.cache));
            let seeder = Seeder::pass_on(seed, head, key, genesis, signed);
            while !rest.is_empty() {
                let piece = rest.split_to(rest.len().min(PIECE));
                if !seeder.push(piece).await {
                    return;
                }
            }
            seeder.finish().await;
        });
    }
}

/// The head of a finished response under another lease.
fn head_of(
    signed: &SignedRecord,
    gateway: DeviceId,
    (lease, cache): (LeaseId, &PeerAddress),
) -> RecordHead {
    let record = signed.record.clone();
    RecordHead {
        lease,
        cache: cache.device,
        service: record.service,
        key: record.key,
        variant: record.variant,
        status: record.status,
        fields: record.fields,
        generation: record.generation,
        requested: record.requested,
        received: record.received,
        gateway,
        stated_length: Some(record.length),
    }
}
