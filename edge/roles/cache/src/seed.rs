//! Takes what the holder of a lease fetched: verifies it, stores it, and lets waiting gateways read
//! along.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use selvedge_edge_core_http_cache::Stored;
use selvedge_edge_core_verify::{verify_record, FrameVerifier, LeaseId, RecordHead, SignedFrame};
use selvedge_edge_drivers_store::{BodyWriter, Error as StoreError};
use selvedge_edge_drivers_transport::{SeedAnswer, SeedMessage, SeedReceiver};
use selvedge_primitives_types::{DeviceId, Record, SignedRecord};

use crate::flight::{Begun, End, Flight, State};
use crate::lookup::MAX_PASS;
use crate::service::Shared;

/// Takes one seed.
pub(crate) async fn run(
    shared: Arc<Shared>,
    peer: DeviceId,
    lease: LeaseId,
    messages: SeedReceiver,
) -> SeedAnswer {
    let Some(flight) = shared
        .flights
        .of(lease, peer)
        .filter(|flight| flight.begin_seeding())
    else {
        return SeedAnswer::NoLease;
    };
    // Whatever happens, even when the holder's connection breaks, the lease ends with this.
    let ending = Ending {
        shared: shared.clone(),
        flight: flight.clone(),
    };
    let answer = take(&shared, &flight, messages).await;
    drop(ending);
    shared.metrics.seeded(match answer {
        SeedAnswer::Taken => "taken",
        SeedAnswer::NoLease => "no-lease",
        SeedAnswer::Unverified => "unverified",
        SeedAnswer::NotStored => "not-stored",
    });
    answer
}

struct Ending {
    shared: Arc<Shared>,
    flight: Arc<Flight>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.shared.fail(&self.flight);
    }
}

impl Shared {
    /// The lease ends. What has not ended well by now has failed, and whoever waits looks again.
    pub(crate) fn fail(&self, flight: &Flight) {
        let state = flight.state().borrow().clone();
        if !matches!(state, State::Passed(_)) {
            // Its holder may keep what it fetched, whatever came of it here.
            self.note(flight.service, &flight.key);
        }
        self.flights.close(flight);
        match state {
            State::Granted => flight.set(State::Failed),
            State::Begun(begun) if begun.progress().borrow().end.is_none() => {
                begun.end(End::Broken)
            }
            _ => {}
        }
    }
}

async fn take(shared: &Arc<Shared>, flight: &Flight, mut messages: SeedReceiver) -> SeedAnswer {
    let Some(world) = shared.world() else {
        return SeedAnswer::NotStored;
    };
    let genesis = *world.genesis();
    let first = messages.next(shared.options.lease).await;
    let head = match first {
        Ok(Some(SeedMessage::Head(head))) => head,
        Ok(Some(SeedMessage::Pass { until })) => {
            let time = Duration::from_millis(until.0).min(MAX_PASS);
            shared.passes.remember(flight.service, &flight.key, time);
            flight.set(State::Passed(time));
            return SeedAnswer::Taken;
        }
        Ok(Some(SeedMessage::Refresh(signed))) => {
            let is_right =
                is_of(flight, &signed) && verify_record(&signed, &genesis, &flight.holder).is_ok();
            if !is_right {
                return SeedAnswer::Unverified;
            }
            let store = shared.store.clone();
            let renewed = tokio::task::spawn_blocking(move || store.renew(&signed)).await;
            return match renewed {
                Ok(Ok(())) => {
                    flight.set(State::Renewed);
                    SeedAnswer::Taken
                }
                _ => SeedAnswer::NotStored,
            };
        }
        Ok(Some(SeedMessage::Abort) | None) => return SeedAnswer::Taken,
        Ok(Some(SeedMessage::Frame(..) | SeedMessage::End(_))) => return SeedAnswer::Unverified,
        Err(error) => {
            tracing::debug!(%error, "a lease was not used");
            return SeedAnswer::Taken;
        }
    };
    let is_right = head.lease == flight.lease
        && head.cache == shared.device
        && head.service == flight.service
        && head.key == flight.key;
    if !is_right {
        return SeedAnswer::Unverified;
    }
    let Ok(verifier) = FrameVerifier::new(genesis, &flight.holder, &head) else {
        return SeedAnswer::Unverified;
    };
    let record = head.clone().into_record([0; 32], 0);
    let Ok(stored) = Stored::from_record(&record, &shared.options.policy) else {
        return SeedAnswer::Unverified;
    };
    Taking {
        shared: shared.clone(),
        head,
        stored,
        verifier: Some(verifier),
        writer: None,
        begun: None,
    }
    .body(flight, messages)
    .await
}

fn is_of(flight: &Flight, signed: &SignedRecord) -> bool {
    signed.record.service == flight.service && signed.record.key == flight.key
}

/// A body being taken.
struct Taking {
    shared: Arc<Shared>,
    head: RecordHead,
    stored: Stored,
    verifier: Option<FrameVerifier>,
    writer: Option<BodyWriter>,
    begun: Option<Arc<Begun>>,
}

impl Taking {
    async fn body(mut self, flight: &Flight, mut messages: SeedReceiver) -> SeedAnswer {
        let store = self.shared.store.clone();
        let opened = tokio::task::spawn_blocking(move || store.writer()).await;
        self.writer = match opened {
            Ok(Ok(writer)) => Some(writer),
            Ok(Err(error)) => {
                tracing::warn!(%error, "a response passes by unstored");
                None
            }
            Err(_) => None,
        };
        loop {
            match messages.next(self.shared.options.stall).await {
                Ok(Some(SeedMessage::Frame(frame, bytes))) => {
                    if let Err(answer) = self.frame(flight, frame, bytes).await {
                        return answer;
                    }
                }
                Ok(Some(SeedMessage::End(signed))) => return self.end(flight, signed).await,
                Ok(Some(SeedMessage::Abort) | None) => return SeedAnswer::Taken,
                Ok(Some(_)) => return SeedAnswer::Unverified,
                Err(error) => {
                    tracing::debug!(%error, "a seed broke off");
                    return SeedAnswer::Taken;
                }
            }
        }
    }

    async fn frame(
        &mut self,
        flight: &Flight,
        frame: SignedFrame,
        bytes: Bytes,
    ) -> Result<(), SeedAnswer> {
        let verifier = self.verifier.as_mut().ok_or(SeedAnswer::Unverified)?;
        if let Err(error) = verifier.accept(&frame, &bytes) {
            let gateway = flight.holder;
            tracing::warn!(%gateway, %error, "a seed is not what its gateway signed");
            return Err(SeedAnswer::Unverified);
        }
        let is_written = self.write(&bytes).await;
        let begun = match &self.begun {
            Some(begun) => begun.clone(),
            None => {
                // The head is vouched for from here on.
                let written = self.writer.as_ref().map(BodyWriter::partial);
                let begun = Begun::new(self.head.clone(), self.stored.clone(), written);
                let begun = self.begun.insert(Arc::new(begun)).clone();
                flight.set(State::Begun(begun.clone()));
                begun
            }
        };
        let held = (!is_written).then_some(bytes);
        if begun.add(frame, held) {
            Ok(())
        } else {
            Err(SeedAnswer::NotStored)
        }
    }

    /// Writes bytes to disk; `false` when they must be held in memory.
    async fn write(&mut self, bytes: &Bytes) -> bool {
        let Some(mut writer) = self.writer.take() else {
            return false;
        };
        let copy = bytes.clone();
        let written = tokio::task::spawn_blocking(move || {
            let done = writer.write(&copy);
            (writer, done)
        });
        match written.await {
            Ok((writer, Ok(()))) => {
                self.writer = Some(writer);
                true
            }
            Ok((_, Err(error))) => {
                tracing::warn!(%error, "a response passes by unstored");
                false
            }
            Err(_) => false,
        }
    }

    async fn end(mut self, flight: &Flight, signed: SignedRecord) -> SeedAnswer {
        let (Some(verifier), Some(begun)) = (self.verifier.take(), self.begun.take()) else {
            return SeedAnswer::Unverified;
        };
        let Ok(world) = self.shared.world().ok_or(()) else {
            return SeedAnswer::NotStored;
        };
        let record = &signed.record;
        // Who passes on what another gateway fetched vouches for the bytes on their way alone.
        let signer = record.gateway;
        let stated = Record {
            gateway: signer,
            ..self.head.clone().into_record(record.root, record.length)
        };
        let is_right = *record == stated
            && (signer == flight.holder || world.is_gateway(&signer))
            && verify_record(&signed, world.genesis(), &signer).is_ok()
            && verifier.finish_with(record).is_ok();
        if !is_right {
            tracing::warn!(gateway = %flight.holder, "a record is not of the body before it");
            return SeedAnswer::Unverified;
        }
        let stored = match self.writer.take() {
            Some(_) if flight.is_outdated() || world.drains() => false,
            Some(writer) => {
                let (store, signed) = (self.shared.store.clone(), signed.clone());
                let put =
                    move || -> Result<(), StoreError> { store.put(&signed, writer.finish()?) };
                match tokio::task::spawn_blocking(put).await {
                    Ok(Ok(())) => true,
                    Ok(Err(error)) => {
                        tracing::warn!(%error, "a response passes by unstored");
                        false
                    }
                    Err(_) => false,
                }
            }
            None => false,
        };
        begun.end(End::Record(Box::new(signed)));
        if stored {
            SeedAnswer::Taken
        } else {
            SeedAnswer::NotStored
        }
    }
}
