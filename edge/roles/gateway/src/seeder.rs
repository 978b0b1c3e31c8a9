//! Feeds a cache that granted a lease: signs frames of the body, and the record at its end unless
//! another gateway has.
//!
//! A frame is signed when bytes are there and the last one is [`INTERVAL`] ago, or when there are
//! enough for a full one. The first frame is empty and vouches for the head, so that waiting
//! gateways can answer before the body begins.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use selvedge_edge_core_verify::{sign_record, FrameWriter, RecordHead, SigningKey};
use selvedge_edge_drivers_http::Closed;
use selvedge_edge_drivers_transport::{SeedAnswer, SeedMessage, SeedStream, TransportError};
use selvedge_primitives_types::{GenesisHash, SignedRecord};
use tokio::sync::mpsc;

use crate::landing::Landing;

/// The shortest time between two frames that are not full.
const INTERVAL: Duration = Duration::from_millis(10);
/// Bytes of a full frame.
const FULL: usize = 96 * 1024;
/// Pieces that may wait for the cache.
const PIECES: usize = 256;
/// How long a cache may hold up a fetch before it is given up.
const PATIENCE: Duration = Duration::from_secs(5);

enum Piece {
    Bytes(Bytes),
    End,
}

/// Takes the pieces of a body for a cache.
pub struct Seeder {
    pieces: mpsc::Sender<Piece>,
    landing: Option<Arc<Landing>>,
}

impl Seeder {
    /// Starts to feed `seed` with the body of `head`. `landing` is for who must wait for its end.
    pub fn start(
        seed: SeedStream,
        head: RecordHead,
        key: SigningKey,
        genesis: GenesisHash,
        landing: Option<Landing>,
    ) -> Self {
        Self::feed(seed, head, (key, genesis), None, landing)
    }

    /// Starts to feed `seed` with the body of a response that another gateway signed: that one
    /// vouches for the record, this one for the bytes on their way.
    pub fn pass_on(
        seed: SeedStream,
        head: RecordHead,
        key: SigningKey,
        genesis: GenesisHash,
        signed: SignedRecord,
    ) -> Self {
        Self::feed(seed, head, (key, genesis), Some(signed), None)
    }

    fn feed(
        seed: SeedStream,
        head: RecordHead,
        (key, genesis): (SigningKey, GenesisHash),
        signed: Option<SignedRecord>,
        landing: Option<Landing>,
    ) -> Self {
        let (pieces, received) = mpsc::channel(PIECES);
        let landing = landing.map(Arc::new);
        let until_stored = landing.clone();
        tokio::spawn(async move {
            match feed(seed, head, (key, genesis), signed, received).await {
                Ok(SeedAnswer::Taken) => {}
                Ok(answer) => tracing::debug!(?answer, "a cache did not keep a seed"),
                Err(error) => tracing::debug!(%error, "a cache was not seeded to the end"),
            }
            drop(until_stored);
        });
        Self { pieces, landing }
    }

    /// Hands over the next bytes. `false` when the cache takes no more.
    pub async fn push(&self, bytes: Bytes) -> bool {
        self.pieces
            .send_timeout(Piece::Bytes(bytes), PATIENCE)
            .await
            .is_ok()
    }

    /// The body is whole. Dropping the seeder instead means that it is not.
    pub async fn finish(self) {
        if let Some(landing) = &self.landing {
            landing.begin();
        }
        // A cache that is gone needs no end.
        let _ = self.pieces.send_timeout(Piece::End, PATIENCE).await;
    }
}

async fn feed(
    seed: SeedStream,
    head: RecordHead,
    (key, genesis): (SigningKey, GenesisHash),
    signed: Option<SignedRecord>,
    mut pieces: mpsc::Receiver<Piece>,
) -> Result<SeedAnswer, TransportError> {
    let fail = |error: &dyn std::fmt::Display| TransportError::Broken(error.to_string());
    let mut writer = FrameWriter::new(key.clone(), genesis, &head).map_err(|error| fail(&error))?;
    seed.send(&SeedMessage::Head(head.clone()))
        .await
        .map_err(|error| fail(&error))?;
    let mut waiting = BytesMut::new();
    send(&seed, &mut writer, &mut waiting, false)
        .await
        .map_err(|error| fail(&error))?;
    let mut sent = Instant::now();
    loop {
        let next = if waiting.is_empty() {
            Some(pieces.recv().await)
        } else {
            let left = INTERVAL.saturating_sub(sent.elapsed());
            tokio::time::timeout(left, pieces.recv()).await.ok()
        };
        match next {
            Some(Some(Piece::Bytes(bytes))) => {
                waiting.extend_from_slice(&bytes);
                if waiting.len() < FULL {
                    continue;
                }
            }
            Some(Some(Piece::End)) => break,
            Some(None) => {
                let _ = seed.send(&SeedMessage::Abort).await;
                return seed.finish().await;
            }
            None => {}
        }
        send(&seed, &mut writer, &mut waiting, false)
            .await
            .map_err(|error| fail(&error))?;
        sent = Instant::now();
    }
    while waiting.len() > FULL {
        send(&seed, &mut writer, &mut waiting, false)
            .await
            .map_err(|error| fail(&error))?;
    }
    send(&seed, &mut writer, &mut waiting, true)
        .await
        .map_err(|error| fail(&error))?;
    let outboard = writer.finish();
    let signed = match signed {
        Some(signed) => signed,
        None => {
            let record = head.into_record(*outboard.root(), outboard.length());
            sign_record(&key, &genesis, record).map_err(|error| fail(&error))?
        }
    };
    // A cache that stopped listening has answered why.
    let _ = seed.send(&SeedMessage::End(signed)).await;
    seed.finish().await
}

async fn send(
    seed: &SeedStream,
    writer: &mut FrameWriter,
    waiting: &mut BytesMut,
    is_last: bool,
) -> Result<(), Closed> {
    let bytes = waiting.split_to(waiting.len().min(FULL)).freeze();
    // It fails only for frames that are too long or behind the last, and these are neither.
    let frame = writer.frame(&bytes, is_last).map_err(|_| Closed)?;
    seed.send(&SeedMessage::Frame(frame, bytes)).await
}
