//! Takes what the holder of a lease fetched: checks every frame, writes it to disk, lets followers have it, and stores it
//! when the signed record says the same.

use crate::{
    service::Shared,
    under_way::{Outcome, UnderWay},
    world::World,
};
use selvedge_edge_core_verify::{verify_record, FrameVerifier, LeaseId, RecordHead};
use selvedge_edge_drivers_store::BodyWriter;
use selvedge_edge_drivers_transport::{SeedAnswer, SeedMessage, SeedReceiver};
use selvedge_primitives_types::{DeviceId, ServiceId, SignedRecord};
use std::{sync::Arc, time::Instant};

/// A seed that is being taken.
struct Seed<'a> {
    shared: &'a Arc<Shared>,
    world: Arc<World>,
    service: ServiceId,
    key: Vec<u8>,
    under_way: Arc<UnderWay>,
}

impl Shared {
    pub(crate) async fn take_seed(
        self: &Arc<Self>,
        peer: DeviceId,
        lease: LeaseId,
        messages: SeedReceiver,
    ) -> SeedAnswer {
        let (Some(world), Some((service, key, under_way))) =
            (self.worlds.current(), self.leases.held(lease, peer))
        else {
            return SeedAnswer::NoLease;
        };
        let seed = Seed {
            shared: self,
            world,
            service,
            key,
            under_way,
        };
        let (answer, outcome) = seed.take(messages).await;
        self.leases.end(&seed.under_way, outcome, Instant::now());
        if answer == SeedAnswer::Unverified {
            self.metrics.unverified_seeds.inc();
            tracing::warn!(%peer, "a seed did not verify");
        }
        answer
    }
}

impl Seed<'_> {
    async fn take(&self, mut messages: SeedReceiver) -> (SeedAnswer, Outcome) {
        match messages.next(self.shared.options.lease).await {
            Ok(Some(SeedMessage::Head(head))) => self.take_body(head, messages).await,
            Ok(Some(SeedMessage::Pass { until })) => (SeedAnswer::Taken, Outcome::Pass(until)),
            Ok(Some(SeedMessage::Refresh(record))) => (self.refresh(record).await, Outcome::Again),
            Ok(Some(SeedMessage::Frame(..) | SeedMessage::End(_))) => {
                (SeedAnswer::Unverified, Outcome::Again)
            }
            Ok(Some(SeedMessage::Abort) | None) | Err(_) => (SeedAnswer::Taken, Outcome::Again),
        }
    }

    /// Whether a head is for this lease.
    fn is_ours(&self, head: &RecordHead) -> bool {
        head.lease == self.under_way.lease
            && head.cache == self.shared.device
            && (head.service, &head.key) == (self.service, &self.key)
            && head.gateway == self.under_way.holder
    }

    fn verifies(&self, signed: &SignedRecord) -> bool {
        let holder = &self.under_way.holder;
        (signed.record.service, &signed.record.key) == (self.service, &self.key)
            && verify_record(signed, &self.world.chain.clock.genesis, holder).is_ok()
    }

    async fn take_body(
        &self,
        head: RecordHead,
        mut messages: SeedReceiver,
    ) -> (SeedAnswer, Outcome) {
        let genesis = self.world.chain.clock.genesis;
        let verifier = FrameVerifier::new(genesis, &self.under_way.holder, &head);
        let (true, Ok(mut verifier)) = (self.is_ours(&head), verifier) else {
            return (SeedAnswer::Unverified, Outcome::Again);
        };
        let Some(mut writer) = self.shared.on_disk(|store| store.writer()).await else {
            return (SeedAnswer::NotStored, Outcome::Again);
        };
        let mut has_begun = false;
        loop {
            let broken = if has_begun {
                Outcome::Broken
            } else {
                Outcome::Again
            };
            match messages.next(self.shared.options.stall).await {
                Ok(Some(SeedMessage::Frame(frame, bytes))) => {
                    if verifier.accept(&frame, &bytes).is_err() {
                        return (SeedAnswer::Unverified, broken);
                    }
                    writer = match self.write(writer, bytes).await {
                        Some(writer) => writer,
                        None => return (SeedAnswer::NotStored, broken),
                    };
                    if !has_begun {
                        // Only the first frame vouches for the head.
                        has_begun = true;
                        self.under_way.begin(head.clone(), writer.partial());
                    }
                    self.under_way.push(frame);
                }
                Ok(Some(SeedMessage::End(record))) if verifier.is_ended() => {
                    return self.finish(record, verifier, writer).await;
                }
                Ok(Some(SeedMessage::Abort) | None) | Err(_) => return (SeedAnswer::Taken, broken),
                Ok(Some(_)) => return (SeedAnswer::Unverified, broken),
            }
        }
    }

    async fn write(&self, mut writer: BodyWriter, bytes: bytes::Bytes) -> Option<BodyWriter> {
        if bytes.is_empty() {
            return Some(writer);
        }
        self.shared
            .on_disk(move |_| writer.write(&bytes).map(|()| writer))
            .await
    }

    async fn finish(
        &self,
        record: SignedRecord,
        verifier: FrameVerifier,
        writer: BodyWriter,
    ) -> (SeedAnswer, Outcome) {
        if !self.verifies(&record) || verifier.finish_with(&record.record).is_err() {
            return (SeedAnswer::Unverified, Outcome::Broken);
        }
        if self.world.drains() {
            return (SeedAnswer::NotStored, Outcome::Whole(Box::new(record)));
        }
        let kept = record.clone();
        let stored = self
            .shared
            .on_disk(move |store| store.put(&kept, writer.finish()?))
            .await;
        let answer = if stored.is_some() {
            SeedAnswer::Taken
        } else {
            SeedAnswer::NotStored
        };
        if answer == SeedAnswer::Taken {
            self.shared.metrics.stored.inc();
        }
        (answer, Outcome::Whole(Box::new(record)))
    }

    async fn refresh(&self, record: SignedRecord) -> SeedAnswer {
        if !self.verifies(&record) {
            return SeedAnswer::Unverified;
        }
        match self.shared.on_disk(move |store| store.renew(&record)).await {
            Some(()) => SeedAnswer::Taken,
            None => SeedAnswer::NotStored,
        }
    }
}
