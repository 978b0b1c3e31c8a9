//! Hands what is put to the owners.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{stream, StreamExt};
use selvedge_edge_core_verify::{shape, ProvenSlice};
use selvedge_edge_drivers_agent::{ContentRefused, Lacking, Taken, Upload};
use selvedge_edge_drivers_transport::{
    ContentError, ContentRefusal, PeerAddress, PutAnswer, PutContent, TransportError,
};
use selvedge_primitives_types::{ContentRef, DeviceId};

use crate::gateway::Shared;

/// How long an owner may take for a slice.
const PATIENCE: Duration = Duration::from_secs(12);
/// Owners that are asked for what they lack at a time.
const AT_ONCE: usize = 16;

type Runs = Vec<(u64, u64)>;

/// Says what the owners of some blobs lack.
pub(super) async fn lacking(
    shared: &Arc<Shared>,
    upload: Upload,
    blobs: &[ContentRef],
) -> Result<Lacking, ContentRefused> {
    let world = shared.world().ok_or(ContentRefused::NotServed)?;
    shared.served(&world, upload.service)?;
    let owners: Vec<Vec<PeerAddress>> = blobs
        .iter()
        .map(|blob| shared.owners_of(&world, &blob.root, upload.factor).0)
        .collect();
    let have = have(shared, blobs, &owners).await;
    let mut missing = vec![Runs::new(); blobs.len()];
    let mut questions = Vec::new();
    for (index, blob) in blobs.iter().enumerate() {
        let answers = || {
            owners[index]
                .iter()
                .map(|owner| have.get(&(owner.device, index)))
        };
        if answers().flatten().count() == 0 {
            return Err(ContentRefused::NoOwner);
        }
        let lack = owners[index]
            .iter()
            .filter(|owner| have.get(&(owner.device, index)) == Some(&false));
        match shape::slices(blob.length) {
            1 if lack.clone().next().is_some() => missing[index] = vec![(0, 1)],
            1 => {}
            _ => questions.extend(lack.map(|owner| (index, *blob, owner.clone()))),
        }
    }
    let asking = questions
        .into_iter()
        .map(|(index, content, owner)| async move {
            let put = put(shared, upload, content, &owner, None).await;
            (index, owner, put)
        });
    let mut asking = std::pin::pin!(stream::iter(asking).buffer_unordered(AT_ONCE));
    while let Some((index, owner, answer)) = asking.next().await {
        match answer {
            Ok(PutAnswer::Complete) => {}
            Ok(PutAnswer::Missing(runs)) => missing[index].extend(runs),
            Ok(PutAnswer::Refused(ContentRefusal::Full)) => return Err(ContentRefused::NoRoom),
            // It takes nothing now: the others are enough.
            Ok(PutAnswer::Refused(_)) => {}
            Err(error) => shared.blame_for_content(&owner.device, &error),
        }
    }
    let first = owners.first().map_or(0, |owners| {
        let answered = owners
            .iter()
            .filter(|owner| have.contains_key(&(owner.device, 0)));
        answered.count() as u8
    });
    Ok(Lacking {
        owners: first,
        missing: missing.into_iter().map(merged).collect(),
    })
}

/// Which owner has which blob whole, as far as they answer.
async fn have(
    shared: &Arc<Shared>,
    blobs: &[ContentRef],
    owners: &[Vec<PeerAddress>],
) -> BTreeMap<(DeviceId, usize), bool> {
    let mut asked: BTreeMap<DeviceId, (PeerAddress, Vec<usize>)> = BTreeMap::new();
    for (index, owners) in owners.iter().enumerate() {
        for owner in owners {
            let of = asked.entry(owner.device);
            of.or_insert_with(|| (owner.clone(), Vec::new()))
                .1
                .push(index);
        }
    }
    let asking = asked.into_values().map(|(owner, indices)| async move {
        let roots: Vec<_> = indices.iter().map(|index| blobs[*index].root).collect();
        let have = shared.peers.have_content(&owner, &roots).await;
        (owner, indices, have)
    });
    let mut found = BTreeMap::new();
    let mut asking = std::pin::pin!(stream::iter(asking).buffer_unordered(AT_ONCE));
    while let Some((owner, indices, have)) = asking.next().await {
        match have {
            Ok(have) => {
                let places = indices.into_iter().map(|index| (owner.device, index));
                found.extend(places.zip(have));
            }
            Err(error) => shared.blame_for_content(&owner.device, &error),
        }
    }
    found
}

/// Hands a slice to every owner that can be reached.
pub(super) async fn take(
    shared: &Arc<Shared>,
    upload: Upload,
    content: ContentRef,
    slice: ProvenSlice,
) -> Result<Taken, ContentRefused> {
    let world = shared.world().ok_or(ContentRefused::NotServed)?;
    shared.served(&world, upload.service)?;
    let bytes = slice.bytes.len() as u64;
    let is_pinned = world.pin_of(&content.root).is_some();
    let staging = &shared.publishing.staging;
    if !is_pinned && !staging.admit(upload.service, bytes, Instant::now()) {
        return Err(ContentRefused::NoRoom);
    }
    let (owners, wanted) = shared.owners_of(&world, &content.root, upload.factor);
    let slice = &slice;
    let putting = owners.iter().map(|owner| async move {
        let put = put(shared, upload, content, owner, Some(slice)).await;
        (owner, put)
    });
    let mut taken = Taken {
        owners: 0,
        wanted,
        is_complete: true,
    };
    let mut refused = ContentRefused::NoOwner;
    for (owner, answer) in futures::future::join_all(putting).await {
        match answer {
            Ok(PutAnswer::Complete) => taken.owners += 1,
            Ok(PutAnswer::Missing(runs)) if !holds(&runs, slice.slice) => {
                taken.owners += 1;
                taken.is_complete = false;
            }
            Ok(PutAnswer::Missing(_)) => {
                tracing::debug!(cache = %owner.device, slice = slice.slice, "an owner did not take a slice");
            }
            Ok(PutAnswer::Refused(ContentRefusal::Full)) => refused = ContentRefused::NoRoom,
            Ok(PutAnswer::Refused(ContentRefusal::Unverified)) => {
                // It was verified here: that owner's memory or disk is at fault.
                shared.metrics.fault(&owner.device, "content");
            }
            Ok(PutAnswer::Refused(refusal)) => {
                tracing::debug!(cache = %owner.device, %refusal, "an owner takes no slice");
            }
            Err(error) => shared.blame_for_content(&owner.device, &error),
        }
    }
    match taken.owners {
        0 => Err(refused),
        _ => Ok(taken),
    }
}

/// Puts a slice, or asks what is missing.
async fn put(
    shared: &Shared,
    upload: Upload,
    content: ContentRef,
    owner: &PeerAddress,
    slice: Option<&ProvenSlice>,
) -> Result<PutAnswer, ContentError> {
    let service = upload.service;
    let putting = async {
        let put = PutContent { service, content };
        let stream = shared.peers.put_content(owner, &put).await?;
        if let Some(ProvenSlice {
            slice,
            proof,
            bytes,
        }) = slice
        {
            // Who takes no more says why in the answer.
            let _ = stream.send(*slice, proof, bytes.clone()).await;
        }
        stream.finish().await
    };
    let slow = || TransportError::TooSlow { what: "a put" };
    match tokio::time::timeout(PATIENCE, putting).await {
        Ok(answer) => answer,
        Err(_) => Err(slow().into()),
    }
}

fn holds(runs: &[(u64, u64)], slice: u64) -> bool {
    runs.iter()
        .any(|(first, count)| (*first..first.saturating_add(*count)).contains(&slice))
}

/// Runs in order, none touching another.
fn merged(mut runs: Runs) -> Runs {
    runs.sort_unstable();
    let mut merged: Runs = Vec::new();
    for (first, count) in runs {
        match merged.last_mut() {
            Some((start, length)) if first <= start.saturating_add(*length) => {
                let end = first.saturating_add(count);
                *length = (*length).max(end.saturating_sub(*start));
            }
            _ => merged.push((first, count.min(u64::MAX - first))),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_several_owners_become_one_list() {
        for (runs, expected) in [
            (vec![], vec![]),
            (vec![(4, 2), (0, 1)], vec![(0, 1), (4, 2)]),
            (vec![(0, 3), (1, 1), (2, 5)], vec![(0, 7)]),
            (vec![(0, 2), (2, 2)], vec![(0, 4)]),
            (vec![(5, u64::MAX), (0, 1)], vec![(0, 1), (5, u64::MAX - 5)]),
        ] {
            assert_eq!(merged(runs), expected);
        }
        assert!(holds(&[(0, 1), (4, 2)], 5));
        assert!(!holds(&[(0, 1), (4, 2)], 6));
    }
}
